/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <glob.h>

#include <cmocka.h>

#include "analyzers/line.h"
#include "analyzers/literal.h"
#include "analyzers/prefilter.h"
#include "analyzers/rules.h"
#include "harness/base/buf.h"
#include "harness/base/bytes.h"
#include "harness/base/mem.h"

static struct service service;

static struct ruleset *compile(const struct rule *rules, size_t n)
{
    struct rule_table table = {rules, n};
    struct err err = {.message = ""};
    struct ruleset *set = ruleset_new_from(&table, 1, &service, &err);
    if (set == NULL)
        fail_msg("%s", err.message);
    return set;
}

/* What one rule made of one line: "<group 1><group 2>..." or "-". */
struct outcome {
    char *text;
    unsigned limits;
};

static void keep_text(void *ctx, const struct rule_match *match, const struct line *line)
{
    struct outcome *outcome = ctx;
    struct buf text;
    buf_init(&text, LINE_MAX_BYTES);
    for (size_t i = 1; i < match->n_captures; i++) {
        buf_add_char(&text, '<');
        if (match->start[i] <= match->end[i] && match->end[i] <= line->message_len)
            buf_add(&text, line->message + match->start[i], match->end[i] - match->start[i]);
        buf_add_char(&text, '>');
    }
    free(outcome->text);
    outcome->text = buf_steal(&text);
}

static void count_limit(void *ctx, const struct rule *rule, const struct line *line)
{
    struct outcome *outcome = ctx;
    (void)rule;
    (void)line;
    outcome->limits++;
}

static char *apply(const char *pattern, const char *literal, const char *text, unsigned *ret_limits)
{
    const struct rule rule = {.id = "t.x", .pattern = pattern, .literal = literal};
    struct ruleset *rules = compile(&rule, 1);
    struct outcome outcome = {0};
    const struct rule_visitor visitor = {keep_text, count_limit, &outcome};
    const struct line line = {
        .text = text, .len = strlen(text), .message = text, .message_len = strlen(text)};
    ruleset_match(rules, RULE_CONSOLE, &line, true, &visitor);
    ruleset_free(rules);
    *ret_limits = outcome.limits;
    return outcome.text != NULL ? outcome.text : mem_strdup("-");
}

