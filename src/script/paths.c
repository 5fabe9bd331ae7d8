/* paths.c - see paths.h. */
#include "script/paths.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef RHM_BUILDDIR
#define RHM_BUILDDIR ""
#endif
#ifndef RHM_SRCDIR
#define RHM_SRCDIR ""
#endif
#ifndef RHM_PKGDATADIR
#define RHM_PKGDATADIR "/usr/local/share/rhm"
#endif

/* The folder of the running executable, or "". */
static void program_folder(char folder[PATH_MAX])
{
    ssize_t n = readlink("/proc/self/exe", folder, PATH_MAX - 1);
    folder[n < 0 ? 0 : n] = '\0';
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = '\0';
}

static bool has_modules(const char *data)
{
    char name[PATH_MAX];
    int n = snprintf(name, sizeof name, "%s/lua/rhm", data);
    return n > 0 && n < PATH_MAX && access(name, R_OK) == 0;
}

const struct rhm_paths *rhm_paths(void)
{
    static struct rhm_paths paths;
    static char lua[PATH_MAX], scripts[PATH_MAX];
    if (paths.lua)
        return &paths;
    char folder[PATH_MAX], build[PATH_MAX], data[PATH_MAX + 16];
    program_folder(folder);
    if (*RHM_BUILDDIR && realpath(RHM_BUILDDIR, build) && strcmp(folder, build) == 0) {
        snprintf(data, sizeof data, "%s", RHM_SRCDIR);
    } else {
        snprintf(data, sizeof data, "%s/../share/rhm", folder);
        char real[PATH_MAX];
        if (realpath(data, real) && has_modules(real))
            snprintf(data, sizeof data, "%s", real);
        else
            snprintf(data, sizeof data, "%s", RHM_PKGDATADIR);
    }
    if (snprintf(lua, sizeof lua, "%s/lua", data) >= PATH_MAX ||
        snprintf(scripts, sizeof scripts, "%s/scripts", data) >= PATH_MAX)
        lua[0] = scripts[0] = '\0';
    paths.lua = lua;
    paths.scripts = scripts;
    return &paths;
}
