/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyzer: evidence in, findings out; pure. One file per analyzer, one line in the table in
 * analyzer.c.
 */
#ifndef BOOTDIAG_ANALYZER_H
#define BOOTDIAG_ANALYZER_H

#include <stddef.h>

#include "analyzers/evidence.h"
#include "analyzers/finding.h"
#include "analyzers/rules.h"

struct analyzer {
    const char *name;
    const struct rule *rules; /* static; may be NULL */
    size_t n_rules;
    /* Looks at more than one line; may be NULL: then the rules' own findings are all there is. */
    void (*run)(const struct evidence *evidence, struct findings *findings);
};

/* All analyzers, in the order in which they run. */
const struct analyzer *const *analyzers_all(size_t *ret_n);

#endif
