/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines that good boots print, in their median order, are the good path; this boot is walked
 * along it.
 */
#include "analyzers/diff.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/boot_lines.h"
#include "analyzers/chars.h"
#include "analyzers/late.h"
#include "analyzers/novel.h"
#include "harness/base/mem.h"

enum {
    TORN_MIN = 8,        /* a torn line stands for those that begin with so much of it */
    LOOK_AHEAD = 4,      /* lines behind an absent one that tell whether the boot went on */
    MAX_NOT_DUE = 5,     /* absent lines that are listed although they were not due yet */
    MANY_RUNS = 5,       /* good boots of which one may lack a line of the path */
    PACE_SLACK_MS = 250, /* a good boot may be that much later than the median, ... */
    PACE_SLACK_PART = 5, /* ... and one such part of the time that it took */
};

/* A line of the good path. */
struct step {
    const struct good_line *good;
    bool seen;
    bool stray; /* absent, and the boot went on without it */
    bool due;   /* it should have come before observation ended */
};

struct comparison {
    const struct baseline *baseline;
    bool came_up;
    bool ran_out;   /* of time: what was not due says nothing */
    int64_t end_ms; /* of the observation; -1: unknown */
    struct boot_lines here;
    struct step *path; /* owned */
    size_t n_path;
    struct novel_lines novel;
};

static int compare_steps(const void *a, const void *b)
{
    const struct good_line *left = ((const struct step *)a)->good;
    const struct good_line *right = ((const struct step *)b)->good;
    if (left->median_rank != right->median_rank)
        return left->median_rank < right->median_rank ? -1 : 1;
    return (left->hash > right->hash) - (left->hash < right->hash);
}

/* In all good boots; of many, one may lack it. */
static bool is_expected(const struct baseline *baseline, const struct good_line *line)
{
    int all = (int)baseline->n_runs;
    return line->sure && line->runs >= (all >= MANY_RUNS ? all - 1 : all);
}

static bool is_torn_here(const struct boot_lines *here, const struct good_line *good)
{
    for (size_t i = 0; i < here->n_torn; i++) {
        size_t len = strlen(here->torn[i]);
        if (len >= TORN_MIN && strncmp(here->torn[i], good->form, len) == 0)
            return true;
    }
    return false;
}

/* A boot that came up stops being watched at about the time when good boots did: allow for its
 * pace. */
static bool is_due(const struct comparison *comparison, const struct good_line *good)
{
    int64_t slack = comparison->came_up ? PACE_SLACK_MS + good->median_ms / PACE_SLACK_PART : 0;
    if (comparison->end_ms < 0 || good->median_ms < 0)
        return !comparison->came_up;
    return good->median_ms + slack <= comparison->end_ms;
}

/* A single kernel line: probing of hardware varies. */
static bool went_on(const struct comparison *comparison, size_t i)
{
    size_t n = 0, seen = 0;
    for (size_t j = i + 1; j < comparison->n_path && n < LOOK_AHEAD; j++, n++)
        seen += comparison->path[j].seen;
    return n > 0 && seen + 1 >= n;
}

/* `status` may be shortened in the middle by an ellipsis. */
static bool is_same_text(const char *status, const char *journal)
{
    const char *cut = strstr(status, ELLIPSIS);
    size_t len = strlen(journal);
    if (cut == NULL)
        return strcmp(status, journal) == 0;
    size_t head = (size_t)(cut - status), tail = strlen(cut) - strlen(ELLIPSIS);
    return head + tail <= len && strncmp(status, journal, head) == 0 &&
           ends_in(journal, len, cut + strlen(ELLIPSIS));
}

/* systemd stops printing status lines when a login prompt owns the console, which a slow boot
 * reaches earlier in its course; the journal says the same. */
static bool is_in_journal(const struct comparison *comparison, const struct good_line *status)
{
    const char *text = strstr(status->form, "] ");
    for (size_t i = 0; text != NULL && i < comparison->n_path; i++) {
        const struct step *step = &comparison->path[i];
        const char *said = strstr(step->good->form, ": ");
        if (step->seen && step->good->source == LINE_JOURNAL && said != NULL &&
            is_same_text(text + 2, said + 2))
            return true;
    }
    return false;
}

