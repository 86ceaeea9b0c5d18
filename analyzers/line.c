/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cleaner gathers a raw line; at its end it is cut where another writer's prefix begins, and
 * each piece is taken apart and shown.
 */
#include "analyzers/line.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/chars.h"
#include "analyzers/clean.h"
#include "analyzers/prefix.h"
#include "harness/base/mem.h"

struct line_reader {
    void (*on_line)(void *ctx, const struct line *line);
    void *ctx;
    struct cleaner cleaner;
    uint32_t number;
    uint64_t offset; /* of the raw line's first byte */
    uint64_t taken;  /* bytes fed so far */
    uint32_t n_truncated;
    bool torn; /* the line before was cut in the middle: its rest may follow without a prefix */
    bool kernel_stamped;
};

struct line_reader *line_reader_new(void (*on_line)(void *ctx, const struct line *line), void *ctx)
{
    struct line_reader *reader = mem_calloc(1, sizeof(*reader));
    reader->on_line = on_line;
    reader->ctx = ctx;
    reader->number = 1;
    return reader;
}

void line_reader_free(struct line_reader *reader)
{
    free(reader);
}

/*
 * systemd shortens its lines without regard to colours: the rest of a cut sequence ("9m", ";1;39m")
 * may stand behind the ellipsis. Not taken for one: "5min", "20ms".
 */
static size_t sequence_rest(const char *text, size_t len)
{
    size_t n = len > 0 && text[0] == '[';
    size_t digits = n;
    while (n < len && n < 16 && (is_digit(text[n]) || text[n] == ';' || text[n] == ':'))
        n++;
    if (n == digits || n == len || text[n] != 'm')
        return 0;
    n++;
    return n < len && (text[n] == 'i' || text[n] == 's') ? 0 : n;
}

static void drop_sequence_rests(struct cleaner *cleaner)
{
    const size_t ellipsis_len = strlen(ELLIPSIS);
    /* Nearly no line has even its first byte, for which memchr looks faster than memmem. */
    if (memchr(cleaner->text, (unsigned char)ELLIPSIS[0], cleaner->len) == NULL)
        return;
    const char *hit = memmem(cleaner->text, cleaner->len, ELLIPSIS, ellipsis_len);
    if (hit == NULL)
        return;
    size_t from = (size_t)(hit - cleaner->text) + ellipsis_len;
    size_t rest = sequence_rest(cleaner->text + from, cleaner->len - from);
    size_t tail = cleaner->len - from - rest;
    memmove(cleaner->text + from, cleaner->text + from + rest, tail);
    memmove(cleaner->at + from, cleaner->at + from + rest, tail * sizeof(*cleaner->at));
    cleaner->len -= rest;
}

static bool is_blank(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] != ' ' && text[i] != '\t')
            return false;
    }
    return true;
}

/* Shows text[from, to); `cut` says that another writer's piece follows. True if that tore the line.
 */
static bool show(struct line_reader *reader, struct line *line, size_t from, size_t to, bool cut)
{
    struct cleaner *cleaner = &reader->cleaner;
    size_t len = to - from;
    while (len > 0 && is_blank(cleaner->text + from + len - 1, 1))
        len--;
    char trimmed = cleaner->text[from + len];
    cleaner->text[from + len] = '\0';
    line->text = cleaner->text + from;
    line->len = len;
    prefix_parse(line);
    /* A prompt is whole although it has no newline. */
    bool torn =
        cut && !ends_in(line->text, len, "login:") && !ends_in(line->text, len, "Password:");
    line->woven = torn || (reader->torn && !line->piece && line->source == LINE_BARE);
    reader->kernel_stamped |= line->source == LINE_KERNEL;
    line->kernel_stamped = reader->kernel_stamped;
    reader->on_line(reader->ctx, line);
    cleaner->text[from + len] = trimmed;
    return torn;
}

/* Length of "host login: " in front of what a program without a prefix wrote behind it; 0: none. */
static size_t prompt_len(const char *text, size_t len)
{
    static const char prompt[] = " login: ";
    size_t host = 0;
    while (host < len && host < 64 && !is_blank(text + host, 1))
        host++;
    size_t end = host + sizeof(prompt) - 1;
    return host > 0 && end < len && memcmp(text + host, prompt, sizeof(prompt) - 1) == 0 ? end : 0;
}

static void show_pieces(struct line_reader *reader, bool partial)
{
    struct cleaner *cleaner = &reader->cleaner;
    struct line line = {.number = reader->number, .offset = reader->offset};
    size_t from = 0;
    bool torn = false;
    drop_sequence_rests(cleaner);
    line.truncated = cleaner->truncated;
    for (;;) {
        size_t prompt = from == 0 ? prompt_len(cleaner->text, cleaner->len) : 0;
        size_t to = prompt > 0 ? prompt : prefix_find(cleaner->text, cleaner->len, from + 1);
        bool cut = to < cleaner->len;
        if (cut && is_blank(cleaner->text + from, to - from)) {
            from = to;
            continue;
        }
        line.partial = partial && !cut;
        line.end = cut ? reader->offset + cleaner->at[to] : reader->taken;
        torn |= show(reader, &line, from, to, cut);
        line.piece = true;
        if (!cut)
            break;
        from = to;
    }
    reader->torn = torn;
}

void line_reader_feed(struct line_reader *reader, const char *bytes, size_t len)
{
    while (len > 0) {
        bool done;
        size_t n = cleaner_feed(&reader->cleaner, bytes, len, &done);
        bytes += n;
        len -= n;
        reader->taken += n;
        if (!done)
            return;
        reader->n_truncated += reader->cleaner.truncated;
        show_pieces(reader, false);
        cleaner_next(&reader->cleaner);
        reader->number++;
        reader->offset = reader->taken;
    }
}

void line_reader_flush(struct line_reader *reader)
{
    bool torn = reader->torn;
    if (reader->cleaner.len > 0)
        show_pieces(reader, true);
    reader->torn = torn;
}

uint32_t line_reader_truncated(const struct line_reader *reader)
{
    return reader->n_truncated;
}
