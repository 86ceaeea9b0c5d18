/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/plan.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/auto.h"
#include "harness/base/mem.h"
#include "harness/progress.h"
#include "harness/vm.h"

static const char DEFAULT_TARGET[] = "fixtures/targets/bundled.json";

static int load_target(struct plan *plan, const struct command_line *line, struct err *err)
{
    const char *path = command_value(line, "target", DEFAULT_TARGET);
    if (target_load(&plan->target, path, err) != 0)
        return err_prefix(err, "target");
    const char *fault = command_value(line, "fault", NULL);
    if (fault != NULL) {
        const char *faults_dir = command_value(line, "faults", "fixtures/faults");
        if (fault_load(&plan->fault, faults_dir, fault, err) != 0)
            return -1;
        plan->has_fault = true;
        if (fault_for_guest(&plan->fault, plan->target.guest, err) != 0 ||
            fault_apply_target(&plan->fault, &plan->target, err) != 0)
            return -1;
    }
    for (size_t i = 0; i < line->n_values; i++)
        if (strcmp(line->values[i].option->name, "set") == 0 &&
            target_set(&plan->target, line->values[i].value, err) != 0)
            return -1;
    return 0;
}

static int check_target(const struct target *target, struct err *err)
{
    const struct vm_ops *ops = vm_find(target->backend);
    if (ops == NULL)
        return err_set(
            err,
            "%s: \"backend\": there is no backend \"%s\"; `bootdiag list backends` shows "
            "them",
            target->path, target->backend);
    return ops->check(target, err);
}

/* Every boot on a bridge needs an address of its own. */
static int check_jobs(const struct plan *plan, struct err *err)
{
    const struct target *target = &plan->target;
    if (strcmp(target->network, "tap") != 0 || plan_jobs(plan) <= (unsigned)target->addresses)
        return 0;
    return err_set(err,
                   "--jobs %u: the target has %d address%s; set \"addresses\" to how many from "
                   "\"address\" on are free",
                   plan->jobs, target->addresses, target->addresses == 1 ? "" : "es");
}

int plan_init(struct plan *plan, const struct command_line *line, unsigned default_boots,
              struct err *err)
{
    *plan = (struct plan){.boots = default_boots,
                          .early_end = !command_has(line, "no-early-end"),
                          .quiet = command_has(line, "quiet")};
    target_init(&plan->target);
    if (line->n_operands > 0)
        return err_set(err, "unexpected argument \"%s\"; --help shows the options",
                       line->operands[0]);
    if (command_number(line, "boots", 1, 1000000, &plan->boots, err) != 0 ||
        command_number(line, "jobs", 1, 256, &plan->jobs, err) != 0 ||
        eyes_rules_own(&plan->rules_cache, line, err) != 0 || load_target(plan, line, err) != 0 ||
        check_jobs(plan, err) != 0 || check_target(&plan->target, err) != 0)
        return -1;
    plan->rules = eyes_rules_for(&plan->rules_cache, &plan->target.service, err);
    if (plan->rules == NULL)
        return err_prefix(err, "%s", plan->target.path);
    if (image_set_describe(&plan->images, &plan->target, err) != 0)
        return -1;
    const struct vm_ops *ops = vm_find(plan->target.backend);
    plan->vmm_version = ops->version != NULL ? ops->version(&plan->target) : NULL;
    (void)image_identity(&plan->images, plan->target.backend, plan->target.network, plan->identity);
    return 0;
}

void plan_release(struct plan *plan)
{
    target_release(&plan->target);
    fault_release(&plan->fault);
    image_set_release(&plan->images);
    free(plan->vmm_version);
    plan->vmm_version = NULL;
    eyes_rules_release(&plan->rules_cache);
    plan->rules = NULL;
}

unsigned plan_jobs(const struct plan *plan)
{
    unsigned jobs = plan->jobs > 0 ? plan->jobs : campaign_default_jobs(&plan->target);
    return jobs < plan->boots ? jobs : plan->boots;
}

struct running {
    struct progress *progress;
    char *(*on_done)(void *ctx, const struct boot *boot);
    void *ctx;
};

static void on_progress(void *ctx, const struct boot *const *boots, size_t n)
{
    struct running *running = ctx;
    progress_show(running->progress, boots, n);
}

static void on_done(void *ctx, const struct boot *boot)
{
    struct running *running = ctx;
    auto_free char *text = running->on_done(running->ctx, boot);
    progress_boot_done(running->progress, boot, text);
}

int plan_run(struct plan *plan, const char *dir,
             char *(*on_boot)(void *ctx, const struct boot *boot), void *ctx,
             struct campaign_result *ret_result, struct err *err)
{
    (void)signal(SIGPIPE, SIG_IGN); /* a reader that goes away must not end running boots */
    struct progress *progress = progress_new(plan->boots, plan->quiet);
    struct running running = {.progress = progress, .on_done = on_boot, .ctx = ctx};
    struct console_watch watch = eyes_watch(plan->rules);
    struct campaign_options options = {
        .target = &plan->target,
        .ops = vm_find(plan->target.backend), /* plan_init saw that there is one */
        .fault = plan->has_fault ? &plan->fault : NULL,
        .images = &plan->images,
        .vmm_version = plan->vmm_version,
        .watch = &watch,
        .dir = dir,
        .boots = plan->boots,
        .jobs = plan->jobs,
        .early_end = plan->early_end,
        .on_progress = on_progress,
        .on_done = on_done,
        .ctx = &running,
    };
    int result = campaign_run(&options, ret_result, err);
    progress_free(progress);
    return result;
}
