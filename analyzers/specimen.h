/* SPDX-License-Identifier: Apache-2.0 */
/*
 * specimen: texts made from a pattern's syntax: such as it should match, and such as cost a
 * backtracking matcher the most. For checking rules; whoever takes a specimen for a match tries it.
 */
#ifndef BOOTDIAG_SPECIMEN_H
#define BOOTDIAG_SPECIMEN_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/base/buf.h"

enum { SPECIMEN_MAX_PUMPS = 32 };

/* Repetitions without an upper limit. */
struct specimen_pumps {
    size_t at[SPECIMEN_MAX_PUMPS]; /* of the quantifiers: offsets in the pattern */
    size_t n;
    bool nested;      /* one stands in a group that is itself repeated without limit, ... */
    size_t nested_at; /* ... whose quantifier is here */
};

/* False: the pattern has syntax that is not understood here, and nothing is known of it. `pattern`
 * is PCRE2 without macros. */
bool specimen_pumps(struct specimen_pumps *ret_pumps, const char *pattern);

/*
 * Appends a text: alternations take their branch number `variant` (modulo), what may be absent is
 * there in odd variants only. False as above.
 */
bool specimen_make(const char *pattern, unsigned variant, struct buf *ret_text);

/* The same up to and with what the quantifier at offset `pump` repeats, `times` times. */
bool specimen_pump(const char *pattern, unsigned variant, size_t pump, size_t times,
                   struct buf *ret_text);

#endif
