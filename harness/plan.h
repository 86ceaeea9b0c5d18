/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan: what `run` and `baseline record` are asked to boot, from the command line to a campaign.
 * Command layer: it reports progress on standard error.
 */
#ifndef BOOTDIAG_PLAN_H
#define BOOTDIAG_PLAN_H

#include "harness/campaign.h"
#include "harness/command.h"
#include "harness/eyes.h"
#include "harness/fault.h"
#include "harness/image.h"
#include "harness/target.h"

struct plan {
    struct target target; /* with --set and the fault's overrides */
    struct fault fault;
    bool has_fault;
    struct image_set images;
    char *vmm_version;            /* NULL: not known */
    char identity[IDENTITY_SIZE]; /* "" if not known (no image, a replay) */
    unsigned boots, jobs;
    bool early_end, quiet;
    struct eyes_rules rules_cache;
    struct ruleset *rules; /* for the target's service; borrowed from rules_cache */
};

/* Options that make a plan; a command's table begins with them. */
#define PLAN_OPTIONS                                                                               \
    {'t', "target", "FILE", "what to boot (default: fixtures/targets/bundled.json)"},              \
        {'s', "set", "NAME=VALUE", "override a member of the target; may be repeated"},            \
        {'n', "boots", "N", "how many boots (default: 3, for a baseline 5)"},                      \
        {'j', "jobs", "N", "boots at a time (default: what this host can carry)"}, OPTION_RULES,   \
    {                                                                                              \
        'q', "quiet", NULL, "no progress"                                                          \
    }

/* Loads and checks everything that can be checked before the first boot; cause ids stand in `err`.
 * Release in any case. */
int plan_init(struct plan *plan, const struct command_line *line, unsigned default_boots,
              struct err *err);
void plan_release(struct plan *plan);

/* Boots at a time. */
unsigned plan_jobs(const struct plan *plan);

/* Runs it with progress on standard error. `on_done` is called for each boot whose record is saved;
 * the text that it returns (owned by the plan afterwards; may be NULL) is shown. */
int plan_run(struct plan *plan, const char *dir,
             char *(*on_done)(void *ctx, const struct boot *boot), void *ctx,
             struct campaign_result *ret_result, struct err *err);

#define auto_plan __attribute__((cleanup(plan_release)))

#endif
