/* idle.c - see idle.h. */
#include "script/idle.h"

#include <stddef.h>

static rhm_idle_function *idle;

void rhm_idle_set(rhm_idle_function *function)
{
    idle = function;
}

void rhm_idle_turn(void)
{
    if (idle)
        idle();
}
