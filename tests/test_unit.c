/* SPDX-License-Identifier: Apache-2.0 */
/* Names of units in systemd's wordings, whole and shortened, and what its exit statuses mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzers/unit.h"
#include "analyzers/unit_exit.h"

#define CUT "\xe2\x80\xa6"

static void test_is_service(void **state)
{
    static char unit[] = "vm-browser-agent.service", description[] = "VM Browser";
    static const struct service service = {.unit = unit, .description = description};
    static const struct {
        const char *label;
        bool is;
    } cases[] = {
        {"vm-browser-agent.service", true},
        {"vm-browser-agent.service - VM Browser OAuth Agent", true},
        {"vm-browser-agent.service - VM Browser OA" CUT "nt", true},
        {"VM Browser OAuth Agent", true},
        {"VM Browser" CUT " (OAuth Agent)", true},
        {"vm-browser-agent.s" CUT "ces (OAuth Agent + WebRTC Server)", true},
        {"vm-b" CUT "vice - VM Browser OAuth Agent", true},
        {"vm-browser-a" CUT "ice - VM Browser OAuth Agent", true},
        {"vm-browser-agent.service -" CUT "ices (OAuth Agent + WebRTC Server)", true},
        {"vm-browser-agent.service" CUT "ices (OAuth Agent)", true},
        {"vm-browser-agent.serviced" CUT "x", false},
        {"vm-browser-agent.timer", false},
        {"vm-browser-agent.service2", false},
        {"vm-browser-cleanup.service - Clean", false},
        {"vm-brows" CUT "up.service", false},
        {"vm-brows" CUT "imer - VM Browser", false},
        {"vm-b" CUT "vice - Something Else", false},
        {"vm-b" CUT, false},
        {CUT "vice", false},
        {"VM", false},
        {"", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (unit_is_service(cases[i].label, &service) != cases[i].is)
            fail_msg("%s", cases[i].label);
}

static void test_same(void **state)
{
    static const struct {
        const char *left, *right;
        bool same;
    } cases[] = {
        {"a.service", "a.service", true},
        {"a.service", "a.service - A", true},
        {"A", "a.service - A", true},
        {"Wait for Network to be Configured",
         "systemd-networkd-wait-online.service - Wait for Network to be Configured", true},
        {"systemd-n" CUT "ine.service - Wait for Network to be Configured",
         "systemd-networkd-wait-online.service - Wait for Network to be Configured", true},
        {"systemd-n" CUT "ine.service - Wait for Network to be Configured",
         "systemd-networkd-wait-online.service", true},
        {"Wait for Netwo" CUT " be Configured", "Wait for Network to be Configured", true},
        {"systemd-udev-trigger.s" CUT "vice",
         "systemd-udev-trigger.service - Coldplug All udev Devices", true},
        {"a.service - A", "b.service - A", false},
        {"a.service - A", "a.service - B", false},
        {"a.service", "a.socket", false},
        {"A", "B", false},
        {"a.service", "A", false},
        {"abc" CUT "cde", "abcde", false},
        {CUT "x", CUT "x", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (unit_same(cases[i].left, cases[i].right) != cases[i].same)
            fail_msg("%s | %s", cases[i].left, cases[i].right);
        if (unit_same(cases[i].right, cases[i].left) != cases[i].same)
            fail_msg("%s | %s", cases[i].right, cases[i].left);
    }
}

static void test_name_len(void **state)
{
    (void)state;
    assert_int_equal(unit_name_len("a.service - A b"), 9);
    assert_int_equal(unit_name_len("Rotate - and compress"), 21);
    assert_int_equal(unit_name_len("x" CUT "ice - A b"), 7);
}

static void test_network(void **state)
{
    (void)state;
    assert_true(unit_is_network("Wait for Network to be Configured"));
    assert_true(unit_is_network("ifup@eth0.service - ifup for eth0"));
    assert_false(unit_is_network("vm-browser-agent.service - VM Browser"));
}

static void test_exits(void **state)
{
    static const struct {
        const char *status;
        bool setup;
        const char *word; /* in its meaning; NULL: none */
    } cases[] = {
        {"200/CHDIR", true, "working directory"},
        {"217/USER", true, "user"},
        {"217", true, "user"},
        {"226/NAMESPACE", true, "namespace"},
        {"245/BPF", true, "BPF"},
        {"203/EXEC", false, "could not be executed"},
        {"1/FAILURE", false, NULL},
        {"246", false, NULL},
        {"2000", false, NULL},
        {"127", false, "not found"},
        {"126/n/a", false, "executed"},
        {"9/KILL", false, "killed"},
        {"4/NOPERMISSION", false, NULL},
        {"4/ILL", false, "illegal"},
        {"", false, NULL},
        {"/", false, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *meaning = unit_exit_meaning(cases[i].status);
        if (unit_exit_is_setup(cases[i].status) != cases[i].setup)
            fail_msg("%s", cases[i].status);
        if (cases[i].word == NULL ? meaning != NULL
                                  : meaning == NULL || strstr(meaning, cases[i].word) == NULL)
            fail_msg("%s means %s", cases[i].status, meaning != NULL ? meaning : "nothing");
    }
    assert_true(unit_exit_is_exec("203/EXEC"));
    assert_false(unit_exit_is_exec("2030/EXEC"));
    assert_true(unit_exit_is_signal("dumped"));
    assert_false(unit_exit_is_signal("exited"));
    assert_non_null(unit_result_meaning("oom-kill"));
    assert_null(unit_result_meaning("success"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_service), cmocka_unit_test(test_same),
        cmocka_unit_test(test_name_len),   cmocka_unit_test(test_network),
        cmocka_unit_test(test_exits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
