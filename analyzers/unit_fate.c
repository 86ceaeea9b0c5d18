/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit_fate: what systemd says of one unit: whether it can be loaded, set up and run, and how it
 * ended.
 *
 * Sources of the wording: systemd 245 to 257, src/core/{service,unit,execute,exec-invoke,
 * load-fragment,dbus-unit,job,transaction}.c, src/shared/conf-parser.c.
 */
#include <string.h>

#include "analyzers/analyzer.h"
#include "analyzers/jobs.h"
#include "analyzers/stage.h"
#include "analyzers/unit.h"
#include "analyzers/unit_exit.h"

static const struct rule rules[] = {
    {
        .id = "init.unit-operation-timeout",
        .severity = SEVERITY_ERROR,
        .pattern = "^(\\S+): (?:start(?:-pre|-post)? operation|[Aa]ctivation|Mounting|Starting|"
                   "Start) timed out",
        .literal = " timed out",
        .summary = "$1 took longer to start than it may",
        .sample = "[   99.1] systemd[1]: x.service: start operation timed out. Terminating.",
        .near_miss = "[   99.1] systemd[1]: x.service: stop-sigterm operation timed out. Killing.",
    },
    {
        .id = "init.unit-exit",
        .severity = SEVERITY_ERROR,
        .pattern = "^(\\S+): Main process exited, code=(\\w+), status=(\\S+?)\\.?$",
        .literal = "Main process exited, code=",
        .summary = "The main process of $1 ended: $2, status $3",
        .sample =
            "[   12.4] systemd[1]: x.service: Main process exited, code=exited, status=203/EXEC",
        .near_miss =
            "[   12.4] systemd[1]: x.service: Control process exited, code=exited, status=1",
    },
    {
        .id = "init.unit-control-exit",
        .severity = SEVERITY_ERROR,
        .pattern = "^(\\S+): Control process exited, code=(\\w+),? status=(\\S+?)\\.?$",
        .literal = "Control process exited, code=",
        .summary = "A command around the main process of $1 failed: $2, status $3",
        .sample = "[   12.4] systemd[1]: x.service: Control process exited, code=exited, "
                  "status=1/FAILURE",
        .near_miss =
            "[   12.4] systemd[1]: x.service: Main process exited, code=exited, status=1/FAILURE",
    },
    {
        .id = "init.unit-result",
        .severity = SEVERITY_ERROR,
        .pattern = "^(\\S+): Failed with result '([\\w-]+)'",
        .literal = "Failed with result '",
        .summary = "$1 failed: $2",
        .sample = "[   12.473746] systemd[1]: x.service: Failed with result 'exit-code'.",
        .near_miss = "[   12.473746] app[9]: Failed with result code 3",
    },
    {
        .id = "init.unit-deactivated",
        .pattern = "^(\\S+): (?:Deactivated successfully|Succeeded)\\.$",
        .summary = "$1 ended without an error",
        .sample = "[   12.4] systemd[1]: x.service: Deactivated successfully.",
        .near_miss = "[   12.4] systemd[1]: x.service: Consumed 1.2s CPU time.",
    },
    {
        .id = "init.unit-spawn-failed",
        .severity = SEVERITY_ERROR,
        .pattern = "^(\\S+): Failed at step (\\w+) spawning (\\S+): (.+?)\\.?$",
        .literal = "Failed at step ",
        .summary = "systemd could not run $3 for $1: $4",
        .sample = "[    6.6] (nc-stand)[99]: tigervnc.service: Failed at step EXEC spawning "
                  "/opt/vnc: No such file or directory",
        .near_miss = "[    6.6] app[99]: Failed at step 3",
    },
    {
        .id = "init.unit-setup-failed",
        .severity = SEVERITY_NOTE,
        .pattern =
            "^(\\S+): (Failed to (?:determine (?:user|group) credentials|set up|setup|drop "
            "capabilities|attach|change|adjust|apply|create|load|switch)[^:]*|Changing to the "
            "requested working directory failed): (.+?)\\.?$",
        .summary = "systemd could not set up $1: $2: $3",
        .sample =
            "[    6.6] (t-all.sh)[99]: x.service: Changing to the requested working directory "
            "failed: No such file or directory",
        .near_miss =
            "[    6.6] (t-all.sh)[99]: x.service: Failed to execute /opt/x: No such file or "
            "directory",
    },
    {
        .id = "init.unit-resources",
        .severity = SEVERITY_ERROR,
        .pattern = "^(\\S+): (Failed to (?:(?:run|spawn) '[\\w-]+' task|load environment files)): "
                   "(.+?)\\.?$",
        .literal = ": Failed to ",
        .summary = "systemd could not start $1: $2: $3",
        .sample = "[    6.6] systemd[1]: x.service: Failed to load environment files: No such file "
                  "or directory",
        .near_miss = "[    6.6] systemd[1]: x.service: Failed to kill control group, ignoring",
    },
    {
        .id = "init.unit-watchdog",
        .severity = SEVERITY_ERROR,
        .pattern = "^(\\S+): Watchdog timeout",
        .literal = ": Watchdog timeout",
        .summary = "$1 stopped telling systemd's watchdog that it lives",
        .sample = "[   66.6] systemd[1]: x.service: Watchdog timeout (limit 30s)!",
        .near_miss = "[    6.6] systemd[1]: Using hardware watchdog 'i6300ESB timer'",
    },
    {
        .id = "init.unit-oom",
        .severity = SEVERITY_ERROR,
        .pattern =
            "^(\\S+): (?:A process of this unit has been killed by the OOM killer|systemd-oomd "
            "killed \\d+ process)",
        .summary = "The kernel killed a process of $1 for its memory",
        .sample =
            "[   66.6] systemd[1]: x.service: A process of this unit has been killed by the OOM "
            "killer.",
        .near_miss =
            "[    6.6] systemd[1]: x.service: Killing process 99 (node) with signal SIGKILL.",
    },
    {
        .id = "init.restart-counter",
        .severity = SEVERITY_NOTE,
        .pattern = "^(\\S+): Scheduled restart job, restart counter is at (\\d+)",
        .literal = "Scheduled restart job, restart counter is at ",
        .summary = "systemd restarts $1 (restart $2)",
        .sample =
            "[   15.7] systemd[1]: x.service: Scheduled restart job, restart counter is at 2.",
        .near_miss = "[   15.7] systemd[1]: x.service: Service has no hold-off time, scheduling "
                     "restart.",
    },
    {
        .id = "init.start-limit",
        .cause = "agent.crash-loop",
        .severity = SEVERITY_FATAL,
        .confidence = 0.5,
        .pattern = "^(%{UNIT}): Start request repeated too quickly",
        .literal = "Start request repeated too quickly",
        .summary = "systemd gave up restarting $1",
        .sample =
            "[   30.1] systemd[1]: vm-browser-agent.service: Start request repeated too quickly.",
        .near_miss = "[   30.1] systemd[1]: tigervnc.service: Start request repeated too quickly.",
    },
    {
        .id = "init.unit-masked",
        .cause = "init.unit-masked",
        .severity = SEVERITY_ERROR,
        .speaker = SPEAKER_ANYONE, /* systemctl says so, too */
        .confidence = 0.93,
        .pattern = "\\bUnit (%{UNIT}) is masked",
        .literal = " is masked",
        .summary = "The unit $1 is masked",
        .sample =
            "[    3.1] systemd[1]: multi-user.target: Cannot add dependency job, ignoring: Unit "
            "vm-browser-agent.service is masked.",
        .near_miss = "[    3.1] systemd[1]: Unit display-manager.service is masked.",
    },
    {
        /* The whole unit is refused: it cannot run, whatever else is said of it. */
        .id = "init.unit-refused",
        .cause = "init.unit-invalid",
        .severity = SEVERITY_ERROR,
        .confidence = 0.95,
        .pattern =
            "^(?:\\S+: Cannot add dependency job, ignoring: |Failed to \\w+ \\S+: )?(?:Unit )?"
            "(%{UNIT})(?:: (?:Service (?:has no|lacks both) ExecStart=|Service has more than "
            "one|Unit configuration has fatal error|.*[Rr]efusing\\b|Failed to load "
            "configuration)| has a bad unit file setting| failed to load properly)",
        .summary = "systemd refuses the unit file of $1",
        .sample = "[    3.1] systemd[1]: vm-browser-agent.service: Service has no ExecStart=, "
                  "ExecStop=, or SuccessAction=. Refusing.",
        .near_miss = "[    3.1] systemd[1]: other.service: Service has no ExecStart=. Refusing.",
    },
    {
        /* Most such lines are ignored, and the unit runs without the setting. */
        .id = "init.unit-syntax",
        .cause = "init.unit-invalid",
        .severity = SEVERITY_NOTE,
        .confidence = 0.5,
        .pattern = "^/\\S*/(%{UNIT})(?:\\.d/\\S+\\.conf)?:\\d+: (.+)",
        .summary = "systemd does not understand a line of the unit file: $2",
        .sample = "[    3.1] systemd[1]: /etc/systemd/system/vm-browser-agent.service:7: Unknown "
                  "section 'Servce'. Ignoring.",
        .near_miss = "[    3.1] systemd[1]: /etc/systemd/system/other.service:7: Unknown section.",
    },
    {
        .id = "init.unit-job-dropped",
        .severity = SEVERITY_NOTE,
        .pattern =
            "^(\\S+): Cannot add dependency job, ignoring: Unit (\\S+) (not found|is masked|has "
            "a bad unit file setting|failed to load properly)",
        .literal = "Cannot add dependency job, ignoring: Unit ",
        .summary = "systemd does not start $1: unit $2 $3",
        .sample = "[    3.1] systemd[1]: vm-browser-agent.service: Cannot add dependency job, "
                  "ignoring: Unit tigervnc.service not found.",
        .near_miss = "[    3.1] systemd[1]: Cannot add dependency job, ignoring",
    },
};

