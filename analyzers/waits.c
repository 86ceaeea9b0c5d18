/* SPDX-License-Identifier: Apache-2.0 */
/* Absence is only evidence while the window was open: a job may run for as long as its limit. */
#include "analyzers/waits.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/jobs.h"
#include "analyzers/stage.h"
#include "analyzers/unit.h"

/* A wait that long is no hiccup, however long the console was watched. */
enum { LONG_WAIT_MS = 60 * 1000 };

/* Lines between a unit's restart and the stop of what needs it: others may come in between. */
enum { MAX_APART = 6, MAX_REASON_APART = 3 };

/* The last of a rule's hits before `seq` whose unit is not the service's own. */
static const struct hit *other_unit_before(const struct evidence *evidence, const char *rule_id,
                                           uint64_t seq)
{
    const struct hit *found = NULL;
    for (const struct hit *hit = evidence_next(evidence, rule_id, NULL);
         hit != NULL && hit->seq < seq; hit = evidence_next(evidence, rule_id, hit))
        if (hit->captures[0] != NULL &&
            !unit_is_service(hit->captures[0], &evidence->record->service))
            found = hit;
    return found;
}

/* The first line about a unit of that label, by a rule whose first capture is the unit's name. */
static const struct hit *of_unit(const struct evidence *evidence, const char *rule_id,
                                 const char *label)
{
    for (const struct hit *hit = evidence_next(evidence, rule_id, NULL); hit != NULL;
         hit = evidence_next(evidence, rule_id, hit))
        if (hit->captures[0] != NULL && unit_same(hit->captures[0], label))
            return hit;
    return NULL;
}

/* Why a unit failed, as far as systemd says so: what could not be run, else how it ended. */
static const struct hit *reason_of(const struct evidence *evidence, const char *label)
{
    static const char *const reasons[] = {"init.unit-spawn-failed", "init.unit-operation-timeout",
                                          "init.unit-exit", "init.unit-result"};
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        const struct hit *hit = of_unit(evidence, reasons[i], label);
        if (hit != NULL)
            return hit;
    }
    return NULL;
}

/* The same where "Failed to start" calls the unit by its description only (before version 251):
 * what stands right before it. */
static const struct hit *reason_before(const struct evidence *evidence, const struct hit *failed)
{
    const struct hit *hit = other_unit_before(evidence, "init.unit-operation-timeout", failed->seq);
    return hit != NULL && failed->seq - hit->seq <= MAX_REASON_APART ? hit : NULL;
}

static const struct hit *service_hit(const struct evidence *evidence, const char *rule_id)
{
    return evidence_next_of_service(evidence, rule_id, NULL);
}

static bool started_after(const struct evidence *evidence, const struct hit *hit)
{
    const struct hit *started = jobs_service_started_last(evidence);
    return started != NULL && started->seq > hit->seq;
}

static void say_dependency(const struct evidence *evidence, struct finding *finding,
                           const struct hit *culprit, const struct hit *reason, bool timed_out)
{
    const char *unit = evidence->record->service.unit;
    const char *end = timed_out ? "timed out" : "failed";
    const char *label = culprit != NULL ? jobs_whole(evidence, culprit)->captures[0] : "a unit";
    bool spawn = reason != NULL &&
                 strcmp(evidence_rule(evidence, reason)->id, "init.unit-spawn-failed") == 0;
    if (spawn && reason->captures[2] != NULL && reason->captures[3] != NULL)
        finding_say(finding, "%s was not started because %.*s, which it requires, %s (%s: %s)",
                    unit, unit_name_len(label), label, end, reason->captures[2],
                    reason->captures[3]);
    else
        finding_say(finding, "%s was not started because %.*s, which it requires, %s", unit,
                    unit_name_len(label), label, end);
}

/* systemd says it in two ways: as the job's end, and (230 and later) as the job's result. */
static const struct hit *dependency_hit(const struct evidence *evidence)
{
    const struct hit *hit = service_hit(evidence, "init.job-dependency");
    if (hit != NULL)
        return hit;
    for (hit = service_hit(evidence, "init.job-result"); hit != NULL;
         hit = evidence_next_of_service(evidence, "init.job-result", hit))
        if (hit->captures[1] != NULL && strcmp(hit->captures[1], "dependency") == 0)
            return hit;
    return NULL;
}

