/* panel.c - the loop of the panel: keyboard, signals, output and jobs in; frames out.
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

#include "engine/monitor.h"
#include "script/call.h"
#include "script/idle.h"
#include "script/interrupt.h"
#include "script/jobs.h"
#include "script/screen.h"
#include "terminal/capture.h"
#include "terminal/command.h"
#include "terminal/completion.h"
#include "terminal/console.h"
#include "terminal/display.h"
#include "terminal/guard.h"
#include "terminal/keys.h"
#include "terminal/layout.h"
#include "terminal/picture.h"

#define FRAME 0.1 /* seconds: at most ten frames in one */
#define SHARE 60  /* a frame of the views waits for this many times what the last one took */

enum { MOST_LINES = 20000, MOST_BYTES = 64 << 20, MOST_KEYS = 4096 };

enum { DIRTY_VIEW = 1, DIRTY_CONSOLE = 2, DIRTY_HELP = 4, DIRTY_ALL = 7 };

/* A line that waits to be run. */
struct line {
    struct line *next;
    bool typed; /* else a key stands for it: no history */
    char text[];
};

static struct {
    lua_State *L, *ui;
    int signals; /* the guard's pipe */
    int leave;   /* the signal that ends the session, or -1; 0: go on */
    struct rhm_command command;
    struct rhm_console console;
    struct rhm_layout layout;
    enum rhm_panel_size size;
    bool busy, turning, focused, utf8;
    int dirty;
    bool urgent; /* the user waits to see it */
    double next_view, next_console;
    uint64_t jobs_version;
    struct line *queue;
    /* a question in the prompt's place */
    bool asking;
    char *kept; /* the line under it */
    int answer; /* registry reference of the function that gets the answer, or LUA_NOREF: a search */
} panel;

static char *typed; /* what the line handler got; Readline gives it no argument of ours */
static bool have_line;

static void mark(int dirty)
{
    panel.dirty |= dirty;
}

/* Readline's redisplay: something in the line changed. */
static void line_changed(void)
{
    mark(DIRTY_CONSOLE);
    panel.urgent = true;
}

/* --- Lua: calls of rhm.panel
 * ---------------------------------------------------------------------------------- */

/* Runs a C function on the panel's own Lua thread; its error is shown. Ctrl-C ends it without a word. */
static bool protect(lua_CFunction function, void *argument)
{
    lua_State *L = panel.ui;
    int top = lua_gettop(L);
    lua_pushcfunction(L, function);
    lua_pushlightuserdata(L, argument);
    int status = rhm_call(L, 1, 0);
    if (status != LUA_OK && status != RHM_CALL_INTERRUPTED && !rhm_interrupt_pending()) {
        const char *message = lua_tostring(L, -1);
        fprintf(stderr, "error: %s\n", message ? message : "(an error without a message)");
    }
    lua_settop(L, top);
    return status == LUA_OK;
}

/* Pushes rhm.panel and its function of that name. */
static void push_panel(lua_State *L, const char *name)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "rhm.panel");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

static int lua_open(lua_State *L)
{
    rhm_picture_open(L, rhm_display_colours());
    push_panel(L, "opened");
    lua_pushboolean(L, 1);
    lua_call(L, 1, 0);
    return 0;
}

static int lua_show(lua_State *L)
{
    push_panel(L, "show");
    lua_pushstring(L, lua_touserdata(L, 1));
    lua_call(L, 1, 0);
    return 0;
}

static void draw_one(lua_State *L, const char *function, int row)
{
    push_panel(L, function);
    lua_pushinteger(L, panel.layout.columns);
    lua_call(L, 1, 1);
    rhm_picture_line(L, -1, row, panel.layout.columns);
    lua_pop(L, 1);
}

