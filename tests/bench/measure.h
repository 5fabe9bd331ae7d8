/* measure.h - what `make bench` times; each measurement runs in a process of its own. */
#ifndef RHM_BENCH_MEASURE_H
#define RHM_BENCH_MEASURE_H

#include <stddef.h>

#include "engine/base/error.h"

struct measurement {
    double value; /* in the row's unit */
    double bare;  /* the same of the bare BLAS call, where that is the yardstick */
};

struct measure {
    const char *name, *what, *unit;
    int least;            /* 1: the limit is the least allowed, 0: the most */
    double limit;         /* in the unit, or a share of `bare` */
    const char *relative; /* what bare is, where limit is a share of it; else NULL */
    enum rhm_status (*run)(struct measurement *out, struct rhm_error *err); /* NULL: runs rhm quickstart */
    int (*there)(void); /* 0: there is nothing to compare with, the row is left out; NULL: always */
};

extern const struct measure measures[];
extern const size_t measure_count;

/* measure_cnn.c */
enum rhm_status measure_cnn_narrow(struct measurement *out, struct rhm_error *err);
enum rhm_status measure_cnn_wide(struct measurement *out, struct rhm_error *err);
enum rhm_status measure_cnn_torch(struct measurement *out, struct rhm_error *err);
int measure_torch_there(void);

/* The middle one of n values, which it sorts. */
double median(double *value, size_t n);

#endif
