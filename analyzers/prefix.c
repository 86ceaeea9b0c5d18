/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small matchers over a cursor: each either moves it behind what it knows and says true, or leaves
 * it. All look at a bounded number of bytes, so that prefix_find is linear.
 */
#include "analyzers/prefix.h"

#include <string.h>

#include "analyzers/chars.h"

struct cursor {
    const char *at, *end;
};

static bool take_char(struct cursor *cursor, char c)
{
    if (cursor->at == cursor->end || *cursor->at != c)
        return false;
    cursor->at++;
    return true;
}

/* Between `min` and `max` digits. */
static bool take_number(struct cursor *cursor, int min, int max, int64_t *ret_value)
{
    const char *at = cursor->at;
    int64_t value = 0;
    int n = 0;
    for (; n < max && at + n < cursor->end && is_digit(at[n]); n++)
        value = value * 10 + (at[n] - '0');
    if (n < min)
        return false;
    cursor->at += n;
    if (ret_value != NULL)
        *ret_value = value;
    return true;
}

/* Bytes as in `shape`: '0' a digit, '_' a digit or a space, 'A' a letter, others themselves. */
static bool take_shape(struct cursor *cursor, const char *shape)
{
    size_t n = strlen(shape);
    if ((size_t)(cursor->end - cursor->at) < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = cursor->at[i];
        bool fits = shape[i] == '0'   ? is_digit(c)
                    : shape[i] == '_' ? is_digit(c) || c == ' '
                    : shape[i] == 'A' ? is_letter(c)
                                      : c == shape[i];
        if (!fits)
            return false;
    }
    cursor->at += n;
    return true;
}

static size_t skip_char(struct cursor *cursor, char c, size_t max)
{
    size_t n = 0;
    while (n < max && take_char(cursor, c))
        n++;
    return n;
}

/* "<6>" in front of a kernel line. */
static void take_level(struct cursor *cursor)
{
    struct cursor next = *cursor;
    if (take_char(&next, '<') && take_number(&next, 1, 3, NULL) && take_char(&next, '>'))
        *cursor = next;
}

/*
 * "[    2.430357]", also "[  T123]" or "[ C0]" right behind it. printk pads to five places and
 * writes six decimals; fewer decimals only count with padding, so that "[1.5]" in a sentence is no
 * stamp.
 */
static bool take_stamp(struct cursor *cursor, int64_t *ret_ms)
{
    struct cursor next = *cursor;
    int64_t seconds = 0, fraction = 0;
    if (!take_char(&next, '['))
        return false;
    size_t padding = skip_char(&next, ' ', 12);
    if (!take_number(&next, 1, 10, &seconds) || !take_char(&next, '.'))
        return false;
    const char *decimals = next.at;
    if (!take_number(&next, 1, 9, &fraction) || !take_char(&next, ']'))
        return false;
    long n = next.at - decimals - 1;
    if (n != 6 && padding == 0)
        return false;
    for (; n > 3; n--)
        fraction /= 10;
    for (; n < 3; n++)
        fraction *= 10;

    struct cursor caller = next;
    if (take_char(&caller, '[')) {
        skip_char(&caller, ' ', 12);
        if ((take_char(&caller, 'T') || take_char(&caller, 'C')) &&
            take_number(&caller, 1, 10, NULL) && take_char(&caller, ']'))
            next = caller;
    }
    if (next.at != next.end && *next.at != ' ' && *next.at != '\t')
        return false;
    take_char(&next, ' ');
    *ret_ms = seconds * 1000 + fraction;
    *cursor = next;
    return true;
}

static bool is_ident_char(char c)
{
    return c > ' ' && c != '[' && c != ']' && c != ':' && c != '"' && c != 127;
}

/* "ident[pid]: ". */
static bool take_ident(struct cursor *cursor, struct line *line)
{
    struct cursor next = *cursor;
    size_t n = 0;
    int64_t pid = 0;
    while (n < LINE_IDENT_SIZE - 1 && next.at < next.end && is_ident_char(*next.at)) {
        next.at++;
        n++;
    }
    if (n == 0 || !take_char(&next, '[') || !take_number(&next, 1, 9, &pid) ||
        !take_char(&next, ']') || !take_char(&next, ':'))
        return false;
    take_char(&next, ' ');
    memcpy(line->ident, cursor->at, n);
    line->ident[n] = '\0';
    line->pid = (int)pid;
    *cursor = next;
    return true;
}

static const struct {
    const char *word;
    enum line_status status;
} status_words[] = {
    {"OK", LINE_STATUS_OK},     {"FAILED", LINE_STATUS_FAILED}, {"DEPEND", LINE_STATUS_DEPEND},
    {"TIME", LINE_STATUS_TIME}, {"WARN", LINE_STATUS_WARN},     {"INFO", LINE_STATUS_INFO},
    {"SKIP", LINE_STATUS_SKIP}, {"ASSERT", LINE_STATUS_FAILED}, {"UNSUPP", LINE_STATUS_FAILED},
    {"ONCE", LINE_STATUS_INFO}, {"FROZEN", LINE_STATUS_INFO},   {"CONCUR", LINE_STATUS_INFO},
};

static enum line_status status_of(const char *word, size_t len)
{
    for (size_t i = 0; i < sizeof(status_words) / sizeof(status_words[0]); i++) {
        if (strlen(status_words[i].word) == len && memcmp(word, status_words[i].word, len) == 0)
            return status_words[i].status;
    }
    for (size_t i = 0; i < len; i++) {
        if (word[i] != '*' && word[i] != ' ')
            return LINE_STATUS_NONE;
    }
    return len > 0 ? LINE_STATUS_RUNNING : LINE_STATUS_NONE;
}

