/* SPDX-License-Identifier: Apache-2.0 */
/* Who may say what; the lines are synthetic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzers/line.h"
#include "analyzers/speaker.h"

#define STAMPED "[    0.000000] Linux version 6.1.0 (x)\r\n"

struct last {
    enum speaker speaker;
    bool may;
};

static void on_line(void *ctx, const struct line *line)
{
    struct last *last = ctx;
    last->may = speaker_may_say(last->speaker, line);
}

/* Whether the last line of `console` may be said by `speaker`. */
static bool may_say(enum speaker speaker, const char *console)
{
    struct last last = {.speaker = speaker};
    struct line_reader *reader = line_reader_new(on_line, &last);
    line_reader_feed(reader, console, strlen(console));
    line_reader_flush(reader);
    line_reader_free(reader);
    return last.may;
}

static void test_who_may_say_what(void **state)
{
    static const struct {
        const char *console;
        bool kernel, early, systemd;
    } rows[] = {
        {"Kernel panic - not syncing: x\r\n", true, true, true},
        {STAMPED "[    1.500000] Kernel panic - not syncing: x\r\n", true, true, true},
        {STAMPED "Kernel panic - not syncing: x\r\n", false, true, true},
        {STAMPED "[    9.500000] node[9]: Kernel panic - not syncing: x\r\n", false, false, false},
        {STAMPED "[    9.500000] kernel[0]: Kernel panic - not syncing: x\r\n", true, true, true},
        {STAMPED "[    9.500000] systemd[1]: x.service: Failed.\r\n", false, false, true},
        {STAMPED "[    9.500000] (start-all.sh)[99]: x.service: Failed.\r\n", false, false, true},
        {STAMPED "[FAILED] Failed to start x.\r\n", false, false, true},
        {STAMPED "You are in emergency mode.\r\n", false, true, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *text = rows[i].console;
        if (may_say(SPEAKER_KERNEL, text) != rows[i].kernel ||
            may_say(SPEAKER_EARLY, text) != rows[i].early ||
            may_say(SPEAKER_SYSTEMD, text) != rows[i].systemd || !may_say(SPEAKER_ANYONE, text))
            fail_msg("row %zu: %s", i, text);
    }
}

static void test_layers(void **state)
{
    (void)state;
    assert_int_equal(speaker_of_layer("kernel.panic"), SPEAKER_EARLY);
    assert_int_equal(speaker_of_layer("init.unit-exit"), SPEAKER_SYSTEMD);
    assert_int_equal(speaker_of_layer("agent.ready"), SPEAKER_ANYONE);
    assert_int_equal(speaker_of_layer("x.initiative"), SPEAKER_ANYONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_may_say_what),
        cmocka_unit_test(test_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
