/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One PCRE2 program per rule, compiled by its JIT where the system lets it write code (else
 * interpreted), and one prefilter over the literals of all.
 */
#include "analyzers/rules.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "analyzers/analyzer.h"
#include "analyzers/literal.h"
#include "analyzers/macro.h"
#include "analyzers/prefilter.h"
#include "harness/base/buf.h"
#include "harness/base/mem.h"

enum {
    REASON_SIZE = 128,
    PATTERN_MAX = 64 * 1024,
    MATCH_LIMIT = 200 * 1000,
    HEAP_LIMIT_KIB = 4096,
    JIT_STACK_MIN = 32 * 1024,
    JIT_STACK_MAX = 1024 * 1024,
};

struct ruleset {
    size_t len;
    const struct rule **rules; /* borrowed rules */
    pcre2_code **codes;
    struct prefilter *prefilter;
    uint64_t *candidates; /* room for one scan */
    pcre2_match_data *match_data;
    pcre2_match_context *context;
    pcre2_jit_stack *jit_stack; /* NULL: no JIT */
};

/* The literals of all rules, while they are gathered. */
struct gathering {
    struct prefilter_literal *items; /* owned, with their texts */
    size_t len, cap;
};

static void gather(struct gathering *gathering, size_t rule, char *text)
{
    gathering->items =
        mem_grow(gathering->items, gathering->len, &gathering->cap, sizeof(*gathering->items));
    gathering->items[gathering->len++] = (struct prefilter_literal){text, rule};
}

static void gathering_release(struct gathering *gathering)
{
    for (size_t i = 0; i < gathering->len; i++)
        free((char *)gathering->items[i].text);
    free(gathering->items);
}

/* The rule's own literal, else those that its pattern needs; an empty one if there are none. */
static int gather_literals(struct gathering *gathering, size_t index, const struct rule *rule,
                           const char *pattern, const struct service *service, struct err *err)
{
    auto_literals struct literals literals = {0};
    auto_buf struct buf text = {0};
    if (rule->literal != NULL) {
        buf_init(&text, PATTERN_MAX);
        if (macro_literal(rule->literal, service, &text, err) < 0)
            return err_prefix(err, "rule %s: its literal", rule->id);
        gather(gathering, index, buf_steal(&text));
        return 0;
    }
    literals_init(&literals, pattern);
    for (size_t i = 0; i < literals.n; i++)
        gather(gathering, index, mem_strdup(literals.texts[i]));
    if (literals.n == 0)
        gather(gathering, index, mem_strdup(""));
    return 0;
}

/* Consoles are bytes, so a pattern may not ask for UTF; \C has no meaning then. */
static const uint32_t PATTERN_OPTIONS = PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C;

static void say_reason(int code, PCRE2_UCHAR *ret_reason, size_t size)
{
    ret_reason[0] = '\0';
    (void)pcre2_get_error_message(code, ret_reason, size);
}

/* The one pattern in built-in rules that users write: what is wrong is no rule's fault. */
static int check_ready_pattern(const struct service *service, struct err *err)
{
    PCRE2_SIZE offset;
    PCRE2_UCHAR reason[REASON_SIZE];
    int code;
    if (service->ready_pattern == NULL)
        return 0;
    pcre2_code *program = pcre2_compile((PCRE2_SPTR)service->ready_pattern, PCRE2_ZERO_TERMINATED,
                                        PATTERN_OPTIONS, &code, &offset, NULL);
    if (program == NULL) {
        say_reason(code, reason, sizeof(reason));
        return err_set(err, "\"service.ready_pattern\": column %zu of the pattern: %s",
                       (size_t)offset + 1, (const char *)reason);
    }
    pcre2_code_free(program);
    return 0;
}

static pcre2_code *compile(const struct rule *rule, const struct buf *pattern,
                           const struct service *service, struct err *err)
{
    PCRE2_SIZE offset;
    int code;
    pcre2_code *program = pcre2_compile((PCRE2_SPTR)buf_text(pattern), pattern->len,
                                        PATTERN_OPTIONS, &code, &offset, NULL);
    if (program == NULL) {
        PCRE2_UCHAR reason[REASON_SIZE];
        say_reason(code, reason, sizeof(reason));
        (void)err_set(err, "rule %s: column %zu of its pattern: %s", rule->id,
                      macro_origin(rule->pattern, service, offset) + 1, (const char *)reason);
        return NULL;
    }
    (void)pcre2_jit_compile(program, PCRE2_JIT_COMPLETE);
    return program;
}

static int add_rule(struct ruleset *rules, size_t index, struct gathering *gathering,
                    const struct service *service, struct err *err)
{
    const struct rule *rule = rules->rules[index];
    auto_buf struct buf pattern = {0};
    buf_init(&pattern, PATTERN_MAX);
    if (macro_expand(rule->pattern, service, &pattern, err) < 0)
        return err_prefix(err, "rule %s", rule->id);
    rules->codes[index] = compile(rule, &pattern, service, err);
    if (rules->codes[index] == NULL)
        return -1;
    return gather_literals(gathering, index, rule, buf_text(&pattern), service, err);
}

static int compile_all(struct ruleset *rules, const struct service *service, struct err *err)
{
    struct gathering gathering = {0};
    int rc = check_ready_pattern(service, err);
    for (size_t i = 0; i < rules->len && rc == 0; i++)
        rc = add_rule(rules, i, &gathering, service, err);
    if (rc == 0)
        rules->prefilter = prefilter_new(gathering.items, gathering.len, rules->len);
    gathering_release(&gathering);
    return rc;
}

