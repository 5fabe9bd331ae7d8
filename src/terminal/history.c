/* history.c - see history.h. The file holds one entry a line; newlines and backslashes in it are written \n
 * and \\. */
#include "terminal/history.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <readline/history.h>

enum { LIMIT = 2000 }; /* entries kept; the file may grow to twice that before it is cut */

static char path[PATH_MAX]; /* "": no file */

/* mkdir -p of the folder that holds `file`, each new one 0700. */
static bool make_folder(const char *file)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", file);
    for (char *p = folder + 1; (p = strchr(p, '/')); *p++ = '/') {
        *p = '\0';
        if (mkdir(folder, 0700) != 0 && errno != EEXIST)
            return false;
    }
    return true;
}

/* $XDG_STATE_HOME/rhm/history; a relative XDG folder does not count (XDG base directory specification). */
static bool find_path(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int n = -1;
    if (state && *state == '/')
        n = snprintf(path, sizeof path, "%s/rhm/history", state);
    else if (home && *home == '/')
        n = snprintf(path, sizeof path, "%s/.local/state/rhm/history", home);
    if (n < 0 || n >= PATH_MAX)
        path[0] = '\0';
    return path[0];
}

static char *encode(const char *entry)
{
    char *line = malloc(2 * strlen(entry) + 2), *out = line;
    if (!line)
        return NULL;
    for (; *entry; entry++) {
        if (*entry == '\\' || *entry == '\n')
            *out++ = '\\';
        *out++ = *entry == '\n' ? 'n' : *entry;
    }
    *out++ = '\n';
    *out = '\0';
    return line;
}

static void decode(char *line)
{
    char *out = line;
    for (char *in = line; *in; in++) {
        if (*in == '\\' && in[1]) {
            in++;
            *out++ = *in == 'n' ? '\n' : *in;
        } else {
            *out++ = *in;
        }
    }
    *out = '\0';
}

/* Adds to Readline's list; an equal older entry goes. */
static void remember(const char *entry)
{
    HIST_ENTRY **list = history_list();
    for (int i = history_length - 1; list && i >= 0; i--) {
        if (strcmp(list[i]->line, entry) == 0) {
            free_history_entry(remove_history(i));
            break;
        }
    }
    add_history(entry);
    using_history(); /* the panel's line stays open while a command runs: Up starts from the new end */
}

/* Opens and locks the file for appending; another session may have replaced it while we waited for the lock.
 */
static int open_locked(void)
{
    for (;;) {
        int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        struct stat ours, current;
        if (fd < 0)
            return -1;
        while (flock(fd, LOCK_EX) != 0 && errno == EINTR)
            continue;
        if (fstat(fd, &ours) != 0 || stat(path, &current) != 0 || ours.st_ino == current.st_ino)
            return fd;
        close(fd);
    }
}

/* Writes the list as a new file in place of the old one, whose lock the caller holds. */
static void rewrite(void)
{
    char temporary[PATH_MAX + 8];
    snprintf(temporary, sizeof temporary, "%s.new", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file)
        return;
    HIST_ENTRY **list = history_list();
    for (int i = 0; list && i < history_length; i++) {
        char *line = encode(list[i]->line);
        if (line)
            fputs(line, file);
        free(line);
    }
    bool bad = ferror(file);
    if (fclose(file) != 0 || bad || rename(temporary, path) != 0)
        unlink(temporary);
}

void rhm_history_open(void)
{
    using_history();
    stifle_history(LIMIT);
    if (!find_path())
        return;
    int fd = make_folder(path) ? open_locked() : -1;
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    if (!file) {
        fprintf(stderr, "rhm: no history will be kept: %s: %s\n", path, strerror(errno));
        path[0] = '\0';
        return;
    }
    char *line = NULL;
    size_t size = 0;
    ssize_t n;
    int lines = 0;
    while ((n = getline(&line, &size, file)) > 0) {
        if (line[n - 1] == '\n')
            line[n - 1] = '\0';
        decode(line);
        if (*line)
            remember(line);
        lines++;
    }
    free(line);
    if (lines > 2 * LIMIT)
        rewrite();
    fclose(file);
}

void rhm_history_add(const char *entry)
{
    if (!entry[strspn(entry, " \t\n")])
        return;
    HIST_ENTRY *last = history_length > 0 ? history_get(history_base + history_length - 1) : NULL;
    bool again = last && strcmp(last->line, entry) == 0;
    if (again)
        return;
    remember(entry);
    char *line = path[0] ? encode(entry) : NULL;
    int fd = line ? open_locked() : -1;
    if (fd >= 0) {
        ssize_t n = write(fd, line, strlen(line)); /* one write: whole lines, whatever other sessions do */
        (void)n;
        close(fd);
    }
    free(line);
}
