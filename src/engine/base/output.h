/* output.h - files that appear whole or not at all: written beside the target, then renamed over it. */
#ifndef RHM_OUTPUT_H
#define RHM_OUTPUT_H

#include <stddef.h>
#include <stdio.h>

#include "engine/base/error.h"

struct rhm_output {
    FILE *file;          /* write here; errors may be left to rhm_output_finish */
    char *path, *target; /* as the caller named it; where it leads when it is a link */
    char *temporary;     /* NULL for a device or pipe, which is written directly */
};

/* Starts a file beside `path`. On success rhm_output_commit or rhm_output_abandon must follow. */
enum rhm_status rhm_output_open(struct rhm_output *out, const char *path, struct rhm_error *err);

/* Writes `size` bytes; a full disk is an error here or in rhm_output_finish. */
enum rhm_status rhm_output_write(struct rhm_output *out, const void *bytes, size_t size,
                                 struct rhm_error *err);

/* Everything is with the system and the file is closed, but the target is still the old one. On failure the
 * temporary file is gone; rhm_output_abandon is then harmless. */
enum rhm_status rhm_output_finish(struct rhm_output *out, struct rhm_error *err);

/* rhm_output_finish where that was not called yet, then the rename. Ends `out`, whatever the result. */
enum rhm_status rhm_output_commit(struct rhm_output *out, struct rhm_error *err);

/* Removes the temporary file and ends `out`; the target stays as it was. Does nothing to a zeroed `out`. */
void rhm_output_abandon(struct rhm_output *out);

/* The formats of files, by the ending of the name (in either case). */
enum rhm_format { RHM_FORMAT_UNKNOWN, RHM_FORMAT_TEXT, RHM_FORMAT_NPY, RHM_FORMAT_HDF5 };
enum rhm_format rhm_format_of(const char *path);

#endif
