/* SPDX-License-Identifier: Apache-2.0 */
/*
 * baseline: several good boots as one table of line templates.
 *
 * A baseline is records of boots that came up; there is no other format. Membership is exact: a
 * line is novel if no good boot printed its template, missing if (nearly) all did and this one did
 * not. Bounded: at most BASELINE_MAX_RUNS boots and BASELINE_MAX_LINES templates; lines of further
 * templates are counted in `dropped`.
 */
#ifndef BOOTDIAG_BASELINE_H
#define BOOTDIAG_BASELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzers/boot_lines.h"
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
    uint64_t dropped;      /* lines that found no place in the table */
    struct good_run *runs; /* owned */
    size_t n_runs, cap_runs;
};

/* `identity` names it in reports: what image_identity() made, or a directory. */
struct baseline *baseline_new(const char *identity);
void baseline_free(struct baseline *baseline);

/*
 * Judges a boot by a whole analysis, and adds it if it is good; takes what it needs, keeps no
 * reference. Refused, with the reason: a record that did not come up, or in which a serious finding
 * stands; and what is more than BASELINE_MAX_RUNS.
 */
int baseline_add(struct baseline *baseline, const struct record *good, struct ruleset *rules,
                 struct err *err);

/* Adds a boot that was found good; `lines` are its console's. */
void baseline_take(struct baseline *baseline, const struct record *good,
                   const struct milestone milestones[static STAGE_N],
                   const struct boot_lines *lines);

size_t baseline_len(const struct baseline *baseline);

/* NULL if no good boot printed that template. */
const struct good_line *baseline_find(const struct baseline *baseline, uint64_t hash);

#endif
