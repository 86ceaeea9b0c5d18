/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support.h"

#include <jansson.h>

#include "analyzers/analyzer.h"
#include "analyzers/own_rules.h"

static int parse(struct own_rules *rules, const char *text, struct err *err)
{
    json_error_t why;
    json_auto_t *list = json_loads(text, 0, &why);
    if (list == NULL)
        fail_msg("%s: %s", text, why.text);
    return own_rules_parse(rules, list, "f.json", err);
}

static void takes_every_member(void **state)
{
    static const char text[] =
        "[{\"id\": \"x.a.b-1\", \"layer\": \"agent\", \"cause\": \"x.mine\", \"severity\": "
        "\"fatal\","
        " \"milestone\": \"agent-started\", \"file\": \"vmm\", \"speaker\": \"kernel\","
        " \"confidence\": 0.5, \"pattern\": \"a(b)\", \"literal\": \"ab\", \"summary\": \"$1\","
        " \"remedy\": \"r\", \"sample\": \"ab\", \"near_miss\": \"ac\", \"death\": true},"
        " {\"id\": \"x.b\", \"pattern\": \"b\", \"summary\": \"s\", \"remedy\": null},"
        " {\"id\": \"x.c\", \"pattern\": \"b\", \"summary\": \"s\", \"cause\": \"agent.hung\"}]";
    struct own_rules rules;
    struct err err = {0};
    (void)state;
    if (parse(&rules, text, &err) != 0)
        fail_msg("%s", err.message);
    assert_int_equal(rules.n, 3);
    const struct rule *rule = &rules.rules[0];
    assert_string_equal(rule->id, "x.a.b-1");
    assert_string_equal(rule->layer, "agent");
    assert_string_equal(rule->cause, "x.mine");
    assert_string_equal(rule->milestone, "agent-started");
    assert_int_equal(rule->severity, SEVERITY_FATAL);
    assert_int_equal(rule->file, RULE_VMM_LOG);
    assert_int_equal(rule->speaker, SPEAKER_KERNEL);
    assert_true(rule->confidence > 0.49 && rule->confidence < 0.51);
    assert_string_equal(rule->literal, "ab");
    assert_string_equal(rule->near_miss, "ac");
    assert_true(rule->death);
    assert_int_equal(rules.rules[1].severity, SEVERITY_ERROR);
    assert_null(rules.rules[1].remedy);
    assert_true(rules.rules[1].confidence < 0.01);
    assert_true(rules.rules[2].confidence > 0.89);

    /* And back. */
    json_auto_t *list = json_array();
    for (size_t i = 0; i < rules.n; i++)
        json_array_append_new(list, own_rules_json(&rules.rules[i]));
    struct own_rules again;
    assert_int_equal(own_rules_parse(&again, list, "again", &err), 0);
    for (size_t i = 0; i < rules.n; i++) {
        json_auto_t *object = own_rules_json(&again.rules[i]);
        assert_true(json_equal(object, json_array_get(list, i)));
    }
    own_rules_release(&again);
    own_rules_release(&rules);
    own_rules_release(&rules);
}

