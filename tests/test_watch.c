/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzers/rules.h"
#include "analyzers/watch.h"

static const struct rule rules[] = {
    {.id = "t.kernel", .milestone = "kernel-started", .pattern = "^Linux version"},
    {.id = "t.unit", .milestone = "unit-started", .pattern = "^Started %{UNIT}"},
    {.id = "t.ready", .milestone = "agent-listening", .pattern = "%{READY}"},
    {.id = "t.nic", .milestone = "nic-found", .pattern = "^eth0"},
    {.id = "t.panic", .severity = SEVERITY_FATAL, .pattern = "^Kernel panic"},
    {.id = "t.error", .severity = SEVERITY_ERROR, .pattern = "^Error: "},
    {.id = "t.exit-error", .severity = SEVERITY_ERROR, .pattern = "Main process exited"},
    {.id = "t.result", .severity = SEVERITY_ERROR, .pattern = "Failed with result"},
    {.id = "t.exit", .pattern = "^%{UNIT}: Main process exited", .death = true},
    {.id = "t.died", .pattern = "OAuth agent died", .death = true},
};

static struct ruleset *ruleset;

#define UNIT      "vm-browser-agent.service"
#define STARTED   "systemd[1]: Started " UNIT ".\n"
#define EXITED(s) "systemd[1]: " UNIT ": Main process exited, code=exited, status=" s "\n"
#define RESULT    "systemd[1]: " UNIT ": Failed with result 'exit-code'.\n"
#define DIED(pid) "[SUPERVISOR] OAuth agent died (PID " pid "), restarting...\n"
#define TWICE(x)  x x
#define THRICE(x) x x x

static void test_state(void **state)
{
    static const struct {
        const char *console, *stage;
        unsigned ready;
        const char *fatal;
        uint32_t fatal_line;
    } rows[] = {
        {"", NULL, 0, NULL, 0},
        {"[    0.000000] Linux version 6.1\n", "kernel-started", 0, NULL, 0},
        {"[    0.000000] Linux version 6.1", NULL, 0, NULL, 0},
        {"VM Browser Agent started\neth0: up\n", "agent-listening", 1, NULL, 0},
        {"VM Browser Agent started\nVM Browser Agent started\n", "agent-listening", 2, NULL, 0},
        {"x\n[    0.4] Kernel panic - x\n[    0.5] Kernel panic\n", NULL, 0, "t.panic", 2},
        {THRICE("Error: a\n"), NULL, 0, NULL, 0},
        /* Deaths. */
        {TWICE(DIED("7")), NULL, 0, NULL, 0},
        {DIED("7") DIED("8") DIED("9"), NULL, 0, "t.died", 3},
        {"WebRTC server died (PID 1)\nWebRTC server died (PID 2)\nWebRTC server died (PID 3)\n",
         NULL, 0, NULL, 0},
        {THRICE(EXITED("1/FAILURE") RESULT STARTED), "unit-started", 0, "t.exit", 7},
        {EXITED("1/FAILURE") STARTED EXITED("2/X") STARTED EXITED("3/Y"), "unit-started", 0, NULL,
         0},
        {THRICE("systemd[1]: other.service: Main process exited, code=exited\n"), NULL, 0, NULL, 0},
        /* The error before a death is its signature. */
        {"Error: a\n" DIED("1") "Error: b\n" DIED("2") "Error: c\n" DIED("3"), NULL, 0, NULL, 0},
        {"Error: a\n" DIED("1") "Error: b\n" DIED("2") "Error: a\n" DIED("3") "Error: a\n" DIED(
             "4"),
         NULL, 0, "t.died", 8},
        /* One death on two ways to the console. */
        {TWICE("Error: a\n" DIED("1") "[    5.1] start-all.sh[9]: " DIED("1")), NULL, 0, NULL, 0},
        {THRICE("Error: a\n" DIED("1") "[    5.1] start-all.sh[9]: " DIED("1")), NULL, 0, "t.died",
         8},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct watch *watch = watch_new(ruleset);
        const char *console = rows[i].console;
        for (; *console != '\0'; console++)
            watch_feed(watch, console, 1);
        const struct watch_state *seen = watch_state(watch);
        assert_string_equal(seen->stage != NULL ? seen->stage : "-",
                            rows[i].stage != NULL ? rows[i].stage : "-");
        assert_int_equal(seen->ready_lines, rows[i].ready);
        assert_string_equal(seen->fatal != NULL ? seen->fatal : "-",
                            rows[i].fatal != NULL ? rows[i].fatal : "-");
        assert_int_equal(seen->fatal_line, rows[i].fatal_line);
        watch_free(watch);
    }
}

/* However many kinds of deaths there are, the table does not overflow. */
static void test_many_signatures(void **state)
{
    struct watch *watch = watch_new(ruleset);
    char name[] = "Error: aa\n";
    (void)state;
    for (int i = 0; i < 26 * 26; i++) {
        name[7] = (char)('a' + i % 26);
        name[8] = (char)('a' + i / 26);
        watch_feed(watch, name, strlen(name));
        watch_feed(watch, DIED("1"), strlen(DIED("1")));
    }
    assert_null(watch_state(watch)->fatal);
    watch_free(watch);
}

static int setup(void **state)
{
    const struct rule_table table = {rules, sizeof(rules) / sizeof(rules[0])};
    struct service service;
    (void)state;
    service_init(&service);
    ruleset = ruleset_new_from(&table, 1, &service, NULL);
    service_release(&service);
    return ruleset != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    ruleset_free(ruleset);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_state),
        cmocka_unit_test(test_many_signatures),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
