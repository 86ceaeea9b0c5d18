/* SPDX-License-Identifier: Apache-2.0 */
/* A table of jobs by label; unit_same() finds the job that a label belongs to. */
#include "analyzers/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/chars.h"
#include "analyzers/unit.h"
#include "harness/base/mem.h"

/* Programs may say "Starting ..." too. */
static bool is_systemd(const struct hit *hit)
{
    return hit->source == LINE_STATUS || strcmp(hit->ident, "systemd") == 0;
}

/* A shortened label may fit two units: the one that is shown whole is the better one. */
static struct job *find_job(struct jobs *jobs, const char *label)
{
    for (size_t i = 0; i < jobs->len; i++)
        if (strcmp(jobs->items[i].label, label) == 0)
            return &jobs->items[i];
    for (size_t i = 0; i < jobs->len; i++)
        if (unit_same(jobs->items[i].label, label))
            return &jobs->items[i];
    return NULL;
}

static struct job *find_or_add(struct jobs *jobs, const char *label)
{
    struct job *job = find_job(jobs, label);
    if (job == NULL && jobs->len < JOBS_MAX) {
        job = &jobs->items[jobs->len++];
        *job = (struct job){.label = label, .open = true};
    }
    return job;
}

/* A second "Starting" is the other wording of the same event, or a restart: neither opens a job
 * that was closed, because a restart does not hold up the boot. */
static void open_job(struct jobs *jobs, const struct hit *hit)
{
    struct job *job = find_or_add(jobs, hit->captures[0]);
    if (job == NULL)
        return;
    if (job->started == NULL)
        job->started = hit;
    if (strlen(hit->captures[0]) > strlen(job->label))
        job->label = hit->captures[0];
}

/* Of the jobs that a shortened label fits, the one that is open is meant. */
static struct job *find_open(struct jobs *jobs, const char *label)
{
    for (size_t i = 0; i < jobs->len; i++)
        if (jobs->items[i].open && unit_same(jobs->items[i].label, label))
            return &jobs->items[i];
    return NULL;
}

static void note_running(struct jobs *jobs, const struct hit *hit)
{
    struct job *job = find_open(jobs, hit->captures[0]);
    if (job == NULL)
        job = find_or_add(jobs, hit->captures[0]);
    if (job == NULL)
        return;
    job->running = hit;
    job->open = true;
}

/* Whatever the end may belong to is over: better no wait than a wrong one. */
static void close_job(struct jobs *jobs, const struct hit *hit)
{
    for (size_t i = 0; i < jobs->len; i++)
        if (unit_same(jobs->items[i].label, hit->captures[0]))
            jobs->items[i].open = false;
}

static const struct {
    const char *rule;
    void (*take)(struct jobs *jobs, const struct hit *hit);
} events[] = {
    {"init.job-starting", open_job},      {"init.job-running", note_running},
    {"init.job-done", close_job},         {"init.job-failed", close_job},
    {"init.job-timeout", close_job},      {"init.job-dependency", close_job},
    {"init.job-stopped", close_job},      {"init.job-skipped", close_job},
    {"init.job-assertion", close_job},    {"init.job-result", close_job},
    {"init.unit-deactivated", close_job}, {"init.unit-result", close_job},
};

struct jobs *jobs_new(const struct evidence *evidence)
{
    struct jobs *jobs = mem_calloc(1, sizeof(*jobs));
    jobs->n_ends = evidence_count(evidence, "init.job-done");
    for (size_t i = 0; i < evidence->n_hits; i++) {
        const struct hit *hit = &evidence->hits[i];
        const char *id = evidence_rule(evidence, hit)->id;
        if (strncmp(id, "init.", 5) != 0 || hit->captures[0] == NULL || !is_systemd(hit))
            continue;
        for (size_t k = 0; k < sizeof(events) / sizeof(events[0]); k++)
            if (strcmp(id, events[k].rule) == 0)
                events[k].take(jobs, hit);
    }
    return jobs;
}

const struct job *jobs_waited_for(const struct jobs *jobs, const struct service *service)
{
    const struct job *oldest = NULL, *named = NULL;
    /* Where ends may have been dropped, what looks open need not be. */
    bool ends_known = jobs->n_ends < EVIDENCE_HITS_PER_RULE - 1;
    for (size_t i = 0; i < jobs->len; i++) {
        const struct job *job = &jobs->items[i];
        if (!job->open || unit_is_service(job->label, service))
            continue;
        /* Devices come by themselves, and few units wait for one. */
        if (oldest == NULL && ends_known && strstr(job->label, ".device") == NULL)
            oldest = job;
        /* systemd takes turns when it waits for several: a network's wait explains most. */
        if (job->running != NULL &&
            (named == NULL || (unit_is_network(job->label) && !unit_is_network(named->label))))
            named = job;
    }
    return named != NULL ? named : oldest;
}

