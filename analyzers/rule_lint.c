/* SPDX-License-Identifier: Apache-2.0 */
/* Texts are made from the pattern (specimen.h) and tried with the rule alone, without prefilter. */
#include "analyzers/rule_lint.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/chars.h"
#include "analyzers/evidence.h"
#include "analyzers/literal.h"
#include "analyzers/macro.h"
#include "analyzers/specimen.h"
#include "harness/base/auto.h"
#include "harness/base/buf.h"
#include "harness/base/mem.h"

enum { PATTERN_MAX = 64 * 1024, VARIANTS = 64, PUMPED = 4000, SHOWN_SIZE = 121 };

/* The rule under test. */
struct lint {
    struct rule_problems *problems;
    const struct rule *rule;
    struct ruleset *all, *alone;
    struct buf pattern; /* without macros */
    struct buf literal; /* the same of its own literal; empty: it has none */
};

static void add(struct rule_problems *problems, bool warning, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add(struct rule_problems *problems, bool warning, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = mem_vprintf(format, args);
    va_end(args);
    problems->failed |= !warning;
    if (problems->n == RULE_LINT_MAX_PROBLEMS)
        free(text);
    else
        problems->items[problems->n++] = (struct rule_problem){warning, text};
}

void rule_problems_release(struct rule_problems *problems)
{
    for (size_t i = 0; i < problems->n; i++)
        free(problems->items[i].text);
    *problems = (struct rule_problems){0};
}

/* ---- trying ---- */

struct trial {
    struct ruleset *rules;
    const struct rule *rule;
    bool prefilter;
    unsigned hits; /* of `rule` */
    size_t n_captures;
    bool limit;
    const struct rule *other; /* another one that matched, with the same cause; or NULL */
};

static bool same_cause(const struct rule *a, const struct rule *b)
{
    return a->cause != NULL && b->cause != NULL && strcmp(a->cause, b->cause) == 0;
}

static void on_match(void *ctx, const struct rule_match *match, const struct line *line)
{
    struct trial *trial = ctx;
    const struct rule *rule = ruleset_rule(trial->rules, match->index);
    (void)line;
    if (rule == trial->rule) {
        trial->hits++;
        trial->n_captures = match->n_captures;
    } else if (same_cause(rule, trial->rule)) {
        trial->other = rule;
    }
}

static void on_limit(void *ctx, const struct rule *rule, const struct line *line)
{
    struct trial *trial = ctx;
    (void)line;
    trial->limit |= rule == trial->rule;
}

static void on_line(void *ctx, const struct line *line)
{
    struct trial *trial = ctx;
    const struct rule_visitor visitor = {on_match, on_limit, trial};
    ruleset_match(trial->rules, trial->rule->file, line, trial->prefilter, &visitor);
}

/* As a whole line of a console, with whatever prefix it has. */
static struct trial try_text(const struct lint *lint, struct ruleset *rules, bool prefilter,
                             const char *text)
{
    struct trial trial = {.rules = rules, .rule = lint->rule, .prefilter = prefilter};
    struct line_reader *reader = line_reader_new(on_line, &trial);
    line_reader_feed(reader, text, strlen(text));
    line_reader_feed(reader, "\r\n", 2);
    line_reader_free(reader);
    return trial;
}

/* As the message of a line, with no prefix taken off. */
static struct trial try_message(const struct lint *lint, const struct buf *text)
{
    struct trial trial = {.rules = lint->alone, .rule = lint->rule};
    struct line line = {
        .text = buf_text(text),
        .len = text->len,
        .message = buf_text(text),
        .message_len = text->len,
        .number = 1,
        .guest_ms = -1,
    };
    on_line(&trial, &line);
    return trial;
}

/* ---- the checks ---- */

static void check_sample(const struct lint *lint)
{
    const struct rule *rule = lint->rule;
    if (rule->sample == NULL) {
        add(lint->problems, false, "it has no sample: give a real line that must match");
        return;
    }
    struct trial slow = try_text(lint, lint->alone, false, rule->sample);
    struct trial fast = try_text(lint, lint->all, true, rule->sample);
    if (slow.hits == 0)
        add(lint->problems, false, "its sample does not match");
    else if (fast.hits == 0)
        add(lint->problems, false,
            "its literal \"%s\" is not in its sample, so the rule would never be tried on it",
            rule->literal);
    if (slow.hits > 0 && fast.other != NULL)
        add(lint->problems, false, "its sample is matched by %s too, which has the same cause",
            fast.other->id);
    const char *group = strchr(rule->summary, '$');
    for (; slow.hits > 0 && group != NULL; group = strchr(group + 1, '$'))
        if (is_digit(group[1]) && group[1] != '0' && (size_t)(group[1] - '0') >= slow.n_captures)
            add(lint->problems, true, "its summary has $%c, and no group %c captures its sample's",
                group[1], group[1]);
        else if (is_digit(group[1]) && group[1] > '0' + EVIDENCE_MAX_CAPTURES)
            add(lint->problems, true,
                "its summary has $%c, and only $1 to $%d are kept: make other "
                "groups non-capturing, (?:...)",
                group[1], EVIDENCE_MAX_CAPTURES);
}

static void check_near_miss(const struct lint *lint)
{
    const struct rule *rule = lint->rule;
    if (rule->near_miss == NULL)
        add(lint->problems, false,
            "it has no near miss: give a line that is much like the sample and must not match");
    if (rule->near_miss == NULL)
        return;
    struct trial trial = try_text(lint, lint->alone, false, rule->near_miss);
    if (trial.hits > 0)
        add(lint->problems, false, "its near miss matches");
    else if (trial.limit)
        add(lint->problems, false,
            "its pattern is given up on its near miss: it recurses, or repeats, without an end");
}

static bool contains_anycase(const struct buf *text, const char *part)
{
    return strcasestr(buf_text(text), part) != NULL;
}

/* Texts with a NUL cannot be shown, nor looked through as text. */
static bool is_plain(const struct buf *text)
{
    return strlen(buf_text(text)) == text->len;
}

static void check_literal(const struct lint *lint)
{
    auto_literals struct literals found = {0};
    const char *literal = buf_text(&lint->literal);
    if (literal[0] == '\0') {
        literals_init(&found, buf_text(&lint->pattern));
        if (found.n == 0)
            add(lint->problems, true,
                "no literal can be read off its pattern, so every line is tried with it: name one "
                "that every match contains, or put more fixed text into the pattern");
        return;
    }
    for (unsigned variant = 0; variant < VARIANTS; variant++) {
        auto_buf struct buf text;
        buf_init(&text, LINE_MAX_BYTES);
        if (!specimen_make(buf_text(&lint->pattern), variant, &text) || text.overflow)
            return;
        if (!is_plain(&text) || contains_anycase(&text, literal) ||
            try_message(lint, &text).hits == 0)
            continue;
        char shown[SHOWN_SIZE];
        quote_clean(shown, sizeof(shown), buf_text(&text), text.len);
        add(lint->problems, false,
            "not every match contains its literal \"%s\": \"%s\" matches and would never be tried",
            lint->rule->literal, shown);
        return;
    }
}

/* Behind many repetitions: nothing; what no pattern expects; and all that a match needs, between
 * such, so that no matcher can see at once that there is none. */
static bool exceeds_limit(const struct lint *lint, unsigned variant, const struct buf *repeated)
{
    static const char *const tails[] = {"", "\x01", "\x01*\x01"};
    for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
        auto_buf struct buf text;
        buf_init(&text, LINE_MAX_BYTES);
        buf_add(&text, repeated->data, repeated->len);
        for (const char *c = tails[i]; *c != '\0'; c++)
            if (*c == '*')
                (void)specimen_make(buf_text(&lint->pattern), variant, &text);
            else
                buf_add_char(&text, *c);
        if (try_message(lint, &text).limit)
            return true;
    }
    return false;
}

