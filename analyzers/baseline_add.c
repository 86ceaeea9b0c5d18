/* SPDX-License-Identifier: Apache-2.0 */
/* The one function of baseline.h that needs an analysis, which itself looks into a baseline: apart
 * from the rest, so that neither needs the other in a circle. */
#include "analyzers/analysis.h"
#include "analyzers/baseline.h"

static int refuse_unhealthy(const struct record *good, const struct analysis *analysis,
                            struct err *err)
{
    if (!record_came_up(good))
        return err_set(err, "%s: did not come up, so it is no baseline", good->source);
    if (analysis->outcome == OUTCOME_FAILED)
        return err_set(err, "%s: is no baseline, although it came up: %s", good->source,
                       analysis->verdict.cause != NULL ? analysis->verdict.cause : "unknown");
    for (size_t i = 0; i < analysis->findings.len; i++) {
        const struct finding *finding = &analysis->findings.items[i];
        if (finding->severity == SEVERITY_FATAL)
            return err_set(err, "%s: is no baseline, although it came up: %s", good->source,
                           finding->id);
    }
    return 0;
}

int baseline_add(struct baseline *baseline, const struct record *good, struct ruleset *rules,
                 struct err *err)
{
    auto_analysis struct analysis analysis = {0};
    auto_boot_lines struct boot_lines lines = {0};
    if (baseline->n_runs == BASELINE_MAX_RUNS)
        return err_set(err, "%s: the baseline already holds %d boots", good->source,
                       BASELINE_MAX_RUNS);
    analysis_init(&analysis, good, rules, NULL);
    if (refuse_unhealthy(good, &analysis, err) < 0)
        return -1;
    boot_lines_init(&lines, good);
    baseline_take(baseline, good, analysis.milestones, &lines);
    return 0;
}
