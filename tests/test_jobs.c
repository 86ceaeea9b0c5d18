/* SPDX-License-Identifier: Apache-2.0 */
/* The job machine and the service's own words, run by run, on small synthetic consoles. */
#include "tests/support.h"

#include "analyzers/evidence.h"
#include "analyzers/jobs.h"
#include "analyzers/rules.h"
#include "analyzers/service_log.h"
#include "harness/base/auto.h"
#include "tests/consoles.h"

static void with_console(const char *console, void (*check)(const struct evidence *evidence))
{
    auto_record struct record record;
    struct err err = {0};
    record_init(&record);
    record.console = (struct bytes){.data = console, .len = strlen(console)};
    struct ruleset *rules = ruleset_new(&record.service, &err);
    assert_non_null(rules);
    struct evidence evidence;
    evidence_init(&evidence, &record, rules, NULL);
    check(&evidence);
    evidence_release(&evidence);
    ruleset_free(rules);
    record.console = (struct bytes){0};
}

static void test_spans(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"12s", 12000},     {"1min 30s", 90000}, {"2min", 120000}, {"1h 2min 3s", 3723000},
        {"500ms", 500},     {"1.5s", 1500},      {"no limit", -1}, {"", -1},
        {"12", -1},         {"s", -1},           {"1min x", -1},   {"99999999999999s", -1},
        {"1min30s", 90000}, {"2 min", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (job_span_ms(cases[i].text) != cases[i].ms)
            fail_msg("\"%s\" is %lld ms", cases[i].text, (long long)job_span_ms(cases[i].text));
}

static const struct job *waited_for(const struct evidence *evidence, struct jobs **ret_jobs)
{
    *ret_jobs = jobs_new(evidence);
    return jobs_waited_for(*ret_jobs, &evidence->record->service);
}

static void nothing_is_open(const struct evidence *evidence)
{
    struct jobs *jobs;
    assert_null(waited_for(evidence, &jobs));
    free(jobs);
}

static void slow_is_open(const struct evidence *evidence)
{
    struct jobs *jobs;
    const struct job *job = waited_for(evidence, &jobs);
    assert_non_null(job);
    assert_non_null(strstr(job->label, "slow.service"));
    free(jobs);
}

static void limit_is_known(const struct evidence *evidence)
{
    struct jobs *jobs;
    const struct job *job = waited_for(evidence, &jobs);
    assert_non_null(job);
    assert_string_equal(job_limit(job), "2min");
    assert_true(job_age_ms(evidence, job) >= 31000);
    free(jobs);
}

static void only_the_service_is_open(const struct evidence *evidence)
{
    struct jobs *jobs;
    assert_null(waited_for(evidence, &jobs));
    assert_true(jobs_service_is_starting(jobs, &evidence->record->service));
    free(jobs);
}

#define OPEN "         Starting slow.service - Slow thing...\r\n"

