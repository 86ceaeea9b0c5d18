/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The line reader's lines go through the ruleset; of each match only the few facts of the state are
 * kept, and how often the service died in the same way.
 */
#include "analyzers/watch.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/line.h"
#include "analyzers/normalize.h"
#include "analyzers/stage.h"
#include "harness/base/hash.h"
#include "harness/base/mem.h"

/* Deaths of one kind that one rule saw. */
struct death {
    size_t rule;
    uint64_t signature;
    unsigned count;
    uint64_t last_message;        /* of the death counted last: hash of its exact text */
    enum line_source last_source; /* and who said so */
};

struct watch {
    struct line_reader *reader;
    struct ruleset *rules;
    struct watch_state state;
    int rank;            /* of state.stage */
    uint64_t last_error; /* template of the last error since the service started; 0: none */
    bool line_is_error, line_is_death; /* what the rules make of the present line */
    struct death deaths[WATCH_MAX_SIGNATURES];
    size_t n_deaths;
};

/* NULL: the table is full; a service that dies in so many ways is not in a loop. */
static struct death *find_death(struct watch *watch, size_t rule, uint64_t signature)
{
    for (size_t i = 0; i < watch->n_deaths; i++) {
        if (watch->deaths[i].rule == rule && watch->deaths[i].signature == signature)
            return &watch->deaths[i];
    }
    if (watch->n_deaths == WATCH_MAX_SIGNATURES)
        return NULL;
    struct death *death = &watch->deaths[watch->n_deaths++];
    *death = (struct death){.rule = rule, .signature = signature};
    return death;
}

static void set_fatal(struct watch *watch, const struct rule *rule, const struct line *line)
{
    if (watch->state.fatal != NULL)
        return;
    watch->state.fatal = rule->id;
    watch->state.fatal_line = line->number;
}

static void count_death(struct watch *watch, size_t index, const struct line *line)
{
    uint64_t message = hash_add(HASH_START, line->message, line->message_len);
    uint64_t own = normalize_hash(line, NULL);
    struct death *death =
        find_death(watch, index, watch->last_error != 0 ? watch->last_error : own);
    if (death == NULL)
        return;
    bool echo =
        death->count > 0 && death->last_message == message && death->last_source != line->source;
    if (echo)
        return;
    death->last_message = message;
    death->last_source = line->source;
    if (++death->count == WATCH_FATAL_DEATHS)
        set_fatal(watch, ruleset_rule(watch->rules, index), line);
}

static void on_match(void *ctx, const struct rule_match *match, const struct line *line)
{
    struct watch *watch = ctx;
    const struct rule *rule = ruleset_rule(watch->rules, match->index);
    if (rule->milestone != NULL) {
        int rank = stage_rank(rule->milestone);
        /* What was said about the death before is no reason for the next one. */
        if (rank >= STAGE_UNIT_STARTED)
            watch->last_error = 0;
        watch->state.ready_lines += strcmp(rule->milestone, stage_id(STAGE_AGENT_LISTENING)) == 0;
        if (rank > watch->rank) {
            watch->rank = rank;
            watch->state.stage = stage_id((enum stage)rank);
        }
    }
    if (rule->severity == SEVERITY_FATAL)
        set_fatal(watch, rule, line);
    watch->line_is_error |= rule->severity == SEVERITY_ERROR;
    if (rule->death) {
        watch->line_is_death = true;
        count_death(watch, match->index, line);
    }
}

/* A death's own line is not the error that led to it, whatever other rules make of it. */
static void on_line(void *ctx, const struct line *line)
{
    struct watch *watch = ctx;
    const struct rule_visitor visitor = {.on_match = on_match, .ctx = watch};
    if (line->message_len == 0)
        return;
    watch->line_is_error = false;
    watch->line_is_death = false;
    ruleset_match(watch->rules, RULE_CONSOLE, line, true, &visitor);
    if (watch->line_is_error && !watch->line_is_death)
        watch->last_error = normalize_hash(line, NULL);
}

struct watch *watch_new(struct ruleset *rules)
{
    struct watch *watch = mem_calloc(1, sizeof(*watch));
    watch->reader = line_reader_new(on_line, watch);
    watch->rules = rules;
    watch->rank = -1;
    return watch;
}

void watch_free(struct watch *watch)
{
    if (watch == NULL)
        return;
    line_reader_free(watch->reader);
    free(watch);
}

void watch_feed(struct watch *watch, const char *bytes, size_t len)
{
    line_reader_feed(watch->reader, bytes, len);
}

const struct watch_state *watch_state(const struct watch *watch)
{
    return &watch->state;
}
