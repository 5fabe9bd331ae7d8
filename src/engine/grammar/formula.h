/* formula.h - a tree of Boolean gates over uniform inputs.
 *
 * Level L holds d = s^L inputs, independent and uniform in {0, 1} (false, true: -1 and +1). Each node of
 * level l - 1 is a gate of its s children of level l; level 0 is the label. With s = 2 a gate is a quadratic
 * polynomial over +-1 variables. AND and OR kinds correlate with their inputs, XOR does not.
 *
 * A gate is a truth table: bit t is its value on the inputs t, of which the first is the most significant.
 *
 * Labels are as probable as the gates make them, or, balanced, both 1/2: the inputs are then uniform given
 * the label. Siblings are independent given their parent, so the formula is a grammar of two symbols whose
 * rules, the rows of the tables, have probabilities of their own: all below is exact.
 */
#ifndef RHM_FORMULA_H
#define RHM_FORMULA_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/matrix.h"
#include "engine/base/poll.h"
#include "engine/data/dataset.h"
#include "engine/grammar/grammar.h"

#define RHM_FORMULA_INPUTS 6 /* of a gate at most: a table has 2^s <= 64 bits */

enum rhm_gate_kind {
    RHM_GATE_ANY,     /* uniform among the tables that depend on each input (s = 2: 10) */
    RHM_GATE_LITERALS /* an AND or OR of the inputs, each negated or not: 2^(s+1) tables */
};

struct rhm_formula {
    unsigned s, L;
    uint64_t d;
    int balanced;
    size_t nodes;                     /* gates: (s^L - 1)/(s - 1) */
    uint64_t *gate;                   /* tables, level 1 first; use rhm_formula_gate; owned */
    double *p;                        /* nodes x 2: P[gate = value] for uniform inputs; owned */
    size_t level[RHM_MAX_LEVELS + 2]; /* level[l]: the first gate of level l, l = 1..L */
};

/* The bits that a table of s inputs has. */
static inline uint64_t rhm_gate_mask(unsigned s)
{
    return s == RHM_FORMULA_INPUTS ? UINT64_MAX : (UINT64_C(1) << (1u << s)) - 1;
}

/* The table of a name, or of 2^s digits 0 and 1 ("0111" is "or": the values on 00, 01, 10, 11); 0 where there
 * is none. and or xor nand nor xnor; first: the first input. */
int rhm_gate_parse(const char *name, unsigned s, uint64_t *table);
/* The names, NULL at the end. */
extern const char *const rhm_gate_names[];
/* Writes the name of a table, or its digits; text has room for 2^s + 1 and at least 8 bytes. */
char *rhm_gate_write(uint64_t table, unsigned s, char *text);

/* A gate drawn at random: a function of the seed and the node. */
uint64_t rhm_gate_random(enum rhm_gate_kind kind, unsigned s, uint64_t seed, uint64_t node);

/* 1 where the table depends on input j (0 = first). */
int rhm_gate_depends(uint64_t table, unsigned s, unsigned j);

/* The coefficients of the +-1 polynomial: coefficient[S], S a set of inputs as bits (bit j: input j), is that
 * of the product of those inputs. 2^s numbers. */
void rhm_gate_polynomial(uint64_t table, unsigned s, double *coefficient);

/* Ranges: 2 <= s <= 6, L >= 1; the gates' memory. */
enum rhm_status rhm_formula_check(int64_t s, int64_t L, struct rhm_error *err);

/* gate: (s^L - 1)/(s - 1) tables, level 1 first, copied. Balanced: RHM_EARG where the label is constant. */
enum rhm_status rhm_formula_init(struct rhm_formula *f, unsigned s, unsigned L, const uint64_t *gate,
                                 int balanced, struct rhm_error *err);
void rhm_formula_clear(struct rhm_formula *f);

/* The gate of node i of level l - 1 (a level-l patch stands below it), 0 <= i < s^(l-1). */
static inline uint64_t rhm_formula_gate(const struct rhm_formula *f, unsigned l, uint64_t i)
{
    return f->gate[f->level[l] + i];
}

/* 1 where all gates of level l are equal, so that its patches are of one kind at all places. */
int rhm_formula_shared(const struct rhm_formula *f, unsigned l);

/* P[label = value]. */
double rhm_formula_label(const struct rhm_formula *f, unsigned value);

/* joint[v][c] = P[node i of level l is v, label = c], 0 <= l <= L: l = L are the inputs. */
void rhm_formula_joint(const struct rhm_formula *f, unsigned l, uint64_t i, double joint[2][2]);

/* The correlation coefficient of node i of level l with the label; nan where one of them is constant. */
double rhm_formula_correlation(const struct rhm_formula *f, unsigned l, uint64_t i);

/* As rhm_signal_q: q (2 x 2), row v is P[label | the i-th level-l patch makes v]; nan where it never does.
 * probability (2, may be NULL). gap: |q_0 - q_1|, INFINITY where one of them never occurs. */
enum rhm_status rhm_formula_q(const struct rhm_formula *f, unsigned l, uint64_t i, struct rhm_matrix *q,
                              double *probability, struct rhm_error *err);
double rhm_formula_gap(const struct rhm_formula *f, unsigned l, uint64_t i);

/* The value of a string (d tokens). */
unsigned rhm_formula_value(const struct rhm_formula *f, const uint16_t *tokens);

/* Strings first .. first + n - 1 of the seed: tokens n x d, labels n. String i depends on (seed, i) alone. */
void rhm_formula_strings(const struct rhm_formula *f, uint64_t seed, uint64_t first, size_t n,
                         uint16_t *tokens, uint16_t *labels);

/* A data set of n strings, sizes checked; poll is asked between blocks. */
enum rhm_status rhm_formula_dataset(const struct rhm_formula *f, uint64_t seed, size_t n,
                                    struct rhm_dataset *data, rhm_poll_function *poll, void *context,
                                    struct rhm_error *err);

#endif
