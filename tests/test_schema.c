/* SPDX-License-Identifier: Apache-2.0 */
/* What the schemas of files that people write say must be what the program does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "harness/base/auto.h"
#include "harness/base/json.h"
#include "harness/base/mem.h"
#include "harness/target.h"

static json_t *load_schema(const char *path)
{
    struct err err = {0};
    json_t *schema = json_read_object(path, &err);
    if (schema == NULL)
        fail_msg("%s", err.message);
    return schema;
}

static bool is_remark(const char *key)
{
    return strncmp(key, "//", 2) == 0 || strcmp(key, "schema") == 0;
}

/* `values` holds defaults and, as "// name", what each means; `schema` describes the same object.
 */
static void assert_described(const json_t *schema, const json_t *values, const char *where)
{
    const json_t *properties = json_object_get(schema, "properties");
    const char *key;
    json_t *value, *property;
    json_object_foreach ((json_t *)values, key, value) {
        if (is_remark(key))
            continue;
        auto_free char *remark = mem_printf("// %s", key);
        auto_free char *inner = mem_printf("%s%s.", where, key);
        const char *meaning = json_string_value(json_object_get(values, remark));
        property = json_object_get(properties, key);
        if (property == NULL)
            fail_msg("the schema lacks %s%s", where, key);
        if (json_is_object(value)) {
            assert_described(property, value, inner);
            continue;
        }
        json_t *fallback = json_object_get(property, "default");
        bool same = json_is_number(value)
                        ? json_is_number(fallback) &&
                              json_number_value(value) == json_number_value(fallback)
                        : json_equal(value, fallback);
        if (!same)
            fail_msg("%s%s has another default in the schema", where, key);
        if (meaning != NULL)
            assert_string_equal(json_string_value(json_object_get(property, "description")),
                                meaning);
        assert_non_null(json_object_get(property, "description"));
    }
    json_object_foreach ((json_t *)properties, key, property) {
        if (!is_remark(key) && json_object_get(values, key) == NULL)
            fail_msg("the schema describes %s%s, which a target does not have", where, key);
    }
}

static void target_schema_describes_every_member(void **state)
{
    (void)state;
    json_auto_t *schema = load_schema("reports/schema/target.json");
    json_auto_t *template = target_template();
    assert_described(schema, template, "");
}

/* The limits too: just outside them the program refuses, at them it does not. */
static void target_schema_has_the_programs_limits(void **state)
{
    (void)state;
    static const char *const members[] = {"memory_mib", "vcpus", "deadline_ms", "settle_ms",
                                          "grace_ms"};
    json_auto_t *schema = load_schema("reports/schema/target.json");
    const json_t *properties = json_object_get(schema, "properties");
    auto_target struct target target;
    target_init(&target);
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const json_t *property = json_object_get(properties, members[i]);
        json_int_t min = json_integer_value(json_object_get(property, "minimum"));
        json_int_t max = json_integer_value(json_object_get(property, "maximum"));
        const struct {
            json_int_t value;
            int result;
        } rows[] = {{min - 1, -1}, {min, 0}, {max, 0}, {max + 1, -1}};
        for (size_t j = 0; j < 4; j++) {
            auto_free char *text =
                mem_printf("%s=%" JSON_INTEGER_FORMAT, members[i], rows[j].value);
            assert_int_equal(target_set(&target, text, NULL), rows[j].result);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(target_schema_describes_every_member),
        cmocka_unit_test(target_schema_has_the_programs_limits),
    };
    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
