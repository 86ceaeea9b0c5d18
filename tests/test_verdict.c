/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which cause wins, on small synthetic records (no real boot): each is a good boot's telling lines,
 * cut and changed. The contract is fixtures/contract/precedence.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzers/analysis.h"
#include "analyzers/rules.h"
#include "analyzers/stage.h"
#include "harness/base/mem.h"
#include "harness/record.h"

#define KERNEL                                                                                     \
    "[    0.000000] Linux version 6.1.0 (debian)\r\n"                                              \
    "[    1.017287] PCI host bridge to bus 0000:00\r\n"                                            \
    "[    1.037361] pci 0000:00:02.0: [1af4:1000] type 00 class 0x020000\r\n"                      \
    "[    2.261833] virtio_blk virtio0: [vda] 718848 512-byte logical blocks\r\n"                  \
    "[    2.342415] EXT4-fs (vda): mounted filesystem with ordered data mode.\r\n"
#define INIT                                                                                       \
    KERNEL "[    2.957194] systemd[1]: systemd 252 running in system mode (+PAM)\r\n"              \
           "[    7.490885] systemd[1]: Started systemd-journald.service - Journal Service.\r\n"
#define NETWORKD                                                                                   \
    INIT "[   10.642035] (udev-worker)[126]: Network interface NamePolicy= disabled on kernel "    \
         "command line.\r\n"                                                                       \
         "[   11.127780] systemd-networkd[123]: Enumeration completed\r\n"                         \
         "[   11.154182] systemd[1]: Reached target network.target - Network.\r\n"
#define WAIT                                                                                       \
    "[   11.205463] systemd[1]: Starting systemd-networkd-wait-online.service - Wait for Network " \
    "to be Configured...\r\n"
#define LOGIN "\r\nvm login: "
#define ADDRESS                                                                                    \
    NETWORKD WAIT                                                                                  \
        "[   11.189306] systemd-networkd[123]: eth0: Configuring with /etc/x.network.\r\n"         \
        "[   11.461070] systemd-networkd[123]: eth0: Gained carrier\r\n"                           \
        "[   11.622891] systemd-networkd[123]: eth0: DHCPv4 address 10.0.2.15/24 acquired\r\n"     \
        "[   12.015735] systemd[1]: Finished systemd-networkd-wait-online.service - Wait for "     \
        "Network to be Configured.\r\n"
#define UNIT                                                                                       \
    ADDRESS "[   12.087667] systemd[1]: Started vm-browser-agent.service - VM Browser.\r\n"        \
            "[   12.098041] systemd[1]: Reached target multi-user.target - Multi-User System.\r\n"
#define SUPERVISOR UNIT "[   12.451392] start-all.sh[139]: [SUPERVISOR] Waiting for services...\r\n"
#define AGENT                                                                                      \
    SUPERVISOR "[   12.544614] start-all.sh[139]: [SUPERVISOR] OAuth agent PID: 142\r\n"           \
               "[   12.562924] start-all.sh[139]: [SUPERVISOR] WebRTC server PID: 143\r\n"
#define READY(ip)                                                                                  \
    "[   15.749006] start-all.sh[142]: {\"level\":\"info\",\"msg\":\"VM Browser Agent "            \
    "started\",\"port\":8080,\"vmIP\":\"" ip "\"}\r\n"
#define DIED(at)                                                                                   \
    "[   " at "] start-all.sh[139]: [SUPERVISOR] OAuth agent died (PID 142), restarting...\r\n"

struct scene {
    const char *name;
    const char *console, *vmm_log;
    enum record_end end;
    int64_t ended_ms;
    int exit_code;         /* -1: none */
    enum probe_class last; /* met from 1 s to the end; PROBE_N_CLASSES: no probe */
    const char *network;   /* "user" */
    const char *cause;     /* NULL: no verdict */
    enum outcome outcome;
    const char *also; /* an id in contributing, or NULL */
};

#define BARE .end = RECORD_END_UNKNOWN, .ended_ms = -1, .exit_code = -1, .last = PROBE_N_CLASSES
#define DEADLINE(ms, class)                                                                        \
    .end = RECORD_END_DEADLINE, .ended_ms = (ms), .exit_code = -1, .last = (class),                \
    .network = "user"
#define EXITED(ms, code)                                                                           \
    .end = RECORD_END_VMM_EXIT, .ended_ms = (ms), .exit_code = (code), .last = PROBE_REFUSED,      \
    .network = "user"

