/* progress.c - snapshots and results of a training, as tables and as a line of text. */
#include "script/job.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* history = {step = {...}, loss = {...}, intra = {...}, inter = {...}, accuracy = {...}}, absent where there
 * is none. */
static void set_history(lua_State *L, const struct rhm_history *history)
{
    if (history->n == 0)
        return;
    static const char *const names[] = {"step", "loss", "intra", "inter", "accuracy"};
    lua_createtable(L, 0, 5);
    for (int column = 0; column < 5; column++) {
        lua_createtable(L, (int)history->n, 0);
        for (size_t i = 0; i < history->n; i++) {
            const struct rhm_history_point *point = &history->point[i];
            const double value[] = {0, point->loss, point->intra, point->inter, point->accuracy};
            if (column == 0)
                lua_pushinteger(L, (lua_Integer)point->step);
            else
                lua_pushnumber(L, value[column]);
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
        lua_setfield(L, -2, names[column]);
    }
    lua_setfield(L, -2, "history");
}

void rhm_set_view(lua_State *L, const struct rhm_layer_view *view)
{
    rhm_set_integer(L, "level", view->level);
    rhm_set_integer(L, "n", view->N);
    rhm_set_integer(L, "places", view->places);
    rhm_set_integer(L, "patches", view->U);
    rhm_set_integer(L, "clusters", view->k);
    rhm_set_integer(L, "steps", view->steps);
    rhm_set_number(L, "sigma", view->sigma);
    rhm_set_number(L, "rho_in", view->rho_in);
    rhm_set_number(L, "eps_S_in", view->eps_S_in);
    rhm_set_number(L, "rho", view->rho);
    rhm_set_number(L, "eps_S", view->eps_S);
    rhm_set_number(L, "gap", view->gap);
    rhm_set_number(L, "error", view->error);
    rhm_set_number(L, "error_max", view->error_max);
    rhm_set_number(L, "accuracy", view->accuracy);
    rhm_set_number(L, "lambda", view->lambda);
    rhm_set_number(L, "eta", view->eta);
    rhm_set_number(L, "loss", view->loss);
    rhm_set_number(L, "condition", view->condition);
    rhm_set_integer(L, "unknown", view->unknown);
    rhm_set_number(L, "seconds", view->seconds);
    set_history(L, &view->history);
}

void rhm_push_result(lua_State *L, struct rhm_network *net, const struct rhm_progress *progress)
{
    lua_createtable(L, 0, 3);
    rhm_set_number(L, "accuracy", progress->accuracy);
    rhm_set_number(L, "seconds", progress->seconds);
    lua_createtable(L, (int)net->L, 0);
    for (unsigned l = 1; l <= net->L; l++) {
        struct rhm_layer_view view;
        struct rhm_error err;
        if (rhm_network_view(net, l, 0, &view, &err) != RHM_OK)
            rhm_raise(L, "network:train", &err);
        lua_createtable(L, 0, 20);
        if (view.trained == 1)
            rhm_set_view(L, &view);
        lua_rawseti(L, -2, l);
    }
    lua_setfield(L, -2, "levels");
    rhm_set_report(L, "result");
}

static void push_layer(lua_State *L, const struct rhm_progress_layer *layer)
{
    lua_createtable(L, 0, 18);
    rhm_set_string(L, "phase", rhm_phase_name(layer->phase));
    rhm_set_integer(L, "n", layer->n);
    rhm_set_integer(L, "drawn", layer->drawn);
    rhm_set_integer(L, "patches", layer->patches);
    rhm_set_integer(L, "step", layer->step);
    rhm_set_integer(L, "steps", layer->steps);
    rhm_set_number(L, "loss", layer->loss);
    rhm_set_number(L, "intra", layer->intra);
    rhm_set_number(L, "inter", layer->inter);
    rhm_set_number(L, "sigma", layer->sigma);
    rhm_set_number(L, "rho", layer->rho);
    rhm_set_number(L, "eps_S", layer->eps_S);
    rhm_set_number(L, "gap", layer->gap);
    rhm_set_number(L, "error", layer->error);
    rhm_set_number(L, "accuracy", layer->accuracy);
    rhm_set_number(L, "seconds", layer->seconds);
    rhm_set_number(L, "rate", layer->rate);
    rhm_set_number(L, "left", layer->left);
}

/* epoch = 3, epochs = 100, stage = "gram", loss = .1, ... */
static void set_work(lua_State *L, const struct rhm_work *work)
{
    rhm_set_string(L, "kind", work->kind ? work->kind : "chain");
    if (work->unit) {
        rhm_set_string(L, "unit", work->unit);
        rhm_set_integer(L, work->unit, work->done);
        if (work->all > 0) {
            lua_pushfstring(L, "%ss", work->unit);
            lua_pushinteger(L, (lua_Integer)work->all);
            lua_rawset(L, -3);
        }
    }
    if (work->group) {
        rhm_set_string(L, "group", work->group);
        rhm_set_integer(L, work->group, work->member);
        lua_pushfstring(L, "%ss", work->group);
        lua_pushinteger(L, (lua_Integer)work->members);
        lua_rawset(L, -3);
    }
    if (work->stage)
        rhm_set_string(L, "stage", work->stage);
    rhm_set_number(L, "rate", work->rate);
    rhm_set_number(L, "left", work->left);
    for (int i = 0; i < RHM_WORK_MEASURES && work->name[i]; i++)
        rhm_set_number(L, work->name[i], work->value[i]);
}

/* {epoch = {...}, loss = {...}, ...}: a value that is not known is false, so that the lists have no holes. */
void rhm_push_curve(lua_State *L, const struct rhm_work *work, const struct rhm_curve *curve)
{
    lua_createtable(L, 0, 1 + RHM_WORK_MEASURES);
    lua_createtable(L, (int)curve->n, 0);
    for (size_t i = 0; i < curve->n; i++) {
        lua_pushinteger(L, (lua_Integer)curve->point[i].done);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, work->unit);
    for (int k = 0; k < RHM_WORK_MEASURES && work->name[k]; k++) {
        lua_createtable(L, (int)curve->n, 0);
        for (size_t i = 0; i < curve->n; i++) {
            double value = curve->point[i].value[k];
            if (isnan(value))
                lua_pushboolean(L, 0);
            else
                lua_pushnumber(L, value);
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
        lua_setfield(L, -2, work->name[k]);
    }
}

void rhm_push_progress(lua_State *L, const struct rhm_progress *progress)
{
    lua_createtable(L, 0, 12);
    rhm_set_string(L, "state", rhm_job_state_name(progress->state));
    rhm_set_integer(L, "level", progress->level);
    rhm_set_number(L, "seconds", progress->seconds);
    rhm_set_number(L, "accuracy", progress->accuracy);
    set_work(L, &progress->work);
    lua_createtable(L, (int)progress->L, 0);
    for (unsigned l = 1; l <= progress->L; l++) {
        push_layer(L, &progress->layer[l]);
        lua_rawseti(L, -2, l);
    }
    lua_setfield(L, -2, "levels");
    rhm_set_report(L, "progress");
}

/* --- the line ----------------------------------------------------------------------------------------- */

static void __attribute__((format(printf, 3, 4))) add(char *text, size_t size, const char *format, ...)
{
    size_t n = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + n, size - n, format, arguments);
    va_end(arguments);
}

/* The rate since the phase began, and the time left at that rate. */
static void add_rate(double rate, double left, const char *unit, const char *most, char *text, size_t size)
{
    if (isnan(rate))
        return;
    if (rate >= 1e6)
        add(text, size, "  %.1f M %s/s", rate / 1e6, unit);
    else
        add(text, size, "  %.4g %s/s", rate, unit);
    if (left >= 120)
        add(text, size, "  %s%.0f min left", most, left / 60);
    else if (left > 0)
        add(text, size, "  %s%.0f s left", most, ceil(left));
}

/* A training by epochs or sweeps may end before all are done. */
static void work_line(const struct rhm_progress *progress, char *text, size_t size)
{
    const struct rhm_work *work = &progress->work;
    char units[32];
    if (progress->state == RHM_JOB_QUEUED || (!work->unit && !work->stage)) {
        add(text, size, "%s", rhm_job_state_name(progress->state));
        return;
    }
    if (work->group)
        add(text, size, "%s %llu of %llu", work->group, (unsigned long long)work->member,
            (unsigned long long)work->members);
    if (work->stage)
        add(text, size, "%s%s", work->group ? "  " : "", work->stage);
    if (!work->unit)
        return;
    add(text, size, "%s%s %llu", work->group || work->stage ? "  " : "", work->unit,
        (unsigned long long)work->done);
    if (work->all > 0)
        add(text, size, "/%llu", (unsigned long long)work->all);
    for (int i = 0; i < RHM_WORK_MEASURES && work->name[i]; i++)
        if (!isnan(work->value[i]))
            add(text, size, "  %s %.4g", work->name[i], work->value[i]);
    snprintf(units, sizeof units, "%ss", work->unit);
    add_rate(work->rate, work->left, units, work->stage ? "" : "at most ", text, size);
}

void rhm_progress_line(const struct rhm_progress *progress, char *text, size_t size)
{
    unsigned l = progress->level;
    text[0] = '\0';
    if (progress->work.kind) {
        work_line(progress, text, size);
        return;
    }
    if (l < 1 || l > progress->L || progress->state == RHM_JOB_QUEUED) {
        int trained = progress->state == RHM_JOB_RUNNING && progress->layer[1].phase == RHM_PHASE_DONE;
        add(text, size, "%s", trained ? "measuring the accuracy" : rhm_job_state_name(progress->state));
        return;
    }
    const struct rhm_progress_layer *layer = &progress->layer[l];
    int stepping = layer->phase == RHM_PHASE_SOLVING && layer->steps > 0;
    add(text, size, "level %u of %u  %s", l, progress->L, rhm_phase_name(layer->phase));
    if (layer->phase == RHM_PHASE_SAMPLING && layer->n > 0) {
        add(text, size, " %.0f %% of %.4g", 100 * (double)layer->drawn / (double)layer->n, (double)layer->n);
        add_rate(layer->rate, layer->left, "samples", "", text, size);
    } else if (stepping) {
        add(text, size, "  step %llu/%llu", (unsigned long long)layer->step,
            (unsigned long long)layer->steps);
        if (!isnan(layer->loss))
            add(text, size, "  loss %.6g", layer->loss);
        add_rate(layer->rate, layer->left, "steps", "", text, size);
    }
}