/* What a quantifier repeats; and each character of a match, for one that takes anything. */
static bool is_attackable(const struct lint *lint, unsigned variant, size_t pump)
{
    enum { MOST_CHARACTERS = 16 };
    auto_buf struct buf repeated, match;
    buf_init(&repeated, LINE_MAX_BYTES / 2);
    buf_init(&match, LINE_MAX_BYTES);
    if (!specimen_pump(buf_text(&lint->pattern), variant, pump, PUMPED, &repeated) ||
        !specimen_make(buf_text(&lint->pattern), variant, &match))
        return false;
    if (exceeds_limit(lint, variant, &repeated))
        return true;
    for (size_t i = 0; i < match.len && i < MOST_CHARACTERS; i++) {
        buf_clear(&repeated);
        for (int k = 0; k < PUMPED; k++)
            buf_add_char(&repeated, match.data[i]);
        if (exceeds_limit(lint, variant, &repeated))
            return true;
    }
    return false;
}

static void check_cost(const struct lint *lint)
{
    enum { ATTACK_VARIANTS = 4 };
    struct specimen_pumps pumps;
    const char *pattern = lint->rule->pattern;
    bool has_macros = strcmp(pattern, buf_text(&lint->pattern)) != 0;
    if (!specimen_pumps(&pumps, buf_text(&lint->pattern)))
        return;
    for (size_t i = 0; i < pumps.n; i++)
        for (unsigned variant = 0; variant < ATTACK_VARIANTS; variant++)
            if (is_attackable(lint, variant, pumps.at[i])) {
                add(lint->problems, false,
                    "its pattern is catastrophic: a line made for its repetition at column %zu%s "
                    "exceeds the match limit; make repetitions possessive (++), or say what "
                    "stands between them",
                    pumps.at[i] + 1, has_macros ? " (macros replaced)" : "");
                return;
            }
    if (pumps.nested)
        add(lint->problems, true,
            "its pattern repeats a repetition (column %zu%s), which may become slow: make the "
            "inner one possessive (++)",
            pumps.nested_at + 1, has_macros ? " (macros replaced)" : "");
}

