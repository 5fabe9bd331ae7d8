/* threads.h - how many threads the engine's loops use; BLAS has one for each of them (linalg.h). */
#ifndef RHM_THREADS_H
#define RHM_THREADS_H

#include "engine/base/error.h"

/* n = 1..1024, OpenMP's threads. Results do not depend on n, to the last bit. */
enum rhm_status rhm_threads_set(int n, struct rhm_error *err);

/* The number in force: that last set, else OpenMP's own (OMP_NUM_THREADS or the processors). */
int rhm_threads_get(void);

/* OpenMP keeps its number for each thread that starts loops: a new worker thread calls this first. */
void rhm_threads_adopt(void);

/* Which of a loop's threads this is, from 0; 0 where the engine is built without OpenMP. */
int rhm_threads_number(void);

#endif
