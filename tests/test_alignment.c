/* SPDX-License-Identifier: Apache-2.0 */
/* One console beside others; all of them are synthetic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzers/alignment.h"
#include "harness/base/buf.h"
#include "harness/base/mem.h"
#include "tests/console_record.h"

enum { MAX_OTHERS = 3 };

/* "=text" the same, "-text" missing, "+text" novel, "-text|+text" changed; one a line. */
static char *rows_text(const struct alignment *alignment)
{
    struct buf text;
    buf_init(&text, 1 << 16);
    for (size_t i = 0; i < alignment->len; i++) {
        const struct aligned_row *row = &alignment->rows[i];
        if (row->kind == ALIGNED_SAME)
            buf_addf(&text, "=%s", row->here);
        if (row->kind == ALIGNED_MISSING || row->kind == ALIGNED_CHANGED)
            buf_addf(&text, "-%s", row->other);
        if (row->kind == ALIGNED_CHANGED)
            buf_add_char(&text, '|');
        if (row->kind == ALIGNED_NOVEL || row->kind == ALIGNED_CHANGED)
            buf_addf(&text, "+%s", row->here);
        if (row->count > 1)
            buf_addf(&text, " x%u", row->count);
        buf_add_char(&text, '\n');
    }
    return buf_steal(&text);
}

static void test_rows(void **state)
{
    static const struct {
        const char *name, *here, *others[MAX_OTHERS], *rows;
    } scenes[] = {
        {"nothing at all", "", {""}, ""},
        {"times, PIDs and numbers do not matter",
         "[    1.000000] a[1]: took 12 ms at 10.0.2.15\n",
         {"[    2.000000] a[2]: took 44 ms at 10.0.2.77\n"},
         "=took 12 ms at 10.0.2.15\n"},
        {"an empty console misses all", "", {"one\ntwo\n"}, "-one\n-two\n"},
        {"what is missing stands behind what precedes it",
         "one\nthree\n",
         {"one\ntwo\nthree\n"},
         "=one\n-two\n=three\n"},
        {"what is novel stands where it came",
         "one\nboom\nthree\n",
         {"one\nthree\n"},
         "=one\n+boom\n=three\n"},
        {"order does not matter", "two\none\n", {"one\ntwo\n"}, "=two\n=one\n"},
        {"repetitions stand once", "one\none\none\n", {"one\n"}, "=one x3\n"},
        {"only what all others print is missing",
         "one\n",
         {"one\ntwo\nthree\n", "one\nthree\n"},
         "=one\n-three\n"},
        {"nearly the same is one row",
         "one\neth0: the link is not ready now\n",
         {"one\neth0: the link is ready now\n"},
         "=one\n-eth0: the link is ready now|+eth0: the link is not ready now\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
        struct baseline *others = baseline_new("");
        auto_alignment struct alignment alignment = {0};
        struct record record;
        for (size_t k = 0; k < MAX_OTHERS && scenes[i].others[k] != NULL; k++)
            console_record_take(others, scenes[i].others[k]);
        console_record_init(&record, scenes[i].here);
        alignment_init(&alignment, &record, others);
        char *rows = rows_text(&alignment);
        if (strcmp(rows, scenes[i].rows) != 0)
            fail_msg("%s:\n%s", scenes[i].name, rows);
        free(rows);
        console_record_release(&record);
        baseline_free(others);
    }
}

static void test_what_is_folded_is_counted(void **state)
{
    (void)state;
    struct baseline *others = baseline_new("");
    auto_alignment struct alignment alignment = {0};
    struct record record;
    console_record_take(others, "one\ntwo\nfour\n");
    console_record_take(others, "one\nthree\n");
    console_record_init(&record, "one\none\nfour\n");
    alignment_init(&alignment, &record, others);
    assert_int_equal(alignment.n_others, 2);
    assert_int_equal(alignment.repeats, 1);
    assert_int_equal(alignment.only_some, 2);
    assert_int_equal(alignment.only_some_too, 1);
    assert_int_equal(alignment.dropped, 0);
    console_record_release(&record);
    baseline_free(others);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_what_is_folded_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
