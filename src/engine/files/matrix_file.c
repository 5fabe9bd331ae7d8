/* matrix_file.c - a matrix to a file, for NumPy, spreadsheets, Julia, MATLAB. */
#include <locale.h>
#include <math.h>
#include <stdio.h>

#include "engine/base/matrix.h"
#include "engine/base/output.h"
#include "engine/files/hdf5_file.h"
#include "engine/files/npy.h"

static enum rhm_status write_text(struct rhm_output *out, const struct rhm_matrix *m, struct rhm_error *err)
{
    char number[40];
    for (size_t i = 0; i < m->rows; i++)
        for (size_t j = 0; j < m->cols; j++) {
            double x = m->v[i * m->cols + j];
            char end = j + 1 < m->cols ? ',' : '\n';
            int length = isnan(x) ? snprintf(number, sizeof number, "nan%c", end) /* never "-nan" */
                                  : snprintf(number, sizeof number, "%.17g%c", x, end);
            enum rhm_status status = rhm_output_write(out, number, (size_t)length, err);
            if (status != RHM_OK)
                return status;
        }
    return RHM_OK;
}

/* A decimal point is a point, whatever the user's language. */
static enum rhm_status write_plain_text(struct rhm_output *out, const struct rhm_matrix *m,
                                        struct rhm_error *err)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (plain == (locale_t)0)
        return rhm_fail(err, RHM_EMEMORY, "the system has no memory left for the \"C\" locale");
    locale_t before = uselocale(plain);
    enum rhm_status status = write_text(out, m, err);
    uselocale(before);
    freelocale(plain);
    return status;
}

static enum rhm_status write_npy(struct rhm_output *out, const struct rhm_matrix *m, struct rhm_error *err)
{
    char header[RHM_NPY_HEADER];
    const size_t shape[2] = {m->rows, m->cols};
    size_t length = rhm_npy_header(header, "f8", 2, shape);
    enum rhm_status status = rhm_output_write(out, header, length, err);
    return status == RHM_OK ? rhm_output_write(out, m->v, m->rows * m->cols * sizeof *m->v, err) : status;
}

static enum rhm_status write_hdf5(const struct rhm_matrix *m, const char *path, struct rhm_error *err)
{
    const struct rhm_hdf5_array array = {"matrix", H5T_IEEE_F64LE,     H5T_NATIVE_DOUBLE,
                                         2,        {m->rows, m->cols}, m->v};
    return rhm_hdf5_write(path, 1, &array, 0, NULL, err);
}

enum rhm_status rhm_matrix_save(const struct rhm_matrix *m, const char *path, struct rhm_error *err)
{
    enum rhm_format format = rhm_format_of(path);
    if (format == RHM_FORMAT_UNKNOWN)
        return rhm_fail(err, RHM_EARG, "%s: the ending must say the format: .csv, .txt, .npy, .h5 or .hdf5",
                        path);
    if (format == RHM_FORMAT_HDF5)
        return write_hdf5(m, path, err);
    struct rhm_output out;
    enum rhm_status status = rhm_output_open(&out, path, err);
    if (status != RHM_OK)
        return status;
    status = format == RHM_FORMAT_NPY ? write_npy(&out, m, err) : write_plain_text(&out, m, err);
    if (status == RHM_OK)
        return rhm_output_commit(&out, err);
    rhm_output_abandon(&out);
    return status;
}
