/* SPDX-License-Identifier: Apache-2.0 */
/* report_samples: small synthetic boots and the report of them, for the tests of reports. */
#ifndef BOOTDIAG_REPORT_SAMPLES_H
#define BOOTDIAG_REPORT_SAMPLES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzers/stage.h"
#include "harness/base/auto.h"
#include "harness/base/mem.h"
#include "reports/report.h"

struct sample {
    const char *boot_id;
    enum record_end end;
    enum outcome outcome;
    int64_t ready_ms, ended_ms, saved_ms;
    enum stage stage;
    const char *cause, *layer, *line;
    enum probe_class class;
};

#define READY_AT(id, ms)                                                                           \
    {                                                                                              \
        .boot_id = id, .end = RECORD_END_READY, .outcome = OUTCOME_READY, .ready_ms = ms,          \
        .ended_ms = (ms) + 500, .stage = STAGE_PORT_ANSWERS, .class = PROBE_READY                  \
    }

#define MODULE_MISSING(id, text)                                                                   \
    {                                                                                              \
        .boot_id = id, .end = RECORD_END_FATAL_EVIDENCE, .outcome = OUTCOME_FAILED,                \
        .ready_ms = -1, .ended_ms = 21300, .saved_ms = 98700, .stage = STAGE_AGENT_STARTED,        \
        .cause = "agent.module-missing", .layer = "agent", .line = text, .class = PROBE_RESET      \
    }

static struct milestone milestones[STAGE_N];
static const char *const question_ids[ANALYSIS_N_QUESTIONS] = {
    "kernel-booted", "network-up",  "services-started",
    "agent-started", "errors-seen", "port-8080-reachable"};

/* Owns nothing: its text is static or the sample's. */
static inline void fill_analysis(struct analysis *analysis, const struct sample *sample)
{
    *analysis = (struct analysis){
        .source = "runs/r/boot", .outcome = sample->outcome, .milestones = milestones};
    analysis->n_milestones = STAGE_N;
    for (int i = 0; i < STAGE_N; i++)
        milestones[i] = (struct milestone){
            .id = stage_id((enum stage)i), .reached = i <= (int)sample->stage, .at_ms = -1};
    milestones[STAGE_INIT_STARTED].at_ms = 4210;
    milestones[STAGE_INIT_STARTED].quote = (struct quote){
        .file = "console.log", .line = 300, .offset = 20000, .at_ms = 4210, .text = "systemd 252"};
    for (int i = 0; i < ANALYSIS_N_QUESTIONS; i++)
        analysis->questions[i] = (struct question){
            .id = question_ids[i], .answer = ANSWER_UNKNOWN, .text = "nothing says so"};
    if (sample->cause == NULL)
        return;
    struct verdict *verdict = &analysis->verdict;
    *verdict = (struct verdict){.cause = sample->cause,
                                .layer = sample->layer,
                                .confidence = 0.97,
                                .summary = "the agent needs a module that is not installed",
                                .remedy = "install the module in the image"};
    verdict->n_quotes = 1;
    verdict->quotes[0] =
        (struct quote){.file = "console.log", .line = 412, .offset = 30211, .at_ms = 9000};
    snprintf(verdict->quotes[0].text, QUOTE_TEXT_SIZE, "%s", sample->line);
}

static inline void add_sample(json_t *report, const struct sample *sample)
{
    auto_free char *dir = mem_printf("runs/r/boot-%s", sample->boot_id);
    struct probe_run run = {.class = sample->class, .count = 1};
    struct record record;
    record_init(&record);
    record.boot_id = mem_strdup(sample->boot_id);
    record.dir = steal_text(&dir);
    record.end = sample->end;
    record.ready_ms = sample->ready_ms;
    record.ended_ms = sample->ended_ms;
    record.guest.cmdline = mem_strdup("console=ttyS0 password=hunter2 rw");
    record.vmm.by_hand = mem_strdup("qemu-system-x86_64 -append 'password=hunter2'");
    record.probe.runs = &run;
    record.probe.n_runs = 1;

    struct analysis analysis;
    fill_analysis(&analysis, sample);
    report_add_boot(report, &record, &analysis, sample->saved_ms);
    record.probe.runs = NULL;
    record.probe.n_runs = 0;
    record_release(&record);
}

static inline json_t *new_report(void)
{
    json_auto_t *target = json_pack("{s:s, s:s}", "name", "bundled", "cmdline", "token=abc123def");
    struct report_facts facts = {
        .version = "1.0",
        .host_name = "lab",
        .started_at = "2025-11-06T20:47:04.123Z",
        .target = target,
        .baseline = "3f2a, qemu, user",
        .baseline_dir = "base line",
        .baseline_runs = 5,
        .run_dir = "runs/r",
        .accelerator = "tcg: /dev/kvm is there but emulated: 0.7 million instructions a second",
        .jobs = 2,
        .boots_wanted = 6,
        .early_end = true,
    };
    return report_new(&facts);
}

static inline json_t *sample_report(const struct sample *samples, size_t n)
{
    json_t *report = new_report();
    for (size_t i = 0; i < n; i++)
        add_sample(report, &samples[i]);
    report_finish(report);
    return report;
}

static inline void add_diff(struct analysis *analysis)
{
    static struct diff_line missing = {
        .text = "eth0: Gained carrier", .good_runs = 5, .expected_at_ms = 3100};
    static struct diff_line novel = {
        .text = "eth9: odd", .line = 542, .was = "eth0: even", .count = 3, .expected_at_ms = -1};
    static struct diff_late late = {"kernel-started", "init-started", 9000, 4100};
    analysis->diff = (struct diff){.present = true,
                                   .baseline = "id",
                                   .runs = 5,
                                   .diverged = true,
                                   .followed_line = 541,
                                   .followed_ms = 2950,
                                   .expected = "eth0: Gained carrier",
                                   .missing = &missing,
                                   .n_missing = 1,
                                   .novel = &novel,
                                   .n_novel = 1,
                                   .late = &late,
                                   .n_late = 1};
}

/* A value by its path: "verdict.evidence.0.line". */
static inline json_t *at(const json_t *value, const char *path)
{
    auto_free char *copy = mem_strdup(path);
    char *rest = NULL;
    for (char *key = strtok_r(copy, ".", &rest); key != NULL; key = strtok_r(NULL, ".", &rest))
        value = json_is_array(value) ? json_array_get(value, (size_t)atoi(key))
                                     : json_object_get(value, key);
    return (json_t *)value;
}

static inline void assert_json(const json_t *document, const char *path, const char *want)
{
    json_t *value = at(document, path);
    if (value == NULL)
        fail_msg("%s is absent", path);
    auto_free char *got = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
    if (strcmp(got, want) != 0)
        fail_msg("%s is %s, expected %s", path, got, want);
}

#endif
