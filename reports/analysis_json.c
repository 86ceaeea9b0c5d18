/* SPDX-License-Identifier: Apache-2.0 */
/* struct analysis -> contract bootdiag.analysis/1, member by member. */
#include "reports/report.h"

#include <math.h>

#include "harness/base/json.h"
#include "reports/stats.h"

/* Four digits, rounded down: confidences that add up to at most 1 still do so afterwards. */
static json_t *confidence_json(double confidence)
{
    return json_real(floor(confidence * 1e4 + 1e-6) / 1e4);
}

static json_t *quote_json(const struct quote *quote)
{
    bool fact = quote->line == 0;
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "file", json_text(quote->file), "line",
                     fact ? json_null() : json_integer(quote->line), "offset",
                     fact ? json_null() : json_integer((json_int_t)quote->offset), "at_ms",
                     json_number_or_null(quote->at_ms), "text", json_text(quote->text));
}

static json_t *quotes_json(const struct quote *quotes, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, quote_json(&quotes[i]));
    return list;
}

static json_t *verdict_json(const struct verdict *verdict)
{
    if (verdict->cause == NULL)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "cause", json_text(verdict->cause), "layer",
                     json_text(verdict->layer), "confidence", confidence_json(verdict->confidence),
                     "summary", json_text(verdict->summary), "evidence",
                     quotes_json(verdict->quotes, verdict->n_quotes), "remedy",
                     json_text(verdict->remedy));
}

static json_t *alternatives_json(const struct analysis *analysis)
{
    json_t *list = json_array();
    for (size_t i = 0; i < analysis->n_alternatives; i++) {
        const struct alternative *other = &analysis->alternatives[i];
        json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "cause", json_text(other->cause),
                                              "confidence", confidence_json(other->confidence),
                                              "why_not", json_text(other->why_not)));
    }
    return list;
}

static json_t *contributing_json(const struct analysis *analysis)
{
    json_t *list = json_array();
    for (size_t i = 0; i < analysis->n_contributing; i++) {
        const struct contributing *other = &analysis->contributing[i];
        json_array_append_new(list,
                              json_pack("{s:o, s:o}", "cause", json_text(other->cause), "evidence",
                                        quotes_json(other->quotes, other->n_quotes)));
    }
    return list;
}

static json_t *questions_json(const struct analysis *analysis)
{
    static const char *const answers[] = {
        [ANSWER_YES] = "yes", [ANSWER_NO] = "no", [ANSWER_UNKNOWN] = "unknown"};
    json_t *list = json_array();
    for (size_t i = 0; i < ANALYSIS_N_QUESTIONS; i++) {
        const struct question *question = &analysis->questions[i];
        json_array_append_new(list, json_pack("{s:o, s:s, s:o, s:o}", "id", json_text(question->id),
                                              "answer", answers[question->answer], "text",
                                              json_text(question->text), "evidence",
                                              quotes_json(question->quotes, question->n_quotes)));
    }
    return list;
}

/* A milestone stands there if it was reached; boot.json as its proof is an empty object. */
static json_t *milestones_json(const struct analysis *analysis)
{
    json_t *list = json_array();
    for (size_t i = 0; i < analysis->n_milestones; i++) {
        const struct milestone *milestone = &analysis->milestones[i];
        if (!milestone->reached)
            continue;
        bool quoted = milestone->quote.line > 0 || milestone->quote.text[0] != '\0';
        json_array_append_new(list,
                              json_pack("{s:o, s:o, s:o}", "id", json_text(milestone->id), "at_ms",
                                        json_number_or_null(milestone->at_ms), "evidence",
                                        quoted ? quote_json(&milestone->quote) : json_object()));
    }
    return list;
}

static const char *first_missing(const struct analysis *analysis)
{
    for (size_t i = 0; i < analysis->n_milestones; i++)
        if (!analysis->milestones[i].reached)
            return analysis->milestones[i].id;
    return NULL;
}

static json_t *divergence_json(const struct diff *diff)
{
    if (!diff->diverged)
        return json_null();
    return json_pack("{s:{s:I, s:o}, s:o, s:o}", "followed_until", "line",
                     (json_int_t)diff->followed_line, "at_ms",
                     json_number_or_null(diff->followed_ms), "expected", json_text(diff->expected),
                     "seen", json_text(diff->seen));
}

static json_t *missing_json(const struct diff *diff)
{
    json_t *list = json_array();
    for (size_t i = 0; i < diff->n_missing; i++) {
        const struct diff_line *line = &diff->missing[i];
        json_array_append_new(list, json_pack("{s:o, s:i, s:o}", "text", json_text(line->text),
                                              "good_runs", line->good_runs, "expected_at_ms",
                                              json_number_or_null(line->expected_at_ms)));
    }
    return list;
}

