/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzers/similar.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/chars.h"
#include "harness/base/hash.h"

static const char *const status_words[] = {
    "not",     "no",      "failed",  "fail",      "failure", "fails",   "error",   "errors",
    "timeout", "timed",   "refused", "denied",    "down",    "up",      "cannot",  "unable",
    "missing", "invalid", "dead",    "died",      "killed",  "lost",    "gained",  "ok",
    "started", "stopped", "skipped", "finished",  "ready",   "unknown", "aborted", "unreachable",
    "panic",   "never",   "without", "corrupted", "full",    "exited",  "hung",    "starting",
};

static bool is_status_word(const char *word, size_t len)
{
    return word_among_anycase(word, len, status_words,
                              sizeof(status_words) / sizeof(status_words[0]));
}

static bool is_telling(const char *word, size_t len)
{
    bool digit = false, capitals = len >= 2;
    for (size_t i = 0; i < len; i++) {
        digit |= is_digit(word[i]);
        capitals &= word[i] >= 'A' && word[i] <= 'Z';
    }
    return digit || capitals || is_status_word(word, len);
}

static uint32_t word_hash(const char *word, size_t len)
{
    uint64_t hash = hash_add(HASH_START, word, len);
    return (uint32_t)(hash ^ hash >> 32);
}

static int compare(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

void words_init(struct words *words, const char *form)
{
    static const char separators[] = " \t,.;:=()[]{}'\"/";
    size_t kept = 0;
    *words = (struct words){0};
    for (const char *at = form + strspn(form, separators);
         *at != '\0' && words->len < SIMILAR_MAX_WORDS;) {
        size_t len = strcspn(at, separators);
        uint32_t hash = word_hash(at, len);
        words->hashes[words->len++] = hash;
        if (is_telling(at, len))
            words->telling += (uint64_t)hash * UINT64_C(0x9e3779b97f4a7c15);
        at += len;
        at += strspn(at, separators);
    }
    qsort(words->hashes, words->len, sizeof(*words->hashes), compare);
    for (size_t i = 0; i < words->len; i++) {
        if (kept == 0 || words->hashes[kept - 1] != words->hashes[i])
            words->hashes[kept++] = words->hashes[i];
    }
    words->len = kept;
}

double words_similarity(const struct words *a, const struct words *b)
{
    size_t i = 0, j = 0, common = 0;
    if (a->len == 0 || b->len == 0)
        return 0;
    while (i < a->len && j < b->len) {
        bool same = a->hashes[i] == b->hashes[j];
        bool less = a->hashes[i] < b->hashes[j];
        common += same;
        i += same || less;
        j += same || !less;
    }
    return (double)common / (double)(a->len + b->len - common);
}

bool words_fold(const struct words *a, const struct words *b)
{
    return a->telling == b->telling && words_similarity(a, b) >= 0.7;
}
