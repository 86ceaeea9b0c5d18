/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf: a growing byte buffer that is born with a limit.
 *
 * Always NUL-terminated behind `len` once something was added. Past the limit further bytes are
 * dropped and `overflow` stays set: a caller for whom that matters looks once, at the end.
 */
#ifndef BOOTDIAG_BASE_BUF_H
#define BOOTDIAG_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* owned; NULL while nothing was added */
    size_t len;
    size_t cap;
    size_t limit; /* the most that `len` may become */
    bool overflow;
};

void buf_init(struct buf *buf, size_t limit);
void buf_release(struct buf *buf);

void buf_add(struct buf *buf, const char *bytes, size_t len);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_char(struct buf *buf, char c);
void buf_addf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Empties the buffer and keeps its memory. */
void buf_clear(struct buf *buf);

/* Drops the first `len` bytes, or all there are. */
void buf_consume(struct buf *buf, size_t len);

/* The text, "" if nothing was added. Borrowed until the buffer changes. */
const char *buf_text(const struct buf *buf);

/* Hands the text over (never NULL); the buffer is empty afterwards and can be used again. */
char *buf_steal(struct buf *buf);

#define auto_buf __attribute__((cleanup(buf_release)))

#endif
