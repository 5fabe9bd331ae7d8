/* matrix.c - rhm.matrix: a dense matrix of doubles, read only. m[i] is a light row that refers to its matrix.
 */
#include "script/measure.h"
#include "script/objects.h"

#include <stdio.h>

#define RHM_ROW "rhm.row"

struct row {
    const struct rhm_matrix *m; /* kept alive by the user value */
    size_t i;
};

struct rhm_matrix *rhm_push_matrix(lua_State *L)
{
    struct rhm_matrix *m = lua_newuserdatauv(L, sizeof *m, 0);
    *m = (struct rhm_matrix){0};
    luaL_setmetatable(L, RHM_MATRIX);
    return m;
}

static struct rhm_matrix *check(lua_State *L)
{
    return rhm_class_check(L, 1, RHM_MATRIX);
}

static int matrix_gc(lua_State *L)
{
    rhm_matrix_clear(check(L));
    return 0;
}

static int matrix_rows(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)check(L)->rows);
    return 1;
}

static int matrix_cols(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)check(L)->cols);
    return 1;
}

static int matrix_save(lua_State *L)
{
    struct rhm_matrix *m = check(L);
    struct rhm_error err;
    if (rhm_matrix_save(m, rhm_args_path(L, 2, "matrix:save"), &err) != RHM_OK)
        return rhm_raise(L, "matrix:save", &err);
    lua_settop(L, 1);
    return 1;
}

/* The 0-based place that the key (index 2) means, or -1. */
static lua_Integer place(lua_State *L, size_t count)
{
    int whole = 0;
    lua_Integer i = lua_type(L, 2) == LUA_TNUMBER ? lua_tointegerx(L, 2, &whole) : 0;
    return whole && i >= 1 && i <= (lua_Integer)count ? i - 1 : -1;
}

static int matrix_field(lua_State *L)
{
    struct rhm_matrix *m = check(L);
    lua_Integer i = place(L, m->rows);
    if (i < 0)
        return 0;
    struct row *row = lua_newuserdatauv(L, sizeof *row, 1);
    *row = (struct row){.m = m, .i = (size_t)i};
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, RHM_ROW);
    return 1;
}

static int matrix_tostring(lua_State *L)
{
    lua_settop(L, 1);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "rhm.print");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "matrix");
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

static int row_field(lua_State *L)
{
    struct row *row = rhm_class_check(L, 1, RHM_ROW);
    lua_Integer j = place(L, row->m->cols);
    if (j < 0)
        return 0;
    lua_pushnumber(L, row->m->v[row->i * row->m->cols + (size_t)j]);
    return 1;
}

static int row_length(lua_State *L)
{
    struct row *row = rhm_class_check(L, 1, RHM_ROW);
    lua_pushinteger(L, (lua_Integer)row->m->cols);
    return 1;
}

static int row_tostring(lua_State *L)
{
    struct row *row = rhm_class_check(L, 1, RHM_ROW);
    const double *v = row->m->v + row->i * row->m->cols;
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    luaL_addchar(&b, '{');
    for (size_t j = 0; j < row->m->cols; j++) {
        char cell[32];
        snprintf(cell, sizeof cell, "%s%.4g", j ? ", " : "", v[j]);
        luaL_addstring(&b, cell);
    }
    luaL_addchar(&b, '}');
    luaL_pushresult(&b);
    return 1;
}

void rhm_open_matrix(lua_State *L)
{
    static const luaL_Reg methods[] = {{"rows", matrix_rows},
                                       {"cols", matrix_cols},
                                       {"save", matrix_save},
                                       {"square_distance", rhm_matrix_square_distance},
                                       {NULL, NULL}};
    static const luaL_Reg none[] = {{NULL, NULL}};
    rhm_class_open(L, &(struct rhm_class){.name = RHM_MATRIX,
                                          .methods = methods,
                                          .field = matrix_field,
                                          .tostring = matrix_tostring,
                                          .gc = matrix_gc,
                                          .len = matrix_rows});
    rhm_class_open(L, &(struct rhm_class){.name = RHM_ROW,
                                          .methods = none,
                                          .field = row_field,
                                          .tostring = row_tostring,
                                          .len = row_length});
}
