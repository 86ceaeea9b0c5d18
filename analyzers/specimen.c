/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recursive descent over the pattern. An item is first skipped, muted, to find its quantifier, then
 * written as often as that says. Lookarounds write nothing, so some specimens do not match.
 */
#include "analyzers/specimen.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/chars.h"

enum { MAX_DEPTH = 200 };

struct parser {
    const char *pattern, *at;
    struct buf *out;
    unsigned variant;
    const char *pump; /* the quantifier that repeats `times` times; NULL: none */
    size_t times;
    struct specimen_pumps *pumps; /* to be filled; or NULL */
    int muted, depth;
    bool gave_up;
    bool done; /* the pump was written: nothing more is */
};

struct quantifier {
    const char *at;
    int min;
    bool unbounded, possessive;
};

static void put(struct parser *parser, char c)
{
    if (parser->muted == 0 && !parser->done)
        buf_add_char(parser->out, c);
}

/* ---- classes ---- */

static void add_range(bool set[static 256], int from, int to)
{
    for (int c = from; c <= to; c++)
        set[c] = true;
}

/* \d, \w, \s, \h and their opposites; false: another escape. */
static bool add_type(bool set[static 256], char type)
{
    bool is[256] = {false};
    char lower = (char)(type | 0x20);
    switch (lower) {
    case 'w':
        add_range(is, 'a', 'z');
        add_range(is, 'A', 'Z');
        is['_'] = true;
        add_range(is, '0', '9');
        break;
    case 'd':
        add_range(is, '0', '9');
        break;
    case 's':
        add_range(is, '\t', '\r');
        is[' '] = true;
        break;
    case 'h':
        is[' '] = is['\t'] = true;
        break;
    default:
        return false;
    }
    for (int c = 0; c < 256; c++)
        set[c] |= is[c] == (type == lower);
    return true;
}

static bool add_posix(bool set[static 256], const char *name, size_t len)
{
    static const struct {
        const char *name, *types, *ranges; /* pairs of first and last */
    } classes[] = {
        {"alpha", "", "azAZ"},     {"digit", "d", ""},  {"alnum", "d", "azAZ"},
        {"upper", "", "AZ"},       {"lower", "", "az"}, {"space", "s", ""},
        {"word", "w", ""},         {"blank", "h", ""},  {"xdigit", "d", "afAF"},
        {"punct", "", "!/:@[`{~"}, {"print", "", " ~"}, {"graph", "", "!~"},
    };
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        if (strlen(classes[i].name) != len || memcmp(classes[i].name, name, len) != 0)
            continue;
        for (const char *type = classes[i].types; *type != '\0'; type++)
            (void)add_type(set, *type);
        for (const char *range = classes[i].ranges; *range != '\0'; range += 2)
            add_range(set, range[0], range[1]);
        return true;
    }
    return false;
}

/* A character behind a backslash, at `*at`; -1: none that is understood. */
static int take_char_escape(const char **at)
{
    static const char names[] = "nrtfea", values[] = "\n\r\t\f\033\a";
    char c = *(*at)++;
    if (c == 'x' && is_hex((*at)[0]) && is_hex((*at)[1])) {
        char digits[3] = {(*at)[0], (*at)[1], '\0'};
        *at += 2;
        return (int)strtol(digits, NULL, 16);
    }
    const char *name = c != '\0' ? strchr(names, c) : NULL;
    if (name != NULL)
        return values[name - names];
    return c == '\0' || is_word(c) ? -1 : (unsigned char)c;
}

/* One character, or the first of a range, or a whole type; -1: a type was added. */
static int take_class_item(struct parser *parser, bool set[static 256])
{
    if (parser->at[0] == '[' && parser->at[1] == ':') {
        const char *end = strstr(parser->at + 2, ":]");
        if (end == NULL || !add_posix(set, parser->at + 2, (size_t)(end - parser->at) - 2))
            parser->gave_up = true;
        parser->at = end != NULL ? end + 2 : parser->at + 2;
        return -1;
    }
    if (*parser->at != '\\')
        return (unsigned char)*parser->at++;
    parser->at++;
    if (add_type(set, *parser->at)) {
        parser->at++;
        return -1;
    }
    if (*parser->at == 'b') {
        parser->at++;
        return '\b';
    }
    int c = take_char_escape(&parser->at);
    parser->gave_up |= c < 0;
    return c;
}

