/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/report_samples.h"

#include <unistd.h>

#include "harness/base/json.h"
#include "harness/base/proc.h"

static void analysis_has_the_contracts_members(void **state)
{
    (void)state;
    static const struct sample sample = MODULE_MISSING("0002", "Error: Cannot find module 'x'");
    struct analysis analysis;
    fill_analysis(&analysis, &sample);
    struct quote fact = {.file = "boot.json", .text = "exit code 1", .at_ms = -1};
    struct contributing other = {.cause = "agent.crash-loop", .n_quotes = 1};
    other.quotes[0] = fact;
    struct alternative guess = {"agent.exception", 0.02, "the text names the module"};
    char *limits[] = {"console.log: line 12 is longer than 8192 bytes"};
    analysis.contributing = &other;
    analysis.n_contributing = 1;
    analysis.alternatives = &guess;
    analysis.n_alternatives = 1;
    analysis.limits_hit = limits;
    analysis.n_limits_hit = 1;

    json_auto_t *document = report_analysis_json(&analysis);
    static const char *const rows[][2] = {
        {"schema", "\"bootdiag.analysis/1\""},
        {"source", "\"runs/r/boot\""},
        {"outcome", "\"failed\""},
        {"verdict.cause", "\"agent.module-missing\""},
        {"verdict.layer", "\"agent\""},
        {"verdict.confidence", "0.97"},
        {"verdict.evidence.0.file", "\"console.log\""},
        {"verdict.evidence.0.line", "412"},
        {"verdict.evidence.0.offset", "30211"},
        {"verdict.evidence.0.text", "\"Error: Cannot find module 'x'\""},
        {"verdict.remedy", "\"install the module in the image\""},
        {"alternatives.0.cause", "\"agent.exception\""},
        {"alternatives.0.confidence", "0.02"},
        {"alternatives.0.why_not", "\"the text names the module\""},
        {"contributing.0.cause", "\"agent.crash-loop\""},
        {"contributing.0.evidence.0.line", "null"},
        {"contributing.0.evidence.0.text", "\"exit code 1\""},
        {"questions.5.id", "\"port-8080-reachable\""},
        {"questions.5.answer", "\"unknown\""},
        {"milestones.0.evidence", "{}"},
        {"milestones.4.id", "\"init-started\""},
        {"milestones.4.at_ms", "4210"},
        {"milestones.4.evidence.line", "300"},
        {"milestones.5.at_ms", "null"},
        {"stage", "\"agent-started\""},
        {"first_missing", "\"agent-listening\""},
        {"diff", "null"},
        {"limits_hit.0", "\"console.log: line 12 is longer than 8192 bytes\""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_json(document, rows[i][0], rows[i][1]);
    assert_int_equal(json_array_size(at(document, "questions")), 6);
    assert_int_equal(json_array_size(at(document, "milestones")), STAGE_AGENT_STARTED + 1);
}

static void analysis_of_a_good_boot_has_no_verdict(void **state)
{
    (void)state;
    static const struct sample sample = READY_AT("0001", 9800);
    struct analysis analysis;
    fill_analysis(&analysis, &sample);
    json_auto_t *document = report_analysis_json(&analysis);
    assert_json(document, "outcome", "\"ready\"");
    assert_json(document, "verdict", "null");
    assert_json(document, "alternatives", "[]");
    assert_json(document, "contributing", "[]");
    assert_json(document, "first_missing", "null");
}

static void diff_has_the_contracts_members(void **state)
{
    (void)state;
    static const struct sample sample = READY_AT("0001", 9800);
    struct analysis analysis;
    fill_analysis(&analysis, &sample);
    add_diff(&analysis);
    json_auto_t *document = report_analysis_json(&analysis);
    assert_json(document, "diff.baseline", "\"id\"");
    assert_json(document, "diff.runs", "5");
    assert_json(document, "diff.first_divergence.followed_until.line", "541");
    assert_json(document, "diff.first_divergence.followed_until.at_ms", "2950");
    assert_json(document, "diff.first_divergence.expected", "\"eth0: Gained carrier\"");
    assert_json(document, "diff.first_divergence.seen", "null");
    assert_json(document, "diff.missing.0.good_runs", "5");
    assert_json(document, "diff.missing.0.expected_at_ms", "3100");
    assert_json(document, "diff.novel.0.line", "542");
    assert_json(document, "diff.novel.0.was", "\"eth0: even\"");
    assert_json(document, "diff.novel.0.count", "3");
    assert_json(document, "diff.late.0.usual_ms", "4100");
    analysis.diff.diverged = false;
    json_auto_t *same = report_analysis_json(&analysis);
    assert_json(same, "diff.first_divergence", "null");
}

static void confidences_never_add_up_to_more_than_1(void **state)
{
    (void)state;
    static const struct sample sample = MODULE_MISSING("0002", "");
    struct analysis analysis;
    fill_analysis(&analysis, &sample);
    struct alternative others[] = {{"agent.exception", 0.11115, ""}, {"agent.killed", 0.11115, ""}};
    analysis.alternatives = others;
    analysis.n_alternatives = 2;
    analysis.verdict.confidence = 1 - 2 * 0.11115;
    json_auto_t *document = report_analysis_json(&analysis);
    double sum = json_real_value(at(document, "verdict.confidence")) +
                 json_real_value(at(document, "alternatives.0.confidence")) +
                 json_real_value(at(document, "alternatives.1.confidence"));
    assert_true(sum <= 1 && sum > 0.999);
}

static void summary_counts_rates_and_groups(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        MODULE_MISSING("0004", "[    9.1] node[224]: Error: Cannot find module 'x'"),
        READY_AT("0001", 9800),
        {.boot_id = "0005",
         .end = RECORD_END_START_FAILED,
         .outcome = OUTCOME_FAILED,
         .ready_ms = -1,
         .ended_ms = 3,
         .cause = "vmm.binary-missing",
         .layer = "vmm",
         .line = "qemu: No such file"},
        READY_AT("0003", 12300),
        MODULE_MISSING("0002", "[   11.7] node[231]: Error: Cannot find module 'x'"),
        {.boot_id = "0006",
         .end = RECORD_END_INTERRUPTED,
         .outcome = OUTCOME_UNDETERMINED,
         .ready_ms = -1,
         .ended_ms = 2000,
         .stage = STAGE_INIT_STARTED},
    };
    json_auto_t *report = sample_report(samples, sizeof(samples) / sizeof(samples[0]));
    static const char *const rows[][2] = {
        {"schema", "\"bootdiag.report/1\""},
        {"host", "\"lab\""},
        {"baseline.runs", "5"},
        {"interrupted", "false"},
        {"boots_wanted", "6"},
        {"target.cmdline", "\"token=***\""},
        {"boots.0.boot_id", "\"0001\""},
        {"boots.1.dir", "\"boot-0002\""},
        {"boots.1.end", "\"fatal-evidence\""},
        {"boots.1.saved_ms", "98700"},
        {"boots.1.last_probe_class", "\"reset\""},
        {"boots.1.guest.cmdline", "\"console=ttyS0 password=*** rw\""},
        {"boots.1.reproduce", "\"qemu-system-x86_64 -append 'password=***'\""},
        {"boots.1.analysis.schema", "\"bootdiag.analysis/1\""},
        {"boots.0.signature", "null"},
        {"summary.boots", "6"},
        {"summary.ready", "2"},
        {"summary.failed", "2"},
        {"summary.undetermined", "1"},
        {"summary.not_tried", "1"},
        {"summary.success_rate", "0.5"},
        {"summary.success_interval.low", "0.15"},
        {"summary.success_interval.high", "0.85"},
        {"summary.ready_ms", "{\"n\": 2, \"min\": 9800, \"p50\": 9800, \"p95\": 12300, "
                             "\"max\": 12300}"},
        {"summary.saved_ms", "197400"},
        {"summary.causes.0.cause", "\"agent.module-missing\""},
        {"summary.causes.0.count", "2"},
        {"summary.causes.0.boots", "[\"0002\", \"0004\"]"},
        {"summary.causes.1.cause", "\"vmm.binary-missing\""},
        {"summary.causes.1.boots", "[\"0005\"]"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_json(report, rows[i][0], rows[i][1]);
    assert_int_equal(json_array_size(at(report, "summary.causes")), 2);
}

/* systemd starts units side by side: the last stage and the telling line differ, the fault does
 * not.
 */
static void boots_with_the_same_fault_are_one_group(void **state)
{
    (void)state;
    struct sample samples[] = {MODULE_MISSING("0001", "[FAILED] Failed to start x."),
                               MODULE_MISSING("0002", "systemd[1]: Failed to start x."),
                               MODULE_MISSING("0003", "systemd[1]: Failed to start x.")};
    samples[1].stage = STAGE_NETWORK_TARGET;
    samples[1].class = PROBE_NO_ANSWER;
    json_auto_t *report = sample_report(samples, 3);
    assert_int_equal(json_array_size(at(report, "summary.causes")), 1);
    assert_json(report, "summary.causes.0.count", "3");

    for (size_t i = 0; i < 3; i++)
        samples[i].cause = samples[i].layer = "unknown";
    json_auto_t *unknown = sample_report(samples, 3);
    assert_int_equal(json_array_size(at(unknown, "summary.causes")), 2);
}

static void finishing_again_changes_nothing_but_the_summary(void **state)
{
    (void)state;
    static const struct sample first = READY_AT("0001", 9800), second = READY_AT("0002", 9000);
    json_auto_t *report = sample_report(&first, 1);
    json_auto_t *copy = json_deep_copy(report);
    report_finish(report);
    assert_true(json_equal(report, copy));
    add_sample(report, &second);
    report_finish(report);
    assert_json(report, "summary.ready", "2");
    assert_json(report, "summary.ready_ms.min", "9000");
}

/* The checker's word on one document; its complaint is in the message of a failure. */
static void assert_valid(const char *schema, const json_t *document)
{
    char path[] = "/tmp/test_report-XXXXXX";
    auto_fd int fd = mkstemp(path);
    assert_true(fd >= 0);
    struct err err = {0};
    assert_int_equal(json_write_file(document, path, &err), 0);
    const char *const argv[] = {"python3", "tests/cli/check_schema.py", schema, path, NULL};
    auto_buf struct buf output;
    buf_init(&output, 1 << 16);
    int result = proc_run(argv, 60000, &output, &err);
    (void)unlink(path);
    if (result != 0)
        fail_msg("%s: %s\n%s", schema, err.message, buf_text(&output));
}

static void documents_match_their_schemas(void **state)
{
    (void)state;
    struct sample samples[] = {READY_AT("0001", 9800), MODULE_MISSING("0002", "\xff"),
                               MODULE_MISSING("0003", "x")};
    samples[2].end = RECORD_END_START_FAILED;
    samples[2].cause = samples[2].layer = "unknown";
    json_auto_t *report = sample_report(samples, 3);
    report_add_preflight(report, NULL, "no space");
    assert_valid("report", report);
    json_auto_t *empty = report_new(&(struct report_facts){.version = "1.0"});
    assert_valid("report", empty);

    struct analysis analysis;
    fill_analysis(&analysis, &samples[1]);
    add_diff(&analysis);
    struct alternative other = {"x.my-rule", 0.01, NULL};
    analysis.alternatives = &other;
    analysis.n_alternatives = 1;
    json_auto_t *document = report_analysis_json(&analysis);
    assert_valid("analysis", document);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(analysis_has_the_contracts_members),
        cmocka_unit_test(analysis_of_a_good_boot_has_no_verdict),
        cmocka_unit_test(diff_has_the_contracts_members),
        cmocka_unit_test(confidences_never_add_up_to_more_than_1),
        cmocka_unit_test(summary_counts_rates_and_groups),
        cmocka_unit_test(boots_with_the_same_fault_are_one_group),
        cmocka_unit_test(finishing_again_changes_nothing_but_the_summary),
        cmocka_unit_test(documents_match_their_schemas),
    };
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
