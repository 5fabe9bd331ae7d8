/* measure.h - what `make bench` times; each measurement runs in a process of its own. */
#ifndef RHM_BENCH_MEASURE_H
#define RHM_BENCH_MEASURE_H

#include <stddef.h>

#include "engine/error.h"

struct measurement {
    double value; /* in the row's unit */
    double bare;  /* the same of the bare BLAS call, where that is the yardstick */
};

struct measure {
    const char *name, *what, *unit;
    int least;    /* 1: the limit is the least allowed, 0: the most */
    double limit; /* in the unit, or a share of `bare` */
    int relative; /* 1: limit is a share of bare */
    enum rhm_status (*run)(struct measurement *out, struct rhm_error *err); /* NULL: runs rhm quickstart */
};

extern const struct measure measures[];
extern const size_t measure_count;

/* The middle one of n values, which it sorts. */
double median(double *value, size_t n);

#endif
