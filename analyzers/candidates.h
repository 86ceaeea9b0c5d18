/* SPDX-License-Identifier: Apache-2.0 */
/*
 * candidates: the causes that a boot's findings point at, one candidate each, and which of them
 * follows from which.
 */
#ifndef BOOTDIAG_CANDIDATES_H
#define BOOTDIAG_CANDIDATES_H

#include <stdbool.h>
#include <stddef.h>

#include "analyzers/evidence.h"
#include "analyzers/finding.h"

enum { CANDIDATES_MAX = 64 };

/* All borrowed from findings and catalogue. */
struct candidate {
    const char *cause;
    const char *key; /* what stands for it in the catalogue: the cause, or cause_own_key() */
    size_t rank;     /* cause_rank() of the key */
    double confidence;
    const struct finding *best;           /* the finding that supports it most */
    const struct candidate *explained_by; /* it is a consequence of that one; or NULL */
    const char *doubt;                    /* why its confidence was lowered; or NULL */
};

struct candidates {
    struct candidate items[CANDIDATES_MAX];
    size_t len;
    bool unreached; /* the host asked, and never got an answer of the guest's own */
};

/* Fills `candidates`, empty before: findings of one cause become one candidate, and a candidate
 * that another one explains is folded under it. */
void candidates_gather(struct candidates *candidates, const struct findings *findings,
                       const struct evidence *evidence);

/* Of those that stand for themselves the earliest on the way from host to port whose evidence is
 * about as strong as the best; NULL: none is worth naming. Where the host never reached the guest,
 * what only keeps the agent from starting comes last. */
const struct candidate *candidates_choose(const struct candidates *candidates);

#endif
