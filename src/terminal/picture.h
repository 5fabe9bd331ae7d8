/* picture.h - the lines a view returns (lua/rhm/view.lua), drawn. */
#ifndef RHM_PICTURE_H
#define RHM_PICTURE_H

#include <lua.h>

/* Reads the palette for so many colours from rhm.view. Raises Lua errors. */
void rhm_picture_open(lua_State *L, int colours);

/* Draws the line at a stack index, a string or a list of segments, in screen row `row`, at most `columns`
 * wide; the rest of the row is blank. A line that is none of these is blank. */
void rhm_picture_line(lua_State *L, int index, int row, int columns);

#endif
