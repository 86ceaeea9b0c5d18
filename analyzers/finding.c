/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzers/finding.h"

#include <stdlib.h>

#include "harness/base/mem.h"

void findings_release(struct findings *findings)
{
    for (size_t i = 0; i < findings->len; i++) {
        free(findings->items[i].summary);
        free(findings->items[i].remedy);
    }
    free(findings->items);
    *findings = (struct findings){0};
}

struct finding *findings_add(struct findings *findings, const char *id, const char *cause,
                             enum severity severity, double confidence)
{
    findings->items =
        mem_grow(findings->items, findings->len, &findings->cap, sizeof(*findings->items));
    struct finding *finding = &findings->items[findings->len++];
    *finding = (struct finding){
        .id = id,
        .cause = cause,
        .severity = severity,
        .confidence = confidence,
        .count = 1,
    };
    return finding;
}

void finding_quote(struct finding *finding, const struct quote *quote)
{
    if (finding->n_quotes < FINDING_MAX_QUOTES)
        finding->quotes[finding->n_quotes++] = *quote;
}