/* "[  OK  ] ", "[OK] ", "[ ***  ] "; behind it a space or the end. */
static bool take_status(struct cursor *cursor, enum line_status *ret_status)
{
    struct cursor next = *cursor;
    if (!take_char(&next, '['))
        return false;
    skip_char(&next, ' ', 8);
    const char *word = next.at;
    size_t n = 0;
    while (n < 8 && next.at < next.end && *next.at != ']') {
        next.at++;
        n++;
    }
    if (!take_char(&next, ']') || (next.at != next.end && *next.at != ' '))
        return false;
    while (n > 0 && word[n - 1] == ' ')
        n--;
    enum line_status status = status_of(word, n);
    if (status == LINE_STATUS_NONE)
        return false;
    skip_char(&next, ' ', 8);
    *ret_status = status;
    *cursor = next;
    return true;
}

/* "Nov  6 20:47:04 host " or "2025-11-06T20:47:04.123456+00:00 host ". */
static bool take_syslog_date(struct cursor *cursor)
{
    struct cursor next = *cursor;
    if (!take_shape(&next, "AAA _0 00:00:00 ")) {
        if (!take_shape(&next, "0000-00-00T00:00:00"))
            return false;
        if (take_char(&next, '.') && !take_number(&next, 1, 9, NULL))
            return false;
        if (!take_char(&next, 'Z') && !take_shape(&next, "+00:00") && !take_shape(&next, "-00:00"))
            return false;
        if (!take_char(&next, ' '))
            return false;
    }
    size_t host = 0;
    while (host < 64 && next.at < next.end && *next.at != ' ') {
        next.at++;
        host++;
    }
    if (host == 0 || !take_char(&next, ' '))
        return false;
    *cursor = next;
    return true;
}

/* Firecracker: "2023-06-16T07:45:41.767987318 [id:thread:LEVEL:file:line] ". */
static bool take_firecracker(struct cursor *cursor)
{
    struct cursor next = *cursor;
    if (!take_shape(&next, "0000-00-00T00:00:00.000000000 ["))
        return false;
    for (size_t n = 0; n < 256 && next.at < next.end && *next.at != ']'; n++)
        next.at++;
    if (!take_char(&next, ']') || !take_char(&next, ' '))
        return false;
    *cursor = next;
    return true;
}

/* Date and host are gone; what follows is "ident[pid]: ", "kernel: [stamp] " or "ident: ". */
static void parse_syslog(struct cursor *cursor, struct line *line)
{
    struct cursor next = *cursor;
    line->source = LINE_JOURNAL;
    if (take_shape(&next, "kernel: ")) {
        line->source = LINE_KERNEL;
        *cursor = next;
        take_stamp(cursor, &line->guest_ms);
    } else {
        take_ident(cursor, line);
    }
}

/* systemd indents its status lines without a status word to the width of one: "         Starting
 * x". */
static bool take_status_indent(struct cursor *cursor)
{
    struct cursor next = *cursor;
    if (!take_shape(&next, "         A"))
        return false;
    cursor->at = next.at - 1;
    return true;
}

void prefix_parse(struct line *line)
{
    struct cursor cursor = {line->text, line->text + line->len};
    struct cursor start = cursor;
    line->guest_ms = -1;
    line->source = LINE_BARE;
    line->status = LINE_STATUS_NONE;
    line->ident[0] = '\0';
    line->pid = 0;

    skip_char(&start, ' ', 4);
    take_level(&start);
    if (take_stamp(&start, &line->guest_ms)) {
        line->source = take_ident(&start, line) ? LINE_JOURNAL : LINE_KERNEL;
        cursor = start;
    } else if (take_status(&start, &line->status)) {
        line->source = LINE_STATUS;
        cursor = start;
    } else if (take_status_indent(&cursor)) {
        line->source = LINE_STATUS;
    } else if (take_syslog_date(&start)) {
        parse_syslog(&start, line);
        cursor = start;
    } else if (take_ident(&start, line)) {
        line->source = LINE_JOURNAL;
        cursor = start;
    } else {
        take_firecracker(&cursor);
    }
    line->message = cursor.at;
    line->message_len = (size_t)(cursor.end - cursor.at);
}

/* Another writer's prefix whose first bracket stands at `bracket`: where it begins, or `len`. */
static size_t begins_at(const char *text, size_t len, size_t bracket)
{
    static const size_t firecracker_date = sizeof("2023-06-16T07:45:41.767987318 ") - 1;
    struct cursor cursor = {text + bracket, text + len};
    enum line_status status;
    int64_t ms;
    /* rsyslog keeps the kernel's stamp: "host kernel: [    2.43] text" is one writer's line. */
    if (!ends_in(text, bracket, "kernel: ") && take_stamp(&cursor, &ms)) {
        size_t at = bracket;
        if (at >= 3 && text[at - 1] == '>' && is_digit(text[at - 2]) && text[at - 3] == '<')
            at -= 3;
        return at;
    }
    /* Old init scripts end a line in "[  OK  ]"; systemd's is followed by what it did. */
    if (take_status(&cursor, &status) && take_shape(&cursor, "A") && cursor.at[-1] <= 'Z')
        return bracket;
    if (bracket >= firecracker_date) {
        cursor.at = text + bracket - firecracker_date;
        if (take_firecracker(&cursor))
            return bracket - firecracker_date;
    }
    return len;
}

size_t prefix_find(const char *text, size_t len, size_t from)
{
    for (size_t i = from; i < len; i++) {
        const char *bracket = memchr(text + i, '[', len - i);
        if (bracket == NULL)
            return len;
        i = (size_t)(bracket - text);
        /* What begins before `from` is the prefix of the piece that is being looked through. */
        size_t at = begins_at(text, len, i);
        if (at >= from && at < len)
            return at;
    }
    return len;
}
