/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over words. A word without a digit is kept (all status words are such); for one with a
 * digit the matchers are tried in turn, each over a bounded number of bytes. Whatever is kept or
 * put in place of a match goes into a sink: a running hash, and a text if
 * somebody wants to read it.
 */
#include "analyzers/normalize.h"

#include <string.h>

#include "analyzers/mask.h"
#include "harness/base/hash.h"

enum { MAX_ERRNO_DIGITS = 4 };

/* Behind one of these, "-" is a number's sign. */
static const char number_openers[] = " (=:[,";

struct sink {
    uint64_t hash;
    struct buf *text; /* NULL: only the hash is wanted */
};

struct scan {
    struct span span; /* what is still to be looked at */
    const char *key;  /* the last word without a digit: what a number behind it counts */
    size_t key_len;
    const char *address_end; /* behind what was masked last: a port may follow an address */
    const char *host_name;
    size_t host_len;
    struct sink *sink;
};

static void put(struct sink *sink, const char *bytes, size_t len)
{
    sink->hash = hash_add(sink->hash, bytes, len);
    if (sink->text != NULL)
        buf_add(sink->text, bytes, len);
}

static void put_text(struct sink *sink, const char *text)
{
    put(sink, text, strlen(text));
}

/* Words behind which a number says what happened, not how often or when. */
static bool key_keeps(const struct scan *scan)
{
    static const char *const keys[] = {"port",  "status", "code",   "exit", "exitcode",
                                       "errno", "error",  "err",    "rc",   "signal",
                                       "sig",   "ret",    "exited", "line", "column"};
    return word_among_anycase(scan->key, scan->key_len, keys, sizeof(keys) / sizeof(keys[0]));
}

/* "-110" as a word of its own: the kernel's way to write an errno. */
static bool is_negative(const struct scan *scan, const char *start, size_t len)
{
    return len <= MAX_ERRNO_DIGITS && scan->span.at > start && scan->span.at[-1] == '-' &&
           (scan->span.at - 1 == start || strchr(number_openers, scan->span.at[-2]) != NULL);
}

static void keep(struct scan *scan, size_t len)
{
    put(scan->sink, scan->span.at, len);
    scan->span.at += len;
}

static void mask(struct scan *scan, size_t len, const char *with)
{
    put_text(scan->sink, with);
    scan->span.at += len;
}

static bool take_host_name(struct scan *scan)
{
    size_t n = scan->host_len;
    if (n < 2 || (size_t)(scan->span.end - scan->span.at) < n ||
        memcmp(scan->span.at, scan->host_name, n) != 0 || !span_ends_at(&scan->span, n) ||
        span_peek(&scan->span, n) == '-')
        return false;
    mask(scan, n, "<host>");
    return true;
}

/* Fingerprints ("SHA256:..."), base64 keys and the random part of temporary names. */
static bool is_random(const struct scan *scan, const char *start, size_t len)
{
    size_t upper = 0, lower = 0, digits = 0;
    size_t before = (size_t)(scan->span.at - start);
    if (before >= 7 && memcmp(scan->span.at - 7, "SHA256:", 7) == 0)
        return true;
    if (before >= 4 && memcmp(scan->span.at - 4, "tmp.", 4) == 0)
        return len >= 6;
    for (size_t i = 0; i < len; i++) {
        digits += is_digit(scan->span.at[i]);
        lower += scan->span.at[i] >= 'a' && scan->span.at[i] <= 'z';
        upper += scan->span.at[i] >= 'A' && scan->span.at[i] <= 'Z';
    }
    return memchr(scan->span.at, '_', len) == NULL && len >= 20 && digits >= 2 && upper >= 2 &&
           lower >= 2;
}

static bool is_key_char(char c)
{
    return is_word(c) || c == '+' || c == '/' || c == '=';
}

/* An ephemeral one was masked with its address. */
static bool is_port(const struct scan *scan)
{
    return scan->address_end != NULL && scan->span.at == scan->address_end + 1 &&
           scan->span.at[-1] == ':';
}

static void take_number(struct scan *scan, const char *start, size_t len)
{
    size_t number = mask_decimal(&scan->span);
    size_t version = mask_version(&scan->span);
    if (version > 0 && span_ends_at(&scan->span, version))
        keep(scan, version);
    else if (number < len || key_keeps(scan) || is_negative(scan, start, number) || is_port(scan))
        keep(scan, number > len ? number : len);
    else
        mask(scan, number, "<n>");
}

