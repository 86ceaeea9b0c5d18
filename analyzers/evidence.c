/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over the console and one over the VMM's log: each line goes through all rules, and what
 * matches becomes a hit with its own copy of everything, so that nothing points into the lines.
 */
#include "analyzers/evidence.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/analysis.h"
#include "analyzers/stage.h"
#include "analyzers/unit.h"
#include "harness/base/mem.h"
#include "harness/base/text.h"

enum { CAPTURE_SIZE = 161, KEPT_OF_EACH_RULE = 8, COMM_LEN = 15 };

/* A line that may turn out to be the last: cleaned only then, for cleaning costs more than copying.
 */
struct kept_line {
    struct quote quote; /* its text is not yet set */
    char text[LINE_MAX_BYTES + 1];
    size_t len;
};

/* State of the pass; `rules` is the evidence's own, writable because matching uses its scratch
 * space. */
struct pass {
    struct evidence *evidence;
    struct ruleset *rules;
    enum rule_file file;
    const char *file_name;
    uint64_t seq;
    int64_t line_ms, near_ms; /* of the line being matched */
    struct kept_line last, last_of_supervisor;
};

/* Masking comes before cutting: half a secret is no longer recognised as one. */
static void clean(char *ret_text, size_t size, const char *bytes, size_t len)
{
    char copy[LINE_MAX_BYTES + 1];
    size_t n = len < sizeof(copy) - 1 ? len : sizeof(copy) - 1;
    memcpy(copy, bytes, n);
    copy[n] = '\0';
    text_mask_secrets(copy);
    text_printable(ret_text, size, copy, strlen(copy));
}

static void line_quote(const struct pass *pass, const struct line *line, struct quote *ret_quote)
{
    ret_quote->file = pass->file_name;
    ret_quote->line = line->number;
    ret_quote->offset = line->offset;
    ret_quote->at_ms = pass->line_ms;
    clean(ret_quote->text, sizeof(ret_quote->text), line->text, line->len);
}

static void hit_release(struct hit *hit)
{
    free(hit->text);
    for (size_t i = 0; i < EVIDENCE_MAX_CAPTURES; i++)
        free(hit->captures[i]);
    *hit = (struct hit){0};
}

static void hit_init(struct hit *hit, const struct pass *pass, const struct rule_match *match,
                     const struct line *line)
{
    struct quote quote;
    line_quote(pass, line, &quote);
    *hit = (struct hit){
        .rule = match->index,
        .seq = pass->seq,
        .near_ms = pass->near_ms,
        .source = line->source,
        .status = line->status,
        .pid = line->pid,
        .text = mem_strdup(quote.text),
        .file = quote.file,
        .line = quote.line,
        .offset = quote.offset,
        .at_ms = quote.at_ms,
    };
    memcpy(hit->ident, line->ident, sizeof(hit->ident));
    for (size_t i = 1; i < match->n_captures && i <= EVIDENCE_MAX_CAPTURES; i++) {
        size_t start = match->start[i], end = match->end[i];
        if (start > end || end > line->message_len)
            continue;
        char text[CAPTURE_SIZE];
        clean(text, sizeof(text), line->message + start, end - start);
        hit->captures[i - 1] = mem_strdup(text);
    }
}

/* Over the limit the newest hit of a rule takes the place of its last one, so that first and last
 * stay. */
static struct hit *room_for_hit(struct evidence *evidence, struct rule_hits *of_rule)
{
    bool full = of_rule->count >= EVIDENCE_HITS_PER_RULE ||
                (evidence->n_hits >= EVIDENCE_MAX_HITS && of_rule->count >= KEPT_OF_EACH_RULE);
    if (full) {
        evidence->hits_dropped = true;
        hit_release(&evidence->hits[of_rule->last]);
        return &evidence->hits[of_rule->last];
    }
    evidence->hits =
        mem_grow(evidence->hits, evidence->n_hits, &evidence->cap_hits, sizeof(*evidence->hits));
    of_rule->last = evidence->n_hits;
    if (of_rule->count == 0)
        of_rule->first = evidence->n_hits;
    return &evidence->hits[evidence->n_hits++];
}

static void on_match(void *ctx, const struct rule_match *match, const struct line *line)
{
    struct pass *pass = ctx;
    struct rule_hits *of_rule = &pass->evidence->per_rule[match->index];
    hit_init(room_for_hit(pass->evidence, of_rule), pass, match, line);
    of_rule->count++;
}

static void on_limit(void *ctx, const struct rule *rule, const struct line *line)
{
    struct pass *pass = ctx;
    (void)line;
    if (pass->evidence->rule_limits++ == 0)
        pass->evidence->limited_rule = rule->id;
}

/* Arrival times are the host's clock, which all other times of the record use; without them the
 * guest's own stamps must do. A guest stamp that runs backwards (a reboot, a forged line) moves
 * nothing. */
