/* SPDX-License-Identifier: Apache-2.0 */
/* chars: classes of bytes, whatever the locale. Bytes from 0x80 belong to words. */
#ifndef BOOTDIAG_CHARS_H
#define BOOTDIAG_CHARS_H

#include <stdbool.h>
#include <stddef.h>

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static inline bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool is_word(char c)
{
    return is_letter(c) || is_digit(c) || c == '_' || (unsigned char)c >= 0x80;
}

/* How many of the first `max` bytes before `end` are of a class. */
static inline size_t run_of(const char *at, const char *end, size_t max, bool (*is)(char))
{
    size_t n = 0;

    while (n < max && at + n < end && is(at[n]))
        n++;
    return n;
}

#endif
