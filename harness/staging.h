/* SPDX-License-Identifier: Apache-2.0 */
/*
 * staging: a directory that is filled beside its place and takes it as a whole or not at all.
 *
 * It is called "<final>.new-XXXXXX" until then and locked (flock(2)) while its process lives, so
 * that what a killed one left is known, and removed by the next.
 */
#ifndef BOOTDIAG_STAGING_H
#define BOOTDIAG_STAGING_H

#include "harness/base/err.h"

struct staging {
    char *final; /* owned */
    char *dir;   /* owned: to be filled; NULL: none, or it has taken its place */
    int lock;    /* owned; -1: none */
};

#define STAGING_INIT                                                                               \
    {                                                                                              \
        .lock = -1                                                                                 \
    }

/* Makes a new empty directory for `final`, whose parents are made too; 0755. */
int staging_init(struct staging *staging, const char *final, struct err *err);

/* Exchanges it with what stands at `final` (renameat2(2), RENAME_EXCHANGE), which is removed then:
 * at every moment either the old or the new one is there. Where the file system cannot exchange,
 * there is a moment without; a process killed in it leaves the old one to the next. */
int staging_commit(struct staging *staging, struct err *err);

/* Removes what was not committed. */
void staging_release(struct staging *staging);

#define auto_staging __attribute__((cleanup(staging_release)))

#endif
