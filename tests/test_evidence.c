/* SPDX-License-Identifier: Apache-2.0 */
/* What one pass over a console keeps, within which bounds, and the milestones that follow from it.
 * The consoles are synthetic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzers/evidence.h"
#include "analyzers/stage.h"
#include "analyzers/unit.h"
#include "harness/base/buf.h"
#include "harness/base/text.h"

struct fixture {
    struct record record;
    struct ruleset *rules;
    struct evidence evidence;
    struct milestone milestones[STAGE_N];
};

static void open_fixture(struct fixture *fixture, const char *console, size_t len)
{
    struct err err = {0};
    record_init(&fixture->record);
    fixture->record.console = (struct bytes){.data = console, .len = len};
    fixture->rules = ruleset_new(&fixture->record.service, &err);
    assert_non_null(fixture->rules);
    evidence_init(&fixture->evidence, &fixture->record, fixture->rules, NULL);
    stage_milestones(&fixture->evidence, fixture->milestones);
    fixture->evidence.milestones = fixture->milestones;
}

static void close_fixture(struct fixture *fixture)
{
    evidence_release(&fixture->evidence);
    evidence_release(&fixture->evidence);
    ruleset_free(fixture->rules);
    fixture->record.console = (struct bytes){0};
    record_release(&fixture->record);
}

static void test_repeats_are_counted_not_kept(void **state)
{
    enum { REPEATS = 20000 };
    auto_buf struct buf console;
    struct fixture fixture;
    (void)state;
    buf_init(&console, 16u << 20);
    for (int i = 1; i <= REPEATS; i++)
        buf_addf(&console, "[%5d.000000] a.sh[9]: Error: Cannot find module 'm%d'\r\n", i, i);
    open_fixture(&fixture, console.data, console.len);
    const struct evidence *evidence = &fixture.evidence;
    assert_int_equal(evidence_count(evidence, "agent.module-not-found"), REPEATS);
    assert_string_equal(evidence_first(evidence, "agent.module-not-found")->captures[0], "m1");
    assert_string_equal(evidence_last(evidence, "agent.module-not-found")->captures[0], "m20000");
    assert_int_equal(evidence_last(evidence, "agent.module-not-found")->line, REPEATS);
    assert_true(evidence->n_hits <= EVIDENCE_HITS_PER_RULE);
    assert_true(evidence->hits_dropped);
    assert_int_equal(evidence->last_output_ms, REPEATS * 1000);
    for (size_t i = 1; i < evidence->n_hits; i++)
        assert_true(evidence->hits[i - 1].seq < evidence->hits[i].seq);
    close_fixture(&fixture);
}

static void test_quotes_are_clean(void **state)
{
    auto_buf struct buf console;
    struct fixture fixture;
    struct quote quote;
    (void)state;
    buf_init(&console, 1u << 20);
    buf_add_text(&console, "[    1.000000] Kernel panic - not syncing: password=hunter2 \xff\xfe ");
    for (int i = 0; i < 500; i++)
        buf_add_text(&console, "\xe2\x80\xa6");
    open_fixture(&fixture, console.data, console.len);
    hit_quote(evidence_first(&fixture.evidence, "kernel.panic"), &quote);
    assert_null(strstr(quote.text, "hunter2"));
    assert_non_null(strstr(quote.text, "\\xff\\xfe"));
    assert_true(strlen(quote.text) <= 500);
    assert_int_equal(text_utf8_valid(quote.text, strlen(quote.text)), strlen(quote.text));
    assert_int_equal(quote.line, 1);
    assert_int_equal(quote.at_ms, 1000);
    close_fixture(&fixture);
}

static void test_missing_rules_and_files(void **state)
{
    struct fixture fixture;
    (void)state;
    open_fixture(&fixture, NULL, 0);
    assert_int_equal(evidence_count(&fixture.evidence, "no.such-rule"), 0);
    assert_null(evidence_first(&fixture.evidence, "no.such-rule"));
    assert_null(evidence_next(&fixture.evidence, "kernel.panic", NULL));
    assert_int_equal(fixture.evidence.last_line.line, 0);
    assert_int_equal(evidence_silence_ms(&fixture.evidence), 0);
    assert_int_equal(stage_furthest(fixture.milestones), -1);
    close_fixture(&fixture);
}

static void test_milestones_follow(void **state)
{
    static const struct {
        const char *console;
        enum stage reached;
        int64_t at_ms; /* -1: implied only */
    } cases[] = {
        {"[    2.000000] systemd[1]: systemd 252 running in system mode\n", STAGE_ROOT_MOUNTED, -1},
        {"[    2.000000] systemd[1]: systemd 252 running in system mode\n", STAGE_KERNEL_STARTED,
         -1},
        {"[    2.000000] systemd[1]: systemd 252 running in system mode\n", STAGE_INIT_STARTED,
         2000},
        {"[    9.000000] systemd-networkd[9]: eth0: Gained carrier\n", STAGE_NIC_FOUND, -1},
        {"[    9.000000] start-all.sh[9]: anything\n", STAGE_SUPERVISOR_STARTED, 9000},
        {"[    9.000000] start-all.sh[9]: anything\n", STAGE_UNIT_STARTED, -1},
        {"{\"msg\":\"VM Browser Agent started\",\"port\":8080}\n", STAGE_AGENT_STARTED, -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture fixture;
        open_fixture(&fixture, cases[i].console, strlen(cases[i].console));
        assert_true(fixture.milestones[cases[i].reached].reached);
        assert_int_equal(fixture.milestones[cases[i].reached].at_ms, cases[i].at_ms);
        assert_true(fixture.milestones[STAGE_VMM_STARTED].reached);
        assert_false(fixture.milestones[STAGE_PORT_ANSWERS].reached);
        close_fixture(&fixture);
    }
}

