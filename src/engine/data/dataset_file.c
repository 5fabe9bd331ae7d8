/* dataset_file.c - which reader or writer of data sets a file name asks for. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/output.h"
#include "engine/data/dataset.h"
#include "engine/data/dataset_io.h"

static enum rhm_status unknown_ending(const char *path, struct rhm_error *err)
{
    return rhm_fail(err, RHM_EARG, "%s: the ending must say the format: .csv, .txt, .npy, .h5 or .hdf5",
                    path);
}

enum rhm_status rhm_dataset_load(struct rhm_dataset *data, const char *path, unsigned V, unsigned classes,
                                 struct rhm_error *err)
{
    *data = (struct rhm_dataset){0};
    enum rhm_status status = rhm_dataset_check_count("V", V, 0, err);
    if (status == RHM_OK)
        status = rhm_dataset_check_count("classes", classes, 0, err);
    if (status != RHM_OK)
        return status;

    struct rhm_symbols tokens = {.what = "token", .name = "V", .given = V};
    struct rhm_symbols labels = {.what = "label", .name = "classes", .given = classes};
    switch (rhm_format_of(path)) {
    case RHM_FORMAT_TEXT:
        status = rhm_dataset_read_csv(data, path, &tokens, &labels, err);
        break;
    case RHM_FORMAT_NPY:
        status = rhm_dataset_read_npy(data, path, &tokens, &labels, err);
        break;
    case RHM_FORMAT_HDF5:
        status = rhm_dataset_read_hdf5(data, path, &tokens, &labels, err);
        break;
    case RHM_FORMAT_UNKNOWN:
        return unknown_ending(path, err);
    }
    if (status != RHM_OK) {
        rhm_dataset_clear(data);
        return status;
    }
    data->V = tokens.given > 0 ? tokens.given : tokens.largest > 0 ? tokens.largest + 1 : 2;
    data->classes = labels.given > 0 ? labels.given : labels.largest > 0 ? labels.largest + 1 : 2;
    return RHM_OK;
}

enum rhm_status rhm_dataset_save(const struct rhm_dataset *data, const char *path, struct rhm_error *err)
{
    if (data->n == 0 || data->d == 0)
        return rhm_fail(err, RHM_EARG, "%s: the data set to be saved has no strings", path);
    switch (rhm_format_of(path)) {
    case RHM_FORMAT_TEXT:
        return rhm_dataset_write_csv(data, path, err);
    case RHM_FORMAT_NPY:
        return rhm_dataset_write_npy(data, path, err);
    case RHM_FORMAT_HDF5:
        return rhm_dataset_write_hdf5(data, path, err);
    case RHM_FORMAT_UNKNOWN:
        break;
    }
    return unknown_ending(path, err);
}
