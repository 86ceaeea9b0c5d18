/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/stats.h"

#include <math.h>
#include <stdlib.h>

struct interval stats_wilson(unsigned successes, unsigned trials)
{
    static const double z = 1.959963984540054; /* 97.5 % quantile of the standard normal */
    if (trials == 0)
        return (struct interval){0, 1};
    double n = trials, rate = successes / n, z2 = z * z;
    double scale = 1 + z2 / n;
    double centre = (rate + z2 / (2 * n)) / scale;
    double half = z / scale * sqrt(rate * (1 - rate) / n + z2 / (4 * n * n));
    /* At the ends the bound is exact; rounding would leave 1e-18 there. */
    return (struct interval){
        .low = successes == 0 ? 0 : centre - half,
        .high = successes == trials ? 1 : centre + half,
    };
}

double stats_unseen_below(unsigned trials)
{
    return trials <= 3 ? 1.0 : 3.0 / trials;
}

int64_t stats_quantile(const int64_t *sorted, size_t n, double p)
{
    /* 0.07 * 100 is a little more than 7 in binary. */
    double rank = ceil(p * (double)n - 1e-9);
    if (rank < 1)
        return sorted[0];
    return rank >= (double)n ? sorted[n - 1] : sorted[(size_t)rank - 1];
}

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

void stats_sort(int64_t *values, size_t n)
{
    if (n > 1)
        qsort(values, n, sizeof(*values), compare);
}
