/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent: the program that must answer: what its runtime says when it dies, whether and where it
 * listens, and how often the supervisor restarted it.
 *
 * Sources of the wording: Node.js 12 to 22 (lib/internal/modules, V8), Python 3, glibc 2.36
 * (ld.so), bash 5.2, Linux (arch/x86/mm/fault.c, arch/x86/kernel/traps.c).
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "analyzers/analyzer.h"
#include "analyzers/stage.h"
#include "analyzers/unit.h"

#define CAUSE(c, p) .cause = (c), .severity = SEVERITY_ERROR, .confidence = (p)

static const struct rule rules[] = {
    {
        .id = "agent.ready",
        .milestone = "agent-listening",
        .pattern = "%{READY}",
        .summary = "The agent says that it listens",
        .sample = "[   15.74] start-all.sh[142]: {\"level\":\"info\",\"msg\":\"VM Browser Agent "
                  "started\",\"port\":8080,\"vmIP\":\"10.0.2.15\"}",
        .near_miss =
            "[   12.09] systemd[1]: Started vm-browser-agent.service - VM Browser OAuth Agent.",
    },
    {
        .id = "agent.listening",
        .milestone = "agent-listening",
        .pattern = "^(?!.*(?:\\bE[A-Z]{4,}\\b|[eE]rror|[fF]ail|in use|[cC]annot|not "
                   ")).*\\b[lL]isten(?:ing|s)?\\b"
                   ".*?(?::|\\bport ?[:=]? ?)%{PORT}",
        .literal = "isten",
        .summary = "The agent says that it listens",
        .sample = "[   15.74] start-all.sh[142]: HTTP server listening on 0.0.0.0:8080",
        .near_miss =
            "[   15.74] start-all.sh[142]: Error: listen EADDRINUSE: address already in use "
            "0.0.0.0:8080",
    },
    {
        .id = "agent.ready-with-address",
        .milestone = "address-acquired",
        .pattern = "^(?=.*%{READY}).*\"(?:vmIP|vm_ip|ip|address)\": ?\"(?!127\\.|0\\.)(%{IP})\"",
        .literal = "\":",
        .summary = "The agent listens and knows its address, $1",
        .sample = "[   15.74] start-all.sh[142]: {\"level\":\"info\",\"msg\":\"VM Browser Agent "
                  "started\",\"port\":8080,\"vmIP\":\"10.0.2.15\"}",
        .near_miss = "[   15.74] start-all.sh[142]: {\"level\":\"info\",\"msg\":\"VM Browser Agent "
                     "started\",\"port\":8080,\"vmIP\":\"localhost\"}",
    },
    {
        .id = "agent.ready-without-address",
        .severity = SEVERITY_ERROR,
        .pattern =
            "^(?=.*%{READY}).*\"(?:vmIP|vm_ip|ip|address)\": ?(?:\"(?:localhost|127\\.[\\d.]+|"
            "undefined|unknown|)\"|null)",
        .summary = "The agent listens, but the guest has no address",
        .sample = "[   15.74] start-all.sh[142]: {\"level\":\"info\",\"msg\":\"VM Browser Agent "
                  "started\",\"port\":8080,\"vmIP\":\"localhost\"}",
        .near_miss = "[   15.74] start-all.sh[142]: {\"level\":\"info\",\"msg\":\"VM Browser Agent "
                     "started\",\"port\":8080,\"vmIP\":\"10.0.2.15\"}",
    },
    {
        .id = "agent.other-port",
        CAUSE("agent.wrong-port", 0.93),
        .pattern = "^(?=.*%{READY}).*\\bport\"?[:= ]+(?!%{PORT})(\\d+)",
        .literal = "port",
        .summary = "The agent listens on port $1, which is not the one that is probed",
        .sample = "[   15.74] start-all.sh[142]: {\"level\":\"info\",\"msg\":\"VM Browser Agent "
                  "started\",\"port\":8081,\"vmIP\":\"10.0.2.15\"}",
        .near_miss = "[   15.74] start-all.sh[142]: {\"level\":\"info\",\"msg\":\"VM Browser Agent "
                     "started\",\"port\":8080,\"vmIP\":\"10.0.2.15\"}",
    },
    {
        .id = "agent.loopback",
        CAUSE("agent.bind-loopback", 0.88),
        .pattern =
            "(?i)(?:listening|bound|\"(?:host|bind|listen)\": ?\").*?(?:127\\.0\\.0\\.1|localhost|"
            "\\[::1\\])",
        .summary = "The agent listens on loopback only",
        .sample = "[   15.74] start-all.sh[142]: HTTP server listening on 127.0.0.1:8080",
        .near_miss = "[   15.74] start-all.sh[142]: HTTP server listening on 0.0.0.0:8080",
    },
    {
        .id = "agent.entry-not-found",
        CAUSE("agent.script-missing", 0.95),
        .pattern =
            "Cannot find module '((?:[^']*/)?%{ENTRY})'|can't open file '(?:[^']*/)?%{ENTRY}'",
        .literal = "%{ENTRY}",
        .summary = "The agent's entry file $1 does not exist",
        .sample = "[   14.1] start-all.sh[142]: Error: Cannot find module "
                  "'/opt/vm-browser-agent/server.js'",
        .near_miss = "[   33.21] start-all.sh[162]: Error: Cannot find module 'session-store'",
    },
    {
        .id = "agent.module-not-found",
        CAUSE("agent.module-missing", 0.97),
        .pattern = "Cannot find (?:module|package) '(?!(?:[^']*/)?%{ENTRY}')([^']+)'",
        .literal = "Cannot find ",
        .summary = "The agent needs the module $1, which is not installed",
        .sample = "[   33.210484] start-all.sh[162]: Error: Cannot find module 'session-store'",
        .near_miss = "[   14.1] start-all.sh[142]: Error: Cannot find module "
                     "'/opt/vm-browser-agent/server.js'",
    },
    {
        .id = "agent.python-module-not-found",
        CAUSE("agent.module-missing", 0.96),
        .pattern = "^ModuleNotFoundError: No module named '([^']+)'",
        .literal = "ModuleNotFoundError: ",
        .summary = "The agent needs the module $1, which is not installed",
        .sample = "[   33.2] run.sh[162]: ModuleNotFoundError: No module named 'flask'",
        .near_miss = "[   33.2] run.sh[162]: except ModuleNotFoundError: pass",
    },
    {
        .id = "agent.require-stack",
        .pattern = "^Require stack:$",
        .literal = "Require stack:",
        .summary = "The missing module was required by another file",
        .sample = "[   33.211096] start-all.sh[162]: Require stack:",
        .near_miss = "[   33.246969] start-all.sh[162]:   requireStack: []",
    },
    {
        .id = "agent.new-syntax",
        CAUSE("agent.runtime-incompatible", 0.85),
        .pattern = "^SyntaxError: (?:Unexpected token "
                   "'?(?:\\?|\\.|\\?\\?|\\?\\?=|\\|\\|=|&&=|=|#|\\?\\.)'?$|"
                   "Numeric separators are not|Unexpected private|await is only valid)",
        .literal = "SyntaxError: ",
        .summary = "The agent's code uses syntax that this runtime does not know",
        .sample = "[   14.1] start-all.sh[142]: SyntaxError: Unexpected token '?'",
        .near_miss = "[   14.1] start-all.sh[142]: SyntaxError: Unexpected end of input",
    },
    {
        .id = "agent.runtime-version",
        CAUSE("agent.runtime-incompatible", 0.92),
        .pattern =
            "(?i)(?:Unsupported engine|engine \"?node\"? is incompatible|was compiled against a "
            "different Node\\.js version|requires? (?:a )?node(?:\\.js)? ?(?:version )?(?:>|v?\\d)|"
            "unsupported node(?:\\.js)? version)",
        .summary = "The agent needs another version of its runtime",
        .sample =
            "[   14.1] start-all.sh[142]: Error: agent requires Node.js >= 18, this is v12.22.9",
        .near_miss = "[   14.1] start-all.sh[142]: Node.js v18.20.4",
    },
    {
        .id = "agent.runtime-not-found",
        CAUSE("agent.runtime-missing", 0.95),
        .pattern =
            "(?:^|[\\s:/'\"])(node|nodejs|python3?|java|deno|bun)['\"]?: (?:command not found|not "
            "found|No such file or directory|Permission denied|cannot execute)",
        .summary = "The agent's runtime, $1, cannot be run",
        .sample = "[   14.1] start-all.sh[139]: /opt/vm-browser-agent/start-all.sh: line 22: node: "
                  "command "
                  "not found",
        .near_miss =
            "[   14.1] start-all.sh[139]: /opt/vm-browser-agent/start-all.sh: line 22: xdpyinfo: "
            "command not found",
    },
    {
        .id = "agent.library-not-found",
        CAUSE("agent.library-missing", 0.95),
        .pattern = "(\\S+): error while loading shared libraries: (.+)",
        .literal = "error while loading shared libraries: ",
        .summary = "$1 cannot start, a shared library is missing: $2",
        .sample = "[   14.1] start-all.sh[142]: node: error while loading shared libraries: "
                  "libnode.so.108: "
                  "cannot open shared object file: No such file or directory",
        .near_miss = "[   14.1] start-all.sh[142]: loaded shared libraries",
    },
    {
        .id = "agent.library-version",
        CAUSE("agent.library-missing", 0.95),
        .pattern = "(\\S+): \\S+: version `?(\\S+?)' not found",
        .literal = "' not found",
        .summary = "$1 cannot start: the image's libraries have no version $2",
        .sample = "[   14.1] start-all.sh[142]: node: /lib/x86_64-linux-gnu/libc.so.6: version "
                  "`GLIBC_2.38' not found (required by node)",
        .near_miss = "[   14.1] start-all.sh[142]: Error: profile 'x' not found",
    },
    {
        .id = "agent.setting-missing",
        CAUSE("agent.config-missing", 0.85),
        .pattern = "\\b(?!XDG_|DBUS_|LC_)([A-Z][A-Z0-9]*_[A-Z0-9_]+)\\b(?: \\w+){0,2} (?:is "
                   ")?(?:required|not set|must be "
                   "set|missing|undefined|not defined)|[mM]issing (?:required )?(?:environment "
                   "variable|env|config\\w*|setting|option)\\S* ?:? ?(\\S+)",
        .summary = "The agent needs the setting $1$2, which is absent",
        .sample =
            "[   14.1] start-all.sh[142]: {\"level\":\"error\",\"msg\":\"SESSION_ID environment "
            "variable required\"}",
        .near_miss = "[   12.46] start-all.sh[139]: [SUPERVISOR] SESSION_ID=<unset> DISPLAY=:1",
    },
    {
        .id = "agent.port-taken",
        CAUSE("agent.port-in-use", 0.95),
        .pattern = "EADDRINUSE(?!.*:(?!%{PORT})\\d{2,5}\\b)",
        .literal = "EADDRINUSE",
        .summary = "The agent's port is already taken in the guest",
        .sample = "[   15.7] start-all.sh[142]: Error: listen EADDRINUSE: address already in use "
                  "0.0.0.0:8080",
        .near_miss =
            "[   15.7] start-all.sh[142]: Error: listen EADDRINUSE: address already in use "
            "0.0.0.0:5901",
    },
    {
        .id = "agent.address-in-use",
        CAUSE("agent.port-in-use", 0.93),
        .pattern = "^(?!.*EADDRINUSE).*[aA]ddress already in use(?!.*:(?!%{PORT})\\d{2,5}\\b)",
        .literal = "ddress already in use",
        .summary = "The agent's port is already taken in the guest",
        .sample = "[   15.7] run.sh[142]: OSError: [Errno 98] Address already in use",
        .near_miss = "[   15.7] run.sh[142]: bind to 0.0.0.0:5901: Address already in use :5901",
    },
    {
        .id = "agent.bind-refused",
        CAUSE("agent.bind-denied", 0.95),
        .pattern =
            "^(?=.*\\b(EACCES|EADDRNOTAVAIL|EPERM)\\b)(?!.*\\bconnect\\b).*\\b(?:listen|bind)\\b",
        .summary = "The agent may not bind its address: $1",
        .sample = "[   15.7] start-all.sh[142]: Error: listen EACCES: permission denied 0.0.0.0:80",
        .near_miss = "[   15.7] start-all.sh[142]: Error: connect EACCES 10.0.0.1:80",
    },
    {
        .id = "agent.heap-exhausted",
        CAUSE("agent.out-of-memory", 0.95),
        .pattern = "JavaScript heap out of memory|^FATAL ERROR: .*Allocation failed|^MemoryError|"
                   "java\\.lang\\.OutOfMemoryError",
        .summary = "The agent ran out of memory",
        .sample =
            "[   19.1] start-all.sh[142]: FATAL ERROR: Reached heap limit Allocation failed - "
            "JavaScript heap out of memory",
        .near_miss = "[   19.1] start-all.sh[142]: heap used: 40 MB",
    },
    {
        .id = "agent.error",
        CAUSE("agent.exception", 0.85),
        .pattern =
            "^(?:Uncaught )?((?!ModuleNotFoundError)[A-Z]\\w*(?:Error|Exception)(?: \\[\\w+\\])?: "
            "(?!Cannot "
            "find (?:module|package)|listen E|bind E).+|Error(?: \\[\\w+\\])?: (?!Cannot find "
            "(?:module|package)|listen E|bind E).+)",
        .summary = "The agent died of an exception: $1",
        .sample = "[   33.610311] start-all.sh[165]: TypeError: Cannot read properties of "
                  "undefined (reading "
                  "'set')",
        .near_miss = "[   33.210484] start-all.sh[162]: Error: Cannot find module 'session-store'",
    },
    {
        .id = "agent.unhandled-rejection",
        CAUSE("agent.exception", 0.8),
        .pattern =
            "^\\[UnhandledPromiseRejection|UnhandledPromiseRejectionWarning|unhandled (?:promise )?"
            "rejection|uncaughtException",
        .summary = "The agent died of an unhandled rejection",
        .sample =
            "[   15.1] start-all.sh[142]: [UnhandledPromiseRejection: This error originated either "
            "by throwing inside of an async function",
        .near_miss = "[   15.1] start-all.sh[142]: promise handled",
    },
    {
        .id = "agent.traceback",
        CAUSE("agent.exception", 0.75),
        .pattern = "^Traceback \\(most recent call last\\)|^Exception in thread \"|^panic: |thread "
                   "'[^']*' "
                   "panicked at",
        .summary = "The agent died of an exception",
        .sample = "[   15.1] start-all.sh[142]: Traceback (most recent call last):",
        .near_miss = "[   15.1] start-all.sh[142]: Traceback of requests is off",
    },
    {
        .id = "agent.runtime-exit",
        .severity = SEVERITY_NOTE,
        .pattern = "^Node\\.js v\\d+\\.",
        .literal = "Node.js v",
        .summary = "Node.js ended after an uncaught error",
        .sample = "[   33.642135] start-all.sh[165]: Node.js v18.20.4",
        .near_miss = "[   33.6] start-all.sh[165]: using Node.js v18.20.4",
    },
    {
        .id = "agent.killed-by-signal",
        CAUSE("agent.killed", 0.85),
        .pattern =
            "%{SUPERVISOR}: line \\d+:\\s+\\d+ (Segmentation fault|Aborted|Killed|Bus error)",
        .literal = "%{SUPERVISOR}",
        .summary = "A child of the supervisor script died of a signal: $1",
        .sample = "[   15.1] start-all.sh[139]: /opt/vm-browser-agent/start-all.sh: line 22:   142 "
                  "Segmentation fault      node server.js",
        .near_miss = "[   15.1] start-all.sh[139]: /opt/vm-browser-agent/start-all.sh: line 22: "
                     "Segmentation",
    },
    {
        .id = "agent.segfault",
        CAUSE("agent.killed", 0.7),
        .pattern = "^segfault at [0-9a-f]+ ip [0-9a-f]+",
        .literal = "segfault at ",
        .summary = "A program of the agent crashed with a segmentation fault",
        .sample = "[   15.1] node[142]: segfault at 0 ip 00007f0 sp 00007ffc error 4 in libc.so.6",
        .near_miss = "[   15.1] app[142]: no segfault at all",
    },
    {
        .id = "agent.illegal-instruction",
        CAUSE("agent.runtime-incompatible", 0.85),
        .pattern =
            "^traps: (?:node|nodejs|MainThread|python3?)\\S* trap invalid opcode|\\d+ Illegal "
            "instruction",
        .summary = "The runtime uses instructions that this CPU does not have",
        .sample = "[   15.1] traps: node[142] trap invalid opcode ip:55 sp:7ffc error:0 in node",
        .near_miss = "[   15.1] traps: other[142] trap invalid opcode ip:55 sp:7ffc error:0",
    },
    {
        .id = "agent.certificate-time",
        CAUSE("agent.clock-skew", 0.85),
        .pattern = "certificate is not yet valid|CERT_NOT_YET_VALID|[cC]lock skew",
        .summary = "The guest's clock is wrong: a certificate is not valid yet",
        .sample = "[   15.1] start-all.sh[142]: Error: certificate is not yet valid",
        .near_miss = "[   15.1] start-all.sh[142]: Error: certificate has expired",
    },
};

