/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/base/err.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, const char *format, ...)
{
    if (err == NULL)
        return -1;

    va_list args;
    va_start(args, format);
    (void)vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    err->cause = NULL;
    return -1;
}

enum { FOR_PREFIXES = 96 };

/* The reason is worth more than the end of a long name, also behind a prefix or two. */
int err_sys(struct err *err, int errnum, const char *format, ...)
{
    if (err == NULL)
        return -1;

    char reason[128];
    (void)snprintf(reason, sizeof(reason), "%s", strerror(errnum));
    size_t room = sizeof(err->message) - FOR_PREFIXES - strlen(": ") - strlen(reason);
    va_list args;
    va_start(args, format);
    int used = vsnprintf(err->message, room, format, args);
    va_end(args);
    if (used < 0)
        used = 0;
    bool cut = (size_t)used >= room;
    size_t at = cut ? room - 1 - strlen("...") : (size_t)used;
    (void)snprintf(err->message + at, sizeof(err->message) - at, "%s: %s", cut ? "..." : "",
                   reason);
    err->cause = NULL;
    return -1;
}

int err_prefix(struct err *err, const char *format, ...)
{
    if (err == NULL)
        return -1;

    char inner[sizeof(err->message)];
    memcpy(inner, err->message, sizeof(inner));

    va_list args;
    va_start(args, format);
    int used = vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    if (used < 0 || (size_t)used >= sizeof(err->message))
        return -1;
    size_t room = sizeof(err->message) - (size_t)used;
    if (snprintf(err->message + used, room, ": %s", inner) >= (int)room)
        err->message[sizeof(err->message) - 1] = '\0'; /* cut, as promised */
    return -1;
}

int err_cause(struct err *err, const char *cause)
{
    if (err != NULL)
        err->cause = cause;
    return -1;
}
