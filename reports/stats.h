/* SPDX-License-Identifier: Apache-2.0 */
/* stats: the few statistics that a report needs. Pure. */
#ifndef BOOTDIAG_STATS_H
#define BOOTDIAG_STATS_H

#include <stddef.h>
#include <stdint.h>

struct interval {
    double low, high; /* 0..1 */
};

/*
 * Wilson's score interval with 95 % confidence for `successes` of `trials` (E. B. Wilson, JASA 22,
 * 1927): unlike the normal approximation it stays in 0..1 and holds where none or all succeeded. No
 * trials: 0..1.
 */
struct interval stats_wilson(unsigned successes, unsigned trials);

/*
 * How frequent something may still be, with 95 % confidence, that none of `trials` showed:
 * 3/trials, the rule of three (Hanley and Lippman-Hand, JAMA 249, 1983); at most 1.
 */
double stats_unseen_below(unsigned trials);

/*
 * The `p`-quantile (0..1) of `n` ascending values by nearest rank (R's type 1): the smallest value
 * that at least p*n of them do not exceed. So it is always a value that was really measured; p 0 is
 * the least. `n` must not be 0.
 */
int64_t stats_quantile(const int64_t *sorted, size_t n, double p);

/* Ascending, in place. */
void stats_sort(int64_t *values, size_t n);

#endif