enum { STUCK_MS = 10 * 1000 };

static bool is_agent_name(const char *name, const struct service *service)
{
    return strcasestr(name, "agent") || strcasestr(name, service->entry) ||
           strcasecmp(name, "node") == 0;
}

/* Deaths of the agent; those of its companions are normal. */
static uint32_t count_deaths(const struct evidence *evidence, const struct hit **ret_last)
{
    uint32_t n = 0;
    *ret_last = NULL;
    for (const struct hit *hit = evidence_next(evidence, "supervisor.child-died", NULL); hit;
         hit = evidence_next(evidence, "supervisor.child-died", hit)) {
        if (!hit->captures[0] || !is_agent_name(hit->captures[0], &evidence->record->service))
            continue;
        n++;
        *ret_last = hit;
    }
    return n;
}

static uint32_t count_unit_restarts(const struct evidence *evidence, const struct hit **ret_last)
{
    uint32_t n = 0;
    *ret_last = NULL;
    for (const struct hit *hit = evidence_next(evidence, "init.restart-counter", NULL); hit;
         hit = evidence_next(evidence, "init.restart-counter", hit)) {
        if (!hit->captures[0] || !unit_is_service(hit->captures[0], &evidence->record->service))
            continue;
        n++;
        *ret_last = hit;
    }
    return n;
}

