/* SPDX-License-Identifier: Apache-2.0 */
/* What agents and their runtimes say when they do not come up: synthetic consoles of real lines. */
#include "tests/scenes.h"

#define NODE18(at, text) A(at, text) A(at, "Node.js v18.20.8")
#define SAYS(words)      JOURNAL J_AGENT A("13.2", words) J_DIED("17.1") A("18.2", words) J_DIED("22.1")
#define BARE_SAYS(words)                                                                           \
    PLAIN P_AGENT words "\r\n[SUPERVISOR] OAuth agent died (PID 142), "                            \
                        "restarting...\r\n" words "\r\n"

static const struct scene scenes[] = {
    {"module", SAYS("Error: Cannot find module 'session-store'"), 40000, "agent.module-missing",
     NULL, "session-store", NULL},
    {"module_esm",
     SAYS("Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'session-store' imported "
          "from /opt/vm-browser-agent/server.mjs"),
     40000, "agent.module-missing", NULL, NULL, NULL},
    {"exception_behind_the_prompt",
     PLAIN P_AGENT "\r\nvm login: TypeError: x is not a function\r\n    at Object.<anonymous> "
                   "(/opt/server.js:3:1)\r\nNode.js v20.19.2\r\n",
     40000, "agent.exception", NULL, NULL, NULL},
    {"module_bare", BARE_SAYS("Error: Cannot find module 'session-store'"), 40000,
     "agent.module-missing", NULL, NULL, NULL},
    {"module_python", BARE_SAYS("ModuleNotFoundError: No module named 'flask'"), 40000,
     "agent.module-missing", NULL, "flask", NULL},
    {"entry", SAYS("Error: Cannot find module '/opt/vm-browser-agent/server.js'"), 40000,
     "agent.script-missing", NULL, "server.js", NULL},
    {"entry_by_another_name",
     JOURNAL J_AGENT A("13.2", "Error: Cannot find module "
                               "'/opt/vm-browser-agent/main.js'")
         A("13.2", "  code: 'MODULE_NOT_FOUND',") A("13.2", "  requireStack: []") J_DIED("17.1"),
     40000, "agent.script-missing", "agent.module-missing", "main.js", NULL},
    {"entry_required_by_another",
     JOURNAL J_AGENT A("13.2", "Error: Cannot find module './server.js'")
         A("13.2", "Require stack:") A("13.2", "- /opt/vm-browser-agent/index.js") J_DIED("17.1"),
     40000, "agent.module-missing", "agent.script-missing", NULL, NULL},
    {"syntax_nullish", SAYS("SyntaxError: Unexpected token '?'"), 40000,
     "agent.runtime-incompatible", NULL, NULL, NULL},
    {"syntax_assignment", SAYS("SyntaxError: Unexpected token '\?\?='"), 40000,
     "agent.runtime-incompatible", NULL, NULL, NULL},
    {"syntax_import", SAYS("SyntaxError: Cannot use import statement outside a module"), 40000,
     "agent.runtime-incompatible", NULL, NULL, NULL},
    {"syntax_chaining_by_its_source",
     JOURNAL J_AGENT A("13.2", "/opt/vm-browser-agent/server.js:9")
         A("13.2", "const id = user?.id;") A("13.2", "                 ^")
             A("13.2", "SyntaxError: Unexpected token '.'") J_DIED("17.1"),
     40000, "agent.runtime-incompatible", "agent.exception", NULL, NULL},
    {"syntax_typo",
     JOURNAL J_AGENT A("13.2", "/opt/vm-browser-agent/server.js:9") A("13.2", "  console.log('x');")
         A("13.2", "         ^") NODE18("13.2", "SyntaxError: Unexpected token '.'") J_DIED("17.1"),
     40000, "agent.exception", NULL, NULL, NULL},
    {"syntax_end", SAYS("SyntaxError: Unexpected end of input"), 40000, "agent.exception", NULL,
     NULL, NULL},
    {"require_esm",
     SAYS("Error [ERR_REQUIRE_ESM]: require() of ES Module /opt/a/index.js from "
          "/opt/vm-browser-agent/server.js not supported."),
     40000, "agent.runtime-incompatible", NULL, NULL, NULL},
    {"module_version", SAYS("was compiled against a different Node.js version using"), 40000,
     "agent.runtime-incompatible", NULL, NULL, NULL},
    {"fetch", SAYS("ReferenceError: fetch is not defined"), 40000, "agent.runtime-incompatible",
     NULL, NULL, NULL},
    {"builtin", SAYS("Error [ERR_UNKNOWN_BUILTIN_MODULE]: No such built-in module: node:sqlite"),
     40000, "agent.runtime-incompatible", NULL, NULL, NULL},
    {"exception", SAYS("TypeError: Cannot read properties of undefined (reading 'set')"), 40000,
     "agent.exception", NULL, NULL, NULL},
    {"exception_12", SAYS("TypeError: Cannot read property 'set' of undefined"), 40000,
     "agent.exception", NULL, NULL, NULL},
    {"exception_own", SAYS("SessionError: no session"), 40000, "agent.exception", NULL, NULL, NULL},
    {"assertion", SAYS("AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:"),
     40000, "agent.exception", NULL, NULL, NULL},
    {"rejection",
     SAYS("[UnhandledPromiseRejection: This error originated either by throwing inside "
          "of an async function without a catch block"),
     40000, "agent.exception", NULL, NULL, NULL},
    {"thrown_text", SAYS("boom: the session store cannot be opened"), 40000, "agent.exception",
     NULL, "error of its own", NULL},
    {"fatal_in_json",
     SAYS("{\"level\":60,\"time\":1700000000000,\"pid\":142,\"msg\":\"store failed\"}"), 40000,
     "agent.exception", NULL, NULL, NULL},
    {"python",
     JOURNAL J_AGENT A("13.2", "Traceback (most recent call last):")
         A("13.2", "ValueError: bad session") J_DIED("17.1") J_DIED("22.1"),
     40000, "agent.exception", NULL, NULL, NULL},
    {"go", SAYS("panic: runtime error: invalid memory address or nil pointer dereference"), 40000,
     "agent.exception", NULL, NULL, NULL},
    {"heap",
     SAYS("FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed - "
          "JavaScript heap out of memory"),
     40000, "agent.out-of-memory", NULL, NULL, NULL},
    {"oom_victim",
     JOURNAL J_AGENT "[   20.1] Out of memory: Killed process 142 (node) "
                     "total-vm:604508kB, anon-rss:38436kB\r\n" J_DIED("22.1"),
     40000, "agent.out-of-memory", NULL, NULL, NULL},
    {"segfault",
     JOURNAL J_AGENT
     "[   13.100000] node[142]: segfault at 0 ip 00007f0c sp 00007ffc "
     "error 4 in libc.so.6[7f0c00000000+155000]\r\n" S(
         "13.2", "/opt/vm-browser-agent/start-all.sh: line 22:   142 Segmentation fault      node "
                 "server.js") J_DIED("17.1"),
     40000, "agent.killed", NULL, NULL, NULL},
    {"status_139",
     PLAIN P_AGENT "[SUPERVISOR] agent exited with status 139, restarting\r\n"
                   "[SUPERVISOR] agent exited with status 139, restarting\r\n",
     40000, "agent.killed", "agent.crash-loop", NULL, NULL},
    {"illegal",
     JOURNAL J_AGENT "[   13.100000] traps: node[142] trap invalid opcode ip:55f1 "
                     "sp:7ffc error:0 in node[55f0+2e00000]\r\n" J_DIED("17.1"),
     40000, "agent.runtime-incompatible", NULL, NULL, NULL},
    {"library",
     SAYS("node: error while loading shared libraries: libnode.so.108: cannot open shared "
          "object file: No such file or directory"),
     40000, "agent.library-missing", NULL, NULL, NULL},
    {"glibc",
     SAYS("node: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required "
          "by node)"),
     40000, "agent.library-missing", NULL, "GLIBC_2.34", NULL},
    {"symbol", SAYS("node: symbol lookup error: node: undefined symbol: SSL_get1_peer"), 40000,
     "agent.library-missing", NULL, NULL, NULL},
    {"runtime_bash", SAYS("/opt/vm-browser-agent/start-all.sh: line 22: node: command not found"),
     40000, "agent.runtime-missing", NULL, NULL, NULL},
    {"runtime_env", SAYS("env: 'node': No such file or directory"), 40000, "agent.runtime-missing",
     NULL, NULL, NULL},
    {"runtime_env_utf8",
     SAYS("/usr/bin/env: \xe2\x80\x98node\xe2\x80\x99: No such file or directory"), 40000,
     "agent.runtime-missing", NULL, NULL, NULL},
    {"runtime_exec", SAYS("/opt/vm-browser-agent/start-all.sh: 22: exec: node: not found"), 40000,
     "agent.runtime-missing", NULL, NULL, NULL},
    {"runtime_denied",
     SAYS("/opt/vm-browser-agent/start-all.sh: line 22: /usr/bin/node: Permission "
          "denied"),
     40000, "agent.runtime-missing", NULL, NULL, NULL},
    {"runtime_format",
     SAYS("/opt/vm-browser-agent/start-all.sh: line 22: /usr/bin/node: cannot "
          "execute binary file: Exec format error"),
     40000, "agent.runtime-incompatible", "supervisor.command-failed", NULL, NULL},
    {"setting", SAYS("{\"level\":\"error\",\"msg\":\"SESSION_ID environment variable required\"}"),
     40000, "agent.config-missing", NULL, "SESSION_ID", NULL},
    {"setting_thrown", SAYS("Error: Missing required environment variable: SESSION_ID"), 40000,
     "agent.config-missing", NULL, NULL, NULL},
    {"setting_python", SAYS("KeyError: 'SESSION_ID'"), 40000, "agent.config-missing", NULL,
     "SESSION_ID", NULL},
    {"config_file", SAYS("Error: ENOENT: no such file or directory, open '/etc/agent/config.json'"),
     40000, "agent.config-missing", NULL, "config.json", NULL},
    {"config_broken", SAYS("SyntaxError: /etc/agent/config.json: Unexpected end of JSON input"),
     40000, "agent.config-missing", NULL, NULL, NULL},
    {"warning_is_no_reason",
     JOURNAL J_AGENT A("13.2", "{\"level\":\"warn\",\"msg\":\"SENTRY_DSN is "
                               "not set\"}") J_READY,
     0, NULL, NULL, NULL, NULL},
    {"port_taken", SAYS("Error: listen EADDRINUSE: address already in use 0.0.0.0:8080"), 40000,
     "agent.port-in-use", NULL, NULL, NULL},
    {"port_taken_pino",
     JOURNAL J_AGENT A("13.2", "{\"level\":50,\"err\":{\"type\":\"Error\","
                               "\"message\":\"listen EADDRINUSE: address already in use "
                               ":::8080\",\"code\":\"EADDRINUSE\","
                               "\"port\":8080},\"msg\":\"server error\"}"),
     60000, "agent.port-in-use", NULL, NULL, NULL},
    {"port_taken_go", SAYS("listen tcp :8080: bind: address already in use"), 40000,
     "agent.port-in-use", NULL, NULL, NULL},
    {"bind_denied", SAYS("Error: listen EACCES: permission denied 0.0.0.0:80"), 40000,
     "agent.bind-denied", NULL, NULL, NULL},
    {"bind_address", SAYS("Error: listen EADDRNOTAVAIL: address not available 192.168.200.5:8080"),
     40000, "agent.bind-denied", NULL, NULL, NULL},
    {"bind_go", SAYS("listen tcp 192.168.200.5:8080: bind: cannot assign requested address"), 40000,
     "agent.bind-denied", NULL, NULL, NULL},
    {"bind_python", SAYS("OSError: [Errno 99] Cannot assign requested address"), 40000,
     "agent.bind-denied", NULL, NULL, NULL},
    {"loopback", JOURNAL J_AGENT A("15.7", "Server listening at http://127.0.0.1:8080"), 40000,
     "agent.bind-loopback", NULL, NULL, NULL},
    {"all_addresses", JOURNAL J_AGENT A("15.7", "Server listening at http://[::]:8080"), 0, NULL,
     NULL, NULL, NULL},
    {"localhost_may_be_a_name",
     JOURNAL J_AGENT A("15.7", "Server running at http://localhost:8080/"), 0, NULL, NULL, NULL,
     NULL},
    {"other_port", JOURNAL J_AGENT A("15.7", "Server listening on port 3000"), 40000,
     "agent.wrong-port", NULL, "3000", NULL},
    {"other_port_uvicorn",
     JOURNAL J_AGENT A("15.7", "INFO:     Uvicorn running on "
                               "http://0.0.0.0:8000 (Press CTRL+C to quit)"),
     40000, "agent.wrong-port", NULL, "8000", NULL},
    {"companions_port_is_its_own",
     JOURNAL J_AGENT "[   13.0] start-all.sh[143]: listening on port "
                     "5901\r\n" J_READY,
     0, NULL, NULL, NULL, NULL},
    {"clock", SAYS("Error: certificate is not yet valid"), 40000, "agent.clock-skew", NULL, NULL,
     NULL},
    {"clock_jwt", SAYS("JsonWebTokenError: jwt not active"), 40000, "agent.clock-skew", NULL, NULL,
     NULL},
    {"hung", JOURNAL J_AGENT LOGIN, 60000, "agent.hung", NULL, NULL, NULL},
    {"hung_while_the_companion_talks",
     JOURNAL J_AGENT "[   40.0] start-all.sh[143]: [WEBRTC] waiting for an offer\r\n"
                     "[   55.0] start-all.sh[143]: [WEBRTC] waiting for an offer\r\n",
     60000, "agent.hung", NULL, NULL, NULL},
    {"not_hung_but_busy",
     JOURNAL J_AGENT A("40.0", "migrating 10 of 12") A("55.0", "migrating 11 "
                                                               "of 12"),
     60000, "unknown", "probe.deadline-too-short", NULL, NULL},
    {"dated_fatal",
     PLAIN P_STARTED
     "2026-11-23 18:01:51 start-all: agent up, pid 319\r\n2026-11-23 "
     "18:01:53.020 FATAL config: required environment variable SESSION_ID is not set\r\n2026-11-23 "
     "18:01:56 start-all: agent exited with status 1, starting it again\r\n",
     40000, "agent.config-missing", NULL, "SESSION_ID", NULL},
    {"dated_port",
     PLAIN P_STARTED
     "2026-11-23 18:01:51 start-all: agent up, pid 319\r\n2026-11-23 "
     "18:01:53.020 FATAL http: cannot serve: listen EADDRINUSE: address already in use "
     "0.0.0.0:8080\r\n2026-11-23 18:01:56 start-all: agent exited with status 1, starting it "
     "again\r\n",
     40000, "agent.port-in-use", NULL, NULL, NULL},
    {"dated_loop",
     PLAIN P_STARTED
     "2026-11-23 18:01:51 start-all: agent up, pid 319\r\n2026-11-23 "
     "18:01:56 start-all: agent exited with status 1, starting it again\r\n2026-11-23 18:02:01 "
     "start-all: agent exited with status 1, starting it again\r\n2026-11-23 18:02:06 start-all: "
     "agent exited with status 1, starting it again\r\n",
     40000, "agent.crash-loop", NULL, NULL, NULL},
    {"dated_companion",
     PLAIN P_STARTED
     "2026-11-23 18:01:51 start-all: agent up, pid 319\r\n"
     "2026-11-23 18:01:51 start-all: webrtc up, pid 320\r\nwebrtc: TypeError: no peer\r\n"
     "2026-11-23 18:01:56 start-all: webrtc exited with status 1, starting it again\r\n"
     "{\"msg\":\"VM Browser Agent started\",\"port\":8080,\"vmIP\":\"10.0.2.15\"}\r\n",
     0, NULL, NULL, NULL, NULL},
    {"loop", JOURNAL J_AGENT J_DIED("17.1") J_DIED("22.1") J_DIED("27.1"), 40000,
     "agent.crash-loop", NULL, NULL, NULL},
};

int main(void)
{
    return run_scenes(scenes, sizeof(scenes) / sizeof(scenes[0]));
}
