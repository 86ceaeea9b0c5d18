/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retention: which archived boots may stay, by age, number and size.
 *
 * A boot is all files of one vmId whose stamps lie within a minute: console, error log, facts; it
 * goes as a whole, the oldest first. Files with other names are not ours and are never touched.
 */
#ifndef BOOTDIAG_RETENTION_H
#define BOOTDIAG_RETENTION_H

#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"

struct retention {
    int64_t keep_s;     /* older ones go; 0: no limit */
    int64_t min_age_s;  /* younger ones stay, whatever the limits say: somebody may write them */
    uint64_t max_bytes; /* 0: no limit */
    uint64_t max_count; /* boots; 0: no limit */
};

/* Removes from the directory `dir` (not below it) what the limits do not allow; a file's age counts
 * from its last change. One that cannot be removed is the error, and the rest is still done.
 * `ret_removed` counts boots, and is set on failure too. */
int retention_apply(const struct retention *retention, const char *dir, int64_t now_s,
                    size_t *ret_removed, struct err *err);

/* "90s", "15m", "1h", "30d"; a bare number counts seconds. -1 unless that is all it is. */
int retention_parse_age(const char *text, int64_t *ret_s);

/* "500M", "20G" (powers of 1024); a bare number counts bytes. -1 unless that is all it is. */
int retention_parse_size(const char *text, uint64_t *ret_bytes);

#endif
