/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every two causes that one line can wake have an answer to "which wins": one explains the other in
 * causes.c, or they stand here with the reason why the state of the boot decides.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "analyzers/causes.h"
#include "analyzers/line.h"
#include "analyzers/rules.h"
#include "harness/service.h"

/* Pairs that no order of causes decides, and what does. */
static const struct {
    const char *one, *other, *decided_by;
} by_state[] = {
    {"", "", ""},
};

static bool is_by_state(const char *one, const char *other)
{
    for (size_t i = 0; i < sizeof(by_state) / sizeof(by_state[0]); i++)
        if ((strcmp(by_state[i].one, one) == 0 && strcmp(by_state[i].other, other) == 0) ||
            (strcmp(by_state[i].one, other) == 0 && strcmp(by_state[i].other, one) == 0))
            return true;
    return false;
}

/* The rules that one line wakes. */
struct woken {
    const struct ruleset *rules;
    enum rule_file file;
    const struct rule *list[64];
    size_t len;
};

static struct ruleset *ruleset;

static void on_match(void *ctx, const struct rule_match *match, const struct line *line)
{
    struct woken *woken = ctx;
    const struct rule *rule = ruleset_rule(woken->rules, match->index);
    (void)line;
    if (rule->cause != NULL && woken->len < sizeof(woken->list) / sizeof(woken->list[0]))
        woken->list[woken->len++] = rule;
}

static void on_line(void *ctx, const struct line *line)
{
    struct woken *woken = ctx;
    const struct rule_visitor visitor = {on_match, NULL, woken};
    ruleset_match(ruleset, woken->file, line, true, &visitor);
}

static int count_unanswered(const struct woken *woken, const char *sample)
{
    int n = 0;
    for (size_t i = 0; i < woken->len; i++)
        for (size_t k = 0; k < i; k++) {
            const char *one = woken->list[i]->cause, *other = woken->list[k]->cause;
            if (strcmp(one, other) == 0 || cause_explains(one, other) ||
                cause_explains(other, one) || is_by_state(one, other))
                continue;
            print_error("%s (%s) and %s (%s): no answer which wins: %s\n", one, woken->list[i]->id,
                        other, woken->list[k]->id, sample);
            n++;
        }
    return n;
}

static void test_every_overlap_has_an_answer(void **state)
{
    (void)state;
    int n = 0;
    for (size_t i = 0; i < ruleset_len(ruleset); i++) {
        const struct rule *rule = ruleset_rule(ruleset, i);
        struct woken woken = {.rules = ruleset, .file = rule->file};
        struct line_reader *reader = line_reader_new(on_line, &woken);
        line_reader_feed(reader, rule->sample, strlen(rule->sample));
        line_reader_flush(reader);
        line_reader_free(reader);
        n += count_unanswered(&woken, rule->sample);
    }
    assert_int_equal(n, 0);
}

static int set_up(void **state)
{
    (void)state;
    struct err err = {0};
    struct service service;
    service_init(&service);
    ruleset = ruleset_new(&service, &err);
    service_release(&service);
    return ruleset != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    ruleset_free(ruleset);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_overlap_has_an_answer)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
