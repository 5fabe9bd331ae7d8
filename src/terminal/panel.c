/* panel.c - the loop of the panel: keyboard, signals, output and jobs in; frames out (panel_frame.c).
 *
 * One thread owns ncurses, Readline and Lua. It turns here at the prompt; while a command runs, the waits of
 * the script layer (script/idle.h) and ticks of the interpreter (script/interrupt.h) turn it, so that keys,
 * the views and what is printed stay live. What is typed meanwhile is edited as usual and runs after the
 * command.
 *
 * Views, keys and hooks run on a Lua thread of their own, in protected calls.
 */
#include "terminal/panel.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <readline/readline.h>

#include <lauxlib.h>

#include "engine/base/monitor.h"
#include "script/idle.h"
#include "script/interrupt.h"
#include "script/jobs.h"
#include "script/screen.h"
#include "terminal/capture.h"
#include "terminal/completion.h"
#include "terminal/console.h"
#include "terminal/display.h"
#include "terminal/guard.h"
#include "terminal/keys.h"
#include "terminal/layout.h"
#include "terminal/panel_state.h"

#define ALONE 0.5 /* seconds: ESC without a sequence, as Readline's keyseq-timeout */

enum { MOST_LINES = 20000, MOST_BYTES = 64 << 20, MOST_KEYS = 4096 };

/* Readline's redisplay: something in the line changed. */
static void line_changed(void)
{
    rhm_panel_mark_urgent(RHM_DIRTY_CONSOLE);
}

/* --- keys: called by Readline ----------------------------------------------------------------------------
 */

static void show_view(const char *name)
{
    if (rhm_panel.size == RHM_PANEL_HIDDEN) {
        rhm_panel.size = RHM_PANEL_NORMAL;
        rhm_panel_relayout();
    }
    rhm_panel_show(name);
    rhm_panel_mark_urgent(RHM_DIRTY_ALL);
}

static void on_key(const char *key)
{
    rhm_panel_key(key);
    rhm_panel_mark_urgent(RHM_DIRTY_VIEW | RHM_DIRTY_HELP);
}

static void on_action(enum rhm_action action)
{
    static const char *const views[] = {"layers",   "distances", "curves", "histogram",
                                        "synonyms", "grammar",   "jobs",   "refine"};
    switch (action) {
    case RHM_ACTION_HELP:
        show_view("keys");
        break;
    case RHM_ACTION_PAUSE:
        on_key("p");
        break;
    case RHM_ACTION_FOCUS:
        if (rhm_panel.layout.view_rows > 0 && rhm_panel.question == RHM_QUESTION_NONE)
            rhm_panel_focus(!rhm_panel.focused);
        break;
    case RHM_ACTION_SIZE:
        rhm_panel.size = (rhm_panel.size + 1) % RHM_PANEL_SIZES;
        if (rhm_panel.size == RHM_PANEL_HIDDEN)
            rhm_panel_focus(false);
        rhm_panel_relayout();
        break;
    case RHM_ACTION_PAGE_UP:
    case RHM_ACTION_PAGE_DOWN:
        rhm_console_scroll(&rhm_panel.console, &rhm_panel.layout, action == RHM_ACTION_PAGE_UP ? -1 : 1);
        rhm_panel_mark_urgent(RHM_DIRTY_CONSOLE | RHM_DIRTY_HELP);
        break;
    case RHM_ACTION_SEARCH:
        rhm_panel_ask(RHM_QUESTION_SEARCH, "search the output: ", LUA_NOREF);
        break;
    case RHM_ACTION_SAVE:
        rhm_panel_ask(RHM_QUESTION_SAVE, "save the output to the file: ", LUA_NOREF);
        break;
    case RHM_ACTION_REPAINT:
        rhm_display_repaint();
        rhm_panel_mark_urgent(RHM_DIRTY_ALL);
        break;
    default:
        show_view(views[action - RHM_ACTION_VIEW_1]);
    }
}

/* --- signals ---------------------------------------------------------------------------------------------
 */

/* SIGINT at the prompt. */
static void clear_line(void)
{
    rhm_interrupt_clear();
    rl_callback_sigcleanup();
    rl_free_line_state();
    if (rhm_panel.question != RHM_QUESTION_NONE) {
        rhm_panel_end_question();
        return;
    }
    rl_replace_line("", 1);
    rhm_command_drop(&rhm_panel.command);
    rhm_console_follow(&rhm_panel.console);
    rhm_panel_focus(false);
    rhm_panel_change_prompt();
}