static const struct scene scenes[] = {
    {"good", AGENT READY("10.0.2.15"), NULL, RECORD_END_READY, 16000, -1, PROBE_READY, "user", NULL,
     OUTCOME_READY, NULL},
    {"good_bare", AGENT READY("10.0.2.15"), BARE, .outcome = OUTCOME_READY},
    {"companion_restarts_are_normal",
     AGENT READY(
         "10.0.2.15") "[   20.1] start-all.sh[139]: [SUPERVISOR] WebRTC server died (PID 143), "
                      "restarting...\r\n",
     BARE, .outcome = OUTCOME_READY},
    {"companion_exception_is_not_the_agents",
     AGENT
     "[   13.100000] start-all.sh[143]: TypeError: x is not a function\r\n" READY("10.0.2.15"),
     BARE, .outcome = OUTCOME_READY},
    {"error_before_ready_was_survived",
     AGENT "[   13.100000] start-all.sh[142]: TypeError: x is not a function\r\n" DIED("14.100000")
         READY("10.0.2.15"),
     BARE, .outcome = OUTCOME_READY},
    {"later_failure_beats_earlier_success",
     AGENT READY(
         "10.0.2.15") "[   20.100000] Kernel panic - not syncing: sysrq triggered crash\r\n",
     BARE, .cause = "kernel.panic", .outcome = OUTCOME_FAILED},
    {"a_later_boot_on_the_same_console_came_up",
     INIT "[    5.646061] Kernel panic - not syncing: sysrq triggered crash\r\n" AGENT READY(
         "10.0.2.15"),
     BARE, .outcome = OUTCOME_READY},
    {"a_later_boot_on_the_same_console_did_not",
     AGENT READY("10.0.2.15") INIT
     "[    5.646061] Kernel panic - not syncing: sysrq triggered crash\r\n",
     BARE, .cause = "kernel.panic", .outcome = OUTCOME_FAILED},
    {"interrupted", AGENT, NULL, RECORD_END_INTERRUPTED, 13000, -1, PROBE_RESET, "user", NULL,
     OUTCOME_UNDETERMINED, NULL},
    {"cut_anywhere_is_undetermined", NETWORKD WAIT, BARE, .outcome = OUTCOME_UNDETERMINED},
    {"panic_explains_exit_0",
     INIT "[    5.646061] Kernel panic - not syncing: sysrq triggered crash\r\n", EXITED(6000, 0),
     .cause = "kernel.panic", .outcome = OUTCOME_FAILED},
    {"panic_bare", INIT "[    5.646061] Kernel panic - not syncing: sysrq triggered crash\r\n",
     BARE, .cause = "kernel.panic", .outcome = OUTCOME_FAILED},
    {"memory_before_plain_panic",
     "[    0.000000] Linux version 6.1.0 (x)\r\n"
     "[    1.241286] Out of memory and no killable processes...\r\n"
     "[    1.241547] Kernel panic - not syncing: System is deadlocked on memory\r\n",
     EXITED(1600, 0), .cause = "kernel.out-of-memory", .outcome = OUTCOME_FAILED},
    {"exit_without_reason", INIT, EXITED(8000, 0), .cause = "vmm.guest-reset",
     .outcome = OUTCOME_FAILED},
    {"vmm_killed", INIT, EXITED(8000, 134), .cause = "vmm.crashed", .outcome = OUTCOME_FAILED},
    {"kernel_image_missing", NULL,
     "qemu-system-x86_64: could not open kernel file '/x': No such file or directory\n",
     RECORD_END_START_FAILED, 50, 1, PROBE_N_CLASSES, "user", "vmm.kernel-missing", OUTCOME_FAILED,
     NULL},
    {"root_device_missing",
     "[    0.000000] Linux version 6.1.0 (x)\r\n"
     "ALERT!  /dev/vda does not exist.  Dropping to a shell!\r\n"
     "Rebooting automatically due to panic= boot argument\r\n",
     EXITED(8000, 0), .cause = "kernel.root-device-missing", .outcome = OUTCOME_FAILED},
    {"dependency",
     ADDRESS
     "[   12.2] systemd[1]: Failed to start tigervnc.service - VNC.\r\n"
     "[DEPEND] Dependency failed for vm-b\xe2\x80\xa6vice - VM Browser OAuth Agent.\r\n" LOGIN,
     DEADLINE(40000, PROBE_RESET), .cause = "init.dependency-failed", .outcome = OUTCOME_FAILED},
    {"dependency_of_another_unit_is_nobodys_business",
     ADDRESS "[DEPEND] Dependency failed for other.service - Other.\r\n", BARE,
     .outcome = OUTCOME_UNDETERMINED},
    {"job_waits_and_nothing_says_why",
     INIT "[   11.205463] systemd[1]: Starting slow.service - Slow...\r\n" LOGIN,
     DEADLINE(60000, PROBE_NO_ANSWER), .cause = "init.job-waiting", .outcome = OUTCOME_FAILED},
    {"driver_missing_explains_the_wait",
     INIT "[   11.127780] systemd-networkd[123]: Enumeration completed\r\n" WAIT LOGIN,
     DEADLINE(60000, PROBE_NO_ANSWER), .cause = "network.driver-missing",
     .outcome = OUTCOME_FAILED},
    {"not_configured", NETWORKD WAIT LOGIN, DEADLINE(60000, PROBE_NO_ANSWER),
     .cause = "network.not-configured", .outcome = OUTCOME_FAILED},
    {"localhost_is_the_network",
     NETWORKD WAIT
     "[  129.571694] systemd[1]: Started vm-browser-agent.service - VM Browser.\r\n"
     "[  136.900000] start-all.sh[142]: {\"level\":\"info\",\"msg\":\"VM Browser Agent "
     "started\",\"port\":8080,\"vmIP\":\"localhost\"}\r\n",
     DEADLINE(150000, PROBE_NO_ANSWER), .cause = "network.not-configured",
     .outcome = OUTCOME_FAILED},
    {"interpreter",
     UNIT "[   12.455173] (t-all.sh)[123]: vm-browser-agent.service: Failed to execute "
          "/opt/start-all.sh: No such file or directory\r\n"
          "[   12.461350] (t-all.sh)[123]: vm-browser-agent.service: Failed at step EXEC spawning "
          "/opt/start-all.sh: No such file or directory\r\n"
          "[   12.469467] systemd[1]: vm-browser-agent.service: Main process exited, code=exited, "
          "status=203/EXEC\r\n",
     DEADLINE(40000, PROBE_RESET), .cause = "supervisor.bad-interpreter",
     .outcome = OUTCOME_FAILED},
    {"script_missing",
     UNIT "[   12.455173] (t-all.sh)[123]: vm-browser-agent.service: Failed to locate executable "
          "/opt/start-all.sh: No such file or directory\r\n"
          "[   12.461350] (t-all.sh)[123]: vm-browser-agent.service: Failed at step EXEC spawning "
          "/opt/start-all.sh: No such file or directory\r\n",
     DEADLINE(40000, PROBE_RESET), .cause = "supervisor.missing", .outcome = OUTCOME_FAILED},
    {"unit_user_missing",
     UNIT "[   12.469467] systemd[1]: vm-browser-agent.service: Main process exited, code=exited, "
          "status=217/USER\r\n",
     DEADLINE(40000, PROBE_RESET), .cause = "init.unit-invalid", .outcome = OUTCOME_FAILED},
    {"exit_255_is_the_scripts_own",
     UNIT "[   12.469467] systemd[1]: vm-browser-agent.service: Main process exited, code=exited, "
          "status=255/EXCEPTION\r\n",
     DEADLINE(40000, PROBE_RESET), .cause = "supervisor.silent-exit", .outcome = OUTCOME_FAILED},
    {"another_agents_exit_is_nobodys_business",
     AGENT READY("10.0.2.15") "[   20.1] systemd[1]: qemu-guest-agent.service: Main process "
                              "exited, code=exited, status=1/FAILURE\r\n",
     BARE, .outcome = OUTCOME_READY},
    {"ready_line_without_a_time_says_nothing_of_loopback",
     "{\"msg\":\"VM Browser Agent started\",\"port\":8080,\"vmIP\":\"10.0.2.15\"}\r\n",
     DEADLINE(40000, PROBE_RESET), .cause = "unknown", .outcome = OUTCOME_FAILED},
    {"module_beats_what_follows",
     AGENT "[   13.1] start-all.sh[142]: Error: Cannot find module 'session-store'\r\n" DIED(
         "17.100000") DIED("22.100000"),
     DEADLINE(40000, PROBE_RESET), .cause = "agent.module-missing", .outcome = OUTCOME_FAILED},
    {"port_in_use_although_it_lives",
     AGENT "[   15.100000] start-all.sh[142]: {\"level\":\"error\",\"msg\":\"HTTP server "
           "error\",\"code\":\"EADDRINUSE\"}\r\n",
     DEADLINE(60000, PROBE_RESET), .cause = "agent.port-in-use", .outcome = OUTCOME_FAILED},
    {"loop_without_output", AGENT DIED("17.100000") DIED("22.100000"), DEADLINE(60000, PROBE_RESET),
     .cause = "agent.crash-loop", .outcome = OUTCOME_FAILED},
    {"hung", AGENT LOGIN, DEADLINE(60000, PROBE_RESET), .cause = "agent.hung",
     .outcome = OUTCOME_FAILED},
    {"not_hung_but_cut_short", AGENT LOGIN, DEADLINE(14000, PROBE_RESET),
     .cause = "probe.deadline-too-short", .outcome = OUTCOME_FAILED},
    {"supervisor_stuck", SUPERVISOR LOGIN, DEADLINE(60000, PROBE_RESET),
     .cause = "supervisor.stuck", .outcome = OUTCOME_FAILED},
    {"kernel_silent", KERNEL, DEADLINE(60000, PROBE_NO_ANSWER), .cause = "kernel.hung",
     .outcome = OUTCOME_FAILED},
    {"unhealthy", AGENT READY("10.0.2.15"), DEADLINE(40000, PROBE_HTTP_ERROR),
     .cause = "agent.unhealthy", .outcome = OUTCOME_FAILED},
    {"unresponsive", AGENT READY("10.0.2.15"), DEADLINE(40000, PROBE_NO_ANSWER),
     .cause = "agent.unresponsive", .outcome = OUTCOME_FAILED},
    {"stacked",
     INIT "[    5.800000] systemd-modules-load[101]: Failed to find module 'virtio_net'\r\n"
          "[   12.087667] systemd[1]: Started vm-browser-agent.service - VM Browser.\r\n"
          "[   13.100000] start-all.sh[142]: Error: Cannot find module 'session-store'\r\n",
     DEADLINE(60000, PROBE_NO_ANSWER), .cause = "network.driver-missing", .outcome = OUTCOME_FAILED,
     .also = "agent.module-missing"},
    {"nothing_known", NULL, DEADLINE(5000, PROBE_NO_ANSWER), .cause = "unknown",
     .outcome = OUTCOME_FAILED},
};

