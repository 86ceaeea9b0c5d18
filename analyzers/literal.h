/* SPDX-License-Identifier: Apache-2.0 */
/*
 * literal: texts of which every match of a pattern contains at least one, read off the pattern.
 *
 * Letters in either case stand for both: whoever looks for the texts must ignore the case of ASCII
 * letters.
 */
#ifndef BOOTDIAG_LITERAL_H
#define BOOTDIAG_LITERAL_H

#include <stddef.h>

enum { LITERAL_MAX_TEXTS = 64, LITERAL_MIN_LEN = 2 };

struct literals {
    char **texts; /* owned */
    size_t n;     /* 0: nothing is known of the pattern's matches */
};

/* `pattern` is PCRE2, without macros, not extended (?x). */
void literals_init(struct literals *literals, const char *pattern);
void literals_release(struct literals *literals);

#define auto_literals __attribute__((cleanup(literals_release)))

#endif