bool jobs_service_is_starting(const struct jobs *jobs, const struct service *service)
{
    for (size_t i = 0; i < jobs->len; i++)
        if (jobs->items[i].open && unit_is_service(jobs->items[i].label, service))
            return true;
    return false;
}

int64_t job_span_ms(const char *text)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {
        {"us", 0.001},       {"ms", 1},       {"s", 1000},           {"min", 60000},
        {"h", 3600000},      {"d", 86400000}, {"w", 7 * 86400000.0}, {"month", 2629800000.0},
        {"y", 31557600000.0}};
    double total = 0;
    bool any = false;
    for (const char *at = text; *at != '\0';) {
        char *end;
        if (*at == ' ') {
            at++;
            continue;
        }
        if (!is_digit(*at) || strspn(at, "0123456789.") > 12)
            return -1;
        double value = strtod(at, &end);
        size_t len = strcspn(end, " 0123456789"), i = 0;
        while (i < sizeof(units) / sizeof(units[0]) &&
               !(strlen(units[i].unit) == len && strncmp(units[i].unit, end, len) == 0))
            i++;
        if (i == sizeof(units) / sizeof(units[0]))
            return -1;
        total += value * units[i].ms;
        any = true;
        at = end + len;
    }
    return any && total < 1e15 ? (int64_t)total : -1;
}

int64_t job_age_ms(const struct evidence *evidence, const struct job *job)
{
    int64_t end_ms = evidence_end_ms(evidence), age_ms = 0;
    if (job->started != NULL && job->started->near_ms >= 0 && end_ms > job->started->near_ms)
        age_ms = end_ms - job->started->near_ms;
    if (job->running != NULL && job->running->captures[1] != NULL) {
        int64_t said_ms = job_span_ms(job->running->captures[1]);
        if (said_ms >= 0 && job->running->near_ms >= 0 && end_ms > job->running->near_ms)
            said_ms += end_ms - job->running->near_ms;
        if (said_ms > age_ms)
            age_ms = said_ms;
    }
    return age_ms;
}

const char *job_limit(const struct job *job)
{
    const char *limit = job->running != NULL ? job->running->captures[2] : NULL;
    return limit != NULL && job_span_ms(limit) >= 0 ? limit : NULL;
}

/* "Started X": a rule of its own where the unit's name is long enough to be in its pattern, one for
 * names that are cut too short for that, and the one for all units. */
static bool is_service_start(const struct evidence *evidence, const struct hit *hit)
{
    static const char *const rules[] = {"init.unit-started", "init.unit-started-cut",
                                        "init.job-done"};
    const char *id = evidence_rule(evidence, hit)->id;
    bool is_start = false;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        is_start |= strcmp(id, rules[i]) == 0;
    return is_start && hit->captures[0] != NULL && (is_systemd(hit) || hit->ident[0] == '\0') &&
           unit_is_service(hit->captures[0], &evidence->record->service);
}

const struct hit *jobs_service_started(const struct evidence *evidence)
{
    for (size_t i = 0; i < evidence->n_hits; i++)
        if (is_service_start(evidence, &evidence->hits[i]))
            return &evidence->hits[i];
    return NULL;
}

const struct hit *jobs_service_started_last(const struct evidence *evidence)
{
    for (size_t i = evidence->n_hits; i-- > 0;)
        if (is_service_start(evidence, &evidence->hits[i]))
            return &evidence->hits[i];
    return NULL;
}

uint32_t jobs_service_starts(const struct evidence *evidence)
{
    uint32_t shown = 0, logged = 0;
    uint64_t seq = 0;
    for (size_t i = 0; i < evidence->n_hits; i++) {
        const struct hit *hit = &evidence->hits[i];
        if (!is_service_start(evidence, hit) || hit->seq == seq)
            continue;
        seq = hit->seq;
        if (hit->source == LINE_STATUS)
            shown++;
        else
            logged++;
    }
    return shown > logged ? shown : logged;
}

const struct hit *jobs_whole(const struct evidence *evidence, const struct hit *cut)
{
    const char *rule_id = evidence_rule(evidence, cut)->id;
    for (const struct hit *hit = evidence_next(evidence, rule_id, NULL); hit != NULL;
         hit = evidence_next(evidence, rule_id, hit))
        if (hit->captures[0] != NULL && strstr(hit->captures[0], ELLIPSIS) == NULL &&
            unit_same(hit->captures[0], cut->captures[0]))
            return hit;
    return cut;
}
