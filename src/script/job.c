/* job.c - see job.h. */
#include "script/job.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "script/hooks.h"
#include "script/idle.h"
#include "script/interrupt.h"
#include "script/screen.h"

/* How long the Lua thread sleeps between looks at Ctrl-C, and between two lines or calls of progress. */
#define SLICE      0.02
#define BETWEEN    0.1
#define LINE_AFTER 0.5

static struct rhm_job *check_job(lua_State *L, int index)
{
    struct rhm_job_object *object = rhm_class_check(L, index, RHM_JOB);
    if (!object->job)
        luaL_error(L, "this job was closed with its network");
    return object->job;
}

void rhm_job_close(lua_State *L, int index)
{
    struct rhm_job_object *object = luaL_testudata(L, index, RHM_JOB);
    if (object && object->job) {
        rhm_job_stop(object->job);
        rhm_jobs_leave(object);
        rhm_job_free(object->job);
        object->job = NULL;
    }
}

static int job_gc(lua_State *L)
{
    rhm_job_close(L, 1);
    return 0;
}

void rhm_job_push(lua_State *L, const struct rhm_job_start *start)
{
    struct rhm_job_object *object = lua_newuserdatauv(L, sizeof *object, RHM_JOB_VALUES);
    memset(object, 0, sizeof *object);
    object->kind = start->kind;
    object->background = start->background;
    object->model = start->model;
    luaL_setmetatable(L, RHM_JOB);
    lua_pushvalue(L, start->subject);
    lua_setiuservalue(L, -2, RHM_JOB_SUBJECT);
    lua_pushvalue(L, start->source);
    lua_setiuservalue(L, -2, RHM_JOB_SOURCE);
    struct rhm_job_body body;
    struct rhm_error err;
    enum rhm_status status = start->kind->make(&body, start->model, start->options, &err);
    if (status == RHM_OK)
        status = start->background ? rhm_job_queue(&object->job, &body, &err)
                                   : rhm_job_start(&object->job, &body, &err);
    if (status != RHM_OK)
        rhm_raise(L, start->kind->function, &err);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, start->subject,
                      RHM_SUBJECT_JOB); /* before memory can end: a job in work is always net.job */
    rhm_jobs_enter(L, -1);
}

void rhm_job_read_wait(const struct rhm_args *args, struct rhm_wait *wait, int *background)
{
    *wait = (struct rhm_wait){.seconds = -1, .line = -1, .pause = 1};
    *background = 0;
    rhm_args_boolean(args, "background", background);
    if (rhm_args_push(args, "progress") == LUA_TFUNCTION) {
        wait->callback = lua_gettop(args->L);
        if (*background)
            luaL_error(args->L,
                       "%s: a progress function is for the foreground: in the background read "
                       "job.progress",
                       args->function);
        return;
    }
    lua_pop(args->L, 1);
    rhm_args_boolean(args, "progress", &wait->line);
}

void rhm_job_check_idle(lua_State *L, const struct rhm_job_kind *kind, int subject)
{
    const char *function = kind->function;
    if (lua_getiuservalue(L, subject, RHM_SUBJECT_JOB) != LUA_TNIL) {
        enum rhm_job_state state = rhm_job_state_of(L, -1);
        if (state == RHM_JOB_PAUSED || state == RHM_JOB_PAUSING)
            luaL_error(L,
                       "%s: a paused training is there: net:resume() goes on with it, net.job:stop() gives "
                       "it up",
                       function);
        if (state == RHM_JOB_QUEUED)
            luaL_error(L,
                       "%s: a training waits in the queue: net.job:wait() waits for it, net.job:stop() "
                       "takes it out",
                       function);
        if (state == RHM_JOB_RUNNING)
            luaL_error(L, "%s: a training runs: net.job:wait() waits for it, net.job:stop() stops it",
                       function);
        if (state == RHM_JOB_STOPPING)
            lua_pop(L, rhm_job_await(L, -1, &(struct rhm_wait){.seconds = -1}));
    }
    lua_pop(L, 1);
}

int rhm_job_resume_subject(lua_State *L, const char *function)
{
    lua_settop(L, 1);
    if (lua_getiuservalue(L, 1, RHM_SUBJECT_JOB) == LUA_TNIL)
        return luaL_error(L, "%s: there is no paused training", function);
    enum rhm_job_state state = rhm_job_state_of(L, 2);
    if (state != RHM_JOB_PAUSED && state != RHM_JOB_PAUSING)
        return luaL_error(L, "%s: the training is %s, not paused", function, rhm_job_state_name(state));
    rhm_job_go_on(L, 2);
    return rhm_job_await(L, 2, &(struct rhm_wait){.seconds = -1, .line = -1, .pause = 1});
}

