/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recursive descent over the pattern's syntax. A branch needs each of its items, so the best one
 * will do; an alternation needs one of its branches, so it takes all of theirs. Syntax that is not
 * understood gives up on the whole pattern, which then is simply always tried.
 */
#include "analyzers/literal.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/chars.h"
#include "harness/base/mem.h"

enum { MAX_DEPTH = 200, MAX_RUN = 64 };

struct parser {
    const char *at;
    bool gave_up;
    int depth;
};

/* Characters that follow each other in every match. */
struct run {
    char text[MAX_RUN + 1];
    size_t len;
};

enum group { GROUP_NEEDED, GROUP_NEGATIVE, GROUP_FLAGS };

void literals_release(struct literals *literals)
{
    for (size_t i = 0; i < literals->n; i++)
        free(literals->texts[i]);
    free(literals->texts);
    *literals = (struct literals){0};
}

static void add(struct literals *literals, char *text)
{
    literals->texts = mem_realloc(literals->texts, literals->n + 1, sizeof(*literals->texts));
    literals->texts[literals->n++] = text;
}

static size_t shortest(const struct literals *literals)
{
    size_t least = 0;
    for (size_t i = 0; i < literals->n; i++) {
        size_t len = strlen(literals->texts[i]);
        least = i == 0 || len < least ? len : least;
    }
    return least;
}

/* Takes `other` if it filters better than what is there. */
static void offer(struct literals *best, struct literals *other)
{
    if (other->n <= LITERAL_MAX_TEXTS && shortest(other) >= LITERAL_MIN_LEN &&
        shortest(other) > shortest(best)) {
        struct literals worse = *best;
        *best = *other;
        *other = worse;
    }
    literals_release(other);
}

static void flush(struct run *run, struct literals *best)
{
    struct literals single = {0};
    if (run->len > 0)
        add(&single, mem_strndup(run->text, run->len));
    run->len = 0;
    offer(best, &single);
}

static void push(struct run *run, char c, struct literals *best)
{
    if (run->len == MAX_RUN)
        flush(run, best);
    run->text[run->len++] = c;
}

/* Skips a quantifier: -1 if there is none, else whether its item must occur. */
static int take_quantifier(struct parser *parser)
{
    const char *at = parser->at;
    int needed = *at == '+';
    if (*at == '{') {
        size_t digits = strspn(at + 1, "0123456789");
        const char *end = at + 1 + digits;
        if (*end == ',')
            end += 1 + strspn(end + 1, "0123456789");
        if (digits == 0 || *end != '}')
            return -1;
        needed = strtol(at + 1, NULL, 10) > 0;
        at = end;
    } else if (*at == '\0' || strchr("*+?", *at) == NULL) {
        return -1;
    }
    at++;
    parser->at = at + (*at == '?' || *at == '+');
    return needed;
}

/* A class counts as a character if it is one letter in both cases, else as none (NUL). */
static char take_class(struct parser *parser)
{
    const char *start = ++parser->at;
    const char *at = start;
    at += *at == '^';
    at += *at == ']';
    for (; *at != '\0' && *at != ']'; at++) {
        if (*at == '[' && at[1] == ':' && strstr(at + 2, ":]") != NULL)
            at = strstr(at + 2, ":]") + 1;
        else if (*at == '\\' && at[1] != '\0')
            at++;
    }
    parser->gave_up |= *at == '\0';
    parser->at = at + (*at == ']');
    bool pair = at - start == 2 && is_letter(start[0]) && is_letter(start[1]);
    return pair && (start[0] ^ start[1]) == 0x20 ? start[0] : '\0';
}

static int hex_value(const char *digits)
{
    char text[3] = {digits[0], digits[0] != '\0' ? digits[1] : '\0', '\0'};
    return is_hex(text[0]) && is_hex(text[1]) ? (int)strtol(text, NULL, 16) : 0;
}

/* Behind a backslash. A character; NUL for a class; `*ret_empty` for what matches no character. */
static char take_escape(struct parser *parser, bool *ret_empty)
{
    char c = parser->at[1];
    parser->at += c != '\0' ? 2 : 1;
    if (!is_word(c))
        return c;
    if (c == 't')
        return '\t';
    if (c == 'x' && hex_value(parser->at) != 0) {
        parser->at += 2;
        return (char)hex_value(parser->at - 2);
    }
    *ret_empty = strchr("bBAZzGK", c) != NULL;
    parser->gave_up |= !*ret_empty && strchr("dDwWsShHvVnrfae", c) == NULL;
    return '\0';
}

