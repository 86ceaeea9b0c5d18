/* SPDX-License-Identifier: Apache-2.0 */
/*
 * baseline: several good boots as one table of line templates, and the difference of a boot from
 * it.
 *
 * A baseline is records of boots that came up; there is no other format. Membership is exact: a
 * line is novel if no good boot printed its template, missing if (nearly) all did and this one did
 * not. Bounded: at most BASELINE_MAX_RUNS boots and BASELINE_MAX_LINES templates; lines of further
 * templates are ignored.
 */
#ifndef BOOTDIAG_BASELINE_H
#define BOOTDIAG_BASELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzers/analysis.h"
#include "analyzers/hash_index.h"
#include "analyzers/line.h"
#include "analyzers/rules.h"
#include "analyzers/similar.h"
#include "analyzers/stage.h"
#include "harness/base/err.h"
#include "harness/record.h"

enum {
    BASELINE_MAX_RUNS = 64,
    BASELINE_MAX_LINES = 100 * 1000,
    DIFF_MAX_MISSING = 50,
    DIFF_MAX_NOVEL = 50,
};

/* One template that good boots print. */
struct good_line {
    uint64_t hash;
    char *text; /* owned: an example, as in struct boot_line */
    char *form; /* owned */
    struct words words;
    enum line_source source;
    bool sure;         /* was seen whole in at least one boot */
    int runs;          /* how many good boots print it */
    uint32_t *ranks;   /* owned, `runs` of each: where and when it first came */
    int64_t *times_ms; /* -1: unknown */
    uint32_t median_rank;
    int64_t median_ms;
};

/* What is kept of one good boot. */
struct good_run {
    int64_t milestones_ms[STAGE_N]; /* -1: not known */
    int64_t end_ms;                 /* of its last line; -1: not known */
    int parallel_boots;             /* 0: not known */
};

/* To be read by the files that compare; changed by baseline_* only. */
struct baseline {
    char *identity;
    struct good_line *lines; /* owned; numbered by `index` */
    size_t n_lines, cap_lines;
    struct hash_index index;
    struct good_run *runs; /* owned */
    size_t n_runs, cap_runs;
};

/* `identity` names it in reports ("fixtures/targets/bundled.json, 3f2a..., qemu, user"). */
struct baseline *baseline_new(const char *identity);
void baseline_free(struct baseline *baseline);

/*
 * Adds a good boot; takes what it needs, keeps no reference. Refused, with the reason: a record
 * that did not come up, or in which a serious finding stands; and what is more than
 * BASELINE_MAX_RUNS.
 */
int baseline_add(struct baseline *baseline, const struct record *good, struct ruleset *rules,
                 struct err *err);

size_t baseline_len(const struct baseline *baseline);

/* NULL if no good boot printed that template. */
const struct good_line *baseline_find(const struct baseline *baseline, uint64_t hash);

/*
 * Fills `ret_diff` (zeroed before, released with the analysis): how `record`, whose n milestones
 * stand in `milestones`, differs from the good boots. Without any good boot `present` stays false.
 *
 * The divergence is the first line in the good boots' median order that all of them print and this
 * one does not; a single kernel line that is absent while those behind it came is no divergence
 * (hardware probing varies). Absent lines that were not yet due when observation ended are only
 * listed as far as the next few. `followed_line` 0: not even the first came.
 */
void baseline_diff(const struct baseline *baseline, const struct record *record,
                   struct ruleset *rules, const struct milestone *milestones, size_t n,
                   struct diff *ret_diff);

/*
 * The part of it about time: segments between neighbouring milestones that took longer than in the
 * good boots by more than 20 %, 250 ms and three deviations (MAD), after the host's slowness as a
 * whole (the Theil-Sen slope over the segments, if above 1) is taken out. Nothing is judged if the
 * number of parallel boots differs, or with fewer than three good boots.
 */
void baseline_late(const struct baseline *baseline, const struct record *record,
                   const struct milestone *milestones, size_t n, struct diff *ret_diff);

#endif
