/* SPDX-License-Identifier: Apache-2.0 */
/*
 * similar: how alike two line templates are. It only annotates and folds, never decides what is
 * novel: "ok" and "FAILED" are one word apart.
 */
#ifndef BOOTDIAG_SIMILAR_H
#define BOOTDIAG_SIMILAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIMILAR_MAX_WORDS = 32 };

struct words {
    uint32_t hashes[SIMILAR_MAX_WORDS]; /* ascending, each once */
    size_t len;
    uint64_t telling; /* sum over the telling ones */
};

/* The words of a template (see normalize.h). "not", "failed", "refused" ..., words with a digit and
 * words in capitals are telling. */
void words_init(struct words *words, const char *form);

/* 0..1: the share of common words (Jaccard). */
double words_similarity(const struct words *a, const struct words *b);

/* True if the two may say the same: similar, and no telling word differs. */
bool words_fold(const struct words *a, const struct words *b);

#endif
