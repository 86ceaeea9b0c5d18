/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support.h"

#include "analyzers/analyzer.h"
#include "analyzers/rule_lint.h"
#include "analyzers/specimen.h"

static struct service service;

/* ---- specimens ---- */

static void specimens_follow_the_pattern(void **state)
{
    static const struct {
        const char *pattern;
        const char *even, *odd;
    } rows[] = {
        {"plain", "plain", "plain"},
        {"a|bb|ccc", "a", "bb"},
        {"x(?:a|b)?y", "xy", "xby"},
        {"^\\[ *\\d+\\] [a-z]{3}\\S$", "[0] aaax", "[ 0] aaax"},
        {"(?<name>q)(?!z)(?=y)(?<=q)y", "qy", "qy"},
        {"[^a]\\.\\x41\\t[[:digit:]]", "x.A\t0", "x.A\t0"},
        {"[]x][\\]-_]", "x_", "x_"},
        {"a{2,}b{1,3}c*", "aab", "aabc"},
        {"{}{2", "{}{2", "{}{2"},
    };
    (void)state;
    for (size_t i = 0; i < N_ROWS(rows); i++)
        for (unsigned variant = 0; variant < 2; variant++) {
            auto_buf struct buf text;
            buf_init(&text, 1000);
            assert_true(specimen_make(rows[i].pattern, variant, &text));
            assert_string_equal(buf_text(&text), variant == 0 ? rows[i].even : rows[i].odd);
        }
}

static void specimens_give_up_on_what_they_do_not_know(void **state)
{
    static const char *const patterns[] = {"(a)\\1", "(?(1)a|b)", "(*ANYCRLF)a", "\\Qa\\E", "(a",
                                           "a)",     "[a",        "\\p{L}",      "[[:x:]]"};
    (void)state;
    for (size_t i = 0; i < N_ROWS(patterns); i++) {
        auto_buf struct buf text;
        struct specimen_pumps pumps;
        buf_init(&text, 1000);
        assert_false(specimen_make(patterns[i], 0, &text));
        assert_false(specimen_pumps(&pumps, patterns[i]));
    }
}

static void pumps_are_found(void **state)
{
    static const struct {
        const char *pattern;
        size_t n, first;
        bool nested;
        const char *pumped; /* the first, three times */
    } rows[] = {
        {"abc", 0, 0, false, NULL},
        {"ab*c", 1, 2, false, "abbb"},
        {"a(?:bc|d)+e", 1, 9, false, "abcbcbc"},
        {"(a+)+$", 2, 2, true, "aaa"},
        {"(a+){3}x+", 2, 2, false, "aaa"},
        {"(?>a+)+", 1, 6, false, "aaa"},
        {"(a++)+", 1, 5, false, "aaa"},
        {"x{2,}", 1, 1, false, "xxx"},
        {"x{2,4}y?", 0, 0, false, NULL},
    };
    (void)state;
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        struct specimen_pumps pumps;
        auto_buf struct buf text;
        buf_init(&text, 1000);
        assert_true(specimen_pumps(&pumps, rows[i].pattern));
        assert_int_equal(pumps.n, rows[i].n);
        assert_int_equal(pumps.nested, rows[i].nested);
        if (pumps.n == 0)
            continue;
        assert_int_equal(pumps.at[0], rows[i].first);
        assert_true(specimen_pump(rows[i].pattern, 0, pumps.at[0], 3, &text));
        assert_string_equal(buf_text(&text), rows[i].pumped);
    }
}

/* However deep: no exponential time, no overflow of the stack. */
static void deep_patterns_end(void **state)
{
    auto_buf struct buf pattern, text;
    (void)state;
    buf_init(&pattern, 1 << 16);
    buf_init(&text, 1 << 16);
    for (int i = 0; i < 150; i++)
        buf_add_text(&pattern, "(?:");
    buf_add_text(&pattern, "a");
    for (int i = 0; i < 150; i++)
        buf_add_text(&pattern, ")+");
    assert_true(specimen_make(buf_text(&pattern), 0, &text));
    assert_string_equal(buf_text(&text), "a");
    for (int i = 0; i < 5000; i++)
        buf_add_text(&pattern, "(");
    assert_false(specimen_make(buf_text(&pattern), 0, &text));
}

