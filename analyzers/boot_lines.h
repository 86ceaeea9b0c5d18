/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boot_lines: the distinct lines of one boot's console: each template once, in order of first
 * appearance.
 *
 * Bounded: at most BOOT_LINES_MAX templates; the lines of further ones are counted in `dropped`.
 */
#ifndef BOOTDIAG_BOOT_LINES_H
#define BOOTDIAG_BOOT_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzers/hash_index.h"
#include "analyzers/line.h"
#include "harness/record.h"

enum {
    BOOT_LINES_MAX = 100 * 1000,
    BOOT_LINE_TEXT_SIZE = 241,
    BOOT_LINES_MAX_TORN = 64, /* torn lines whose beginning is kept */
};

struct boot_line {
    uint64_t hash;
    uint32_t number; /* of the first such line in the console, from 1 */
    uint32_t rank;   /* its place among all lines with anything on them */
    uint32_t count;
    int64_t at_ms; /* arrival, else guest time, else that of the nearest line before; -1 */
    enum line_source source;
    bool sure;  /* at least one was whole: neither woven nor broken off at the end */
    char *text; /* owned: cleaned, masked, without its prefix but for a status word */
    char *form; /* owned: its template */
};

struct boot_lines {
    struct boot_line *items; /* owned */
    size_t len, cap;
    struct hash_index index;
    uint32_t n_lines; /* with anything on them */
    uint32_t dropped;
    int64_t last_ms;                 /* of the last line that has a time */
    char *torn[BOOT_LINES_MAX_TORN]; /* owned: templates of lines cut by another writer */
    size_t n_torn;
};

/* Reads the record's console, which is not needed afterwards; without one there are no lines. */
void boot_lines_init(struct boot_lines *lines, const struct record *record);
void boot_lines_release(struct boot_lines *lines);

/* NULL if the boot has no line of that template. */
const struct boot_line *boot_lines_find(const struct boot_lines *lines, uint64_t hash);

#define auto_boot_lines __attribute__((cleanup(boot_lines_release)))

#endif
