/* SPDX-License-Identifier: Apache-2.0 */
/* novel: lines of a boot that stand on no good boot's console. */
#ifndef BOOTDIAG_NOVEL_H
#define BOOTDIAG_NOVEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzers/baseline.h"
#include "analyzers/boot_lines.h"
#include "analyzers/finding.h"
#include "analyzers/rules.h"
#include "analyzers/similar.h"

struct novel {
    const struct boot_line *line; /* the first of `count`; borrowed from the boot's lines */
    struct words words;
    enum severity severity;      /* of the worst rule that knows it; SEVERITY_MARK: no error */
    bool known_kind;             /* a good line says the same in other words */
    bool late;                   /* came when good boots were no longer observed */
    const struct good_line *was; /* the nearest good line, borrowed from the baseline; or NULL */
    uint32_t count;              /* lines that say the same, this one too */
};

struct novel_lines {
    struct novel *items; /* owned */
    size_t len, cap;
    uint64_t dropped; /* lines for which there was no room */
};

/*
 * Takes the whole lines of `here` that no good boot prints, in the order in which they came; those
 * that say the same in other words are one. `lines` need not be set before. Baseline and `here` are
 * borrowed for as long as `lines` lives, and `rules` (which say what is an error) for the call.
 * Bounded: errors and the rest each have a room of their own, so that neither crowds out the other.
 */
void novel_lines_init(struct novel_lines *lines, const struct baseline *baseline,
                      const struct boot_lines *here, struct ruleset *rules);
void novel_lines_release(struct novel_lines *lines);

/* Errors first; then what is of no known kind and in the time that good boots cover; then as they
 * came. */
void novel_lines_sort(struct novel_lines *lines);

#endif