static void take_signals(void)
{
    char bytes[64];
    ssize_t n = read(rhm_panel.signals, bytes, sizeof bytes);
    for (ssize_t i = 0; i < n; i++) {
        switch (bytes[i]) {
        case 'i':
            rhm_panel_drop_lines();
            if (!rhm_panel.busy) /* also where a view or a hook was cut short by it */
                clear_line();
            break;
        case 'w':
            rhm_display_resize();
            rl_resize_terminal();
            rhm_display_repaint(); /* also at the size of before: the terminal may have been smaller meanwhile
                                    */
            rhm_panel_relayout();
            break;
        case 'z':
            rhm_guard_stop();
            break;
        case 'c':
            rhm_display_resize();
            rhm_display_repaint();
            rhm_panel_relayout();
            break;
        default:
            rhm_panel.leave = bytes[i] == 'h' ? SIGHUP : SIGTERM;
            return;
        }
    }
}

/* --- the loop --------------------------------------------------------------------------------------------
 */

static double last_key;

static void read_keys(void)
{
    last_key = rhm_clock();
    for (int i = 0; i < MOST_KEYS && !rhm_panel.leave; i++) {
        rl_callback_read_char();
        rhm_panel_take_line();
        struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
        if (rhm_panel.queue && !rhm_panel.busy)
            return; /* first run it */
        if (poll(&fd, 1, 0) != 1 || !(fd.revents & POLLIN))
            return;
    }
}

/* What jobs have done is told at most ten times a second, and at the end always. */
static void watch_jobs(void)
{
    static double last;
    uint64_t version = rhm_jobs_version();
    if (version != rhm_panel.jobs_seen) {
        rhm_panel_mark(RHM_DIRTY_VIEW);
        double soon = rhm_clock() + RHM_PANEL_FRAME;
        if (rhm_panel.next_view > soon && rhm_jobs_active() == 0)
            rhm_panel.next_view = soon; /* there is nothing more that a frame could slow down */
    }
    rhm_panel.jobs_seen = version;
    if (version == rhm_panel.jobs_told || rhm_clock() - last <= RHM_PANEL_FRAME)
        return;
    rhm_panel.jobs_told = version;
    last = rhm_clock();
    rhm_panel_turn_jobs();
}

static void turn(bool wait)
{
    if (rhm_panel.turning)
        return;
    rhm_panel.turning = true;
    bool before = rhm_guard_prompt(true);
    double due = rhm_panel_paint();
    int timeout = wait ? -1 : 0;
    if (wait && (rhm_jobs_active() > 0 || rhm_panel.jobs_told != rhm_jobs_version()))
        timeout = (int)(1000 * RHM_PANEL_FRAME);
    if (wait && due >= 0 && (timeout < 0 || due * 1000 < timeout))
        timeout = (int)(due * 1000) + 1;
    bool escape = rhm_keys_escape_pending();
    if (wait && escape && (timeout < 0 || timeout > 1000 * ALONE))
        timeout = (int)(1000 * ALONE) + 1;
    struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                           {.fd = rhm_panel.signals, .events = POLLIN},
                           {.fd = rhm_capture_descriptor(), .events = POLLIN}};
    int n = poll(fds, 3, timeout);
    if (n < 0 && errno != EINTR)
        rhm_panel.leave = -1;
    if (n > 0 && fds[1].revents)
        take_signals();
    if (n > 0 && !rhm_panel.leave && fds[0].revents & POLLIN)
        read_keys();
    else if (n > 0 && fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
        rhm_panel.leave = SIGHUP; /* the terminal is gone */
    else if (escape && rhm_clock() - last_key > ALONE)
        rhm_keys_escape_alone();
    if (n > 0 && fds[2].revents) {
        rhm_capture_drain();
        rhm_panel_mark(RHM_DIRTY_CONSOLE);
    }
    watch_jobs();
    rhm_panel_paint();
    rhm_guard_prompt(before);
    rhm_panel.turning = false;
}

/* While a command runs. */
static void idle(void)
{
    if (!rhm_panel.busy)
        return;
    turn(false);
    if (rhm_panel.leave > 0) { /* SIGTERM, SIGHUP: at once */
        int signal_number = rhm_panel.leave;
        rhm_panel_close();
        rhm_guard_restore();
        rhm_guard_default(signal_number);
    }
}

