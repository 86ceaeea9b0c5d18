/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/base/buf.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/auto.h"
#include "harness/base/mem.h"

void buf_init(struct buf *buf, size_t limit)
{
    *buf = (struct buf){.limit = limit};
}

void buf_release(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){.limit = buf->limit};
}

static void reserve(struct buf *buf, size_t len)
{
    if (len < buf->cap)
        return;
    size_t cap = buf->cap > 0 ? buf->cap : 64;
    while (cap <= len)
        cap *= 2;
    buf->data = mem_realloc(buf->data, cap, 1);
    buf->cap = cap;
}

void buf_add(struct buf *buf, const char *bytes, size_t len)
{
    size_t room = buf->limit - buf->len;
    if (len > room) {
        len = room;
        buf->overflow = true;
    }
    reserve(buf, buf->len + len);
    if (len > 0)
        memcpy(buf->data + buf->len, bytes, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void buf_add_text(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_add_char(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

void buf_addf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    auto_free char *text = mem_vprintf(format, args);
    va_end(args);
    buf_add_text(buf, text);
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->overflow = false;
    if (buf->data != NULL)
        buf->data[0] = '\0';
}

void buf_consume(struct buf *buf, size_t len)
{
    if (len > buf->len)
        len = buf->len;
    if (len == 0)
        return;
    memmove(buf->data, buf->data + len, buf->len - len);
    buf->len -= len;
    buf->data[buf->len] = '\0';
}

const char *buf_text(const struct buf *buf)
{
    return buf->data != NULL ? buf->data : "";
}

char *buf_steal(struct buf *buf)
{
    char *text = buf->data != NULL ? buf->data : mem_strdup("");
    *buf = (struct buf){.limit = buf->limit};
    return text;
}