/* systemd of an initramfs runs before there is a root file system. */
static void test_initrd_proves_no_root(void **state)
{
    static const char console[] = "[    1.900000] systemd[1]: systemd 252 running in system mode\n"
                                  "[    1.900001] systemd[1]: Running in initrd.\n";
    struct fixture fixture;
    (void)state;
    open_fixture(&fixture, console, sizeof(console) - 1);
    assert_true(fixture.milestones[STAGE_INIT_STARTED].reached);
    assert_false(fixture.milestones[STAGE_ROOT_MOUNTED].reached);
    close_fixture(&fixture);
}

static void test_stage_ids(void **state)
{
    (void)state;
    for (int i = 0; i < STAGE_N; i++)
        assert_int_equal(stage_rank(stage_id((enum stage)i)), i);
    assert_int_equal(stage_rank("nowhere"), -1);
    assert_int_equal(stage_rank(NULL), -1);
}

static void test_unit_labels(void **state)
{
    static const struct {
        const char *label;
        bool is_service;
    } cases[] = {
        {"vm-browser-agent.service", true},
        {"vm-browser-agent.service - VM Browser OAuth Agent", true},
        {"VM Browser Services (OAuth Agent + WebRTC Server)", true},
        {"vm-b\xe2\x80\xa6vice - VM Browser OAuth Agent", true},
        {"vm-browser-agent.s\xe2\x80\xa6"
         "ces (OAuth Agent + WebRTC Server)",
         true},
        {"VM Browser Serv\xe2\x80\xa6WebRTC Server)", true},
        {"vm-b\xe2\x80\xa6mer - Clean-up", false},
        {"vm-browser-agent.service.d", false},
        {"tigervnc.service", false},
        {"\xe2\x80\xa6", false},
        {"", false},
    };
    struct service service;
    (void)state;
    service_init(&service);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (unit_is_service(cases[i].label, &service) != cases[i].is_service)
            fail_msg("%s", cases[i].label);
    assert_true(
        unit_same("systemd-networkd-wait-online.service - Wait for Network to be Configured",
                  "systemd-networkd-\xe2\x80\xa6it for Network to be Configured"));
    assert_false(unit_same("a.service - A", "b.service - A"));
    assert_false(unit_same("systemd-net\xe2\x80\xa6vice - X", "systemd-networkd.service - Y"));
    service_release(&service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repeats_are_counted_not_kept),
        cmocka_unit_test(test_quotes_are_clean),
        cmocka_unit_test(test_missing_rules_and_files),
        cmocka_unit_test(test_milestones_follow),
        cmocka_unit_test(test_initrd_proves_no_root),
        cmocka_unit_test(test_stage_ids),
        cmocka_unit_test(test_unit_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
