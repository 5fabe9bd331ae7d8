/* npy.c - see npy.h. */
#include "engine/files/npy.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/memory.h"

#define MAGIC          "\x93NUMPY"
#define MAGIC_LENGTH   6
#define HEADER_LIMIT   ((size_t)1 << 20) /* NumPy's own headers have some 100 bytes */
#define HOST_IS_LITTLE (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

static enum rhm_status malformed(const struct rhm_npy *npy, const char *what, struct rhm_error *err)
{
    return rhm_fail(err, RHM_EFILE, "%s: not a NumPy array that can be read: %s", npy->path, what);
}

/* ---- The header: a Python dictionary of three entries ---- */

static const char *skip_space(const char *p)
{
    while (isspace((unsigned char)*p))
        p++;
    return p;
}

/* Where the value of `key` starts; NULL where it is missing. Values hold no text that looks like a key. */
static const char *find_value(const char *header, const char *key)
{
    size_t length = strlen(key);
    for (const char *p = header; (p = strstr(p, key)) != NULL; p++) {
        if (p == header || (p[-1] != '\'' && p[-1] != '"') || p[length] != p[-1])
            continue;
        const char *colon = skip_space(p + length + 1);
        if (*colon == ':')
            return skip_space(colon + 1);
    }
    return NULL;
}

static enum rhm_status parse_descr(struct rhm_npy *npy, const char *p, struct rhm_error *err)
{
    if (p == NULL || (*p != '\'' && *p != '"'))
        return malformed(npy, p == NULL ? "its header has no 'descr'" : "its elements are records", err);
    const char *end = strchr(p + 1, *p);
    size_t length = end != NULL ? (size_t)(end - p - 1) : 0;
    if (length < 2 || length >= sizeof npy->descr)
        return malformed(npy, "its 'descr' is unknown", err);
    memcpy(npy->descr, p + 1, length);
    npy->descr[length] = '\0';

    const char *d = npy->descr;
    char order = strchr("<>|=", *d) != NULL ? *d++ : '=';
    npy->kind = *d++;
    char *rest;
    npy->size = isdigit((unsigned char)*d) ? strtoul(d, &rest, 10) : 0;
    int size_known = npy->size == 1 || npy->size == 2 || npy->size == 4 || npy->size == 8;
    if (!size_known || *rest != '\0' || strchr("biuf", npy->kind) == NULL ||
        (npy->kind == 'f' && npy->size < 4) || (npy->kind == 'b' && npy->size > 1))
        return rhm_fail(err, RHM_EFILE,
                        "%s: elements of type '%s': it takes integers of 1 to 8 bytes or float32, float64",
                        npy->path, npy->descr);
    npy->swap = npy->size > 1 && ((order == '<' && !HOST_IS_LITTLE) || (order == '>' && HOST_IS_LITTLE));
    return RHM_OK;
}

static enum rhm_status parse_shape(struct rhm_npy *npy, const char *p, struct rhm_error *err)
{
    if (p == NULL || *p != '(')
        return malformed(npy, "its header has no 'shape'", err);
    npy->count = 1;
    npy->promised = (double)npy->size;
    for (p = skip_space(p + 1); *p != ')'; p = skip_space(p)) {
        char *end;
        errno = 0;
        unsigned long long extent = strtoull(p, &end, 10);
        if (!isdigit((unsigned char)*p) || errno == ERANGE || extent > SIZE_MAX)
            return malformed(npy, "its 'shape' is unknown", err);
        if (npy->rank == RHM_NPY_RANK)
            return malformed(npy, "it has more than 4 dimensions", err);
        npy->shape[npy->rank++] = (size_t)extent;
        npy->promised *= (double)extent;
        if (__builtin_mul_overflow(npy->count, (size_t)extent, &npy->count))
            npy->count = SIZE_MAX;                   /* the size of the file will not do */
        p = skip_space(*end == 'L' ? end + 1 : end); /* Python 2 wrote 10L */
        if (*p == ',')
            p++;
        else if (*p != ')')
            return malformed(npy, "its 'shape' is unknown", err);
    }
    return RHM_OK;
}

static enum rhm_status parse_header(struct rhm_npy *npy, const char *header, struct rhm_error *err)
{
    enum rhm_status status = parse_descr(npy, find_value(header, "descr"), err);
    if (status != RHM_OK)
        return status;
    const char *order = find_value(header, "fortran_order");
    if (order == NULL || (strncmp(order, "True", 4) != 0 && strncmp(order, "False", 5) != 0))
        return malformed(npy, "its header has no 'fortran_order'", err);
    npy->fortran = *order == 'T';
    return parse_shape(npy, find_value(header, "shape"), err);
}

static enum rhm_status short_header(const struct rhm_npy *npy, struct rhm_error *err)
{
    return ferror(npy->file)
               ? rhm_fail(err, RHM_EFILE, "%s: cannot read: %s", npy->path, strerror(errno))
               : rhm_fail(err, RHM_EFILE, "%s: truncated: the file ends inside its header", npy->path);
}

