/* SPDX-License-Identifier: Apache-2.0 */
/* Boots are made from one list of lines: some left out, some put in, later ones delayed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzers/analysis.h"
#include "analyzers/baseline.h"
#include "analyzers/diff.h"
#include "analyzers/rules.h"
#include "harness/base/buf.h"
#include "harness/base/mem.h"
#include "harness/record.h"

static const struct {
    int ms;
    const char *text; /* "#": a number that differs from boot to boot */
} healthy[] = {
    {0, "Linux version 6.1.0-13-amd64"},
    {100, "tsc: Detected #.# MHz processor"},
    {200, "random: crng init done"},
    {300, "virtio_blk virtio0: [vda] # 512-byte logical blocks"},
    {900, "EXT4-fs (vda): mounted filesystem with ordered data mode"},
    {1500, "systemd[1]: systemd 252.1 running in system mode"},
    {1600, "systemd[1]: Hostname set to <boot#>."},
    {2000, "systemd[1]: Starting systemd-networkd.service - Network Configuration..."},
    {2500, "systemd[1]: Started systemd-networkd.service - Network Configuration."},
    {2600, "systemd-networkd[#]: eth0: Link UP"},
    {2700, "kernel: eth0: link is ready"},
    {2900, "systemd-networkd[#]: eth0: DHCPv4 address 10.0.2.15/24 acquired from 10.0.2.2"},
    {3000, "systemd[1]: Reached target network.target - Network."},
    {3500, "systemd[1]: Started vm-browser-agent.service - VM Browser OAuth Agent."},
    {3600, "start-all.sh[#]: [SUPERVISOR] Production supervisor starting..."},
    {3700, "start-all.sh[#]: [SUPERVISOR] OAuth agent PID: #"},
    {5000, "start-all.sh[#]: {\"msg\":\"VM Browser Agent "
           "started\",\"port\":8080,\"vmIP\":\"10.0.2.15\"}"},
};

enum { N_HEALTHY = sizeof(healthy) / sizeof(healthy[0]), N_GOOD = 5 };

struct change {
    unsigned without;   /* bit i: line i is left out */
    int insert_before;  /* line number; 0: nothing */
    const char *insert; /* complete lines */
    int delay_from, delay_ms;
    int percent; /* of the usual time; 0: 100 */
    int until;   /* lines in all; 0: all of them */
};

static struct ruleset *ruleset;
static struct service service;

static void add_text(struct buf *console, const char *text, unsigned seed)
{
    for (; *text != '\0'; text++) {
        if (*text == '#')
            buf_addf(console, "%u", 100 + seed * 37 % 800);
        else
            buf_add_char(console, *text);
    }
}

static char *make_console(const struct change *change, unsigned seed)
{
    struct buf console;
    buf_init(&console, 1 << 20);
    for (int i = 0; i < (change->until != 0 ? change->until : N_HEALTHY); i++) {
        int ms = healthy[i].ms * (change->percent != 0 ? change->percent : 100) / 100 +
                 (change->delay_ms != 0 && i >= change->delay_from ? change->delay_ms : 0);
        if (change->insert_before != 0 && change->insert_before == i)
            buf_add_text(&console, change->insert);
        if ((change->without & 1U << i) != 0)
            continue;
        buf_addf(&console, "[%5d.%03d000] ", ms / 1000, ms % 1000);
        add_text(&console, healthy[i].text, seed + (unsigned)i);
        buf_add_text(&console, "\r\n");
    }
    return buf_steal(&console);
}

struct boot {
    struct record record;
    char *console; /* owned; the record's */
};

static void boot_init(struct boot *boot, const struct change *change, unsigned seed, bool came_up)
{
    record_init(&boot->record);
    boot->console = make_console(change, seed);
    boot->record.source = mem_strdup("boot");
    boot->record.end = came_up ? RECORD_END_READY : RECORD_END_VMM_EXIT;
    boot->record.host.parallel_boots = 1;
    boot->record.console.data = boot->console;
    boot->record.console.len = strlen(boot->console);
}

