/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzers/spectrum.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/boot_lines.h"
#include "harness/base/mem.h"

enum { MIN_BOOTS = 2 };

/* What hardly separates is no news: shares of failed and of good boots that differ by less. A line
 * of all boots has a high score too, where most boots fail. */
static const double LEAST_DIFFERENCE = 0.5;

struct spectrum_line {
    char *text; /* owned */
    uint32_t failed, good;
    uint32_t rank; /* the earliest place where it came */
};

/* A line with its score, while they are put in order. */
struct scored {
    const struct spectrum_line *line;
    double score;
    bool absent;
};

void spectrum_init(struct spectrum *spectrum)
{
    *spectrum = (struct spectrum){0};
    hash_index_init(&spectrum->index, BOOT_LINES_MAX);
}

void spectrum_release(struct spectrum *spectrum)
{
    for (size_t i = 0; i < spectrum->n_lines; i++)
        free(spectrum->lines[i].text);
    free(spectrum->lines);
    hash_index_release(&spectrum->index);
    *spectrum = (struct spectrum){0};
}

/* NULL: there is no room for another template. */
static struct spectrum_line *line_of(struct spectrum *spectrum, uint64_t hash, const char *text,
                                     uint32_t rank)
{
    uint32_t i = hash_index_add(&spectrum->index, hash);
    if (i == HASH_INDEX_NONE)
        return NULL;
    if (i == spectrum->n_lines) {
        spectrum->lines = mem_grow(spectrum->lines, spectrum->n_lines, &spectrum->cap_lines,
                                   sizeof(*spectrum->lines));
        spectrum->lines[spectrum->n_lines++] =
            (struct spectrum_line){.text = mem_strdup(text), .rank = rank};
    }
    struct spectrum_line *line = &spectrum->lines[i];
    if (rank < line->rank)
        line->rank = rank;
    return line;
}

void spectrum_add(struct spectrum *spectrum, const struct record *record, bool failed)
{
    auto_boot_lines struct boot_lines lines = {0};
    boot_lines_init(&lines, record);
    for (size_t i = 0; i < lines.len; i++) {
        const struct boot_line *from = &lines.items[i];
        struct spectrum_line *line =
            from->sure ? line_of(spectrum, from->hash, from->text, from->rank) : NULL;
        if (line == NULL)
            continue;
        line->failed += failed;
        line->good += !failed;
    }
    spectrum->n_failed += failed;
    spectrum->n_good += !failed;
}

void spectrum_add_baseline(struct spectrum *spectrum, const struct baseline *baseline)
{
    for (size_t i = 0; i < baseline->n_lines; i++) {
        const struct good_line *from = &baseline->lines[i];
        struct spectrum_line *line =
            from->sure ? line_of(spectrum, from->hash, from->text, from->median_rank) : NULL;
        if (line != NULL)
            line->good += (uint32_t)from->runs;
    }
    spectrum->n_good += (uint32_t)baseline->n_runs;
}

static double ochiai(uint32_t failed_with, uint32_t good_with, uint32_t n_failed)
{
    double with = (double)failed_with + good_with;
    return failed_with > 0 ? failed_with / sqrt(n_failed * with) : 0;
}

static struct scored score(const struct spectrum *spectrum, const struct spectrum_line *line)
{
    double present = ochiai(line->failed, line->good, spectrum->n_failed);
    double absent = ochiai(spectrum->n_failed - line->failed, spectrum->n_good - line->good,
                           spectrum->n_failed);
    return (struct scored){line, fmax(present, absent), absent > present};
}

static bool separates(const struct spectrum *spectrum, const struct spectrum_line *line)
{
    double failed = (double)line->failed / spectrum->n_failed;
    double good = (double)line->good / spectrum->n_good;
    return fabs(failed - good) >= LEAST_DIFFERENCE;
}

/* Best first; of equal ones what is there before what is not, then the earlier. */
static int compare_scored(const void *a, const void *b)
{
    const struct scored *left = a, *right = b;
    if (left->score > right->score || left->score < right->score)
        return left->score > right->score ? -1 : 1;
    if (left->absent != right->absent)
        return left->absent ? 1 : -1;
    if (left->line->rank != right->line->rank)
        return left->line->rank < right->line->rank ? -1 : 1;
    return strcmp(left->line->text, right->line->text);
}

size_t spectrum_rank(const struct spectrum *spectrum, struct telling_line *ret_lines, size_t max)
{
    size_t len = 0, n = 0, absent = 0;
    if (spectrum->n_failed < MIN_BOOTS || spectrum->n_good < MIN_BOOTS)
        return 0;
    struct scored *scores = mem_calloc(spectrum->n_lines + 1, sizeof(*scores));
    for (size_t i = 0; i < spectrum->n_lines; i++)
        if (separates(spectrum, &spectrum->lines[i]))
            scores[len++] = score(spectrum, &spectrum->lines[i]);
    if (len > 1)
        qsort(scores, len, sizeof(*scores), compare_scored);
    for (size_t i = 0; i < len && n < max; i++) {
        if (scores[i].absent && 2 * absent >= max)
            continue;
        absent += scores[i].absent;
        ret_lines[n++] = (struct telling_line){
            .text = scores[i].line->text,
            .absent = scores[i].absent,
            .failed = scores[i].line->failed,
            .good = scores[i].line->good,
            .score = scores[i].score,
        };
    }
    free(scores);
    return n;
}
