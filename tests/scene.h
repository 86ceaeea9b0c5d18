/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scene: a small synthetic record (no real boot: telling lines of real programs, put together for
 * the test) and what must be said of it. One cmocka test per row of a table, or two: a console that
 * was cut anywhere must never name another cause.
 */
#ifndef BOOTDIAG_TEST_SCENE_H
#define BOOTDIAG_TEST_SCENE_H

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
#include "harness/base/mem.h"
#include "harness/record.h"

struct scene {
    const char *name;
    const char *console;           /* NULL: not a byte */
    int64_t ended_ms;              /* 0: not known */
    const char *cause;             /* of the verdict; NULL: there is none */
    const char *accept;            /* another cause that is right, too; or NULL */
    const char *says;              /* a part of the summary; or NULL */
    const struct service *service; /* NULL: production's */

    enum record_end end; /* not given: the deadline, if it is known when it ended */
    const char *vmm_log;
    int64_t cpu_ms;        /* 0: not known */
    int exit_code, signal; /* of the VMM, if `end` says that it ended */
    bool probed;           /* it met `met` ten times, from 1 s to the end */
    enum probe_class met;
    const char *network, *backend, *cmdline, *accelerator;
    int memory_mib;
    int64_t kernel_size, initrd_size;   /* 0: not known */
    const char *vm_id, *status, *error; /* the controller's */
    const char *description;            /* the target's own; NULL: production's */
    double steal_pct;
    int64_t line_ms; /* a line of the console arrives every so often; 0: nobody knows when */

    double above, below; /* the verdict's confidence, both inclusive; below 0: any */
    const char *also;    /* a cause that contributes; or NULL */
};

static inline char *scene_copy(const char *text)
{
    return text != NULL ? mem_strdup(text) : NULL;
}

static inline void scene_probe(const struct scene *scene, struct record *record)
{
    if (!scene->probed)
        return;
    record->probe.runs = mem_calloc(1, sizeof(*record->probe.runs));
    record->probe.n_runs = 1;
    record->probe.runs[0] = (struct probe_run){
        .class = scene->met, .from_ms = 1000, .to_ms = scene->ended_ms, .count = 10};
}

static inline void scene_times(const struct scene *scene, struct record *record)
{
    size_t n = 0;
    for (const char *at = scene->console; at != NULL && *at != '\0'; at++)
        n += *at == '\n';
    if (scene->line_ms == 0 || n == 0)
        return;
    record->times = mem_calloc(n, sizeof(*record->times));
    for (const char *at = scene->console; *at != '\0'; at++) {
        bool begins = at == scene->console || at[-1] == '\n';
        if (begins && record->n_times < n) {
            record->times[record->n_times] =
                (struct record_time){.offset = (uint64_t)(at - scene->console),
                                     .at_ms = (int64_t)(record->n_times + 1) * scene->line_ms};
            record->n_times++;
        }
    }
}

static inline size_t scene_len(const struct scene *scene)
{
    return scene->console != NULL ? strlen(scene->console) : 0;
}

/* What a bare console of that length says of itself. The bytes are borrowed. */
static inline void scene_console(const struct scene *scene, size_t len, struct record *record)
{
    record->source = mem_strdup(scene->name);
    record->vmm.exit_code = -1;
    if (scene->console != NULL)
        record->console = (struct bytes){.data = scene->console, .len = len};
    if (scene->service != NULL) {
        service_release(&record->service);
        service_copy(&record->service, scene->service);
    }
}

static inline void scene_record(const struct scene *scene, struct record *record)
{
    bool exited = scene->end == RECORD_END_VMM_EXIT || scene->end == RECORD_END_START_FAILED;
    record_init(record);
    scene_console(scene, scene_len(scene), record);
    record->end = scene->end;
    if (scene->ended_ms > 0) {
        record->ended_ms = record->deadline_ms = scene->ended_ms;
        if (scene->end == RECORD_END_UNKNOWN)
            record->end = RECORD_END_DEADLINE;
    }
    if (scene->cpu_ms > 0)
        record->vmm.cpu_ms = scene->cpu_ms;
    record->vmm.exit_code = exited && scene->signal == 0 ? scene->exit_code : -1;
    record->vmm.signal = scene->signal;
    record->host.steal_pct = scene->steal_pct;
    record->guest.memory_mib = scene->memory_mib;
    record->kernel.size = scene->kernel_size > 0 ? scene->kernel_size : RECORD_UNKNOWN;
    record->initrd.size = scene->initrd_size > 0 ? scene->initrd_size : RECORD_UNKNOWN;
    record->probe.network = scene_copy(scene->network);
    record->backend = scene_copy(scene->backend);
    record->guest.cmdline = scene_copy(scene->cmdline);
    record->host.accelerator = scene_copy(scene->accelerator);
    record->vm_id = scene_copy(scene->vm_id);
    record->controller.status = scene_copy(scene->status);
    record->controller.error = scene_copy(scene->error);
    if (scene->description != NULL) {
        free(record->service.description);
        record->service.description = mem_strdup(scene->description);
        record->has_service = true;
    }
    if (scene->vmm_log != NULL)
        record->vmm_log = (struct bytes){.data = scene->vmm_log, .len = strlen(scene->vmm_log)};
    scene_probe(scene, record);
    scene_times(scene, record);
}

