/* SPDX-License-Identifier: Apache-2.0 */
/* What agents and their runtimes say when they do not come up: synthetic consoles of real lines. */
#include "tests/consoles.h"
#include "tests/scene.h"

#define NODE18(at, text) A(at, text) A(at, "Node.js v18.20.8")
#define SAYS(words)      JOURNAL J_AGENT A("13.2", words) J_DIED("17.1") A("18.2", words) J_DIED("22.1")
#define BARE_SAYS(words)                                                                           \
    PLAIN P_AGENT words "\r\n[SUPERVISOR] OAuth agent died (PID 142), "                            \
                        "restarting...\r\n" words "\r\n"

static const struct scene scenes[] = {
    {"module", SAYS("Error: Cannot find module 'session-store'"), 40000,
     .cause = "agent.module-missing", .says = "session-store"},
    {"module_java",
     BARE_SAYS("Exception in thread \"main\" java.lang.NoClassDefFoundError: org/slf4j/Logger"),
     40000, .cause = "agent.module-missing", .says = "org/slf4j/Logger"},
    {"module_esm",
     SAYS("Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'session-store' imported "
          "from /opt/vm-browser-agent/server.mjs"),
     40000, .cause = "agent.module-missing"},
    {"exception_behind_the_prompt",
     PLAIN P_AGENT "\r\nvm login: TypeError: x is not a function\r\n    at Object.<anonymous> "
                   "(/opt/server.js:3:1)\r\nNode.js v20.19.2\r\n",
     40000, .cause = "agent.exception"},
    {"module_bare", BARE_SAYS("Error: Cannot find module 'session-store'"), 40000,
     .cause = "agent.module-missing"},
    {"module_python", BARE_SAYS("ModuleNotFoundError: No module named 'flask'"), 40000,
     .cause = "agent.module-missing", .says = "flask"},
    {"entry", SAYS("Error: Cannot find module '/opt/vm-browser-agent/server.js'"), 40000,
     .cause = "agent.script-missing", .says = "server.js"},
    {"entry_by_another_name",
     JOURNAL J_AGENT A("13.2", "Error: Cannot find module "
                               "'/opt/vm-browser-agent/main.js'")
         A("13.2", "  code: 'MODULE_NOT_FOUND',") A("13.2", "  requireStack: []") J_DIED("17.1"),
     40000, .cause = "agent.script-missing", .accept = "agent.module-missing", .says = "main.js"},
    {"entry_required_by_another",
     JOURNAL J_AGENT A("13.2", "Error: Cannot find module './server.js'")
         A("13.2", "Require stack:") A("13.2", "- /opt/vm-browser-agent/index.js") J_DIED("17.1"),
     40000, .cause = "agent.module-missing", .accept = "agent.script-missing"},
    {"syntax_nullish", SAYS("SyntaxError: Unexpected token '?'"), 40000,
     .cause = "agent.runtime-incompatible"},
    {"syntax_assignment", SAYS("SyntaxError: Unexpected token '\?\?='"), 40000,
     .cause = "agent.runtime-incompatible"},
    {"syntax_import", SAYS("SyntaxError: Cannot use import statement outside a module"), 40000,
     .cause = "agent.runtime-incompatible"},
    {"syntax_chaining_by_its_source",
     JOURNAL J_AGENT A("13.2", "/opt/vm-browser-agent/server.js:9")
         A("13.2", "const id = user?.id;") A("13.2", "                 ^")
             A("13.2", "SyntaxError: Unexpected token '.'") J_DIED("17.1"),
     40000, .cause = "agent.runtime-incompatible", .accept = "agent.exception"},
    {"syntax_typo",
     JOURNAL J_AGENT A("13.2", "/opt/vm-browser-agent/server.js:9") A("13.2", "  console.log('x');")
         A("13.2", "         ^") NODE18("13.2", "SyntaxError: Unexpected token '.'") J_DIED("17.1"),
     40000, .cause = "agent.exception"},
    {"syntax_end", SAYS("SyntaxError: Unexpected end of input"), 40000, .cause = "agent.exception"},
    {"require_esm",
     SAYS("Error [ERR_REQUIRE_ESM]: require() of ES Module /opt/a/index.js from "
          "/opt/vm-browser-agent/server.js not supported."),
     40000, .cause = "agent.runtime-incompatible"},
    {"module_version", SAYS("was compiled against a different Node.js version using"), 40000,
     .cause = "agent.runtime-incompatible"},
    {"fetch", SAYS("ReferenceError: fetch is not defined"), 40000,
     .cause = "agent.runtime-incompatible"},
    {"builtin", SAYS("Error [ERR_UNKNOWN_BUILTIN_MODULE]: No such built-in module: node:sqlite"),
     40000, .cause = "agent.runtime-incompatible"},
    {"exception", SAYS("TypeError: Cannot read properties of undefined (reading 'set')"), 40000,
     .cause = "agent.exception"},
    {"exception_12", SAYS("TypeError: Cannot read property 'set' of undefined"), 40000,
     .cause = "agent.exception"},
    {"exception_own", SAYS("SessionError: no session"), 40000, .cause = "agent.exception"},
    {"assertion", SAYS("AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:"),
     40000, .cause = "agent.exception"},
    {"rejection",
     SAYS("[UnhandledPromiseRejection: This error originated either by throwing inside "
          "of an async function without a catch block"),
     40000, .cause = "agent.exception"},
    {"thrown_text", SAYS("boom: the session store cannot be opened"), 40000,
     .cause = "agent.exception", .says = "error of its own"},
    {"fatal_in_json",
     SAYS("{\"level\":60,\"time\":1700000000000,\"pid\":142,\"msg\":\"store failed\"}"), 40000,
     .cause = "agent.exception"},
    {"python",
     JOURNAL J_AGENT A("13.2", "Traceback (most recent call last):")
         A("13.2", "ValueError: bad session") J_DIED("17.1") J_DIED("22.1"),
     40000, .cause = "agent.exception"},
    {"go", SAYS("panic: runtime error: invalid memory address or nil pointer dereference"), 40000,
     .cause = "agent.exception"},
    {"heap",
     SAYS("FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed - "
          "JavaScript heap out of memory"),
     40000, .cause = "agent.out-of-memory"},
    {"oom_victim",
     JOURNAL J_AGENT "[   20.1] Out of memory: Killed process 142 (node) "
                     "total-vm:604508kB, anon-rss:38436kB\r\n" J_DIED("22.1"),
     40000, .cause = "agent.out-of-memory"},
    {"segfault",
     JOURNAL J_AGENT
     "[   13.100000] node[142]: segfault at 0 ip 00007f0c sp 00007ffc "
     "error 4 in libc.so.6[7f0c00000000+155000]\r\n" S(
         "13.2", "/opt/vm-browser-agent/start-all.sh: line 22:   142 Segmentation fault      node "
                 "server.js") J_DIED("17.1"),
     40000, .cause = "agent.killed"},
    {"status_139",
     PLAIN P_AGENT "[SUPERVISOR] agent exited with status 139, restarting\r\n"
                   "[SUPERVISOR] agent exited with status 139, restarting\r\n",
     40000, .cause = "agent.killed", .accept = "agent.crash-loop"},
    {"illegal",
     JOURNAL J_AGENT "[   13.100000] traps: node[142] trap invalid opcode ip:55f1 "
                     "sp:7ffc error:0 in node[55f0+2e00000]\r\n" J_DIED("17.1"),
     40000, .cause = "agent.runtime-incompatible"},
    {"library",
     SAYS("node: error while loading shared libraries: libnode.so.108: cannot open shared "
          "object file: No such file or directory"),
     40000, .cause = "agent.library-missing"},
    {"glibc",
     SAYS("node: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required "
          "by node)"),
     40000, .cause = "agent.library-missing", .says = "GLIBC_2.34"},
    {"symbol", SAYS("node: symbol lookup error: node: undefined symbol: SSL_get1_peer"), 40000,
     .cause = "agent.library-missing"},
    {"runtime_bash", SAYS("/opt/vm-browser-agent/start-all.sh: line 22: node: command not found"),
     40000, .cause = "agent.runtime-missing"},
    {"runtime_env", SAYS("env: 'node': No such file or directory"), 40000,
     .cause = "agent.runtime-missing"},
    {"runtime_env_utf8",
     SAYS("/usr/bin/env: \xe2\x80\x98node\xe2\x80\x99: No such file or directory"), 40000,
     .cause = "agent.runtime-missing"},
    {"runtime_exec", SAYS("/opt/vm-browser-agent/start-all.sh: 22: exec: node: not found"), 40000,
     .cause = "agent.runtime-missing"},
    {"runtime_denied",
     SAYS("/opt/vm-browser-agent/start-all.sh: line 22: /usr/bin/node: Permission "
          "denied"),
     40000, .cause = "agent.runtime-missing"},
    {"runtime_format",
     SAYS("/opt/vm-browser-agent/start-all.sh: line 22: /usr/bin/node: cannot "
          "execute binary file: Exec format error"),
     40000, .cause = "agent.runtime-incompatible", .accept = "supervisor.command-failed"},
    {"setting", SAYS("{\"level\":\"error\",\"msg\":\"SESSION_ID environment variable required\"}"),
     40000, .cause = "agent.config-missing", .says = "SESSION_ID"},
    {"setting_thrown", SAYS("Error: Missing required environment variable: SESSION_ID"), 40000,
     .cause = "agent.config-missing"},
    {"setting_python", SAYS("KeyError: 'SESSION_ID'"), 40000, .cause = "agent.config-missing",
     .says = "SESSION_ID"},
    {"config_file", SAYS("Error: ENOENT: no such file or directory, open '/etc/agent/config.json'"),
     40000, .cause = "agent.config-missing", .says = "config.json"},
    {"config_broken", SAYS("SyntaxError: /etc/agent/config.json: Unexpected end of JSON input"),
     40000, .cause = "agent.config-missing"},
    {"warning_is_no_reason",
     JOURNAL J_AGENT A("13.2", "{\"level\":\"warn\",\"msg\":\"SENTRY_DSN is "
                               "not set\"}") J_READY,
     .cause = NULL},
    {"port_taken", SAYS("Error: listen EADDRINUSE: address already in use 0.0.0.0:8080"), 40000,
     .cause = "agent.port-in-use"},
    {"port_taken_pino",
     JOURNAL J_AGENT A("13.2", "{\"level\":50,\"err\":{\"type\":\"Error\","
                               "\"message\":\"listen EADDRINUSE: address already in use "
                               ":::8080\",\"code\":\"EADDRINUSE\","
                               "\"port\":8080},\"msg\":\"server error\"}"),
     60000, .cause = "agent.port-in-use"},
    {"port_taken_go", SAYS("listen tcp :8080: bind: address already in use"), 40000,
     .cause = "agent.port-in-use"},
    {"bind_denied", SAYS("Error: listen EACCES: permission denied 0.0.0.0:80"), 40000,
     .cause = "agent.bind-denied"},
    {"bind_address", SAYS("Error: listen EADDRNOTAVAIL: address not available 192.168.200.5:8080"),
     40000, .cause = "agent.bind-denied"},
    {"bind_go", SAYS("listen tcp 192.168.200.5:8080: bind: cannot assign requested address"), 40000,
     .cause = "agent.bind-denied"},
    {"bind_python", SAYS("OSError: [Errno 99] Cannot assign requested address"), 40000,
     .cause = "agent.bind-denied"},
    {"loopback", JOURNAL J_AGENT A("15.7", "Server listening at http://127.0.0.1:8080"), 40000,
     .cause = "agent.bind-loopback"},
    {"all_addresses", JOURNAL J_AGENT A("15.7", "Server listening at http://[::]:8080"),
     .cause = NULL},
    {"localhost_may_be_a_name",
     JOURNAL J_AGENT A("15.7", "Server running at http://localhost:8080/"), .cause = NULL},
    {"other_port", JOURNAL J_AGENT A("15.7", "Server listening on port 3000"), 40000,
     .cause = "agent.wrong-port", .says = "3000"},
    {"other_port_uvicorn",
     JOURNAL J_AGENT A("15.7", "INFO:     Uvicorn running on "
                               "http://0.0.0.0:8000 (Press CTRL+C to quit)"),
     40000, .cause = "agent.wrong-port", .says = "8000"},
    {"companions_port_is_its_own",
     JOURNAL J_AGENT "[   13.0] start-all.sh[143]: listening on port "
                     "5901\r\n" J_READY,
     .cause = NULL},
    {"clock_of_make_and_openrc",
     JOURNAL J_STARTED " * WARNING: clock skew detected!\r\nmake: warning:  Clock skew detected.  "
                       "Your build may be incomplete.\r\n" J_AGENT J_READY,
     .cause = NULL},
    {"clock", SAYS("Error: certificate is not yet valid"), 40000, .cause = "agent.clock-skew"},
    {"clock_jwt", SAYS("JsonWebTokenError: jwt not active"), 40000, .cause = "agent.clock-skew"},
    {"hung", JOURNAL J_AGENT LOGIN, 60000, .cause = "agent.hung"},
    {"hung_while_the_companion_talks",
     JOURNAL J_AGENT "[   40.0] start-all.sh[143]: [WEBRTC] waiting for an offer\r\n"
                     "[   55.0] start-all.sh[143]: [WEBRTC] waiting for an offer\r\n",
     60000, .cause = "agent.hung"},
    {"not_hung_but_busy",
     JOURNAL J_AGENT A("40.0", "migrating 10 of 12") A("55.0", "migrating 11 "
                                                               "of 12"),
     60000, .cause = "unknown", .accept = "probe.deadline-too-short"},
    {"dated_fatal",
     PLAIN P_STARTED
     "2026-11-23 18:01:51 start-all: agent up, pid 319\r\n2026-11-23 "
     "18:01:53.020 FATAL config: required environment variable SESSION_ID is not set\r\n2026-11-23 "
     "18:01:56 start-all: agent exited with status 1, starting it again\r\n",
     40000, .cause = "agent.config-missing", .says = "SESSION_ID"},
    {"dated_port",
     PLAIN P_STARTED
     "2026-11-23 18:01:51 start-all: agent up, pid 319\r\n2026-11-23 "
     "18:01:53.020 FATAL http: cannot serve: listen EADDRINUSE: address already in use "
     "0.0.0.0:8080\r\n2026-11-23 18:01:56 start-all: agent exited with status 1, starting it "
     "again\r\n",
     40000, .cause = "agent.port-in-use"},
    {"dated_loop",
     PLAIN P_STARTED
     "2026-11-23 18:01:51 start-all: agent up, pid 319\r\n2026-11-23 "
     "18:01:56 start-all: agent exited with status 1, starting it again\r\n2026-11-23 18:02:01 "
     "start-all: agent exited with status 1, starting it again\r\n2026-11-23 18:02:06 start-all: "
     "agent exited with status 1, starting it again\r\n",
     40000, .cause = "agent.crash-loop"},
    {"dated_companion",
     PLAIN P_STARTED
     "2026-11-23 18:01:51 start-all: agent up, pid 319\r\n"
     "2026-11-23 18:01:51 start-all: webrtc up, pid 320\r\nwebrtc: TypeError: no peer\r\n"
     "2026-11-23 18:01:56 start-all: webrtc exited with status 1, starting it again\r\n"
     "{\"msg\":\"VM Browser Agent started\",\"port\":8080,\"vmIP\":\"10.0.2.15\"}\r\n",
     .cause = NULL},
    {"loop", JOURNAL J_AGENT J_DIED("17.1") J_DIED("22.1") J_DIED("27.1"), 40000,
     .cause = "agent.crash-loop"},
};

int main(void)
{
    return scenes_run_cut("agent", scenes, sizeof(scenes) / sizeof(scenes[0]));
}
