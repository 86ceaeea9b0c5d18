/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scenes: synthetic consoles (no real boot) made of real lines, and what must be said of them. Each
 * is analysed as it stands, and, cut anywhere, as a bare console: that must never name another
 * cause with confidence.
 */
#ifndef BOOTDIAG_TESTS_SCENES_H
#define BOOTDIAG_TESTS_SCENES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzers/analysis.h"
#include "analyzers/rules.h"
#include "harness/base/mem.h"
#include "harness/record.h"

#define CUT "\xe2\x80\xa6"

/* Debian 12, systemd 252, the journal on the console. */
#define JOURNAL                                                                                    \
    "[    0.000000] Linux version 6.1.0 (debian)\r\n"                                              \
    "[    2.261833] virtio_blk virtio0: [vda] 718848 512-byte logical blocks\r\n"                  \
    "[    2.342415] EXT4-fs (vda): mounted filesystem with ordered data mode.\r\n"                 \
    "[    2.957194] systemd[1]: systemd 252.39-1~deb12u2 running in system mode (+PAM)\r\n"        \
    "[    7.490885] systemd[1]: Started systemd-journald.service - Journal Service.\r\n"           \
    "[   10.642035] virtio_net virtio1 eth0: renamed from enp0s2\r\n"                              \
    "[   11.461070] systemd-networkd[123]: eth0: Gained carrier\r\n"                               \
    "[   11.622891] systemd-networkd[123]: eth0: DHCPv4 address 10.0.2.15/24 acquired\r\n"         \
    "[   11.700000] systemd[1]: Reached target network.target - Network.\r\n"
#define J_STARTED                                                                                  \
    "[   12.087667] systemd[1]: Started vm-browser-agent.service - VM Browser OAuth Agent.\r\n"    \
    "[  OK  ] Started vm-browser-agent.s" CUT "vice - VM Browser OAuth Agent.\r\n"
#define J_EXIT(at, status)                                                                         \
    "[   " at "] systemd[1]: vm-browser-agent.service: Main process exited, code=exited, "         \
    "status=" status "\r\n"                                                                        \
    "[   " at "] systemd[1]: vm-browser-agent.service: Failed with result 'exit-code'.\r\n"
#define J_AGAIN(at)                                                                                \
    "[   " at "] systemd[1]: vm-browser-agent.service: Scheduled restart job, restart counter is " \
    "at 1.\r\n"                                                                                    \
    "[   " at "] systemd[1]: Stopped vm-browser-agent.service - VM Browser OAuth Agent.\r\n"       \
    "[   " at "] systemd[1]: Started vm-browser-agent.service - VM Browser OAuth Agent.\r\n"
#define S(at, text) "[   " at "] start-all.sh[139]: " text "\r\n"
#define A(at, text) "[   " at "] start-all.sh[142]: " text "\r\n"
#define J_SCRIPT    J_STARTED S("12.451392", "[SUPERVISOR] Waiting for systemd services to start...")
#define J_AGENT                                                                                    \
    J_SCRIPT S("12.544614", "[SUPERVISOR] OAuth agent PID: 142")                                   \
        S("12.562924", "[SUPERVISOR] WebRTC server PID: 143")
#define J_DIED(at) S(at, "[SUPERVISOR] OAuth agent died (PID 142), restarting...")
#define J_READY                                                                                    \
    A("15.749006", "{\"level\":\"info\",\"msg\":\"VM Browser Agent started\",\"port\":8080,"       \
                   "\"vmIP\":\"10.0.2.15\"}")

/* Debian 13, systemd 257, plain coloured status lines; the script writes to the console itself. */
#define OK_     "[\x1b[0;32m  OK  \x1b[0m] "
#define FAILED_ "[\x1b[0;1;31mFAILED\x1b[0m] "
#define DEPEND_ "[\x1b[0;1;38:5:185mDEPEND\x1b[0m] "
#define PLAIN                                                                                      \
    "[    0.000000] Linux version 6.12.48 (debian)\r\n"                                            \
    "[    2.261833] virtio_blk virtio0: [vda] 718848 512-byte logical blocks\r\n"                  \
    "[    2.342415] EXT4-fs (vda): mounted filesystem with ordered data mode.\r\n"                 \
    "[    2.957194] systemd[1]: systemd 257.8-1~deb13u2 running in system mode (+PAM)\r\n"         \
    "\r\nWelcome to \x1b[1mDebian GNU/Linux 13 (trixie)\x1b[0m!\r\n\r\n" OK_                       \
    "Started systemd-journald.service - Journal Service.\r\n" OK_                                  \
    "Reached target network.target - Network.\r\n"
