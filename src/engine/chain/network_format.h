/* network_format.h - what the writer and the reader of networks share; not installed.
 *
 * Attributes of the root: rhm_network (the version of this format), V, L, classes, M, features, codebook,
 * linkage (as numbered in features.h and network.h). Data sets: s (of layers 1..L), d (tokens of a string,
 * where padded), seed, sigma, eps_O;
 * grammar/rules (children, 0-based, level 1..L), grammar/m, grammar/seed, grammar/seeded where the grammar is
 * known, and
 * grammar/ensemble, grammar/shuffle (not uniform), grammar/p, grammar/zipf (weighted rules), grammar/prior,
 * grammar/label_noise, grammar/token_noise where they apply;
 * refined/numbers (m, starts, best, from_chain, n, labelled, last), refined/history (a row a sweep: start,
 * sweep, log_joint, log_label, accuracy, held_out, entropies), refined/prior, refined/table1 to tableL
 * (tuples x parents) where it is refined; layer1/... to layerL/... for the layers that are trained, named as
 * in layer.h (a row of history: step, loss, intra, inter, accuracy); places, strings, repeats,
 * direction_mean, _map, _offset and point where a layer learned at all places. Whatever follows from the rest
 * is not stored: the embedding of a layer's inputs is the codebook of the layer above. Nor are times: the
 * same training makes the same file, byte for byte, however long it took.
 */
#ifndef RHM_NETWORK_FORMAT_H
#define RHM_NETWORK_FORMAT_H

#include <stddef.h>

#include "engine/files/hdf5_file.h"
#include "engine/layer/layer.h"

#define RHM_NETWORK_FORMAT 2

/* Letters of the name of a data set, at most. */
#define RHM_NETWORK_NAME 48

#define RHM_REFINED_NUMBERS 7

/* The numbers of a layer that are stored as they are. */
struct rhm_network_field {
    const char *name;
    size_t offset, size;
    int is_float;
};

#define REAL(name, member)                                                                                   \
    {                                                                                                        \
        name, offsetof(struct rhm_layer, member), sizeof(double), 1                                          \
    }
#define WHOLE(name, member)                                                                                  \
    {                                                                                                        \
        name, offsetof(struct rhm_layer, member), sizeof(((struct rhm_layer *)0)->member), 0                 \
    }

static const struct rhm_network_field rhm_network_fields[] = {
    REAL("mean_sum", mean_sum),
    REAL("lambda", lambda),
    REAL("eta", eta),
    REAL("sigma", sigma),
    REAL("rho_in", rho_in),
    REAL("eps_S_in", eps_S_in),
    REAL("rho", clusters.rho),
    REAL("eps_S", clusters.eps_S),
    REAL("inter_min", clusters.inter_min),
    REAL("intra_max", clusters.intra_max),
    REAL("loss", loss),
    REAL("lambda_max", lambda_max),
    REAL("condition", condition),
    REAL("gap", gap),
    REAL("error", error),
    REAL("error_max", error_max),
    REAL("accuracy", accuracy),
    WHOLE("inputs", features.K),
    WHOLE("steps", steps),
    WHOLE("solver", solver),
    WHOLE("unknown_code", unknown_code),
    WHOLE("parents_expected", parents_expected),
    WHOLE("parents_known", parents_known),
};
#define RHM_NETWORK_FIELDS (sizeof rhm_network_fields / sizeof rhm_network_fields[0])

#undef REAL
#undef WHOLE

/* The type of numbers of `size` bytes in memory. */
static inline hid_t rhm_network_type(int is_float, size_t size)
{
    return is_float    ? H5T_NATIVE_DOUBLE
           : size == 1 ? H5T_NATIVE_UINT8
           : size == 2 ? H5T_NATIVE_UINT16
           : size == 4 ? H5T_NATIVE_UINT32
                       : H5T_NATIVE_UINT64;
}

#endif