static void judge_crash_loop(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *death, *restart;
    uint32_t deaths = count_deaths(evidence, &death);
    uint32_t restarts = count_unit_restarts(evidence, &restart);
    if (deaths + restarts == 0)
        return;
    bool loop = deaths >= 2 || restarts >= 2;
    struct finding *finding = findings_add(findings, "agent.deaths", "agent.crash-loop",
                                           SEVERITY_ERROR, loop ? 0.6 : 0.4);
    if (deaths > 0)
        finding_say(finding, "The agent died %u time%s", deaths, deaths == 1 ? "" : "s");
    else
        finding_say(finding, "systemd restarted %s %u time%s", evidence->record->service.unit,
                    restarts, restarts == 1 ? "" : "s");
    finding->count = deaths > 0 ? deaths : restarts;
    finding_hit(finding, death ? death : restart);
}

static void judge_hung(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *started = evidence_last(evidence, "supervisor.agent-pid"), *unused;
    if (!started || started->near_ms < 0 || !evidence_window_closed(evidence) ||
        evidence_reached(evidence, stage_id(STAGE_AGENT_LISTENING)) ||
        count_deaths(evidence, &unused) > 0 || count_unit_restarts(evidence, &unused) > 0)
        return;
    int64_t waited_ms = evidence_end_ms(evidence) - started->near_ms;
    int64_t limit_ms =
        stage_patience_ms(evidence, STAGE_AGENT_STARTED, STAGE_AGENT_LISTENING, STUCK_MS);
    if (waited_ms < limit_ms)
        return;
    struct finding *finding =
        findings_add(findings, "agent.silent", "agent.hung", SEVERITY_ERROR, 0.85);
    finding_say(finding,
                "The agent was started, lives, and did not listen within the %.0f s that were left",
                (double)waited_ms / 1000);
    finding_hit(finding, started);
    if (evidence->last_line.line > started->line && !strstr(evidence->last_line.text, " login:"))
        finding_quote(finding, &evidence->last_line);
}

