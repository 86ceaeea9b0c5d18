/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scratch: a private directory in $TMPDIR for what is needed only while VMs run.
 *
 * Its owner holds a lock (flock(2)) on it, which the kernel drops when the owner dies in whatever
 * way: so the next bootdiag of the same user knows which ones were left behind, and removes them.
 */
#ifndef BOOTDIAG_SCRATCH_H
#define BOOTDIAG_SCRATCH_H

#include "harness/base/err.h"

struct scratch {
    char *dir; /* owned; NULL: none */
    int fd;    /* holds the lock */
};

#define SCRATCH_INIT                                                                               \
    {                                                                                              \
        .dir = NULL, .fd = -1                                                                      \
    }

/* Also removes what dead processes of this user left behind. */
int scratch_init(struct scratch *scratch, struct err *err);

/* Removes the directory and all in it. */
void scratch_release(struct scratch *scratch);

#define auto_scratch __attribute__((cleanup(scratch_release)))

#endif
