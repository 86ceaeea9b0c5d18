/* SPDX-License-Identifier: Apache-2.0 */
/*
 * campaign: many boots of one target, some at a time: one thread, one loop.
 */
#ifndef BOOTDIAG_CAMPAIGN_H
#define BOOTDIAG_CAMPAIGN_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/boot.h"
#include "harness/fault.h"
#include "harness/image.h"
#include "harness/target.h"

struct campaign_options {
    const struct target *target;
    const struct vm_ops *ops;       /* its backend */
    const struct fault *fault;      /* NULL: none; `target` has its overrides already */
    const struct image_set *images; /* facts of the target's images */
    const char *vmm_version;        /* asked beforehand; NULL: not known */
    const struct console_watch *watch;
    const char *dir; /* of the run: boot-NNNN are made in it; it must exist */
    unsigned boots;  /* how many */
    unsigned jobs;   /* at a time; 0: what the host can carry */
    bool early_end;

    /* Called from the loop; `boots` are those that run now. Any may be NULL. */
    void (*on_progress)(void *ctx, const struct boot *const *boots, size_t n);
    void (*on_done)(void *ctx, const struct boot *boot); /* it ended; boot_failure tells */
    void *ctx;
};

struct campaign_result {
    unsigned done;    /* boots that ended; on_done was called for each */
    unsigned jobs;    /* that ran at a time */
    bool interrupted; /* SIGINT, SIGTERM or SIGHUP: what ran was ended and recorded */
};

/* Boots at a time that this host carries for the target: processors (half as many VMs under TCG if
 * each has several) and available memory, at least 1. */
unsigned campaign_default_jobs(const struct target *target);

/*
 * Runs them all. SIGINT, SIGTERM and SIGHUP end the running boots and are reported, not delivered.
 * It fails where it cannot prepare or a boot cannot be recorded: no further boot is started then,
 * and those that run are ended as interrupted, recorded and shown. `ret_result` is set in any case:
 * what was booted before a failure is worth a report.
 */
int campaign_run(const struct campaign_options *options, struct campaign_result *ret_result,
                 struct err *err);

#endif
