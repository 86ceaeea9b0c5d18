/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A segment runs from one milestone to the next one whose time is known in this boot and in all
 * good ones. Segments, not times since the start, are compared: one stall is then late once, not
 * ever after.
 */
#include "analyzers/late.h"

#include <math.h>
#include <stdlib.h>

#include "harness/base/mem.h"

enum { MIN_RUNS = 3, FLOOR_MS = 250 };

static const double FLOOR_SHARE = 0.2;
static const double DEVIATIONS =
    3 * 1.4826; /* 1.4826 * MAD estimates a normal distribution's sigma */
static const double MAX_SLOWNESS = 20;

struct segment {
    int from, to; /* milestones */
    double ms, usual_ms, mad_ms;
};

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(double *values, size_t n)
{
    qsort(values, n, sizeof(*values), compare_doubles);
    return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static bool same_load(const struct baseline *baseline, const struct record *record)
{
    for (size_t i = 0; i < baseline->n_runs; i++) {
        if (baseline->runs[i].parallel_boots != record->host.parallel_boots)
            return false;
    }
    return true;
}

static bool known_in_all(const struct baseline *baseline, int milestone)
{
    for (size_t i = 0; i < baseline->n_runs; i++) {
        if (baseline->runs[i].milestones_ms[milestone] < 0)
            return false;
    }
    return true;
}

static void measure(const struct baseline *baseline, struct segment *segment)
{
    double values[BASELINE_MAX_RUNS] = {0};
    size_t n = baseline->n_runs;
    for (size_t i = 0; i < n; i++)
        values[i] = (double)(baseline->runs[i].milestones_ms[segment->to] -
                             baseline->runs[i].milestones_ms[segment->from]);
    segment->usual_ms = median(values, n);
    for (size_t i = 0; i < n; i++)
        values[i] = fabs(values[i] - segment->usual_ms);
    segment->mad_ms = median(values, n);
}

static size_t find_segments(const struct baseline *baseline, const struct milestone *milestones,
                            struct segment ret_segments[static STAGE_N])
{
    size_t len = 0;
    int from = -1;
    int64_t from_ms = 0;
    for (int to = 0; to < STAGE_N; to++) {
        if (!milestones[to].reached || milestones[to].at_ms < 0 || !known_in_all(baseline, to))
            continue;
        if (from >= 0) {
            struct segment *segment = &ret_segments[len++];
            *segment = (struct segment){
                .from = from, .to = to, .ms = (double)(milestones[to].at_ms - from_ms)};
            measure(baseline, segment);
        }
        from = to;
        from_ms = milestones[to].at_ms;
    }
    return len;
}

/* Theil-Sen: the median of the slopes between all pairs of segments, with one of no length at the
 * origin. */
static double slowness(const struct segment *segments, size_t n)
{
    double slopes[STAGE_N * STAGE_N] = {0};
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        if (segments[i].usual_ms >= 1)
            slopes[len++] = segments[i].ms / segments[i].usual_ms;
        for (size_t j = i + 1; j < n; j++) {
            double usual = segments[j].usual_ms - segments[i].usual_ms;
            if (fabs(usual) >= 1)
                slopes[len++] = (segments[j].ms - segments[i].ms) / usual;
        }
    }
    double slope = len >= MIN_RUNS ? median(slopes, len) : 1;
    return slope < 1 ? 1 : slope > MAX_SLOWNESS ? MAX_SLOWNESS : slope;
}

static bool is_late(const struct segment *segment, double slow)
{
    double usual = segment->usual_ms * slow;
    double allowed = fmax(FLOOR_MS, fmax(FLOOR_SHARE * usual, DEVIATIONS * segment->mad_ms * slow));
    return segment->ms > usual + allowed;
}

void late_find(const struct baseline *baseline, const struct record *record,
               const struct milestone milestones[static STAGE_N], struct diff *ret_diff)
{
    struct segment segments[STAGE_N];
    if (baseline->n_runs < MIN_RUNS || !same_load(baseline, record))
        return;
    size_t len = find_segments(baseline, milestones, segments);
    double slow = slowness(segments, len);
    ret_diff->late = mem_calloc(STAGE_N, sizeof(*ret_diff->late));
    for (size_t i = 0; i < len; i++) {
        if (is_late(&segments[i], slow))
            ret_diff->late[ret_diff->n_late++] = (struct diff_late){
                .from = stage_id((enum stage)segments[i].from),
                .to = stage_id((enum stage)segments[i].to),
                .ms = (int64_t)segments[i].ms,
                .usual_ms = (int64_t)segments[i].usual_ms,
            };
    }
}
