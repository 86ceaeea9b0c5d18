/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trie made into a complete automaton: one table look-up per byte. Bytes that occur in no literal
 * share one column, which keeps the table in the cache. A state knows the next state on its chain
 * of suffixes at which a literal ends.
 */
#include "analyzers/prefilter.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/mem.h"

enum { NONE = UINT32_MAX, ROOT = 0 };

struct state {
    uint32_t fail;   /* the longest proper suffix that is also in the trie */
    uint32_t ends;   /* first of `same` that ends here, or NONE */
    uint32_t report; /* this state or the next suffix at which a literal ends; ROOT: none */
};

struct prefilter {
    size_t n_words;
    size_t n_states, cap_states;
    size_t width; /* columns of `next` */
    uint16_t column[256];
    struct state *states;
    uint32_t *next;   /* [state * width + column]; ROOT where nothing fits */
    uint32_t *same;   /* per literal: another one that ends in the same state, or NONE */
    size_t *ids;      /* per literal */
    uint64_t *always; /* the ids that are in every set */
};

size_t prefilter_words(size_t n_ids)
{
    return (n_ids + 63) / 64;
}

static void set_bit(uint64_t *set, size_t i)
{
    set[i / 64] |= UINT64_C(1) << (i % 64);
}

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Column 0 is for bytes that occur in no literal. */
static void number_columns(struct prefilter *prefilter, const struct prefilter_literal *literals,
                           size_t n)
{
    prefilter->width = 1;
    for (size_t i = 0; i < n; i++) {
        for (const char *at = literals[i].text; *at != '\0'; at++) {
            uint16_t *column = &prefilter->column[(unsigned char)fold(*at)];
            if (*column == 0)
                *column = (uint16_t)prefilter->width++;
        }
    }
    for (int c = 'A'; c <= 'Z'; c++)
        prefilter->column[c] = prefilter->column[(unsigned char)fold((char)c)];
}

static size_t add_state(struct prefilter *prefilter)
{
    size_t i = prefilter->n_states++;
    if (i == prefilter->cap_states) {
        prefilter->cap_states = prefilter->cap_states > 0 ? prefilter->cap_states * 2 : 256;
        prefilter->states =
            mem_realloc(prefilter->states, prefilter->cap_states, sizeof(*prefilter->states));
        prefilter->next = mem_realloc(prefilter->next, prefilter->cap_states,
                                      prefilter->width * sizeof(*prefilter->next));
    }
    prefilter->states[i] = (struct state){.fail = ROOT, .ends = NONE, .report = ROOT};
    memset(prefilter->next + i * prefilter->width, 0, prefilter->width * sizeof(uint32_t));
    return i;
}

static void add_literal(struct prefilter *prefilter, size_t literal, const char *text)
{
    size_t state = ROOT;
    for (; *text != '\0'; text++) {
        size_t edge = state * prefilter->width + prefilter->column[(unsigned char)*text];
        if (prefilter->next[edge] == ROOT) {
            size_t added = add_state(prefilter);
            prefilter->next[edge] = (uint32_t)added;
        }
        state = prefilter->next[edge];
    }
    prefilter->same[literal] = prefilter->states[state].ends;
    prefilter->states[state].ends = (uint32_t)literal;
}

/* Breadth first, so that a state's suffix, which is shorter, is complete before it. */
static void complete(struct prefilter *prefilter)
{
    uint32_t *queue = mem_calloc(prefilter->n_states, sizeof(*queue));
    size_t head = 0, tail = 0;
    queue[tail++] = ROOT;
    while (head < tail) {
        uint32_t parent = queue[head++];
        uint32_t *edges = prefilter->next + parent * prefilter->width;
        const uint32_t *fallback =
            prefilter->next + prefilter->states[parent].fail * prefilter->width;
        for (size_t c = 0; c < prefilter->width; c++) {
            uint32_t child = edges[c];
            struct state *state = prefilter->states + child;
            if (child == ROOT) {
                edges[c] = fallback[c];
                continue;
            }
            state->fail = parent == ROOT ? ROOT : fallback[c];
            state->report = state->ends != NONE ? child : prefilter->states[state->fail].report;
            queue[tail++] = child;
        }
    }
    free(queue);
}

struct prefilter *prefilter_new(const struct prefilter_literal *literals, size_t n, size_t n_ids)
{
    struct prefilter *prefilter = mem_calloc(1, sizeof(*prefilter));
    prefilter->n_words = prefilter_words(n_ids);
    prefilter->same = mem_calloc(n + 1, sizeof(*prefilter->same));
    prefilter->ids = mem_calloc(n + 1, sizeof(*prefilter->ids));
    prefilter->always = mem_calloc(prefilter->n_words + 1, sizeof(*prefilter->always));
    number_columns(prefilter, literals, n);
    add_state(prefilter);
    for (size_t i = 0; i < n; i++) {
        prefilter->ids[i] = literals[i].id;
        if (*literals[i].text != '\0')
            add_literal(prefilter, i, literals[i].text);
        else
            set_bit(prefilter->always, literals[i].id);
    }
    complete(prefilter);
    return prefilter;
}

void prefilter_free(struct prefilter *prefilter)
{
    if (prefilter == NULL)
        return;
    free(prefilter->states);
    free(prefilter->next);
    free(prefilter->same);
    free(prefilter->ids);
    free(prefilter->always);
    free(prefilter);
}

static void report(const struct prefilter *prefilter, uint32_t state, uint64_t *set)
{
    for (uint32_t at = prefilter->states[state].report; at != ROOT;
         at = prefilter->states[prefilter->states[at].fail].report) {
        for (uint32_t i = prefilter->states[at].ends; i != NONE; i = prefilter->same[i])
            set_bit(set, prefilter->ids[i]);
    }
}

void prefilter_scan(const struct prefilter *prefilter, const char *text, size_t len,
                    uint64_t *ret_set)
{
    uint32_t state = ROOT;
    memcpy(ret_set, prefilter->always, prefilter->n_words * sizeof(*ret_set));
    for (size_t i = 0; i < len; i++) {
        state =
            prefilter->next[state * prefilter->width + prefilter->column[(unsigned char)text[i]]];
        if (prefilter->states[state].report != ROOT)
            report(prefilter, state, ret_set);
    }
}
