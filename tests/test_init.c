/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd says of the service's unit, in the wording of versions 245 to 257: synthetic. */
#include "tests/consoles.h"
#include "tests/scene.h"

#define U            "vm-browser-agent.service"
#define SD(at, text) "[   " at "] systemd[1]: " text "\r\n"

static const struct scene scenes[] = {
    {"good", JOURNAL J_AGENT J_READY LOGIN, .cause = NULL},
    {"good_plain",
     PLAIN P_AGENT
     "{\"msg\":\"VM Browser Agent started\",\"port\":8080,\"vmIP\":\"10.0.2.15\"}\r\n" LOGIN,
     .cause = NULL},
    {"dependency",
     JOURNAL SD("12.1", "Starting tigervnc.service - VNC...")
         SD("12.2", "tigervnc.service: Main "
                    "process exited, code=exited, status=1/FAILURE")
             SD("12.3", "tigervnc.service: Failed with "
                        "result 'exit-code'.") SD("12.4", "Failed to start tigervnc.service - VNC.")
                 SD("12.5", "Dependency failed for " U " - VM Browser OAuth Agent.")
                     SD("12.6", U ": Job " U "/start failed with result 'dependency'.") LOGIN,
     40000, .cause = "init.dependency-failed", .says = "tigervnc.service"},
    {"dependency_plain",
     PLAIN "         Starting tigervnc.service - VNC...\r\n" FAILED_
           "Failed to start tigervnc.service - VNC.\r\nSee 'systemctl status tigervnc.service' for "
           "details.\r\n" DEPEND_ "Dependency failed for vm-b" CUT
           "vice - VM Browser OAuth Agent.\r\n" LOGIN,
     40000, .cause = "init.dependency-failed", .says = "tigervnc.service"},
    {"dependency_description_only",
     PLAIN FAILED_ "Failed to start TigerVNC server.\r\n" DEPEND_
                   "Dependency failed for VM Browser OAuth Agent.\r\n" LOGIN,
     40000, .cause = "init.dependency-failed", .says = "TigerVNC"},
    {"dependency_of_others",
     PLAIN DEPEND_ "Dependency failed for Remote File Systems.\r\n" P_AGENT LOGIN, .cause = NULL},
    {"requirement_not_there",
     JOURNAL SD("3.9", U ": Cannot add dependency job, ignoring: Unit tigervnc.service not found.")
         LOGIN,
     40000, .cause = "init.dependency-failed", .says = "tigervnc.service"},
    {"device_timed_out",
     PLAIN "         Expecting device dev-vdb.device - /dev/vdb...\r\n[\x1b[0;1;31m TIME \x1b[0m] "
           "Timed out waiting for device dev-vdb.device - /dev/vdb.\r\n" DEPEND_
           "Dependency failed for data.mount - /data.\r\n" DEPEND_ "Dependency failed for vm-b" CUT
           "vice - VM Browser OAuth Agent.\r\n" LOGIN,
     120000, .cause = "init.unit-start-timeout", .says = "dev-vdb.device"},
    {"own_timeout",
     JOURNAL SD("12.0", "Starting " U " - VM Browser OAuth Agent...")
         SD("99.9", U ": start operation timed out. Terminating.")
             SD("99.9", U ": Failed with result 'timeout'."),
     120000, .cause = "init.unit-start-timeout"},
    {"waits", JOURNAL SD("12.0", "Starting slow.service - Slow thing...") LOGIN, 60000,
     .cause = "init.job-waiting", .says = "slow.service"},
    {"waits_says_so",
     PLAIN "         Starting slow.service - Slow thing...\r\n[\x1b[0;31m*     \x1b[0m] Job "
           "slow.service/start running (31s / 2min)\r\n",
     60000, .cause = "init.job-waiting", .says = "may take 2min"},
    {"waits_by_description",
     PLAIN
     "         Starting Slow thing...\r\n[ \x1b[0;31m*\x1b[0m    ] A start job is running for "
     "Slow thing (1min 1s / no limit)\r\n",
     90000, .cause = "init.job-waiting", .says = "Slow thing"},
    {"waits_with_status_text",
     PLAIN "[  *** ] (1 of 2) Job slow.service/start running (41s / 2min): loading data\r\n", 60000,
     .cause = "init.job-waiting", .says = "slow.service"},
    {"masked",
     JOURNAL SD("12.1", "multi-user.target: Cannot add dependency job, ignoring: Unit " U
                        " is masked.") LOGIN,
     40000, .cause = "init.unit-masked"},
    {"no_exec_start",
     JOURNAL SD("3.1", U ": Service has no ExecStart=, ExecStop=, or "
                         "SuccessAction=. Refusing.") LOGIN,
     40000, .cause = "init.unit-invalid"},
    {"bad_setting",
     JOURNAL SD("3.1", "/etc/systemd/system/" U ":7: Neither a valid executable name "
                       "nor an absolute path: start-all.sh")
         SD("3.1", U ": Unit configuration has fatal error, unit "
                     "will not be started.")
             SD("3.1", U ": Cannot add dependency job, ignoring: Unit " U
                         " has a bad unit file setting.") LOGIN,
     40000, .cause = "init.unit-invalid"},
    {"user_missing",
     JOURNAL J_STARTED "[   12.3] (t-all.sh)[140]: " U ": Failed to determine user "
                       "credentials: No such process\r\n[   12.3] (t-all.sh)[140]: " U
                       ": Failed at step USER spawning "
                       "/opt/start-all.sh: No such process\r\n" J_EXIT("12.5", "217/USER"),
     40000, .cause = "init.unit-invalid", .says = "user"},
    {"directory_missing", JOURNAL J_STARTED J_EXIT("12.5", "200/CHDIR"), 40000,
     .cause = "init.unit-invalid", .says = "working directory"},
    {"namespace", JOURNAL J_STARTED J_EXIT("12.5", "226/NAMESPACE"), 40000,
     .cause = "init.unit-invalid", .says = "namespace"},
    {"exit_255_is_no_setup", JOURNAL J_STARTED J_EXIT("12.5", "255/EXCEPTION"), 40000,
     .cause = "supervisor.silent-exit"},
    {"environment_file",
     JOURNAL SD("12.3", U ": Failed to load environment files: No such file or "
                          "directory")
         SD("12.3", U ": Failed to run 'start' task: No such file or directory")
             SD("12.3", U ": Failed with result 'resources'.")
                 SD("12.4", "Failed to start " U " - VM Browser OAuth Agent."),
     40000, .cause = "init.unit-invalid", .says = "environment"},
    {"condition",
     JOURNAL SD("12.3", U " - VM Browser OAuth Agent was skipped because of an unmet "
                          "condition check (ConditionPathExists=/etc/agent).") LOGIN,
     40000, .cause = "init.unit-invalid", .says = "ConditionPathExists"},
    {"condition_247",
     JOURNAL SD("12.3", "Condition check resulted in VM Browser OAuth Agent being "
                        "skipped.") LOGIN,
     40000, .cause = "init.unit-invalid"},
    {"condition_of_others",
     JOURNAL SD("12.0", "apparmor.service - Load AppArmor profiles was "
                        "skipped because of an unmet condition check (ConditionSecurity=apparmor).")
         J_AGENT J_READY,
     .cause = NULL},
    {"cycle",
     JOURNAL SD("3.1", "multi-user.target: Found ordering cycle on " U "/start") SD(
         "3.1", "multi-user.target: Job " U "/start deleted to break ordering cycle starting with "
                "multi-user.target/start") LOGIN,
     40000, .cause = "init.ordering-cycle"},
    {"cycle_plain",
     PLAIN "[\x1b[0;1;31m SKIP \x1b[0m] Ordering cycle found, skipping vm-b" CUT
           "vice - VM Browser OAuth Agent\r\n" LOGIN,
     40000, .cause = "init.ordering-cycle"},
    {"emergency",
     PLAIN FAILED_
     "Failed to mount data.mount - /data.\r\n" DEPEND_
     "Dependency failed for local-fs.target - Local File Systems.\r\nYou are in emergency mode. "
     "After logging in, type \"journalctl -xb\" to view\r\n",
     40000, .cause = "init.emergency-mode"},
    {"emergency_locked",
     PLAIN OK_
     "Reached target emergency.target - Emergency Mode.\r\n\r\nCannot "
     "open access to console, the root account is locked.\r\nSee sulogin(8) man page for more "
     "details.\r\n",
     40000, .cause = "init.emergency-mode"},
    {"rescue",
     PLAIN "Welcome to rescue mode! After logging in, type \"journalctl -xb\"\r\nGive root "
           "password for maintenance\r\n(or press Control-D to continue): ",
     40000, .cause = "init.emergency-mode"},
    {"frozen",
     JOURNAL SD("12.3", "Caught <SEGV>, dumped core as pid 99.") SD("12.4", "Freezing execution."),
     40000, .cause = "init.not-reached"},
    {"silent", JOURNAL, 60000, .cause = "init.not-reached"},
    {"too_early_to_say", JOURNAL, 13000, .cause = "probe.deadline-too-short"},
    {"oom_kill",
     JOURNAL J_AGENT SD("20.1", U ": A process of this unit has been killed by the OOM "
                                  "killer.")
         SD("20.2", U ": Main process exited, code=killed, status=9/KILL")
             SD("20.2", U ": Failed with result 'oom-kill'."),
     40000, .cause = "agent.out-of-memory", .accept = "agent.killed"},
    {"watchdog",
     JOURNAL J_AGENT SD("50.1", U ": Watchdog timeout (limit 30s)!")
         SD("50.2", U ": Killing process 139 (start-all.sh) with signal SIGABRT.")
             SD("50.3", U ": Main process exited, code=dumped, status=6/ABRT")
                 SD("50.3", U ": Failed with result 'watchdog'."),
     60000, .cause = "agent.hung", .accept = "agent.killed"},
};

int main(void)
{
    return scenes_run_cut("init", scenes, sizeof(scenes) / sizeof(scenes[0]));
}
