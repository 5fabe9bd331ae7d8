/* jobs.c - see jobs.h. */
#include "script/jobs.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/hooks.h"
#include "script/interrupt.h"
#include "script/job.h"

/* Between two looks for the user's sake, in seconds. */
#define BETWEEN 0.1
/* So many trainings that ended in the background can still be got from rhm.jobs() where nothing else holds
 * them. */
#define KEPT 8

static struct rhm_job_object *first;                   /* of those with a job, newest first */
static struct rhm_job_record records[RHM_JOB_RECORDS]; /* the youngest of those that went */
static lua_Integer last_id;

static int has_ended(enum rhm_job_state state)
{
    return state == RHM_JOB_DONE || state == RHM_JOB_STOPPED || state == RHM_JOB_FAILED;
}

/* --- the list ----------------------------------------------------------------------------------------- */

/* The objects by number, held weakly. */
static void push_objects(lua_State *L)
{
    static const char key[] = "rhm.jobs";
    if (lua_getfield(L, LUA_REGISTRYINDEX, key) != LUA_TNIL)
        return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, key);
}

static char held_key; /* its address is a key of the registry */

/* Holds the job at the index, so that the collector does not stop a training that a user sees in the list. */
static void hold(lua_State *L, int index, lua_Integer id)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &held_key) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &held_key);
    }
    lua_pushvalue(L, index);
    lua_rawseti(L, -2, id);
    lua_pop(L, 1);
}

static int is_kept(const struct rhm_job_object *object)
{
    if (!object->job)
        return 0; /* closed with its network */
    if (!has_ended(rhm_job_wait(object->job, 0)))
        return 1;
    int younger = 0;
    for (const struct rhm_job_object *other = first; other && other != object; other = other->next)
        younger += other->background && has_ended(rhm_job_wait(other->job, 0));
    return object->background && younger < KEPT;
}

/* Gives those to the collector that have ended; allocates nothing. */
static void release(lua_State *L)
{
    if (!lua_checkstack(L, 6))
        return;
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &held_key) == LUA_TTABLE)
        for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
            if (!is_kept(lua_touserdata(L, -1))) {
                lua_pushvalue(L, -2);
                lua_pushnil(L);
                lua_rawset(L, -5);
            }
    lua_pop(L, 1);
}

void rhm_jobs_enter(lua_State *L, int index)
{
    struct rhm_job_object *object = luaL_checkudata(L, index, RHM_JOB);
    index = lua_absindex(L, index);
    memcpy(object->name, rhm_job_name(object->job), sizeof object->name);
    object->id = ++last_id;
    object->quiet = rhm_hooks_running();
    object->next = first;
    first = object;
    push_objects(L);
    lua_pushvalue(L, index);
    lua_rawseti(L, -2, object->id);
    lua_pop(L, 1);
    release(L);
    hold(L, index, object->id);
}

static struct rhm_job_record record_of(const struct rhm_job_object *object)
{
    struct rhm_progress progress;
    rhm_job_progress(object->job, &progress);
    struct rhm_job_record record = {.id = object->id,
                                    .state = has_ended(progress.state) ? progress.state : RHM_JOB_STOPPED,
                                    .seconds = progress.seconds,
                                    .accuracy = progress.accuracy,
                                    .error = progress.error,
                                    .told =
                                        object->told || !object->background || !has_ended(progress.state)};
    memcpy(record.name, object->name, sizeof record.name);
    return record;
}

void rhm_jobs_leave(struct rhm_job_object *object)
{
    struct rhm_job_object **place = &first;
    while (*place && *place != object)
        place = &(*place)->next;
    if (!*place)
        return;
    *place = object->next;
    struct rhm_job_record *oldest = &records[0]; /* the collector takes them in any order */
    for (int i = 1; i < RHM_JOB_RECORDS; i++)
        if (records[i].id < oldest->id)
            oldest = &records[i];
    if (oldest->id < object->id)
        *oldest = record_of(object);
}

/* --- rhm.jobs() --------------------------------------------------------------------------------------- */

static void push_record(lua_State *L, const struct rhm_job_record *record)
{
    lua_createtable(L, 0, 6);
    rhm_set_integer(L, "id", (uint64_t)record->id);
    rhm_set_string(L, "name", record->name);
    rhm_set_string(L, "state", rhm_job_state_name(record->state));
    rhm_set_number(L, "seconds", record->seconds);
    rhm_set_number(L, "accuracy", record->accuracy);
    if (record->state == RHM_JOB_FAILED)
        rhm_set_string(L, "error", record->error.text);
    rhm_set_report(L, "job");
}

/* Those that are gone, and those that are about to be: their numbers are no longer in the weak table. */
static void push_gone(lua_State *L, lua_Integer id)
{
    for (const struct rhm_job_object *object = first; object; object = object->next)
        if (object->id == id) {
            struct rhm_job_record record = record_of(object);
            push_record(L, &record);
            return;
        }
    for (int i = 0; i < RHM_JOB_RECORDS; i++)
        if (records[i].id == id) {
            push_record(L, &records[i]);
            return;
        }
    lua_pushnil(L); /* swept just now */
}

static int ascending(const void *a, const void *b)
{
    lua_Integer x = *(const lua_Integer *)a, y = *(const lua_Integer *)b;
    return (x > y) - (x < y);
}