static int lua_draw(lua_State *L)
{
    const struct rhm_layout *at = &panel.layout;
    if (at->view_rows > 0) {
        push_panel(L, "frame");
        lua_pushinteger(L, at->columns);
        lua_pushinteger(L, at->view_rows);
        lua_call(L, 2, 1);
        bool list = lua_istable(L, -1);
        for (int i = 0; i < at->view_rows; i++) {
            if (list)
                lua_rawgeti(L, -1, i + 1);
            else
                lua_pushnil(L);
            rhm_picture_line(L, -1, at->view + i, at->columns);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
    if (at->title)
        draw_one(L, "title", 0);
    if (at->status_rows)
        draw_one(L, "status", at->status);
    push_panel(L, "message"); /* what went wrong in a view, once */
    lua_call(L, 0, 1);
    if (lua_type(L, -1) == LUA_TSTRING)
        fprintf(stderr, "error: %s\n", lua_tostring(L, -1));
    return 0;
}

static int lua_jobs_turn(lua_State *L)
{
    lua_settop(L, 0);
    rhm_jobs_turn(L);
    return 0;
}

/* --- lines that wait
 * -------------------------------------------------------------------------------------------- */

static void push_line(const char *text, bool by_hand)
{
    size_t n = strlen(text) + 1;
    struct line *line = malloc(sizeof *line + n), **last = &panel.queue;
    if (!line)
        return;
    line->next = NULL;
    line->typed = by_hand;
    memcpy(line->text, text, n);
    while (*last)
        last = &(*last)->next;
    *last = line;
}

static struct line *pop_line(void)
{
    struct line *line = panel.queue;
    if (line)
        panel.queue = line->next;
    return line;
}

static void drop_lines(void)
{
    for (struct line *line; (line = pop_line());)
        free(line);
}

/* --- the prompt
 * -------------------------------------------------------------------------------------------------- */

static void on_line(char *line)
{
    typed = line;
    have_line = true;
    rl_callback_handler_remove();
}

static void install_prompt(void)
{
    rhm_completion_context(panel.busy ? NULL : panel.command.pending);
    rl_callback_handler_install(panel.busy ? "rhm> " : rhm_command_prompt(&panel.command), on_line);
    line_changed();
}

/* The same line goes on under another prompt. */
static void change_prompt(void)
{
    if (panel.asking)
        return;
    rhm_completion_context(panel.busy ? NULL : panel.command.pending);
    rl_set_prompt(panel.busy ? "rhm> " : rhm_command_prompt(&panel.command));
    line_changed();
}

static void set_focus(bool on)
{
    panel.focused = on;
    rhm_keys_focus(on);
    mark(DIRTY_ALL);
    panel.urgent = true;
}

/* --- questions
 * --------------------------------------------------------------------------------------------------- */

static void ask(const char *question, int answer)
{
    if (panel.asking) {
        luaL_unref(panel.ui, LUA_REGISTRYINDEX, answer);
        return;
    }
    set_focus(false);
    panel.asking = true;
    panel.answer = answer;
    panel.kept = strdup(rl_line_buffer ? rl_line_buffer : "");
    rl_replace_line("", 1);
    rl_set_prompt(question);
    line_changed();
}

/* Puts the line back that stood there before. */
static void end_question(void)
{
    panel.asking = false;
    luaL_unref(panel.ui, LUA_REGISTRYINDEX, panel.answer);
    panel.answer = LUA_NOREF;
    change_prompt();
    if (panel.kept) {
        rl_replace_line(panel.kept, 1);
        rl_point = rl_end;
        free(panel.kept);
        panel.kept = NULL;
    }
    mark(DIRTY_ALL);
}

static int lua_answer(lua_State *L)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, panel.answer);
    lua_pushstring(L, lua_touserdata(L, 1));
    lua_call(L, 1, 0);
    return 0;
}

static void search(const char *pattern)
{
    static char *last;
    if (*pattern) {
        free(last);
        last = strdup(pattern);
        panel.console.found = false;
    }
    if (!last || !rhm_console_find(&panel.console, &panel.layout, last))
        rhm_display_beep();
    mark(DIRTY_CONSOLE | DIRTY_HELP);
}

/* --- keys: called by Readline
 * ------------------------------------------------------------------------------------ */

static void relayout(void)
{
    int rows, columns;
    rhm_display_size(&rows, &columns);
    panel.layout = rhm_layout_make(rows, columns, panel.size);
    rhm_screen_set(
        &(struct rhm_screen){.width = columns < 10 ? 10 : columns,
                             .height = panel.layout.console_rows < 2 ? 2 : panel.layout.console_rows,
                             .colours = rhm_display_colours(),
                             .utf8 = panel.utf8});
    mark(DIRTY_ALL);
    panel.urgent = true;
}

