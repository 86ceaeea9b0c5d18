/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard: ends a child's whole process group when this process dies, in whatever way.
 *
 * PR_SET_PDEATHSIG (proc.h) reaches the child only; what a script started would live on. A guard is
 * a process in that group which waits for the end of a pipe that only this process holds open.
 */
#ifndef BOOTDIAG_GUARD_H
#define BOOTDIAG_GUARD_H

#include <sys/types.h>

#include "harness/base/err.h"

struct guard {
    pid_t pid; /* 0: none */
    int fd;    /* owned: our end of the pipe; -1: none */
};

#define GUARD_INIT                                                                                 \
    {                                                                                              \
        .pid = 0, .fd = -1                                                                         \
    }

/* `group` has a member that was not waited for, so that its id cannot be another's. */
int guard_start(struct guard *guard, pid_t group, struct err *err);

/* Ends the guard, and all that is still in its group; twice is fine. */
void guard_release(struct guard *guard);

#endif