static void judge_oom_victim(const struct evidence *evidence, struct findings *findings)
{
    static const char *const runtimes[] = {"node", "nodejs", "MainThread", "python3", "java"};
    const struct hit *hit = evidence_last(evidence, "kernel.oom-kill");
    if (!hit || !hit->captures[0])
        return;
    bool agent = strstr(hit->text, evidence->record->service.unit) != NULL;
    for (size_t i = 0; i < sizeof(runtimes) / sizeof(runtimes[0]); i++)
        agent |= strcmp(hit->captures[0], runtimes[i]) == 0;
    struct finding *finding = findings_add(findings, "agent.oom-victim",
                                           agent ? "agent.out-of-memory" : "kernel.out-of-memory",
                                           SEVERITY_ERROR, agent ? 0.93 : 0.65);
    finding_say(finding, "The guest ran out of memory, and the kernel killed %s%s",
                hit->captures[0], agent ? ", the agent's runtime" : "");
    finding_hit(finding, hit);
}

static void run(const struct evidence *evidence, struct findings *findings)
{
    judge_oom_victim(evidence, findings);
    judge_crash_loop(evidence, findings);
    judge_hung(evidence, findings);
}

const struct analyzer analyzer_agent = {"agent", rules, sizeof(rules) / sizeof(rules[0]), run};
