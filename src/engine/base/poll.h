/* poll.h - how long work asks its owner whether to go on. */
#ifndef RHM_POLL_H
#define RHM_POLL_H

#include "engine/base/error.h"

/* Called between blocks of long loops; anything but RHM_OK ends the call with that status. NULL: never asked.
 */
typedef enum rhm_status rhm_poll_function(void *context, struct rhm_error *err);

static inline enum rhm_status rhm_poll(rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    return poll ? poll(context, err) : RHM_OK;
}

#endif
