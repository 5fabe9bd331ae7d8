/* memory.c - see memory.h. */
#include "engine/base/memory.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static _Atomic size_t budget; /* 0: not chosen yet */

static size_t default_budget(void)
{
    const double four_gib = 4.0 * 1024 * 1024 * 1024;
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    double half = pages > 0 && page > 0 ? 0.5 * (double)pages * (double)page : four_gib;
    return (size_t)(half < four_gib ? half : four_gib);
}

size_t rhm_memory_budget(void)
{
    size_t bytes = atomic_load(&budget);
    if (bytes == 0) {
        bytes = default_budget();
        atomic_store(&budget, bytes);
    }
    return bytes;
}

void rhm_memory_set_budget(size_t bytes)
{
    atomic_store(&budget, bytes > 0 ? bytes : default_budget());
}

char *rhm_format_bytes(double bytes, char *text, size_t size)
{
    static const char *const unit[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t u = 0;
    while (bytes >= 1024 && u + 1 < sizeof unit / sizeof unit[0]) {
        bytes /= 1024;
        u++;
    }
    snprintf(text, size, bytes < 100 && u > 0 ? "%.1f %s" : "%.4g %s", bytes, unit[u]);
    return text;
}

enum rhm_status rhm_memory_check(double bytes, const char *what, const char *help, struct rhm_error *err)
{
    double limit = (double)rhm_memory_budget();
    if (bytes <= limit)
        return RHM_OK;
    char need[32], have[32];
    return rhm_fail(err, RHM_EMEMORY, "%s needs about %s, the budget is %s: %s%sraise rhm.memory", what,
                    rhm_format_bytes(bytes, need, sizeof need), rhm_format_bytes(limit, have, sizeof have),
                    help ? help : "", help ? " or " : "");
}

static enum rhm_status check_array(size_t count, size_t size, const char *what, struct rhm_error *err)
{
    return rhm_memory_check((double)count * (double)size, what, NULL, err);
}

static void *or_out_of_memory(void *p, size_t count, size_t size, const char *what, struct rhm_error *err)
{
    char need[32];
    if (p == NULL)
        rhm_fail(err, RHM_EMEMORY, "the system has no memory left for %s (%s)", what,
                 rhm_format_bytes((double)count * (double)size, need, sizeof need));
    return p;
}

void *rhm_array(size_t count, size_t size, const char *what, struct rhm_error *err)
{
    if (check_array(count, size, what, err) != RHM_OK)
        return NULL;
    return or_out_of_memory(calloc(count > 0 ? count : 1, size), count, size, what, err);
}

void *rhm_array_grow(void *old, size_t count, size_t size, const char *what, struct rhm_error *err)
{
    if (check_array(count, size, what, err) != RHM_OK)
        return NULL;
    return or_out_of_memory(realloc(old, (count > 0 ? count : 1) * size), count, size, what, err);
}
