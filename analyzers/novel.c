/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzers/novel.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/prefix.h"
#include "harness/base/mem.h"

enum {
    MAX_CANDIDATES = 256, /* novel lines of one severity that are compared with each other */
    MAX_COMPARED = 4096,  /* good lines among which the nearest is looked for */
};

/* Of its words; a good line that shares fewer is another line. */
static const double LEAST_SIMILARITY = 0.5;

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

static bool fold(struct novel_lines *novel, const struct novel *candidate)
{
    for (size_t i = 0; i < novel->len; i++) {
        struct novel *kept = &novel->items[i];
        if (kept->severity == candidate->severity && words_fold(&kept->words, &candidate->words)) {
            kept->count += candidate->count;
            return true;
        }
    }
    return false;
}

static void find_was(const struct baseline *baseline, struct novel *novel)
{
    double best = LEAST_SIMILARITY;
    for (size_t i = 0; i < baseline->n_lines && i < MAX_COMPARED; i++) {
        const struct good_line *good = &baseline->lines[i];
        double similarity = words_similarity(&novel->words, &good->words);
        if (similarity > best) {
            best = similarity;
            novel->was = good;
        }
    }
    novel->known_kind = novel->was != NULL && words_fold(&novel->words, &novel->was->words);
}

static void add(struct novel_lines *lines, const struct novel *novel)
{
    lines->items = mem_grow(lines->items, lines->len, &lines->cap, sizeof(*lines->items));
    lines->items[lines->len++] = *novel;
}

static int64_t good_end(const struct baseline *baseline)
{
    int64_t end_ms = -1;
    for (size_t i = 0; i < baseline->n_runs; i++)
        end_ms = baseline->runs[i].end_ms > end_ms ? baseline->runs[i].end_ms : end_ms;
    return end_ms;
}

void novel_lines_init(struct novel_lines *lines, const struct baseline *baseline,
                      const struct boot_lines *here, struct ruleset *rules)
{
    size_t room[] = {MAX_CANDIDATES, MAX_CANDIDATES};
    int64_t good_end_ms = good_end(baseline);
    *lines = (struct novel_lines){0};
    for (size_t i = 0; i < here->len; i++) {
        const struct boot_line *line = &here->items[i];
        if (!line->sure || baseline_find(baseline, line->hash) != NULL)
            continue;
        if (room[0] + room[1] == 0) {
            lines->dropped += line->count;
            continue;
        }
        struct novel novel = {
            .line = line,
            .severity = severity_of(rules, line),
            .late = good_end_ms >= 0 && line->at_ms > good_end_ms,
            .count = line->count,
        };
        size_t *left = &room[novel.severity != SEVERITY_MARK];
        words_init(&novel.words, line->form);
        if (*left == 0)
            lines->dropped += line->count;
        if (*left == 0 || fold(lines, &novel))
            continue;
        --*left;
        find_was(baseline, &novel);
        add(lines, &novel);
    }
}

void novel_lines_release(struct novel_lines *lines)
{
    free(lines->items);
    *lines = (struct novel_lines){0};
}

static int compare(const void *a, const void *b)
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

void novel_lines_sort(struct novel_lines *lines)
{
    if (lines->len > 0)
        qsort(lines->items, lines->len, sizeof(*lines->items), compare);
}