static void boot_release(struct boot *boot)
{
    boot->record.console.data = NULL;
    record_release(&boot->record);
    free(boot->console);
}

static struct baseline *make_baseline(void)
{
    struct baseline *baseline = baseline_new("test image");
    for (unsigned i = 0; i < N_GOOD; i++) {
        struct boot boot;
        struct err err = {.message = ""};
        boot_init(&boot, &(struct change){.percent = 98 + (int)i}, i * 11, true);
        if (baseline_add(baseline, &boot.record, ruleset, &err) < 0)
            fail_msg("%s", err.message);
        boot_release(&boot);
    }
    assert_int_equal(baseline_len(baseline), N_GOOD);
    return baseline;
}

static struct analysis compare(const struct change *change, bool came_up, int parallel_boots)
{
    struct baseline *baseline = make_baseline();
    struct analysis analysis;
    struct boot boot;
    boot_init(&boot, change, 777, came_up);
    boot.record.host.parallel_boots = parallel_boots;
    analysis_init(&analysis, &boot.record, ruleset, baseline);
    assert_true(analysis.diff.present);
    assert_int_equal(analysis.diff.runs, N_GOOD);
    assert_string_equal(analysis.diff.baseline, "test image");
    boot_release(&boot);
    baseline_free(baseline);
    return analysis;
}

static void assert_text(const char *text, const char *part)
{
    if ((part == NULL) != (text == NULL) || (part != NULL && strstr(text, part) == NULL))
        fail_msg("\"%s\" instead of \"%s\"", text != NULL ? text : "(nothing)",
                 part != NULL ? part : "(nothing)");
}

static void test_healthy_peer(void **state)
{
    struct analysis analysis = compare(&(struct change){0}, true, 1);
    (void)state;
    assert_false(analysis.diff.diverged);
    assert_int_equal(analysis.diff.n_missing, 0);
    assert_int_equal(analysis.diff.n_novel, 0);
    assert_int_equal(analysis.diff.n_late, 0);
    analysis_release(&analysis);
}

