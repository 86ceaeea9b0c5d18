/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent: the program that must answer: what it and its runtime say when they die. Where it listens
 * is in agent_listen.c, what its runtime cannot load in runtime.c, what it needs in agent_needs.c.
 *
 * Sources of the wording: Node.js 12 to 24 (V8), Python 3, Go, Rust, OpenJDK, bash, dash, Linux
 * (arch/x86/mm/fault.c, arch/x86/kernel/traps.c), systemd-coredump.
 */
#include "analyzers/analyzer.h"
#include "analyzers/lifetime.h"

static const struct rule rules[] = {
    {
        .id = "agent.heap-exhausted",
        .cause = "agent.out-of-memory",
        .severity = SEVERITY_ERROR,
        .confidence = 0.95,
        .pattern =
            "JavaScript heap out of memory|^FATAL ERROR: .*(?:Allocation failed|out of "
            "memory|OOM)|^# Fatal (?:javascript|process) (?:OOM|out of memory)|Fatal process out "
            "of memory|Committing semi space failed|^RangeError: Array buffer allocation "
            "failed|^MemoryError\\b|java\\.lang\\.OutOfMemoryError|^fatal error: runtime: (?:out "
            "of memory|cannot allocate)|std::bad_alloc|^memory allocation of \\d+ bytes failed",
        .summary = "The agent ran out of memory",
        .sample = "[   19.1] start-all.sh[142]: FATAL ERROR: Reached heap limit Allocation failed "
                  "- JavaScript heap out of memory",
        .near_miss = "[   19.1] start-all.sh[142]: heap used: 40 MB",
    },
    {
        .id = "agent.error",
        .cause = "agent.exception",
        .severity = SEVERITY_ERROR,
        .confidence = 0.85,
        .pattern = "^\\[?(?:Uncaught )?((?!ModuleNotFoundError)[A-Z]\\w*(?:Error|Exception)(?: "
                   "\\[\\w+\\])?: (?!Cannot find (?:module|package)|listen E|bind E).+|Error(?: "
                   "\\[\\w+\\])?: (?!Cannot find (?:module|package)|listen E|bind E).+)",
        .summary = "The agent died of an exception: $1",
        .sample = "[   33.610311] start-all.sh[165]: TypeError: Cannot read properties of "
                  "undefined (reading 'set')",
        .near_miss = "[   33.210484] start-all.sh[162]: Error: Cannot find module 'session-store'",
    },
    {
        /* Node names the place of what nobody caught on a line of its own. */
        .id = "agent.uncaught-header",
        .cause = "agent.exception",
        .severity = SEVERITY_ERROR,
        .confidence = 0.65,
        .pattern =
            "^(?:(?:file://)?/\\S+(?:\\.js|\\.mjs|\\.cjs|\\.ts|\\.tsx|\\.jsx)|node:(?!internal/"
            "modules)"
            "[\\w/]+|(?!internal/modules)[\\w/]+\\.js|undefined|<anonymous_script>|evalmachine\\."
            "<anonymous>):\\d+$",
        .summary = "The agent died of an uncaught exception",
        .sample = "[   33.6] start-all.sh[165]: /opt/vm-browser-agent/server.js:31",
        .near_miss = "[   33.6] start-all.sh[165]:     at Object.<anonymous> "
                     "(/opt/vm-browser-agent/server.js:31)",
    },
    {
        .id = "agent.unhandled-rejection",
        .cause = "agent.exception",
        .severity = SEVERITY_ERROR,
        .confidence = 0.82,
        .pattern = "^\\[?UnhandledPromiseRejection|UnhandledPromiseRejectionWarning: (?!Unhandled "
                   "promise)|ERR_UNHANDLED_REJECTION|(?i:\\bunhandled ?(?:promise "
                   "?)?rejection|uncaughtException|\\b(?:uncaught|unhandled) "
                   "(?:exception|error)\\b|\\bfatal exception\\b)",
        .summary = "The agent died of an unhandled rejection or exception",
        .sample = "[   15.1] start-all.sh[142]: [UnhandledPromiseRejection: This error originated "
                  "either by throwing inside of an async function",
        .near_miss = "[   15.1] start-all.sh[142]: promise handled",
    },
    {
        .id = "agent.traceback",
        .cause = "agent.exception",
        .severity = SEVERITY_ERROR,
        .confidence = 0.75,
        .pattern = "^Traceback \\(most recent call last\\)|^Exception in thread \\\"|^panic: "
                   "|thread '[^']*' panicked at|^Unhandled exception\\. |^fatal error: (?!runtime: "
                   ")|^\\S+\\.rb:\\d+:in |^PHP Fatal error:|^terminate called after throwing "
                   "(?!.*bad_alloc)",
        .summary = "The agent died of an exception",
        .sample = "[   15.1] start-all.sh[142]: Traceback (most recent call last):",
        .near_miss = "[   15.1] start-all.sh[142]: Traceback of requests is off",
    },
    {
        .id = "agent.logged-exception",
        .cause = "agent.exception",
        .severity = SEVERITY_ERROR,
        .confidence = 0.72,
        .pattern =
            "\"(?:level|severity)\": ?(?:\"(?i:fatal|crit\\w*|emerg\\w*|panic|alert)\"|60\\b)|"
            "\"(?:level|severity)\": ?(?:\"(?i:error)\"|50\\b).*\"(?:type|name)\": ?\"\\w*(?:Error"
            "|Exception)\"|^(?:[\\d:.,TZ+/ -]{8,40})?\\[?(?:FATAL|CRITICAL|EMERG\\w*|PANIC)\\b",
        .summary = "The agent logged an error that it does not survive",
        .sample = "[   15.1] start-all.sh[142]: "
                  "{\"level\":60,\"time\":1700000000000,\"pid\":142,\"msg\":\"cannot open the "
                  "session store\"}",
        .near_miss = "[   15.1] start-all.sh[142]: "
                     "{\"level\":30,\"time\":1700000000000,\"pid\":142,\"msg\":\"ok\"}",
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
        .confidence = 0.88,
        .pattern = "(?:%{SUPERVISOR}|bash|sh): (?:line \\d+:\\s+)?\\d+ (Segmentation "
                   "fault|Aborted|Killed|Bus error|Trace/breakpoint trap|Floating point "
                   "exception|Bad system call|CPU time limit exceeded|File size limit exceeded)",
        .summary = "A child of the supervisor script died of a signal: $1",
        .sample = "[   15.1] start-all.sh[139]: /opt/vm-browser-agent/start-all.sh: line 22:   142 "
                  "Segmentation fault      node server.js",
        .near_miss = "[   15.1] start-all.sh[139]: /opt/vm-browser-agent/start-all.sh: line 22: "
                     "Segmentation",
    },
    {
        /* dash and busybox print the word alone. */
        .id = "agent.killed-by-signal-alone",
        .cause = "agent.killed",
        .severity = SEVERITY_ERROR,
        .confidence = 0.8,
        .pattern = "^(Segmentation fault|Aborted|Killed|Bus error|Trace/breakpoint trap|Floating "
                   "point exception|Bad system call)(?: \\(core dumped\\))?$",
        .summary = "A child of the supervisor script died of a signal: $1",
        .sample = "[   15.1] start-all.sh[139]: Segmentation fault (core dumped)",
        .near_miss = "[   15.1] start-all.sh[139]: Killed all stale sessions",
    },
    {
        .id = "agent.segfault",
        .cause = "agent.killed",
        .severity = SEVERITY_ERROR,
        .confidence = 0.8,
        .pattern = "^segfault at [0-9a-f]+ ip [0-9a-f]+",
        .literal = "segfault at ",
        .summary = "A program of the agent crashed with a segmentation fault",
        .sample = "[   15.1] node[142]: segfault at 0 ip 00007f0 sp 00007ffc error 4 in libc.so.6",
        .near_miss = "[   15.1] app[142]: no segfault at all",
    },
    {
        .id = "agent.trap",
        .cause = "agent.killed",
        .severity = SEVERITY_ERROR,
        .confidence = 0.85,
        .pattern = "^traps: (?:node|nodejs|MainThread|node-MainThread|python3?|java)\\S*\\[\\d+\\] "
                   "(?:trap (?:int3|divide|stack|bounds|alignment)|general protection)",
        .literal = "traps: ",
        .summary = "The agent's runtime crashed",
        .sample = "[   15.1] traps: node[142] trap int3 ip:55f1c3b2 sp:7ffc1a2b error:0 in "
                  "node[55f1c2a00000+2e00000]",
        .near_miss =
            "[   15.1] traps: other[142] trap int3 ip:55f1c3b2 sp:7ffc1a2b error:0 in other",
    },
    {
        .id = "agent.illegal-instruction",
        .cause = "agent.runtime-incompatible",
        .severity = SEVERITY_ERROR,
        .confidence = 0.9,
        .pattern =
            "^traps: (?:node|nodejs|MainThread|node-MainThread|python3?|java)\\S*\\[\\d+\\] trap "
            "invalid opcode|\\d+ Illegal instruction|^Illegal instruction(?: \\(core dumped\\))?$",
        .summary = "The runtime uses instructions that this CPU does not have",
        .sample = "[   15.1] traps: node[142] trap invalid opcode ip:55 sp:7ffc error:0 in node",
        .near_miss = "[   15.1] traps: other[142] trap invalid opcode ip:55 sp:7ffc error:0",
    },
    {
        .id = "agent.core-dump",
        .severity = SEVERITY_NOTE,
        .pattern = "^Process \\d+ \\((node|nodejs|MainThread|node-MainThread|python3?|java)\\S*\\) "
                   "of user \\d+ (?:dumped core|terminated abnormally)",
        .summary = "$1 crashed and left a core dump",
        .sample = "[   15.1] systemd-coredump[150]: Process 142 (node) of user 0 dumped core.",
        .near_miss = "[   15.1] systemd-coredump[150]: Process 142 (Xvnc) of user 0 dumped core.",
    },
};

const struct analyzer analyzer_agent = {
    .name = "agent",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .run = lifetime_judge,
};
