/* panel_state.h - what the files panel*.c share: the panel's state. For them alone. */
#ifndef RHM_PANEL_STATE_H
#define RHM_PANEL_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include <lua.h>

#include "terminal/command.h"
#include "terminal/console.h"
#include "terminal/layout.h"

enum { RHM_DIRTY_VIEW = 1, RHM_DIRTY_CONSOLE = 2, RHM_DIRTY_HELP = 4, RHM_DIRTY_ALL = 7 };

/* A line that waits to be run. */
struct rhm_panel_line {
    struct rhm_panel_line *next;
    bool typed; /* else a key stands for it: no history */
    char text[];
};

/* What stands in the prompt's place. */
enum rhm_question {
    RHM_QUESTION_NONE,
    RHM_QUESTION_SEARCH, /* of the output */
    RHM_QUESTION_SAVE,   /* the output, to a file */
    RHM_QUESTION_VIEW,   /* of a view: its function gets the answer */
    RHM_QUESTION_INPUT   /* io.read in user code */
};

struct rhm_panel {
    lua_State *L, *ui; /* the user's, and the thread of views, keys and hooks */
    /* One turn of the loop: waits (not at all where `wait` is false) for keys, signals, output or the next
     * frame, and deals with them. */
    void (*turn)(bool wait);
    int signals; /* the guard's pipe */
    int leave;   /* the signal that ends the session, or -1; 0: go on */
    struct rhm_command command;
    struct rhm_console console;
    struct rhm_layout layout;
    enum rhm_panel_size size;
    bool busy;    /* a command is in work */
    bool turning; /* the loop is in a turn */
    bool focused; /* plain keys go to the view */
    bool utf8;
    int dirty;
    bool urgent;                    /* the user waits to see it */
    double next_view, next_console; /* not drawn again before, on rhm_clock */
    uint64_t jobs_seen, jobs_told;  /* versions: drawn from, and told about */
    struct rhm_panel_line *queue;
    enum rhm_question question;
    char *kept;  /* the line under the question */
    int answer;  /* registry reference of the function that gets it */
    char *input; /* the line io.read got */
    bool input_ended;
};
extern struct rhm_panel rhm_panel;

/* --- panel_state.c */

/* Has parts drawn in the next frame, which comes at once where the user waits to see it. */
void rhm_panel_mark(int dirty);
void rhm_panel_mark_urgent(int dirty);
void rhm_panel_focus(bool on);

/* Runs a C function on the panel's own Lua thread; its error is shown. Ctrl-C ends it without a word. */
bool rhm_panel_protect(lua_CFunction function, void *argument);

/* Pushes a function of lua/rhm/panel.lua. Raises Lua errors. */
void rhm_panel_push(lua_State *L, const char *name);

/* --- panel_frame.c */

#define RHM_PANEL_FRAME 0.1 /* seconds: at most ten frames in one */

/* Where things stand on the screen, after its size or the view's has changed. */
void rhm_panel_relayout(void);

/* Paints what is due; the seconds until something is, or -1. */
double rhm_panel_paint(void);

/* --- panel_line.c */

/* Queues a line to be run after those that wait; how many wait; takes the next; drops all. */
void rhm_panel_push_line(const char *text, bool typed);
int rhm_panel_lines(void);
struct rhm_panel_line *rhm_panel_pop_line(void);
void rhm_panel_drop_lines(void);

/* Begins with an empty line under the prompt in effect; or sets that prompt over the line as it stands. */
void rhm_panel_install_prompt(void);
void rhm_panel_change_prompt(void);

/* A question in the prompt's place; the line there comes back afterwards. False where one stands there
 * already. */
bool rhm_panel_ask(enum rhm_question question, const char *text, int answer);
void rhm_panel_end_question(void);

/* True where Readline's handler got a line since: it was dealt with. */
bool rhm_panel_take_line(void);

/* Replaces the reading of standard input by lines of the prompt. Raises Lua errors. */
void rhm_panel_open_input(lua_State *L);

/* --- panel_view.c: protected calls of lua/rhm/panel.lua; an error is shown */

bool rhm_panel_open_views(void);
void rhm_panel_show(const char *view);
void rhm_panel_key(const char *key);
void rhm_panel_draw_view(void);
void rhm_panel_turn_jobs(void);

#endif
