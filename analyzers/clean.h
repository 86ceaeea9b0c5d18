/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clean: raw console bytes -> one line of text without terminal control.
 *
 * Dropped: NUL and other control bytes (a tab stays), the CRs of a line end, ANSI sequences
 * (ECMA-48: CSI, OSC and the other strings, single-character escapes), also when they are broken
 * off by a newline or by systemd's ellipsis. A bare CR followed by text replaces what the line
 * held. Bytes from 0x80 pass.
 */
#ifndef BOOTDIAG_CLEAN_H
#define BOOTDIAG_CLEAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzers/line.h"

enum clean_state {
    CLEAN_TEXT,
    CLEAN_ESC,        /* ESC was seen */
    CLEAN_ESC_MORE,   /* ESC and intermediate bytes: "ESC ( B" */
    CLEAN_CSI,        /* "ESC [" up to a final byte */
    CLEAN_STRING,     /* "ESC ]" and its like up to BEL or ST */
    CLEAN_STRING_ESC, /* ESC within such a string: ST, or a new sequence */
};

struct cleaner {
    enum clean_state state;
    bool redraw;    /* a CR came: text that follows begins the line anew */
    bool truncated; /* bytes past LINE_MAX_BYTES were dropped */
    size_t len;
    uint32_t taken; /* raw bytes of this line so far, saturating */
    char text[LINE_MAX_BYTES + 1];
    uint32_t
        at[LINE_MAX_BYTES + 1]; /* raw position of each byte of `text`, from the line's start */
};

/* Takes bytes up to and including the next newline; returns how many. `*ret_done` says whether the
 * line is complete. The caller starts the next one with cleaner_next(). */
size_t cleaner_feed(struct cleaner *cleaner, const char *bytes, size_t len, bool *ret_done);

/* Forgets the line; an escape sequence does not outlive it. */
void cleaner_next(struct cleaner *cleaner);

#endif