static void read_progress(lua_State *L, int index, struct rhm_progress *progress)
{
    rhm_job_progress(check_job(L, index), progress);
}

enum rhm_job_state rhm_job_state_of(lua_State *L, int index)
{
    return rhm_job_wait(check_job(L, index), 0);
}

void rhm_job_go_on(lua_State *L, int index)
{
    struct rhm_job *job = check_job(L, index);
    rhm_job_resume(job);
    while (rhm_job_wait(job, 0) == RHM_JOB_PAUSED) /* until its thread has woken up */
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
}

static int is_running(enum rhm_job_state state)
{
    return state == RHM_JOB_QUEUED || state == RHM_JOB_RUNNING || state == RHM_JOB_PAUSING ||
           state == RHM_JOB_STOPPING;
}

/* Pushes the result of a job that is done; else nil and the state. A failed one raises its error. Whoever
 * gets that of its end need not be told. */
static int push_outcome(lua_State *L, int index)
{
    struct rhm_progress progress;
    read_progress(L, index, &progress);
    struct rhm_job_object *object = lua_touserdata(L, index);
    if (!is_running(progress.state) && progress.state != RHM_JOB_PAUSED)
        object->told = 1;
    if (progress.state == RHM_JOB_FAILED)
        return rhm_raise(L, object->kind->function, &progress.error);
    if (progress.state != RHM_JOB_DONE) {
        lua_pushnil(L);
        lua_pushstring(L, rhm_job_state_name(progress.state));
        return 2;
    }
    if (lua_getiuservalue(L, index, RHM_JOB_RESULT) == LUA_TNIL) {
        lua_pop(L, 1);
        object->kind->push_result(L, object->model, rhm_job_self(object->job), &progress);
        lua_pushvalue(L, -1);
        lua_setiuservalue(L, index, RHM_JOB_RESULT);
    }
    return 1;
}

/* --- waiting ------------------------------------------------------------------------------------------ */

/* The line of progress on a terminal, rewritten in place. */
struct line {
    int wanted, shown;
};

static int can_rewrite(void)
{
    return rhm_screen_rewrites() && !rhm_screen_is_panel(); /* which has a status line */
}

static void line_draw(struct line *line, const struct rhm_progress *progress)
{
    char text[160];
    rhm_progress_line(progress, text, sizeof text);
    fprintf(stderr, "\r%.*s\033[K", rhm_screen_width() - 1, text);
    fflush(stderr);
    line->shown = 1;
}

static void line_erase(struct line *line)
{
    if (line->shown)
        fputs("\r\033[K", stderr);
    line->shown = 0;
}

static int raise_paused(lua_State *L)
{
    lua_pushliteral(L, RHM_INTERRUPTED ": net:resume() goes on with the training");
    return lua_error(L);
}

/* Calls the progress function; its error stops the job, which nobody waits for any more. */
static void call_back(lua_State *L, int index, int callback, const struct rhm_progress *progress,
                      struct line *line)
{
    lua_pushvalue(L, callback);
    rhm_push_progress(L, progress);
    if (lua_pcall(L, 1, 0, 0) == LUA_OK)
        return;
    line_erase(line);
    rhm_job_stop(check_job(L, index));
    lua_error(L);
}

int rhm_job_await(lua_State *L, int index, const struct rhm_wait *wait)
{
    luaL_checkstack(L, 16, NULL);
    index = lua_absindex(L, index);
    struct line line = {.wanted = wait->line != 0 && can_rewrite()};
    double start = rhm_clock(), last = start, now = start;
    while (wait->seconds < 0 || now - start <= wait->seconds) {
        double left = wait->seconds < 0 ? SLICE : wait->seconds - (now - start);
        if (!is_running(rhm_job_wait(check_job(L, index), left < SLICE ? left : SLICE)))
            break;
        rhm_idle_turn();
        if (rhm_interrupt_pending()) {
            line_erase(&line);
            if (!wait->pause)
                return rhm_raise_interrupt(L);
            rhm_job_pause(check_job(L, index));
            return raise_paused(L);
        }
        now = rhm_clock();
        if (now - last < BETWEEN)
            continue;
        last = now;
        if (rhm_hooks_ready(RHM_HOOK_PROGRESS))
            line_erase(&line); /* they may print */
        rhm_jobs_call_hooks(L, 0);
        struct rhm_progress progress;
        read_progress(L, index, &progress);
        if (line.wanted && now - start > LINE_AFTER)
            line_draw(&line, &progress);
        if (wait->callback)
            call_back(L, index, wait->callback, &progress, &line);
    }
    line_erase(&line);
    rhm_jobs_call_hooks(L, 1);
    if (wait->callback) { /* the last state as well, however short the job was */
        struct rhm_progress progress;
        read_progress(L, index, &progress);
        call_back(L, index, wait->callback, &progress, &line);
    }
    return push_outcome(L, index);
}