int rhm_script_jobs(lua_State *L)
{
    lua_settop(L, 0);
    size_t most = RHM_JOB_RECORDS, n = 0;
    for (const struct rhm_job_object *object = first; object; object = object->next)
        most++;
    push_objects(L);
    lua_createtable(L, 16, 1);
    lua_Integer *id = rhm_push_buffer(L, most, sizeof *id); /* a sweep here only moves some to the records */
    for (const struct rhm_job_object *object = first; object && n < most; object = object->next)
        id[n++] = object->id;
    for (int i = 0; i < RHM_JOB_RECORDS && n < most; i++)
        if (records[i].id)
            id[n++] = records[i].id;
    qsort(id, n, sizeof *id, ascending);
    lua_Integer count = 0;
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && id[i] == id[i - 1])
            continue;
        if (lua_rawgeti(L, 1, id[i]) == LUA_TNIL) {
            lua_pop(L, 1);
            push_gone(L, id[i]);
        }
        if (lua_isnil(L, -1))
            lua_pop(L, 1);
        else
            lua_rawseti(L, 2, ++count);
    }
    lua_settop(L, 2);
    rhm_set_report(L, "jobs");
    return 1;
}

/* --- for the panel ------------------------------------------------------------------------------------ */

int rhm_jobs_active(void)
{
    int active = 0;
    for (const struct rhm_job_object *object = first; object; object = object->next) {
        enum rhm_job_state state = rhm_job_wait(object->job, 0);
        active += !has_ended(state) && state != RHM_JOB_PAUSED;
    }
    return active;
}

uint64_t rhm_jobs_version(void)
{
    return rhm_monitor_changes();
}

void rhm_job_outcome(const struct rhm_progress *progress, char *text, size_t size)
{
    char accuracy[32] = "";
    if (!isnan(progress->accuracy))
        snprintf(accuracy, sizeof accuracy, ", accuracy %.4f", progress->accuracy);
    snprintf(text, size, "%s%s, %.2f s%s%s", rhm_job_state_name(progress->state), accuracy, progress->seconds,
             progress->state == RHM_JOB_FAILED ? ": " : "",
             progress->state == RHM_JOB_FAILED ? progress->error.text : "");
}

static void tell(lua_Integer id, const char *name, const struct rhm_progress *progress)
{
    char text[RHM_ERROR_TEXT + 80];
    rhm_job_outcome(progress, text, sizeof text);
    printf("job %lld: %s: %s\n", (long long)id, name, text);
    fflush(stdout);
}

/* In the order of their numbers, though few ever end in one tenth of a second. */
static void tell_ends(void)
{
    for (;;) {
        struct rhm_job_object *next = NULL;
        struct rhm_job_record *record = NULL;
        struct rhm_progress progress = {0};
        for (struct rhm_job_object *object = first; object; object = object->next)
            if (object->background && !object->told && has_ended(rhm_job_wait(object->job, 0)) &&
                (!next || object->id < next->id))
                next = object;
        for (int i = 0; i < RHM_JOB_RECORDS; i++)
            if (records[i].id && !records[i].told && (!record || records[i].id < record->id))
                record = &records[i];
        if (!next && !record)
            return;
        if (next && (!record || next->id < record->id)) {
            rhm_job_progress(next->job, &progress);
            next->told = 1;
            tell(next->id, next->name, &progress);
        } else {
            progress.state = record->state;
            progress.seconds = record->seconds;
            progress.accuracy = record->accuracy;
            progress.error = record->error;
            record->told = 1;
            tell(record->id, record->name, &progress);
        }
    }
}

/* --- hooks -------------------------------------------------------------------------------------------- */

/* Protected: calls the progress hooks for each job with something new. */
static int call_hooks(lua_State *L)
{
    luaL_checkstack(L, 16, NULL);
    push_objects(L);
    int objects = lua_gettop(L);
    lua_Integer done = 0;
    for (;;) { /* the oldest not done yet: a hook may end jobs, or begin some */
        struct rhm_job_object *next = NULL;
        for (struct rhm_job_object *object = first; object; object = object->next)
            if (object->id > done && (!next || object->id < next->id))
                next = object;
        if (!next)
            return 0;
        done = next->id;
        struct rhm_progress progress;
        rhm_job_progress(next->job, &progress);
        if (next->quiet || progress.version == next->seen)
            continue;
        if (lua_rawgeti(L, objects, next->id) == LUA_TNIL) { /* about to be swept */
            lua_pop(L, 1);
            continue;
        }
        next->seen = progress.version;
        rhm_push_progress(L, &progress);
        rhm_hooks_call(L, RHM_HOOK_PROGRESS, 2);
    }
}

void rhm_jobs_watched(void)
{
    struct rhm_progress progress;
    for (struct rhm_job_object *object = first; object; object = object->next) {
        rhm_job_progress(object->job, &progress);
        if (has_ended(progress.state))
            object->seen = progress.version;
    }
}

void rhm_jobs_call_hooks(lua_State *L, int now)
{
    static double last;
    static uint64_t changes;
    double time = rhm_clock();
    if (!rhm_hooks_ready(RHM_HOOK_PROGRESS) || (!now && time - last < BETWEEN) ||
        changes == rhm_monitor_changes() || !lua_checkstack(L, 4))
        return;
    last = time;
    changes = rhm_monitor_changes();
    lua_pushcfunction(L, call_hooks);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK) /* no memory for the tables: another time */
        lua_pop(L, 1);
}

void rhm_jobs_prompt(lua_State *L)
{
    tell_ends(); /* before the hooks: those then know of each end that was told */
    bool pending = rhm_interrupt_pending();
    lua_State *before = rhm_interrupt_running(L);
    rhm_jobs_call_hooks(L, 1);
    rhm_interrupt_running(before);
    if (!before && !pending && rhm_interrupt_pending()) /* at the prompt, where a hook was all that ran */
        rhm_interrupt_end(L);
    release(L);
}

void rhm_jobs_turn(lua_State *L)
{
    static double last;
    double now = rhm_clock();
    if (now - last < BETWEEN)
        return;
    last = now;
    rhm_jobs_prompt(L);
}
