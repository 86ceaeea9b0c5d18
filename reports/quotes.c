/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemd tells an event to the console and to the journal, and a loop repeats itself: lines are
 * compared without what stands in front of the words and by the template of a signature.
 */
#include "reports/quotes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/auto.h"
#include "reports/signature.h"

enum { MAX_CANDIDATES = 16, WORDS_LIMIT = 4096 };

static const char ellipsis[] = "…";

/* "[   10.747133] ", "[FAILED] ", "systemd[1]: " */
static const char *skip_prefixes(const char *line)
{
    for (;;) {
        line += strspn(line, " ");
        size_t speaker = strcspn(line, " []:");
        const char *end = line[speaker] == '[' ? strchr(line + speaker, ']') : NULL;
        if (end == NULL || (speaker > 0 && end[1] != ':'))
            return line;
        line = end + 1 + (speaker > 0);
    }
}

static char *words_of(const char *line)
{
    struct buf text;
    buf_init(&text, WORDS_LIMIT);
    signature_template(skip_prefixes(line), &text);
    char *words = buf_steal(&text);
    size_t len = strlen(words);
    if (len > 0 && words[len - 1] == '.')
        words[len - 1] = '\0';
    return words;
}

static bool matches_shortened(const char *words, const char *shortened)
{
    const char *gap = strstr(shortened, ellipsis);
    if (gap == NULL)
        return false;
    size_t head = (size_t)(gap - shortened), tail = strlen(gap + strlen(ellipsis));
    size_t len = strlen(words);
    return head > 0 && len >= head + tail && strncmp(words, shortened, head) == 0 &&
           strcmp(words + len - tail, gap + strlen(ellipsis)) == 0;
}

/* True if the lines have the same words: times, numbers, who speaks and status words in brackets do
 * not count, and an ellipsis stands for anything. */
static bool say_the_same(const char *line, const char *other)
{
    auto_free char *a = words_of(line);
    auto_free char *b = words_of(other);
    return strcmp(a, b) == 0 || matches_shortened(a, b) || matches_shortened(b, a);
}

void quotes_add_file(struct buf *text, const struct quotes_place *place, const char *file)
{
    if (place->console != NULL && strcmp(file, "console.log") == 0)
        buf_add_text(text, place->console);
    else
        buf_addf(text, "%s%s", place->where, file);
}

void quotes_add(const struct view *view, struct buf *text, const json_t *quote,
                const struct quotes_place *place)
{
    int64_t line = view_int(quote, "line", 0);
    quotes_add_file(text, place, view_text(quote, "file"));
    if (line > 0)
        buf_addf(text, ":%" PRId64, line);
    buf_add_text(text, ": ");
    view_excerpt(view, text, view_text(quote, "text"), QUOTES_COLUMNS);
}

/* By file, then line; facts, which have no line, at the end. */
static int compare_quotes(const void *left, const void *right)
{
    const json_t *a = *(const json_t *const *)left, *b = *(const json_t *const *)right;
    int64_t line_a = view_int(a, "line", INT64_MAX), line_b = view_int(b, "line", INT64_MAX);
    int order = strcmp(view_text(a, "file"), view_text(b, "file"));
    if ((line_a == INT64_MAX) != (line_b == INT64_MAX) || order == 0)
        return (line_a > line_b) - (line_a < line_b);
    return order;
}

size_t quotes_pick(const json_t *evidence, const json_t *ret_quotes[static QUOTES_MAX])
{
    size_t n = 0, candidates = json_array_size(evidence);
    if (candidates > MAX_CANDIDATES)
        candidates = MAX_CANDIDATES;
    for (size_t i = 0; i < candidates && n < QUOTES_MAX; i++) {
        const json_t *quote = json_array_get(evidence, i);
        bool known = false;
        for (size_t j = 0; j < n && !known; j++)
            known = say_the_same(view_text(quote, "text"), view_text(ret_quotes[j], "text"));
        if (!known)
            ret_quotes[n++] = quote;
    }
    if (n > 2)
        qsort(ret_quotes + 1, n - 1, sizeof(*ret_quotes), compare_quotes);
    return n;
}

bool quotes_show(const json_t *evidence, const json_t *quote)
{
    const json_t *quotes[QUOTES_MAX];
    size_t n = quotes_pick(evidence, quotes);
    for (size_t i = 0; i < n; i++)
        if (say_the_same(view_text(quotes[i], "text"), view_text(quote, "text")))
            return true;
    return false;
}
