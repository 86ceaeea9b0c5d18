/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent: the program that must answer: what its runtime says when it dies, and whether and where it
 * listens.
 *
 * Sources of the wording: Node.js 12 to 22 (lib/internal/modules, V8), Python 3, glibc 2.36
 * (ld.so), bash 5.2, Linux (arch/x86/mm/fault.c, arch/x86/kernel/traps.c).
 */
#include "analyzers/analyzer.h"
#include "analyzers/lifetime.h"

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
        .cause = "agent.wrong-port",
        .severity = SEVERITY_ERROR,
        .confidence = 0.93,
        .pattern = "^(?=.*%{READY}).*\\bport\"?[:= ]+(?!%{PORT})(\\d+)(?=\\D)",
        .literal = "port",
        .summary = "The agent listens on port $1, which is not the one that is probed",
        .sample = "[   15.74] start-all.sh[142]: {\"level\":\"info\",\"msg\":\"VM Browser Agent "
                  "started\",\"port\":8081,\"vmIP\":\"10.0.2.15\"}",
        .near_miss = "[   15.74] start-all.sh[142]: {\"level\":\"info\",\"msg\":\"VM Browser Agent "
                     "started\",\"port\":8080,\"vmIP\":\"10.0.2.15\"}",
    },
    {
        .id = "agent.loopback",
        .cause = "agent.bind-loopback",
        .severity = SEVERITY_ERROR,
        .confidence = 0.88,
        .pattern =
            "(?i)(?:listening|bound|\"(?:host|bind|listen)\": ?\").*?(?:127\\.0\\.0\\.1|localhost|"
            "\\[::1\\])",
        .summary = "The agent listens on loopback only",
        .sample = "[   15.74] start-all.sh[142]: HTTP server listening on 127.0.0.1:8080",
        .near_miss = "[   15.74] start-all.sh[142]: HTTP server listening on 0.0.0.0:8080",
    },
    {
        .id = "agent.entry-not-found",
        .cause = "agent.script-missing",
        .severity = SEVERITY_ERROR,
        .confidence = 0.95,
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
        .cause = "agent.module-missing",
        .severity = SEVERITY_ERROR,
        .confidence = 0.97,
        .pattern = "Cannot find (?:module|package) '(?!(?:[^']*/)?%{ENTRY}')([^']+)'",
        .literal = "Cannot find ",
        .summary = "The agent needs the module $1, which is not installed",
        .sample = "[   33.210484] start-all.sh[162]: Error: Cannot find module 'session-store'",
        .near_miss = "[   14.1] start-all.sh[142]: Error: Cannot find module "
                     "'/opt/vm-browser-agent/server.js'",
    },
    {
        .id = "agent.python-module-not-found",
        .cause = "agent.module-missing",
        .severity = SEVERITY_ERROR,
        .confidence = 0.96,
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
        .cause = "agent.runtime-incompatible",
        .severity = SEVERITY_ERROR,
        .confidence = 0.85,
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
        .cause = "agent.runtime-incompatible",
        .severity = SEVERITY_ERROR,
        .confidence = 0.92,
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
        .cause = "agent.runtime-missing",
        .severity = SEVERITY_ERROR,
        .confidence = 0.95,
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
        .cause = "agent.library-missing",
        .severity = SEVERITY_ERROR,
        .confidence = 0.95,
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
        .cause = "agent.library-missing",
        .severity = SEVERITY_ERROR,
        .confidence = 0.95,
        .pattern = "(\\S+): \\S+: version `?(\\S+?)' not found",
        .literal = "' not found",
        .summary = "$1 cannot start: the image's libraries have no version $2",
        .sample = "[   14.1] start-all.sh[142]: node: /lib/x86_64-linux-gnu/libc.so.6: version "
                  "`GLIBC_2.38' not found (required by node)",
        .near_miss = "[   14.1] start-all.sh[142]: Error: profile 'x' not found",
    },
    {
        .id = "agent.setting-missing",
        .cause = "agent.config-missing",
        .severity = SEVERITY_ERROR,
        .confidence = 0.85,
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
        .cause = "agent.port-in-use",
        .severity = SEVERITY_ERROR,
        .confidence = 0.95,
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
        .cause = "agent.port-in-use",
        .severity = SEVERITY_ERROR,
        .confidence = 0.93,
        .pattern = "^(?!.*EADDRINUSE).*[aA]ddress already in use(?!.*:(?!%{PORT})\\d{2,5}\\b)",
        .literal = "ddress already in use",
        .summary = "The agent's port is already taken in the guest",
        .sample = "[   15.7] run.sh[142]: OSError: [Errno 98] Address already in use",
        .near_miss = "[   15.7] run.sh[142]: bind to 0.0.0.0:5901: Address already in use :5901",
    },
    {
        .id = "agent.bind-refused",
        .cause = "agent.bind-denied",
        .severity = SEVERITY_ERROR,
        .confidence = 0.95,
        .pattern =
            "^(?=.*\\b(EACCES|EADDRNOTAVAIL|EPERM)\\b)(?!.*\\bconnect\\b).*\\b(?:listen|bind)\\b",
        .summary = "The agent may not bind its address: $1",
        .sample = "[   15.7] start-all.sh[142]: Error: listen EACCES: permission denied 0.0.0.0:80",
        .near_miss = "[   15.7] start-all.sh[142]: Error: connect EACCES 10.0.0.1:80",
    },
    {
        .id = "agent.heap-exhausted",
        .cause = "agent.out-of-memory",
        .severity = SEVERITY_ERROR,
        .confidence = 0.95,
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
        .cause = "agent.exception",
        .severity = SEVERITY_ERROR,
        .confidence = 0.85,
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
        .cause = "agent.exception",
        .severity = SEVERITY_ERROR,
        .confidence = 0.8,
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
        .cause = "agent.exception",
        .severity = SEVERITY_ERROR,
        .confidence = 0.75,
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
        .cause = "agent.killed",
        .severity = SEVERITY_ERROR,
        .confidence = 0.85,
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
        .cause = "agent.killed",
        .severity = SEVERITY_ERROR,
        .confidence = 0.7,
        .pattern = "^segfault at [0-9a-f]+ ip [0-9a-f]+",
        .literal = "segfault at ",
        .summary = "A program of the agent crashed with a segmentation fault",
        .sample = "[   15.1] node[142]: segfault at 0 ip 00007f0 sp 00007ffc error 4 in libc.so.6",
        .near_miss = "[   15.1] app[142]: no segfault at all",
    },
    {
        .id = "agent.illegal-instruction",
        .cause = "agent.runtime-incompatible",
        .severity = SEVERITY_ERROR,
        .confidence = 0.85,
        .pattern =
            "^traps: (?:node|nodejs|MainThread|python3?)\\S* trap invalid opcode|\\d+ Illegal "
            "instruction",
        .summary = "The runtime uses instructions that this CPU does not have",
        .sample = "[   15.1] traps: node[142] trap invalid opcode ip:55 sp:7ffc error:0 in node",
        .near_miss = "[   15.1] traps: other[142] trap invalid opcode ip:55 sp:7ffc error:0",
    },
    {
        .id = "agent.certificate-time",
        .cause = "agent.clock-skew",
        .severity = SEVERITY_ERROR,
        .confidence = 0.85,
        .pattern = "certificate is not yet valid|CERT_NOT_YET_VALID|[cC]lock skew",
        .summary = "The guest's clock is wrong: a certificate is not valid yet",
        .sample = "[   15.1] start-all.sh[142]: Error: certificate is not yet valid",
        .near_miss = "[   15.1] start-all.sh[142]: Error: certificate has expired",
    },
};

const struct analyzer analyzer_agent = {
    .name = "agent",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .run = lifetime_judge,
};