static void record_of(const struct scene *scene, struct record *record)
{
    record_init(record);
    record->source = mem_strdup(scene->name);
    record->end = scene->end;
    record->ended_ms = record->deadline_ms = scene->ended_ms;
    record->vmm.exit_code = scene->exit_code;
    if (scene->console != NULL)
        record->console = (struct bytes){.data = scene->console, .len = strlen(scene->console)};
    if (scene->vmm_log != NULL)
        record->vmm_log = (struct bytes){.data = scene->vmm_log, .len = strlen(scene->vmm_log)};
    if (scene->network != NULL)
        record->probe.network = mem_strdup(scene->network);
    if (scene->last == PROBE_N_CLASSES)
        return;
    record->probe.runs = mem_calloc(1, sizeof(*record->probe.runs));
    record->probe.n_runs = 1;
    record->probe.runs[0] = (struct probe_run){
        .class = scene->last,
        .from_ms = 1000,
        .to_ms = scene->ended_ms,
        .count = 10,
        .http_status = scene->last == PROBE_HTTP_ERROR ? 503 : 0,
    };
}

static bool contributes(const struct analysis *analysis, const char *cause)
{
    for (size_t i = 0; i < analysis->n_contributing; i++)
        if (strcmp(analysis->contributing[i].cause, cause) == 0)
            return true;
    return false;
}