/* The prompt and the line as they stood, into the output. */
static void echo(const struct rhm_panel_line *line)
{
    bool colours = rhm_display_colours() > 0;
    const char *prompt = rhm_command_prompt(&rhm_panel.command);
    for (const char *text = line->text;; text++) {
        size_t n = strcspn(text, "\n");
        printf("%s%s%s%.*s\n", colours ? "\033[1m" : "", prompt, colours ? "\033[0m" : "", (int)n, text);
        text += n;
        if (!*text)
            break;
        prompt = "...> ";
    }
}

void rhm_panel_busy(bool busy)
{
    if (!busy)
        take_signals(); /* a Ctrl-C that ended the command is not for the line typed meanwhile */
    rhm_panel.busy = busy;
    if (!busy)
        rhm_interrupt_ticks(false);
    rhm_capture_drain();
    if (!busy) { /* colours left on and a line without its end are not for what comes next */
        rhm_capture_lock();
        rhm_scrollback_settle(rhm_panel.console.scrollback);
        rhm_capture_unlock();
    }
    rhm_panel_mark_urgent(RHM_DIRTY_ALL);
    if (busy)
        rhm_interrupt_ticks(true);
}

static void run(struct rhm_panel_line *line)
{
    if (line->typed)
        echo(line);
    rhm_console_follow(&rhm_panel.console);
    rhm_panel_busy(true);
    rhm_panel_change_prompt();
    enum rhm_input result = line->typed ? rhm_command_enter(&rhm_panel.command, line->text)
                                        : rhm_evaluate(rhm_panel.L, line->text);
    free(line);
    rhm_panel_busy(false);
    if (result == RHM_INPUT_LEAVE)
        rhm_panel.leave = -1;
    if (result == RHM_INPUT_INTERRUPTED)
        rhm_panel_drop_lines();
    rhm_panel_change_prompt();
}

int rhm_panel_run(void)
{
    rhm_panel_install_prompt();
    rhm_panel_mark(RHM_DIRTY_ALL);
    while (!rhm_panel.leave) {
        struct rhm_panel_line *line = rhm_panel_pop_line();
        if (line)
            run(line);
        else
            turn(true);
    }
    rl_callback_handler_remove();
    return rhm_panel.leave > 0 ? rhm_panel.leave : 0;
}

/* --- open and close --------------------------------------------------------------------------------------
 */

static void set_readline(void)
{
    rl_prep_term_function = NULL;
    rl_deprep_term_function = NULL;
    rl_redisplay_function = line_changed;
    FILE *nowhere = fopen("/dev/null", "w");
    if (nowhere)
        rl_outstream = nowhere;
    rl_variable_bind("bell-style", "none");
    rl_completion_query_items = -1; /* the list goes to the output, which scrolls */
    rhm_completion_list_in_output();
    rhm_keys_bind(&(struct rhm_keys){.action = on_action, .key = on_key});
}

static int make_thread(lua_State *L)
{
    rhm_panel_push(L, "frame"); /* its Lua half must be there */
    rhm_panel.ui = lua_newthread(L);
    luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

bool rhm_panel_open(lua_State *L, int signals)
{
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return false;
    lua_pushcfunction(L, make_thread);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK) {
        const char *message = lua_tostring(L, -1);
        fprintf(stderr, "rhm: no panel: %.*s\n", message ? (int)strcspn(message, "\n") : 1,
                message ? message : "?");
        lua_pop(L, 1);
        return false;
    }
    rhm_panel.L = L;
    rhm_panel.signals = signals;
    rhm_panel.turn = turn;
    rhm_panel.answer = LUA_NOREF;
    rhm_panel.command.L = L;
    rhm_panel.utf8 = rhm_screen_get().utf8;
    rhm_panel.console.scrollback = rhm_scrollback_create(MOST_LINES, MOST_BYTES);
    if (!rhm_panel.console.scrollback || !rhm_display_open())
        return false;
    if (!rhm_capture_open(rhm_panel.console.scrollback)) {
        rhm_display_close();
        return false;
    }
    rhm_display_guard(rhm_capture_output(), rhm_capture_error());
    rhm_panel_relayout();
    set_readline();
    rhm_completion_open(rhm_panel.ui);
    rhm_idle_set(idle);
    rhm_panel_open_views();
    return true;
}

void rhm_panel_close(void)
{
    rhm_idle_set(NULL);
    rhm_screen_set(NULL);
    rhm_panel_drop_lines();
    rhm_command_drop(&rhm_panel.command);
    rhm_display_close();
    rhm_capture_close();
    rhm_scrollback_free(rhm_panel.console.scrollback);
    rhm_panel.console.scrollback = NULL;
}
