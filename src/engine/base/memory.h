/* memory.h - sizes checked for overflow and against a budget before anything is allocated. */
#ifndef RHM_MEMORY_H
#define RHM_MEMORY_H

#include <stddef.h>

#include "engine/base/error.h"

/* The budget in bytes for any one piece of work (a data set, a table of features, a codebook). It starts at
 * 4 GiB or half of the machine's memory, whichever is less. */
size_t rhm_memory_budget(void);
void rhm_memory_set_budget(size_t bytes);

/* RHM_EMEMORY if `bytes` (a double, so that no product overflows) is over the budget. `what` names the thing
 * ("the exact codebook of layer 2"), `help` says what would make it fit ("use codebook = 'centroid'", may be
 * NULL): "<what> needs about 29.0 GiB, the budget is 4.0 GiB: <help> or raise rhm.memory". */
enum rhm_status rhm_memory_check(double bytes, const char *what, const char *help, struct rhm_error *err);

/* A zeroed array of count * size bytes, or NULL with `err` filled (over the budget, or out of memory).
 * count = 0 gives a valid pointer. Freed with free(). */
void *rhm_array(size_t count, size_t size, const char *what, struct rhm_error *err);

/* realloc with the same checks; on failure NULL, and `old` is still valid and still the caller's. New bytes
 * are not zeroed. */
void *rhm_array_grow(void *old, size_t count, size_t size, const char *what, struct rhm_error *err);

/* "29.0 GiB", "512 KiB": writes into `text` and returns it. */
char *rhm_format_bytes(double bytes, char *text, size_t size);

#endif