static void test_scene(void **state)
{
    const struct scene *scene = *state;
    struct err err = {0};
    struct record record;
    record_of(scene, &record);
    struct ruleset *rules = ruleset_new(&record.service, &err);
    assert_non_null(rules);
    struct analysis analysis;
    analysis_init(&analysis, &record, rules, NULL);
    const char *cause = analysis.verdict.cause;
    if ((cause == NULL) != (scene->cause == NULL) ||
        (cause != NULL && strcmp(cause, scene->cause) != 0))
        fail_msg("said %s, not %s", cause != NULL ? cause : "nothing",
                 scene->cause != NULL ? scene->cause : "nothing");
    assert_int_equal(analysis.outcome, scene->outcome);
    if (scene->also != NULL)
        assert_true(contributes(&analysis, scene->also));
    double sum = analysis.verdict.confidence;
    for (size_t i = 0; i < analysis.n_alternatives; i++)
        sum += analysis.alternatives[i].confidence;
    assert_true(sum <= 1.0 + 1e-9);
    for (size_t i = 0; i < ANALYSIS_N_QUESTIONS; i++) {
        assert_non_null(analysis.questions[i].text);
        assert_true(analysis.questions[i].text[0] != '\0');
    }
    if (cause != NULL) {
        assert_true(analysis.verdict.summary[0] != '\0');
        assert_true(analysis.verdict.remedy[0] != '\0');
        assert_true(strcmp(cause, "unknown") == 0 || analysis.verdict.n_quotes > 0);
    }
    assert_int_equal(analysis.n_milestones, STAGE_N);
    analysis_release(&analysis);
    ruleset_free(rules);
    record.console = record.vmm_log = (struct bytes){0};
    record_release(&record);
}

