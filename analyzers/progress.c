/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzers/progress.h"

#include <stddef.h>
#include <string.h>

static bool is_step(const struct rule *rule)
{
    static const char *const layers[] = {"init.", "network.", "supervisor.", "agent."};
    if (rule->file != RULE_CONSOLE)
        return false;
    for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
        if (strncmp(rule->id, layers[i], strlen(layers[i])) == 0)
            return true;
    return rule->milestone != NULL;
}

const struct hit *progress_before(const struct evidence *evidence, const struct hit *hit)
{
    for (size_t i = evidence->n_hits; i-- > 0;) {
        const struct hit *step = &evidence->hits[i];
        if ((hit == NULL || step->seq < hit->seq) && is_step(evidence_rule(evidence, step)))
            return step;
    }
    return NULL;
}

bool progress_since(const struct evidence *evidence, const struct hit *hit)
{
    const struct hit *last = progress_before(evidence, NULL);
    return last != NULL && last->seq > hit->seq;
}
