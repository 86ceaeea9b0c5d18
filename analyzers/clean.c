/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A state machine over bytes. Plain text, nearly all of a console, takes the inner loop of
 * cleaner_feed; whatever else takes one step of the machine.
 */
#include "analyzers/clean.h"

#include <string.h>

enum { NUL = 0, BEL = 7, TAB = 9, CR = 13, ESC = 27, DEL = 127 };

static bool is_text(unsigned char byte)
{
    return (byte >= ' ' && byte != DEL) || byte == TAB;
}

static void add(struct cleaner *cleaner, unsigned char byte)
{
    if (cleaner->redraw) {
        cleaner->redraw = false;
        cleaner->truncated = false;
        cleaner->len = 0;
    }
    if (cleaner->len == LINE_MAX_BYTES) {
        cleaner->truncated = true;
        return;
    }
    cleaner->at[cleaner->len] = cleaner->taken;
    cleaner->text[cleaner->len++] = (char)byte;
}

static bool between(unsigned char byte, unsigned char low, unsigned char high)
{
    return byte >= low && byte <= high;
}

/* The byte behind ESC. False: it belongs to no sequence. */
static bool step_esc(struct cleaner *cleaner, unsigned char byte)
{
    cleaner->state = CLEAN_TEXT;
    if (byte == '[')
        cleaner->state = CLEAN_CSI;
    else if (byte != 0 && strchr("]PX^_", byte) != NULL)
        cleaner->state = CLEAN_STRING;
    else if (between(byte, 0x20, 0x2f))
        cleaner->state = CLEAN_ESC_MORE;
    else if (byte == ESC || byte == NUL)
        cleaner->state = CLEAN_ESC;
    return between(byte, 0x20, 0x7e) || cleaner->state == CLEAN_ESC;
}

/* One byte of a sequence whose final byte lies from `low` on. False: the sequence is broken. */
static bool step_until_final(struct cleaner *cleaner, unsigned char byte, unsigned char low)
{
    if (between(byte, 0x20, (unsigned char)(low - 1)) || byte == NUL)
        return true;
    cleaner->state = byte == ESC ? CLEAN_ESC : CLEAN_TEXT;
    return byte == ESC || between(byte, low, 0x7e);
}

static bool step_string(struct cleaner *cleaner, unsigned char byte)
{
    if (byte == BEL)
        cleaner->state = CLEAN_TEXT;
    else if (byte == ESC)
        cleaner->state = CLEAN_STRING_ESC;
    return true;
}

/* True if the byte was part of an escape sequence. */
static bool step(struct cleaner *cleaner, unsigned char byte)
{
    switch (cleaner->state) {
    case CLEAN_TEXT:
        break;
    case CLEAN_ESC:
        return step_esc(cleaner, byte);
    case CLEAN_ESC_MORE:
        return step_until_final(cleaner, byte, 0x30);
    case CLEAN_CSI:
        return step_until_final(cleaner, byte, 0x40);
    case CLEAN_STRING:
        return step_string(cleaner, byte);
    case CLEAN_STRING_ESC:
        return step_esc(cleaner, byte);
    }
    return false;
}

static void take(struct cleaner *cleaner, unsigned char byte)
{
    if (cleaner->state != CLEAN_TEXT && step(cleaner, byte))
        return;
    if (byte == ESC)
        cleaner->state = CLEAN_ESC;
    else if (byte == CR)
        cleaner->redraw = true;
    else if (is_text(byte))
        add(cleaner, byte);
}

size_t cleaner_feed(struct cleaner *cleaner, const char *bytes, size_t len, bool *ret_done)
{
    const char *newline = memchr(bytes, '\n', len);
    size_t end = newline != NULL ? (size_t)(newline - bytes) : len;
    for (size_t i = 0; i < end; i++) {
        take(cleaner, (unsigned char)bytes[i]);
        cleaner->taken += cleaner->taken < UINT32_MAX;
    }
    *ret_done = newline != NULL;
    return newline != NULL ? end + 1 : len;
}

void cleaner_next(struct cleaner *cleaner)
{
    cleaner->state = CLEAN_TEXT;
    cleaner->redraw = false;
    cleaner->truncated = false;
    cleaner->len = 0;
    cleaner->taken = 0;
}
