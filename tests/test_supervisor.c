/* SPDX-License-Identifier: Apache-2.0 */
/* How the unit's script and other supervisors end, in their own words: synthetic. */
#include "tests/consoles.h"
#include "tests/scene.h"

#define PATH "/opt/vm-browser-agent/start-all.sh"
#define U    "vm-browser-agent.service"
/* The script says this, ends, and does so again. */
#define ENDS(words, status)                                                                        \
    JOURNAL J_STARTED S("12.4", words) J_EXIT("12.5", status) J_AGAIN("15.6") S("15.7", words)     \
        J_EXIT("15.8", status)

static char api_unit[] = "api.service", api_description[] = "Payments API";
static char api_supervisor[] = "run-api", api_entry[] = "api.py", api_ready[] = "api is up";
static char api_health[] = "/healthz";
static const struct service api = {
    .unit = api_unit,
    .description = api_description,
    .supervisor = api_supervisor,
    .entry = api_entry,
    .ready_pattern = api_ready,
    .port = 9090,
    .health_path = api_health,
    .expected_status = 200,
};

static const struct scene scenes[] = {
    {"located_247",
     JOURNAL J_STARTED "[   12.3] (t-all.sh)[140]: " U ": Failed to locate "
                       "executable " PATH
                       ": No such file or directory\r\n[   12.3] (t-all.sh)[140]: " U
                       ": Failed at step EXEC spawning " PATH
                       ": No such file or directory\r\n" J_EXIT("12.5", "203/EXEC"),
     40000, .cause = "supervisor.missing"},
    {"located_257",
     JOURNAL J_STARTED "[   12.3] (t-all.sh)[140]: " U ": Unable to locate "
                       "executable '" PATH
                       "': No such file or directory\r\n" J_EXIT("12.5", "203/EXEC"),
     40000, .cause = "supervisor.missing"},
    {"interpreter",
     JOURNAL J_STARTED "[   12.3] (t-all.sh)[140]: " U ": Failed to execute " PATH
                       ": No such file or directory\r\n" J_EXIT("12.5", "203/EXEC"),
     40000, .cause = "supervisor.bad-interpreter"},
    {"exec_format",
     JOURNAL J_STARTED "[   12.3] (t-all.sh)[140]: " U ": Failed to execute " PATH
                       ": Exec format error\r\n" J_EXIT("12.5", "203/EXEC"),
     40000, .cause = "supervisor.bad-interpreter"},
    {"permission",
     JOURNAL J_STARTED "[   12.3] (t-all.sh)[140]: " U ": Failed at step EXEC "
                       "spawning " PATH ": Permission denied\r\n" J_EXIT("12.5", "203/EXEC"),
     40000, .cause = "supervisor.not-executable"},
    {"unbound_bash", ENDS(PATH ": line 34: VM_SESSION_ID: unbound variable", "1/FAILURE"), 40000,
     .cause = "supervisor.unbound-variable", .says = "VM_SESSION_ID"},
    {"unbound_dash", ENDS(PATH ": 34: VM_SESSION_ID: parameter not set", "2/INVALIDARGUMENT"),
     40000, .cause = "supervisor.unbound-variable", .says = "VM_SESSION_ID"},
    {"unbound_zsh", ENDS(PATH ":34: VM_SESSION_ID: parameter not set", "1/FAILURE"), 40000,
     .cause = "supervisor.unbound-variable"},
    {"unbound_positional", ENDS(PATH ": line 2: $1: unbound variable", "1/FAILURE"), 40000,
     .cause = "supervisor.unbound-variable"},
    {"unbound_demanded",
     ENDS(PATH ": line 9: SESSION_ID: must be set by the controller", "1/FAILURE"), 40000,
     .cause = "supervisor.unbound-variable", .says = "SESSION_ID"},
    {"unbound_sourced",
     ENDS("/opt/vm-browser-agent/lib.sh: line 3: DISPLAY_NO: unbound variable", "1/FAILURE"), 40000,
     .cause = "supervisor.unbound-variable"},
    {"unbound_plain", PLAIN P_STARTED PATH ": line 34: VM_SESSION_ID: unbound variable\r\n" LOGIN,
     40000, .cause = "supervisor.unbound-variable"},
    {"syntax_bash",
     ENDS(PATH ": line 40: syntax error near unexpected token `fi'", "2/INVALIDARGUMENT"), 40000,
     .cause = "supervisor.syntax-error"},
    {"syntax_bash_eof",
     ENDS(PATH ": line 41: unexpected EOF while looking for matching `\"'", "2/INVALIDARGUMENT"),
     40000, .cause = "supervisor.syntax-error"},
    {"syntax_dash", ENDS(PATH ": 40: Syntax error: \"fi\" unexpected", "2/INVALIDARGUMENT"), 40000,
     .cause = "supervisor.syntax-error"},
    {"syntax_dash_quote",
     ENDS(PATH ": 40: Syntax error: Unterminated quoted string", "2/INVALIDARGUMENT"), 40000,
     .cause = "supervisor.syntax-error"},
    {"syntax_busybox",
     ENDS(PATH ": line 4: syntax error: unexpected end of file (expecting \"fi\")",
          "2/INVALIDARGUMENT"),
     40000, .cause = "supervisor.syntax-error"},
    {"syntax_zsh", ENDS(PATH ":2: parse error near `fi'", "1/FAILURE"), 40000,
     .cause = "supervisor.syntax-error"},
    {"syntax_after_words",
     JOURNAL J_SCRIPT S("12.5", PATH ": line 60: syntax error: unexpected end "
                                     "of file") J_EXIT("12.6", "2/INVALIDARGUMENT"),
     40000, .cause = "supervisor.syntax-error"},
    {"command_bash", ENDS(PATH ": line 21: xdpyinfo: command not found", "127/n/a"), 40000,
     .cause = "supervisor.command-failed", .says = "xdpyinfo"},
    {"command_dash", ENDS(PATH ": 21: xdpyinfo: not found", "127/n/a"), 40000,
     .cause = "supervisor.command-failed", .says = "xdpyinfo"},
    {"command_busybox_cd",
     ENDS(PATH ": cd: line 2: can't cd to /nope: No such file or directory", "2/INVALIDARGUMENT"),
     40000, .cause = "supervisor.command-failed", .says = "/nope"},
    {"command_zsh", ENDS(PATH ":2: command not found: xdpyinfo", "127/n/a"), 40000,
     .cause = "supervisor.command-failed", .says = "xdpyinfo"},
    {"command_of_coreutils",
     ENDS("mkdir: cannot create directory '/var/lib/x': Not a directory", "1/FAILURE"), 40000,
     .cause = "supervisor.command-failed"},
    {"command_trap", ENDS("[SUPERVISOR] error at line 34: false (status 1)", "1/FAILURE"), 40000,
     .cause = "supervisor.command-failed"},
    {"command_survived",
     JOURNAL J_STARTED S("12.4", PATH ": line 21: xdpyinfo: command not found")
         S("12.544614", "[SUPERVISOR] OAuth agent PID: 142") J_READY,
     .cause = NULL},
    {"carriage_return",
     ENDS("/usr/bin/env: \xe2\x80\x98"
          "bash\\r\xe2\x80\x99: No such file or "
          "directory",
          "127/n/a"),
     40000, .cause = "supervisor.bad-interpreter"},
    {"no_bash", ENDS("/usr/bin/env: 'bash': No such file or directory", "127/n/a"), 40000,
     .cause = "supervisor.bad-interpreter"},
    {"bad_interpreter_bash_51",
     ENDS("/bin/bash: " PATH ": /bin/bash^M: bad interpreter: No such "
          "file or directory",
          "126/n/a"),
     40000, .cause = "supervisor.bad-interpreter"},
    {"silent",
     JOURNAL J_STARTED J_EXIT("12.5", "1/FAILURE") J_AGAIN("15.6") J_EXIT("15.8", "1/FAILURE"),
     40000, .cause = "supervisor.silent-exit"},
    {"silent_success",
     JOURNAL J_STARTED "[   12.5] systemd[1]: " U ": Deactivated successfully.\r\n" J_AGAIN(
         "15.6") "[   15.8] systemd[1]: " U ": Succeeded.\r\n",
     40000, .cause = "supervisor.silent-exit"},
    {"silent_plain", PLAIN P_STARTED LOGIN, 60000, .cause = "supervisor.silent-exit"},
    {"stuck", JOURNAL J_SCRIPT LOGIN, 60000, .cause = "supervisor.stuck"},
    {"stuck_says_so_again",
     JOURNAL J_STARTED S("12.5", "[SUPERVISOR] Waiting for tigervnc (1)")
         S("22.5", "[SUPERVISOR] Waiting for tigervnc (2)")
             S("32.5", "[SUPERVISOR] Waiting for tigervnc (3)")
                 S("42.5", "[SUPERVISOR] Waiting for tigervnc (4)"),
     45000, .cause = "supervisor.stuck"},
    {"not_stuck_yet", JOURNAL J_SCRIPT LOGIN, 18000, .cause = "probe.deadline-too-short"},
    {"stops_all",
     JOURNAL J_AGENT S("20.1", "[SUPERVISOR] One child exited; stopping all")
         J_EXIT("20.2", "1/FAILURE"),
     40000, .cause = "supervisor.kills-agent"},
    {"stops_all_others",
     JOURNAL J_AGENT S("20.1", "[SUPERVISOR] A service exited with status 127, "
                               "shutting down the others") J_EXIT("20.2", "1/FAILURE"),
     40000, .cause = "supervisor.kills-agent"},
    {"stops_all_because_of_the_agent",
     JOURNAL J_AGENT A("19.9", "TypeError: x is not a function") A("19.9", "Node.js v18.20.4")
         S("20.1", "[SUPERVISOR] One child exited; stopping all") J_EXIT("20.2", "1/FAILURE"),
     40000, .cause = "agent.exception"},
    {"supervisord_gives_up",
     PLAIN P_STARTED
     "2026-11-23 15:39:07,120 INFO spawned: 'agent' with pid 142\r\n"
     "2026-11-23 15:39:08,123 WARN exited: agent (exit status 1; not expected)\r\n"
     "2026-11-23 15:39:10,120 INFO spawned: 'agent' with pid 143\r\n"
     "2026-11-23 15:39:11,123 WARN exited: agent (exit status 1; not expected)\r\n"
     "2026-11-23 15:39:13,120 INFO spawned: 'agent' with pid 144\r\n"
     "2026-11-23 15:39:14,123 WARN exited: agent (exit status 1; not expected)\r\n"
     "2026-11-23 15:39:14,456 INFO gave up: agent entered FATAL state, too many start retries too "
     "quickly\r\n",
     60000, .cause = "agent.crash-loop"},
    {"supervisord_names_its_own_pid",
     JOURNAL J_STARTED S("12.5", "2026-11-23 15:39:07,120 INFO supervisord started with pid 139")
         S("13.5", "2026-11-23 15:39:08,120 INFO spawnerr: can't find command '/usr/bin/node'")
             S("20.5", "2026-11-23 15:39:15,456 INFO gave up: agent entered FATAL state, too many "
                       "start retries too quickly"),
     60000, .cause = "agent.runtime-missing", .says = "runtime node is"},
    {"other_words_for_a_death",
     PLAIN P_STARTED
     "svc: agent (pid 142) started\r\nsvc: agent exited with status 1, starting it "
     "again\r\nsvc: agent exited with status 1, starting it again\r\nsvc: agent exited with status "
     "1, starting it again\r\n",
     60000, .cause = "agent.crash-loop"},
    {"companion_alone_is_normal",
     JOURNAL J_AGENT J_READY S("20.1", "[SUPERVISOR] WebRTC server died (PID 143), restarting...")
         S("25.1", "[SUPERVISOR] WebRTC server died (PID 144), restarting...")
             S("30.1", "[SUPERVISOR] WebRTC server died (PID 145), restarting..."),
     .cause = NULL},
    {"another_service",
     JOURNAL "[   12.1] systemd[1]: Started api.service - Payments API.\r\n[   12.2] run-api[140]: "
             "/srv/run-api: 3: API_KEY: parameter not set\r\n[   12.3] systemd[1]: api.service: "
             "Main process "
             "exited, code=exited, status=2/INVALIDARGUMENT\r\n",
     40000, .cause = "supervisor.unbound-variable", .says = "API_KEY", .service = &api},
    {"agent_without_a_script",
     JOURNAL "[   12.1] systemd[1]: Started api.service - Payments API.\r\n"
             "[   12.9] python3[140]: boom: cannot open the store\r\n[   13.0] systemd[1]: "
             "api.service: Main "
             "process exited, code=exited, status=1/FAILURE\r\n[   16.0] systemd[1]: api.service: "
             "Scheduled "
             "restart job, restart counter is at 1.\r\n[   16.1] systemd[1]: Started api.service - "
             "Payments "
             "API.\r\n[   16.9] python3[141]: boom: cannot open the store\r\n[   17.0] systemd[1]: "
             "api.service: "
             "Main process exited, code=exited, status=1/FAILURE\r\n",
     40000, .cause = "agent.exception", .service = &api},
    {"socket_of_systemd_is_no_agent",
     PLAIN OK_ "Listening on Debug console on port 8080.\r\n" P_AGENT LOGIN, .cause = NULL},
    {"of_another_service_is_nobodys_business",
     JOURNAL
     "[   12.1] systemd[1]: Started api.service - Payments API.\r\n[   12.15] run-api[140]: "
     "api (pid 141) started\r\n[   12.2] start-all.sh[150]: " PATH ": line 34: X: unbound "
     "variable\r\n[   13.0] run-api[141]: api is up on 9090\r\n",
     .cause = NULL, .service = &api},
};

int main(void)
{
    return scenes_run_cut("supervisor", scenes, sizeof(scenes) / sizeof(scenes[0]));
}
