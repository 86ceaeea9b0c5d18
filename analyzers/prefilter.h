/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prefilter: which of many literals occur in a text, in one pass (Aho and Corasick, CACM 18, 1975).
 * The case of ASCII letters is ignored.
 */
#ifndef BOOTDIAG_PREFILTER_H
#define BOOTDIAG_PREFILTER_H

#include <stddef.h>
#include <stdint.h>

struct prefilter;

/* A literal and the number under which it is reported; several may share one. An empty one occurs
 * in every text. */
struct prefilter_literal {
    const char *text;
    size_t id; /* less than `n_ids` */
};

/* Copies what it needs. */
struct prefilter *prefilter_new(const struct prefilter_literal *literals, size_t n, size_t n_ids);
void prefilter_free(struct prefilter *prefilter);

/* 64-bit words of a set of `n_ids` numbers. */
size_t prefilter_words(size_t n_ids);

/* Sets bit i of `ret_set` if a literal of id i occurs in `text`, and clears the others. */
void prefilter_scan(const struct prefilter *prefilter, const char *text, size_t len,
                    uint64_t *ret_set);

#endif