static void mark_strays(struct comparison *comparison)
{
    for (size_t i = 0; i < comparison->n_path; i++) {
        struct step *step = &comparison->path[i];
        if (step->seen)
            continue;
        if (step->good->source == LINE_KERNEL)
            step->stray = went_on(comparison, i);
        else if (step->good->source == LINE_STATUS)
            step->stray = is_in_journal(comparison, step->good);
    }
}

static void walk(struct comparison *comparison)
{
    const struct baseline *baseline = comparison->baseline;
    comparison->path = mem_calloc(baseline->n_lines + 1, sizeof(*comparison->path));
    for (size_t i = 0; i < baseline->n_lines; i++) {
        const struct good_line *good = &baseline->lines[i];
        if (!is_expected(baseline, good))
            continue;
        comparison->path[comparison->n_path++] = (struct step){
            .good = good,
            .seen = boot_lines_find(&comparison->here, good->hash) != NULL ||
                    is_torn_here(&comparison->here, good),
            .due = is_due(comparison, good),
        };
    }
    qsort(comparison->path, comparison->n_path, sizeof(*comparison->path), compare_steps);
    mark_strays(comparison);
}

/* A novel line that says the same in nearly the same words: the good line came, damaged. */
static bool came_damaged(const struct comparison *comparison, const struct good_line *good)
{
    for (size_t i = 0; i < comparison->novel.len; i++) {
        const struct novel *novel = &comparison->novel.items[i];
        if (novel->was == good && novel->known_kind && novel->severity == SEVERITY_MARK)
            return true;
    }
    return false;
}

/*
 * The first step that did not come and, unless the boot is known to be broken, was due; n_path:
 * there is none. `ret_followed` is the last line before it that good boots print too; NULL: not
 * even the first came.
 */
static size_t first_absent(const struct comparison *comparison, bool broken,
                           const struct boot_line **ret_followed)
{
    *ret_followed = NULL;
    for (size_t i = 0; i < comparison->n_path; i++) {
        const struct step *step = &comparison->path[i];
        bool in_all = step->good->runs == (int)comparison->baseline->n_runs;
        const struct boot_line *line = boot_lines_find(&comparison->here, step->good->hash);
        if (!step->seen && (step->due || broken) && !step->stray && in_all &&
            !came_damaged(comparison, step->good))
            return i;
        *ret_followed = line != NULL ? line : *ret_followed;
    }
    return comparison->n_path;
}

static const struct boot_line *first_novel(const struct comparison *comparison,
                                           const struct boot_line *behind, enum severity least)
{
    const struct boot_line *first = NULL;
    for (size_t i = 0; i < comparison->novel.len; i++) {
        const struct novel *novel = &comparison->novel.items[i];
        bool fits =
            novel->severity >= least && (behind == NULL || novel->line->rank > behind->rank);
        if (fits && (first == NULL || novel->line->rank < first->rank))
            first = novel->line;
    }
    return first;
}

/* The last line before `line` that good boots print too. */
static const struct boot_line *last_followed(const struct comparison *comparison,
                                             const struct boot_line *line)
{
    const struct boot_line *followed = NULL;
    for (size_t i = 0; i < comparison->here.len; i++) {
        const struct boot_line *item = &comparison->here.items[i];
        if (item->rank < line->rank && (followed == NULL || item->rank > followed->rank) &&
            baseline_find(comparison->baseline, item->hash) != NULL)
            followed = item;
    }
    return followed;
}