static void take_class(struct parser *parser)
{
    static const char liked[] = "ax0 -_./:=@,;";
    bool set[256] = {false};
    parser->at++;
    bool negated = *parser->at == '^';
    parser->at += negated;
    for (bool first = true; !parser->gave_up && (*parser->at != ']' || first); first = false) {
        if (*parser->at == '\0') {
            parser->gave_up = true;
            return;
        }
        int from = take_class_item(parser, set), to = from;
        if (from >= 0 && parser->at[0] == '-' && parser->at[1] != ']' && parser->at[1] != '\0') {
            parser->at++;
            to = take_class_item(parser, set);
        }
        if (from >= 0)
            add_range(set, from, to);
    }
    parser->at += *parser->at == ']';
    for (const char *c = liked; *c != '\0'; c++)
        if (set[(unsigned char)*c] != negated) {
            put(parser, *c);
            return;
        }
    for (int c = ' '; c < 256 + ' '; c++)
        if (set[c % 256] != negated) {
            put(parser, (char)c);
            return;
        }
}

/* ---- items ---- */

static void take_escape(struct parser *parser)
{
    bool set[256] = {false};
    parser->at++;
    if (add_type(set, *parser->at)) {
        static const char types[] = "wdshWDSH", examples[] = "a0  -xxx";
        put(parser, examples[strchr(types, *parser->at) - types]);
        parser->at++;
    } else if (*parser->at != '\0' && strchr("bBAZzGK", *parser->at) != NULL) {
        parser->at++;
    } else {
        int c = take_char_escape(&parser->at);
        parser->gave_up |= c < 0;
        put(parser, (char)c);
    }
}

static void alternation(struct parser *parser);

/* What stands behind "(": moves on to the content; true: it writes nothing. */
static bool take_group_start(struct parser *parser, bool *ret_atomic)
{
    const char *at = ++parser->at;
    parser->gave_up |= *at == '*';
    if (*at != '?')
        return false;
    at++;
    size_t flags = strspn(at, "^-imsnJUa");
    if (*at == '=' || *at == '!' || strncmp(at, "<=", 2) == 0 || strncmp(at, "<!", 2) == 0) {
        parser->at = at + 1 + (*at == '<');
        return true;
    }
    if (*at == '>' || *at == '|') {
        *ret_atomic = *at == '>';
        parser->at = at + 1;
    } else if (*at == '<' || *at == '\'' || strncmp(at, "P<", 2) == 0) {
        at += *at == 'P';
        const char *end = strchr(at + 1, *at == '\'' ? '\'' : '>');
        parser->gave_up |= end == NULL;
        parser->at = end != NULL ? end + 1 : at;
    } else if (at[flags] == ':' || at[flags] == ')') {
        parser->at = at + flags + (at[flags] == ':');
    } else {
        parser->gave_up = true;
    }
    return false;
}

static void group(struct parser *parser, bool *ret_atomic)
{
    bool silent = take_group_start(parser, ret_atomic);
    parser->muted += silent;
    if (!parser->gave_up)
        alternation(parser);
    parser->muted -= silent;
    parser->gave_up |= *parser->at != ')';
    parser->at += *parser->at == ')';
}

static void item(struct parser *parser, bool *ret_atomic)
{
    char c = *parser->at;
    if (c == '(') {
        group(parser, ret_atomic);
    } else if (c == '[') {
        take_class(parser);
    } else if (c == '\\') {
        take_escape(parser);
    } else {
        parser->at++;
        if (c == '.')
            put(parser, 'x');
        else if (c != '^' && c != '$')
            put(parser, c);
    }
}

/* "{2,5}", "{2,}", "{2}" at `at`; NULL: those are characters. */
static const char *take_bounds(const char *at, struct quantifier *ret)
{
    size_t digits = strspn(at + 1, "0123456789");
    const char *end = at + 1 + digits;
    bool comma = *end == ',';
    size_t more = comma ? strspn(end + 1, "0123456789") : 0;
    end += comma + more;
    if (digits == 0 || digits > 5 || *end != '}')
        return NULL;
    ret->min = (int)strtol(at + 1, NULL, 10);
    ret->unbounded = comma && more == 0;
    return end + 1;
}