static int expand(struct lint *lint, const struct service *service, struct err *err)
{
    if (macro_expand(lint->rule->pattern, service, &lint->pattern, err) < 0)
        return -1;
    return lint->rule->literal == NULL
               ? 0
               : macro_literal(lint->rule->literal, service, &lint->literal, err);
}

void rule_lint(struct rule_problems *problems, const struct rule *rule, struct ruleset *all,
               const struct service *service)
{
    struct err err = {0};
    const struct rule_table table = {rule, 1};
    struct lint lint = {.problems = problems, .rule = rule, .all = all};
    buf_init(&lint.pattern, PATTERN_MAX);
    buf_init(&lint.literal, PATTERN_MAX);
    lint.alone = ruleset_new_from(&table, 1, service, &err);
    if (lint.alone == NULL || expand(&lint, service, &err) != 0) {
        add(problems, false, "%s", err.message);
    } else {
        check_sample(&lint);
        check_near_miss(&lint);
        check_literal(&lint);
        check_cost(&lint);
    }
    ruleset_free(lint.alone);
    buf_release(&lint.pattern);
    buf_release(&lint.literal);
}

/* ---- against good boots ---- */

struct reading {
    struct rule_problems *problems;
    struct ruleset *rules;
    size_t skip;
    const struct record *good;
    bool *said; /* owned: per rule: once for each boot is enough */
    enum rule_file file;
};

static void on_good_match(void *ctx, const struct rule_match *match, const struct line *line)
{
    struct reading *reading = ctx;
    const struct rule *rule = ruleset_rule(reading->rules, match->index);
    if (match->index < reading->skip || reading->said[match->index] ||
        (rule->cause == NULL && rule->severity < SEVERITY_ERROR))
        return;
    char shown[SHOWN_SIZE];
    quote_clean(shown, sizeof(shown), line->text, line->len);
    reading->said[match->index] = true;
    add(&reading->problems[match->index], false, "it matches in a good boot, %s, line %u: %s",
        reading->good->source, line->number, shown);
}

static void on_good_line(void *ctx, const struct line *line)
{
    struct reading *reading = ctx;
    const struct rule_visitor visitor = {.on_match = on_good_match, .ctx = reading};
    ruleset_match(reading->rules, reading->file, line, true, &visitor);
}

static void read_file(struct reading *reading, enum rule_file file, const struct bytes *bytes)
{
    if (bytes->data == NULL)
        return;
    reading->file = file;
    struct line_reader *reader = line_reader_new(on_good_line, reading);
    line_reader_feed(reader, bytes->data, bytes->len);
    line_reader_flush(reader);
    line_reader_free(reader);
}

void rule_lint_good(struct rule_problems *problems, struct ruleset *all, size_t skip,
                    const struct record *good)
{
    auto_free bool *said = mem_calloc(ruleset_len(all) + 1, sizeof(*said));
    struct reading reading = {
        .problems = problems, .rules = all, .skip = skip, .good = good, .said = said};
    read_file(&reading, RULE_CONSOLE, &good->console);
    read_file(&reading, RULE_VMM_LOG, &good->vmm_log);
}