static void test_captures(void **state)
{
    static const struct {
        const char *pattern, *literal, *text, *expected;
    } rows[] = {
        {"port (\\d+)", "port", "the port 80.", "<80>"},
        {"(?<who>\\w+) died", " died", "agent died", "<agent>"},
        {"(a)|(b)", NULL, "b", "<><b>"},
        {"x\\K(?=y)", NULL, "xy", ""},
        {"(1)(2)(3)(4)(5)(6)(7)(8)(9)(a)(b)", NULL, "123456789ab", "<1><2><3><4><5><6><7><8><9>"},
        {"port", "pork", "port", "-"},
        {"^port", NULL, "a port", "-"},
        {"\\xff.$", NULL, "\xff\xfe", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned limits;
        char *text = apply(rows[i].pattern, rows[i].literal, rows[i].text, &limits);
        assert_string_equal(text, rows[i].expected);
        assert_int_equal(limits, 0);
        free(text);
    }
}

static void test_macros(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool matches;
    } rows[] = {
        {"^Started %{UNIT}\\.?$", "Started vm-browser-agent.service.", true},
        {"^Started %{UNIT}\\.?$", "Started vm-browser-agent.service - VM Browser OAuth Agent.",
         true},
        {"^Started %{UNIT}\\.?$", "Started VM Browser OAuth Agent.", true},
        {"^Started %{UNIT}\\.?$",
         "Started vm-browser-agent.s\xe2\x80\xa6"
         "ces (OAuth Agent + WebRTC Server)",
         true},
        {"^Started %{UNIT}\\.?$", "Started vm-brows\xe2\x80\xa6 Server", true},
        {"^Started %{UNIT}\\.?$",
         "Started vm-browser-agent.service - VM Bro\xe2\x80\xa6"
         "ver",
         true},
        {"^Started %{UNIT}\\.?$",
         "Started VM Browse\xe2\x80\xa6"
         "ver)",
         true},
        {"%{UNIT}: Failed with", "vm-browser-agent.service: Failed with result", true},
        {"for %{UNIT} \\(", "A start job is running for VM Browser Agent (5s / 1min)", true},
        {"^Started %{UNIT}\\.?$", "Started vm-brow\xe2\x80\xa6 Server", false},
        {"^Started %{UNIT}\\.?$", "Started vm-browser-agentXservice.", false},
        {"^Started %{UNIT}\\.?$", "Started vm-browser-agent.services", false},
        {"^Started %{UNIT}\\.?$", "Started vm-browser-vnc.service", false},
        {"^%{SUPERVISOR}$", "start-all.sh", true},
        {"^%{SUPERVISOR}$", "start-allXsh", false},
        {"/%{ENTRY}:", "/opt/server.js:7", true},
        {"%{READY}", "x VM Browser Agent started y", true},
        {"port %{PORT}", "port 8080", true},
        {"port %{PORT}", "port 80800", false},
        {"%{IFACE}: ", "eth0: up", true},
        {"%{IFACE}: ", "enp0s3: up", true},
        {"^%{IFACE}: ", "lo: up", false},
        {"^%{IFACE}: ", "entry: up", false},
        {"from %{IP}$", "from 192.168.100.1", true},
        {"from %{IP}", "from 1.2.3.4.5", false},
        {"a\\%{x", "a%{x", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned limits;
        char *text = apply(rows[i].pattern, NULL, rows[i].text, &limits);
        if ((strcmp(text, "-") != 0) != rows[i].matches)
            fail_msg("%s on \"%s\": %s", rows[i].pattern, rows[i].text, text);
        free(text);
    }
}

/* The service's own texts are text, whatever they contain; its groups shift no capture. */
static void test_quotes_the_service(void **state)
{
    static const struct {
        const char *pattern, *text, *expected;
    } rows[] = {
        {"^%{UNIT}: (.)", "a+b(c)@[x].service: y", "<y>"},
        {"%{SUPERVISOR} (.)", "$HOME.sh z", "<z>"},
        {"%{READY} (.)", "up now on port q", "<q>"},
    };
    struct service odd = {.unit = (char *)"a+b(c)@[x].service",
                          .description = (char *)"",
                          .supervisor = (char *)"$HOME.sh",
                          .entry = (char *)"e",
                          .ready_pattern = (char *)"(up|down) now on (port)",
                          .port = 1};
    struct service usual = service;
    (void)state;
    service = odd;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned limits;
        char *text = apply(rows[i].pattern, NULL, rows[i].text, &limits);
        assert_string_equal(text, rows[i].expected);
        free(text);
    }
    service = usual;
}

static void test_bad_patterns(void **state)
{
    static const struct {
        const char *pattern, *literal, *says;
    } rows[] = {
        {"ab(c", NULL, "rule t.bad: column 5 of its pattern: missing closing parenthesis"},
        {"%{UNIT}x**", NULL, "rule t.bad: column 10 of its pattern"},
        {"a%{NOPE}", NULL, "rule t.bad: unknown macro \"%{NOPE}\""},
        {"(*UTF)a", NULL, "rule t.bad: column"},
        {"a", "%{UNIT}", "rule t.bad: its literal: unknown macro \"%{UNIT}\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct rule rule = {
            .id = "t.bad", .pattern = rows[i].pattern, .literal = rows[i].literal};
        const struct rule_table table = {&rule, 1};
        struct err err = {.message = ""};
        assert_null(ruleset_new_from(&table, 1, &service, &err));
        if (strncmp(err.message, rows[i].says, strlen(rows[i].says)) != 0)
            fail_msg("%s: %s", rows[i].pattern, err.message);
    }
}

/* A record's or target's own pattern is named, not the built-in rule that holds it. */
static void test_bad_ready_pattern(void **state)
{
    const struct rule rule = {.id = "t.fine", .pattern = "%{READY}"};
    const struct rule_table table = {&rule, 1};
    struct service bad = service;
    struct err err = {.message = ""};
    (void)state;
    bad.ready_pattern = (char *)"up (on|at";
    assert_null(ruleset_new_from(&table, 1, &bad, &err));
    assert_string_equal(err.message, "\"service.ready_pattern\": column 10 of the pattern: "
                                     "missing closing parenthesis");
}

