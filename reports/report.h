/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report: what is said about boots, as JSON documents (reports/schema/) and printed from them.
 *
 * JSON is the report; every other format is printed from it, also from one that was kept. Pure:
 * time, version and host name come from the caller. Strings in the documents are valid UTF-8
 * whatever a guest printed; what goes to a terminal holds no control bytes.
 */
#ifndef BOOTDIAG_REPORT_H
#define BOOTDIAG_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "analyzers/analysis.h"
#include "harness/base/err.h"
#include "harness/record.h"

/* ---- documents ---- */

/* One boot: contract bootdiag.analysis/1. */
json_t *report_analysis_json(const struct analysis *analysis);

/* How it came about: all that was noticed, and every cause that was considered; stands in a boot's
 * document as the member "explanation" when that is asked for. */
json_t *report_explanation_json(const struct analysis *analysis);

/* What is known before the first boot. All borrowed; strings may be NULL. */
struct report_facts {
    const char *version; /* of bootdiag */
    const char *host_name;
    const char *started_at; /* ISO 8601 */
    const json_t *target;   /* target_json(); its command line is masked in the report */
    const char *fault;
    const char *baseline;     /* identity; NULL: there is none */
    const char *baseline_dir; /* as one would give it to --baseline */
    int baseline_runs;
    const char *run_dir;     /* where the records are, as the user would name it */
    const char *accelerator; /* what boots run on, and why: "tcg: /dev/kvm runs no guest" */
    int jobs;
    int boots_wanted; /* 0: not known */
    bool early_end;
};

/* A new report (bootdiag.report/1) without boots. */
json_t *report_new(const struct report_facts *facts);

/* Appends one boot. `saved_ms`: how much sooner than its deadline fatal evidence ended it, else 0.
 */
void report_add_boot(json_t *report, const struct record *record, const struct analysis *analysis,
                     int64_t saved_ms);

/* Sets `separating`: the lines that separate failed from good boots; see analyzers/spectrum.h. */
struct spectrum;
void report_set_separating(json_t *report, const struct spectrum *spectrum);

/* What kept the first boot from being tried; `cause` may be NULL. */
void report_add_preflight(json_t *report, const char *cause, const char *message);

void report_set_interrupted(json_t *report);

/* Computes `summary` from the boots; may be called again after more were added. */
void report_finish(json_t *report);

/* ---- printing ---- */

struct report_style {
    bool colour;
    int width;           /* columns; 0: lines are neither wrapped nor cut */
    const char *program; /* how the user calls bootdiag: "build/bootdiag" */
    const char *run_dir; /* where the report lies now; NULL: where it says itself */

    /* For report_analysis_text, what the analysis does not say about its boot: */
    const char *console; /* the console's own file, "-": standard input; NULL: console.log in the
                            source, which is a record's directory */
    const char
        *by_hand_in; /* the boot.json whose vmm.by_hand boots the same; NULL: there is none */
};

struct report_format {
    const char *name;
    const char *summary; /* one line for `bootdiag report --help` */
    void (*print)(const json_t *report, FILE *out, const struct report_style *style);
};

/* All formats, the default first. */
const struct report_format *const *report_formats(size_t *ret_n);

/* Prints a finished report, one that was read from a file too: absent members are tolerated. Fails
 * if there is no such format or `out` cannot be written. */
int report_print(const json_t *report, const char *format, FILE *out,
                 const struct report_style *style, struct err *err);

/* One document as one line of JSON Lines, in ASCII. */
int report_print_line(const json_t *document, FILE *out, struct err *err);

/* One analysis for people: verdict and proof, the six questions, where to look further. */
int report_analysis_text(const json_t *analysis, FILE *out, const struct report_style *style,
                         struct err *err);

/* How it came about, from the document's "explanation". */
int report_explanation_text(const json_t *analysis, FILE *out, const struct report_style *style,
                            struct err *err);

struct alignment; /* analyzers/alignment.h */

enum report_layout { REPORT_UNIFIED, REPORT_SIDE_BY_SIDE };

/* A boot beside others, as bootdiag.comparison/1. `others` is NULL-terminated. */
json_t *report_comparison_json(const struct alignment *alignment, const char *here,
                               const char *const *others);

/* The same for people, with `context` lines around what differs. */
int report_comparison_text(const json_t *document, FILE *out, const struct report_style *style,
                           enum report_layout layout, size_t context, struct err *err);

/* bootdiag.baseline-check/1, which the command layer makes: how far a baseline is to be trusted. */
int report_baseline_check_text(const json_t *document, FILE *out, const struct report_style *style,
                               struct err *err);

/*
 * Counts over many analyses, for a table by cause. Of each cause the clearest boot is kept as its
 * example, not the analyses: thousands may be added.
 */
json_t *report_tally_new(void);

/* What the tally takes of one analysis. `stamp`: when the boot was kept, as an archive says it
 * (2025-11-06T20-49-08-451Z) or ISO 8601; "" if not known. */
json_t *report_tally_item(const json_t *analysis, const char *stamp);
void report_tally_add(json_t *tally, const json_t *item);

/* Something that could not be read. */
void report_tally_unread(json_t *tally);

/*
 * How many came up, failed, could not be read; per cause, the most frequent first: how often, from
 * when to when, the path of the clearest; what could not be named, by how far it got; at the end
 * the most frequent cause with its proof and remedy.
 */
int report_tally_text(const json_t *tally, FILE *out, const struct report_style *style,
                      struct err *err);

#endif
