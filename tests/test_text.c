/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/base/auto.h"
#include "harness/base/mem.h"
#include "harness/base/text.h"

static void test_utf8(void **state)
{
    static const struct {
        const char *bytes;
        size_t valid;
    } cases[] = {
        {"", 0},
        {"plain", 5},
        {"gr\xc3\xbc\xc3\x9f", 6},
        {"\xe2\x80\xa6", 3},
        {"\xf0\x9f\x98\x80!", 5},
        {"a\xff", 1},
        {"a\xc3", 1},            /* cut */
        {"a\xe2\x80", 1},        /* cut */
        {"\xc0\xaf", 0},         /* overlong */
        {"\xe0\x80\xaf", 0},     /* overlong */
        {"\xf0\x80\x80\xaf", 0}, /* overlong */
        {"\xed\xa0\x80", 0},     /* surrogate */
        {"\xf4\x90\x80\x80", 0}, /* beyond U+10FFFF */
        {"\x80", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(text_utf8_valid(cases[i].bytes, strlen(cases[i].bytes)), cases[i].valid);
}

static void test_printable(void **state)
{
    static const struct {
        const char *bytes;
        size_t len, size;
        const char *expected;
    } cases[] = {
        {"plain\ttext", 10, 64, "plain\ttext"},
        {"a\x1b[31mb", 7, 64, "a\\x1b[31mb"},
        {"a\0b", 3, 64, "a\\x00b"},
        {"\xff\xfe", 2, 64, "\\xff\\xfe"},
        {"\xc2\x9b", 2, 64, "\\xc2\\x9b"}, /* C1 control */
        {"\xe2\x80\xa6", 3, 64, "\xe2\x80\xa6"},
        {"\xe2\x80\xae", 3, 64, "\\xe2\\x80\\xae"}, /* U+202E turns the text around */
        {"\xe2\x81\xa6", 3, 64, "\\xe2\\x81\\xa6"}, /* U+2066 isolates */
        {"\xef\xbb\xbf", 3, 64, "\\xef\\xbb\\xbf"},
        {"\xf3\xa0\x81\x81", 4, 64, "\\xf3\\xa0\\x81\\x81"}, /* a tag */
        {"\xf0\x9f\x9a\x80", 4, 64, "\xf0\x9f\x9a\x80"},
        {"ab\xe2\x80\xa6", 5, 5, "ab"}, /* no room for the whole character */
        {"ab\xff", 3, 6, "ab"},         /* no room for the whole escape */
        {"abcdef", 6, 4, "abc"},
        {"abc", 3, 1, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = mem_calloc(1, cases[i].size);
        size_t n = text_printable(text, cases[i].size, cases[i].bytes, cases[i].len);
        assert_string_equal(text, cases[i].expected);
        assert_int_equal(n, strlen(text));
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_printable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