static void take_time(struct pass *pass, const struct line *line)
{
    struct evidence *evidence = pass->evidence;
    int64_t ms = line->guest_ms;
    if (evidence->arrival_times)
        ms = record_arrival_ms(evidence->record, line->end > 0 ? line->end - 1 : 0);
    pass->line_ms = ms;
    if (ms < 0 || ms < pass->near_ms)
        return;
    if (pass->near_ms >= 0 && ms - pass->near_ms > evidence->max_gap_ms)
        evidence->max_gap_ms = ms - pass->near_ms;
    pass->near_ms = ms;
    evidence->last_output_ms = ms;
}

static void remember(const struct pass *pass, const struct line *line, struct kept_line *kept)
{
    kept->quote = (struct quote){pass->file_name, line->number, line->offset, pass->line_ms, ""};
    kept->len = line->len < LINE_MAX_BYTES ? line->len : LINE_MAX_BYTES;
    memcpy(kept->text, line->text, kept->len);
}

static void take_kept(struct kept_line *kept, struct quote *ret_quote)
{
    if (kept->quote.line > 0)
        clean(kept->quote.text, sizeof(kept->quote.text), kept->text, kept->len);
    *ret_quote = kept->quote;
}

static void take_line(struct pass *pass, const struct line *line)
{
    struct evidence *evidence = pass->evidence;
    remember(pass, line, &pass->last);
    if (pass->file != RULE_CONSOLE)
        return;
    evidence->console_lines++;
    if (line->source == LINE_KERNEL || evidence->guest_lines > 0)
        evidence->guest_lines++;
    /* journald names the script as the speaker; the kernel cuts that name (TASK_COMM_LEN). */
    if (!line->ident[0] ||
        strncmp(line->ident, evidence->record->service.supervisor, COMM_LEN) != 0)
        return;
    if (evidence->supervisor_first.line == 0)
        line_quote(pass, line, &evidence->supervisor_first);
    remember(pass, line, &pass->last_of_supervisor);
}

static void on_line(void *ctx, const struct line *line)
{
    struct pass *pass = ctx;
    if (line->len == 0)
        return;
    pass->seq++;
    pass->line_ms = -1;
    if (pass->file == RULE_CONSOLE)
        take_time(pass, line);
    take_line(pass, line);
    struct rule_visitor visitor = {on_match, on_limit, ctx};
    ruleset_match(pass->rules, pass->file, line, true, &visitor);
}

static void read_file(struct pass *pass, enum rule_file file, const char *file_name,
                      const struct bytes *bytes, struct quote *ret_last)
{
    if (!bytes->data)
        return;
    pass->file = file;
    pass->file_name = file_name;
    pass->near_ms = -1;
    pass->last.quote = (struct quote){0};
    struct line_reader *reader = line_reader_new(on_line, pass);
    line_reader_feed(reader, bytes->data, bytes->len);
    line_reader_flush(reader);
    pass->evidence->truncated_lines += line_reader_truncated(reader);
    line_reader_free(reader);
    take_kept(&pass->last, ret_last);
}

/* Hits of the order in which they were seen: a rule's last hit may stand in an old place. */
static int compare_hits(const void *a, const void *b)
{
    const struct hit *left = a, *right = b;
    if (left->seq != right->seq)
        return left->seq < right->seq ? -1 : 1;
    return left->rule < right->rule ? -1 : left->rule > right->rule;
}

static void index_hits(struct evidence *evidence)
{
    if (evidence->n_hits > 1)
        qsort(evidence->hits, evidence->n_hits, sizeof(*evidence->hits), compare_hits);
    for (size_t i = evidence->n_hits; i-- > 0;)
        evidence->per_rule[evidence->hits[i].rule].first = i;
    for (size_t i = 0; i < evidence->n_hits; i++)
        evidence->per_rule[evidence->hits[i].rule].last = i;
}

static const struct rule_hits *find_rule(const struct evidence *evidence, const char *rule_id)
{
    size_t n = ruleset_len(evidence->rules);
    for (size_t i = 0; i < n; i++)
        if (strcmp(ruleset_rule(evidence->rules, i)->id, rule_id) == 0)
            return &evidence->per_rule[i];
    return NULL;
}

uint32_t evidence_count(const struct evidence *evidence, const char *rule_id)
{
    const struct rule_hits *hits = find_rule(evidence, rule_id);
    return hits ? hits->count : 0;
}

const struct hit *evidence_first(const struct evidence *evidence, const char *rule_id)
{
    const struct rule_hits *hits = find_rule(evidence, rule_id);
    return hits && hits->count > 0 ? &evidence->hits[hits->first] : NULL;
}

const struct hit *evidence_last(const struct evidence *evidence, const char *rule_id)
{
    const struct rule_hits *hits = find_rule(evidence, rule_id);
    return hits && hits->count > 0 ? &evidence->hits[hits->last] : NULL;
}

