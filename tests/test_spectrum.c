/* SPDX-License-Identifier: Apache-2.0 */
/* Which lines separate failed boots from good ones; all consoles are synthetic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzers/spectrum.h"
#include "harness/base/buf.h"
#include "tests/console_record.h"

enum { MAX_BOOTS = 4, MAX_LINES = 4 };

static void add(struct spectrum *spectrum, const char *console, bool failed)
{
    struct record record;
    console_record_init(&record, console);
    spectrum_add(spectrum, &record, failed);
    console_record_release(&record);
}

/* "+boom 2/0 1.00": present in 2 failed and no good boot; "-" where the absence tells. */
static char *ranking(const struct spectrum *spectrum)
{
    struct telling_line lines[MAX_LINES];
    struct buf text;
    buf_init(&text, 1 << 12);
    size_t n = spectrum_rank(spectrum, lines, MAX_LINES);
    for (size_t i = 0; i < n; i++)
        buf_addf(&text, "%s%c%s %u/%u %.2f", i > 0 ? "; " : "", lines[i].absent ? '-' : '+',
                 lines[i].text, lines[i].failed, lines[i].good, lines[i].score);
    return buf_steal(&text);
}

static void test_ranking(void **state)
{
    static const struct {
        const char *failed[MAX_BOOTS], *good[MAX_BOOTS], *ranking;
    } rows[] = {
        {{"up\nboom\n", "up\nboom\n"}, {"up\n", "up\n"}, "+boom 2/0 1.00"},
        {{"up\n", "up\n"}, {"up\nlink\n", "up\nlink\n"}, "-link 0/2 1.00"},
        {{"boom\n", "boom\n"}, {"link\n", "link\n"}, "+boom 2/0 1.00; -link 0/2 1.00"},
        {{"up\nboom\n", "up\n"}, {"up\n", "up\n"}, "+boom 1/0 0.71"},
        {{"boom\n"}, {"up\n", "up\n"}, ""},      /* one failed boot proves nothing */
        {{"boom\n", "boom\n"}, {"up\n"}, ""},    /* nor does one good one */
        {{"a\nb\nc\nd\ne\n", "a\nb\nc\nd\ne\n"}, /* no more than there is room for */
         {"x\n", "x\n"},
         "+a 2/0 1.00; +b 2/0 1.00; +c 2/0 1.00; +d 2/0 1.00"},
        {{"up\n", "up\n"}, /* half of the room is for what is absent */
         {"up\na\nb\nc\n", "up\na\nb\nc\n"},
         "-a 0/2 1.00; -b 0/2 1.00"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct spectrum spectrum;
        spectrum_init(&spectrum);
        for (size_t k = 0; k < MAX_BOOTS && rows[i].failed[k] != NULL; k++)
            add(&spectrum, rows[i].failed[k], true);
        for (size_t k = 0; k < MAX_BOOTS && rows[i].good[k] != NULL; k++)
            add(&spectrum, rows[i].good[k], false);
        char *text = ranking(&spectrum);
        assert_string_equal(text, rows[i].ranking);
        free(text);
        spectrum_release(&spectrum);
    }
}

static void test_a_baseline_counts_as_good_boots(void **state)
{
    (void)state;
    struct baseline *baseline = baseline_new("");
    struct spectrum spectrum;
    spectrum_init(&spectrum);
    for (int i = 0; i < 3; i++)
        console_record_take(baseline, "up\nlink\n");
    add(&spectrum, "up\n", true);
    add(&spectrum, "up\n", true);
    spectrum_add_baseline(&spectrum, baseline);
    char *text = ranking(&spectrum);
    assert_string_equal(text, "-link 0/3 1.00");
    free(text);
    spectrum_release(&spectrum);
    baseline_free(baseline);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranking),
        cmocka_unit_test(test_a_baseline_counts_as_good_boots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
