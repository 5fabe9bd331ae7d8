/* panel_line.c - lines of the panel: the prompt, those that wait, questions in the prompt's place, and
 * io.read. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <readline/readline.h>
#include <readline/tilde.h>

#include <lauxlib.h>
#include <lualib.h>

#include "script/interrupt.h"
#include "terminal/capture.h"
#include "terminal/completion.h"
#include "terminal/display.h"
#include "terminal/panel_state.h"

/* --- lines that wait -------------------------------------------------------------------------------------
 */

void rhm_panel_push_line(const char *text, bool by_hand)
{
    size_t n = strlen(text) + 1;
    struct rhm_panel_line *line = malloc(sizeof *line + n), **last = &rhm_panel.queue;
    if (!line)
        return;
    line->next = NULL;
    line->typed = by_hand;
    memcpy(line->text, text, n);
    while (*last)
        last = &(*last)->next;
    *last = line;
}

struct rhm_panel_line *rhm_panel_pop_line(void)
{
    struct rhm_panel_line *line = rhm_panel.queue;
    if (line)
        rhm_panel.queue = line->next;
    return line;
}

int rhm_panel_lines(void)
{
    int n = 0;
    for (const struct rhm_panel_line *line = rhm_panel.queue; line; line = line->next)
        n++;
    return n;
}

void rhm_panel_drop_lines(void)
{
    for (struct rhm_panel_line *line; (line = rhm_panel_pop_line());)
        free(line);
}

static char *typed; /* what the line handler got; Readline gives it no argument of ours */
static bool have_line;

/* --- the prompt ------------------------------------------------------------------------------------------
 */

static void on_line(char *line)
{
    typed = line;
    have_line = true;
    rl_callback_handler_remove();
}

static const char *prompt_text(void)
{
    return rhm_panel.busy ? "rhm> " : rhm_command_prompt(&rhm_panel.command);
}

void rhm_panel_install_prompt(void)
{
    rhm_completion_context(rhm_panel.busy ? NULL : rhm_panel.command.pending);
    rl_callback_handler_install(prompt_text(), on_line);
    rhm_panel_mark_urgent(RHM_DIRTY_CONSOLE);
}

void rhm_panel_change_prompt(void)
{
    if (rhm_panel.question != RHM_QUESTION_NONE)
        return;
    rhm_completion_context(rhm_panel.busy ? NULL : rhm_panel.command.pending);
    rl_set_prompt(prompt_text());
    rhm_panel_mark_urgent(RHM_DIRTY_CONSOLE);
}

/* --- questions ---------------------------------------------------------------------------------------- */

bool rhm_panel_ask(enum rhm_question question, const char *text, int answer)
{
    if (rhm_panel.question != RHM_QUESTION_NONE) {
        luaL_unref(rhm_panel.ui, LUA_REGISTRYINDEX, answer);
        return false;
    }
    rhm_panel_focus(false);
    rhm_panel.question = question;
    rhm_panel.answer = answer;
    rhm_panel.kept = strdup(rl_line_buffer ? rl_line_buffer : "");
    rl_replace_line("", 1);
    rl_set_prompt(text);
    rhm_panel_mark_urgent(RHM_DIRTY_CONSOLE);
    return true;
}

void rhm_panel_end_question(void)
{
    bool of_view = rhm_panel.question == RHM_QUESTION_VIEW;
    rhm_panel.question = RHM_QUESTION_NONE;
    luaL_unref(rhm_panel.ui, LUA_REGISTRYINDEX, rhm_panel.answer);
    rhm_panel.answer = LUA_NOREF;
    rhm_panel_change_prompt();
    if (rhm_panel.kept) {
        rl_replace_line(rhm_panel.kept, 1);
        rl_point = rl_end;
        free(rhm_panel.kept);
        rhm_panel.kept = NULL;
    }
    if (of_view && rhm_panel.layout.view_rows > 0) /* back to where it was asked, answered or given up */
        rhm_panel_focus(true);
    rhm_panel_mark_urgent(RHM_DIRTY_ALL);
}

static void search(const char *pattern)
{
    static char *last;
    if (*pattern) {
        free(last);
        last = strdup(pattern);
        rhm_panel.console.found = false;
    }
    if (!last || !rhm_console_find(&rhm_panel.console, &rhm_panel.layout, last))
        rhm_display_beep();
}

