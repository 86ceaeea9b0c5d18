/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/base/clock.h"

#include <stdio.h>

int64_t clock_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A time stamp of a file may be any number: what is no date leaves an empty text. Returns its
 * length. */
static size_t date_text(time_t seconds, char ret_text[static CLOCK_TEXT_SIZE])
{
    struct tm utc;
    size_t used = 0;
    if (gmtime_r(&seconds, &utc) != NULL)
        used = strftime(ret_text, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
    ret_text[used] = '\0';
    return used;
}

void clock_now_text(char ret_text[static CLOCK_TEXT_SIZE])
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    size_t used = date_text(now.tv_sec, ret_text);
    (void)snprintf(ret_text + used, CLOCK_TEXT_SIZE - used, ".%03dZ", (int)(now.tv_nsec / 1000000));
}

void clock_text(time_t seconds, char ret_text[static CLOCK_TEXT_SIZE])
{
    size_t used = date_text(seconds, ret_text);
    if (used > 0)
        (void)snprintf(ret_text + used, CLOCK_TEXT_SIZE - used, "Z");
}
