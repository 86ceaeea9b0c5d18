/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crew: many independent tasks done by forked workers, whose results come back in the tasks' order.
 *
 * Processes instead of threads: a task that crashes, runs out of memory or never ends takes down
 * its own worker and nothing else. Bounded: at most CREW_WINDOW results wait for an earlier one.
 * Only for a process that has one thread.
 */
#ifndef BOOTDIAG_BASE_CREW_H
#define BOOTDIAG_BASE_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/buf.h"
#include "harness/base/err.h"

enum {
    CREW_WINDOW = 128,
    CREW_MAX_WORKERS = 256,
    CREW_MAX_RESULT = 64 << 20, /* bytes; a worker that sends more counts as crashed */
};

struct crew_plan {
    size_t n_tasks;
    unsigned n_workers; /* 1 to CREW_MAX_WORKERS; no more than there are tasks are started */
    int64_t limit_ms;   /* for one task; 0: none */

    /* In a worker: appends the task's result. What it leaves in memory, its next task finds. */
    void (*work)(void *ctx, size_t task, struct buf *ret_result);

    /* In the caller, task after task: the result, or why there is none. -1 ends the run. */
    int (*on_result)(void *ctx, size_t task, const struct buf *result, struct err *err);
    int (*on_lost)(void *ctx, size_t task, const char *why, struct err *err);

    /* After each result that came in, in whatever order: how many are there; may be NULL. */
    void (*on_progress)(void *ctx, size_t n_finished);
    void *ctx;
};

/*
 * Returns when all tasks are done, when a callback failed (-1), or, with `*ret_interrupted` true
 * and 0, after SIGINT or SIGTERM; workers are gone then. Results behind a lost task still come.
 */
int crew_run(const struct crew_plan *plan, bool *ret_interrupted, struct err *err);

#endif
