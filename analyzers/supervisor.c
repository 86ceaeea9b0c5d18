/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervisor: the script that the unit runs: whether it could be run, what its shell says, and
 * whether it got as far as starting the agent.
 *
 * Sources of the wording: bash 5.2, dash 0.5.12, busybox ash 1.35; systemd 245 to 257
 * (src/core/exec-*.c).
 */
#include <string.h>

#include "analyzers/analyzer.h"
#include "analyzers/jobs.h"
#include "analyzers/stage.h"
#include "analyzers/unit.h"
#include "analyzers/unit_exit.h"

static const struct rule rules[] = {
    {
        .id = "supervisor.tag",
        .milestone = "supervisor-started",
        .pattern = "^\\[\\w*(?i:supervisor)\\w*\\] ",
        .summary = "The supervisor script runs",
        .sample = "[   12.45] start-all.sh[139]: [SUPERVISOR] Production supervisor starting...",
        .near_miss = "[   12.45] systemd[1]: Started VM Browser Supervisor.",
    },
    {
        .id = "supervisor.waiting",
        .pattern = "^\\[\\w*(?i:supervisor)\\w*\\] .*\\b[wW]aiting\\b",
        .summary = "The supervisor script waits",
        .sample =
            "[   12.46] start-all.sh[139]: [SUPERVISOR] Waiting for systemd services to start...",
        .near_miss = "[   12.91] start-all.sh[143]: [WEBRTC] waiting for an offer",
    },
    {
        .id = "supervisor.agent-pid",
        .milestone = "agent-started",
        .pattern =
            "(?i)^(?!.*\\b(?:died|exited|crashed|ended|killed|stopp\\w+)\\b).*\\b(?:agent|%{ENTRY})"
            "\\b[^\"{]{0,40}\\bpid\\b[:= ]*(\\d+)",
        .summary = "The supervisor script started the agent as process $1",
        .sample = "[   12.54] start-all.sh[139]: [SUPERVISOR] OAuth agent PID: 142",
        .near_miss = "[   12.56] start-all.sh[139]: [SUPERVISOR] WebRTC server PID: 143",
    },
    {
        .id = "supervisor.child-pid",
        .pattern =
            "^(?:\\[[^\\]]*\\] )?((?:[\\w.-]+ ){0,3}[\\w.-]+) (?:restarted \\()?PID: (\\d+)\\)?$",
        .literal = "PID: ",
        .summary = "The supervisor script started $1 as process $2",
        .sample = "[   12.56] start-all.sh[139]: [SUPERVISOR] WebRTC server PID: 143",
        .near_miss = "[   12.56] start-all.sh[139]: CPU: 0 PID: 104 Comm: sh",
    },
    {
        .id = "supervisor.child-died",
        .severity = SEVERITY_NOTE,
        .pattern =
            "^(?=.*\\b(?:died|exited|crashed|terminated|ended|gone)\\b)(?:.*?(?:[\\]:] |\\d{4} "
            "))?((?:[\\w.-]+ ){0,3}[\\w.-]+) (?:has )?(?:died|exited|crashed|terminated|ended|is "
            "gone)\\b.*(?:\\b[Pp][Ii][Dd]\\b:? ?\\d+|[rR]estart)",
        .summary = "The supervisor script says that $1 died",
        .sample =
            "[   35.51] start-all.sh[120]: [SUPERVISOR] Mon Nov 23 14:34:46 UTC 2026 OAuth agent "
            "died (PID 162), restarting...",
        .near_miss = "[   12.4] systemd[1]: x.service: Main process exited, code=exited, status=1",
    },
    {
        .id = "supervisor.not-located",
        .cause = "supervisor.missing",
        .severity = SEVERITY_ERROR,
        .confidence = 0.97,
        .pattern = "(?:Failed|Unable) to locate executable '?(\\S*%{SUPERVISOR})'?: No such file",
        .literal = " to locate executable ",
        .summary = "$1 does not exist in the guest",
        .sample = "[   12.4] (t-all.sh)[123]: x.service: Failed to locate executable "
                  "/opt/vm-browser-agent/start-all.sh: No such file or directory",
        .near_miss =
            "[   12.4] (vnc)[99]: tigervnc.service: Failed to locate executable /opt/vnc: No "
            "such file or directory",
    },
    {
        .id = "supervisor.not-permitted",
        .cause = "supervisor.not-executable",
        .severity = SEVERITY_ERROR,
        .confidence = 0.97,
        .pattern =
            "(?:(?:Failed|Unable) to (?:execute|locate executable) '?|spawning )(\\S*%{SUPERVISOR})"
            "'?: Permission denied",
        .literal = ": Permission denied",
        .summary = "$1 may not be executed",
        .sample = "[   12.4] (t-all.sh)[123]: x.service: Failed to locate executable "
                  "/opt/vm-browser-agent/start-all.sh: Permission denied",
        .near_miss =
            "[   12.4] (vnc)[99]: tigervnc.service: Failed to execute /opt/vnc: Permission denied",
    },
    {
        .id = "supervisor.no-interpreter",
        .cause = "supervisor.bad-interpreter",
        .severity = SEVERITY_ERROR,
        .confidence = 0.96,
        .pattern =
            "(?:(?:Failed|Unable) to execute '?(\\S*%{SUPERVISOR})'?: (?:No such file|Exec format)|"
            "(\\S*%{SUPERVISOR}): .*(?:bad interpreter|cannot execute: required file not found))",
        .literal = "%{SUPERVISOR}",
        .summary = "The interpreter that the first line of $1 names does not exist in the guest",
        .sample = "[   12.455173] (t-all.sh)[123]: vm-browser-agent.service: Failed to execute "
                  "/opt/vm-browser-agent/start-all.sh: No such file or directory",
        .near_miss =
            "[   12.4] (vnc)[99]: tigervnc.service: Failed to execute /opt/vnc: No such file "
            "or directory",
    },
    {
        .id = "supervisor.carriage-return",
        .cause = "supervisor.bad-interpreter",
        .severity = SEVERITY_ERROR,
        .confidence = 0.9,
        .pattern = "(?:bad interpreter|\\^M: |env: .?\\w+(?:\\\\r|\\^M).?: No such "
                   "file|\\$'\\\\r': command not "
                   "found)",
        .summary = "The script has Windows line ends, or names an interpreter that does not exist",
        .sample = "[   12.4] start-all.sh[123]: /usr/bin/env: 'bash\\r': No such file or directory",
        .near_miss = "[   12.4] start-all.sh[123]: /usr/bin/env: 'node': No such file or directory",
    },
    {
        .id = "supervisor.spawn-failed",
        .cause = "supervisor.missing",
        .severity = SEVERITY_ERROR,
        .confidence = 0.55,
        .pattern = "Failed at step EXEC spawning (\\S*%{SUPERVISOR}): No such file",
        .literal = "Failed at step EXEC spawning ",
        .summary = "systemd could not run $1: it, or the interpreter that it names, does not exist",
        .sample = "[   12.461350] (t-all.sh)[123]: vm-browser-agent.service: Failed at step EXEC "
                  "spawning "
                  "/opt/vm-browser-agent/start-all.sh: No such file or directory",
        .near_miss =
            "[    6.6] (vnc)[99]: tigervnc.service: Failed at step EXEC spawning /opt/vnc: No "
            "such file or directory",
    },
    {
        .id = "supervisor.unbound-variable",
        .cause = "supervisor.unbound-variable",
        .severity = SEVERITY_ERROR,
        .confidence = 0.97,
        .pattern = "%{SUPERVISOR}: (?:line )?(\\d+): (\\w+): (?:unbound variable|parameter not "
                   "set|parameter "
                   "null or not set)",
        .literal = "%{SUPERVISOR}",
        .summary = "Line $1 of the supervisor script uses $2, which is not set",
        .sample = "[   11.78] start-all.sh[123]: /opt/vm-browser-agent/start-all.sh: line 34: "
                  "VM_SESSION_ID: unbound variable",
        .near_miss = "[   11.78] start-all.sh[123]: [SUPERVISOR] SESSION_ID=<unset> DISPLAY=:1",
    },
    {
        .id = "supervisor.syntax-error",
        .cause = "supervisor.syntax-error",
        .severity = SEVERITY_ERROR,
        .confidence = 0.96,
        .pattern = "%{SUPERVISOR}: (?:line )?(\\d+): ((?:[sS]yntax error|unexpected EOF).*)",
        .literal = "%{SUPERVISOR}",
        .summary = "Line $1 of the supervisor script does not parse: $2",
        .sample = "[   11.78] start-all.sh[123]: /opt/vm-browser-agent/start-all.sh: line 40: "
                  "syntax error "
                  "near unexpected token `fi'",
        .near_miss =
            "[   11.78] start-all.sh[123]: /opt/vm-browser-agent/start-all.sh: line 34: X: unbound "
            "variable",
    },
    {
        .id = "supervisor.command-failed",
        .cause = "supervisor.command-failed",
        .severity = SEVERITY_ERROR,
        .confidence = 0.65,
        .pattern = "%{SUPERVISOR}: (?:line )?(\\d+): "
                   "(?!\\S*\\b(?:node|nodejs|python3?|java|deno|bun)['\"]?:)(?!"
                   "\\s*\\$'\\\\r')(.+?): (command not found|not found|No such file or directory|"
                   "Permission denied|Is a directory|cannot execute.*|Exec format error)$",
        .literal = "%{SUPERVISOR}",
        .summary = "Line $1 of the supervisor script failed: $2: $3",
        .sample =
            "[   11.78] start-all.sh[123]: /opt/vm-browser-agent/start-all.sh: line 21: xdpyinfo: "
            "command not found",
        .near_miss =
            "[   11.78] start-all.sh[123]: /opt/vm-browser-agent/start-all.sh: line 22: node: "
            "command not found",
    },
    {
        .id = "supervisor.stops-all",
        .cause = "supervisor.kills-agent",
        .severity = SEVERITY_ERROR,
        .confidence = 0.8,
        /* Atomic, so that a line full of children costs no more than its length. */
        .pattern = "(?i)^(?>.*?\\bchild(?:ren)?\\b)(?>.*?\\b(?:exited|died|ended)\\b)"
                   ".*\\b(?:stopp|kill|terminat|shutt)\\w+ (?:down )?(?:all|every|the other|agent)",
        .summary = "The supervisor script stops everything because one child ended",
        .sample = "[   20.1] start-all.sh[123]: [SUPERVISOR] One child exited; stopping all",
        .near_miss =
            "[   20.1] start-all.sh[123]: [SUPERVISOR] WebRTC server died (PID 9), restarting...",
    },
};

