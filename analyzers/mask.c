/* SPDX-License-Identifier: Apache-2.0 */
/* Matchers in a table; each looks at a bounded number of bytes or takes what it looked at. */
#include "analyzers/mask.h"

#include <stdint.h>
#include <string.h>

enum { MAX_MAC = 120 };

/* Length of bytes as in `shape` from `at` on ('0': a digit, 'x': a hex digit, others themselves),
 * or 0. */
static size_t shape(const char *at, const char *end, const char *form)
{
    size_t n = strlen(form);
    if ((size_t)(end - at) < n)
        return 0;
    for (size_t i = 0; i < n; i++) {
        bool fits = form[i] == '0'   ? is_digit(at[i])
                    : form[i] == 'x' ? is_hex(at[i])
                                     : at[i] == form[i];
        if (!fits)
            return 0;
    }
    return n;
}

static size_t match_uuid(const struct span *span, const char **ret_mask)
{
    *ret_mask = "<uuid>";
    size_t n = shape(span->at, span->end, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
    return span_ends_at(span, n) ? n : 0;
}

/* A MAC or a longer identifier of the same form (DUID, client id). */
static size_t match_mac(const struct span *span, const char **ret_mask)
{
    size_t n = shape(span->at, span->end, "xx:xx:xx:xx:xx:xx");
    *ret_mask = "<mac>";
    while (n > 0 && n < MAX_MAC && shape(span->at + n, span->end, ":xx") > 0)
        n += 3;
    return span_ends_at(span, n) ? n : 0;
}

static size_t clock_len(const char *at, const char *end)
{
    size_t n = shape(at, end, "00:00:00");
    if (n > 0 && at + n < end && (at[n] == '.' || at[n] == ','))
        n += 1 + run_of(at + n + 1, end, 9, is_digit);
    return n;
}

static size_t match_date(const struct span *span, const char **ret_mask)
{
    size_t n = shape(span->at, span->end, "0000-00-00");
    *ret_mask = "<date>";
    if (n == 0)
        return span_ends_at(span, n = clock_len(span->at, span->end)) ? n : 0;
    if (span_peek(span, n) == 'T' || span_peek(span, n) == ' ') {
        size_t clock = clock_len(span->at + n + 1, span->end);
        n += clock > 0 ? clock + 1 : 0;
    }
    if (span_peek(span, n) == 'Z')
        return n + 1;
    if (span_peek(span, n) == '+' || span_peek(span, n) == '-') {
        size_t colon = shape(span->at + n + 1, span->end, "00:00");
        size_t zone = colon > 0 ? colon : shape(span->at + n + 1, span->end, "0000");
        n += zone > 0 ? zone + 1 : 0;
    }
    return n;
}

/* Ephemeral ports differ from boot to boot (Linux takes them from 32768 on), a service's port does
 * not. */
static size_t ephemeral_port(const struct span *span, size_t from)
{
    unsigned value = 0;
    if (span_peek(span, from) != ':')
        return 0;
    size_t n = run_of(span->at + from + 1, span->end, 5, is_digit);
    for (size_t i = 0; i < n; i++)
        value = value * 10 + (unsigned)(span->at[from + 1 + i] - '0');
    return value >= 32768 ? n + 1 : 0;
}

/* Loopback and "any" are told apart from the rest: who listens there listens for nobody, or for
 * all. */
static size_t match_ip4(const struct span *span, const char **ret_mask)
{
    size_t n = 0;
    for (int part = 0; part < 4; part++) {
        if (part > 0 && span_peek(span, n++) != '.')
            return 0;
        size_t digits = run_of(span->at + n, span->end, 4, is_digit);
        if (digits == 0 || digits > 3)
            return 0;
        n += digits;
    }
    if (!span_ends_at(span, n) || (span_peek(span, n) == '.' && is_digit(span_peek(span, n + 1))))
        return 0;
    *ret_mask = "<ip>";
    if (strncmp(span->at, "127.", 4) == 0)
        *ret_mask = "<ip-loopback>";
    else if (strncmp(span->at, "0.0.0.0", 7) == 0)
        *ret_mask = "<ip-any>";
    else if (strncmp(span->at, "169.254.", 8) == 0)
        *ret_mask = "<ip-link-local>";
    return n + ephemeral_port(span, n);
}

static bool is_ip6(char c)
{
    return is_hex(c) || c == ':';
}

static size_t match_ip6(const struct span *span, const char **ret_mask)
{
    size_t n = run_of(span->at, span->end, 46, is_ip6);
    size_t colons = 0, group = 0;
    bool gap = false;
    while (n > 0 && span->at[n - 1] == ':' && !(n > 1 && span->at[n - 2] == ':'))
        n--;
    for (size_t i = 0; i < n; i++) {
        bool colon = span->at[i] == ':';
        colons += colon;
        gap |= colon && i > 0 && span->at[i - 1] == ':';
        group = colon ? 0 : group + 1;
        if (group > 4)
            return 0;
    }
    *ret_mask = "<ip6>";
    return colons >= 2 && (gap || colons == 7) && span_ends_at(span, n) ? n : 0;
}

/* Addresses, hashes, machine ids. "deadbeef" is a word, "e1000e" a driver, "0020AE" a length. */
static size_t match_hex(const struct span *span, const char **ret_mask)
{
    size_t n = 0;
    *ret_mask = "<hex>";
    if (span_peek(span, 0) == '0' && (span_peek(span, 1) == 'x' || span_peek(span, 1) == 'X')) {
        n = 2 + run_of(span->at + 2, span->end, 32, is_hex);
        return n > 2 && span_ends_at(span, n) ? n : 0;
    }
    n = run_of(span->at, span->end, 256, is_hex);
    size_t digits = 0;
    for (size_t i = 0; i < n; i++)
        digits += is_digit(span->at[i]);
    size_t least = span_peek(span, 0) == '0' ? 6 : 7;
    return n >= least && digits > 0 && digits < n && span_ends_at(span, n) ? n : 0;
}

/* Versions ("6.1.0", "v18.20") and the like: three numbers or more. */
size_t mask_version(const struct span *span)
{
    size_t n = 0;
    int parts = 0;
    for (;;) {
        size_t digits = run_of(span->at + n, span->end, 20, is_digit);
        if (digits == 0)
            return 0;
        n += digits;
        parts++;
        if (span_peek(span, n) != '.' || !is_digit(span_peek(span, n + 1)) || n > 60)
            break;
        n++;
    }
    return parts >= 3 ? n : 0;
}

static const char *const duration_units[] = {"us", "ms", "s", "min", "h", "d", "ns", "sec", "y"};
static const char *const size_units[] = {"B",  "K",  "M",   "G",   "T",   "k",  "KB",
                                         "MB", "GB", "KiB", "MiB", "GiB", "kB", "TB"};

static size_t unit_len(const char *at, const char *end, const char *const *units, size_t n_units)
{
    size_t n = run_of(at, end, 4, is_letter);
    if (at + n < end && is_word(at[n]))
        return 0;
    return word_among(at, n, units, n_units) ? n : 0;
}

static size_t decimal_len(const char *at, const char *end)
{
    size_t n = run_of(at, end, 64, is_digit);
    if (n > 0 && at + n + 1 < end && at[n] == '.' && is_digit(at[n + 1]))
        n += 1 + run_of(at + n + 1, end, 64, is_digit);
    return n;
}

/* "1min 30.5s": one duration however it is cut into units. */
static size_t match_duration(const struct span *span, const char **ret_mask)
{
    const size_t n_units = sizeof(duration_units) / sizeof(duration_units[0]);
    size_t total = 0;
    *ret_mask = "<duration>";
    for (int part = 0; part < 6; part++) {
        const char *at = span->at + total + (total > 0 && span_peek(span, total) == ' ');
        size_t number = decimal_len(at, span->end);
        size_t unit = number > 0 ? unit_len(at + number, span->end, duration_units, n_units) : 0;
        if (unit == 0)
            break;
        total = (size_t)(at - span->at) + number + unit;
    }
    return total;
}

static size_t match_size(const struct span *span, const char **ret_mask)
{
    size_t number = decimal_len(span->at, span->end);
    size_t unit = unit_len(span->at + number, span->end, size_units,
                           sizeof(size_units) / sizeof(size_units[0]));
    *ret_mask = "<size>";
    return number > 0 && unit > 0 ? number + unit : 0;
}

static size_t (*const matchers[])(const struct span *span, const char **ret_mask) = {
    match_uuid, match_mac, match_date, match_ip4, match_ip6, match_hex, match_duration, match_size,
};

static const char *const date_words[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Jan",
                                         "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
                                         "Oct", "Nov", "Dec", "UTC", "GMT", "AM",  "PM"};

static size_t date_word_len(const char *at, const char *end)
{
    size_t n = run_of(at, end, 4, is_letter);
    return word_among(at, n, date_words, sizeof(date_words) / sizeof(date_words[0])) ? n : 0;
}

/* A date in words, as date(1) and ctime(3) write it: "Thu Nov  6 20:47:04 UTC 2025". */
size_t mask_worded_date(const struct span *span)
{
    size_t total = date_word_len(span->at, span->end);
    bool clock = false;
    for (int part = 0; total > 0 && part < 8; part++) {
        const char *at = span->at + total;
        while (at < span->end && (*at == ' ' || *at == ',') && at - span->at < 64)
            at++;
        size_t n = clock_len(at, span->end);
        clock |= n > 0;
        if (n == 0)
            n = date_word_len(at, span->end);
        if (n == 0)
            n = run_of(at, span->end, 4, is_digit);
        /* Any zone's name between the clock and the year. */
        size_t zone = run_of(at, span->end, 5, is_letter);
        if (n == 0 && clock && zone >= 3 && zone <= 4 && shape(at + zone, span->end, " 0000") > 0)
            n = zone;
        if (n == 0 || (at + n < span->end && is_word(at[n])))
            break;
        total = (size_t)(at - span->at) + n;
    }
    return clock ? total : 0;
}

size_t mask_decimal(const struct span *span)
{
    return decimal_len(span->at, span->end);
}

size_t mask_match(const struct span *span, const char **ret_mask)
{
    for (size_t i = 0; i < sizeof(matchers) / sizeof(matchers[0]); i++) {
        size_t n = matchers[i](span, ret_mask);
        if (n > 0)
            return n;
    }
    return 0;
}
