/* SPDX-License-Identifier: Apache-2.0 */
/* chars: classes of bytes, whatever the locale, and small questions about runs of them. Bytes from
 * 0x80 belong to words. */
#ifndef BOOTDIAG_CHARS_H
#define BOOTDIAG_CHARS_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* What systemd puts where it shortens a line: U+2026. */
#define ELLIPSIS "\xe2\x80\xa6"

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

static inline bool ends_in(const char *text, size_t len, const char *tail)
{
    size_t n = strlen(tail);
    return n <= len && memcmp(text + len - n, tail, n) == 0;
}

/* True if the word is one of the n; the second one takes capitals and small letters for the same.
 */
static inline bool word_among(const char *word, size_t len, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(words[i]) == len && memcmp(words[i], word, len) == 0)
            return true;
    return false;
}

static inline bool word_among_anycase(const char *word, size_t len, const char *const *words,
                                      size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(words[i]) == len && strncasecmp(words[i], word, len) == 0)
            return true;
    return false;
}

#endif
