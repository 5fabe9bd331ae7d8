/* network_load.h - the parts of a network in a file, read and checked; not installed. A failure stays in the
 * reader. */
#ifndef RHM_NETWORK_LOAD_H
#define RHM_NETWORK_LOAD_H

#include "engine/chain/network.h"
#include "engine/files/hdf5_reader.h"

/* Layer l, from the group that the reader has entered; those above it are in the network already. What was
 * read is freed with the network, whatever comes. */
void rhm_network_load_layer(struct rhm_hdf5_reader *r, struct rhm_network *net, unsigned l);

/* 1 and g filled where the file knows the grammar. */
int rhm_network_load_grammar(struct rhm_hdf5_reader *r, const struct rhm_network_options *o,
                             struct rhm_grammar *g);

/* Where the network was refined. */
void rhm_network_load_refined(struct rhm_hdf5_reader *r, struct rhm_network *net);

#endif