static void judge_dependency(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *depend = dependency_hit(evidence);
    if (depend == NULL || started_after(evidence, depend))
        return;
    const struct hit *failed = other_unit_before(evidence, "init.job-failed", depend->seq);
    const struct hit *timeout = other_unit_before(evidence, "init.job-timeout", depend->seq);
    bool timed_out = timeout != NULL && (failed == NULL || timeout->seq > failed->seq);
    const struct hit *culprit = timed_out ? timeout : failed;
    const struct hit *reason =
        culprit != NULL ? reason_of(evidence, jobs_whole(evidence, culprit)->captures[0]) : NULL;
    if (reason == NULL && culprit != NULL)
        reason = reason_before(evidence, culprit);
    /* A service that takes too long to start fails; only its reason tells a timeout. */
    timed_out |= reason != NULL &&
                 strcmp(evidence_rule(evidence, reason)->id, "init.unit-operation-timeout") == 0;
    struct finding *finding =
        timed_out ? findings_add(findings, "init.dependency-timeout", "init.unit-start-timeout",
                                 SEVERITY_FATAL, 0.93)
                  : findings_add(findings, "init.dependency", "init.dependency-failed",
                                 SEVERITY_FATAL, culprit != NULL ? 0.95 : 0.85);
    say_dependency(evidence, finding, culprit, reason, timed_out);
    finding_hit(finding, jobs_whole(evidence, depend));
    if (culprit != NULL)
        finding_hit(finding, jobs_whole(evidence, culprit));
    if (reason != NULL)
        finding_hit(finding, reason);
}

static void judge_own_timeout(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *hit = service_hit(evidence, "init.unit-operation-timeout");
    if (hit == NULL)
        hit = service_hit(evidence, "init.job-timeout");
    if (hit == NULL || started_after(evidence, hit))
        return;
    struct finding *finding = findings_add(findings, "init.service-timeout",
                                           "init.unit-start-timeout", SEVERITY_ERROR, 0.9);
    finding_say(finding, "%s took longer to start than systemd allows",
                evidence->record->service.unit);
    finding_hit(finding, hit);
}

static void say_wait(const struct evidence *evidence, struct finding *finding,
                     const struct job *job, const char *label, int64_t age_ms)
{
    const char *unit = evidence->record->service.unit, *limit = job_limit(job);
    int64_t silent_ms = evidence_silence_ms(evidence);
    double age_s = (double)age_ms / 1000, silent_s = (double)silent_ms / 1000;
    if (limit != NULL)
        finding_say(finding,
                    "The start of %s still waits for %s, which may take %s and had run for %.0f s",
                    unit, label, limit, age_s);
    else if (silent_ms >= STAGE_STUCK_MS)
        finding_say(finding,
                    "The start of %s still waits for %s, which had run for %.0f s at the end; the "
                    "console was silent for the last %.0f s",
                    unit, label, age_s, silent_s);
    else
        finding_say(finding,
                    "The start of %s still waits for %s, which had run for %.0f s at the end", unit,
                    label, age_s);
}

/* When systemd last began or ended any job: while it does, the boot gets on. -1: never. */
static int64_t last_progress_ms(const struct evidence *evidence)
{
    static const char *const rules[] = {"init.job-starting", "init.job-done", "init.job-failed",
                                        "init.job-timeout", "init.job-dependency"};
    int64_t last_ms = -1;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        const struct hit *hit = evidence_last(evidence, rules[i]);
        if (hit != NULL && hit->near_ms > last_ms)
            last_ms = hit->near_ms;
    }
    return last_ms;
}

/* What a bare console shows may have been watched for no longer than that. */
static double wait_confidence(const struct evidence *evidence, const struct job *job,
                              int64_t age_ms)
{
    bool login = evidence_count(evidence, "init.login-prompt") > 0;
    bool certain = login || age_ms >= LONG_WAIT_MS;
    int64_t progress_ms = last_progress_ms(evidence);
    int64_t limit_ms = stage_patience_ms(evidence, STAGE_NETWORK_TARGET, STAGE_UNIT_STARTED);
    int64_t idle_ms = progress_ms >= 0 ? evidence_end_ms(evidence) - progress_ms : limit_ms;
    if (idle_ms < STAGE_STUCK_MS)
        return age_ms >= LONG_WAIT_MS ? 0.45 : 0.25;
    if (idle_ms < limit_ms)
        return age_ms >= LONG_WAIT_MS ? 0.65 : 0.45;
    if (evidence_is_bare(evidence))
        return certain ? 0.82 : 0.65;
    return job->running != NULL || certain ? 0.82 : 0.65;
}

