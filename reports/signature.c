/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/signature.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/auto.h"
#include "harness/base/hash.h"
#include "harness/base/mem.h"

enum { LONG_IDENTIFIER = 16 };

static bool is_date_word(const char *word, size_t len)
{
    static const char names[] = "Mon Tue Wed Thu Fri Sat Sun "
                                "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec ";
    for (size_t i = 0; i + 4 < sizeof(names); i += 4)
        if (len == 3 && strncmp(names + i, word, 3) == 0)
            return true;
    return false;
}

struct word {
    const char *text;
    size_t len;
    size_t digits, hex;
};

static struct word take_word(const char *text)
{
    struct word word = {.text = text};
    for (; isalnum((unsigned char)text[word.len]); word.len++) {
        word.digits += isdigit((unsigned char)text[word.len]) != 0;
        word.hex += isxdigit((unsigned char)text[word.len]) != 0;
    }
    return word;
}

/* The groups of UUIDs, MACs and IPv6 addresses hang together by '-' and ':'. */
static bool joins_hex(char joint, char beyond)
{
    return (joint == '-' || joint == ':') && isxdigit((unsigned char)beyond);
}

static bool is_number(const char *line, const struct word *word)
{
    if (is_date_word(word->text, word->len))
        return true;
    if (word->digits > 0 && word->len >= LONG_IDENTIFIER)
        return true;
    if (word->hex < word->len)
        return false;
    const char *start = word->text, *end = start + word->len;
    bool joined = (start - line >= 2 && joins_hex(start[-1], start[-2])) ||
                  (end[0] != '\0' && joins_hex(end[0], end[1]));
    return word->digits > 0 || (word->len >= 2 && joined);
}

/* "eth0", "0x7f": digits go, letters stay. */
static void add_word(const struct word *word, struct buf *ret_text)
{
    for (size_t i = 0; i < word->len; i++) {
        bool digit = isdigit((unsigned char)word->text[i]);
        if (!digit)
            buf_add_char(ret_text, word->text[i]);
        else if (i == 0 || !isdigit((unsigned char)word->text[i - 1]))
            buf_add_char(ret_text, '#');
    }
}

void signature_template(const char *line, struct buf *ret_text)
{
    for (const char *at = line; *at != '\0';) {
        struct word word = take_word(at);
        if (word.len > 0) {
            if (is_number(line, &word))
                buf_add_char(ret_text, '#');
            else
                add_word(&word, ret_text);
            at += word.len;
        } else if (isspace((unsigned char)*at)) {
            buf_add_char(ret_text, ' ');
            at += strspn(at, " \t\r\n\v\f");
        } else {
            buf_add_char(ret_text, *at++);
        }
    }
}

/* With a byte behind each part that no part holds. */
static uint64_t add_part(uint64_t hash, const char *text)
{
    return hash_add(hash, text != NULL ? text : "", text != NULL ? strlen(text) + 1 : 1);
}

/* How often it was seen is no part of what happened. */
static void add_summary(const char *summary, struct buf *ret_text)
{
    static const char count[] = " (# times)";
    signature_template(summary, ret_text);
    size_t len = strlen(buf_text(ret_text)), n = sizeof(count) - 1;
    if (len < n || strcmp(buf_text(ret_text) + len - n, count) != 0)
        return;
    auto_free char *rest = mem_strndup(buf_text(ret_text), len - n);
    buf_clear(ret_text);
    buf_add_text(ret_text, rest);
}

void signature_make(const char *cause, const char *stage, const char *probe_class,
                    const char *summary, char ret_hex[static SIGNATURE_SIZE])
{
    auto_buf struct buf template;
    buf_init(&template, 4096);
    add_summary(summary != NULL ? summary : "", &template);

    uint64_t hash = add_part(HASH_START, cause);
    hash = add_part(hash, stage);
    hash = add_part(hash, probe_class);
    hash = add_part(hash, buf_text(&template));
    snprintf(ret_hex, SIGNATURE_SIZE, "%08x", (unsigned)(uint32_t)(hash ^ hash >> 32));
}