static void prepare_matching(struct ruleset *rules)
{
    rules->candidates = mem_calloc(prefilter_words(rules->len) + 1, sizeof(*rules->candidates));
    rules->match_data = pcre2_match_data_create(RULE_MAX_CAPTURES, NULL);
    rules->context = pcre2_match_context_create(NULL);
    if (rules->match_data == NULL || rules->context == NULL)
        abort();
    (void)pcre2_set_match_limit(rules->context, MATCH_LIMIT);
    (void)pcre2_set_heap_limit(rules->context, HEAP_LIMIT_KIB);
    rules->jit_stack = pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, NULL);
    if (rules->jit_stack != NULL)
        pcre2_jit_stack_assign(rules->context, NULL, rules->jit_stack);
}

struct ruleset *ruleset_new_from(const struct rule_table *tables, size_t n,
                                 const struct service *service, struct err *err)
{
    struct ruleset *rules = mem_calloc(1, sizeof(*rules));
    for (size_t i = 0; i < n; i++)
        rules->len += tables[i].n;
    rules->rules = mem_calloc(rules->len + 1, sizeof(const struct rule *));
    rules->codes = mem_calloc(rules->len + 1, sizeof(*rules->codes));
    for (size_t i = 0, at = 0; i < n; i++) {
        for (size_t j = 0; j < tables[i].n; j++)
            rules->rules[at++] = &tables[i].rules[j];
    }
    prepare_matching(rules);
    if (compile_all(rules, service, err) < 0) {
        ruleset_free(rules);
        return NULL;
    }
    return rules;
}

struct ruleset *ruleset_new(const struct service *service, struct err *err)
{
    size_t n;
    const struct analyzer *const *analyzers = analyzers_all(&n);
    struct rule_table *tables = mem_calloc(n + 1, sizeof(*tables));
    for (size_t i = 0; i < n; i++)
        tables[i] = (struct rule_table){analyzers[i]->rules, analyzers[i]->n_rules};
    struct ruleset *rules = ruleset_new_from(tables, n, service, err);
    free(tables);
    return rules;
}

void ruleset_free(struct ruleset *rules)
{
    if (rules == NULL)
        return;
    for (size_t i = 0; rules->codes != NULL && i < rules->len; i++)
        pcre2_code_free(rules->codes[i]);
    free(rules->codes);
    free(rules->rules);
    free(rules->candidates);
    prefilter_free(rules->prefilter);
    pcre2_match_data_free(rules->match_data);
    pcre2_match_context_free(rules->context);
    pcre2_jit_stack_free(rules->jit_stack);
    free(rules);
}

size_t ruleset_len(const struct ruleset *rules)
{
    return rules->len;
}

const struct rule *ruleset_rule(const struct ruleset *rules, size_t index)
{
    return rules->rules[index];
}

static void take_captures(const struct ruleset *rules, int count, struct rule_match *match)
{
    const PCRE2_SIZE *ranges = pcre2_get_ovector_pointer(rules->match_data);
    /* 0: more groups than fit. */
    match->n_captures = count != 0 ? (size_t)count : RULE_MAX_CAPTURES;
    for (size_t i = 0; i < RULE_MAX_CAPTURES; i++) {
        bool set = i < match->n_captures && ranges[2 * i] != PCRE2_UNSET;
        match->start[i] = set ? ranges[2 * i] : SIZE_MAX;
        match->end[i] = set ? ranges[2 * i + 1] : SIZE_MAX;
    }
}

static bool may_say(const struct rule *rule, const struct line *line)
{
    enum speaker speaker =
        rule->speaker != SPEAKER_OF_LAYER ? rule->speaker : speaker_of_layer(rule->id);
    return speaker_may_say(speaker, line);
}

static void try_rule(struct ruleset *rules, size_t index, const struct line *line,
                     const struct rule_visitor *visitor)
{
    int count = pcre2_match(rules->codes[index], (PCRE2_SPTR)line->message, line->message_len, 0, 0,
                            rules->match_data, rules->context);
    if (count >= 0) {
        struct rule_match match = {.index = index};
        take_captures(rules, count, &match);
        visitor->on_match(visitor->ctx, &match, line);
    } else if (count != PCRE2_ERROR_NOMATCH && visitor->on_limit != NULL) {
        visitor->on_limit(visitor->ctx, rules->rules[index], line);
    }
}

void ruleset_match(struct ruleset *rules, enum rule_file file, const struct line *line,
                   bool prefilter, const struct rule_visitor *visitor)
{
    size_t n_words = prefilter_words(rules->len);
    if (prefilter)
        prefilter_scan(rules->prefilter, line->message, line->message_len, rules->candidates);
    else
        memset(rules->candidates, 0xff, n_words * sizeof(*rules->candidates));
    for (size_t word = 0; word < n_words; word++) {
        for (uint64_t set = rules->candidates[word]; set != 0; set &= set - 1) {
            size_t index = word * 64 + (size_t)__builtin_ctzll(set);
            if (index < rules->len && rules->rules[index]->file == file &&
                may_say(rules->rules[index], line))
                try_rule(rules, index, line, visitor);
        }
    }
}
