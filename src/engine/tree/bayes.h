/* bayes.h - the best that can be said of strings: exact posteriors under the grammar they come from.
 *
 * Given the tokens, some of them missing or replaced by noise, the posterior of the label and of every symbol
 * above is exact by inside-outside on the tree (tree.h). Who names the likeliest label is right as often as
 * anybody can be, and a learner's distance from that is a number.
 */
#ifndef RHM_BAYES_H
#define RHM_BAYES_H

#include "engine/base/poll.h"
#include "engine/data/dataset.h"
#include "engine/grammar/grammar.h"

struct rhm_bayes_options {
    unsigned level;                  /* 0: the label; l = 1..L: the symbols of level l */
    double label_noise, token_noise; /* as the strings have them */
};
/* Level 0 and the grammar's own noise. */
struct rhm_bayes_options rhm_bayes_defaults(const struct rhm_grammar *g);

/* out (n x places x symbols; the label has one place): P(symbol | tokens) for n strings (n x d tokens,
 * RHM_MISSING: not seen). The label is the observed one: with label noise e, (1 - e) P + e/classes. A string
 * that the grammar cannot give has nan there and is counted in *outside. */
enum rhm_status rhm_bayes_posterior(const struct rhm_grammar *g, const struct rhm_bayes_options *options,
                                    size_t n, const uint16_t *tokens, double *out, size_t *outside,
                                    rhm_poll_function *poll, void *context, struct rhm_error *err);

struct rhm_bayes {
    double accuracy;   /* mean over strings (and places) of the largest posterior: expected share of right
                          answers */
    double error;      /* its standard error from the strings' spread; 0 where it is exact */
    double counted;    /* level 0: share of the labels there are that the likeliest label names; nan: none */
    size_t n, outside; /* strings, those that the grammar cannot give (in none of the numbers above) */
    size_t labelled;   /* strings inside with a label */
    size_t ties;       /* strings where two labels are likeliest (the lower one is named) */
    int exact;
};

/* On strings that are there. */
enum rhm_status rhm_bayes_on_data(const struct rhm_grammar *g, const struct rhm_bayes_options *options,
                                  const struct rhm_dataset *data, struct rhm_bayes *bayes,
                                  rhm_poll_function *poll, void *context, struct rhm_error *err);

/* On strings first .. first + n - 1 of the seed, drawn block by block; the grammar's own noise. */
enum rhm_status rhm_bayes_drawn(const struct rhm_grammar *g, unsigned level, uint64_t seed, uint64_t n,
                                struct rhm_bayes *bayes, rhm_poll_function *poll, void *context,
                                struct rhm_error *err);

/* Strings that rhm_bayes_exact would go through: V^d; 0 where it needs none of them (the label without token
 * noise: a string has one derivation), INFINITY where they are not to be counted. */
double rhm_bayes_strings(const struct rhm_grammar *g, unsigned level);

/* The mean over all strings, each with its probability. */
enum rhm_status rhm_bayes_exact(const struct rhm_grammar *g, unsigned level, struct rhm_bayes *bayes,
                                rhm_poll_function *poll, void *context, struct rhm_error *err);

#endif