static const struct hit *last_exit(const struct evidence *evidence)
{
    const struct hit *last = NULL;
    for (const struct hit *hit = evidence_next_of_service(evidence, "init.unit-exit", NULL);
         hit != NULL; hit = evidence_next_of_service(evidence, "init.unit-exit", hit))
        last = hit;
    return last;
}

static void judge_exit(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *hit = last_exit(evidence);
    const struct service *service = &evidence->record->service;
    if (hit == NULL || hit->captures[1] == NULL || hit->captures[2] == NULL)
        return;
    const char *status = hit->captures[2], *meaning = unit_exit_meaning(status);
    bool exec = strncmp(status, "203", 3) == 0;
    bool signal = strcmp(hit->captures[1], "exited") != 0;
    if (!signal && unit_exit_is_setup(status))
        return; /* the init analyzer's */
    bool spoke = stage_reached(evidence, STAGE_SUPERVISOR_STARTED);
    struct finding *finding;
    if (exec)
        finding = findings_add(findings, "supervisor.exec-status", "supervisor.missing",
                               SEVERITY_ERROR, 0.45);
    else if (signal)
        finding = findings_add(findings, "supervisor.signal", "agent.killed", SEVERITY_ERROR, 0.55);
    else if (spoke)
        finding = findings_add(findings, "supervisor.exit", "supervisor.command-failed",
                               SEVERITY_ERROR, 0.5);
    else
        finding = findings_add(findings, "supervisor.exit-without-output", "supervisor.silent-exit",
                               SEVERITY_ERROR, 0.75);
    finding_say(finding, "%s ended with status %s%s%s%s", service->supervisor, status,
                meaning != NULL ? ": " : "", meaning != NULL ? meaning : "",
                !spoke && !exec && !signal ? ", before it said anything" : "");
    if (spoke && !exec && evidence->supervisor_last.line > 0)
        finding_quote(finding, &evidence->supervisor_last);
    finding_hit(finding, hit);
}