static enum rhm_status read_header(struct rhm_npy *npy, struct rhm_error *err)
{
    unsigned char start[MAGIC_LENGTH + 6];
    size_t got = fread(start, 1, MAGIC_LENGTH + 4, npy->file);
    if (got == 0 && !ferror(npy->file))
        return rhm_fail(err, RHM_EFILE, "%s: the file is empty", npy->path);
    if (!ferror(npy->file) && memcmp(start, MAGIC, got < MAGIC_LENGTH ? got : MAGIC_LENGTH) != 0)
        return malformed(npy, "it does not start as np.save starts a file", err);
    if (got < MAGIC_LENGTH + 4)
        return short_header(npy, err);
    unsigned version = start[MAGIC_LENGTH];
    if (version < 1 || version > 3)
        return rhm_fail(err, RHM_EFILE, "%s: NumPy format version %u.%u: 1.0, 2.0 and 3.0 are known",
                        npy->path, version, start[MAGIC_LENGTH + 1]);
    const unsigned char *l = start + MAGIC_LENGTH + 2;
    size_t length = (size_t)l[0] | (size_t)l[1] << 8;
    if (version > 1) {
        if (fread(start + MAGIC_LENGTH + 4, 1, 2, npy->file) < 2)
            return short_header(npy, err);
        length |= (size_t)l[2] << 16 | (size_t)l[3] << 24;
    }
    if (length > HEADER_LIMIT)
        return malformed(npy, "its header is longer than 1 MiB", err);
    char *header = rhm_array(length + 1, 1, "the header of a .npy file", err);
    if (header == NULL)
        return RHM_EMEMORY;
    enum rhm_status status = fread(header, 1, length, npy->file) < length ? short_header(npy, err)
                                                                          : parse_header(npy, header, err);
    free(header);
    return status;
}

/* ---- The elements ---- */

static enum rhm_status truncated(const struct rhm_npy *npy, double found, struct rhm_error *err)
{
    return rhm_fail(err, RHM_EFILE,
                    "%s: truncated: the header promises %.0f bytes of data, the file has %.0f", npy->path,
                    npy->promised, found);
}

enum rhm_status rhm_npy_open(struct rhm_npy *npy, const char *path, struct rhm_error *err)
{
    *npy = (struct rhm_npy){.path = path, .file = fopen(path, "rb")};
    if (npy->file == NULL)
        return rhm_fail(err, RHM_EFILE, "%s: cannot open: %s", path, strerror(errno));
    enum rhm_status status = read_header(npy, err);
    struct stat info;
    if (status == RHM_OK && fstat(fileno(npy->file), &info) == 0 && S_ISREG(info.st_mode)) {
        double found = (double)info.st_size - (double)ftell(npy->file);
        if (found < npy->promised)
            status = truncated(npy, found, err);
    }
    if (status != RHM_OK)
        rhm_npy_close(npy);
    return status;
}

void rhm_npy_close(struct rhm_npy *npy)
{
    if (npy->file != NULL)
        fclose(npy->file);
    npy->file = NULL;
}

static void swap_bytes(unsigned char *p, size_t count, size_t size)
{
    for (; count > 0; count--, p += size)
        for (size_t i = 0, j = size - 1; i < j; i++, j--) {
            unsigned char byte = p[i];
            p[i] = p[j];
            p[j] = byte;
        }
}

enum rhm_status rhm_npy_read(struct rhm_npy *npy, void *elements, size_t count, struct rhm_error *err)
{
    size_t bytes = count * npy->size, got = fread(elements, 1, bytes, npy->file);
    npy->got += got;
    if (got < bytes)
        return ferror(npy->file) ? rhm_fail(err, RHM_EFILE, "%s: cannot read: %s", npy->path, strerror(errno))
                                 : truncated(npy, (double)npy->got, err);
    if (npy->swap)
        swap_bytes(elements, count, npy->size);
    return RHM_OK;
}

size_t rhm_npy_header(char header[RHM_NPY_HEADER], const char *type, unsigned rank, const size_t *shape)
{
    char order = type[1] == '1' ? '|' : HOST_IS_LITTLE ? '<' : '>';
    char extents[RHM_NPY_RANK * 24] = "";
    size_t used = 0;
    for (unsigned k = 0; k < rank; k++)
        used += (size_t)snprintf(extents + used, sizeof extents - used, k > 0 ? ", %zu" : "%zu", shape[k]);
    char *text = header + MAGIC_LENGTH + 4;
    memcpy(header, MAGIC "\x01", MAGIC_LENGTH + 2);
    size_t length = MAGIC_LENGTH + 4 +
                    (size_t)snprintf(text, RHM_NPY_HEADER - MAGIC_LENGTH - 4,
                                     "{'descr': '%c%s', 'fortran_order': False, 'shape': (%s%s), }", order,
                                     type, extents, rank == 1 ? "," : "");
    while ((length + 1) % 64 != 0)
        header[length++] = ' ';
    header[length++] = '\n';
    header[MAGIC_LENGTH + 2] = (char)(unsigned char)((length - MAGIC_LENGTH - 4) & 0xff);
    header[MAGIC_LENGTH + 3] = (char)(unsigned char)((length - MAGIC_LENGTH - 4) >> 8);
    return length;
}
