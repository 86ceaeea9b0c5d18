/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A job is opened by "Starting X" and closed by Started, Finished, Failed, Timed out or Dependency
 * failed; what is still open at the end is what the boot waits for. With the journal forwarded most
 * events stand on the console twice, whole and shortened: unit_same() makes one of them.
 */
#include "analyzers/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/chars.h"
#include "analyzers/stage.h"
#include "analyzers/unit.h"
#include "harness/base/mem.h"

enum { MAX_JOBS = 256 };

struct job {
    const struct hit *started;
    const char *label;
    bool open;
};

struct jobs {
    struct job items[MAX_JOBS];
    size_t len;
};

/* Programs may say "Starting ..." too. */
static bool is_systemd(const struct hit *hit)
{
    return hit->source == LINE_STATUS || strcmp(hit->ident, "systemd") == 0;
}

static void open_job(struct jobs *jobs, const struct hit *hit)
{
    for (size_t i = 0; i < jobs->len; i++) {
        if (!unit_same(jobs->items[i].label, hit->captures[0]))
            continue;
        /* The second wording of the same event, or a restart. A label in full replaces a cut one.
         */
        if (strlen(hit->captures[0]) > strlen(jobs->items[i].label))
            jobs->items[i].label = hit->captures[0];
        return;
    }
    if (jobs->len < MAX_JOBS)
        jobs->items[jobs->len++] = (struct job){hit, hit->captures[0], true};
}

static void close_job(struct jobs *jobs, const struct hit *hit)
{
    for (size_t i = 0; i < jobs->len; i++)
        if (unit_same(jobs->items[i].label, hit->captures[0]))
            jobs->items[i].open = false;
}

static void follow_jobs(const struct evidence *evidence, struct jobs *jobs)
{
    static const char *const closing[] = {"init.job-done", "init.job-failed", "init.job-timeout",
                                          "init.job-dependency"};
    for (size_t i = 0; i < evidence->n_hits; i++) {
        const struct hit *hit = &evidence->hits[i];
        const char *id = evidence_rule(evidence, hit)->id;
        if (strncmp(id, "init.job-", 9) != 0 || hit->captures[0] == NULL || !is_systemd(hit))
            continue;
        if (strcmp(id, "init.job-starting") == 0)
            open_job(jobs, hit);
        for (size_t k = 0; k < sizeof(closing) / sizeof(closing[0]); k++)
            if (strcmp(id, closing[k]) == 0)
                close_job(jobs, hit);
    }
}

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

/* Status lines shorten names; the journal's wording of the same event is better to read and to
 * type. */
static const struct hit *whole(const struct evidence *evidence, const struct hit *cut)
{
    const char *rule_id = evidence_rule(evidence, cut)->id;
    for (const struct hit *hit = evidence_next(evidence, rule_id, NULL); hit != NULL;
         hit = evidence_next(evidence, rule_id, hit))
        if (hit->captures[0] != NULL && strstr(hit->captures[0], ELLIPSIS) == NULL &&
            unit_same(hit->captures[0], cut->captures[0]))
            return hit;
    return cut;
}

/* Length of the name in "x.service - Description". */
static int name_len(const char *label)
{
    const char *dash = strstr(label, " - ");
    return (int)(dash != NULL ? (size_t)(dash - label) : strlen(label));
}

