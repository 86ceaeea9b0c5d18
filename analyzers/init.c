/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init: what systemd says of itself and of its jobs. What it says of one unit's life is in
 * unit_fate.c.
 *
 * Sources of the wording: systemd 245 to 257, src/core/{job,manager,transaction,unit,main}.c.
 */
#include "analyzers/analyzer.h"
#include "analyzers/waits.h"

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
        /* A unit of Type=oneshot is finished, not started. */
        .id = "init.unit-started",
        .milestone = "unit-started",
        .pattern = "^(?:Started|Finished) (%{UNIT})\\.?$",
        .summary = "systemd started the service's unit: it forked a process",
        .sample = "[  OK  ] Started vm-browser-agent.s\xe2\x80\xa6vice - VM Browser OAuth Agent.",
        .near_miss = "[  OK  ] Started vm-browser-cleanup.timer - Clean-up.",
    },
    {
        .id = "init.unit-started-cut",
        .pattern = "^(?:Started|Finished) (\\S{1,7}\\xe2\\x80\\xa6.+?)\\.?$",
        .literal = "ed ",
        .summary = "systemd started a unit whose name it shortened",
        .sample = "[  OK  ] Started vm-b\xe2\x80\xa6vice - VM Browser OAuth Agent.",
        .near_miss =
            "[  OK  ] Started vm-browser-agent.s\xe2\x80\xa6vice - VM Browser OAuth Agent.",
    },
    {
        .id = "init.job-starting",
        /* Without its dots the line was cut by another writer: such a name is never closed. */
        .pattern = "^(?:Starting|Mounting|Activating swap|Expecting device) (.+?)(?:\\.\\.\\.|"
                   "\\xe2\\x80\\xa6)$",
        .summary = "systemd begins to start $1",
        .sample = "         Starting systemd-networkd.\xe2\x80\xa6ice - Network Configuration...",
        .near_miss = "[    5.0] systemd[1]: Started systemd-networkd.service - Network.",
    },
    {
        .id = "init.job-done",
        .pattern = "^(?:Started|Finished|Mounted|Activated swap|Found device) (.+?)\\.?$",
        .summary = "systemd started $1",
        .sample = "[    6.542274] systemd[1]: Finished systemd-sysctl.service - Apply Variables.",
        .near_miss = "         Starting systemd-sysctl.service - Apply Variables...",
    },
    {
        .id = "init.job-stopped",
        .pattern = "^(?:Stopped|Unmounted|Deactivated swap) (.+?)\\.?$",
        .summary = "systemd stopped $1",
        .sample =
            "[   11.5] systemd[1]: Stopped vm-browser-agent.service - VM Browser OAuth Agent.",
        .near_miss = "[   11.5] systemd[1]: Stopping vm-browser-agent.service - VM Browser...",
    },
    {
        /* On demand only: a restart after an exit goes without it. */
        .id = "init.job-stopping",
        .pattern = "^Stopping (.+?)(?:\\.\\.\\.|\\xe2\\x80\\xa6)$",
        .literal = "Stopping ",
        .summary = "systemd begins to stop $1",
        .sample = "[   11.5] systemd[1]: Stopping vm-browser-agent.service - VM Browser...",
        .near_miss =
            "[   11.5] systemd[1]: Stopped vm-browser-agent.service - VM Browser OAuth Agent.",
    },
    {
        /* Versions 245 to 250, and 251 and later. */
        .id = "init.job-skipped",
        .pattern =
            "^(?|Condition check resulted in (.+?) being skipped\\.?$|(.+?) was skipped because "
            "(?:of "
            "an unmet condition check \\((.+?)\\)|all trigger condition checks failed|no trigger "
            "condition checks were met)\\.?$)",
        .summary = "systemd did not start $1: its condition does not hold ($2)",
        .sample =
            "[    5.1] systemd[1]: apparmor.service - Load AppArmor profiles was skipped because "
            "of an unmet condition check (ConditionSecurity=apparmor).",
        .near_miss = "[    5.1] app[9]: the update was skipped because of an error",
    },
    {
        .id = "init.job-assertion",
        .severity = SEVERITY_ERROR,
        .pattern = "^(?:\\[ASSERT\\] )?Assertion failed for (.+?)\\.?$",
        .literal = "Assertion failed for ",
        .summary = "systemd did not start $1: its assertion does not hold",
        .sample = "[    5.1] systemd[1]: Assertion failed for x.service - X.",
        .near_miss = "[    5.1] app[9]: Assertion failed: p != NULL",
    },
    {
        .id = "init.job-failed",
        .severity = SEVERITY_ERROR,
        .pattern = "^Failed to (?:start|mount|listen on|activate|activate swap|set up automount) "
                   "(.+?)\\.?$",
        .literal = "Failed to ",
        .summary = "systemd could not start $1",
        .sample = "[FAILED] Failed to start tigervnc.s\xe2\x80\xa6"
                  "C server on display :1 (stand-in).",
        .near_miss = "[    2.799876] systemd[1]: Failed to find module 'autofs4'",
    },
    {
        .id = "init.job-timeout",
        .severity = SEVERITY_ERROR,
        .pattern =
            "^Timed out (?:starting|waiting for device|mounting|listening on|activating swap|"
            "setting up automount) (.+?)\\.?$",
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
        .id = "init.job-result",
        .severity = SEVERITY_NOTE,
        .pattern = "^(\\S+): Job \\S+/start failed with result '([\\w-]+)'",
        .literal = "/start failed with result '",
        .summary = "The start of $1 failed: $2",
        .sample =
            "[    8.2] systemd[1]: vm-browser-agent.service: Job vm-browser-agent.service/start "
            "failed with result 'dependency'.",
        .near_miss = "[    8.2] systemd[1]: x.service: Failed with result 'exit-code'.",
    },
    {
        /* The second form where systemd shows names (249 and later); its status text may follow. */
        .id = "init.job-running",
        .pattern = "^(?:\\(\\d+ of \\d+\\) )?(?|A start job is running for (.+?)|Job (\\S+)/start "
                   "running) \\(([^()/]*?)(?: / ([^()]*))?\\)(?:: .*)?$",
        .summary = "systemd waits for $1",
        .sample =
            "[  *** ] A start job is running for Wait for Network to be Configured (31s / 2min)",
        .near_miss = "[  *** ] A stop job is running for Session 1 of user root (3s / 1min 30s)",
    },
    {
        .id = "init.emergency",
        .cause = "init.emergency-mode",
        .severity = SEVERITY_FATAL,
        .confidence = 0.95,
        .pattern =
            "^(?:(?:You are in|Welcome to) (?:emergency|rescue) mode|Reached target (?:emergency\\."
            "target|Emergency Mode|rescue\\.target|Rescue (?:Mode|Shell))|Started (?:emergency\\."
            "service|rescue\\.service|Emergency Shell|Rescue Shell)|Cannot open access to console, "
            "the root account is locked|(?:Press Enter|Give root password) for (?:system )?"
            "maintenance)",
        .summary = "systemd dropped to its emergency shell",
        .sample = "You are in emergency mode. After logging in, type \"journalctl -xb\" to view",
        .near_miss = "[    3.1] systemd[1]: Started emergency-broadcast.service - Alerts.",
    },
    {
        .id = "init.cycle-found",
        .severity = SEVERITY_NOTE,
        .pattern = "^(\\S+): Found ordering cycle(?: on|:) (\\S+)",
        .literal = ": Found ordering cycle",
        .summary = "The units around $1 wait for each other",
        .sample = "[    3.1] systemd[1]: multi-user.target: Found ordering cycle on "
                  "vm-browser-agent.service/start",
        .near_miss = "[    3.1] systemd[1]: multi-user.target: Found dependency on x.service/start",
    },
    {
        /* The status line shows the unit as all of them do, the journal its name. */
        .id = "init.ordering-cycle",
        .cause = "init.ordering-cycle",
        .severity = SEVERITY_ERROR,
        .confidence = 0.93,
        .pattern = "(?:Job (%{UNIT})/start deleted to break ordering cycle|^Ordering cycle found, "
                   "skipping (%{UNIT})\\.?$)",
        .summary = "systemd deleted the start job of $1$2 to break an ordering cycle",
        .sample = "[    3.1] systemd[1]: multi-user.target: Job vm-browser-agent.service/start "
                  "deleted to break ordering cycle starting with multi-user.target/start",
        .near_miss = "[    3.1] systemd[1]: a.target: Job other.service/start deleted to break "
                     "ordering cycle starting with a.target/start",
    },
    {
        .id = "init.cycle-skip",
        .severity = SEVERITY_NOTE,
        .pattern = "(?:Job (\\S+)/start deleted to break ordering cycle|^Ordering cycle found, "
                   "skipping (.+?)\\.?$)",
        .summary = "systemd deleted the start job of $1$2 to break an ordering cycle",
        .sample = "[ SKIP ] Ordering cycle found, skipping vm-b\xe2\x80\xa6vice - VM Browser Agent",
        .near_miss = "[ SKIP ] Skipping the check of /dev/vda",
    },
    {
        .id = "init.freezing",
        .cause = "init.not-reached",
        .severity = SEVERITY_FATAL,
        .confidence = 0.9,
        .pattern =
            "^(?:Freezing execution|Caught <\\w+>(?:, dumped core|, core dump failed|, cannot "
            "fork)|Failed to mount early API filesystems|\\[!!!!!!\\] .*(?:[Ff]reez|exit|reboot))",
        .summary = "systemd itself died",
        .sample = "[    3.2] systemd[1]: Freezing execution.",
        .near_miss = "[    3.2] app[9]: Freezing water",
    },
};

const struct analyzer analyzer_init = {
    .name = "init",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .run = waits_judge,
};