static void test_limit_is_reported(void **state)
{
    char text[2048];
    unsigned limits;
    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    memcpy(text + sizeof(text) - 3, "b!", 3);
    char *result = apply("(a+)+(a+)+(a+)+b$", NULL, text, &limits);
    assert_string_equal(result, "-");
    assert_int_equal(limits, 1);
    free(result);
}

static void test_literals(void **state)
{
    static const struct {
        const char *pattern, *expected; /* separated by spaces, shown as "_" */
    } rows[] = {
        {"abc", "abc"},
        {"^abc$", "abc"},
        {"ab|cd", "ab cd"},
        {"ab|c", ""},
        {"ab|", ""},
        {"abc?d", "ab"},
        {"abc*de", "ab"},
        {"abcd+e", "abcd"},
        {"ab{2}c", "ab"},
        {"abcd{0,3}ef", "abc"},
        {"ab{x", "ab{x"},
        {"a.bc.d", "bc"},
        {"\\d+ died \\w", "_died_"},
        {"a\\.b\\(c", "a.b(c"},
        {"a\\bb", "ab"},
        {"x(?:foo|barr)y", "foo barr"},
        {"x(?:foo|barr)?yy", "yy"},
        {"(foo|bar){0,2}yy", "yy"},
        {"(?=.*need)a", "need"},
        {"(?!.*never)ab", "ab"},
        {"(?<!never)ab", "ab"},
        {"(?<=before)a", "before"},
        {"(?<name>ab)", "ab"},
        {"(?i)Read", "Read"},
        {"(?i:ab)c", "ab"},
        {"(?n:ab)", "ab"},
        {"[wW]aiting", "waiting"},
        {"[ab]cd[^]x]ef", "cd"},
        {"[[:alpha:]]cd", "cd"},
        {"[a\\]]cd", "cd"},
        {"\\x41bc", "Abc"},
        {"\\Qa.b\\E", ""},
        {"(?x) a b", ""},
        {"(?#c)ab", ""},
        {"(*COMMIT)ab", ""},
        {"(?(1)ab|cd)", ""},
        {"(ab)\\1", ""},
        {"\\p{Lu}ab", ""},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        auto_literals struct literals literals;
        auto_buf struct buf text = {0};
        literals_init(&literals, rows[i].pattern);
        buf_init(&text, 1000);
        for (size_t j = 0; j < literals.n; j++) {
            buf_add_text(&text, j > 0 ? " " : "");
            for (const char *at = literals.texts[j]; *at != '\0'; at++)
                buf_add_char(&text, *at == ' ' ? '_' : *at);
        }
        if (strcmp(buf_text(&text), rows[i].expected) != 0)
            fail_msg("%s: \"%s\", not \"%s\"", rows[i].pattern, buf_text(&text), rows[i].expected);
    }
}

/* A pattern of which nothing is known is still tried, and so is any at a depth that is not
 * followed. */
static void test_literals_of_deep_pattern(void **state)
{
    char pattern[1001];
    auto_literals struct literals literals;
    (void)state;
    memset(pattern, '(', 1000);
    pattern[1000] = '\0';
    literals_init(&literals, pattern);
    assert_int_equal(literals.n, 0);
}

static void test_prefilter(void **state)
{
    static const struct prefilter_literal literals[] = {
        {"he", 0}, {"she", 1}, {"his", 2},   {"hers", 3}, {"", 4},    {"", 5},
        {"HE", 6}, {"e", 7},   {"\xff!", 8}, {"abcd", 9}, {"bc", 10}, {"other", 9},
    };
    static const struct {
        const char *text;
        uint64_t set;
    } rows[] = {
        {"", 0x30},
        {"ushers", 0x30 | 1 | 2 | 8 | 64 | 128},
        {"his", 0x30 | 4},
        {"h e", 0x30 | 128},
        {"xx\xff!", 0x30 | 256},
        {"shis", 0x30 | 4},
        {"abcx", 0x30 | 1024}, /* within the longer one, which does not end */
        {"abcd", 0x30 | 512 | 1024},
        {"zzz", 0x30},
        {"ABCD", 0x30 | 512 | 1024},
        {"other", 0x30 | 1 | 64 | 128 | 512},
    };
    const size_t n = sizeof(literals) / sizeof(literals[0]);
    struct prefilter *prefilter = prefilter_new(literals, n, 11);
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t set = ~UINT64_C(0);
        prefilter_scan(prefilter, rows[i].text, strlen(rows[i].text), &set);
        assert_int_equal(set, rows[i].set);
    }
    prefilter_free(prefilter);
    prefilter = prefilter_new(literals, 0, 0);
    prefilter_scan(prefilter, "x", 1, (uint64_t[1]){0});
    prefilter_free(prefilter);
}

