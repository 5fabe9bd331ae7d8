/* paths.h - where the Lua modules and the scripts are. */
#ifndef RHM_PATHS_H
#define RHM_PATHS_H

struct rhm_paths {
    const char *lua;     /* holds rhm/<module>.lua */
    const char *scripts; /* holds <name>.lua, run as `rhm <name>` */
};

/* Found once: beside the source when the program runs from its build folder, else ../share/rhm seen from the
 * executable (an installation that was moved), else the data folder given to configure. */
const struct rhm_paths *rhm_paths(void);

#endif