static const struct hit *service_hit(const struct evidence *evidence, const char *rule_id)
{
    return evidence_next_of_service(evidence, rule_id, NULL);
}

static bool started_after(const struct evidence *evidence, const struct hit *hit)
{
    const struct hit *started = jobs_service_started_last(evidence);
    return started != NULL && started->seq > hit->seq;
}

static void judge_setup(const struct evidence *evidence, struct findings *findings)
{
    static const char *const exits[] = {"init.unit-exit", "init.unit-control-exit"};
    const struct hit *hit = NULL;
    for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]) && hit == NULL; i++)
        for (hit = service_hit(evidence, exits[i]); hit != NULL;
             hit = evidence_next_of_service(evidence, exits[i], hit))
            if (!unit_exit_is_signal(hit->captures[1]) && unit_exit_is_setup(hit->captures[2]))
                break;
    if (hit == NULL)
        return;
    struct finding *finding =
        findings_add(findings, "init.unit-setup", "init.unit-invalid", SEVERITY_ERROR, 0.93);
    const char *meaning = unit_exit_meaning(hit->captures[2]);
    const struct hit *why = service_hit(evidence, "init.unit-setup-failed");
    const struct hit *spawn = service_hit(evidence, "init.unit-spawn-failed");
    finding_say(finding, "systemd could not set up %s: %s (status %s)",
                evidence->record->service.unit, meaning != NULL ? meaning : "see its status",
                hit->captures[2]);
    finding_hit(finding, hit);
    if (why != NULL)
        finding_hit(finding, why);
    if (spawn != NULL)
        finding_hit(finding, spawn);
}

