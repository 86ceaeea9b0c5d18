/* SPDX-License-Identifier: Apache-2.0 */
/* prefilter: which of many literals occur in a text, in one pass (Aho and Corasick, CACM 18, 1975).
 */
#ifndef BOOTDIAG_PREFILTER_H
#define BOOTDIAG_PREFILTER_H

#include <stddef.h>
#include <stdint.h>

struct prefilter;

/* For literals 0..n-1; copies what it needs. A literal that is NULL or empty occurs in every text.
 */
struct prefilter *prefilter_new(const char *const *literals, size_t n);
void prefilter_free(struct prefilter *prefilter);

/* 64-bit words of a set of `n` literals. */
size_t prefilter_words(size_t n);

/* Sets bit i of `ret_set` for each literal i that occurs in `text`, and clears the others. */
void prefilter_scan(const struct prefilter *prefilter, const char *text, size_t len,
                    uint64_t *ret_set);

#endif