/* Behind "(": what kind of group it is; moves on to its content. */
static enum group take_group_start(struct parser *parser)
{
    const char *at = ++parser->at;
    enum group kind = GROUP_NEEDED;
    parser->gave_up |= *at == '*';
    if (*at != '?')
        return kind;
    at++;
    if (strncmp(at, "<=", 2) == 0 || strncmp(at, "<!", 2) == 0 || *at == '=' || *at == '!') {
        at += *at == '<';
        kind = *at == '!' ? GROUP_NEGATIVE : GROUP_NEEDED;
        parser->at = at + 1;
        return kind;
    }
    if (*at == '>' || *at == '|') {
        parser->at = at + 1;
        return kind;
    }
    if (*at == '<' || *at == '\'' || strncmp(at, "P<", 2) == 0) {
        at += *at == 'P';
        const char *end = strchr(at + 1, *at == '\'' ? '\'' : '>');
        parser->gave_up |= end == NULL;
        parser->at = end != NULL ? end + 1 : at;
        return kind;
    }
    size_t flags = strspn(at, "^-imsnJUa");
    parser->gave_up |= at[flags] != ':' && at[flags] != ')';
    kind = at[flags] == ')' ? GROUP_FLAGS : GROUP_NEEDED;
    parser->at = at + flags + (at[flags] == ':');
    return kind;
}

static void parse_alternation(struct parser *parser, struct literals *ret_literals);

static void parse_group(struct parser *parser, struct literals *best)
{
    auto_literals struct literals inner = {0};
    enum group kind = take_group_start(parser);
    if (!parser->gave_up && kind != GROUP_FLAGS)
        parse_alternation(parser, &inner);
    parser->gave_up |= *parser->at != ')';
    if (parser->gave_up)
        return;
    parser->at++;
    if (take_quantifier(parser) != 0 && kind == GROUP_NEEDED)
        offer(best, &inner);
}

/* An item that is no group. */
static void parse_item(struct parser *parser, struct run *run, struct literals *best)
{
    bool empty = *parser->at == '^' || *parser->at == '$';
    char c = '\0';
    if (*parser->at == '[')
        c = take_class(parser);
    else if (*parser->at == '\\')
        c = take_escape(parser, &empty);
    else if (empty || *parser->at == '.')
        parser->at++;
    else
        c = *parser->at++;
    int quantifier = take_quantifier(parser);
    if (c != '\0' && quantifier != 0)
        push(run, c, best);
    if ((c == '\0' && !empty) || quantifier >= 0)
        flush(run, best);
}

static void parse_branch(struct parser *parser, struct literals *best)
{
    struct run run = {.len = 0};
    while (!parser->gave_up && *parser->at != '\0' && *parser->at != '|' && *parser->at != ')') {
        if (*parser->at == '(') {
            flush(&run, best);
            parse_group(parser, best);
        } else {
            parse_item(parser, &run, best);
        }
    }
    flush(&run, best);
}

static void parse_alternation(struct parser *parser, struct literals *ret_literals)
{
    bool all = true;
    parser->gave_up |= ++parser->depth > MAX_DEPTH;
    for (;;) {
        auto_literals struct literals branch = {0};
        parse_branch(parser, &branch);
        all &= branch.n > 0 && ret_literals->n + branch.n <= LITERAL_MAX_TEXTS;
        for (size_t i = 0; all && i < branch.n; i++)
            add(ret_literals, mem_strdup(branch.texts[i]));
        if (parser->gave_up || *parser->at != '|')
            break;
        parser->at++;
    }
    parser->depth--;
    if (!all || parser->gave_up)
        literals_release(ret_literals);
}

void literals_init(struct literals *literals, const char *pattern)
{
    struct parser parser = {.at = pattern};
    *literals = (struct literals){0};
    parse_alternation(&parser, literals);
    if (parser.gave_up || *parser.at != '\0')
        literals_release(literals);
}
