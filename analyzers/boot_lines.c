/* SPDX-License-Identifier: Apache-2.0 */
/* One pass of the line reader; the guest's own name is learned on the way, so that it can be
 * masked. */
#include "analyzers/boot_lines.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/chars.h"
#include "analyzers/normalize.h"
#include "harness/base/buf.h"
#include "harness/base/mem.h"
#include "harness/base/secrets.h"
#include "harness/base/text.h"

enum { HOST_NAME_SIZE = 65 };

struct pass {
    struct boot_lines *lines;
    const struct record *record;
    char host_name[HOST_NAME_SIZE];
};

/* What stands between `before` and one of the bytes `behind` in the message becomes the name. */
static void learn_between(struct pass *pass, const struct line *line, const char *before,
                          char behind)
{
    size_t skip = strlen(before);
    if (line->message_len <= skip || memcmp(line->message, before, skip) != 0)
        return;
    const char *name = line->message + skip;
    const char *end = memchr(name, behind, line->message_len - skip);
    size_t len = end != NULL ? (size_t)(end - name) : 0;
    if (len == 0 || len >= HOST_NAME_SIZE || memchr(name, ' ', len) != NULL)
        return;
    memcpy(pass->host_name, name, len);
    pass->host_name[len] = '\0';
}

/* systemd says "Hostname set to <name>." (before 249: "Set hostname to"); getty says "name login:".
 */
static void learn_host_name(struct pass *pass, const struct line *line)
{
    learn_between(pass, line, "Hostname set to <", '>');
    learn_between(pass, line, "Set hostname to <", '>');
    if (pass->host_name[0] == '\0' && line->source == LINE_BARE &&
        ends_in(line->message, line->message_len, " login:"))
        learn_between(pass, line, "", ' ');
}

static int64_t line_ms(struct pass *pass, const struct line *line)
{
    int64_t ms = line->guest_ms;
    if (pass->record->n_times > 0)
        ms = record_arrival_ms(pass->record, line->end > 0 ? line->end - 1 : 0);
    if (ms > pass->lines->last_ms)
        pass->lines->last_ms = ms;
    return ms >= 0 ? ms : pass->lines->last_ms;
}

static char *shown_text(const struct line *line)
{
    bool status = line->source == LINE_STATUS;
    auto_buf struct buf copy = {0};
    char text[BOOT_LINE_TEXT_SIZE];
    buf_init(&copy, LINE_MAX_BYTES + 1);
    buf_add(&copy, status ? line->text : line->message, status ? line->len : line->message_len);
    secrets_mask(copy.data);
    text_printable(text, sizeof(text), buf_text(&copy), strlen(buf_text(&copy)));
    return mem_strdup(text);
}

static char *form_of(const struct pass *pass, const struct line *line)
{
    struct buf form;
    buf_init(&form, BOOT_LINE_TEXT_SIZE - 1);
    normalize_text(line, pass->host_name, &form);
    return buf_steal(&form);
}

static void keep_torn(struct pass *pass, const struct line *line)
{
    if (pass->lines->n_torn < BOOT_LINES_MAX_TORN)
        pass->lines->torn[pass->lines->n_torn++] = form_of(pass, line);
}

static void add_line(struct pass *pass, const struct line *line)
{
    struct boot_lines *lines = pass->lines;
    uint64_t hash = normalize_hash(line, pass->host_name);
    uint32_t i = hash_index_add(&lines->index, hash);
    int64_t at_ms = line_ms(pass, line);
    uint32_t rank = lines->n_lines++;
    if (i == HASH_INDEX_NONE) {
        lines->dropped++;
        return;
    }
    if (i == lines->len) {
        lines->items = mem_grow(lines->items, lines->len, &lines->cap, sizeof(*lines->items));
        lines->items[lines->len++] = (struct boot_line){
            .hash = hash,
            .number = line->number,
            .rank = rank,
            .at_ms = at_ms,
            .source = line->source,
            .text = shown_text(line),
            .form = form_of(pass, line),
        };
    }
    lines->items[i].count++;
    lines->items[i].sure |= !line->woven && !line->partial;
}

static void on_line(void *ctx, const struct line *line)
{
    struct pass *pass = ctx;
    if (line->message_len == 0)
        return;
    learn_host_name(pass, line);
    add_line(pass, line);
    if (line->woven)
        keep_torn(pass, line);
}

void boot_lines_init(struct boot_lines *lines, const struct record *record)
{
    struct pass pass = {.lines = lines, .record = record};
    *lines = (struct boot_lines){.last_ms = -1};
    hash_index_init(&lines->index, BOOT_LINES_MAX);
    struct line_reader *reader = line_reader_new(on_line, &pass);
    if (record->console.data != NULL)
        line_reader_feed(reader, record->console.data, record->console.len);
    line_reader_flush(reader);
    line_reader_free(reader);
}

void boot_lines_release(struct boot_lines *lines)
{
    for (size_t i = 0; i < lines->len; i++) {
        free(lines->items[i].text);
        free(lines->items[i].form);
    }
    for (size_t i = 0; i < lines->n_torn; i++)
        free(lines->torn[i]);
    free(lines->items);
    hash_index_release(&lines->index);
    *lines = (struct boot_lines){0};
}

const struct boot_line *boot_lines_find(const struct boot_lines *lines, uint64_t hash)
{
    uint32_t i = hash_index_find(&lines->index, hash);
    return i == HASH_INDEX_NONE ? NULL : &lines->items[i];
}
