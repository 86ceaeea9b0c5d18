/* SPDX-License-Identifier: Apache-2.0 */
/*
 * baseline: records good boots of a target into the store, under the identity of what was booted.
 *
 * They take their place there as a whole or not at all (staging.h).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/analysis.h"
#include "analyzers/baseline.h"
#include "harness/base/auto.h"
#include "harness/base/file.h"
#include "harness/base/mem.h"
#include "harness/base/say.h"
#include "harness/baselines.h"
#include "harness/cmd_baseline_check.h"
#include "harness/command.h"
#include "harness/plan.h"
#include "harness/staging.h"

enum { DEFAULT_BOOTS = 5 };

struct recording {
    struct plan plan;
    struct baseline *accepted; /* decides which boots are good enough */
    unsigned good;
};

static void recording_release(struct recording *recording)
{
    plan_release(&recording->plan);
    baseline_free(recording->accepted);
}

/* What is wrong with a boot that is not good enough: its cause if it has one. */
static char *reject(const struct recording *recording, const struct record *record,
                    const struct err *why)
{
    auto_analysis struct analysis analysis = {0};
    if (record->end == RECORD_END_INTERRUPTED)
        return mem_strdup("interrupted");
    analysis_init(&analysis, record, recording->plan.rules, NULL);
    if (analysis.verdict.cause != NULL)
        return mem_printf("not good enough for a baseline: %s", analysis.verdict.cause);
    return mem_printf("not good enough for a baseline: %s", why->message);
}

/* Keeps a good boot's record, removes every other. */
static char *on_boot_done(void *ctx, const struct boot *boot)
{
    struct recording *recording = ctx;
    const char *dir = boot_record(boot)->dir;
    auto_record struct record record;
    record_init(&record);
    struct err why = {0};
    if (record_load(&record, dir, &why) == 0 &&
        baseline_add(recording->accepted, &record, recording->plan.rules, &why) == 0) {
        recording->good++;
        return mem_printf("good, ready after %.1f s", (double)record.ready_ms / 1000);
    }
    char *text = reject(recording, &record, &why);
    (void)path_remove_tree(dir, NULL);
    return text;
}

static int record_into(struct recording *recording, const char *final, struct err *err)
{
    auto_staging struct staging staging = STAGING_INIT;
    struct campaign_result result = {0};
    if (staging_init(&staging, final, err) != 0 ||
        plan_run(&recording->plan, staging.dir, on_boot_done, recording, &result, err) != 0)
        return -1;
    if (result.interrupted)
        return err_set(err, "interrupted: no baseline was recorded");
    if (recording->good == 0)
        return err_set(
            err,
            "none of %u boots came up: no baseline was recorded; `bootdiag run` with the same "
            "options says why",
            result.done);
    return staging_commit(&staging, err);
}

static int record(const struct command_line *line)
{
    struct recording recording __attribute__((cleanup(recording_release))) = {0};
    struct err err = {0};
    struct command_line options = *line;
    options.n_operands = 0; /* "record" itself */
    if (plan_init(&recording.plan, &options, DEFAULT_BOOTS, &err) != 0)
        return say_error(&err);
    if (recording.plan.identity[0] == '\0') {
        err_set(&err, "%s: a baseline needs a target with a kernel and a root image",
                recording.plan.target.path);
        return say_error(&err);
    }
    auto_free char *final =
        path_join(command_value(line, "baselines", "runs/baselines"), recording.plan.identity);
    if (command_has(line, "if-missing") && path_is_dir(final)) {
        printf("%s\n", final);
        return EXIT_SUCCESS;
    }
    say("recording a baseline of %u good boots in %s", recording.plan.boots, final);
    recording.accepted = baseline_new(recording.plan.identity);
    if (record_into(&recording, final, &err) != 0)
        return say_error(&err);
    if (recording.good < recording.plan.boots)
        say_warning("only %u of %u boots were good", recording.good, recording.plan.boots);
    printf("%s\n", final);
    return EXIT_SUCCESS;
}

static int cmd_baseline_main(const struct command_line *line)
{
    const char *what = line->n_operands > 0 ? line->operands[0] : "";
    if (line->n_operands == 1 && strcmp(what, "record") == 0)
        return record(line);
    if (line->n_operands > 1 && strcmp(what, "check") == 0)
        return baseline_check(line);
    struct err err;
    err_set(&err, "baseline: expected `%s baseline record` or `%s baseline check DIR`",
            line->program, line->program);
    return say_error(&err);
}

static const struct command_option OPTIONS[] = {
    PLAN_OPTIONS,
    {0, "baselines", "DIR", "where baselines are kept (default: runs/baselines)"},
    {0, "if-missing", NULL, "do nothing if there is one for this image already"},
    {0, "json", NULL, "of check: as JSON"},
    OPTION_COLOR,
    {0},
};

const struct command cmd_baseline = {
    .name = "baseline",
    .synopsis = "record [OPTION]... | check [OPTION]... DIR...",
    .summary = "Records good boots, with which failed ones are compared, and checks them",
    .details = "A baseline belongs to one kernel, root image, backend and network; `run` finds it "
               "by that.\n"
               "check compares each good boot with all the others: what that reports is false, and "
               "as much\n"
               "is to be expected for the next good boot. Boots that did not come up, or in which "
               "something\n"
               "serious is found, are no baseline.\n"
               "Exit status of check: 0 the baseline is sound, 1 some boot in it is refused or "
               "differs from\n"
               "the others, 2 it could not be read or holds no good boot.",
    .options = OPTIONS,
    .run = cmd_baseline_main,
};