const struct hit *evidence_next(const struct evidence *evidence, const char *rule_id,
                                const struct hit *after)
{
    if (!after)
        return evidence_first(evidence, rule_id);
    for (const struct hit *hit = after + 1; hit < evidence->hits + evidence->n_hits; hit++)
        if (hit->rule == after->rule)
            return hit;
    return NULL;
}

/* A service may log under any name: whoever announces the agent speaks for it. */
static void learn_agent_ident(struct evidence *evidence)
{
    static const char *const announcements[] = {"supervisor.agent-pid", "agent.ready"};
    for (size_t i = 0; i < sizeof(announcements) / sizeof(announcements[0]); i++) {
        const struct hit *hit = evidence_last(evidence, announcements[i]);
        if (hit)
            memcpy(evidence->agent_ident, hit->ident, sizeof(evidence->agent_ident));
    }
}

void evidence_init(struct evidence *evidence, const struct record *record, struct ruleset *rules,
                   const struct baseline *baseline)
{
    *evidence = (struct evidence){
        .record = record,
        .rules = rules,
        .baseline = baseline,
        .per_rule = mem_calloc(ruleset_len(rules), sizeof(*evidence->per_rule)),
        .last_output_ms = -1,
        .arrival_times = record->n_times > 0,
    };
    struct pass *pass = mem_calloc(1, sizeof(*pass));
    pass->evidence = evidence;
    pass->rules = rules;
    read_file(pass, RULE_CONSOLE, "console.log", &record->console, &evidence->last_line);
    read_file(pass, RULE_VMM_LOG, "vmm.log", &record->vmm_log, &evidence->last_vmm_line);
    take_kept(&pass->last_of_supervisor, &evidence->supervisor_last);
    free(pass);
    index_hits(evidence);
    learn_agent_ident(evidence);
}

void evidence_release(struct evidence *evidence)
{
    for (size_t i = 0; i < evidence->n_hits; i++)
        hit_release(&evidence->hits[i]);
    free(evidence->hits);
    free(evidence->per_rule);
    *evidence = (struct evidence){0};
}

const struct rule *evidence_rule(const struct evidence *evidence, const struct hit *hit)
{
    return ruleset_rule(evidence->rules, hit->rule);
}

void hit_quote(const struct hit *hit, struct quote *ret_quote)
{
    *ret_quote = (struct quote){hit->file, hit->line, hit->offset, hit->at_ms, ""};
    snprintf(ret_quote->text, sizeof(ret_quote->text), "%s", hit->text);
}

void quote_fact(struct quote *ret_quote, int64_t at_ms, const char *format, ...)
{
    char text[LINE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    *ret_quote = (struct quote){"boot.json", 0, 0, at_ms, ""};
    clean(ret_quote->text, sizeof(ret_quote->text), text, strlen(text));
}

int64_t evidence_silence_ms(const struct evidence *evidence)
{
    int64_t ended_ms = evidence->record->ended_ms;
    if (ended_ms < 0 || evidence->last_output_ms < 0 || ended_ms < evidence->last_output_ms)
        return 0;
    return ended_ms - evidence->last_output_ms;
}

bool evidence_is_bare(const struct evidence *evidence)
{
    return evidence->record->end == RECORD_END_UNKNOWN;
}

bool evidence_window_closed(const struct evidence *evidence)
{
    enum record_end end = evidence->record->end;
    return end == RECORD_END_UNKNOWN || end == RECORD_END_DEADLINE;
}

bool evidence_unit_mentioned(const struct evidence *evidence)
{
    for (size_t i = 0; i < evidence->n_hits; i++) {
        const struct hit *hit = &evidence->hits[i];
        if (hit->captures[0] && strncmp(evidence_rule(evidence, hit)->id, "init.", 5) == 0 &&
            unit_is_service(hit->captures[0], &evidence->record->service))
            return true;
    }
    return false;
}

void finding_say(struct finding *finding, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    free(finding->summary);
    finding->summary = mem_vprintf(format, args);
    va_end(args);
}

void finding_hit(struct finding *finding, const struct hit *hit)
{
    struct quote quote;
    hit_quote(hit, &quote);
    finding_quote(finding, &quote);
}

void finding_fact(struct finding *finding, int64_t at_ms, const char *format, ...)
{
    char text[QUOTE_TEXT_SIZE];
    struct quote quote;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    quote_fact(&quote, at_ms, "%s", text);
    finding_quote(finding, &quote);
}

bool evidence_reached(const struct evidence *evidence, const char *milestone_id)
{
    int rank = stage_rank(milestone_id);
    return rank >= 0 && evidence->milestones && evidence->milestones[rank].reached;
}

int64_t evidence_end_ms(const struct evidence *evidence)
{
    if (evidence->record->ended_ms >= 0)
        return evidence->record->ended_ms;
    return evidence->last_output_ms;
}
