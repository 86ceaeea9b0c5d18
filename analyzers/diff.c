/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines that good boots print, in their median order, are the good path; this boot is walked
 * along it. What is not on any good boot's path is novel.
 */
#include <stdlib.h>
#include <string.h>

#include "analyzers/baseline.h"
#include "analyzers/boot_lines.h"
#include "analyzers/prefix.h"
#include "harness/base/mem.h"

enum {
    TORN_MIN = 8,         /* a torn line stands for those that begin with so much of it */
    LOOK_AHEAD = 4,       /* lines behind an absent one that tell whether the boot went on */
    MAX_NOT_DUE = 5,      /* absent lines that are listed although they were not due yet */
    MAX_CANDIDATES = 256, /* novel lines of one severity that are compared with each other */
    MAX_COMPARED = 4096,  /* good lines among which the nearest is looked for */
};

/* A line of the good path. */
struct step {
    const struct good_line *good;
    bool seen;
    bool stray; /* absent, and the boot went on without it */
    bool due;   /* it should have come before observation ended */
};

struct novel {
    const struct boot_line *line;
    struct words words;
    enum severity severity;
    bool known_kind; /* a good line says the same in other words */
    bool late;       /* came when good boots were no longer observed */
    const struct good_line *was;
    uint32_t count;
};

struct comparison {
    const struct baseline *baseline;
    struct ruleset *rules;
    bool came_up;
    int64_t end_ms;      /* of the observation; -1: unknown */
    int64_t good_end_ms; /* the longest good boot's; -1: unknown */
    struct boot_lines here;
    struct step *path; /* owned */
    size_t n_path;
    struct novel *novel; /* owned */
    size_t n_novel, cap_novel;
};

static int compare_steps(const void *a, const void *b)
{
    const struct good_line *left = ((const struct step *)a)->good;
    const struct good_line *right = ((const struct step *)b)->good;

    if (left->median_rank != right->median_rank)
        return left->median_rank < right->median_rank ? -1 : 1;
    return (left->hash > right->hash) - (left->hash < right->hash);
}

/* In all good boots; from five on, one may lack it. */
static bool is_expected(const struct baseline *baseline, const struct good_line *line)
{
    int all = (int)baseline->n_runs;

    return line->sure && line->runs >= (all >= 5 ? all - 1 : all);
}

static bool is_torn_here(const struct boot_lines *here, const struct good_line *good)
{
    for (size_t i = 0; i < here->n_torn; i++) {
        size_t len = strlen(here->torn[i]);

        if (len >= TORN_MIN && !strncmp(here->torn[i], good->form, len))
            return true;
    }
    return false;
}

/* A boot that came up stops being watched at about the time when good boots did: allow for its
 * pace. */
static bool is_due(const struct comparison *comparison, const struct good_line *good)
{
    int64_t slack = comparison->came_up ? 250 + good->median_ms / 5 : 0;

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
    return n && seen + 1 >= n;
}

/* `status` may be shortened in the middle by an ellipsis. */
static bool is_same_text(const char *status, const char *journal)
{
    const char *cut = strstr(status, "\xe2\x80\xa6");
    size_t len = strlen(journal);

    if (!cut)
        return !strcmp(status, journal);
    size_t head = (size_t)(cut - status), tail = strlen(cut + 3);
    return head + tail <= len && !strncmp(status, journal, head) &&
           !strcmp(cut + 3, journal + len - tail);
}

/* systemd stops printing status lines when a login prompt owns the console, which a slow boot
 * reaches earlier in its course; the journal says the same. */
static bool is_in_journal(const struct comparison *comparison, const struct good_line *status)
{
    const char *text = strstr(status->form, "] ");

    for (size_t i = 0; text && i < comparison->n_path; i++) {
        const struct step *step = &comparison->path[i];
        const char *said = strstr(step->good->form, ": ");

        if (step->seen && step->good->source == LINE_JOURNAL && said &&
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
            .seen = boot_lines_find(&comparison->here, good->hash) ||
                    is_torn_here(&comparison->here, good),
            .due = is_due(comparison, good),
        };
    }
    qsort(comparison->path, comparison->n_path, sizeof(*comparison->path), compare_steps);
    mark_strays(comparison);
}

struct worst {
    struct ruleset *rules;
    enum severity severity;
};

static void note_worst(void *ctx, const struct rule_match *match, const struct line *line)
{
    struct worst *worst = ctx;
    enum severity severity = ruleset_rule(worst->rules, match->index)->severity;

    (void)line;
    if (severity > worst->severity)
        worst->severity = severity;
}

/* SEVERITY_MARK also if no rule knows the line: a healthy step is no news. */
static enum severity severity_of(struct ruleset *rules, const struct boot_line *from)
{
    struct worst worst = {.rules = rules, .severity = SEVERITY_MARK};
    const struct rule_visitor visitor = {.on_match = note_worst, .ctx = &worst};
    struct line line = {.text = from->text, .len = strlen(from->text)};

    prefix_parse(&line);
    ruleset_match(rules, RULE_CONSOLE, &line, true, &visitor);
    return worst.severity < SEVERITY_ERROR ? SEVERITY_MARK : worst.severity;
}

static bool fold_novel(struct comparison *comparison, const struct novel *candidate)
{
    for (size_t i = 0; i < comparison->n_novel; i++) {
        struct novel *kept = &comparison->novel[i];

        if (kept->severity == candidate->severity && words_fold(&kept->words, &candidate->words)) {
            kept->count += candidate->count;
            return true;
        }
    }
    return false;
}

