/* error.h - how the engine says that something cannot be done.
 *
 * Every engine function that can fail returns an rhm_status and takes, last, a pointer to a struct rhm_error
 * that the caller owns (NULL where the text is not wanted). The text is one line without a final full stop or
 * newline; it names the value, the limit and what would help. The engine never prints, exits or aborts.
 */
#ifndef RHM_ERROR_H
#define RHM_ERROR_H

enum rhm_status {
    RHM_OK = 0,
    RHM_EARG,    /* an argument out of its range, or arguments that contradict each other */
    RHM_EMEMORY, /* over the memory budget, or the system has no more */
    RHM_EFILE,   /* a file that cannot be read or written, or whose contents are not what they should be */
    RHM_ESTATE,  /* an object is not in the state the call needs (a step before begin) */
    RHM_ESTOP,   /* the work was stopped by its job's owner */
    RHM_ENUMERIC /* a factorisation failed, a value is not finite */
};

#define RHM_ERROR_TEXT 512

struct rhm_error {
    enum rhm_status status;
    char text[RHM_ERROR_TEXT];
};

/* Fills `err` (may be NULL) from a printf format and returns `status`, so that a caller can write
 * `return rhm_fail(err, RHM_EARG, "L = %lld: must be 1 or more", L);`. */
enum rhm_status rhm_fail(struct rhm_error *err, enum rhm_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
