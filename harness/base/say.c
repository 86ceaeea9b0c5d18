/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/base/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/auto.h"
#include "harness/base/mem.h"
#include "harness/base/text.h"

/* Messages quote paths and remote text: nothing but printable bytes and UTF-8 reaches the terminal.
 */
static void put(const char *kind, const char *text)
{
    size_t len = strlen(text);
    auto_free char *clean = mem_calloc(len + 1, 4); /* \xHH for each byte at worst */
    (void)text_printable(clean, 4 * (len + 1), text, len);
    fprintf(stderr, "bootdiag: %s%s\n", kind, clean);
}

void say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    auto_free char *text = mem_vprintf(format, args);
    va_end(args);
    put("", text);
}

void say_warning(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    auto_free char *text = mem_vprintf(format, args);
    va_end(args);
    put("warning: ", text);
}

int say_error(const struct err *err)
{
    put("error: ", err->message);
    return 2;
}

bool say_colour(int fd, const char *when)
{
    if (when != NULL && strcmp(when, "always") == 0)
        return true;
    if (when != NULL && strcmp(when, "never") == 0)
        return false;
    const char *no_color = getenv("NO_COLOR");
    return (no_color == NULL || no_color[0] == '\0') && isatty(fd) == 1;
}
