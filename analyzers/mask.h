/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mask: what in a line differs between two healthy boots. Each function says how many bytes at the
 * start of a word are of its kind; 0: none.
 */
#ifndef BOOTDIAG_MASK_H
#define BOOTDIAG_MASK_H

#include "analyzers/chars.h"

/* From the start of a word to the end of the line. */
struct span {
    const char *at, *end;
};

/* True if nothing that would belong to the same word follows `at + n`. */
static inline bool span_ends_at(const struct span *span, size_t n)
{
    return span->at + n >= span->end || !is_word(span->at[n]);
}

/* The byte at `at + n`; NUL behind the end. */
static inline char span_peek(const struct span *span, size_t n)
{
    return span->at + n < span->end ? span->at[n] : '\0';
}

/* A UUID, MAC, date, address, hash, duration or size; `*ret_mask` is what stands for it. */
size_t mask_match(const struct span *span, const char **ret_mask);

/* A date in words, as date(1) and ctime(3) write it: "Thu Nov  6 20:47:04 UTC 2025". */
size_t mask_worded_date(const struct span *span);

/* A number, perhaps with a fraction. */
size_t mask_decimal(const struct span *span);

/* Three numbers or more with dots: not masked, it is a version. */
size_t mask_version(const struct span *span);

#endif