static void refuses_with_file_rule_and_column(void **state)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"[3]", "f.json: rule 1: expected an object"},
        {"[{\"id\": 5}]", "f.json: rule 1: \"id\": expected a string"},
        {"[{\"id\": \"x.a\", \"summary\": \"s\"}]", "f.json: rule 1 (x.a): \"pattern\" is missing"},
        {"[{\"id\": \"x.a\", \"pattern\": \"\", \"summary\": \"s\"}]", "\"pattern\" is empty"},
        {"[{\"id\": \"a\", \"pattern\": \"p\", \"summary\": \"s\"}]",
         "rule 1 (a): \"id\": expected"},
        {"[{\"id\": \"x.\", \"pattern\": \"p\", \"summary\": \"s\"}]", "\"id\": expected"},
        {"[{\"id\": \"x.a.\", \"pattern\": \"p\", \"summary\": \"s\"}]", "\"id\": expected"},
        {"[{\"id\": \"x.A\", \"pattern\": \"p\", \"summary\": \"s\"}]", "\"id\": expected"},
        {"[{\"id\": \"x.a\", \"pattern\": \"p\", \"summary\": \"s\", \"colour\": 1}]",
         "\"colour\" is not a member of a rule"},
        {"[{\"id\": \"x.a\", \"pattern\": \"p\", \"summary\": \"s\", \"severity\": \"bad\"}]",
         "\"severity\": expected one of mark, note, error, fatal, got \"bad\""},
        {"[{\"id\": \"x.a\", \"pattern\": \"p\", \"summary\": \"s\", \"severity\": 3}]",
         "\"severity\": expected a string"},
        {"[{\"id\": \"x.a\", \"pattern\": \"p\", \"summary\": \"s\", \"cause\": \"agent.none\"}]",
         "there is no cause \"agent.none\""},
        {"[{\"id\": \"x.a\", \"pattern\": \"p\", \"summary\": \"s\", \"cause\": \"unknown\"}]",
         "there is no cause \"unknown\""},
        {"[{\"id\": \"x.a\", \"pattern\": \"p\", \"summary\": \"s\", \"layer\": \"sky\"}]",
         "there is no layer \"sky\""},
        {"[{\"id\": \"x.a\", \"pattern\": \"p\", \"summary\": \"s\", \"layer\": \"init\", "
         "\"cause\": "
         "\"agent.hung\"}]",
         "agent.hung is not of the layer init"},
        {"[{\"id\": \"x.a\", \"pattern\": \"p\", \"summary\": \"s\", \"severity\": \"mark\", "
         "\"cause\": \"x.b\"}]",
         "a mark of a healthy boot cannot have a cause"},
        {"[{\"id\": \"x.a\", \"pattern\": \"p\", \"summary\": \"s\", \"milestone\": \"moon\"}]",
         "there is no milestone \"moon\""},
        {"[{\"id\": \"x.a\", \"pattern\": \"p\", \"summary\": \"s\", \"confidence\": 1.5}]",
         "\"confidence\": expected"},
        {"[{\"id\": \"x.a\", \"pattern\": \"p\", \"summary\": \"s\", \"cause\": \"x.b\", "
         "\"confidence\": 0}]",
         "\"confidence\": expected"},
        {"[{\"id\": \"x.a\", \"pattern\": \"p\", \"summary\": \"s\"}, {\"id\": \"x.b\", "
         "\"pattern\": "
         "\"p\", \"summary\": \"s\"}, {\"id\": \"x.a\", \"pattern\": \"q\", \"summary\": \"s\"}]",
         "f.json: the id x.a stands there twice"},
        {"[{\"id\": \"x.a\", \"pattern\": \"(foo\", \"summary\": \"s\"}]",
         "f.json: rule x.a: column 5 of its pattern: missing closing parenthesis"},
        {"[{\"id\": \"x.a\", \"pattern\": \"%{IP} [z-a]\", \"summary\": \"s\"}]",
         "f.json: rule x.a: column 10 of its pattern: range out of order"},
        {"[{\"id\": \"x.a\", \"pattern\": \"%{SKY}\", \"summary\": \"s\"}]",
         "f.json: rule x.a: unknown macro \"%{SKY}\""},
    };
    (void)state;
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        struct own_rules rules;
        struct err err = {0};
        assert_int_equal(parse(&rules, rows[i].text, &err), -1);
        if (strstr(err.message, rows[i].message) == NULL)
            fail_msg("\"%s\" instead of \"%s\"", err.message, rows[i].message);
        assert_null(rules.rules);
    }
}

/* What `list rules --json` prints of the built-in rules would be taken as a user's own, but for the
 * ids. */
static void built_in_rules_have_the_same_form(void **state)
{
    size_t n;
    const struct analyzer *const *analyzers = analyzers_all(&n);
    json_auto_t *list = json_array();
    struct own_rules rules;
    struct err err = {0};
    (void)state;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < analyzers[i]->n_rules; k++) {
            json_t *object = own_rules_json(&analyzers[i]->rules[k]);
            auto_free char *id = mem_printf("x.%s", analyzers[i]->rules[k].id);
            json_object_set_new(object, "id", json_string(id));
            json_array_append_new(list, object);
        }
    assert_true(json_array_size(list) > 100);
    if (own_rules_parse(&rules, list, "built-in", &err) != 0)
        fail_msg("%s", err.message);
    own_rules_release(&rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_every_member),
        cmocka_unit_test(refuses_with_file_rule_and_column),
        cmocka_unit_test(built_in_rules_have_the_same_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