/* What the controller answered, as the only thing that is known. */
static void test_controller_answers(void **state)
{
    static const struct {
        const char *error, *cause;
    } rows[] = {
        {"HTTP 429", "controller.rate-limited"},
        {"the controller said 429: slow down", "controller.rate-limited"},
        {"Too many requests, or IP pool exhausted", "controller.ip-pool-exhausted"},
        {"vm-4291: disk quota exceeded", "controller.error"},
        {"vm-429 has no disk", "controller.error"},
        {"429ms later it failed", "controller.error"},
    };
    struct err err = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        auto_record struct record record;
        struct analysis analysis;
        record_init(&record);
        record.end = RECORD_END_START_FAILED;
        record.vmm.exit_code = -1;
        record.controller.error = mem_strdup(rows[i].error);
        struct ruleset *rules = ruleset_new(&record.service, &err);
        assert_non_null(rules);
        analysis_init(&analysis, &record, rules, NULL);
        assert_string_equal(analysis.verdict.cause, rows[i].cause);
        analysis_release(&analysis);
        ruleset_free(rules);
    }
}

/* boot.json is somebody else's, too: what is quoted of it is masked, printable and short. */
static void test_long_error_is_cut(void **state)
{
    enum { LONG = 600 * 1000 };
    static const char start[] = "token=hunter2 \x1b[31m";
    static const struct {
        enum record_end end;
        const char *says;
    } rows[] = {
        {RECORD_END_START_FAILED, "The VM could not be started: token=*** \\x1b[31mxxx"},
        {RECORD_END_VMM_EXIT, "The VMM or its console failed: token=*** \\x1b[31mxxx"},
    };
    struct err err = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        auto_record struct record record;
        struct analysis analysis;
        record_init(&record);
        record.end = rows[i].end;
        record.vmm.exit_code = -1;
        record.vmm.error = mem_calloc(LONG, 1);
        memset(record.vmm.error, 'x', LONG - 1);
        memcpy(record.vmm.error, start, sizeof(start) - 1);
        record.vmm_log.cut = true;
        struct ruleset *rules = ruleset_new(&record.service, &err);
        assert_non_null(rules);
        analysis_init(&analysis, &record, rules, NULL);
        assert_memory_equal(analysis.verdict.summary, rows[i].says, strlen(rows[i].says));
        assert_true(strlen(analysis.verdict.summary) < FINDING_SUMMARY_SIZE);
        assert_int_equal(analysis.n_limits_hit, 1);
        assert_non_null(strstr(analysis.limits_hit[0], "vmm.log"));
        analysis_release(&analysis);
        ruleset_free(rules);
    }
}

int main(void)
{
    enum { N = sizeof(scenes) / sizeof(scenes[0]) };
    struct CMUnitTest tests[N + 2] = {
        [N] = cmocka_unit_test(test_controller_answers),
        [N + 1] = cmocka_unit_test(test_long_error_is_cut),
    };
    for (size_t i = 0; i < N; i++)
        tests[i] = (struct CMUnitTest){.name = scenes[i].name,
                                       .test_func = test_scene,
                                       .initial_state = (void *)(uintptr_t)&scenes[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
