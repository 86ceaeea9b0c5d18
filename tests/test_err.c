/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support.h"

#include <errno.h>

#include "harness/base/clock.h"
#include "harness/base/err.h"

static void set_formats_and_drops_an_earlier_cause(void **state)
{
    (void)state;
    struct err err = {.cause = "host.disk-full"};
    assert_int_equal(err_set(&err, "%s: \"port\": expected 1-65535, got %d", "x.json", 0), -1);
    assert_string_equal(err.message, "x.json: \"port\": expected 1-65535, got 0");
    assert_null(err.cause);
}

static void sys_adds_the_text_of_errno(void **state)
{
    (void)state;
    struct err err = {0};
    assert_int_equal(err_sys(&err, ENOENT, "cannot read %s", "x"), -1);
    assert_string_equal(err.message, "cannot read x: No such file or directory");
}

static void prefix_keeps_message_and_cause(void **state)
{
    (void)state;
    struct err err = {0};
    err_set(&err, "no space");
    assert_int_equal(err_cause(&err, "host.disk-full"), -1);
    assert_int_equal(err_prefix(&err, "boot %d", 7), -1);
    assert_string_equal(err.message, "boot 7: no space");
    assert_string_equal(err.cause, "host.disk-full");
}

static void long_messages_are_cut_at_their_end(void **state)
{
    (void)state;
    struct err err = {0};
    char longest[2000];
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';

    err_set(&err, "%s", longest);
    assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
    err_prefix(&err, "here");
    assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
    assert_memory_equal(err.message, "here: xxx", 9);
    err_prefix(&err, "%s", longest);
    assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
}

static void the_reason_outlives_a_long_name(void **state)
{
    static const char reason[] = "...: No such file or directory";
    enum { FITS = sizeof(((struct err *)NULL)->message) - 1 };
    (void)state;
    for (size_t n = 1; n <= FITS + 2; n++) {
        struct err err = {0};
        auto_free char *name = mem_calloc(n + 1, 1);
        memset(name, 'x', n);
        err_sys(&err, ENOENT, "%s", name);
        const char *colon = strchr(err.message, ':');
        assert_non_null(colon);
        assert_string_equal(colon, ": No such file or directory");
        size_t names_len = strspn(err.message, "x");
        assert_true(names_len == n || strcmp(err.message + names_len, reason) == 0);
        err_prefix(&err, "baseline");
        assert_string_equal(strrchr(err.message, ':'), ": No such file or directory");
        assert_true(strlen(err.message) <= FITS);
    }
}

static void nobody_has_to_listen(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, "x"), -1);
    assert_int_equal(err_sys(NULL, ENOENT, "x"), -1);
    assert_int_equal(err_prefix(NULL, "x"), -1);
    assert_int_equal(err_cause(NULL, "x"), -1);
}

static void dates_are_written_or_empty(void **state)
{
    (void)state;
    static const struct {
        time_t seconds;
        const char *want;
    } rows[] = {
        {0, "1970-01-01T00:00:00Z"},
        {1762462024, "2025-11-06T20:47:04Z"},
        {-1, "1969-12-31T23:59:59Z"},
        {253402300800, "10000-01-01T00:00:00Z"},
        {INT64_MAX, ""},
        {INT64_MIN, ""},
    };
    char text[CLOCK_TEXT_SIZE];
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        memset(text, 'x', sizeof(text));
        clock_text(rows[i].seconds, text);
        assert_string_equal(text, rows[i].want);
    }
    clock_now_text(text);
    assert_int_equal(strlen(text), strlen("2025-11-06T20:47:04.123Z"));
    assert_true(text[19] == '.' && text[23] == 'Z');
}

static void copies_of_nothing_are_nothing(void **state)
{
    (void)state;
    assert_null(mem_strdup(NULL));
    auto_free char *cut = mem_strndup("abcdef", 3);
    assert_string_equal(cut, "abc");
    size_t cap = 0;
    int *array = NULL;
    for (int i = 0; i < 1000; i++) {
        array = mem_grow(array, (size_t)i, &cap, sizeof(*array));
        array[i] = i;
    }
    assert_true(cap >= 1000 && cap < 2000);
    assert_int_equal(array[999], 999);
    free(array);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_formats_and_drops_an_earlier_cause),
        cmocka_unit_test(sys_adds_the_text_of_errno),
        cmocka_unit_test(prefix_keeps_message_and_cause),
        cmocka_unit_test(long_messages_are_cut_at_their_end),
        cmocka_unit_test(the_reason_outlives_a_long_name),
        cmocka_unit_test(nobody_has_to_listen),
        cmocka_unit_test(dates_are_written_or_empty),
        cmocka_unit_test(copies_of_nothing_are_nothing),
    };
    return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
