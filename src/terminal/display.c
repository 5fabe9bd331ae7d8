/* display.c - see display.h. */
#define _GNU_SOURCE /* wcwidth */
#include "terminal/display.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#ifndef _XOPEN_SOURCE_EXTENDED
#define _XOPEN_SOURCE_EXTENDED
#endif
#include <curses.h>
#include <term.h>

#include "terminal/guard.h"

static SCREEN *curses;
static FILE *out, *in;
static bool hidden;
static struct rhm_guard_screen guard;

#define PASTE_ON  "\033[?2004h"
#define PASTE_OFF "\033[?2004l"

/* --- what a signal handler has to write, made beforehand ---------------------------------------------------
 */

static char *target;
static size_t *target_size;

static int collect(int c)
{
    if (*target_size < sizeof guard.leave)
        target[(*target_size)++] = (char)c;
    return c;
}

static void add_capability(char *bytes, size_t *size, const char *capability)
{
    target = bytes;
    target_size = size;
    if (capability)
        tputs(capability, 1, collect);
}

static void add_text(char *bytes, size_t *size, const char *text)
{
    size_t n = strlen(text);
    if (*size + n <= sizeof guard.leave) {
        memcpy(bytes + *size, text, n);
        *size += n;
    }
}

static void fill_guard(void)
{
    guard = (struct rhm_guard_screen){.terminal = fileno(out), .output = -1, .error = -1};
    add_capability(guard.leave, &guard.leave_size, exit_attribute_mode);
    add_capability(guard.leave, &guard.leave_size, orig_pair);
    add_capability(guard.leave, &guard.leave_size, cursor_normal);
    add_text(guard.leave, &guard.leave_size, PASTE_OFF);
    add_capability(guard.leave, &guard.leave_size, exit_ca_mode);
    if (!exit_ca_mode) /* no second screen: below what was drawn */
        add_text(guard.leave, &guard.leave_size, "\r\n");
    add_capability(guard.enter, &guard.enter_size, enter_ca_mode);
    add_text(guard.enter, &guard.enter_size, PASTE_ON);
    tcgetattr(guard.terminal, &guard.settings);
}

void rhm_display_guard(int output, int error)
{
    guard.output = output;
    guard.error = error;
    rhm_guard_screen(&guard);
}

/* --- open and close
 * ------------------------------------------------------------------------------------------ */

static FILE *duplicate(int descriptor, const char *mode)
{
    int copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    FILE *file = copy >= 0 ? fdopen(copy, mode) : NULL;
    if (!file && copy >= 0)
        close(copy);
    return file;
}

static void close_files(void)
{
    if (out)
        fclose(out);
    if (in)
        fclose(in);
    out = in = NULL;
}

static void set_modes(void)
{
    cbreak();
    noecho();
    nonl();
    intrflush(stdscr, FALSE);
    typeahead(-1);
    idlok(stdscr, TRUE);
    struct termios settings; /* Ctrl-S, Ctrl-Q, Ctrl-V and Ctrl-O are Readline's */
    if (tcgetattr(fileno(out), &settings) == 0) {
        settings.c_iflag &= ~(tcflag_t)(IXON | IXOFF);
        settings.c_lflag &= ~(tcflag_t)IEXTEN;
        tcsetattr(fileno(out), TCSADRAIN, &settings);
    }
    def_prog_mode();
}

bool rhm_display_open(void)
{
    out = duplicate(STDOUT_FILENO, "w");
    in = duplicate(STDIN_FILENO, "r");
    if (!out || !in || !(curses = newterm(NULL, out, in))) {
        const char *term = getenv("TERM");
        fprintf(stderr, "rhm: no panel: terminal \"%s\" is not known here; set TERM, or --plain\n",
                term ? term : "");
        close_files();
        return false;
    }
    if (!cursor_address || !clr_eol) {
        endwin();
        delscreen(curses);
        curses = NULL;
        close_files();
        return false;
    }
    set_modes();
    const char *no_color = getenv("NO_COLOR");
    if (!(no_color && *no_color) && has_colors() && start_color() == OK)
        use_default_colors();
    fputs(PASTE_ON, out);
    fflush(out);
    fill_guard();
    rhm_guard_screen(&guard);
    static bool registered;
    if (!registered)
        registered = atexit(rhm_display_close) == 0;
    return true;
}

void rhm_display_close(void)
{
    if (!curses)
        return;
    rhm_guard_screen(NULL);
    if (hidden)
        curs_set(1);
    if (!enter_ca_mode) { /* the shell's prompt comes on the last line of what stays there */
        move(LINES - 1, 0);
        clrtoeol();
        refresh();
    }
    endwin();
    fputs(PASTE_OFF, out);
    fflush(out);
    delscreen(curses);
    curses = NULL;
    close_files();
    rhm_guard_restore();
}