/* "Failed to run 'start' task" comes without an exit: no process was made. */
static void judge_resources(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *hit = service_hit(evidence, "init.unit-resources");
    if (hit == NULL || started_after(evidence, hit) || hit->captures[1] == NULL)
        return;
    struct finding *finding =
        findings_add(findings, "init.unit-not-run", "init.unit-invalid", SEVERITY_ERROR, 0.9);
    finding_say(finding, "systemd could not start %s: %s: %s", evidence->record->service.unit,
                hit->captures[1], hit->captures[2] != NULL ? hit->captures[2] : "?");
    finding_hit(finding, hit);
}

static void judge_condition(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *hit = service_hit(evidence, "init.job-skipped");
    bool assertion = hit == NULL;
    if (assertion)
        hit = service_hit(evidence, "init.job-assertion");
    if (hit == NULL || started_after(evidence, hit))
        return;
    struct finding *finding =
        findings_add(findings, "init.unit-skipped", "init.unit-invalid", SEVERITY_ERROR, 0.82);
    finding_say(finding, "systemd did not start %s: %s of its unit file does not hold%s%s",
                evidence->record->service.unit, assertion ? "an assertion" : "a condition",
                hit->captures[1] != NULL ? ": " : "",
                hit->captures[1] != NULL ? hit->captures[1] : "");
    finding_hit(finding, hit);
}

