/* SPDX-License-Identifier: Apache-2.0 */
/* Each good boot's distinct lines are merged into one table; medians are brought up to date per
 * boot. */
#include "analyzers/baseline.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/mem.h"

struct baseline *baseline_new(const char *identity)
{
    struct baseline *baseline = mem_calloc(1, sizeof(*baseline));
    baseline->identity = mem_strdup(identity);
    hash_index_init(&baseline->index, BASELINE_MAX_LINES);
    return baseline;
}

void baseline_free(struct baseline *baseline)
{
    if (baseline == NULL)
        return;
    for (size_t i = 0; i < baseline->n_lines; i++) {
        struct good_line *line = &baseline->lines[i];
        free(line->text);
        free(line->form);
        free(line->ranks);
        free(line->times_ms);
    }
    free(baseline->lines);
    free(baseline->runs);
    free(baseline->identity);
    hash_index_release(&baseline->index);
    free(baseline);
}

static int compare_ranks(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static int compare_times(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* Kept sorted, so that the median stands in the middle; unknown times come first and are left out.
 */
static void update_medians(struct good_line *line)
{
    size_t n = (size_t)line->runs, unknown = 0;
    qsort(line->ranks, n, sizeof(*line->ranks), compare_ranks);
    qsort(line->times_ms, n, sizeof(*line->times_ms), compare_times);
    while (unknown < n && line->times_ms[unknown] < 0)
        unknown++;
    line->median_rank = line->ranks[n / 2];
    line->median_ms = unknown < n ? line->times_ms[unknown + (n - unknown) / 2] : -1;
}

static void merge_line(struct baseline *baseline, const struct boot_line *from)
{
    uint32_t i = hash_index_add(&baseline->index, from->hash);
    if (i == HASH_INDEX_NONE) {
        baseline->dropped += from->count;
        return;
    }
    if (i == baseline->n_lines) {
        baseline->lines = mem_grow(baseline->lines, baseline->n_lines, &baseline->cap_lines,
                                   sizeof(*baseline->lines));
        struct good_line *added = &baseline->lines[baseline->n_lines++];
        *added = (struct good_line){
            .hash = from->hash,
            .text = mem_strdup(from->text),
            .form = mem_strdup(from->form),
            .source = from->source,
        };
        words_init(&added->words, added->form);
    }
    struct good_line *line = &baseline->lines[i];
    size_t n = (size_t)line->runs++;
    line->ranks = mem_realloc(line->ranks, n + 1, sizeof(*line->ranks));
    line->times_ms = mem_realloc(line->times_ms, n + 1, sizeof(*line->times_ms));
    line->ranks[n] = from->rank;
    line->times_ms[n] = from->at_ms;
    line->sure |= from->sure;
    update_medians(line);
}

static void add_run(struct baseline *baseline, const struct record *good,
                    const struct milestone *milestones, int64_t end_ms)
{
    baseline->runs =
        mem_grow(baseline->runs, baseline->n_runs, &baseline->cap_runs, sizeof(*baseline->runs));
    struct good_run *run = &baseline->runs[baseline->n_runs++];
    *run = (struct good_run){.end_ms = end_ms, .parallel_boots = good->host.parallel_boots};
    for (size_t i = 0; i < STAGE_N; i++)
        run->milestones_ms[i] = milestones[i].reached ? milestones[i].at_ms : -1;
}

void baseline_take(struct baseline *baseline, const struct record *good,
                   const struct milestone milestones[static STAGE_N],
                   const struct boot_lines *lines)
{
    for (size_t i = 0; i < lines->len; i++)
        merge_line(baseline, &lines->items[i]);
    baseline->dropped += lines->dropped;
    add_run(baseline, good, milestones, lines->last_ms);
}

size_t baseline_len(const struct baseline *baseline)
{
    return baseline->n_runs;
}

const struct good_line *baseline_find(const struct baseline *baseline, uint64_t hash)
{
    uint32_t i = hash_index_find(&baseline->index, hash);
    return i == HASH_INDEX_NONE ? NULL : &baseline->lines[i];
}
