/* error.c - see error.h. */
#include "engine/base/error.h"

#include <stdarg.h>
#include <stdio.h>

enum rhm_status rhm_fail(struct rhm_error *err, enum rhm_status status, const char *format, ...)
{
    if (err == NULL)
        return status;
    err->status = status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(err->text, sizeof err->text, format, arguments);
    va_end(arguments);
    return status;
}
