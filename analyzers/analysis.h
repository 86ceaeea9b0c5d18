/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analysis: everything that is said about one boot: contract `bootdiag.analysis/1`.
 *
 * Pure: the same record, baseline and rules give the same analysis, byte for byte. It owns all its
 * text and outlives the record.
 */
#ifndef BOOTDIAG_ANALYSIS_H
#define BOOTDIAG_ANALYSIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzers/finding.h"
#include "harness/base/err.h"
#include "harness/record.h"

struct ruleset;  /* rules.h */
struct baseline; /* baseline.h */

enum outcome { OUTCOME_READY, OUTCOME_FAILED, OUTCOME_UNDETERMINED };

enum answer { ANSWER_YES, ANSWER_NO, ANSWER_UNKNOWN };

enum { ANALYSIS_N_QUESTIONS = 6, ANALYSIS_MAX_QUOTES = 6 };

struct verdict {
    const char *cause; /* NULL: no verdict */
    const char *layer;
    double confidence;
    char *summary, *remedy;
    struct quote quotes[ANALYSIS_MAX_QUOTES];
    size_t n_quotes;
};

struct alternative {
    const char *cause;
    double confidence;
    char *why_not;
};

struct contributing {
    const char *cause;
    struct quote quotes[FINDING_MAX_QUOTES];
    size_t n_quotes;
};

/* What became of a cause that was considered. */
enum fate {
    FATE_PRIMARY,      /* what the verdict names, or would if the boot had failed */
    FATE_CONTRIBUTING, /* broken besides */
    FATE_CONSEQUENCE,  /* another one explains it */
    FATE_DOUBTED,      /* something contradicts it */
    FATE_WEAKER,
};

struct considered {
    const char *cause;
    const char *finding;      /* id of the finding that supports it most */
    double alone, confidence; /* what that finding says, and what is left after doubts */
    enum fate fate;
    char *why;
};

struct question {
    const char *id; /* the contract's six, in its order */
    enum answer answer;
    char *text; /* one sentence */
    struct quote quotes[FINDING_MAX_QUOTES];
    size_t n_quotes;
};

struct milestone {
    const char *id; /* the contract's, in its order */
    bool reached;
    int64_t at_ms;      /* -1: not known */
    struct quote quote; /* line 0 with an empty text: known from boot.json */
};

struct diff_line {
    char *text;
    uint32_t line;          /* novel: where; missing: 0 */
    int good_runs;          /* missing: how many good boots print it */
    int64_t expected_at_ms; /* missing: median; -1 unknown */
    char *was;              /* novel: the nearest good line; or NULL */
    uint32_t count;         /* novel: how often */
};

struct diff_late {
    const char *from, *to; /* milestone ids */
    int64_t ms, usual_ms;
};

struct diff {
    bool present; /* false: there was no baseline */
    char *baseline;
    int runs;
    bool diverged;
    uint32_t followed_line; /* the last line that good boots also print, before the divergence */
    int64_t followed_ms;
    char *expected,
        *seen; /* text of the line that should have come, and what came instead (or NULL) */
    struct diff_line *missing, *novel; /* owned arrays, most telling first */
    size_t n_missing, n_novel;
    struct diff_late *late;
    size_t n_late;
    uint64_t dropped; /* lines that took no part: a table was full */
};

struct analysis {
    char *source;
    enum outcome outcome;
    struct verdict verdict;
    struct alternative *alternatives;
    size_t n_alternatives;
    struct contributing *contributing;
    size_t n_contributing;
    struct considered *considered; /* every cause that a finding points at, the primary one first */
    size_t n_considered;
    struct question questions[ANALYSIS_N_QUESTIONS];
    struct milestone *milestones; /* all of them in order, reached or not */
    size_t n_milestones;
    struct diff diff;
    struct findings findings; /* all that was noticed, in the order of their first line */
    char **limits_hit; /* owned: "3 lines are longer than 8192 bytes: only their start was read" */
    size_t n_limits_hit;
};

/*
 * Analyses one loaded record. `rules` were compiled for record->service; `baseline` may be NULL.
 * Never fails: what cannot be read is said in `limits_hit`.
 */
void analysis_init(struct analysis *analysis, const struct record *record, struct ruleset *rules,
                   const struct baseline *baseline);
void analysis_release(struct analysis *analysis);

/* The furthest milestone that was reached; NULL: none. */
const char *analysis_stage(const struct analysis *analysis);

#define auto_analysis __attribute__((cleanup(analysis_release)))

#endif
