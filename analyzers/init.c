/* SPDX-License-Identifier: Apache-2.0 */
/* init: what systemd says of its jobs and units (wording of versions 245 to 257). */
#include "analyzers/analyzer.h"
#include "analyzers/jobs.h"

static const struct rule rules[] = {
    {
        .id = "init.systemd-banner",
        .milestone = "init-started",
        .pattern = "^systemd \\d\\S* running in system mode",
        .literal = " running in system mode",
        .summary = "systemd runs",
        .sample =
            "[    2.957194] systemd[1]: systemd 252.39-1~deb12u2 running in system mode (+PAM)",
        .near_miss = "[    2.957194] systemd[99]: systemd 252 running in user mode for root.",
    },
    {
        .id = "init.in-initrd",
        .pattern = "^Running in (?:initrd|initial RAM disk)",
        .literal = "Running in init",
        .summary = "This systemd runs in the initramfs, before the root file system is there",
        .sample = "[    1.9] systemd[1]: Running in initrd.",
        .near_miss = "[    1.9] systemd[1]: Running in a container.",
    },
    {
        .id = "init.welcome",
        .milestone = "init-started",
        .pattern = "^Welcome to .+!$",
        .literal = "Welcome to ",
        .summary = "systemd runs",
        .sample = "Welcome to Debian GNU/Linux 12 (bookworm)!",
        .near_miss = "Welcome to the jungle",
    },
    {
        .id = "init.login-prompt",
        .pattern = "^\\S+ login:$",
        .literal = " login:",
        .summary = "The console offers a login",
        .sample = "vm-browser login:",
        .near_miss = "[    5.0] app[1]: user login: root",
    },
    {
        .id = "init.multi-user",
        .pattern =
            "^Reached target (?:multi-user\\.target|multi-us\\S*\\xe2\\x80\\xa6|Multi-User System)",
        .literal = "Reached target ",
        .summary = "systemd reached its default target",
        .sample = "[  OK  ] Reached target multi-user.target - Multi-User System.",
        .near_miss = "[  OK  ] Reached target remote-fs.target - Remote File Systems.",
    },
    {
        .id = "init.unit-started",
        .milestone = "unit-started",
        .pattern = "^Started (%{UNIT})\\.?$",
        .literal = "Started ",
        .summary = "systemd started the service's unit: it forked a process",
        .sample = "[  OK  ] Started vm-browser-agent.s\xe2\x80\xa6vice - VM Browser OAuth Agent.",
        .near_miss = "[  OK  ] Started vm-browser-cleanup.timer - Clean-up.",
    },
    {
        .id = "init.job-starting",
        .pattern = "^Starting (.+?)(?:\\.\\.\\.|\\xe2\\x80\\xa6)?$",
        .literal = "Starting ",
        .summary = "systemd begins to start $1",
        .sample = "         Starting systemd-networkd.\xe2\x80\xa6ice - Network Configuration...",
        .near_miss = "[    5.0] systemd[1]: Started systemd-networkd.service - Network.",
    },
    {
        .id = "init.job-done",
        .pattern = "^(?:Started|Finished|Mounted|Stopped|Reached target|Listening on) (.+?)\\.?$",
        .summary = "systemd started $1",
        .sample = "[    6.542274] systemd[1]: Finished systemd-sysctl.service - Apply Variables.",
        .near_miss = "         Starting systemd-sysctl.service - Apply Variables...",
    },
    {
        .id = "init.job-failed",
        .severity = SEVERITY_ERROR,
        .pattern = "^Failed to (?:start|mount|listen on|activate|activate swap) (.+?)\\.?$",
        .literal = "Failed to ",
        .summary = "systemd could not start $1",
        .sample = "[FAILED] Failed to start tigervnc.s\xe2\x80\xa6"
                  "C server on display :1 (stand-in).",
        .near_miss = "[    2.799876] systemd[1]: Failed to find module 'autofs4'",
    },
    {
        .id = "init.job-timeout",
        .severity = SEVERITY_ERROR,
        .pattern = "^Timed out (?:starting|waiting for device) (.+?)\\.?$",
        .literal = "Timed out ",
        .summary = "systemd gave up waiting for $1",
        .sample = "[ TIME ] Timed out waiting for device dev-vdb.device - /dev/vdb.",
        .near_miss = "[   50.0] app[1]: Timed out connecting to host",
    },
    {
        /* systemd never takes a job up again whose dependency failed. */
        .id = "init.service-dependency",
        .cause = "init.dependency-failed",
        .severity = SEVERITY_FATAL,
        .confidence = 0.9,
        .pattern = "^Dependency failed for %{UNIT}\\.?$",
        .literal = "Dependency failed for ",
        .summary = "The service was not started because a unit that it requires failed",
        .sample = "[    8.265043] systemd[1]: Dependency failed for vm-browser-agent.service - VM "
                  "Browser OAuth Agent.",
        .near_miss =
            "[    8.265043] systemd[1]: Dependency failed for tigervnc.service - TigerVNC.",
    },
    {
        .id = "init.job-dependency",
        .severity = SEVERITY_ERROR,
        .pattern = "^Dependency failed for (.+?)\\.?$",
        .literal = "Dependency failed for ",
        .summary = "systemd did not start $1 because a unit that it requires failed",
        .sample = "[DEPEND] Dependency failed for vm-b\xe2\x80\xa6vice - VM Browser OAuth Agent.",
        .near_miss = "[    9.0] app[1]: Dependency failed",
    },
    {
        .id = "init.job-running",
        .pattern = "^(?:\\(\\d+ of \\d+\\) )?A start job is running for (.+?) \\(([^()/]*?)(?: / "
                   "([^()]*))?\\)$",
        .literal = "A start job is running for ",
        .summary = "systemd waits for $1",
        .sample =
            "[  *** ] A start job is running for Wait for Network to be Configured (31s / 2min)",
        .near_miss = "[  *** ] A stop job is running for Session 1 of user root (3s / 1min 30s)",
    },
    {
        .id = "init.unit-operation-timeout",
        .severity = SEVERITY_ERROR,
        .pattern = "^(\\S+): start(?:-pre|-post)? operation timed out",
        .literal = " operation timed out",
        .summary = "$1 took longer to start than it may",
        .sample = "[   99.1] systemd[1]: x.service: start operation timed out. Terminating.",
        .near_miss = "[   99.1] app[9]: read operation timed out",
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
        .id = "init.unit-result",
        .severity = SEVERITY_ERROR,
        .pattern = "^(\\S+): Failed with result '([\\w-]+)'",
        .literal = "Failed with result '",
        .summary = "$1 failed: $2",
        .sample = "[   12.473746] systemd[1]: x.service: Failed with result 'exit-code'.",
        .near_miss = "[   12.473746] app[9]: Failed with result code 3",
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
        .id = "init.emergency",
        .cause = "init.emergency-mode",
        .severity = SEVERITY_FATAL,
        .confidence = 0.95,
        .pattern =
            "^(?:You are in (?:emergency|rescue) mode|Reached target (?:emergency\\.target|"
            "Emergency Mode|rescue\\.target|Rescue (?:Mode|Shell))|Cannot open access to console, "
            "the root account is locked|(?:Press Enter|Give root password) for (?:system )?"
            "maintenance)",
        .summary = "systemd dropped to its emergency shell",
        .sample = "You are in emergency mode. After logging in, type \"journalctl -xb\" to view",
        .near_miss = "[    3.1] systemd[1]: Started emergency-broadcast.service - Alerts.",
    },
    {
        .id = "init.unit-masked",
        .cause = "init.unit-masked",
        .severity = SEVERITY_ERROR,
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
        .id = "init.unit-refused",
        .cause = "init.unit-invalid",
        .severity = SEVERITY_ERROR,
        .confidence = 0.93,
        .pattern = "^(?:\\S+: Cannot add dependency job, ignoring: Unit )?(%{UNIT})(?:: (?:Service "
                   "(?:has no|lacks both) ExecStart=|Service has more than one|Unit configuration "
                   "has fatal error|.*Refusing\\.|Failed to load (?:configuration|environment "
                   "files))| has a bad unit file setting)",
        .summary = "systemd refuses the unit file of $1",
        .sample = "[    3.1] systemd[1]: vm-browser-agent.service: Service has no ExecStart=, "
                  "ExecStop=, or SuccessAction=. Refusing.",
        .near_miss = "[    3.1] systemd[1]: other.service: Service has no ExecStart=. Refusing.",
    },
    {
        .id = "init.unit-syntax",
        .cause = "init.unit-invalid",
        .severity = SEVERITY_NOTE,
        .confidence = 0.5,
        .pattern = "^/\\S*/(%{UNIT}):\\d+: (.+)",
        .summary = "systemd does not understand a line of the unit file: $2",
        .sample = "[    3.1] systemd[1]: /etc/systemd/system/vm-browser-agent.service:7: Unknown "
                  "section 'Servce'. Ignoring.",
        .near_miss = "[    3.1] systemd[1]: /etc/systemd/system/other.service:7: Unknown section.",
    },
    {
        .id = "init.ordering-cycle",
        .cause = "init.ordering-cycle",
        .severity = SEVERITY_ERROR,
        .confidence = 0.93,
        .pattern = "Job (%{UNIT})/start deleted to break ordering cycle",
        .literal = "deleted to break ordering cycle",
        .summary = "systemd deleted the start job of $1 to break an ordering cycle",
        .sample = "[    3.1] systemd[1]: multi-user.target: Job vm-browser-agent.service/start "
                  "deleted to "
                  "break ordering cycle starting with multi-user.target/start",
        .near_miss = "[    3.1] systemd[1]: a.target: Job other.service/start deleted to break "
                     "ordering cycle starting with a.target/start",
    },
    {
        .id = "init.freezing",
        .cause = "init.not-reached",
        .severity = SEVERITY_FATAL,
        .confidence = 0.9,
        .pattern =
            "^(?:Freezing execution|Caught <\\w+>(?:, dumped core)?|Failed to mount early API "
            "filesystems|!!!!!! .*Freez)",
        .summary = "systemd itself died",
        .sample = "[    3.2] systemd[1]: Freezing execution.",
        .near_miss = "[    3.2] app[9]: Freezing water",
    },
};

const struct analyzer analyzer_init = {
    .name = "init",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .run = jobs_judge,
};
