/* hdf5_file.c - see hdf5_file.h. */
#include "engine/files/hdf5_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/output.h"

struct rhm_hdf5_voice rhm_hdf5_quiet(void)
{
    struct rhm_hdf5_voice voice;
    H5Eget_auto2(H5E_DEFAULT, &voice.print, &voice.data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return voice;
}

void rhm_hdf5_restore(struct rhm_hdf5_voice voice)
{
    H5Eset_auto2(H5E_DEFAULT, voice.print, voice.data);
}

/* The first entry of the stack, walked upward, is where the trouble began. */
static herr_t keep_first(unsigned n, const H5E_error2_t *entry, void *text)
{
    if (n == 0 && entry->desc != NULL)
        snprintf(text, 200, "%s", entry->desc);
    return 0;
}

enum rhm_status rhm_hdf5_fail(struct rhm_error *err, const char *path, const char *what)
{
    char reason[200] = "libhdf5 gives no reason";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, reason);
    for (char *p = reason; *p != '\0'; p++)
        if (*p == '\n')
            *p = ' ';
    return rhm_fail(err, RHM_EFILE, "%s: cannot %s: %s", path, what, reason);
}

hid_t rhm_hdf5_open(const char *path, struct rhm_error *err)
{
    FILE *there = fopen(path, "rb");
    int first = there != NULL ? fgetc(there) : EOF;
    int number = there == NULL || ferror(there) ? errno : 0;
    if (there != NULL)
        fclose(there);
    if (number != 0 || first == EOF) {
        if (number != 0)
            rhm_fail(err, RHM_EFILE, "%s: cannot open: %s", path, strerror(number));
        else
            rhm_fail(err, RHM_EFILE, "%s: the file is empty", path);
        return -1;
    }
    if (H5Fis_hdf5(path) == 0) {
        rhm_fail(err, RHM_EFILE, "%s: not an HDF5 file, or damaged at its start", path);
        return -1;
    }
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, access);
    if (file < 0)
        rhm_hdf5_fail(err, path, "open");
    H5Pclose(access); /* any call that succeeds forgets the reason */
    return file;
}

/* ---- Writing ---- */

static enum rhm_status write_attribute(hid_t file, const struct rhm_hdf5_attribute *attribute,
                                       const char *path, struct rhm_error *err)
{
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t own = H5Acreate2(file, attribute->name, H5T_STD_U32LE, space, H5P_DEFAULT, H5P_DEFAULT);
    enum rhm_status status = RHM_OK;
    if (own < 0 || H5Awrite(own, H5T_NATIVE_UINT, &attribute->value) < 0 || H5Aclose(own) < 0)
        status = rhm_hdf5_fail(err, path, "write");
    H5Sclose(space);
    return status;
}

static enum rhm_status write_array(hid_t file, const struct rhm_hdf5_array *array, const char *path,
                                   struct rhm_error *err)
{
    hid_t space = H5Screate_simple((int)array->rank, array->extents, NULL);
    hid_t link = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(link, 1);
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_obj_track_times(creation, 0); /* the same contents make the same file, whatever the clock says */
    hid_t own = H5Dcreate2(file, array->name, array->file_type, space, link, creation, H5P_DEFAULT);
    enum rhm_status status = RHM_OK;
    if (own < 0 || H5Dwrite(own, array->memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, array->elements) < 0 ||
        H5Dclose(own) < 0)
        status = rhm_hdf5_fail(err, path, "write");
    H5Pclose(creation);
    H5Pclose(link);
    H5Sclose(space);
    return status;
}

/* The bytes that stand in the memory of the "core" driver, to the file. */
static enum rhm_status save_image(hid_t file, const char *path, struct rhm_error *err)
{
    void **image;
    ssize_t size = H5Fget_file_image(file, NULL, 0);
    if (size < 0 || H5Fget_vfd_handle(file, H5P_DEFAULT, (void **)&image) < 0)
        return rhm_hdf5_fail(err, path, "write");
    struct rhm_output out;
    enum rhm_status status = rhm_output_open(&out, path, err);
    if (status != RHM_OK)
        return status;
    status = rhm_output_write(&out, *image, (size_t)size, err);
    if (status == RHM_OK)
        return rhm_output_commit(&out, err);
    rhm_output_abandon(&out);
    return status;
}

enum rhm_status rhm_hdf5_write(const char *path, size_t arrays, const struct rhm_hdf5_array *array,
                               size_t attributes, const struct rhm_hdf5_attribute *attribute,
                               struct rhm_error *err)
{
    double bytes = 4096;
    for (size_t k = 0; k < arrays; k++)
        bytes += (double)H5Tget_size(array[k].file_type) * (double)array[k].extents[0] *
                 (array[k].rank > 1 ? (double)array[k].extents[1] : 1);
    enum rhm_status status = rhm_memory_check(bytes, "putting an HDF5 file together", "save as .npy", err);
    if (status != RHM_OK)
        return status;

    struct rhm_hdf5_voice voice = rhm_hdf5_quiet();
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    H5Pset_fapl_core(access, (size_t)bytes, 0); /* room for all at once; nothing goes to disk by itself */
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    if (file < 0)
        status = rhm_hdf5_fail(err, path, "write");
    for (size_t k = 0; status == RHM_OK && k < attributes; k++)
        status = write_attribute(file, &attribute[k], path, err);
    for (size_t k = 0; status == RHM_OK && k < arrays; k++)
        status = write_array(file, &array[k], path, err);
    if (status == RHM_OK)
        status = H5Fflush(file, H5F_SCOPE_GLOBAL) < 0 ? rhm_hdf5_fail(err, path, "write")
                                                      : save_image(file, path, err);
    if (file >= 0)
        H5Fclose(file);
    H5Pclose(access);
    rhm_hdf5_restore(voice);
    return status;
}