/* The hits of one line, with and without the prefilter. */
struct comparison {
    struct ruleset *rules;
    struct buf with, without;
    size_t lines, hits;
};

static void add_hit(void *ctx, const struct rule_match *match, const struct line *line)
{
    (void)line;
    buf_addf(ctx, "%zu:%zu-%zu ", match->index, match->start[0], match->end[0]);
}

static void compare_line(void *ctx, const struct line *line)
{
    struct comparison *comparison = ctx;
    struct rule_visitor visitor = {.on_match = add_hit};
    for (enum rule_file file = RULE_CONSOLE; file <= RULE_VMM_LOG; file++) {
        buf_clear(&comparison->with);
        buf_clear(&comparison->without);
        visitor.ctx = &comparison->with;
        ruleset_match(comparison->rules, file, line, true, &visitor);
        visitor.ctx = &comparison->without;
        ruleset_match(comparison->rules, file, line, false, &visitor);
        if (strcmp(buf_text(&comparison->with), buf_text(&comparison->without)) != 0)
            fail_msg("line %u \"%s\": %s against %s", line->number, line->text,
                     buf_text(&comparison->with), buf_text(&comparison->without));
        comparison->hits += comparison->without.len > 0;
    }
    comparison->lines++;
}

static void compare_bytes(struct comparison *comparison, const char *bytes, size_t len)
{
    struct line_reader *reader = line_reader_new(compare_line, comparison);
    line_reader_feed(reader, bytes, len);
    line_reader_flush(reader);
    line_reader_free(reader);
}

/* Each rule's own sample must be among the lines that are compared. */
static void compare_samples(struct comparison *comparison)
{
    for (size_t i = 0; i < ruleset_len(comparison->rules); i++) {
        const char *sample = ruleset_rule(comparison->rules, i)->sample;
        if (sample != NULL)
            compare_bytes(comparison, sample, strlen(sample));
    }
}

static void compare_random(struct comparison *comparison)
{
    static const char bytes[] = "abcdefghijklmnopqrstuvwxyz .:[]0123456789-_/\n\n\x1b\r\xff";
    uint64_t seed = 88172645463325252U;
    char block[4096];
    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; i < sizeof(block); i++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            block[i] = bytes[(seed >> 33) % (sizeof(bytes) - 1)];
        }
        compare_bytes(comparison, block, sizeof(block));
    }
}

static void compare_cases(struct comparison *comparison)
{
    glob_t found;
    if (glob("fixtures/cases/*/console.log*", 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *const paths[] = {found.gl_pathv[i], NULL};
        struct bytes bytes = {0};
        struct err err;
        if (bytes_load(&bytes, paths, 64 << 20, &err) < 0)
            fail_msg("%s", err.message);
        compare_bytes(comparison, bytes.data, bytes.len);
        bytes_release(&bytes);
    }
    globfree(&found);
}

static void test_prefilter_changes_nothing(void **state)
{
    struct err err = {.message = ""};
    struct comparison comparison = {.rules = ruleset_new(&service, &err)};
    (void)state;
    if (comparison.rules == NULL)
        fail_msg("%s", err.message);
    buf_init(&comparison.with, 1 << 16);
    buf_init(&comparison.without, 1 << 16);
    compare_samples(&comparison);
    assert_true(comparison.hits >= 1);
    compare_cases(&comparison);
    compare_random(&comparison);
    assert_true(comparison.lines > 1000);
    buf_release(&comparison.with);
    buf_release(&comparison.without);
    ruleset_free(comparison.rules);
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
        cmocka_unit_test(test_captures),           cmocka_unit_test(test_macros),
        cmocka_unit_test(test_quotes_the_service), cmocka_unit_test(test_bad_patterns),
        cmocka_unit_test(test_bad_ready_pattern),  cmocka_unit_test(test_limit_is_reported),
        cmocka_unit_test(test_literals),           cmocka_unit_test(test_literals_of_deep_pattern),
        cmocka_unit_test(test_prefilter),          cmocka_unit_test(test_prefilter_changes_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