/* The transaction leaves the service out because of another unit, or of its own. */
static void judge_dropped(const struct evidence *evidence, struct findings *findings)
{
    const struct service *service = &evidence->record->service;
    const struct hit *own = NULL, *other = NULL;
    for (const struct hit *hit = evidence_first(evidence, "init.unit-job-dropped"); hit != NULL;
         hit = evidence_next(evidence, "init.unit-job-dropped", hit)) {
        if (hit->captures[1] == NULL || started_after(evidence, hit))
            continue;
        if (unit_is_service(hit->captures[1], service))
            own = hit;
        else if (unit_is_service(hit->captures[0], service))
            other = hit;
    }
    struct finding *finding;
    if (other != NULL) {
        finding = findings_add(findings, "init.requirement-absent", "init.dependency-failed",
                               SEVERITY_ERROR, 0.93);
        finding_say(finding, "%s was not started because %s, which it requires: %s", service->unit,
                    other->captures[1], other->captures[2]);
        finding_hit(finding, other);
    }
    if (own == NULL || strcmp(own->captures[2], "not found") != 0)
        return;
    finding = findings_add(findings, "init.unit-not-found", "rootfs.agent-not-installed",
                           SEVERITY_ERROR, 0.93);
    finding_say(finding, "systemd does not find the unit %s", service->unit);
    finding_hit(finding, own);
}

static void judge_result(const struct evidence *evidence, struct findings *findings)
{
    static const struct {
        const char *result, *id, *cause;
        double confidence;
    } table[] = {
        {"oom-kill", "init.result-oom", "agent.out-of-memory", 0.93},
        {"watchdog", "init.result-watchdog", "agent.hung", 0.88},
        {"protocol", "init.result-protocol", "init.unit-invalid", 0.6},
        {"exec-condition", "init.result-condition", "init.unit-invalid", 0.82},
    };
    for (const struct hit *hit = service_hit(evidence, "init.unit-result"); hit != NULL;
         hit = evidence_next_of_service(evidence, "init.unit-result", hit)) {
        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
            if (hit->captures[1] == NULL || strcmp(hit->captures[1], table[i].result) != 0)
                continue;
            struct finding *finding = findings_add(findings, table[i].id, table[i].cause,
                                                   SEVERITY_ERROR, table[i].confidence);
            finding_say(finding, "systemd says of %s: %s", evidence->record->service.unit,
                        unit_result_meaning(hit->captures[1]));
            finding_hit(finding, hit);
            return;
        }
    }
}

static void judge_early_signs(const struct evidence *evidence, struct findings *findings)
{
    static const struct {
        const char *rule, *id, *cause, *text;
        double confidence;
    } table[] = {
        {"init.unit-oom", "init.service-oom", "agent.out-of-memory",
         "The guest ran out of memory, and the kernel killed a process of", 0.93},
        {"init.unit-watchdog", "init.service-watchdog", "agent.hung",
         "The watchdog of systemd got no sign of life from", 0.88},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const struct hit *hit = service_hit(evidence, table[i].rule);
        if (hit == NULL)
            continue;
        struct finding *finding = findings_add(findings, table[i].id, table[i].cause,
                                               SEVERITY_ERROR, table[i].confidence);
        finding_say(finding, "%s %s", table[i].text, evidence->record->service.unit);
        finding_hit(finding, hit);
    }
}

/* Another unit's job was deleted, and the service was never heard of: it may have hung on it. */
static void judge_cycle(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *skip = evidence_first(evidence, "init.cycle-skip");
    const struct hit *found = evidence_first(evidence, "init.cycle-found");
    if (skip == NULL || evidence_count(evidence, "init.ordering-cycle") > 0 ||
        stage_reached(evidence, STAGE_UNIT_STARTED))
        return;
    const char *unit = skip->captures[0] != NULL ? skip->captures[0] : skip->captures[1];
    bool own = unit != NULL && unit_is_service(unit, &evidence->record->service);
    struct finding *finding = findings_add(findings, "init.cycle", "init.ordering-cycle",
                                           SEVERITY_ERROR, own ? 0.93 : 0.6);
    finding_say(finding, "systemd deleted the start job of %s to break an ordering cycle%s",
                unit != NULL ? unit : "a unit", own ? "" : ", and the service was never started");
    finding_hit(finding, skip);
    if (found != NULL)
        finding_hit(finding, found);
}

static void run(const struct evidence *evidence, struct findings *findings)
{
    judge_setup(evidence, findings);
    judge_resources(evidence, findings);
    judge_condition(evidence, findings);
    judge_dropped(evidence, findings);
    judge_result(evidence, findings);
    judge_early_signs(evidence, findings);
    judge_cycle(evidence, findings);
}

const struct analyzer analyzer_unit_fate = {
    .name = "unit",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .run = run,
};
