/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This boot's lines stand in their own order; what is missing is put behind the line that precedes
 * it in the others. Between two lines that are the same, a missing and a novel one that are nearly
 * alike become one row.
 */
#include "analyzers/alignment.h"

#include <stdlib.h>

#include "analyzers/boot_lines.h"
#include "harness/base/mem.h"

enum { MAX_GAP = 64 }; /* rows between two same ones among which pairs are looked for */

/* A row, and where it belongs. */
struct placed {
    uint32_t behind; /* rank of a line of this boot, from 1; 0: before the first */
    uint32_t order;  /* among those behind the same one */
    const struct good_line *other;
    const struct boot_line *here;
};

struct places {
    struct placed *items; /* owned */
    size_t len, cap;
};

static void place(struct places *places, const struct placed *placed)
{
    places->items = mem_grow(places->items, places->len, &places->cap, sizeof(*places->items));
    places->items[places->len++] = *placed;
}

static int compare_places(const void *a, const void *b)
{
    const struct placed *left = a, *right = b;
    if (left->behind != right->behind)
        return left->behind < right->behind ? -1 : 1;
    return (left->order > right->order) - (left->order < right->order);
}

static int compare_others(const void *a, const void *b)
{
    const struct good_line *left = *(const struct good_line *const *)a;
    const struct good_line *right = *(const struct good_line *const *)b;
    if (left->median_rank != right->median_rank)
        return left->median_rank < right->median_rank ? -1 : 1;
    return (left->hash > right->hash) - (left->hash < right->hash);
}

static bool in_all(const struct baseline *others, const struct good_line *line)
{
    return line->runs == (int)others->n_runs;
}

static void place_here(struct alignment *alignment, struct places *places,
                       const struct boot_lines *here, const struct baseline *others)
{
    for (size_t i = 0; i < here->len; i++) {
        const struct boot_line *line = &here->items[i];
        const struct good_line *other = baseline_find(others, line->hash);
        alignment->repeats += line->count - 1;
        alignment->only_some_too += other != NULL && !in_all(others, other);
        place(places, &(struct placed){.behind = line->rank + 1, .other = other, .here = line});
    }
}

static void place_missing(struct alignment *alignment, struct places *places,
                          const struct boot_lines *here, const struct baseline *others)
{
    const struct good_line **path =
        mem_calloc(others->n_lines + 1, sizeof(const struct good_line *));
    uint32_t behind = 0, order = 0;
    for (size_t i = 0; i < others->n_lines; i++)
        path[i] = &others->lines[i];
    qsort(path, others->n_lines, sizeof(path[0]), compare_others);
    for (size_t i = 0; i < others->n_lines; i++) {
        const struct boot_line *seen = boot_lines_find(here, path[i]->hash);
        if (seen != NULL) {
            behind = seen->rank + 1;
        } else if (in_all(others, path[i])) {
            place(places, &(struct placed){behind, ++order, path[i], NULL});
        } else {
            alignment->only_some++;
        }
    }
    free(path);
}

static bool is_gap(const struct placed *placed)
{
    return placed->other == NULL || placed->here == NULL;
}

/* The novel line in items[from, to) that is most like the missing one; NULL: none is. */
static struct placed *find_twin(struct placed *items, size_t from, size_t to,
                                const struct good_line *missing)
{
    struct placed *twin = NULL;
    double best = 0.5;
    for (size_t i = from; i < to; i++) {
        struct words words;
        if (items[i].here == NULL || items[i].other != NULL)
            continue;
        words_init(&words, items[i].here->form);
        double similarity = words_similarity(&missing->words, &words);
        if (similarity > best) {
            best = similarity;
            twin = &items[i];
        }
    }
    return twin;
}

/* A missing line moves to the row of its twin; what is left of its own row is empty. */
static void pair_gap(struct placed *items, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (items[i].here != NULL || items[i].other == NULL)
            continue;
        struct placed *twin = find_twin(items, from, to, items[i].other);
        if (twin == NULL)
            continue;
        twin->other = items[i].other;
        items[i].other = NULL;
    }
}

static void pair_twins(struct places *places)
{
    for (size_t from = 0, to; from < places->len; from = to + 1) {
        for (to = from; to < places->len && is_gap(&places->items[to]); to++)
            continue;
        if (to - from > 1 && to - from <= MAX_GAP)
            pair_gap(places->items, from, to);
    }
}

static enum aligned kind_of(const struct placed *placed)
{
    if (placed->other == NULL)
        return ALIGNED_NOVEL;
    if (placed->here == NULL)
        return ALIGNED_MISSING;
    return placed->here->hash == placed->other->hash ? ALIGNED_SAME : ALIGNED_CHANGED;
}

static void add_row(struct alignment *alignment, const struct placed *placed)
{
    const struct good_line *other = placed->other;
    const struct boot_line *here = placed->here;
    alignment->rows[alignment->len++] = (struct aligned_row){
        .kind = kind_of(placed),
        .other = other != NULL ? mem_strdup(other->text) : NULL,
        .here = here != NULL ? mem_strdup(here->text) : NULL,
        .other_ms = other != NULL ? other->median_ms : -1,
        .here_ms = here != NULL ? here->at_ms : -1,
        .line = here != NULL ? here->number : 0,
        .count = here != NULL ? here->count : 0,
    };
}

void alignment_init(struct alignment *alignment, const struct record *record,
                    const struct baseline *others)
{
    auto_boot_lines struct boot_lines here = {0};
    struct places places = {0};
    boot_lines_init(&here, record);
    *alignment = (struct alignment){
        .n_others = others->n_runs,
        .dropped = here.dropped + others->dropped,
    };
    place_here(alignment, &places, &here, others);
    place_missing(alignment, &places, &here, others);
    if (places.len > 1)
        qsort(places.items, places.len, sizeof(*places.items), compare_places);
    pair_twins(&places);
    alignment->rows = mem_calloc(places.len + 1, sizeof(*alignment->rows));
    for (size_t i = 0; i < places.len; i++)
        if (places.items[i].other != NULL || places.items[i].here != NULL)
            add_row(alignment, &places.items[i]);
    free(places.items);
}

void alignment_release(struct alignment *alignment)
{
    for (size_t i = 0; i < alignment->len; i++) {
        free(alignment->rows[i].other);
        free(alignment->rows[i].here);
    }
    free(alignment->rows);
    *alignment = (struct alignment){0};
}
