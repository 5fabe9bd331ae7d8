/* keys.c - see keys.h. */
#include "terminal/keys.h"

#include <stddef.h>

#include <readline/readline.h>

#include "terminal/display.h"

static struct rhm_keys keys;
static Keymap focus_map, line_map; /* line_map: the one to come back to */

/* Readline's functions take no argument of ours: one for each action. */
#define ACTION(name, value)                                                                                  \
    static int name(int count, int c)                                                                        \
    {                                                                                                        \
        (void)count;                                                                                         \
        (void)c;                                                                                             \
        keys.action(value);                                                                                  \
        return 0;                                                                                            \
    }
ACTION(help, RHM_ACTION_HELP)
ACTION(view_1, RHM_ACTION_VIEW_1)
ACTION(view_2, RHM_ACTION_VIEW_2)
ACTION(view_3, RHM_ACTION_VIEW_3)
ACTION(view_4, RHM_ACTION_VIEW_4)
ACTION(view_5, RHM_ACTION_VIEW_5)
ACTION(view_6, RHM_ACTION_VIEW_6)
ACTION(view_7, RHM_ACTION_VIEW_7)
ACTION(view_8, RHM_ACTION_VIEW_8)
ACTION(pause_job, RHM_ACTION_PAUSE)
ACTION(focus, RHM_ACTION_FOCUS)
ACTION(size, RHM_ACTION_SIZE)
ACTION(page_up, RHM_ACTION_PAGE_UP)
ACTION(page_down, RHM_ACTION_PAGE_DOWN)
ACTION(search, RHM_ACTION_SEARCH)
ACTION(save, RHM_ACTION_SAVE)
ACTION(repaint, RHM_ACTION_REPAINT)

#define KEY(function, name)                                                                                  \
    static int function(int count, int c)                                                                    \
    {                                                                                                        \
        (void)count;                                                                                         \
        (void)c;                                                                                             \
        keys.key(name);                                                                                      \
        return 0;                                                                                            \
    }
KEY(up, "up")
KEY(down, "down")
KEY(left, "left")
KEY(right, "right")
KEY(panel_page_up, "pageup")
KEY(panel_page_down, "pagedown")
KEY(home, "home")
KEY(end, "end")
KEY(enter, "enter")
KEY(tab, "tab")

static int character(int count, int c)
{
    (void)count;
    if (c >= ' ' && c < 127)
        keys.key((char[]){(char)c, '\0'});
    return 0;
}

struct binding {
    const char *sequence;
    rl_command_func_t *function;
};

/* Everywhere. Function keys as xterm, rxvt and the Linux console send them. */
static const struct binding common[] = {
    {"\033OP", help},     {"\033[11~", help},      {"\033[[A", help},     {"\033OQ", view_1},
    {"\033[12~", view_1}, {"\033[[B", view_1},     {"\033OR", view_2},    {"\033[13~", view_2},
    {"\033[[C", view_2},  {"\033OS", view_3},      {"\033[14~", view_3},  {"\033[[D", view_3},
    {"\033[15~", view_4}, {"\033[[E", view_4},     {"\033[17~", view_5},  {"\033[18~", view_6},
    {"\033[19~", view_7}, {"\033[20~", pause_job}, {"\033[21~", focus},   {"\033[23~", view_8},
    {"\033[24~", size},   {"\\C-x1", view_1},      {"\\C-x2", view_2},    {"\\C-x3", view_3},
    {"\\C-x4", view_4},   {"\\C-x5", view_5},      {"\\C-x6", view_6},    {"\\C-x7", view_7},
    {"\\C-x8", view_8},   {"\\C-xh", help},        {"\\C-xo", focus},     {"\\C-xz", size},
    {"\\C-x/", search},   {"\\C-xs", save},        {"\\C-xp", pause_job}, {"\\C-l", repaint},
};
static const struct binding in_line[] = {{"\033[5~", page_up}, {"\033[6~", page_down}};
static const struct binding in_focus[] = {
    {"\033[A", up},
    {"\033OA", up},
    {"\033[B", down},
    {"\033OB", down},
    {"\033[C", right},
    {"\033OC", right},
    {"\033[D", left},
    {"\033OD", left},
    {"\033[H", home},
    {"\033OH", home},
    {"\033[1~", home},
    {"\033[7~", home},
    {"\033[F", end},
    {"\033OF", end},
    {"\033[4~", end},
    {"\033[8~", end},
    {"\033[5~", panel_page_up},
    {"\033[6~", panel_page_down},
    {"\\C-m", enter},
    {"\\C-j", enter},
    {"\\C-i", tab},
    {"\\C-g", focus},
    {"q", focus},
};
#define COUNT(list) (sizeof(list) / sizeof *(list))

static void bind_list(const struct binding *list, size_t n, Keymap map)
{
    for (size_t i = 0; i < n; i++)
        rl_bind_keyseq_in_map(list[i].sequence, list[i].function, map);
}

/* What this terminal's own description says, where it is an escape sequence that nobody has bound yet. */
static void bind_terminal(Keymap map)
{
    static rl_command_func_t *const functions[] = {NULL,   help,   view_1,    view_2, view_3, view_4, view_5,
                                                   view_6, view_7, pause_job, focus,  view_8, size};
    for (int i = 1; i <= 12; i++) {
        const char *sequence = functions[i] ? rhm_display_function_key(i) : NULL;
        if (sequence && sequence[0] == '\033' && sequence[1])
            rl_bind_keyseq_in_map(sequence, functions[i], map);
    }
}

void rhm_keys_bind(const struct rhm_keys *to)
{
    keys = *to;
    focus_map = rl_make_bare_keymap();
    for (int c = 0; c < 256; c++)
        rl_bind_key_in_map(c, character, focus_map);
    Keymap maps[] = {emacs_standard_keymap, vi_insertion_keymap, vi_movement_keymap, focus_map};
    for (size_t i = 0; i < COUNT(maps); i++) {
        bind_terminal(maps[i]);
        bind_list(common, COUNT(common), maps[i]);
        if (maps[i] != focus_map)
            bind_list(in_line, COUNT(in_line), maps[i]);
    }
    bind_list(in_focus, COUNT(in_focus), focus_map);
    rl_bind_keyseq_in_map("\033", focus, focus_map);
}

void rhm_keys_focus(bool on)
{
    if (on && rl_get_keymap() != focus_map) {
        line_map = rl_get_keymap();
        rl_set_keymap(focus_map);
    } else if (!on && rl_get_keymap() == focus_map) {
        rl_set_keymap(line_map);
    }
}

bool rhm_keys_escape_pending(void)
{
    return RL_ISSTATE(RL_STATE_MULTIKEY) && rl_get_keymap() == focus_map && rl_key_sequence_length == 1 &&
           rl_executing_keyseq && rl_executing_keyseq[0] == '\033';
}

void rhm_keys_escape_alone(void)
{
    rl_callback_sigcleanup();
    keys.action(RHM_ACTION_FOCUS);
}