static void show_view(const char *name)
{
    if (panel.size == RHM_PANEL_HIDDEN) {
        panel.size = RHM_PANEL_NORMAL;
        relayout();
    }
    protect(lua_show, (void *)name);
    mark(DIRTY_ALL);
    panel.next_view = 0;
    panel.urgent = true;
}

static int lua_key(lua_State *L)
{
    push_panel(L, "key");
    lua_pushstring(L, lua_touserdata(L, 1));
    lua_call(L, 1, 1);
    if (lua_type(L, -1) == LUA_TSTRING) {
        if (panel.busy)
            rhm_display_beep(); /* the command in work comes first */
        else
            push_line(lua_tostring(L, -1), false);
    } else if (lua_istable(L, -1)) {
        lua_getfield(L, -1, "ask");
        lua_getfield(L, -2, "call");
        if (lua_type(L, -2) == LUA_TSTRING && lua_isfunction(L, -1))
            ask(lua_tostring(L, -2), luaL_ref(L, LUA_REGISTRYINDEX));
    } else if (!lua_toboolean(L, -1)) {
        rhm_display_beep();
    }
    return 0;
}

static void on_key(const char *key)
{
    protect(lua_key, (void *)key);
    mark(DIRTY_VIEW | DIRTY_HELP);
    panel.next_view = 0;
    panel.urgent = true;
}

static void on_action(enum rhm_action action)
{
    static const char *const views[] = {"layers",   "distances", "curves", "histogram",
                                        "synonyms", "grammar",   "jobs"};
    switch (action) {
    case RHM_ACTION_HELP:
        show_view("keys");
        break;
    case RHM_ACTION_PAUSE:
        on_key("p");
        break;
    case RHM_ACTION_FOCUS:
        if (panel.layout.view_rows > 0 && !panel.asking)
            set_focus(!panel.focused);
        break;
    case RHM_ACTION_SIZE:
        panel.size = (panel.size + 1) % RHM_PANEL_SIZES;
        if (panel.size == RHM_PANEL_HIDDEN)
            set_focus(false);
        relayout();
        break;
    case RHM_ACTION_PAGE_UP:
    case RHM_ACTION_PAGE_DOWN:
        rhm_console_scroll(&panel.console, &panel.layout, action == RHM_ACTION_PAGE_UP ? -1 : 1);
        mark(DIRTY_CONSOLE | DIRTY_HELP);
        panel.urgent = true;
        break;
    case RHM_ACTION_SEARCH:
        ask("search the output: ", LUA_NOREF);
        break;
    case RHM_ACTION_REPAINT:
        rhm_display_repaint();
        mark(DIRTY_ALL);
        panel.urgent = true;
        break;
    default:
        show_view(views[action - RHM_ACTION_VIEW_1]);
    }
}

/* --- signals
 * ----------------------------------------------------------------------------------------------------- */

/* SIGINT at the prompt. */
static void clear_line(void)
{
    rhm_interrupt_clear();
    rl_callback_sigcleanup();
    rl_free_line_state();
    if (panel.asking) {
        end_question();
        return;
    }
    rl_replace_line("", 1);
    rhm_command_drop(&panel.command);
    rhm_console_follow(&panel.console);
    set_focus(false);
    change_prompt();
}

static void take_signals(void)
{
    char bytes[64];
    ssize_t n = read(panel.signals, bytes, sizeof bytes);
    for (ssize_t i = 0; i < n; i++) {
        switch (bytes[i]) {
        case 'i':
            drop_lines();
            if (!panel.busy && rhm_interrupt_pending())
                clear_line();
            break;
        case 'w':
            if (rhm_display_resize()) {
                rl_resize_terminal();
                relayout();
            }
            break;
        case 'z':
            rhm_guard_stop();
            break;
        case 'c':
            rhm_display_resize();
            rhm_display_repaint();
            relayout();
            break;
        default:
            panel.leave = bytes[i] == 'h' ? SIGHUP : SIGTERM;
            return;
        }
    }
}

/* --- frames
 * ------------------------------------------------------------------------------------------------------ */