/* --- methods ------------------------------------------------------------------------------------------ */

static int job_wait(lua_State *L)
{
    check_job(L, 1);
    double seconds = luaL_optnumber(L, 2, -1);
    if (!lua_isnoneornil(L, 2) && !(seconds >= 0))
        return luaL_error(L, "job:wait: seconds = %f: must be 0 or more", seconds);
    return rhm_job_await(L, 1, &(struct rhm_wait){.seconds = seconds, .line = seconds < 0 ? -1 : 0});
}

static int job_pause(lua_State *L)
{
    rhm_job_pause(check_job(L, 1));
    return 0;
}

static int job_resume(lua_State *L)
{
    rhm_job_go_on(L, 1);
    return 0;
}

static int job_stop(lua_State *L)
{
    rhm_job_stop(check_job(L, 1));
    return 0;
}

/* --- the class ---------------------------------------------------------------------------------------- */

enum {
    FIELD_id,
    FIELD_name,
    FIELD_state,
    FIELD_progress,
    FIELD_seconds,
    FIELD_accuracy,
    FIELD_result,
    FIELD_network,
    FIELD_history,
    FIELD_error
};
static const char *const fields[] = {"id",     "name",    "state",   "progress", "seconds", "accuracy",
                                     "result", "network", "history", "error",    NULL};

/* nil where there is no curve: a chain's are its layers'. */
static int push_history(lua_State *L, struct rhm_job *job, const struct rhm_progress *progress)
{
    struct rhm_curve *curve = lua_newuserdatauv(L, sizeof *curve, 0);
    rhm_job_curve(job, curve);
    if (curve->n == 0 || !progress->work.unit)
        return 0;
    rhm_push_curve(L, &progress->work, curve);
    return 1;
}

static int job_field(lua_State *L)
{
    const struct rhm_job_object *object = rhm_class_check(L, 1, RHM_JOB);
    int field = rhm_class_field(L, fields);
    if (field == FIELD_id)
        return lua_pushinteger(L, object->id), 1;
    if (field == FIELD_name)
        return lua_pushstring(L, object->name), 1;
    if (field == FIELD_network)
        return lua_getiuservalue(L, 1, RHM_JOB_SUBJECT), 1;
    struct rhm_progress progress;
    read_progress(L, 1, &progress);
    switch (field) {
    case FIELD_state:
        return lua_pushstring(L, rhm_job_state_name(progress.state)), 1;
    case FIELD_progress:
        return rhm_push_progress(L, &progress), 1;
    case FIELD_seconds:
        return lua_pushnumber(L, progress.seconds), 1;
    case FIELD_accuracy:
        return isnan(progress.accuracy) ? 0 : (lua_pushnumber(L, progress.accuracy), 1);
    case FIELD_result:
        return progress.state == RHM_JOB_DONE ? push_outcome(L, 1) : 0;
    case FIELD_history:
        return push_history(L, object->job, &progress);
    case FIELD_error:
        return progress.state == RHM_JOB_FAILED ? (lua_pushstring(L, progress.error.text), 1) : 0;
    default:
        return 0;
    }
}

static int job_tostring(lua_State *L)
{
    struct rhm_job_object *object = rhm_class_check(L, 1, RHM_JOB);
    if (!object->job) {
        lua_pushfstring(L, "job %I: %s: closed with its network", object->id, object->name);
        return 1;
    }
    struct rhm_progress progress;
    rhm_job_progress(object->job, &progress);
    char text[RHM_ERROR_TEXT + 80], where[160];
    rhm_job_outcome(&progress, text, sizeof text);
    rhm_progress_line(&progress, where, sizeof where);
    lua_pushfstring(L, "job %I: %s: %s", object->id, object->name, text);
    if (is_running(progress.state) && strcmp(where, rhm_job_state_name(progress.state)) != 0) {
        lua_pushfstring(L, ", %s", where);
        lua_concat(L, 2);
    }
    return 1;
}

void rhm_open_job(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"wait", job_wait}, {"pause", job_pause}, {"resume", job_resume}, {"stop", job_stop}, {NULL, NULL}};
    rhm_class_open(L, &(struct rhm_class){.name = RHM_JOB,
                                          .methods = methods,
                                          .fields = fields,
                                          .field = job_field,
                                          .tostring = job_tostring,
                                          .gc = job_gc});
}