bool rhm_display_resize(void)
{
    struct winsize size;
    if (ioctl(fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0 ||
        (size.ws_row == LINES && size.ws_col == COLS))
        return false;
    resizeterm(size.ws_row, size.ws_col);
    clearok(curscr, TRUE); /* terminals differ in what they keep of the old screen */
    return true;
}

void rhm_display_repaint(void)
{
    clearok(curscr, TRUE);
    if (hidden) { /* ncurses believes it still is */
        curs_set(1);
        curs_set(0);
    }
}

/* --- styles
 * ---------------------------------------------------------------------------------------------------- */

int rhm_display_colours(void)
{
    const char *no_color = getenv("NO_COLOR");
    if ((no_color && *no_color) || !has_colors())
        return 0;
    return COLORS >= 256 ? 256 : COLORS >= 16 ? 16 : COLORS >= 8 ? 8 : 0;
}

/* One of the 256 as the nearest of the first eight: the bright ones lose their brightness, the cube and the
 * greys become what is above the middle in them. */
static short eight(short colour)
{
    if (colour < 16)
        return (short)(colour % 8);
    if (colour >= 232)
        return colour >= 244 ? 7 : 0;
    int c = colour - 16, r = c / 36, g = c / 6 % 6, b = c % 6;
    return (short)((r >= 3) | (g >= 3) << 1 | (b >= 3) << 2);
}

static short reduce(short colour, attr_t *attributes)
{
    if (colour < 0 || colour < COLORS)
        return colour;
    if (colour >= 8 && colour < 16 && attributes)
        *attributes |= A_BOLD;
    return eight(colour);
}

void rhm_display_style(const struct rhm_cell_style *style)
{
    attr_t attributes = A_NORMAL;
    if (style->bold)
        attributes |= A_BOLD;
    if (style->dim)
        attributes |= A_DIM;
    if (style->italic)
        attributes |= A_ITALIC;
    if (style->underline)
        attributes |= A_UNDERLINE;
    if (style->reverse)
        attributes |= A_REVERSE;
    int pair = 0;
    if (rhm_display_colours() > 0 && (style->fg >= 0 || style->bg >= 0)) {
        pair = alloc_pair(reduce(style->fg, &attributes), reduce(style->bg, NULL));
        if (pair < 0 || pair > 32767)
            pair = 0;
    }
    attr_set(attributes, (short)pair, NULL);
}

/* --- text
 * ------------------------------------------------------------------------------------------------------ */

int rhm_display_text(int row, int column, const char *text, size_t n, int most)
{
    enum { PIECE = 128 };
    wchar_t wide[PIECE];
    int used = 0, length = 0, limit = COLS - column < most ? COLS - column : most;
    mbstate_t state;
    memset(&state, 0, sizeof state);
    if (row < 0 || row >= LINES || limit <= 0)
        return 0;
    move(row, column);
    while (n > 0) {
        wchar_t c;
        size_t k = mbrtowc(&c, text, n, &state);
        if (k == (size_t)-1 || k == (size_t)-2 || k == 0) {
            memset(&state, 0, sizeof state);
            c = L'?';
            k = 1;
        }
        int width = wcwidth(c);
        if (width < 0) {
            c = L'?';
            width = 1;
        }
        if (used + width > limit)
            break;
        wide[length++] = c;
        used += width;
        text += k;
        n -= k;
        if (length == PIECE || n == 0) {
            addnwstr(wide, length);
            length = 0;
        }
    }
    if (length > 0)
        addnwstr(wide, length);
    return used;
}

void rhm_display_blank(int row, int column)
{
    static const struct rhm_cell_style plain = {.fg = -1, .bg = -1};
    if (row < 0 || row >= LINES || column >= COLS)
        return;
    rhm_display_style(&plain);
    move(row, column);
    clrtoeol();
}

void rhm_display_size(int *height, int *width)
{
    *height = LINES;
    *width = COLS;
}

void rhm_display_cursor(int row, int column)
{
    if (hidden && curs_set(1) != ERR)
        hidden = false;
    move(row, column < COLS ? column : COLS - 1);
}

void rhm_display_hide_cursor(void)
{
    if (!hidden && curs_set(0) != ERR)
        hidden = true;
    move(LINES - 1, COLS - 1);
}

void rhm_display_refresh(void)
{
    refresh();
}

void rhm_display_beep(void)
{
    beep();
}

const char *rhm_display_function_key(int i)
{
    char name[8];
    snprintf(name, sizeof name, "kf%d", i);
    const char *sequence = tigetstr(name);
    return sequence == (const char *)-1 ? NULL : sequence;
}