static void test_ends(void **state)
{
    static const struct {
        const char *console;
        void (*check)(const struct evidence *evidence);
    } cases[] = {
        {PLAIN OPEN, slow_is_open},
        {PLAIN OPEN OK_ "Started slow.service - Slow thing.\r\n", nothing_is_open},
        {PLAIN OPEN OK_ "Finished slow.se" CUT "ice - Slow thing.\r\n", nothing_is_open},
        {PLAIN OPEN FAILED_ "Failed to start slow.service - Slow thing.\r\n", nothing_is_open},
        {PLAIN OPEN DEPEND_ "Dependency failed for slow.service - Slow thing.\r\n",
         nothing_is_open},
        {PLAIN OPEN "[ TIME ] Timed out starting slow.service - Slow thing.\r\n", nothing_is_open},
        {PLAIN OPEN OK_ "Stopped slow.service - Slow thing.\r\n", nothing_is_open},
        {JOURNAL "[   12.0] systemd[1]: Starting slow.service - Slow thing...\r\n"
                 "[   13.0] systemd[1]: slow.service: Deactivated successfully.\r\n",
         nothing_is_open},
        {JOURNAL "[   12.0] systemd[1]: Starting slow.service - Slow thing...\r\n"
                 "[   13.0] systemd[1]: slow.service: Job slow.service/start failed with result "
                 "'dependency'.\r\n",
         nothing_is_open},
        {JOURNAL "         Starting slow-a" CUT "Create things in /dev...\r\n"
                 "[   12.0] systemd[1]: Starting slow-a-x.service - Create things in /dev...\r\n"
                 "[   13.0] systemd[1]: Finished slow-a-x.service - Create things in /dev.\r\n",
         nothing_is_open},
        {JOURNAL "[   12.0] systemd[1]: Starting slow-a-x.service - A...\r\n"
                 "[   13.0] systemd[1]: Finished slow-a-x.service - A.\r\n"
                 "[   13.1] systemd[1]: Starting slow-a.service - B...\r\n"
                 "[*     ] (1 of 4) Job slow-a" CUT "vice/start running (7s / no limit)\r\n"
                 "[   14.0] systemd[1]: Finished slow-a.service - B.\r\n",
         nothing_is_open},
        {PLAIN OPEN OK_ "Started slower.service - Slow thing.\r\n", slow_is_open},
        {PLAIN OPEN "slow: Started slow.service - Slow thing.\r\n", slow_is_open},
        {PLAIN OPEN "[ ***  ] Job slow.service/start running (31s / 2min)\r\n", limit_is_known},
        {JOURNAL "[   12.0] app[9]: Starting slow.service - Slow thing...\r\n", nothing_is_open},
        {PLAIN "         Starting vm-browser-agent.service - VM Browser Agent...\r\n",
         only_the_service_is_open},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        with_console(cases[i].console, cases[i].check);
}

static void started_once(const struct evidence *evidence)
{
    assert_int_equal(jobs_service_starts(evidence), 1);
    assert_non_null(jobs_service_started(evidence));
}

static void started_twice(const struct evidence *evidence)
{
    assert_int_equal(jobs_service_starts(evidence), 2);
    assert_true(jobs_service_started_last(evidence)->seq > jobs_service_started(evidence)->seq);
}

static void never_started(const struct evidence *evidence)
{
    assert_int_equal(jobs_service_starts(evidence), 0);
    assert_null(jobs_service_started(evidence));
}

static void test_starts(void **state)
{
    (void)state;
    with_console(JOURNAL J_STARTED, started_once);
    with_console(PLAIN P_STARTED, started_once);
    with_console(JOURNAL J_STARTED J_EXIT("12.5", "1/FAILURE") J_AGAIN("15.6"), started_twice);
    with_console(PLAIN P_STARTED P_STARTED, started_twice);
    with_console(JOURNAL "[   12.0] app[9]: Started vm-browser-agent.service.\r\n", never_started);
}

static void agent_and_script_are_told_apart(const struct evidence *evidence)
{
    struct service_log *log = service_log_new(evidence);
    const struct service_run *run = service_log_current(log);
    assert_int_equal(log->n_ended, 0);
    assert_false(run->over);
    assert_non_null(run->agent_start);
    assert_non_null(strstr(run->agent_last.text, "migrating"));
    assert_non_null(strstr(run->script_last.text, "WebRTC server PID"));
    assert_non_null(strstr(run->last.text, "[WEBRTC]"));
    assert_int_equal(run->last_error.line, 0);
    free(log);
}

static void runs_are_counted(const struct evidence *evidence)
{
    struct service_log *log = service_log_new(evidence);
    assert_int_equal(log->n_ended, 2);
    const struct service_run *run = service_log_last_ended(log);
    assert_non_null(run);
    assert_int_equal(run->n_lines, 1);
    assert_non_null(strstr(run->last_error.text, "cannot create directory"));
    assert_ptr_equal(service_log_at(log, run->last.line), run);
    free(log);
}

static void nothing_was_said(const struct evidence *evidence)
{
    struct service_log *log = service_log_new(evidence);
    assert_int_equal(service_log_current(log)->n_lines, 0);
    assert_null(service_log_last_ended(log));
    free(log);
}

#define MKDIR(at) S(at, "mkdir: cannot create directory '/x': Not a directory")

static void test_service_log(void **state)
{
    (void)state;
    with_console(
        JOURNAL J_AGENT A(
            "13.0",
            "migrating 1 of 12") "[   14.0] start-all.sh[143]: [WEBRTC] waiting for an offer\r\n",
        agent_and_script_are_told_apart);
    with_console(JOURNAL J_STARTED MKDIR("12.4") J_EXIT("12.5", "1/FAILURE") J_AGAIN("15.6")
                     MKDIR("15.7") J_EXIT("15.8", "1/FAILURE"),
                 runs_are_counted);
    with_console(PLAIN P_STARTED "\r\nDebian GNU/Linux 13 vm ttyS0\r\n" LOGIN, nothing_was_said);
    with_console("", nothing_was_said);
}

/* More runs than are kept: the first ones and the last. */
static void test_many_runs(void **state)
{
    enum { N = 300 };
    (void)state;
    auto_free char *console = mem_calloc(N * 400 + 1, 1);
    char *at = console;
    for (unsigned i = 0; i < N; i++)
        at += sprintf(at,
                      "[%8u.0] systemd[1]: Started vm-browser-agent.service - VM Browser.\r\n"
                      "[%8u.1] start-all.sh[%u]: boom\r\n"
                      "[%8u.2] systemd[1]: vm-browser-agent.service: Main process exited, "
                      "code=exited, status=1/FAILURE\r\n",
                      i, i, i + 2, i);
    auto_record struct record record;
    struct err err = {0};
    record_init(&record);
    record.console = (struct bytes){.data = console, .len = strlen(console)};
    struct ruleset *rules = ruleset_new(&record.service, &err);
    struct evidence evidence;
    evidence_init(&evidence, &record, rules, NULL);
    struct service_log *log = service_log_new(&evidence);
    assert_int_equal(log->len, SERVICE_LOG_MAX_RUNS);
    assert_int_equal(log->runs[0].first.line, 2);
    assert_true(service_log_current(log)->last.line == 3 * N - 1);
    free(log);
    evidence_release(&evidence);
    ruleset_free(rules);
    record.console = (struct bytes){0};
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spans),     cmocka_unit_test(test_ends),
        cmocka_unit_test(test_starts),    cmocka_unit_test(test_service_log),
        cmocka_unit_test(test_many_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