static int lua_answer(lua_State *L)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, rhm_panel.answer);
    lua_pushstring(L, lua_touserdata(L, 1));
    lua_call(L, 1, 0);
    return 0;
}

/* Writes the output so far, as plain text; a file that is there is not lost. */
static void save(const char *typed_path)
{
    char *path = *typed_path ? tilde_expand(typed_path) : NULL;
    if (!path)
        return;
    FILE *file = fopen(path, "wx");
    rhm_capture_lock();
    bool ok = file && rhm_scrollback_save(rhm_panel.console.scrollback, file);
    rhm_capture_unlock();
    int error = errno;
    if (file && fclose(file) != 0 && ok) {
        ok = false;
        error = errno;
    }
    if (ok)
        printf("the output is in %s\n", path);
    else
        fprintf(stderr, "error: cannot save the output to %s: %s\n", path, strerror(error));
    free(path);
}

/* Ctrl-D (no line) gives up. */
static void answer(char *line)
{
    enum rhm_question question = rhm_panel.question;
    rhm_panel_install_prompt(); /* the handler had to go with the line */
    if (question == RHM_QUESTION_INPUT) {
        rhm_panel.input = line ? strdup(line) : NULL;
        rhm_panel.input_ended = true;
    } else if (line && question == RHM_QUESTION_SEARCH) {
        search(line);
    } else if (line && question == RHM_QUESTION_SAVE) {
        save(line);
    } else if (line) {
        rhm_panel_protect(lua_answer, line);
    }
    rhm_panel_end_question();
}

bool rhm_panel_take_line(void)
{
    if (!have_line)
        return false;
    char *line = typed;
    have_line = false;
    typed = NULL;
    if (rhm_panel.question != RHM_QUESTION_NONE) {
        answer(line);
    } else if (line) {
        rhm_panel_push_line(line, true);
        rhm_panel_install_prompt();
    } else if (rhm_panel.busy) { /* Ctrl-D does not leave under a command */
        rhm_panel_install_prompt();
        rhm_display_beep();
    } else if (rhm_panel.command.pending) { /* Ctrl-D gives an unfinished command up */
        rhm_command_drop(&rhm_panel.command);
        rhm_panel_install_prompt();
    } else {
        rhm_panel.leave = -1;
    }
    free(line);
    return true;
}

/* --- io.read ------------------------------------------------------------------------------------------ */

/* Pushes the next line of the prompt without its newline, or nil after Ctrl-D. Ctrl-C raises. */
static int read_line(lua_State *L)
{
    if (rhm_panel.turning || !rhm_panel.busy)
        return luaL_error(L, "standard input cannot be read within a view, a key or a hook");
    if (rhm_panel.question != RHM_QUESTION_NONE)
        rhm_panel_end_question();
    fflush(stdout);
    struct rhm_panel_line *ahead = rhm_panel.queue;
    if (ahead && ahead->typed) { /* as in any terminal, what was typed ahead is for whoever reads first */
        lua_pushstring(L, ahead->text);
        printf("%s\n", ahead->text);
        free(rhm_panel_pop_line());
        return 1;
    }
    rhm_panel_ask(RHM_QUESTION_INPUT, "input: ", LUA_NOREF);
    rhm_panel.input_ended = false;
    rhm_interrupt_ticks(false); /* nothing runs */
    while (!rhm_panel.input_ended && !rhm_panel.leave && !rhm_interrupt_pending())
        rhm_panel.turn(true);
    rhm_interrupt_ticks(true);
    if (!rhm_panel.input_ended)
        rhm_panel_end_question();
    if (rhm_interrupt_pending())
        return luaL_error(L, RHM_INTERRUPTED);
    if (!rhm_panel.input_ended || !rhm_panel.input)
        return lua_pushnil(L), 1;
    char *line = rhm_panel.input;
    rhm_panel.input = NULL;
    lua_pushstring(L, line); /* where memory is short the line leaks */
    printf("%s\n", line);
    free(line);
    return 1;
}

void rhm_panel_open_input(lua_State *L)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "rhm.input");
    lua_call(L, 1, 1);
    lua_pushcfunction(L, read_line);
    lua_call(L, 1, 0);
}
