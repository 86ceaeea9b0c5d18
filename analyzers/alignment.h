/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alignment: the console of one boot beside those of others, line by line, as people want to read
 * it.
 *
 * Lines are compared by their templates, so times, PIDs, addresses and names do not matter, and as
 * sets, so neither does the order in which two writers got through. Each template stands there
 * once, where it first came.
 */
#ifndef BOOTDIAG_ALIGNMENT_H
#define BOOTDIAG_ALIGNMENT_H

#include <stddef.h>
#include <stdint.h>

#include "analyzers/baseline.h"
#include "harness/record.h"

enum aligned {
    ALIGNED_SAME,
    ALIGNED_MISSING, /* all others print it, this one does not */
    ALIGNED_NOVEL,   /* none of the others prints it */
    ALIGNED_CHANGED, /* a missing and a novel line that are nearly the same */
};

/* Text is owned by the alignment: cleaned and masked. */
struct aligned_row {
    enum aligned kind;
    char *other, *here;        /* NULL: not on that side */
    int64_t other_ms, here_ms; /* -1: not known; `other_ms` is the median */
    uint32_t line;             /* in this console, from 1; 0: not here */
    uint32_t count;            /* how often it comes here */
};

struct alignment {
    struct aligned_row *rows; /* owned, in this boot's order */
    size_t len;
    size_t n_others;        /* boots compared with */
    uint64_t repeats;       /* lines of this boot that repeat another one and are not shown */
    uint64_t only_some;     /* templates that only some of the others print, not shown */
    uint64_t only_some_too; /* rows that are the same although not all others print them */
    uint64_t dropped;       /* lines that took no part: a table was full */
};

void alignment_init(struct alignment *alignment, const struct record *record,
                    const struct baseline *others);
void alignment_release(struct alignment *alignment);

#define auto_alignment __attribute__((cleanup(alignment_release)))

#endif