#define P_STARTED OK_ "Started vm-b" CUT "vice - VM Browser Services (OAuth + WebRTC).\r\n"
#define P_AGENT   P_STARTED "[SUPERVISOR] starting up\r\n[SUPERVISOR] OAuth agent PID: 142\r\n"
#define LOGIN     "\r\nvm login: "

struct scene {
    const char *name;
    const char *console;
    int64_t ended_ms;   /* given up at that time, with the port silent; 0: a bare console */
    const char *cause;  /* NULL: no verdict */
    const char *accept; /* another answer that is right, too, or NULL */
    const char *says;   /* in the verdict's summary, or NULL */
    const struct service *service; /* NULL: production's */
};

static inline void scene_analyse(const struct scene *scene, struct ruleset *rules, size_t len,
                                 bool bare, struct analysis *ret_analysis)
{
    auto_record struct record record;
    record_init(&record);
    record.source = mem_strdup(scene->name);
    record.console = (struct bytes){.data = scene->console, .len = len};
    record.vmm.exit_code = -1;
    if (scene->service != NULL) {
        service_release(&record.service);
        service_copy(&record.service, scene->service);
    }
    if (!bare && scene->ended_ms > 0) {
        record.end = RECORD_END_DEADLINE;
        record.ended_ms = record.deadline_ms = scene->ended_ms;
    }
    analysis_init(ret_analysis, &record, rules, NULL);
    record.console = (struct bytes){0};
}

static inline bool scene_accepts(const struct scene *scene, const char *cause)
{
    return cause == NULL || (scene->cause != NULL && strcmp(cause, scene->cause) == 0) ||
           (scene->accept != NULL && strcmp(cause, scene->accept) == 0);
}

static inline struct ruleset *scene_rules(const struct scene *scene)
{
    struct record record;
    struct err err = {0};
    record_init(&record);
    struct ruleset *rules =
        ruleset_new(scene->service != NULL ? scene->service : &record.service, &err);
    record_release(&record);
    assert_non_null(rules);
    return rules;
}

static inline void test_scene(void **state)
{
    const struct scene *scene = *state;
    struct ruleset *rules = scene_rules(scene);
    struct analysis analysis;
    scene_analyse(scene, rules, strlen(scene->console), false, &analysis);
    const char *cause = analysis.verdict.cause;
    if ((cause == NULL) != (scene->cause == NULL) || !scene_accepts(scene, cause))
        fail_msg("said %s (%s), not %s", cause != NULL ? cause : "nothing",
                 cause != NULL ? analysis.verdict.summary : "-",
                 scene->cause != NULL ? scene->cause : "nothing");
    if (scene->says != NULL && strstr(analysis.verdict.summary, scene->says) == NULL)
        fail_msg("says \"%s\", not \"%s\"", analysis.verdict.summary, scene->says);
    analysis_release(&analysis);
    ruleset_free(rules);
}

/* Each line whole, and broken off in its middle. */
static inline void test_scene_cut_anywhere(void **state)
{
    const struct scene *scene = *state;
    struct ruleset *rules = scene_rules(scene);
    size_t len = strlen(scene->console), start = 0;
    for (size_t i = 0; i < len; i++) {
        if (scene->console[i] != '\n')
            continue;
        const size_t cuts[] = {start + (i - start) / 2, start + (i - start) * 4 / 5, i + 1};
        for (size_t k = 0; k < sizeof(cuts) / sizeof(cuts[0]); k++) {
            struct analysis analysis;
            scene_analyse(scene, rules, cuts[k], true, &analysis);
            if (!scene_accepts(scene, analysis.verdict.cause))
                fail_msg("cut at byte %zu: says %s (%s), not %s", cuts[k], analysis.verdict.cause,
                         analysis.verdict.summary, scene->cause != NULL ? scene->cause : "nothing");
            analysis_release(&analysis);
        }
        start = i + 1;
    }
    ruleset_free(rules);
}

/* Each scene twice: as it stands, and cut. */
static inline int run_scenes(const struct scene *scenes, size_t n)
{
    struct CMUnitTest *tests = calloc(2 * n, sizeof(*tests));
    char(*names)[160] = calloc(n, sizeof(*names));
    for (size_t i = 0; i < n; i++) {
        snprintf(names[i], sizeof(names[i]), "%s_cut_anywhere", scenes[i].name);
        tests[2 * i] = (struct CMUnitTest){.name = scenes[i].name,
                                           .test_func = test_scene,
                                           .initial_state = (void *)(uintptr_t)&scenes[i]};
        tests[2 * i + 1] = (struct CMUnitTest){.name = names[i],
                                               .test_func = test_scene_cut_anywhere,
                                               .initial_state = (void *)(uintptr_t)&scenes[i]};
    }
    int failed = _cmocka_run_group_tests("scenes", tests, 2 * n, NULL, NULL);
    free(tests);
    free(names);
    return failed;
}

#endif