/* The script speaks, does not end, and never gets to the agent. */
static void judge_stuck(const struct evidence *evidence, struct findings *findings)
{
    const struct quote *last = &evidence->supervisor_last;
    int64_t end_ms = evidence_end_ms(evidence);
    if (last->line == 0 || last_exit(evidence) != NULL || !evidence_window_closed(evidence) ||
        stage_reached(evidence, STAGE_AGENT_STARTED) || last->at_ms < 0)
        return;
    int64_t limit_ms = stage_patience_ms(evidence, STAGE_SUPERVISOR_STARTED, STAGE_AGENT_STARTED);
    if (end_ms - last->at_ms < limit_ms)
        return;
    struct finding *finding =
        findings_add(findings, "supervisor.stuck", "supervisor.stuck", SEVERITY_ERROR, 0.82);
    finding_say(finding, "%s said nothing more for %.0f s and never started the agent",
                evidence->record->service.supervisor, (double)(end_ms - last->at_ms) / 1000);
    finding_quote(finding, last);
}

/* Without the journal on the console neither exits nor restarts are seen there: only that nothing
 * came. */
static void judge_mute(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *started = jobs_service_started(evidence);
    bool past = stage_reached(evidence, STAGE_SUPERVISOR_STARTED) ||
                stage_reached(evidence, STAGE_AGENT_STARTED);
    if (started == NULL || past || !evidence_window_closed(evidence) || started->near_ms < 0 ||
        last_exit(evidence) != NULL)
        return;
    int64_t limit_ms = stage_patience_ms(evidence, STAGE_UNIT_STARTED, STAGE_SUPERVISOR_STARTED);
    int64_t waited_ms = evidence_end_ms(evidence) - started->near_ms;
    if (waited_ms < limit_ms)
        return;
    struct finding *finding =
        findings_add(findings, "supervisor.mute", "supervisor.silent-exit", SEVERITY_ERROR, 0.5);
    finding_say(finding, "The unit was started, and %s said nothing in the %.0f s after that",
                evidence->record->service.supervisor, (double)waited_ms / 1000);
    finding_hit(finding, started);
}

static void run(const struct evidence *evidence, struct findings *findings)
{
    judge_exit(evidence, findings);
    judge_stuck(evidence, findings);
    judge_mute(evidence, findings);
}

const struct analyzer analyzer_supervisor = {
    .name = "supervisor",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .run = run,
};