static void test_divergence(void **state)
{
    static const struct {
        struct change change;
        uint32_t line;
        int64_t ms;
        const char *expected, *seen;
        size_t n_missing, n_novel;
    } rows[] = {
        /* The last line never comes, an error does. */
        {{.without = 1U << 16, .insert_before = 16, .insert = "Error: Cannot find module 'x'\r\n"},
         16,
         3700,
         "VM Browser Agent started",
         "Cannot find module",
         1,
         1},
        /* Nothing instead. */
        {{.without = 1U << 16}, 16, 3700, "VM Browser Agent started", NULL, 1, 0},
        /* An error comes first, and good lines after it. */
        {{.until = 7, .insert_before = 6, .insert = "Kernel panic - not syncing: x\r\n"},
         6,
         1500,
         NULL,
         "Kernel panic",
         5,
         1},
        /* A kernel line that nobody misses is no divergence, two in a row are. */
        {{.without = 1U << 2 | 1U << 16}, 15, 3700, "VM Browser Agent started", NULL, 2, 0},
        {{.without = 1U << 1 | 1U << 2 | 1U << 3}, 1, 0, "tsc: Detected", NULL, 3, 0},
        {{.without = 1U << 0 | 1U << 1 | 1U << 2, .insert_before = 3, .insert = "firmware\n"},
         0,
         -1,
         "Linux version",
         "firmware",
         3,
         1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct analysis analysis = compare(&rows[i].change, false, 1);
        const struct diff *diff = &analysis.diff;
        assert_true(diff->diverged);
        assert_int_equal(diff->followed_line, rows[i].line);
        assert_int_equal(diff->followed_ms, rows[i].ms);
        assert_text(diff->expected, rows[i].expected);
        assert_text(diff->seen, rows[i].seen);
        assert_int_equal(diff->n_missing, rows[i].n_missing);
        assert_int_equal(diff->n_novel, rows[i].n_novel);
        if (diff->n_missing > 0) {
            assert_int_equal(diff->missing[0].good_runs, N_GOOD);
            assert_true(diff->missing[0].expected_at_ms >= 0);
        }
        analysis_release(&analysis);
    }
}

static void test_novel(void **state)
{
    static const struct {
        const char *insert;
        size_t n;
        const char *first; /* of the list */
        const char *was;
        uint32_t count;
        bool is_error; /* to a rule: then it is where the good path was left */
    } rows[] = {
        /* One word apart from a good line: novel all the same, and the good line is named. */
        {"[    2.800000] kernel: eth0: link is not ready\n", 1, "link is not ready",
         "link is ready", 1, false},
        /* Numbers differ: not novel. */
        {"[    2.800000] tsc: Detected 1.5 MHz processor\n", 0, NULL, NULL, 0, false},
        /* Repeated and alike lines fold to one. */
        {"retrying request 1 to server a\nretrying request 2 to server a\n"
         "retrying request 3 to server b\n",
         1, "retrying request", NULL, 3, false},
        /* But not over a word that tells. */
        {"job a has status=1/FAILURE now ok\njob a has status=2/INVALID now ok\n", 2,
         "status=1/FAILURE", NULL, 1, false},
        /* Errors that a rule knows come first. */
        {"chatter without meaning\n[    2.8] Kernel panic - not syncing: Attempted to kill init!\n",
         2, "Kernel panic", NULL, 1, true},
        /* Cut by another writer, and the rest of what was cut: no news. */
        {"[  OK  ] Started someth[    2.810000] random: crng init done\ning.\n", 0, NULL, NULL, 0,
         false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct analysis analysis =
            compare(&(struct change){.insert_before = 11, .insert = rows[i].insert}, false, 1);
        const struct diff *diff = &analysis.diff;
        assert_int_equal(diff->n_novel, rows[i].n);
        if (diff->n_novel > 0) {
            assert_text(diff->novel[0].text, rows[i].first);
            assert_text(diff->novel[0].was, rows[i].was);
            assert_int_equal(diff->novel[0].count, rows[i].count);
            assert_true(diff->novel[0].line >= 12);
        }
        assert_int_equal(diff->diverged, rows[i].is_error);
        analysis_release(&analysis);
    }
}

/* A good line that another writer cut here is neither missing nor novel. */
static void test_torn_line_is_not_missing(void **state)
{
    static const struct change change = {
        .without = 1U << 12,
        .insert_before = 12,
        .insert =
            "[    3.000000] systemd[1]: Reached target netw[    3.010000] random: crng init done\n"
            "ork.target - Network.\n",
    };
    struct analysis analysis = compare(&change, false, 1);
    (void)state;
    assert_int_equal(analysis.diff.n_missing, 0);
    assert_int_equal(analysis.diff.n_novel, 0);
    assert_false(analysis.diff.diverged);
    analysis_release(&analysis);
}

static void test_late(void **state)
{
    static const struct {
        struct change change;
        int parallel_boots;
        const char *to; /* NULL: nothing is late */
    } rows[] = {
        {{.delay_from = 13, .delay_ms = 9000}, 1, "unit-started"},
        {{.delay_from = 5, .delay_ms = 5000}, 1, "init-started"},
        {{.delay_from = 13, .delay_ms = 200}, 1, NULL},
        {{.percent = 220}, 1, NULL},
        {{.percent = 200, .delay_from = 13, .delay_ms = 9000}, 1, "unit-started"},
        {{.delay_from = 13, .delay_ms = 9000}, 4, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct analysis analysis = compare(&rows[i].change, true, rows[i].parallel_boots);
        const struct diff *diff = &analysis.diff;
        assert_int_equal(diff->n_late, rows[i].to ? 1 : 0);
        if (diff->n_late > 0) {
            assert_string_equal(diff->late[0].to, rows[i].to);
            assert_true(diff->late[0].ms >= diff->late[0].usual_ms + rows[i].change.delay_ms - 100);
        }
        analysis_release(&analysis);
    }
}

/* A boot that came up is stopped soon after: what good boots printed last may be absent. */
static void test_ready_boot_may_end_early(void **state)
{
    struct analysis analysis = compare(&(struct change){.until = 16}, true, 1);
    (void)state;
    assert_false(analysis.diff.diverged);
    assert_int_equal(analysis.diff.n_missing, 0);
    analysis_release(&analysis);
}

static void test_refuses(void **state)
{
    struct baseline *baseline = baseline_new("x");
    struct err err = {.message = ""};
    struct boot boot;
    (void)state;
    boot_init(&boot, &(struct change){0}, 1, false);
    assert_int_equal(baseline_add(baseline, &boot.record, ruleset, &err), -1);
    assert_non_null(strstr(err.message, "did not come up"));
    boot_release(&boot);
    boot_init(
        &boot,
        &(struct change){.insert_before = 5, .insert = "[    1.0] Kernel panic - not syncing: x\n"},
        1, true);
    assert_int_equal(baseline_add(baseline, &boot.record, ruleset, &err), -1);
    assert_non_null(strstr(err.message, "although it came up"));
    boot_release(&boot);
    assert_int_equal(baseline_len(baseline), 0);

    /* An empty baseline compares with nothing. */
    struct diff diff = {0};
    boot_init(&boot, &(struct change){0}, 1, true);
    struct milestone milestones[STAGE_N] = {0};
    diff_init(&diff, baseline, &boot.record, ruleset, milestones);
    assert_false(diff.present);
    boot_release(&boot);
    baseline_free(baseline);
}

static void test_is_full_at_its_limit(void **state)
{
    struct baseline *baseline = baseline_new("x");
    struct err err = {.message = ""};
    struct boot boot;
    (void)state;
    boot_init(&boot, &(struct change){0}, 1, true);
    for (int i = 0; i < BASELINE_MAX_RUNS; i++)
        assert_int_equal(baseline_add(baseline, &boot.record, ruleset, &err), 0);
    assert_int_equal(baseline_add(baseline, &boot.record, ruleset, &err), -1);
    boot_release(&boot);
    baseline_free(baseline);
}

static int setup(void **state)
{
    (void)state;
    service_init(&service);
    ruleset = ruleset_new(&service, NULL);
    return ruleset != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    ruleset_free(ruleset);
    service_release(&service);
    return 0;
}

/* However many kinds of lines come, the analysis says how many were left out. */
static void test_dropped_lines_are_said(void **state)
{
    enum { KINDS = 300, COMPARED = 256 };
    struct buf lines;
    (void)state;
    buf_init(&lines, 1 << 20);
    for (int i = 0; i < KINDS; i++) {
        char a = (char)('a' + i % 26), b = (char)('a' + i / 26);
        buf_addf(&lines, "one%c%c two%c%c three%c%c\n", a, b, a, b, a, b);
    }
    struct analysis analysis =
        compare(&(struct change){.insert_before = 11, .insert = buf_text(&lines)}, false, 1);
    assert_int_equal(analysis.diff.dropped, KINDS - COMPARED);
    assert_int_equal(analysis.n_limits_hit, 1);
    assert_non_null(strstr(analysis.limits_hit[0], "leaves out 44 lines"));
    analysis_release(&analysis);
    buf_release(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_healthy_peer),
        cmocka_unit_test(test_divergence),
        cmocka_unit_test(test_novel),
        cmocka_unit_test(test_torn_line_is_not_missing),
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_ready_boot_may_end_early),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_is_full_at_its_limit),
        cmocka_unit_test(test_dropped_lines_are_said),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
