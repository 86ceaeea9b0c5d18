/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each line goes through all rules, and what matches becomes a hit with its own copy of everything,
 * so that nothing points into the lines. Cleaning and masking a line costs more than copying it:
 * where only the last of many is wanted, each is copied over the one before, and cleaned at the
 * end.
 */
#include "analyzers/gather.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/vmm_voice.h"
#include "harness/base/mem.h"

enum { CAPTURE_SIZE = 161, KEPT_OF_EACH_RULE = 8, COMM_LEN = 15 };

/* A line, and where and when it came. */
struct sight {
    const struct line *line;
    const char *file; /* static: "console.log", "vmm.log" */
    uint64_t seq;
    int64_t at_ms, near_ms;
};

/* One that may turn out to be the last of its kind; `match` if it is a rule's. */
struct kept {
    struct sight sight; /* line NULL: nothing was kept */
    struct line line;
    struct rule_match match;
    char text[LINE_MAX_BYTES + 1];
};

/* State of the pass. */
struct pass {
    struct evidence *evidence;
    struct ruleset *rules;
    enum rule_file file;
    struct sight now;
    struct kept last, last_of_supervisor;
    struct kept **last_of_rule; /* owned; NULL: all hits of the rule so far had room */
};

static void keep(struct kept *kept, const struct sight *sight)
{
    const struct line *line = sight->line;
    kept->sight = *sight;
    kept->line = *line;
    memcpy(kept->text, line->text, line->len + 1);
    kept->line.text = kept->text;
    kept->line.message = kept->text + (line->message - line->text);
    kept->sight.line = &kept->line;
}

static void sight_quote(const struct sight *sight, struct quote *ret_quote)
{
    ret_quote->file = sight->file;
    ret_quote->line = sight->line->number;
    ret_quote->offset = sight->line->offset;
    ret_quote->at_ms = sight->at_ms;
    quote_clean(ret_quote->text, sizeof(ret_quote->text), sight->line->text, sight->line->len);
}

static void hit_init(struct hit *hit, const struct sight *sight, const struct rule_match *match)
{
    const struct line *line = sight->line;
    struct quote quote;
    sight_quote(sight, &quote);
    *hit = (struct hit){
        .rule = match->index,
        .seq = sight->seq,
        .near_ms = sight->near_ms,
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
        quote_clean(text, sizeof(text), line->message + start, end - start);
        hit->captures[i - 1] = mem_strdup(text);
    }
}

static void add_hit(struct evidence *evidence, const struct sight *sight,
                    const struct rule_match *match)
{
    evidence->hits =
        mem_grow(evidence->hits, evidence->n_hits, &evidence->cap_hits, sizeof(*evidence->hits));
    hit_init(&evidence->hits[evidence->n_hits++], sight, match);
}

static bool has_room(const struct evidence *evidence, uint32_t count)
{
    return count < KEPT_OF_EACH_RULE ||
           (count < EVIDENCE_HITS_PER_RULE - 1 && evidence->n_hits < EVIDENCE_MAX_HITS);
}

/* Once a rule has no room, only the newest of its hits is kept, so that first and last stay. */
static void on_match(void *ctx, const struct rule_match *match, const struct line *line)
{
    struct pass *pass = ctx;
    struct kept **last = &pass->last_of_rule[match->index];
    uint32_t count = pass->evidence->per_rule[match->index].count++;
    (void)line;
    if (*last == NULL && has_room(pass->evidence, count)) {
        add_hit(pass->evidence, &pass->now, match);
        return;
    }
    if (*last == NULL)
        *last = mem_calloc(1, sizeof(**last));
    else
        pass->evidence->hits_dropped = true;
    keep(*last, &pass->now);
    (*last)->match = *match;
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
    struct sight *now = &pass->now;
    int64_t ms = line->guest_ms;
    if (evidence->arrival_times)
        ms = record_arrival_ms(evidence->record, line->end > 0 ? line->end - 1 : 0);
    now->at_ms = ms;
    if (ms < 0 || ms < now->near_ms)
        return;
    if (now->near_ms >= 0 && ms - now->near_ms > evidence->max_gap_ms)
        evidence->max_gap_ms = ms - now->near_ms;
    now->near_ms = ms;
    evidence->last_output_ms = ms;
}

static void take_console_line(struct pass *pass, const struct line *line)
{
    struct evidence *evidence = pass->evidence;
    evidence->console_lines++;
    if (line->source != LINE_BARE || evidence->guest_lines > 0)
        evidence->guest_lines++;
    /* journald names the script as the speaker; the kernel cuts that name (TASK_COMM_LEN). */
    if (line->ident[0] == '\0' ||
        strncmp(line->ident, evidence->record->service.supervisor, COMM_LEN) != 0)
        return;
    if (evidence->supervisor_first.line == 0)
        sight_quote(&pass->now, &evidence->supervisor_first);
    keep(&pass->last_of_supervisor, &pass->now);
}

static void on_line(void *ctx, const struct line *line)
{
    struct pass *pass = ctx;
    const struct rule_visitor visitor = {on_match, on_limit, pass};
    if (line->len == 0)
        return;
    pass->now.line = line;
    pass->now.seq++;
    pass->now.at_ms = -1;
    if (pass->file == RULE_CONSOLE) {
        take_time(pass, line);
        take_console_line(pass, line);
    }
    keep(&pass->last, &pass->now);
    ruleset_match(pass->rules, vmm_voice(line) ? RULE_VMM_LOG : pass->file, line, true, &visitor);
}

static void quote_kept(const struct kept *kept, struct quote *ret_quote)
{
    if (kept->sight.line != NULL)
        sight_quote(&kept->sight, ret_quote);
}

static void read_file(struct pass *pass, enum rule_file file, const char *file_name,
                      const struct bytes *bytes, struct quote *ret_last)
{
    if (bytes->data == NULL)
        return;
    pass->file = file;
    pass->now.file = file_name;
    pass->now.near_ms = -1;
    pass->last.sight.line = NULL;
    struct line_reader *reader = line_reader_new(on_line, pass);
    line_reader_feed(reader, bytes->data, bytes->len);
    line_reader_flush(reader);
    pass->evidence->truncated_lines += line_reader_truncated(reader);
    line_reader_free(reader);
    quote_kept(&pass->last, ret_last);
}

static void add_last_hits(struct pass *pass)
{
    for (size_t i = 0; i < ruleset_len(pass->rules); i++) {
        const struct kept *last = pass->last_of_rule[i];
        if (last != NULL)
            add_hit(pass->evidence, &last->sight, &last->match);
        free(pass->last_of_rule[i]);
    }
}

/* In the order in which they were seen: a rule's last hit was added behind those of others. */
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

void gather_evidence(struct evidence *evidence, struct ruleset *rules)
{
    const struct record *record = evidence->record;
    struct pass *pass = mem_calloc(1, sizeof(*pass));
    pass->evidence = evidence;
    pass->rules = rules;
    pass->last_of_rule = mem_calloc(ruleset_len(rules) + 1, sizeof(struct kept *));
    read_file(pass, RULE_CONSOLE, "console.log", &record->console, &evidence->last_line);
    read_file(pass, RULE_VMM_LOG, "vmm.log", &record->vmm_log, &evidence->last_vmm_line);
    quote_kept(&pass->last_of_supervisor, &evidence->supervisor_last);
    add_last_hits(pass);
    index_hits(evidence);
    free(pass->last_of_rule);
    free(pass);
}
