/* turn.c - see turn.h. */
#include "engine/base/turn.h"

#include <pthread.h>
#include <stddef.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct rhm_turn *holder, *line;

/* Under the lock: the turn goes to the first in line. */
static void hand_over(void)
{
    holder = line;
    if (line) {
        line = line->next;
        holder->waits = 0;
    }
    pthread_cond_broadcast(&changed);
}

void rhm_turn_join(struct rhm_turn *turn, int ahead)
{
    pthread_mutex_lock(&lock);
    if (holder != turn && !turn->waits) {
        struct rhm_turn **place = &line;
        while (*place && (!ahead || (*place)->ahead))
            place = &(*place)->next;
        *turn = (struct rhm_turn){.next = *place, .waits = 1, .ahead = ahead};
        *place = turn;
        if (holder == NULL)
            hand_over();
    }
    pthread_mutex_unlock(&lock);
}

int rhm_turn_held(const struct rhm_turn *turn)
{
    pthread_mutex_lock(&lock);
    int held = holder == turn;
    pthread_mutex_unlock(&lock);
    return held;
}

void rhm_turn_wait(const struct rhm_turn *turn, const atomic_int *request, int value)
{
    pthread_mutex_lock(&lock);
    while (holder != turn && atomic_load(request) == value)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

void rhm_turn_wake(void)
{
    pthread_mutex_lock(&lock);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

void rhm_turn_give(struct rhm_turn *turn)
{
    pthread_mutex_lock(&lock);
    if (holder == turn) {
        hand_over();
    } else if (turn->waits) {
        struct rhm_turn **place = &line;
        while (*place != turn)
            place = &(*place)->next;
        *place = turn->next;
        turn->waits = 0;
    }
    pthread_mutex_unlock(&lock);
}