static struct quantifier take_quantifier(struct parser *parser)
{
    struct quantifier quantifier = {.at = parser->at, .min = 1};
    char c = *parser->at;
    const char *end = NULL;
    if (c == '{')
        end = take_bounds(parser->at, &quantifier);
    else if (c == '*' || c == '+' || c == '?')
        end = parser->at + 1;
    if (end == NULL)
        return quantifier;
    if (c != '{') {
        quantifier.min = c == '+';
        quantifier.unbounded = c != '?';
    }
    quantifier.possessive = *end == '+';
    parser->at = end + (*end == '+' || *end == '?');
    return quantifier;
}

static void note_pump(struct parser *parser, const struct quantifier *quantifier, size_t n_inside)
{
    struct specimen_pumps *pumps = parser->pumps;
    if (pumps == NULL || !quantifier->unbounded || quantifier->possessive)
        return;
    size_t at = (size_t)(quantifier->at - parser->pattern);
    if (pumps->n > n_inside && !pumps->nested) {
        pumps->nested = true;
        pumps->nested_at = at;
    }
    if (pumps->n < SPECIMEN_MAX_PUMPS)
        pumps->at[pumps->n++] = at;
}

static void repeat(struct parser *parser, const char *start, const struct quantifier *quantifier)
{
    const char *end = parser->at;
    bool pumped = quantifier->at == parser->pump;
    size_t times = pumped                ? parser->times
                   : quantifier->min > 0 ? (size_t)quantifier->min
                                         : parser->variant % 2;
    for (size_t i = 0; i < times && !parser->done && !parser->out->overflow; i++) {
        bool atomic = false;
        parser->at = start;
        item(parser, &atomic);
    }
    parser->done |= pumped;
    parser->at = end;
}

static void quantified(struct parser *parser)
{
    const char *start = parser->at;
    size_t n_pumps = parser->pumps != NULL ? parser->pumps->n : 0;
    bool atomic = false;
    parser->muted++;
    item(parser, &atomic);
    parser->muted--;
    if (atomic && parser->pumps != NULL)
        parser->pumps->n = n_pumps; /* what is inside is never tried again */
    struct quantifier quantifier = take_quantifier(parser);
    if (parser->muted == 0 || parser->pumps != NULL)
        note_pump(parser, &quantifier, n_pumps);
    if (parser->muted == 0 && parser->pumps == NULL)
        repeat(parser, start, &quantifier);
}

static void branch(struct parser *parser)
{
    while (!parser->gave_up && *parser->at != '\0' && *parser->at != '|' && *parser->at != ')')
        quantified(parser);
}

/* Muted through all branches to count them, then once more for the one that is taken. */
static void alternation(struct parser *parser)
{
    const char *starts[64];
    size_t n = 0;
    parser->gave_up |= ++parser->depth > MAX_DEPTH;
    parser->muted++;
    do {
        parser->at += n > 0;
        if (n < sizeof(starts) / sizeof(starts[0]))
            starts[n++] = parser->at;
        branch(parser);
    } while (!parser->gave_up && *parser->at == '|');
    parser->muted--;
    if (parser->muted == 0 && parser->pumps == NULL && !parser->gave_up) {
        const char *end = parser->at;
        parser->at = starts[parser->variant % n];
        branch(parser);
        parser->at = end;
    }
    parser->depth--;
}

static bool run(struct parser *parser)
{
    parser->at = parser->pattern;
    alternation(parser);
    return !parser->gave_up && *parser->at == '\0';
}

bool specimen_pumps(struct specimen_pumps *ret_pumps, const char *pattern)
{
    struct parser parser = {.pattern = pattern, .pumps = ret_pumps};
    *ret_pumps = (struct specimen_pumps){0};
    return run(&parser);
}

bool specimen_make(const char *pattern, unsigned variant, struct buf *ret_text)
{
    struct parser parser = {.pattern = pattern, .out = ret_text, .variant = variant};
    return run(&parser);
}

bool specimen_pump(const char *pattern, unsigned variant, size_t pump, size_t times,
                   struct buf *ret_text)
{
    struct parser parser = {.pattern = pattern,
                            .out = ret_text,
                            .variant = variant,
                            .pump = pattern + pump,
                            .times = times};
    return run(&parser);
}