static void judge_open_job(const struct evidence *evidence, const struct jobs *jobs,
                           struct findings *findings)
{
    const struct service *service = &evidence->record->service;
    const struct job *job = jobs_waited_for(jobs, service);
    if (job == NULL || stage_reached(evidence, STAGE_UNIT_STARTED) ||
        jobs_service_is_starting(jobs, service) || !evidence_window_closed(evidence))
        return;
    int64_t age_ms = job_age_ms(evidence, job);
    if (age_ms < stage_patience_ms(evidence, STAGE_NETWORK_TARGET, STAGE_UNIT_STARTED))
        return;
    const struct hit *opened = job->started != NULL ? jobs_whole(evidence, job->started) : NULL;
    struct finding *finding = findings_add(findings, "init.job-open", "init.job-waiting",
                                           SEVERITY_ERROR, wait_confidence(evidence, job, age_ms));
    say_wait(evidence, finding, job, opened != NULL ? opened->captures[0] : job->label, age_ms);
    if (opened != NULL)
        finding_hit(finding, opened);
    if (job->running != NULL)
        finding_hit(finding, job->running);
}

/* Nothing is open, nothing failed, and nothing more comes. */
static void judge_silence(const struct evidence *evidence, const struct jobs *jobs,
                          struct findings *findings)
{
    const struct service *service = &evidence->record->service;
    int64_t silent_ms = evidence_silence_ms(evidence);
    int64_t limit_ms = stage_patience_ms(evidence, STAGE_INIT_STARTED, STAGE_UNIT_STARTED);
    if (!stage_reached(evidence, STAGE_INIT_STARTED) || !evidence_window_closed(evidence) ||
        stage_reached(evidence, STAGE_UNIT_STARTED) || silent_ms < STAGE_STUCK_MS ||
        jobs_waited_for(jobs, service) != NULL || jobs_service_is_starting(jobs, service) ||
        evidence_count(evidence, "init.multi-user") > 0)
        return;
    struct finding *finding = findings_add(findings, "init.silent", "init.not-reached",
                                           SEVERITY_ERROR, silent_ms >= limit_ms ? 0.75 : 0.55);
    finding_say(finding, "systemd started and said nothing more for the last %.0f s",
                (double)silent_ms / 1000);
    finding_quote(finding, &evidence->last_line);
}

/* A unit that the service requires restarts again and again, and takes the service down with it. */
static void judge_taken_down(const struct evidence *evidence, struct findings *findings)
{
    static const char *const restarts = "init.restart-counter";
    const struct hit *stopping = NULL, *other = NULL;
    uint32_t n = 0;
    for (const struct hit *hit = evidence_next_of_service(evidence, "init.job-stopping", NULL);
         hit != NULL; hit = evidence_next_of_service(evidence, "init.job-stopping", hit)) {
        const struct hit *before = other_unit_before(evidence, restarts, hit->seq);
        if (before == NULL || hit->seq - before->seq > MAX_APART)
            continue;
        stopping = hit;
        other = before;
        n++;
    }
    if (n < 2)
        return;
    struct finding *finding =
        findings_add(findings, "init.taken-down", "init.dependency-failed", SEVERITY_ERROR, 0.88);
    finding->count = n;
    finding_say(finding,
                "systemd stopped the agent each time that %s, which it needs, was restarted",
                other->captures[0]);
    finding_hit(finding, other);
    finding_hit(finding, stopping);
}

void waits_judge(const struct evidence *evidence, struct findings *findings)
{
    judge_taken_down(evidence, findings);
    struct jobs *jobs = jobs_new(evidence);
    judge_dependency(evidence, findings);
    judge_own_timeout(evidence, findings);
    judge_open_job(evidence, jobs, findings);
    judge_silence(evidence, jobs, findings);
    free(jobs);
}