static void find_was(const struct comparison *comparison, struct novel *novel)
{
    const struct baseline *baseline = comparison->baseline;
    double best = 0.5;

    for (size_t i = 0; i < baseline->n_lines && i < MAX_COMPARED; i++) {
        const struct good_line *good = &baseline->lines[i];
        double similarity = words_similarity(&novel->words, &good->words);

        if (similarity > best) {
            best = similarity;
            novel->was = good;
        }
    }
    novel->known_kind = novel->was && words_fold(&novel->words, &novel->was->words);
}

/* Errors and the rest each have their own room, so that chatter cannot crowd out what matters. */
static void gather_novel(struct comparison *comparison)
{
    size_t room[] = {MAX_CANDIDATES, MAX_CANDIDATES};

    for (size_t i = 0; i < comparison->here.len && room[0] + room[1]; i++) {
        const struct boot_line *line = &comparison->here.items[i];

        if (!line->sure || baseline_find(comparison->baseline, line->hash))
            continue;
        struct novel novel = {
            .line = line,
            .severity = severity_of(comparison->rules, line),
            .late = comparison->good_end_ms >= 0 && line->at_ms > comparison->good_end_ms,
            .count = line->count,
        };
        size_t *left = &room[novel.severity != SEVERITY_MARK];
        words_init(&novel.words, line->form);
        if (!*left || fold_novel(comparison, &novel))
            continue;
        --*left;
        find_was(comparison, &novel);
        comparison->novel = mem_grow(comparison->novel, comparison->n_novel, &comparison->cap_novel,
                                     sizeof(*comparison->novel));
        comparison->novel[comparison->n_novel++] = novel;
    }
}

/* Errors first; then what is of no known kind and in the time that good boots cover; then as they
 * came. */
static int compare_novel(const void *a, const void *b)
{
    const struct novel *left = a, *right = b;

    if (left->severity != right->severity)
        return left->severity > right->severity ? -1 : 1;
    if (left->known_kind != right->known_kind)
        return left->known_kind ? 1 : -1;
    if (left->late != right->late)
        return left->late ? 1 : -1;
    return (left->line->rank > right->line->rank) - (left->line->rank < right->line->rank);
}

static void fill_divergence(const struct comparison *comparison, struct diff *diff)
{
    const struct boot_line *followed = NULL;
    size_t at = 0;

    for (; at < comparison->n_path; at++) {
        const struct step *step = &comparison->path[at];
        bool in_all = step->good->runs == (int)comparison->baseline->n_runs;
        const struct boot_line *line = boot_lines_find(&comparison->here, step->good->hash);

        if (!step->seen && !step->stray && in_all && (step->due || !comparison->came_up))
            break;
        followed = line ? line : followed;
    }
    if (at == comparison->n_path)
        return;
    diff->diverged = true;
    diff->followed_line = followed ? followed->number : 0;
    diff->followed_ms = followed ? followed->at_ms : -1;
    diff->expected = mem_strdup(comparison->path[at].good->text);
    for (size_t i = 0; i < comparison->here.len; i++) {
        const struct boot_line *line = &comparison->here.items[i];

        if (line->sure && (!followed || line->rank > followed->rank) &&
            !baseline_find(comparison->baseline, line->hash)) {
            diff->seen = mem_strdup(line->text);
            return;
        }
    }
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
    gather_novel(comparison);
    if (comparison->n_novel)
        qsort(comparison->novel, comparison->n_novel, sizeof(*comparison->novel), compare_novel);
    diff->novel = mem_calloc(DIFF_MAX_NOVEL, sizeof(*diff->novel));
    for (size_t i = 0; i < comparison->n_novel && i < DIFF_MAX_NOVEL; i++) {
        const struct novel *novel = &comparison->novel[i];

        diff->novel[diff->n_novel++] = (struct diff_line){
            .text = mem_strdup(novel->line->text),
            .line = novel->line->number,
            .expected_at_ms = -1,
            .was = novel->was ? mem_strdup(novel->was->text) : NULL,
            .count = novel->count,
        };
    }
}

static int64_t good_end(const struct baseline *baseline)
{
    int64_t end_ms = -1;

    for (size_t i = 0; i < baseline->n_runs; i++)
        end_ms = baseline->runs[i].end_ms > end_ms ? baseline->runs[i].end_ms : end_ms;
    return end_ms;
}

void baseline_diff(const struct baseline *baseline, const struct record *record,
                   struct ruleset *rules, const struct milestone *milestones, size_t n,
                   struct diff *ret_diff)
{
    struct comparison comparison = {
        .baseline = baseline,
        .rules = rules,
        .came_up = record_came_up(record),
        .good_end_ms = good_end(baseline),
    };

    if (!baseline->n_runs)
        return;
    boot_lines_init(&comparison.here, record);
    /* Without arrival times all is in the guest's clock, and so is the end. */
    comparison.end_ms =
        record->n_times && record->ended_ms >= 0 ? record->ended_ms : comparison.here.last_ms;
    ret_diff->present = true;
    ret_diff->baseline = mem_strdup(baseline->identity);
    ret_diff->runs = (int)baseline->n_runs;
    walk(&comparison);
    fill_divergence(&comparison, ret_diff);
    fill_missing(&comparison, ret_diff);
    fill_novel(&comparison, ret_diff);
    baseline_late(baseline, record, milestones, n, ret_diff);
    boot_lines_release(&comparison.here);
    free(comparison.path);
    free(comparison.novel);
}
