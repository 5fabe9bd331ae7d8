/* threads.c - see threads.h. */
#include "engine/base/threads.h"

#include <config.h>

#ifdef _OPENMP
#include <omp.h>
#endif

static int wanted; /* 0: not set */

enum rhm_status rhm_threads_set(int n, struct rhm_error *err)
{
    if (n < 1 || n > 1024)
        return rhm_fail(err, RHM_EARG, "threads = %d: must be 1..1024", n);
    wanted = n;
#ifdef _OPENMP
    omp_set_num_threads(n);
#endif
    return RHM_OK;
}

int rhm_threads_get(void)
{
#ifdef _OPENMP
    return wanted > 0 ? wanted : omp_get_max_threads();
#else
    return 1;
#endif
}

void rhm_threads_adopt(void)
{
#ifdef _OPENMP
    if (wanted > 0)
        omp_set_num_threads(wanted);
#endif
}

int rhm_threads_number(void)
{
#ifdef _OPENMP
    return omp_get_thread_num();
#else
    return 0;
#endif
}
