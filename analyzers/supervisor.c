/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervisor: the script that the unit runs: whether it could be run, what its shell says, and what
 * it says of its children. Also known by their words: supervisord, pm2, runit, s6, tini.
 *
 * Sources of the wording: bash 4.4 to 5.3, dash 0.5, busybox ash 1.35, zsh 5.9, coreutils 8 and 9;
 * systemd 245 to 257 (src/core/execute.c, exec-invoke.c, exec_command); supervisor 4
 * (process.py), pm2 5 (God.js), runit 2.1 (runsv.c), s6 2.11 (s6-supervise.c), tini 0.19.
 */
#include "analyzers/analyzer.h"
#include "analyzers/script.h"

/* "start-all.sh: line 12: ", "start-all.sh: 12: " (dash), "start-all.sh:12: " (zsh). */
#define OWN_LINE "%{SUPERVISOR}:(?: [\\w.]+:)? ?(?:line )?(\\d+): "
/* The same of any script; its name is not captured. */
#define ANY_LINE                                                                                   \
    "^(?:\\S*/)?(?!init:|local|functions|%{SUPERVISOR})[\\w.+-]+:(?: [\\w.]+:)? ?(?:line "         \
    ")?(\\d+): "

static const struct rule rules[] = {
    {
        .id = "supervisor.tag",
        .milestone = "supervisor-started",
        .pattern = "^(?:\\[\\w*(?i:supervisor)\\w*\\] |(?:[\\d:.,TZ+ -]{8,40})?%{SCRIPT}: (?!line "
                   "|\\d+: ))",
        .summary = "The supervisor script runs",
        .sample = "[   12.45] start-all.sh[139]: [SUPERVISOR] Production supervisor starting...",
        .near_miss = "[   12.45] systemd[1]: Started VM Browser Supervisor.",
    },
    {
        .id = "supervisor.waiting",
        .pattern =
            "(?i)^(?:\\[[\\w-]+\\] )?(?:[\\w:., +-]+ )?(?:still )?waiting (?:for|until|on)\\b",
        .summary = "The supervisor script waits",
        .sample =
            "[   12.46] start-all.sh[139]: [SUPERVISOR] Waiting for systemd services to start...",
        .near_miss = "[   12.91] start-all.sh[143]: [WEBRTC] client awaiting an offer",
    },
    {
        .id = "supervisor.agent-pid",
        .milestone = "agent-started",
        .pattern = "(?i)^(?!.*\\b(?:died|exited|crashed|ended|killed|stopp\\w+|terminated)\\b).*"
                   "\\b(?:agent|"
                   "%{ENTRY})\\b[^\"{]{0,40}\\b(?:pid|process)\\b[:=# ]*(\\d+)",
        .summary = "The supervisor script started the agent as process $1",
        .sample = "[   12.54] start-all.sh[139]: [SUPERVISOR] OAuth agent PID: 142",
        .near_miss = "[   12.56] start-all.sh[139]: [SUPERVISOR] WebRTC server PID: 143",
    },
    {
        /* No milestone: systemd uses the same words for its own job. */
        .id = "supervisor.agent-launch",
        .pattern =
            "(?i)^(?:\\[[\\w-]+\\] )?(?:[\\w:., +-]+ )?(?:re)?(?:starting|launching|spawning|"
            "executing|exec'?ing|started|launched|spawned)\\b[^\"{]{0,40}(?:\\bagent\\b|"
            "%{ENTRY})(?!.*\\b(?:wait\\w*|when|after|before)\\b)",
        .summary = "The supervisor script starts the agent",
        .sample = "[   12.5] start-all.sh[139]: [SUPERVISOR] Starting OAuth agent and WebRTC "
                  "server...",
        .near_miss =
            "[   12.5] start-all.sh[139]: [SUPERVISOR] Starting the display, the agent waits",
    },
    {
        .id = "supervisor.child-pid",
        .pattern =
            "^(?:\\[[^\\]]*\\] |[\\d:.,TZ+ -]{8,40})?(?:[\\w.-]{1,40}: )?((?:[\\w.-]{1,40} "
            "){0,3}?[\\w.-]{1,40}?)(?: is)?"
            "(?: (?:up|running|started|restarted|spawned|launched))?,? \\(?(?:PID|pid):? (\\d+)\\)?"
            "(?: (?:started|spawned|running|up))?$",
        .summary = "The supervisor script started $1 as process $2",
        .sample = "[   12.56] start-all.sh[139]: [SUPERVISOR] WebRTC server PID: 143",
        .near_miss = "[   12.56] start-all.sh[139]: CPU: 0 PID: 104 Comm: sh",
    },
    {
        .id = "supervisor.child-died",
        .severity = SEVERITY_NOTE,
        .pattern = "^(?=.{0,400}$)(?!\\S+: \\w+ process "
                   ")(?=.*\\b(?:died|exited|crashed|terminated|ended|gone|quit)\\b)(?:.*?(?:[\\]:] "
                   "|\\d{4} "
                   "))?((?:[\\w.-]+ ){0,3}[\\w.-]+) (?:(?:has|process|unexpectedly) )*(?:\\((?:pid "
                   ")?\\d+\\) )?"
                   "(?:died|exited|crashed|terminated|ended|quit|is "
                   "gone)\\b.*(?:\\b[Pp][Ii][Dd]\\b:? ?\\d+|"
                   "[rR]estart|[rR]espawn|again|\\b(?:status|code|signal|rc)\\b)",
        .summary = "The supervisor script says that $1 died",
        .sample =
            "[   35.51] start-all.sh[120]: [SUPERVISOR] Mon Nov 23 14:34:46 UTC 2026 OAuth agent "
            "died (PID 162), restarting...",
        .near_miss = "[   12.4] systemd[1]: x.service: Main process exited, code=exited, status=1",
    },
    {
        /* supervisord and pm2 name the child behind the verb. */
        .id = "supervisor.child-exited",
        .severity = SEVERITY_NOTE,
        .pattern =
            "^.{0,60}?(?:\\bexited: ([\\w.:-]+) \\((?:exit status \\d+|terminated by [^;)]+); "
            "not expected\\)|\\bApp \\[([\\w.-]+):\\d+\\] exited with code \\[\\d+\\])",
        .summary = "The supervisor says that $1$2 died",
        .sample = "2026-11-23 15:39:08,123 WARN exited: agent (exit status 1; not expected)",
        .near_miss = "2026-11-23 15:39:08,123 INFO exited: setup (exit status 0; expected)",
    },
    {
        .id = "supervisor.gave-up",
        .severity = SEVERITY_ERROR,
        .pattern =
            "^.{0,60}?(?:\\bgave up: ([\\w.:-]+) entered FATAL state|\\bScript (\\S+) had too "
            "many unstable restarts)",
        .summary = "The supervisor gave up restarting $1$2",
        .sample = "2026-11-23 15:39:14,456 INFO gave up: agent entered FATAL state, too many start "
                  "retries too quickly",
        .near_miss =
            "2026-11-23 15:39:08,123 INFO success: agent entered RUNNING state, process has "
            "stayed up for > than 1 seconds (startsecs)",
    },
    {
        .id = "supervisor.not-located",
        .cause = "supervisor.missing",
        .severity = SEVERITY_ERROR,
        .confidence = 0.97,
        .pattern =
            "(?:(?:Failed|Unable) to locate executable '?(\\S*%{SUPERVISOR})'?: No such file|"
            "(?:^|: )(?:\\S*/)?(?:ba|da|z|k)?sh: (?:\\d+: )?(?:cannot open |can't open (?:input "
            "file: )?'?)?(\\S*%{SUPERVISOR})'?: (?:No such file|cannot open))",
        .literal = "%{SUPERVISOR}",
        .summary = "$1$2 does not exist in the guest",
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
            "(?:(?:(?:Failed|Unable) to (?:execute|locate executable) '?|spawning "
            ")(\\S*%{SUPERVISOR})"
            "'?: Permission denied|(?:^|: )(?:\\S*/)?(?:ba|da|z|k)?sh: (?:line )?(?:\\d+: )?(\\S*"
            "%{SUPERVISOR}): Permission denied)",
        .literal = ": Permission denied",
        .summary = "$1$2 may not be executed",
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
            "(\\S*%{SUPERVISOR}): .*(?:bad interpreter|cannot execute: required file not found)|"
            "spawning (\\S*%{SUPERVISOR}): Exec format)",
        .literal = "%{SUPERVISOR}",
        .summary =
            "The interpreter that the first line of $1$2$3 names does not exist in the guest",
        .sample = "[   12.455173] (t-all.sh)[123]: vm-browser-agent.service: Failed to execute "
                  "/opt/vm-browser-agent/start-all.sh: No such file or directory",
        .near_miss =
            "[   12.4] (vnc)[99]: tigervnc.service: Failed to execute /opt/vnc: No such file "
            "or directory",
    },
    {
        /* env(1) quotes as the locale wants, and shows a carriage return as \r or as itself. */
        .id = "supervisor.carriage-return",
        .cause = "supervisor.bad-interpreter",
        .severity = SEVERITY_ERROR,
        .confidence = 0.93,
        .pattern =
            "(?:bad interpreter: No such file|bad interpreter: /\\S*\\^M|\\^M: bad interpreter|"
            "env: \\W{0,3}\\w+(?:\\\\r|\\^M|\\r)\\W{0,3}: No such file|"
            "env: use -\\[v\\]S to pass options in shebang|(?:\\$'\\\\r'|\\^M): "
            "(?:command )?not found|command not found: \\^M)",
        .summary = "The script has Windows line ends, or names an interpreter that does not exist",
        .sample = "[   12.4] start-all.sh[123]: /usr/bin/env: 'bash\\r': No such file or directory",
        .near_miss = "[   12.4] start-all.sh[123]: /usr/bin/env: 'node': No such file or directory",
    },
    {
        /* The unit's own first words, before any shell: the shebang's env finds no shell. */
        .id = "supervisor.no-shell",
        .cause = "supervisor.bad-interpreter",
        .severity = SEVERITY_ERROR,
        .confidence = 0.9,
        .pattern = "env: \\W{0,3}(bash|sh|dash|ash|zsh|ksh|perl|ruby|php)\\W{0,3}: (?:No such file|"
                   "Permission denied)",
        .literal = "env: ",
        .summary = "The script wants $1, which is not in the guest",
        .sample = "[   12.4] start-all.sh[123]: /usr/bin/env: 'zsh': No such file or directory",
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
        .pattern = OWN_LINE "\\$?(\\w+): (?:unbound variable|parameter (?:null or )?not set)",
        .literal = "%{SUPERVISOR}",
        .summary = "Line $1 of the supervisor script uses $2, which is not set",
        .sample = "[   11.78] start-all.sh[123]: /opt/vm-browser-agent/start-all.sh: line 34: "
                  "VM_SESSION_ID: unbound variable",
        .near_miss = "[   11.78] start-all.sh[123]: [SUPERVISOR] SESSION_ID=<unset> DISPLAY=:1",
    },
    {
        /* A file that the script sources, or `bash -c`. */
        .id = "supervisor.unbound-elsewhere",
        .cause = "supervisor.unbound-variable",
        .severity = SEVERITY_ERROR,
        .confidence = 0.85,
        .pattern = ANY_LINE "\\$?(\\w+): (?:unbound variable|parameter (?:null or )?not set)",
        .summary = "Line $1 of a script of the service uses $2, which is not set",
        .sample = "[   11.78] start-all.sh[123]: /opt/vm-browser-agent/lib.sh: line 3: "
                  "VM_SESSION_ID: unbound variable",
        .near_miss = "[   11.78] start-all.sh[123]: /opt/vm-browser-agent/start-all.sh: line 34: "
                     "VM_SESSION_ID: unbound variable",
    },
    {
        /* ${NAME:?text}: the text is the script's own, the name in front of it is not. */
        .id = "supervisor.variable-demanded",
        .cause = "supervisor.unbound-variable",
        .severity = SEVERITY_ERROR,
        .confidence = 0.9,
        .pattern = OWN_LINE "([A-Z][A-Z0-9_]+): (?!unbound|parameter|command not|not found|No such|"
                            "Permission|readonly|is read only)(.+)",
        .literal = "%{SUPERVISOR}",
        .summary = "Line $1 of the supervisor script demands $2, which is not set: $3",
        .sample = "[   11.78] start-all.sh[123]: /opt/vm-browser-agent/start-all.sh: line 9: "
                  "SESSION_ID: must be set by the controller",
        .near_miss = "[   11.78] start-all.sh[123]: /opt/vm-browser-agent/start-all.sh: line 9: "
                     "PATH: readonly variable",
    },
    {
        .id = "supervisor.syntax-error",
        .cause = "supervisor.syntax-error",
        .severity = SEVERITY_ERROR,
        .confidence = 0.96,
        .pattern =
            OWN_LINE "((?:[sS]yntax error|unexpected (?:EOF|end of file)|unexpected \\S+ |parse "
                     "error|unmatched |[uU]nterminated quoted|conditional binary operator|"
                     "unexpected argument).*)",
        .literal = "%{SUPERVISOR}",
        .summary = "Line $1 of the supervisor script does not parse: $2",
        .sample = "[   11.78] start-all.sh[123]: /opt/vm-browser-agent/start-all.sh: line 40: "
                  "syntax error near unexpected token `fi'",
        .near_miss =
            "[   11.78] start-all.sh[123]: /opt/vm-browser-agent/start-all.sh: line 34: X: unbound "
            "variable",
    },
    {
        .id = "supervisor.syntax-elsewhere",
        .cause = "supervisor.syntax-error",
        .severity = SEVERITY_ERROR,
        .confidence = 0.82,
        .pattern = ANY_LINE "((?:[sS]yntax error|unexpected (?:EOF|end of file)|parse error near|"
                            "unmatched ).*)",
        .summary = "Line $1 of a script of the service does not parse: $2",
        .sample = "[   11.78] start-all.sh[123]: /etc/vm-browser/env: line 4: unexpected EOF while "
                  "looking for matching `\"'",
        .near_miss = "[   11.78] start-all.sh[123]: config: line 4 has a syntax error",
    },
    {
        /* Whether the script ended by it, script.c sees. */
        .id = "supervisor.command-failed",
        .cause = "supervisor.command-failed",
        .severity = SEVERITY_ERROR,
        .confidence = 0.65,
        .pattern =
            "%{SUPERVISOR}:(?: [\\w.]+:)? ?(?:line )?(\\d+): "
            "(?=.{0,600}$)(?!.*\\b(?:node|nodejs|python3?|java|deno|bun)['\"]?(?:: |$))(?!"
            "\\s*\\$'\\\\r')(.*?(?:command not found|not found|[nN]o such file(?: or directory)?|"
            "[pP]ermission denied|Is a directory|Not a directory|cannot execute|Exec format "
            "error|can't (?:cd to|open|create)|cannot (?:open|create)|invalid option|Illegal "
            "option|bad option|illegal option|read-?only variable|is read only|division by "
            "0|bad substitution|Bad substitution|numeric argument required|integer "
            "expression expected|too many arguments|No space left|ambiguous redirect|"
            "Cannot allocate memory|Resource temporarily unavailable).*)$",
        .literal = "%{SUPERVISOR}",
        .summary = "Line $1 of the supervisor script failed: $2",
        .sample =
            "[   11.78] start-all.sh[123]: /opt/vm-browser-agent/start-all.sh: line 21: xdpyinfo: "
            "command not found",
        .near_miss =
            "[   11.78] start-all.sh[123]: /opt/vm-browser-agent/start-all.sh: line 22: node: "
            "command not found",
    },
    {
        /* A trap on ERR that says where. */
        .id = "supervisor.error-trap",
        .cause = "supervisor.command-failed",
        .severity = SEVERITY_ERROR,
        .confidence = 0.7,
        .pattern =
            "(?i)^(?:\\[[\\w-]+\\] )?(?:.{0,40} )?(?:error|failed|failure|aborted|abort|exit\\w*)"
            "\\b.{0,60}\\b(?:at|on|in|near) line:? ?(\\d+)\\b",
        .summary = "The supervisor script says that its line $1 failed",
        .sample = "[   11.7] start-all.sh[123]: [SUPERVISOR] error at line 34: false (status 1)",
        .near_miss = "[   11.7] start-all.sh[123]: [SUPERVISOR] reading line 34",
    },
    {
        /* Atomic, so that a line full of children costs no more than its length. */
        .id = "supervisor.stops-all",
        .severity = SEVERITY_NOTE,
        .pattern =
            "(?i)^(?=.{0,400}$)(?:(?>.*?\\b(?:child(?:ren)?|service|process|program|component|"
            "server|worker|"
            "one)\\b)(?>.*?\\b(?:exited|died|ended|stopped|failed|crashed|terminated|gone)\\b)"
            ".*\\b(?:stopp?|kill|terminat|shutt?|tear)\\w* (?:\\w+ )?(?:all|every|the (?:other|"
            "rest|remaining)|others|agent|container)"
            "|.*\\b(?:stopping|killing|terminating|shutting down) (?:all|every\\w*|the (?:others?"
            "|rest)|others)\\b.*\\b(?:because|since|as|after)\\b.*\\b(?:exited|died|ended|failed|"
            "crashed|gone)\\b|(?>.*?\\b(?:exited|died|ended|failed|crashed|gone)\\b)[^,;]{0,60}[,;]"
            " "
            "(?:so )?(?:stopp|kill|terminat|shutt|tear)\\w* (?:\\w+ )?(?:the )?agent\\b)",
        .summary = "The supervisor script stops everything because one child ended",
        .sample = "[   20.1] start-all.sh[123]: [SUPERVISOR] One child exited; stopping all",
        .near_miss =
            "[   20.1] start-all.sh[123]: [SUPERVISOR] WebRTC server died (PID 9), restarting...",
    },
};

const struct analyzer analyzer_supervisor = {
    .name = "supervisor",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .run = script_judge,
};