static void take_word(struct scan *scan, const char *start)
{
    size_t len = run_of(scan->span.at, scan->span.end, LINE_MAX_BYTES, is_word);
    bool digit = false, hex = true;
    if (scan->host_len > 0 && take_host_name(scan))
        return;
    for (size_t i = 0; i < len; i++) {
        digit |= is_digit(scan->span.at[i]);
        hex &= is_hex(scan->span.at[i]);
    }
    if (is_random(scan, start, len)) {
        mask(scan, run_of(scan->span.at, scan->span.end, LINE_MAX_BYTES, is_key_char), "<key>");
        return;
    }
    size_t date = len == 3 ? mask_worded_date(&scan->span) : 0;
    if (date > 0) {
        mask(scan, date, "<date>");
        return;
    }
    bool kept_number = (len > 2 && scan->span.at[1] == 'x' && key_keeps(scan));
    const char *with;
    size_t masked = (digit || hex) && !kept_number ? mask_match(&scan->span, &with) : 0;
    if (masked > 0) {
        mask(scan, masked, with);
        scan->address_end = scan->span.at;
        return;
    }
    if (is_digit(*scan->span.at)) {
        take_number(scan, start, len);
        return;
    }
    if (!digit) {
        scan->key = scan->span.at;
        scan->key_len = len;
    }
    keep(scan, len);
    /* "v18.20.4", "6.1.0-13-amd64": what goes on behind a dot belongs to the version. */
    while (digit && span_peek(&scan->span, 0) == '.' && is_digit(span_peek(&scan->span, 1)))
        keep(scan, 1 + run_of(scan->span.at + 1, scan->span.end, 20, is_digit));
}

/* ssh-keygen's picture of a key. */
static bool is_randomart(const struct line *line)
{
    return line->message_len == 19 && line->message[0] == '|' && line->message[18] == '|';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static void take_spaces(struct scan *scan)
{
    scan->span.at += run_of(scan->span.at, scan->span.end, LINE_MAX_BYTES, is_space);
    put(scan->sink, " ", 1);
}

/* Whether a counter is below zero says as little as its value. */
static bool is_sign_of_masked(const struct scan *scan, const char *start)
{
    struct span behind = {scan->span.at + 1, scan->span.end};
    return *scan->span.at == '-' && mask_decimal(&behind) > MAX_ERRNO_DIGITS &&
           (scan->span.at == start || strchr(number_openers, scan->span.at[-1]) != NULL);
}

static void put_prefix(struct sink *sink, const struct line *line)
{
    static const char *const sources[] = {
        [LINE_BARE] = "",
        [LINE_KERNEL] = "kernel: ",
        [LINE_JOURNAL] = "",
        [LINE_STATUS] = "",
    };
    static const char *const statuses[] = {
        [LINE_STATUS_NONE] = "[] ",         [LINE_STATUS_OK] = "[OK] ",
        [LINE_STATUS_FAILED] = "[FAILED] ", [LINE_STATUS_DEPEND] = "[DEPEND] ",
        [LINE_STATUS_TIME] = "[TIME] ",     [LINE_STATUS_WARN] = "[WARN] ",
        [LINE_STATUS_INFO] = "[INFO] ",     [LINE_STATUS_SKIP] = "[SKIP] ",
        [LINE_STATUS_RUNNING] = "[***] ",
    };
    put_text(sink, sources[line->source]);
    if (line->source == LINE_STATUS)
        put_text(sink, statuses[line->status]);
    if (line->source == LINE_JOURNAL) {
        put_text(sink, line->ident);
        put_text(sink, ": ");
    }
}

static void scan_line(const struct line *line, const char *host_name, struct sink *sink)
{
    struct scan scan = {
        .span = {line->message, line->message + line->message_len},
        .host_name = host_name,
        .host_len = host_name != NULL ? strlen(host_name) : 0,
        .sink = sink,
    };
    put_prefix(sink, line);
    if (is_randomart(line)) {
        put_text(sink, "<randomart>");
        return;
    }
    while (scan.span.at < scan.span.end) {
        const char *at = scan.span.at;
        if (is_space(*at))
            take_spaces(&scan);
        else if (is_word(*at) && (at == line->message || !is_word(at[-1])))
            take_word(&scan, line->message);
        else if (is_sign_of_masked(&scan, line->message))
            scan.span.at++;
        else
            keep(&scan, 1);
    }
}

uint64_t normalize_hash(const struct line *line, const char *host_name)
{
    struct sink sink = {.hash = HASH_START};
    scan_line(line, host_name, &sink);
    return sink.hash;
}

void normalize_text(const struct line *line, const char *host_name, struct buf *ret_text)
{
    struct sink sink = {.hash = HASH_START, .text = ret_text};
    scan_line(line, host_name, &sink);
}
