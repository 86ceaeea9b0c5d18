/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rootfs: what the image holds: no agent, which shows only as an absence, or another build than the
 * one under test, which shows in its unit's Description. What ails its file system stands in
 * filesystem.c.
 */
#include <string.h>
#include <strings.h>

#include "analyzers/analyzer.h"
#include "analyzers/chars.h"
#include "analyzers/stage.h"
#include "analyzers/unit.h"

static const struct rule rules[] = {
    {
        .id = "rootfs.unit-not-found",
        .cause = "rootfs.agent-not-installed",
        .severity = SEVERITY_ERROR,
        .confidence = 0.93,
        .speaker = SPEAKER_ANYONE,
        .pattern = "\\bUnit (?:file )?(%{UNIT}) (?:not found|could not be found|does not exist|was "
                   "not found)|^Failed to load (%{UNIT}): No such file|^(%{UNIT}): Failed to load "
                   "configuration: No such file",
        .summary = "The unit $1$2$3 is not in the image",
        .sample = "[    3.1] systemd[1]: multi-user.target: Cannot add dependency job, ignoring: "
                  "Unit vm-browser-agent.service not found.",
        .near_miss = "[    3.1] systemd[1]: multi-user.target: Cannot add dependency job, ignoring:"
                     " Unit display-manager.service not found.",
    },
    {
        .id = "rootfs.startup-finished",
        .speaker = SPEAKER_SYSTEMD,
        .pattern = "^Startup finished in .*\\(userspace\\)",
        .literal = "Startup finished in ",
        .summary = "systemd has no job left",
        .sample = "[   12.5] systemd[1]: Startup finished in 4.114s (kernel) + 8.358s (userspace) "
                  "= 12.472s.",
        .near_miss = "[   12.5] systemd[99]: Startup finished in 812ms.",
    },
};

/* Labels that are shown as status lines, too few of which say nothing about one that is absent. */
enum { MIN_LABELS = 5 };

static size_t word_length(const char *text)
{
    size_t n = 0;
    while (is_word(text[n]))
        n++;
    return n;
}

static const char *next_word(const char *text)
{
    text += word_length(text);
    while (*text != '\0' && !is_word(*text))
        text++;
    return text;
}

/* True if both begin with the same two words: "VM Browser Services", "VM Browser OAuth Agent". */
static bool related(const char *label, const char *description)
{
    for (int i = 0; i < 2; i++) {
        size_t n = word_length(label);
        if (n == 0 || n != word_length(description) || strncasecmp(label, description, n) != 0)
            return false;
        label = next_word(label);
        description = next_word(description);
    }
    return true;
}

/* What systemd calls the service's unit, where that is not what the target expects; else NULL. */
static const char *other_description(const char *label, const struct service *service)
{
    size_t unit_len = strlen(service->unit);
    const char *expected = service->description;
    if (expected == NULL || *expected == '\0' || strstr(label, ELLIPSIS) != NULL)
        return NULL;
    if (strncmp(label, service->unit, unit_len) == 0) {
        if (strncmp(label + unit_len, " - ", 3) != 0)
            return NULL;
        const char *shown = label + unit_len + 3;
        return strncmp(shown, expected, strlen(expected)) != 0 ? shown : NULL;
    }
    bool names_unit = strstr(label, ".service") != NULL;
    return !names_unit && !unit_is_service(label, service) && related(label, expected) ? label
                                                                                       : NULL;
}

static const struct hit *find_other_description(const struct evidence *evidence)
{
    const struct service *service = &evidence->record->service;
    for (const struct hit *hit = evidence_next(evidence, "init.job-done", NULL); hit != NULL;
         hit = evidence_next(evidence, "init.job-done", hit))
        if (hit->captures[0] != NULL && other_description(hit->captures[0], service) != NULL)
            return hit;
    return NULL;
}

/* Only a target that says what it expects can be disappointed; and a label that only resembles
 * that is another unit's, if the expected one runs. */
static void judge_build(const struct evidence *evidence, struct findings *findings)
{
    const struct record *record = evidence->record;
    const struct hit *hit = find_other_description(evidence);
    if (hit == NULL || !record->has_service)
        return;
    bool named = strncmp(hit->captures[0], record->service.unit, strlen(record->service.unit)) == 0;
    if (!named && stage_reached(evidence, STAGE_UNIT_STARTED))
        return;
    struct finding *finding = findings_add(findings, "rootfs.other-description",
                                           "rootfs.stale-image", SEVERITY_NOTE, 0.62);
    finding_say(finding, "The unit that runs calls itself \"%s\", not \"%s\": another build",
                other_description(hit->captures[0], &record->service), record->service.description);
    finding_hit(finding, hit);
}

static bool unit_seen(const struct evidence *evidence)
{
    for (int i = STAGE_UNIT_STARTED; i < STAGE_N; i++)
        if (stage_reached(evidence, (enum stage)i))
            return true;
    return evidence_unit_mentioned(evidence);
}

/* The guest's own refusal: its network works, and nothing listens. */
static bool guest_refused(const struct record *record)
{
    const char *network = record->probe.network;
    bool user = network != NULL && strcmp(network, "user") == 0;
    for (size_t i = 0; i < record->probe.n_runs; i++)
        if (record->probe.runs[i].class == (user ? PROBE_RESET : PROBE_REFUSED) &&
            record->probe.runs[i].count > 2)
            return true;
    return false;
}

static double confidence_of_absence(const struct evidence *evidence)
{
    bool network = stage_reached(evidence, STAGE_NETWORK_TARGET) ||
                   stage_reached(evidence, STAGE_ADDRESS_ACQUIRED);
    if (find_other_description(evidence) != NULL)
        return 0.35;
    if (guest_refused(evidence->record))
        return 0.92;
    return network ? 0.84 : 0.6;
}

/*
 * All of: the boot completed, nothing ever mentions the agent's unit. The default target waits for
 * all that it wants, so that a unit which it wants is mentioned before it.
 */
static void judge_absence(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *done = evidence_first(evidence, "init.multi-user");
    const struct hit *login = evidence_first(evidence, "init.login-prompt");
    if (done == NULL)
        done = evidence_first(evidence, "rootfs.startup-finished");
    if (done == NULL || unit_seen(evidence) ||
        evidence_count(evidence, "init.job-done") < MIN_LABELS)
        return;
    struct finding *finding =
        findings_add(findings, "rootfs.unit-never-mentioned", "rootfs.agent-not-installed",
                     SEVERITY_ERROR, confidence_of_absence(evidence));
    finding_say(finding, "The boot completed and nothing ever mentioned %s",
                evidence->record->service.unit);
    finding_hit(finding, done);
    if (login != NULL)
        finding_hit(finding, login);
}

static void run(const struct evidence *evidence, struct findings *findings)
{
    judge_build(evidence, findings);
    judge_absence(evidence, findings);
}

const struct analyzer analyzer_rootfs = {
    .name = "rootfs",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .run = run,
};