static void draw_help(void)
{
    const struct rhm_layout *at = &panel.layout;
    static const struct rhm_cell_style dim = {.fg = -1, .bg = -1, .dim = 1};
    if (!at->help_rows)
        return;
    char text[256];
    size_t below = panel.console.scrolled ? rhm_console_below(&panel.console, at) : 0;
    if (panel.focused)
        snprintf(
            text, sizeof text,
            "panel: arrows, + - zoom, [ ] level, s step, S 10, r run, p pause, n next, / search, q back");
    else if (below > 0)
        snprintf(text, sizeof text,
                 "%zu more rows below   PgDn, PgUp scroll   C-x / search, Enter again   Ctrl-C back", below);
    else
        snprintf(text, sizeof text,
                 "F1 help  F9 pause  F10 panel keys  F12 size  PgUp output  Ctrl-C stop  Ctrl-D leave");
    rhm_display_style(&dim);
    int used = rhm_display_text(at->help, 0, text, strlen(text), at->columns);
    rhm_display_blank(at->help, used);
}

static void paint(void)
{
    double now = rhm_clock();
    int what = panel.dirty;
    if (what & DIRTY_VIEW) {
        protect(lua_draw, NULL);
        double end = rhm_clock();
        panel.next_view = now + (SHARE * (end - now) > FRAME ? SHARE * (end - now) : FRAME);
        rhm_capture_drain(); /* an error may have been written */
    }
    if (what & (DIRTY_CONSOLE | DIRTY_HELP)) {
        rhm_console_draw(&panel.console, &panel.layout, panel.busy && !panel.asking);
        draw_help();
        panel.next_console = now + FRAME;
    }
    panel.dirty = 0;
    panel.urgent = false;
    if (panel.focused || panel.layout.console_rows <= 0)
        rhm_display_hide_cursor();
    else
        rhm_display_cursor(panel.console.cursor_row, panel.console.cursor_column);
    rhm_display_refresh();
}

/* Paints what is due; the seconds until something is, or -1. */
static double paint_due(void)
{
    if (!panel.dirty)
        return -1;
    double now = rhm_clock(), due = now;
    if (!panel.urgent) {
        due = panel.dirty & DIRTY_VIEW ? panel.next_view : panel.next_console;
        if (panel.dirty & (DIRTY_CONSOLE | DIRTY_HELP) && panel.next_console < due)
            due = panel.next_console;
    }
    if (due > now)
        return due - now;
    int later = panel.dirty & DIRTY_VIEW && panel.next_view > now ? DIRTY_VIEW : 0;
    panel.dirty &= ~later;
    if (panel.dirty)
        paint();
    mark(later);
    return later ? panel.next_view - now : -1;
}

/* --- the loop
 * ---------------------------------------------------------------------------------------------------- */

static void take_line(void)
{
    char *line = typed;
    have_line = false;
    typed = NULL;
    if (panel.asking) {
        install_prompt(); /* the handler had to go with the line */
        if (line && panel.answer == LUA_NOREF) {
            search(line);
        } else if (line) {
            protect(lua_answer, line);
            set_focus(true);
        }
        end_question();
    } else if (line) {
        push_line(line, true);
        install_prompt();
    } else if (panel.busy) {
        install_prompt(); /* Ctrl-D waits for the command's end */
        rhm_display_beep();
    } else if (panel.command.pending) { /* Ctrl-D gives an unfinished command up */
        rhm_command_drop(&panel.command);
        install_prompt();
    } else {
        panel.leave = -1;
    }
    free(line);
}

static void read_keys(void)
{
    for (int i = 0; i < MOST_KEYS && !panel.leave; i++) {
        rl_callback_read_char();
        if (have_line)
            take_line();
        struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
        if (panel.queue && !panel.busy)
            return; /* first run it */
        if (poll(&fd, 1, 0) != 1 || !(fd.revents & POLLIN))
            return;
    }
}

static void watch_jobs(void)
{
    uint64_t version = rhm_jobs_version();
    if (version == panel.jobs_version)
        return;
    panel.jobs_version = version;
    protect(lua_jobs_turn, NULL);
    mark(DIRTY_VIEW);
}

/* One turn: waits (not at all where `wait` is false) for keys, signals, output or the next frame, deals with
 * them. */
