/* turn.h - of the jobs that queue one works at a time: whose turn it is, and the line of those that wait. */
#ifndef RHM_TURN_H
#define RHM_TURN_H

#include <stdatomic.h>

/* A place in the line; the owner's memory, all zeros at first. Has the turn, waits in line, or neither. */
struct rhm_turn {
    struct rhm_turn *next;
    int waits, ahead;
};

/* Joins the line at its end, or (ahead) before all that are not ahead themselves. The turn is its own at once
 * where nobody has it. */
void rhm_turn_join(struct rhm_turn *turn, int ahead);

int rhm_turn_held(const struct rhm_turn *turn);

/* Sleeps until the turn is its own, or *request is no longer `value` (whoever changes it calls rhm_turn_wake
 * afterwards). */
void rhm_turn_wait(const struct rhm_turn *turn, const atomic_int *request, int value);
void rhm_turn_wake(void);

/* Gives up the turn, which the first in line then has, or the place in the line; nothing where it has
 * neither. */
void rhm_turn_give(struct rhm_turn *turn);

#endif
