/* keys.h - the panel's keys, bound in Readline's keymaps, so that one reader reads the terminal. */
#ifndef RHM_KEYS_H
#define RHM_KEYS_H

#include <stdbool.h>

enum rhm_action {
    RHM_ACTION_HELP,
    RHM_ACTION_VIEW_1, /* layers */
    RHM_ACTION_VIEW_2,
    RHM_ACTION_VIEW_3,
    RHM_ACTION_VIEW_4,
    RHM_ACTION_VIEW_5,
    RHM_ACTION_VIEW_6,
    RHM_ACTION_VIEW_7,
    RHM_ACTION_VIEW_8, /* refine */
    RHM_ACTION_PAUSE,
    RHM_ACTION_FOCUS,
    RHM_ACTION_SIZE,
    RHM_ACTION_PAGE_UP,
    RHM_ACTION_PAGE_DOWN,
    RHM_ACTION_SEARCH,
    RHM_ACTION_SAVE,
    RHM_ACTION_REPAINT
};

/* Called by Readline, within its frames: neither may raise a Lua error. `key` is a character or one of "up",
 * "down", "left", "right", "pageup", "pagedown", "home", "end", "enter", "tab". */
struct rhm_keys {
    void (*action)(enum rhm_action action);
    void (*key)(const char *key); /* while the panel has the focus */
};

/* After rl_initialize. */
void rhm_keys_bind(const struct rhm_keys *keys);

/* on: plain keys go to the panel; off: to the line. */
void rhm_keys_focus(bool on);

/* While plain keys go to the panel: ESC came, and nothing after it. As callbacks Readline waits for more for
 * ever. The second one leaves the panel. */
bool rhm_keys_escape_pending(void);
void rhm_keys_escape_alone(void);

#endif
