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

bool progress_since(const struct evidence *evidence, const struct hit *hit)
{
    for (size_t i = evidence->n_hits; i-- > 0;) {
        const struct hit *later = &evidence->hits[i];
        if (later->seq <= hit->seq)
            return false;
        if (is_step(evidence_rule(evidence, later)))
            return true;
    }
    return false;
}
