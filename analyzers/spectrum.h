/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spectrum: which console lines separate the failed boots of a campaign from the good ones.
 *
 * Each line template is scored by how its presence, or its absence, goes with failure: the Ochiai
 * coefficient (Ochiai 1957; used for fault localisation by Abreu et al. 2007),
 *
 *     failed boots with it / sqrt(failed boots * boots with it).
 *
 * Bounded: at most BOOT_LINES_MAX templates; further ones take no part.
 */
#ifndef BOOTDIAG_SPECTRUM_H
#define BOOTDIAG_SPECTRUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzers/baseline.h"
#include "analyzers/hash_index.h"
#include "harness/record.h"

struct spectrum_line;

struct spectrum {
    struct spectrum_line *lines; /* owned; numbered by `index` */
    size_t n_lines, cap_lines;
    struct hash_index index;
    uint32_t n_failed, n_good; /* boots */
};

void spectrum_init(struct spectrum *spectrum);
void spectrum_release(struct spectrum *spectrum);

void spectrum_add(struct spectrum *spectrum, const struct record *record, bool failed);

/* The good boots of a baseline of the same image. */
void spectrum_add_baseline(struct spectrum *spectrum, const struct baseline *baseline);

/* A line that goes with failure. */
struct telling_line {
    const char *text;      /* borrowed from the spectrum: cleaned and masked */
    bool absent;           /* its absence does, not its presence */
    uint32_t failed, good; /* boots of each kind that print it */
    double score;          /* 0..1 */
};

/*
 * The most telling ones, best first, at most `max`, of which at most half are absent ones: behind
 * the place where a boot stops everything is. Returns how many: 0 also with fewer than two failed
 * or two good boots, which separate by chance.
 */
size_t spectrum_rank(const struct spectrum *spectrum, struct telling_line *ret_lines, size_t max);

#endif
