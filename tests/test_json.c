/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support.h"

#include "harness/base/json.h"

static void refusals_name_file_and_place(void **state)
{
    auto_free char *deep = mem_calloc(1, 300001);
    memset(deep, '[', 300000);
    const struct {
        const char *text;
        const char *problem;
    } rows[] = {
        {"", "/x.json: line 1, column 0: "},
        {"{\n \"a\": }", "/x.json: line 2, column "},
        {"[1]", "/x.json: expected a JSON object"},
        {"{\"a\": 1, \"a\": 2}", "duplicate object key"},
        {"{\"a\": \"\\u0000\"}", "\\u0000 is not allowed"},
        {"{\"a\": \"\xff\"}", "unable to decode byte 0xff"},
        {"{\"a\": 99999999999999999999}", "too big integer"},
        {"{\"a\": 1e999}", "real number overflow"},
        {"{} x", "end of file expected"},
        {deep, "maximum parsing depth reached"},
    };
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        auto_free char *path = put_text(*state, "x.json", rows[i].text);
        struct err err = {0};
        assert_null(json_read_object(path, &err));
        assert_holds(err.message, "/x.json: ");
        assert_holds(err.message, rows[i].problem);
    }
    struct err err;
    auto_free char *missing = path_join(*state, "missing.json");
    auto_free char *fifo = put_fifo(*state, "fifo.json");
    assert_null(json_read_object(missing, &err));
    assert_holds(err.message, "/missing.json: No such file or directory");
    assert_null(json_read_object(fifo, &err));
    assert_holds(err.message, "/fifo.json: not a regular file");
}

/* Each getter over each kind of value. */
static void getters_take_their_type_only(void **state)
{
    (void)state;
    static const char *const values[] = {"null", "\"t\"", "7", "0.5", "true", "{}", "[]"};
    static const struct {
        const char *name;
        int64_t want; /* bit per value that is taken; null always is */
    } getters[] = {{"text", 1 << 1}, {"int", 1 << 2},    {"int32", 1 << 2}, {"real", 3 << 2},
                   {"bool", 1 << 4}, {"object", 1 << 5}, {"array", 1 << 6}};
    for (size_t v = 0; v < N_ROWS(values); v++) {
        auto_free char *document = mem_printf("{\"key\": %s}", values[v]);
        json_auto_t *object = json_loads(document, 0, NULL);
        auto_free char *text = NULL;
        int64_t number = -3;
        int small = -3;
        double real = -3;
        bool truth = false;
        const json_t *inner = NULL, *list = NULL;
        struct err errs[7] = {0};
        const int got[] = {
            json_get_text(object, "key", "x.json", &text, &errs[0]),
            json_get_int(object, "key", "x.json", 0, 10, &number, &errs[1]),
            json_get_int32(object, "key", "x.json", 0, 10, &small, &errs[2]),
            json_get_real(object, "key", "x.json", &real, &errs[3]),
            json_get_bool(object, "key", "x.json", &truth, &errs[4]),
            json_get_object(object, "key", "x.json", &inner, &errs[5]),
            json_get_array(object, "key", "x.json", &list, &errs[6]),
        };
        const bool set[] = {text != NULL, number != -3,  small != -3, real > -3,
                            truth,        inner != NULL, list != NULL};
        for (size_t g = 0; g < N_ROWS(getters); g++) {
            bool takes = (getters[g].want >> v & 1) != 0;
            assert_int_equal(set[g], takes);
            assert_int_equal(got[g], takes || v == 0 ? 0 : -1);
            if (got[g] != 0)
                assert_holds(errs[g].message, "x.json: \"key\": expected ");
        }
    }
}

static void absent_members_change_nothing(void **state)
{
    (void)state;
    json_auto_t *empty = json_object();
    json_auto_t *number = json_integer(1);
    const json_t *const objects[] = {empty, NULL, number};
    for (size_t i = 0; i < N_ROWS(objects); i++) {
        auto_free char *text = mem_strdup("old");
        int small = 5;
        assert_int_equal(json_get_text(objects[i], "key", "x", &text, NULL), 0);
        assert_int_equal(json_get_int32(objects[i], "key", "x", 6, 7, &small, NULL), 0);
        assert_string_equal(text, "old");
        assert_int_equal(small, 5);
    }
}

static void numbers_have_limits(void **state)
{
    (void)state;
    static const struct {
        json_int_t value;
        bool fits;
    } rows[] = {{1, true},      {65535, true}, {0, false},
                {65536, false}, {-1, false},   {1LL << 32, false}};
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        json_auto_t *object = json_pack("{s:I}", "port", rows[i].value);
        int port = 8080;
        struct err err = {0};
        assert_int_equal(json_get_int32(object, "port", "x.json", 1, 65535, &port, &err),
                         rows[i].fits ? 0 : -1);
        assert_int_equal(port, rows[i].fits ? rows[i].value : 8080);
        if (rows[i].fits)
            continue;
        auto_free char *want =
            mem_printf("x.json: \"port\": expected 1-65535, got %lld", (long long)rows[i].value);
        assert_string_equal(err.message, want);
    }
}

static void any_bytes_become_text(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *want;
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"\xc3\xa4\xe2\x80\xa6", "\xc3\xa4\xe2\x80\xa6"},
        {"\xff", "\\xff"},
        {"a\xc3", "a\\xc3"},
        {"\xc3(\xe2\x82", "\\xc3(\\xe2\\x82"},
        {"\x1b[31m\n", "\x1b[31m\n"},
    };
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        json_auto_t *text = json_text(rows[i].bytes);
        assert_string_equal(json_string_value(text), rows[i].want);
    }
    json_auto_t *nothing = json_text(NULL);
    assert_true(json_is_null(nothing));
}

static void unknown_numbers_become_null(void **state)
{
    (void)state;
    json_auto_t *unknown = json_number_or_null(-1);
    json_auto_t *zero = json_number_or_null(0);
    json_auto_t *most = json_number_or_null(INT64_MAX);
    assert_true(json_is_null(unknown));
    assert_true(json_is_integer(zero));
    assert_int_equal(json_integer_value(most), INT64_MAX);
}

static void what_is_written_is_read_again(void **state)
{
    auto_free char *path = path_join(*state, "x.json");
    json_auto_t *value =
        json_pack("{s:o, s:f, s:[i, n]}", "t", json_text("\x1b\xff\"\\"), "r", 0.25, "l", 1);
    assert_int_equal(json_write_file(value, path, NULL), 0);
    json_auto_t *again = json_read_object(path, NULL);
    assert_true(json_equal(value, again));
    auto_free char *text = get_text(*state, "x.json");
    assert_int_equal(text[strlen(text) - 1], '\n');

    struct err err;
    auto_free char *nowhere = path_join(*state, "none/x.json");
    assert_int_equal(json_write_file(value, nowhere, &err), -1);
    assert_holds(err.message, "/none/x.json: ");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        dir_test(refusals_name_file_and_place),
        cmocka_unit_test(getters_take_their_type_only),
        cmocka_unit_test(absent_members_change_nothing),
        cmocka_unit_test(numbers_have_limits),
        cmocka_unit_test(any_bytes_become_text),
        cmocka_unit_test(unknown_numbers_become_null),
        dir_test(what_is_written_is_read_again),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