static inline bool scene_contributes(const struct analysis *analysis, const char *cause)
{
    for (size_t i = 0; i < analysis->n_contributing; i++)
        if (strcmp(analysis->contributing[i].cause, cause) == 0)
            return true;
    return false;
}

static inline bool scene_accepts(const struct scene *scene, const char *cause)
{
    return (scene->cause != NULL && strcmp(cause, scene->cause) == 0) ||
           (scene->accept != NULL && strcmp(cause, scene->accept) == 0);
}

static inline const char *scene_word(const char *cause)
{
    return cause != NULL ? cause : "nothing";
}

static inline void scene_check(const struct scene *scene, const struct analysis *analysis)
{
    const struct verdict *verdict = &analysis->verdict;
    if (verdict->cause == NULL ? scene->cause != NULL : !scene_accepts(scene, verdict->cause))
        fail_msg("said %s (%.2f, %s), not %s", scene_word(verdict->cause), verdict->confidence,
                 verdict->cause != NULL ? verdict->summary : "-", scene_word(scene->cause));
    if (verdict->confidence < scene->above ||
        (scene->below > 0 && verdict->confidence > scene->below))
        fail_msg("confidence %.2f", verdict->confidence);
    if (scene->also != NULL && !scene_contributes(analysis, scene->also))
        fail_msg("%s does not contribute", scene->also);
    if (scene->says != NULL && strstr(verdict->summary, scene->says) == NULL)
        fail_msg("does not say \"%s\": %s", scene->says, verdict->summary);
}

static inline struct ruleset *scene_rules(const struct record *record)
{
    struct err err = {0};
    struct ruleset *rules = ruleset_new(&record->service, &err);
    assert_non_null(rules);
    return rules;
}

static inline void scene_release(struct record *record)
{
    record->console = record->vmm_log = (struct bytes){0};
    record_release(record);
}

static inline void test_scene(void **state)
{
    const struct scene *scene = *state;
    struct record record;
    struct analysis analysis;
    scene_record(scene, &record);
    struct ruleset *rules = scene_rules(&record);
    analysis_init(&analysis, &record, rules, NULL);
    scene_check(scene, &analysis);
    analysis_release(&analysis);
    ruleset_free(rules);
    scene_release(&record);
}

/* The first `len` bytes, as a bare console, must not name another cause. */
static inline void scene_check_cut(const struct scene *scene, struct ruleset *rules, size_t len)
{
    struct record record;
    struct analysis analysis;
    record_init(&record);
    scene_console(scene, len, &record);
    analysis_init(&analysis, &record, rules, NULL);
    const struct verdict *verdict = &analysis.verdict;
    if (verdict->cause != NULL && !scene_accepts(scene, verdict->cause))
        fail_msg("cut at byte %zu: says %s (%s), not %s", len, verdict->cause, verdict->summary,
                 scene_word(scene->cause));
    analysis_release(&analysis);
    scene_release(&record);
}

/* Each line whole, and broken off in its middle. */
static inline void test_scene_cut_anywhere(void **state)
{
    const struct scene *scene = *state;
    struct record record;
    scene_record(scene, &record);
    struct ruleset *rules = scene_rules(&record);
    size_t start = 0;
    for (size_t i = 0; i < record.console.len; i++) {
        if (scene->console[i] != '\n')
            continue;
        scene_check_cut(scene, rules, start + (i - start) / 2);
        scene_check_cut(scene, rules, start + (i - start) * 4 / 5);
        scene_check_cut(scene, rules, i + 1);
        start = i + 1;
    }
    ruleset_free(rules);
    scene_release(&record);
}

static inline int scenes_run_tests(const char *group, const struct scene *scenes, size_t n,
                                   CMUnitTestFunction test)
{
    struct CMUnitTest *tests = mem_calloc(n, sizeof(*tests));
    for (size_t i = 0; i < n; i++)
        tests[i] = (struct CMUnitTest){.name = scenes[i].name,
                                       .test_func = test,
                                       .initial_state = (void *)(uintptr_t)&scenes[i]};
    int failed = _cmocka_run_group_tests(group, tests, n, NULL, NULL);
    free(tests);
    return failed != 0;
}

/* Runs one test for each scene; returns what main() must. */
static inline int scenes_run(const char *group, const struct scene *scenes, size_t n)
{
    return scenes_run_tests(group, scenes, n, test_scene);
}

/* The same, and each scene's console again, cut behind and within each of its lines. */
static inline int scenes_run_cut(const char *group, const struct scene *scenes, size_t n)
{
    int failed = scenes_run(group, scenes, n);
    return scenes_run_tests("cut anywhere", scenes, n, test_scene_cut_anywhere) | failed;
}

#endif
