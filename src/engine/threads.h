/* threads.h - how many threads the engine's loops and BLAS use. */
#ifndef RHM_THREADS_H
#define RHM_THREADS_H

#include "error.h"

/* n = 1..1024; sets OpenMP's threads and OpenBLAS's where it is the BLAS. Results do not depend on n. */
enum rhm_status rhm_threads_set(int n, struct rhm_error *err);

/* The number in force: that last set, else OpenMP's own (OMP_NUM_THREADS or the processors). */
int rhm_threads_get(void);

/* OpenMP keeps its number for each thread that starts loops: a new worker thread calls this first. */
void rhm_threads_adopt(void);

#endif