/* ---- rules ---- */

static char *problems_of(const struct rule *rules, size_t n)
{
    const struct rule_table table = {rules, n};
    struct ruleset *all = ruleset_new_from(&table, 1, &service, NULL);
    struct rule_problems problems = {0};
    struct buf text;
    assert_non_null(all);
    buf_init(&text, 1 << 16);
    rule_lint(&problems, &rules[0], all, &service);
    for (size_t i = 0; i < problems.n; i++)
        buf_addf(&text, "%s%s\n", problems.items[i].warning ? "warning: " : "",
                 problems.items[i].text);
    rule_problems_release(&problems);
    ruleset_free(all);
    return buf_steal(&text);
}

static void each_mistake_is_found(void **state)
{
    static const struct {
        struct rule rule;
        const char *problem; /* NULL: none at all */
    } rows[] = {
        {{.pattern = "error (\\d+)", .sample = "an error 5", .near_miss = "an error x"}, NULL},
        {{.pattern = "error", .near_miss = "x"}, "it has no sample"},
        {{.pattern = "error", .sample = "error"}, "it has no near miss"},
        {{.pattern = "error", .sample = "err", .near_miss = "x"}, "its sample does not match"},
        {{.pattern = "error", .sample = "error", .near_miss = "errors"}, "its near miss matches"},
        {{.pattern = "error", .literal = "fail", .sample = "error", .near_miss = "x"},
         "its literal \"fail\" is not in its sample"},
        {{.pattern = "err|fail", .literal = "err", .sample = "err", .near_miss = "x"},
         "not every match contains its literal \"err\": \"fail\" matches"},
        {{.pattern = "(?:error: )?\\d+ failed",
          .literal = "error",
          .sample = "error: 1 failed",
          .near_miss = "x"},
         "\"0 failed\" matches"},
        {{.pattern = "(?i)err|fatal err", .literal = "err", .sample = "ERR", .near_miss = "x"},
         NULL},
        {{.pattern = "^\\d+$", .sample = "55", .near_miss = "x"},
         "warning: no literal can be read off"},
        {{.pattern = "error", .summary = "$2", .sample = "error", .near_miss = "x"},
         "warning: its summary has $2"},
        {{.pattern = "(e)(r)(r)(o)(r)", .summary = "$5", .sample = "error", .near_miss = "x"},
         "warning: its summary has $5, and only $1 to $4 are kept"},
        {{.pattern = "fail (a+)+$", .sample = "fail aaa", .near_miss = "fail"},
         "its pattern is catastrophic"},
        {{.pattern = "^.*=.*=.*=.*=.*end$", .sample = "a=b=c=d=end", .near_miss = "end"},
         "its pattern is catastrophic"},
        {{.pattern = "fail|(?R)", .sample = "fail", .near_miss = "x"},
         "its pattern is given up on its near miss"},
        {{.pattern = "fail (?:[a-z]+ )+now", .sample = "fail a b now", .near_miss = "fail"},
         "warning: its pattern repeats a repetition (column 17)"},
        {{.pattern = "fail (?:[a-z]++ )++now", .sample = "fail a b now", .near_miss = "fail"},
         NULL},
        {{.pattern = "vmm log", .file = RULE_VMM_LOG, .sample = "vmm log", .near_miss = "x"}, NULL},
        {{.pattern = "%{PORT} taken",
          .literal = "%{PORT}",
          .sample = "8080 taken",
          .near_miss = "80801 taken"},
         NULL},
    };
    (void)state;
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        struct rule rule = rows[i].rule;
        rule.id = "x.t";
        rule.summary = rule.summary != NULL ? rule.summary : "s";
        auto_free char *text = problems_of(&rule, 1);
        if (rows[i].problem == NULL ? text[0] != '\0' : strstr(text, rows[i].problem) == NULL)
            fail_msg("%s: \"%s\" instead of \"%s\"", rule.pattern, text,
                     rows[i].problem != NULL ? rows[i].problem : "");
    }
}