/* The first line about a unit of that label, by a rule whose first capture is the unit's name. */
static const struct hit *of_unit(const struct evidence *evidence, const char *rule_id,
                                 const char *label)
{
    int len = name_len(label);
    for (const struct hit *hit = evidence_next(evidence, rule_id, NULL); hit != NULL;
         hit = evidence_next(evidence, rule_id, hit))
        if (hit->captures[0] != NULL && (int)strlen(hit->captures[0]) == len &&
            strncmp(hit->captures[0], label, (size_t)len) == 0)
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

static const struct hit *service_hit(const struct evidence *evidence, const char *rule_id)
{
    return evidence_next_of_service(evidence, rule_id, NULL);
}

static bool started_after(const struct evidence *evidence, const struct hit *hit)
{
    const struct hit *started = evidence_last(evidence, "init.unit-started");
    return started != NULL && started->seq > hit->seq;
}

static void say_dependency(const struct evidence *evidence, struct finding *finding,
                           const struct hit *culprit, const struct hit *reason, bool timed_out)
{
    const char *unit = evidence->record->service.unit;
    const char *end = timed_out ? "timed out" : "failed";
    const char *label = culprit != NULL ? whole(evidence, culprit)->captures[0] : "a unit";
    bool spawn = reason != NULL &&
                 strcmp(evidence_rule(evidence, reason)->id, "init.unit-spawn-failed") == 0;
    if (spawn && reason->captures[2] != NULL && reason->captures[3] != NULL)
        finding_say(finding, "%s was not started because %.*s, which it requires, %s (%s: %s)",
                    unit, name_len(label), label, end, reason->captures[2], reason->captures[3]);
    else
        finding_say(finding, "%s was not started because %.*s, which it requires, %s", unit,
                    name_len(label), label, end);
}

static void judge_dependency(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *depend = service_hit(evidence, "init.job-dependency");
    if (depend == NULL || started_after(evidence, depend))
        return;
    const struct hit *failed = other_unit_before(evidence, "init.job-failed", depend->seq);
    const struct hit *timeout = other_unit_before(evidence, "init.job-timeout", depend->seq);
    bool timed_out = timeout != NULL && (failed == NULL || timeout->seq > failed->seq);
    const struct hit *culprit = timed_out ? timeout : failed;
    const struct hit *reason =
        culprit != NULL ? reason_of(evidence, whole(evidence, culprit)->captures[0]) : NULL;
    struct finding *finding =
        timed_out ? findings_add(findings, "init.dependency-timeout", "init.unit-start-timeout",
                                 SEVERITY_FATAL, 0.93)
                  : findings_add(findings, "init.dependency", "init.dependency-failed",
                                 SEVERITY_FATAL, culprit != NULL ? 0.95 : 0.85);
    say_dependency(evidence, finding, culprit, reason, timed_out);
    finding_hit(finding, whole(evidence, depend));
    if (culprit != NULL)
        finding_hit(finding, whole(evidence, culprit));
    if (reason != NULL)
        finding_hit(finding, reason);
}

static void judge_own_timeout(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *hit = service_hit(evidence, "init.unit-operation-timeout");
    if (hit == NULL)
        hit = service_hit(evidence, "init.job-timeout");
    if (hit == NULL)
        return;
    struct finding *finding = findings_add(findings, "init.service-timeout",
                                           "init.unit-start-timeout", SEVERITY_ERROR, 0.85);
    finding_say(finding, "%s took longer to start than systemd allows",
                evidence->record->service.unit);
    finding_hit(finding, hit);
}

/* The job that holds up the rest is the one that was opened first and never closed: later ones may
 * merely be young. */
static const struct job *oldest_open(const struct jobs *jobs)
{
    for (size_t i = 0; i < jobs->len; i++)
        if (jobs->items[i].open)
            return &jobs->items[i];
    return NULL;
}

static void judge_open_job(const struct evidence *evidence, const struct jobs *jobs,
                           struct findings *findings)
{
    const struct job *job = oldest_open(jobs);
    const struct hit *running = evidence_last(evidence, "init.job-running");
    if (stage_reached(evidence, STAGE_UNIT_STARTED) || (job == NULL && running == NULL) ||
        !evidence_window_closed(evidence))
        return;
    int64_t end_ms = evidence_end_ms(evidence);
    int64_t age_ms = job != NULL && job->started->near_ms >= 0 ? end_ms - job->started->near_ms : 0;
    int64_t limit_ms = stage_patience_ms(evidence, STAGE_NETWORK_TARGET, STAGE_UNIT_STARTED);
    bool named = running != NULL && running->captures[0] != NULL && running->captures[1] != NULL;
    bool long_named = named && strstr(running->captures[1], "min") != NULL;
    if (age_ms < limit_ms && !long_named)
        return;
    const struct hit *login = evidence_last(evidence, "init.login-prompt");
    const struct hit *opened = job != NULL ? whole(evidence, job->started) : NULL;
    const char *label = opened != NULL    ? opened->captures[0]
                        : running != NULL ? running->captures[0]
                                          : NULL;
    if (label == NULL)
        label = "a unit";
    struct finding *finding = findings_add(findings, "init.job-open", "init.job-waiting",
                                           SEVERITY_ERROR, named || login != NULL ? 0.82 : 0.65);
    if (named && running->captures[2] != NULL)
        finding_say(
            finding, "The start of %s still waits for %s, which may take %s and had run for %s",
            evidence->record->service.unit, label, running->captures[2], running->captures[1]);
    else
        finding_say(finding,
                    "The start of %s still waits for %s, which had run for %.0f s at the end",
                    evidence->record->service.unit, label, (double)age_ms / 1000);
    if (opened != NULL)
        finding_hit(finding, opened);
    if (running != NULL)
        finding_hit(finding, running);
}

static void judge_silence(const struct evidence *evidence, const struct jobs *jobs,
                          struct findings *findings)
{
    int64_t silent_ms = evidence_silence_ms(evidence);
    if (!stage_reached(evidence, STAGE_INIT_STARTED) || !evidence_window_closed(evidence) ||
        stage_reached(evidence, STAGE_UNIT_STARTED) || silent_ms < STAGE_STUCK_MS ||
        oldest_open(jobs) != NULL || evidence_count(evidence, "init.multi-user") > 0)
        return;
    struct finding *finding =
        findings_add(findings, "init.silent", "init.not-reached", SEVERITY_ERROR, 0.6);
    finding_say(finding, "systemd started and said nothing more for the last %.0f s",
                (double)silent_ms / 1000);
    finding_quote(finding, &evidence->last_line);
}

static void judge_exit(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *hit = service_hit(evidence, "init.unit-exit");
    const char *status = hit != NULL ? hit->captures[2] : NULL;
    if (status == NULL || strcmp(hit->captures[1], "exited") != 0 || !unit_exit_is_setup(status))
        return;
    struct finding *finding =
        findings_add(findings, "init.unit-setup", "init.unit-invalid", SEVERITY_ERROR, 0.93);
    const char *meaning = unit_exit_meaning(status);
    finding_say(finding, "systemd could not set up %s: %s (status %s)",
                evidence->record->service.unit, meaning != NULL ? meaning : "see its status",
                status);
    finding_hit(finding, hit);
    const struct hit *spawn = service_hit(evidence, "init.unit-spawn-failed");
    if (spawn != NULL)
        finding_hit(finding, spawn);
}

void jobs_judge(const struct evidence *evidence, struct findings *findings)
{
    struct jobs *jobs = mem_calloc(1, sizeof(*jobs));
    follow_jobs(evidence, jobs);
    judge_dependency(evidence, findings);
    judge_own_timeout(evidence, findings);
    judge_open_job(evidence, jobs, findings);
    judge_silence(evidence, jobs, findings);
    judge_exit(evidence, findings);
    free(jobs);
}
