/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/probe_runs.h"

#include <assert.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "harness/base/mem.h"

static bool same_kind(const struct probe_run *run, enum probe_class class, int http_status)
{
    return run->class == class && run->http_status == http_status;
}

static void join_with_previous(struct record *record, size_t i)
{
    struct probe_run *runs = record->probe.runs;
    int room = INT_MAX - runs[i - 1].count;
    runs[i - 1].count += runs[i].count < room ? runs[i].count : room;
    runs[i - 1].to_ms = runs[i].to_ms;
    memmove(&runs[i], &runs[i + 1], (record->probe.n_runs - i - 1) * sizeof(*runs));
    record->probe.n_runs--;
}

/* Joins the shortest run with the one before it, so that there is room for one more. The newest
 * stays: how it went in the end says most. */
static void merge_shortest(struct record *record)
{
    const struct probe_run *runs = record->probe.runs;
    size_t shortest = 1;
    assert(runs != NULL && record->probe.n_runs > 2);
    for (size_t i = 1; i + 1 < record->probe.n_runs; i++)
        if (runs[i].count < runs[shortest].count)
            shortest = i;
    join_with_previous(record, shortest);
    if (shortest < record->probe.n_runs &&
        same_kind(&runs[shortest - 1], runs[shortest].class, runs[shortest].http_status))
        join_with_previous(record, shortest);
    record->probe.merged = true;
}

static void extend_run(struct probe_run *run, int64_t at_ms, const char *neighbour)
{
    run->to_ms = at_ms;
    if (run->count < INT_MAX)
        run->count++;
    if (neighbour != NULL)
        run->neighbour = neighbour;
}

void probe_runs_note(struct record *record, enum probe_class class, int64_t at_ms, int http_status,
                     const char *neighbour)
{
    size_t n = record->probe.n_runs;
    struct probe_run *last = n > 0 ? &record->probe.runs[n - 1] : NULL;
    if (last != NULL && same_kind(last, class, http_status)) {
        extend_run(last, at_ms, neighbour);
        return;
    }
    if (n == PROBE_RUNS_MAX)
        merge_shortest(record);
    n = record->probe.n_runs;
    record->probe.runs = mem_realloc(record->probe.runs, n + 1, sizeof(struct probe_run));
    record->probe.runs[n] = (struct probe_run){.class = class,
                                               .from_ms = at_ms,
                                               .to_ms = at_ms,
                                               .count = 1,
                                               .http_status = http_status,
                                               .neighbour = neighbour};
    record->probe.n_runs = n + 1;
}
