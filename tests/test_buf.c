/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support.h"

#include "harness/base/buf.h"

static void grows_and_stays_terminated(void **state)
{
    (void)state;
    auto_buf struct buf buf;
    buf_init(&buf, SIZE_MAX);
    assert_string_equal(buf_text(&buf), "");
    buf_add_text(&buf, "one");
    buf_add_char(&buf, ' ');
    buf_addf(&buf, "%d", 2);
    buf_add(&buf, NULL, 0);
    assert_string_equal(buf_text(&buf), "one 2");
    for (int i = 0; i < 100000; i++)
        buf_add_char(&buf, 'x');
    assert_int_equal(buf.len, 100005);
    assert_int_equal(buf_text(&buf)[buf.len], '\0');
    assert_false(buf.overflow);
}

static void the_limit_holds(void **state)
{
    (void)state;
    auto_buf struct buf buf;
    buf_init(&buf, 5);
    buf_add_text(&buf, "12345");
    assert_false(buf.overflow);
    buf_add_text(&buf, "");
    assert_false(buf.overflow);
    buf_add_text(&buf, "6");
    assert_true(buf.overflow);
    assert_string_equal(buf_text(&buf), "12345");
    buf_clear(&buf);
    assert_false(buf.overflow);
    buf_add_text(&buf, "abcdefgh");
    assert_true(buf.overflow);
    assert_string_equal(buf_text(&buf), "abcde");

    auto_buf struct buf none;
    buf_init(&none, 0);
    buf_add_text(&none, "x");
    assert_true(none.overflow);
    assert_int_equal(none.len, 0);
}

static void bytes_may_be_nul(void **state)
{
    (void)state;
    auto_buf struct buf buf;
    buf_init(&buf, 100);
    buf_add(&buf, "a\0b", 3);
    assert_int_equal(buf.len, 3);
    assert_memory_equal(buf.data, "a\0b", 4);
}

static void consuming_drops_from_the_front(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        const char *want;
    } rows[] = {{0, "abcdef"}, {2, "cdef"}, {6, ""}, {7, ""}, {SIZE_MAX, ""}};
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        auto_buf struct buf buf;
        buf_init(&buf, 100);
        buf_consume(&buf, rows[i].len);
        buf_add_text(&buf, "abcdef");
        buf_consume(&buf, rows[i].len);
        assert_string_equal(buf_text(&buf), rows[i].want);
        assert_int_equal(buf.len, strlen(rows[i].want));
    }
}

static void stealing_leaves_a_usable_buffer(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 4);
    auto_free char *nothing = buf_steal(&buf);
    assert_string_equal(nothing, "");
    buf_add_text(&buf, "abc");
    auto_free char *text = buf_steal(&buf);
    assert_string_equal(text, "abc");
    assert_int_equal(buf.len, 0);
    buf_add_text(&buf, "abcdef");
    assert_string_equal(buf_text(&buf), "abcd");
    buf_release(&buf);
    buf_release(&buf);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_stays_terminated),
        cmocka_unit_test(the_limit_holds),
        cmocka_unit_test(bytes_may_be_nul),
        cmocka_unit_test(consuming_drops_from_the_front),
        cmocka_unit_test(stealing_leaves_a_usable_buffer),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
