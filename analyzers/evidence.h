/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence: one record and all that the rules saw in its console and its VMM's log, gathered in one
 * pass with bounded memory.
 */
#ifndef BOOTDIAG_EVIDENCE_H
#define BOOTDIAG_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzers/finding.h"
#include "analyzers/line.h"
#include "analyzers/rules.h"
#include "harness/record.h"

struct baseline;  /* baseline.h */
struct milestone; /* analysis.h */

/*
 * Per rule: the first EVIDENCE_HITS_PER_RULE matches and the last one; over all rules at most
 * EVIDENCE_MAX_HITS, of which the first few of each rule are never given up.
 */
enum { EVIDENCE_HITS_PER_RULE = 256, EVIDENCE_MAX_HITS = 8192, EVIDENCE_MAX_CAPTURES = 4 };

/* One match of one rule. All text is owned by the evidence. */
struct hit {
    size_t rule;     /* index in the ruleset */
    uint64_t seq;    /* order of lines over both files; two hits of one line share it */
    int64_t near_ms; /* the line's time, or that of the nearest stamped line before it; -1 */
    enum line_source source;
    enum line_status status;
    int pid;
    char ident[LINE_IDENT_SIZE];
    char *captures[EVIDENCE_MAX_CAPTURES]; /* [0] is group 1; NULL: unset. Masked like quotes */
    char *text;                            /* the quote's: cleaned, masked, at most 500 bytes */
    const char *file;
    uint32_t line;
    uint64_t offset;
    int64_t at_ms;
};

struct rule_hits {
    uint32_t count;     /* all matches, also those that were not kept */
    size_t first, last; /* indexes into hits; valid if count > 0 */
};

struct evidence {
    const struct record *record;        /* borrowed */
    const struct ruleset *rules;        /* borrowed */
    const struct baseline *baseline;    /* borrowed; may be NULL */
    const struct milestone *milestones; /* borrowed; STAGE_N of them, set before analyzers run */

    struct hit *hits; /* owned; in the order of their lines */
    size_t n_hits, cap_hits;
    struct rule_hits *per_rule; /* owned; one for each rule of the ruleset */

    uint64_t console_lines; /* with anything on them */
    uint64_t guest_lines;   /* those that are not firmware's: from the first stamp or status on */
    int64_t last_output_ms; /* when the console last said something; -1 unknown */
    int64_t max_gap_ms;     /* longest silence between two stamped lines */
    struct quote last_line; /* the console's; line 0: there is none */
    struct quote last_vmm_line;
    struct quote supervisor_first, supervisor_last; /* lines of the unit's script; line 0: none */
    char agent_ident[LINE_IDENT_SIZE]; /* who said that the agent listens, or its PID; "": nobody */
    bool arrival_times;                /* quotes' at_ms are the host's; else the guest's own */
    uint32_t truncated_lines;          /* longer than LINE_MAX_BYTES */
    uint32_t rule_limits;              /* matches given up */
    const char *limited_rule;          /* the first such rule's id */
    bool hits_dropped;                 /* a limit above was met */
};

/* Reads the record's console and VMM log through the rules. `rules` and `record` must outlive it.
 */
void evidence_init(struct evidence *evidence, const struct record *record, struct ruleset *rules,
                   const struct baseline *baseline);
void evidence_release(struct evidence *evidence);

/* How often the rule with that id matched; 0 also if there is no such rule. */
uint32_t evidence_count(const struct evidence *evidence, const char *rule_id);

/* First and last match of a rule; NULL: none. */
const struct hit *evidence_first(const struct evidence *evidence, const char *rule_id);
const struct hit *evidence_last(const struct evidence *evidence, const char *rule_id);

/* The next hit of a rule behind `after` (NULL: from the start); NULL: no more. */
const struct hit *evidence_next(const struct evidence *evidence, const char *rule_id,
                                const struct hit *after);

/* The same over those hits whose first capture names the service's unit. */
const struct hit *evidence_next_of_service(const struct evidence *evidence, const char *rule_id,
                                           const struct hit *after);

/* The rule that made a hit. */
const struct rule *evidence_rule(const struct evidence *evidence, const struct hit *hit);

/* The hit as a quote. */
void hit_quote(const struct hit *hit, struct quote *ret_quote);

/* When observation ended: record->ended_ms, else the last output; -1 unknown. */
int64_t evidence_end_ms(const struct evidence *evidence);

/* How long the console had been silent when observation ended; 0 if that is not known. */
int64_t evidence_silence_ms(const struct evidence *evidence);

/* True while nobody says how the boot ended: a bare console, or one preserved without boot.json. */
bool evidence_is_bare(const struct evidence *evidence);

/* True if the guest was watched, alive, until the end, so that what it did not do means something.
 */
bool evidence_window_closed(const struct evidence *evidence);

/* True if systemd said anything about the service's unit. */
bool evidence_unit_mentioned(const struct evidence *evidence);

/* One more line that shows a finding. */
void finding_hit(struct finding *finding, const struct hit *hit);

#define auto_evidence __attribute__((cleanup(evidence_release)))

#endif
