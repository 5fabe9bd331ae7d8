/* output.c - see output.h. */
#include "engine/base/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum rhm_format rhm_format_of(const char *path)
{
    static const struct {
        const char *ending;
        enum rhm_format format;
    } known[] = {{".csv", RHM_FORMAT_TEXT},
                 {".txt", RHM_FORMAT_TEXT},
                 {".npy", RHM_FORMAT_NPY},
                 {".h5", RHM_FORMAT_HDF5},
                 {".hdf5", RHM_FORMAT_HDF5}};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot != NULL && i < sizeof known / sizeof known[0]; i++)
        if (strcasecmp(dot, known[i].ending) == 0)
            return known[i].format;
    return RHM_FORMAT_UNKNOWN;
}

static enum rhm_status cannot_write(const struct rhm_output *out, int number, struct rhm_error *err)
{
    return rhm_fail(err, RHM_EFILE, "%s: cannot write: %s", out->path, strerror(number));
}

/* A new file in the target's folder, with a name that no other process or thread takes. */
static int open_temporary(struct rhm_output *out)
{
    static _Atomic unsigned serial;
    const char *slash = strrchr(out->target, '/');
    size_t folder = slash != NULL ? (size_t)(slash - out->target) + 1 : 0;
    size_t room = folder + 64;
    out->temporary = malloc(room);
    if (out->temporary == NULL)
        return -1;
    for (int tries = 0; tries < 100; tries++) {
        snprintf(out->temporary, room, "%.*s.rhm-%ld-%u.tmp", (int)folder, out->target, (long)getpid(),
                 atomic_fetch_add(&serial, 1));
        int fd = open(out->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

enum rhm_status rhm_output_open(struct rhm_output *out, const char *path, struct rhm_error *err)
{
    *out = (struct rhm_output){.path = strdup(path), .target = realpath(path, NULL)};
    if (out->target == NULL)
        out->target = strdup(path);
    if (out->path == NULL || out->target == NULL) {
        rhm_output_abandon(out);
        return rhm_fail(err, RHM_EMEMORY, "the system has no memory left for the name of a file");
    }

    struct stat old;
    int exists = stat(out->target, &old) == 0;
    int fd = -1;
    if (exists && S_ISDIR(old.st_mode)) {
        errno = EISDIR;
    } else if (exists && !S_ISREG(old.st_mode)) {
        fd = open(out->target, O_WRONLY | O_CLOEXEC);
    } else {
        fd = open_temporary(out);
        if (fd < 0) { /* not ours to remove */
            int number = errno;
            free(out->temporary);
            out->temporary = NULL;
            errno = number;
        } else if (exists && fchmod(fd, old.st_mode & 07777) != 0) {
            /* the new file then has the permissions of any new file: no reason to refuse the work */
        }
    }
    if (fd >= 0 && (out->file = fdopen(fd, "wb")) != NULL)
        return RHM_OK;
    enum rhm_status status = cannot_write(out, errno, err);
    if (fd >= 0)
        close(fd);
    rhm_output_abandon(out);
    return status;
}

enum rhm_status rhm_output_write(struct rhm_output *out, const void *bytes, size_t size,
                                 struct rhm_error *err)
{
    if (size == 0 || fwrite(bytes, 1, size, out->file) == size)
        return RHM_OK;
    return cannot_write(out, errno, err);
}

enum rhm_status rhm_output_finish(struct rhm_output *out, struct rhm_error *err)
{
    if (out->file == NULL)
        return RHM_OK;
    errno = 0;
    int failed = ferror(out->file) != 0, number = 0;
    if (fflush(out->file) != 0) {
        failed = 1;
        number = errno;
    }
    if (fclose(out->file) != 0) { /* NFS and quotas speak up only here */
        failed = 1;
        number = number != 0 ? number : errno;
    }
    out->file = NULL;
    if (!failed)
        return RHM_OK;
    enum rhm_status status = cannot_write(out, number != 0 ? number : EIO, err);
    rhm_output_abandon(out);
    return status;
}

enum rhm_status rhm_output_commit(struct rhm_output *out, struct rhm_error *err)
{
    enum rhm_status status = rhm_output_finish(out, err);
    if (status == RHM_OK && out->temporary != NULL) {
        if (rename(out->temporary, out->target) != 0) {
            status = cannot_write(out, errno, err);
        } else {
            free(out->temporary);
            out->temporary = NULL;
        }
    }
    rhm_output_abandon(out);
    return status;
}

void rhm_output_abandon(struct rhm_output *out)
{
    if (out->file != NULL)
        fclose(out->file);
    if (out->temporary != NULL)
        unlink(out->temporary);
    free(out->temporary);
    free(out->target);
    free(out->path);
    *out = (struct rhm_output){0};
}