static void turn(bool wait)
{
    if (panel.turning)
        return;
    panel.turning = true;
    bool before = rhm_guard_prompt(true);
    double due = paint_due();
    int timeout = wait ? -1 : 0;
    if (wait && rhm_jobs_active() > 0)
        timeout = (int)(1000 * FRAME);
    if (wait && due >= 0 && (timeout < 0 || due * 1000 < timeout))
        timeout = (int)(due * 1000) + 1;
    struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                           {.fd = panel.signals, .events = POLLIN},
                           {.fd = rhm_capture_descriptor(), .events = POLLIN}};
    int n = poll(fds, 3, timeout);
    if (n < 0 && errno != EINTR)
        panel.leave = -1;
    if (n > 0 && fds[1].revents)
        take_signals();
    if (n > 0 && !panel.leave && fds[0].revents & POLLIN)
        read_keys();
    else if (n > 0 && fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
        panel.leave = SIGHUP; /* the terminal is gone */
    if (n > 0 && fds[2].revents) {
        rhm_capture_drain();
        mark(DIRTY_CONSOLE);
    }
    watch_jobs();
    paint_due();
    rhm_guard_prompt(before);
    panel.turning = false;
}

/* While a command runs. */
static void idle(void)
{
    if (!panel.busy)
        return;
    turn(false);
    if (panel.leave > 0) { /* SIGTERM, SIGHUP: at once */
        int signal_number = panel.leave;
        rhm_panel_close();
        rhm_guard_restore();
        rhm_guard_default(signal_number);
    }
}

/* The prompt and the line as they stood, into the output. */
static void echo(const struct line *line)
{
    bool colours = rhm_display_colours() > 0;
    const char *prompt = rhm_command_prompt(&panel.command);
    for (const char *text = line->text;; text++) {
        size_t n = strcspn(text, "\n");
        printf("%s%s%s%.*s\n", colours ? "\033[1m" : "", prompt, colours ? "\033[0m" : "", (int)n, text);
        text += n;
        if (!*text)
            break;
        prompt = "...> ";
    }
}

static void run(struct line *line)
{
    echo(line);
    rhm_console_follow(&panel.console);
    panel.busy = true;
    change_prompt();
    rhm_capture_drain();
    mark(DIRTY_ALL);
    rhm_interrupt_ticks(true);
    enum rhm_input result =
        line->typed ? rhm_command_enter(&panel.command, line->text) : rhm_evaluate(panel.L, line->text);
    rhm_interrupt_ticks(false);
    free(line);
    panel.busy = false;
    rhm_capture_drain();
    if (result == RHM_INPUT_LEAVE)
        panel.leave = -1;
    if (result == RHM_INPUT_INTERRUPTED)
        drop_lines();
    change_prompt();
    mark(DIRTY_ALL);
    panel.urgent = true;
    panel.next_view = 0;
}

int rhm_panel_run(void)
{
    install_prompt();
    mark(DIRTY_ALL);
    while (!panel.leave) {
        struct line *line = pop_line();
        if (line)
            run(line);
        else
            turn(true);
    }
    rl_callback_handler_remove();
    return panel.leave > 0 ? panel.leave : 0;
}

/* --- open and close
 * ---------------------------------------------------------------------------------------------- */

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
    push_panel(L, "frame"); /* its Lua half must be there */
    panel.ui = lua_newthread(L);
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
    panel.L = L;
    panel.signals = signals;
    panel.answer = LUA_NOREF;
    panel.command.L = L;
    panel.utf8 = rhm_screen_get().utf8;
    panel.console.scrollback = rhm_scrollback_create(MOST_LINES, MOST_BYTES);
    if (!panel.console.scrollback || !rhm_display_open())
        return false;
    if (!rhm_capture_open(panel.console.scrollback)) {
        rhm_display_close();
        return false;
    }
    rhm_display_guard(rhm_capture_output(), rhm_capture_error());
    relayout();
    set_readline();
    rhm_completion_open(panel.ui);
    rhm_idle_set(idle);
    protect(lua_open, NULL);
    return true;
}

void rhm_panel_close(void)
{
    rhm_idle_set(NULL);
    rhm_screen_set(NULL);
    drop_lines();
    rhm_command_drop(&panel.command);
    rhm_display_close();
    rhm_capture_close();
    rhm_scrollback_free(panel.console.scrollback);
    panel.console.scrollback = NULL;
}