/* Whichever comes first: an error that no good boot prints, or the absence of what all print. */
static void fill_divergence(const struct comparison *comparison, struct diff *diff)
{
    const struct boot_line *followed;
    const struct boot_line *seen = first_novel(comparison, NULL, SEVERITY_ERROR);
    bool broken = seen != NULL || (!comparison->came_up && !comparison->ran_out);
    size_t absent = first_absent(comparison, broken, &followed);
    bool error_first = seen != NULL && (absent == comparison->n_path ||
                                        (followed != NULL && seen->rank < followed->rank));
    if (error_first)
        followed = last_followed(comparison, seen);
    else if (absent < comparison->n_path)
        seen = first_novel(comparison, followed, SEVERITY_MARK);
    else
        return;
    diff->diverged = true;
    diff->followed_line = followed != NULL ? followed->number : 0;
    diff->followed_ms = followed != NULL ? followed->at_ms : -1;
    diff->expected = error_first ? NULL : mem_strdup(comparison->path[absent].good->text);
    diff->seen = seen != NULL ? mem_strdup(seen->text) : NULL;
}

static void add_missing(struct diff *diff, const struct good_line *good)
{
    diff->missing[diff->n_missing++] = (struct diff_line){
        .text = mem_strdup(good->text),
        .good_runs = good->runs,
        .expected_at_ms = good->median_ms,
    };
}

/* Strays last: they are the least telling. */
static void fill_missing(const struct comparison *comparison, struct diff *diff)
{
    size_t not_due = comparison->came_up ? MAX_NOT_DUE : 0;
    diff->missing = mem_calloc(DIFF_MAX_MISSING, sizeof(*diff->missing));
    for (int strays = 0; strays < 2; strays++) {
        for (size_t i = 0; i < comparison->n_path && diff->n_missing < DIFF_MAX_MISSING; i++) {
            const struct step *step = &comparison->path[i];
            if (step->seen || step->stray != strays || (!step->due && not_due == MAX_NOT_DUE))
                continue;
            not_due += !step->due;
            add_missing(diff, step->good);
        }
    }
}

static void fill_novel(struct comparison *comparison, struct diff *diff)
{
    novel_lines_sort(&comparison->novel);
    diff->novel = mem_calloc(DIFF_MAX_NOVEL, sizeof(*diff->novel));
    for (size_t i = 0; i < comparison->novel.len && i < DIFF_MAX_NOVEL; i++) {
        const struct novel *novel = &comparison->novel.items[i];
        diff->novel[diff->n_novel++] = (struct diff_line){
            .text = mem_strdup(novel->line->text),
            .line = novel->line->number,
            .expected_at_ms = -1,
            .was = novel->was != NULL ? mem_strdup(novel->was->text) : NULL,
            .count = novel->count,
        };
    }
}

void diff_init(struct diff *diff, const struct baseline *baseline, const struct record *record,
               struct ruleset *rules, const struct milestone milestones[static STAGE_N])
{
    struct comparison comparison = {
        .baseline = baseline,
        .came_up = record_came_up(record),
        .ran_out = record->end == RECORD_END_DEADLINE,
    };
    *diff = (struct diff){0};
    if (baseline->n_runs == 0)
        return;
    boot_lines_init(&comparison.here, record);
    /* Without arrival times all is in the guest's clock, and so is the end. */
    comparison.end_ms =
        record->n_times > 0 && record->ended_ms >= 0 ? record->ended_ms : comparison.here.last_ms;
    diff->present = true;
    diff->baseline = mem_strdup(baseline->identity);
    diff->runs = (int)baseline->n_runs;
    walk(&comparison);
    novel_lines_init(&comparison.novel, baseline, &comparison.here, rules);
    fill_divergence(&comparison, diff);
    fill_missing(&comparison, diff);
    fill_novel(&comparison, diff);
    late_find(baseline, record, milestones, diff);
    diff->dropped = baseline->dropped + comparison.here.dropped + comparison.novel.dropped;
    boot_lines_release(&comparison.here);
    free(comparison.path);
    novel_lines_release(&comparison.novel);
}

void diff_release(struct diff *diff)
{
    for (size_t i = 0; i < diff->n_missing; i++)
        free(diff->missing[i].text);
    for (size_t i = 0; i < diff->n_novel; i++) {
        free(diff->novel[i].text);
        free(diff->novel[i].was);
    }
    free(diff->missing);
    free(diff->novel);
    free(diff->late);
    free(diff->baseline);
    free(diff->expected);
    free(diff->seen);
    *diff = (struct diff){0};
}