static void duplicates_are_found(void **state)
{
    const struct rule rules[] = {
        {.id = "x.a",
         .cause = "x.c",
         .pattern = "disk full",
         .summary = "s",
         .sample = "disk full",
         .near_miss = "disk"},
        {.id = "x.b", .cause = "x.c", .pattern = "disk", .summary = "s"},
        {.id = "x.other", .cause = "x.d", .pattern = "full", .summary = "s"},
        {.id = "x.none", .pattern = "full", .summary = "s"},
    };
    (void)state;
    auto_free char *text = problems_of(rules, N_ROWS(rules));
    assert_string_equal(text, "its sample is matched by x.b too, which has the same cause\n");
    auto_free char *none = problems_of(&rules[0], 1);
    assert_string_equal(none, "");
}

/* The lint makes nothing up: the built-in rules, which have proved themselves, pass it. */
static void built_in_rules_pass(void **state)
{
    size_t n;
    const struct analyzer *const *analyzers = analyzers_all(&n);
    (void)state;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < analyzers[i]->n_rules; k++) {
            const struct rule_table table = {&analyzers[i]->rules[k], 1};
            struct ruleset *alone = ruleset_new_from(&table, 1, &service, NULL);
            struct rule_problems problems = {0};
            rule_lint(&problems, table.rules, alone, &service);
            for (size_t p = 0; p < problems.n; p++)
                if (!problems.items[p].warning)
                    fail_msg("%s: %s", table.rules->id, problems.items[p].text);
            rule_problems_release(&problems);
            ruleset_free(alone);
        }
}

static void wolves_are_found(void **state)
{
    static const char console[] = "Linux version 6\nerror 1\nerror 2\nnote 3\n";
    const struct rule rules[] = {
        {.id = "x.skipped", .severity = SEVERITY_ERROR, .pattern = "error", .summary = "s"},
        {.id = "x.error", .severity = SEVERITY_ERROR, .pattern = "error", .summary = "s"},
        {.id = "x.cause",
         .cause = "x.c",
         .severity = SEVERITY_NOTE,
         .pattern = "note",
         .summary = "s"},
        {.id = "x.note", .severity = SEVERITY_NOTE, .pattern = "note", .summary = "s"},
        {.id = "x.vmm",
         .severity = SEVERITY_ERROR,
         .file = RULE_VMM_LOG,
         .pattern = "qemu",
         .summary = "s"},
    };
    const struct rule_table table = {rules, N_ROWS(rules)};
    struct ruleset *all = ruleset_new_from(&table, 1, &service, NULL);
    struct rule_problems problems[N_ROWS(rules)] = {{.n = 0}};
    struct record good;
    (void)state;
    record_init(&good);
    good.source = mem_strdup("good-1");
    good.console.data = console;
    good.console.len = sizeof(console) - 1;
    good.vmm_log.data = "qemu: ended";
    good.vmm_log.len = 11;
    rule_lint_good(problems, all, 1, &good);
    assert_int_equal(problems[0].n, 0);
    assert_int_equal(problems[1].n, 1);
    assert_string_equal(problems[1].items[0].text,
                        "it matches in a good boot, good-1, line 2: error 1");
    assert_true(problems[1].failed);
    assert_int_equal(problems[2].n, 1);
    assert_int_equal(problems[3].n, 0);
    assert_int_equal(problems[4].n, 1);
    for (size_t i = 0; i < N_ROWS(rules); i++)
        rule_problems_release(&problems[i]);
    good.console = good.vmm_log = (struct bytes){0};
    record_release(&good);
    ruleset_free(all);
}

static int setup(void **state)
{
    (void)state;
    service_init(&service);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    service_release(&service);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(specimens_follow_the_pattern),
        cmocka_unit_test(specimens_give_up_on_what_they_do_not_know),
        cmocka_unit_test(pumps_are_found),
        cmocka_unit_test(deep_patterns_end),
        cmocka_unit_test(each_mistake_is_found),
        cmocka_unit_test(duplicates_are_found),
        cmocka_unit_test(built_in_rules_pass),
        cmocka_unit_test(wolves_are_found),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