static json_t *novel_json(const struct diff *diff)
{
    json_t *list = json_array();
    for (size_t i = 0; i < diff->n_novel; i++) {
        const struct diff_line *line = &diff->novel[i];
        json_array_append_new(list,
                              json_pack("{s:I, s:o, s:o, s:I}", "line", (json_int_t)line->line,
                                        "text", json_text(line->text), "was", json_text(line->was),
                                        "count", (json_int_t)line->count));
    }
    return list;
}

static json_t *late_json(const struct diff *diff)
{
    json_t *list = json_array();
    for (size_t i = 0; i < diff->n_late; i++) {
        const struct diff_late *late = &diff->late[i];
        json_array_append_new(list, json_pack("{s:o, s:o, s:I, s:I}", "from", json_text(late->from),
                                              "to", json_text(late->to), "ms", (json_int_t)late->ms,
                                              "usual_ms", (json_int_t)late->usual_ms));
    }
    return list;
}

static json_t *diff_json(const struct diff *diff)
{
    if (!diff->present)
        return json_null();
    return json_pack("{s:o, s:i, s:o, s:o, s:o, s:o, s:o}", "baseline", json_text(diff->baseline),
                     "runs", diff->runs, "unseen_below",
                     confidence_json(stats_unseen_below((unsigned)diff->runs)), "first_divergence",
                     divergence_json(diff), "missing", missing_json(diff), "novel",
                     novel_json(diff), "late", late_json(diff));
}

static json_t *limits_json(const struct analysis *analysis)
{
    json_t *list = json_array();
    for (size_t i = 0; i < analysis->n_limits_hit; i++)
        json_array_append_new(list, json_text(analysis->limits_hit[i]));
    return list;
}

json_t *report_analysis_json(const struct analysis *analysis)
{
    static const char *const outcomes[] = {[OUTCOME_READY] = "ready",
                                           [OUTCOME_FAILED] = "failed",
                                           [OUTCOME_UNDETERMINED] = "undetermined"};
    json_t *root = json_pack("{s:s, s:o, s:s}", "schema", "bootdiag.analysis/1", "source",
                             json_text(analysis->source), "outcome", outcomes[analysis->outcome]);
    json_object_set_new(root, "verdict", verdict_json(&analysis->verdict));
    json_object_set_new(root, "alternatives", alternatives_json(analysis));
    json_object_set_new(root, "contributing", contributing_json(analysis));
    json_object_set_new(root, "questions", questions_json(analysis));
    json_object_set_new(root, "stage", json_text(analysis_stage(analysis)));
    json_object_set_new(root, "first_missing", json_text(first_missing(analysis)));
    json_object_set_new(root, "milestones", milestones_json(analysis));
    json_object_set_new(root, "diff", diff_json(&analysis->diff));
    json_object_set_new(root, "limits_hit", limits_json(analysis));
    return root;
}

/* ---- how it came about ---- */

static json_t *finding_json(const struct finding *finding)
{
    static const char *const severities[] = {[SEVERITY_MARK] = "mark",
                                             [SEVERITY_NOTE] = "note",
                                             [SEVERITY_ERROR] = "error",
                                             [SEVERITY_FATAL] = "fatal"};
    return json_pack("{s:o, s:o, s:s, s:o, s:I, s:o, s:o}", "id", json_text(finding->id), "cause",
                     json_text(finding->cause), "severity", severities[finding->severity],
                     "confidence",
                     finding->cause != NULL ? confidence_json(finding->confidence) : json_null(),
                     "count", (json_int_t)finding->count, "summary", json_text(finding->summary),
                     "evidence", quotes_json(finding->quotes, finding->n_quotes));
}

static json_t *considered_json(const struct considered *considered)
{
    static const char *const fates[] = {[FATE_PRIMARY] = "primary",
                                        [FATE_CONTRIBUTING] = "contributing",
                                        [FATE_CONSEQUENCE] = "consequence",
                                        [FATE_DOUBTED] = "doubted",
                                        [FATE_WEAKER] = "weaker"};
    return json_pack("{s:o, s:o, s:o, s:o, s:s, s:o}", "cause", json_text(considered->cause),
                     "finding", json_text(considered->finding), "alone",
                     confidence_json(considered->alone), "confidence",
                     confidence_json(considered->confidence), "fate", fates[considered->fate],
                     "why", json_text(considered->why));
}

json_t *report_explanation_json(const struct analysis *analysis)
{
    json_t *findings = json_array(), *considered = json_array();
    for (size_t i = 0; i < analysis->findings.len; i++)
        json_array_append_new(findings, finding_json(&analysis->findings.items[i]));
    for (size_t i = 0; i < analysis->n_considered; i++)
        json_array_append_new(considered, considered_json(&analysis->considered[i]));
    return json_pack("{s:o, s:o}", "findings", findings, "considered", considered);
}
