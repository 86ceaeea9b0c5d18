/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line: bytes of a console -> clean lines with their prefix taken apart.
 *
 * Cleaning drops NULs, CRs, ANSI CSI/OSC sequences and control bytes; a bare CR that redraws a
 * progress line replaces it. Two writers share one serial line: a kernel stamp in the middle of a
 * line begins a new piece, which keeps the raw line's number and offset. Works incrementally, with
 * bounded memory.
 */
#ifndef BOOTDIAG_LINE_H
#define BOOTDIAG_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINE_MAX_BYTES = 8192, LINE_IDENT_SIZE = 48 };

enum line_source {
    LINE_BARE,    /* no prefix: a program's own output, firmware, a prompt */
    LINE_KERNEL,  /* "[    2.430357] text" */
    LINE_JOURNAL, /* "[   47.266570] ident[pid]: text": journald's console form; or syslog's */
    LINE_STATUS,  /* "[  OK  ] text": systemd's status lines */
};

enum line_status {
    LINE_STATUS_NONE,
    LINE_STATUS_OK,
    LINE_STATUS_FAILED,
    LINE_STATUS_DEPEND,
    LINE_STATUS_TIME,
    LINE_STATUS_WARN,
    LINE_STATUS_INFO,
    LINE_STATUS_SKIP,
    LINE_STATUS_RUNNING, /* "[***   ] A start job is running for" */
};

/* Borrowed by the callback for its duration only. */
struct line {
    const char *text; /* cleaned, whole, NUL-terminated */
    size_t len;
    const char *message; /* inside text: behind the prefix */
    size_t message_len;
    uint32_t number;  /* from 1; counts '\n' only */
    uint64_t offset;  /* of the raw line's first byte */
    uint64_t end;     /* one past the last raw byte of this piece */
    int64_t guest_ms; /* kernel or journal stamp; -1: none */
    enum line_source source;
    enum line_status status;
    char ident[LINE_IDENT_SIZE]; /* journal: who speaks; "" otherwise */
    int pid;                     /* 0: none */
    bool truncated;              /* longer than LINE_MAX_BYTES */
    bool piece;                  /* not the first of its raw line */
    bool woven;                  /* two writers, beyond repair */
    bool partial;                /* the bytes end here without a newline */
    bool kernel_stamped;         /* the kernel's lines of this console carry stamps */
};

struct line_reader; /* state between feeds */

struct line_reader *line_reader_new(void (*on_line)(void *ctx, const struct line *line), void *ctx);
void line_reader_free(struct line_reader *reader);

/* Takes the next bytes of the stream; calls on_line for each completed line. */
void line_reader_feed(struct line_reader *reader, const char *bytes, size_t len);

/* Shows an unfinished last line, flagged `partial`, and keeps it, so that feeding may go on. */
void line_reader_flush(struct line_reader *reader);

/* How often a limit was met. */
uint32_t line_reader_truncated(const struct line_reader *reader);

#endif
