/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/diagnosis.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "harness/base/auto.h"
#include "harness/base/mem.h"
#include "reports/words.h"

enum {
    LABEL_WIDTH = 10,      /* of "remedy", "baseline" and their like, with what separates */
    MENTION_COLUMNS = 160, /* of a line that is named within a sentence */
    QUESTION_WIDTH = 25,
    ANSWER_WIDTH = 9,
    MAX_NOVEL = 4,
    MAX_LATE = 2,
    LATE_MS = 1000, /* worth telling */
    MAX_CONTRIBUTING = 3,
    MAX_ALTERNATIVES = 2,
    BUF_LIMIT = 1 << 16,
};

static void labelled(const struct view *view, const char *label, const char *text)
{
    struct view_shape shape = {.indent = 2, .hang = 2 + LABEL_WIDTH, .label_colour = VIEW_DIM};
    auto_buf struct buf head;
    buf_init(&head, 64);
    buf_addf(&head, "%-*s", LABEL_WIDTH, label);
    view_paragraph(view, &shape, buf_text(&head), text);
}

/* The telling one is marked. */
static void print_quotes(const struct view *view, const json_t *evidence,
                         const struct quotes_place *place)
{
    const json_t *quotes[QUOTES_MAX];
    size_t n = quotes_pick(evidence, quotes);
    for (size_t i = 0; i < n; i++) {
        struct view_shape shape = {
            .indent = 2, .hang = 6, .text_colour = i == 0 ? VIEW_BOLD : VIEW_PLAIN};
        auto_buf struct buf text;
        buf_init(&text, BUF_LIMIT);
        quotes_add(view, &text, quotes[i], place);
        view_paragraph(view, &shape, i == 0 ? "> " : "  ", buf_text(&text));
    }
}

static void print_further_quotes(const struct view *view, const json_t *evidence,
                                 const struct quotes_place *place)
{
    const json_t *quotes[QUOTES_MAX];
    size_t n = quotes_pick(evidence, quotes);
    for (size_t i = 1; i < n; i++) {
        auto_buf struct buf text;
        buf_init(&text, BUF_LIMIT);
        quotes_add(view, &text, quotes[i], place);
        labelled(view, i == 1 ? "further" : "", buf_text(&text));
    }
}

static void print_stage(const struct view *view, const json_t *analysis)
{
    const char *stage = view_text(analysis, "stage"),
               *missing = view_text(analysis, "first_missing");
    auto_buf struct buf text;
    buf_init(&text, BUF_LIMIT);
    buf_addf(&text, "got as far as: %s", stage[0] != '\0' ? words_milestone(stage) : "nothing");
    if (missing[0] != '\0')
        buf_addf(&text, "; the first step that is missing: %s", words_milestone(missing));
    labelled(view, "stage", buf_text(&text));
}

static void add_novel(const struct view *view, struct buf *text, const json_t *novel,
                      const struct quotes_place *place)
{
    quotes_add_file(text, place, "console.log");
    buf_addf(text, ":%" PRId64 ": ", view_int(novel, "line", 0));
    view_excerpt(view, text, view_text(novel, "text"), QUOTES_COLUMNS);
}

/* From the one at `first` on. */
static void print_novel(const struct view *view, const json_t *diff, size_t first,
                        const struct quotes_place *place)
{
    const json_t *list = json_object_get(diff, "novel");
    for (size_t i = first; i < json_array_size(list) && i < MAX_NOVEL; i++) {
        const json_t *novel = json_array_get(list, i);
        auto_buf struct buf text;
        buf_init(&text, BUF_LIMIT);
        add_novel(view, &text, novel, place);
        if (view_text(novel, "was")[0] != '\0') {
            buf_add_text(&text, " (good boots: ");
            view_excerpt(view, &text, view_text(novel, "was"), MENTION_COLUMNS);
            buf_add_char(&text, ')');
        }
        labelled(view, i == first ? "new" : "", buf_text(&text));
    }
}

/* In single quotes: what stands in backquotes is a command and is not wrapped. */
static void add_mention(const struct view *view, struct buf *text, const char *before,
                        const char *line, const char *after)
{
    if (line[0] == '\0')
        return;
    buf_addf(text, "%s'", before);
    view_excerpt(view, text, line, MENTION_COLUMNS);
    buf_addf(text, "'%s", after);
}

static void print_divergence(const struct view *view, const json_t *diff)
{
    const json_t *first = json_object_get(diff, "first_divergence");
    if (!json_is_object(first))
        return;
    const json_t *until = json_object_get(first, "followed_until");
    int64_t runs = view_int(diff, "runs", 0), line = view_int(until, "line", 0);
    int64_t at_ms = view_int(until, "at_ms", -1);
    const char *expected = view_text(first, "expected"), *seen = view_text(first, "seen");
    auto_buf struct buf text;
    buf_init(&text, BUF_LIMIT);
    if (runs > 1)
        buf_addf(&text, "as in all %" PRId64 " good boots", runs);
    else
        buf_add_text(&text, "as in the good boot");
    if (line > 0)
        buf_addf(&text, " until line %" PRId64, line);
    if (at_ms >= 0) {
        buf_add_text(&text, " at ");
        view_seconds(&text, at_ms, 2);
    }
    add_mention(view, &text,
                runs > 1 ? "; the next line that they all print, "
                         : "; the next line that it prints, ",
                expected, ", never came");
    if (expected[0] != '\0')
        add_mention(view, &text, "; instead ", seen, "");
    else
        add_mention(view, &text, "; then ", seen, ", which is new");
    labelled(view, "baseline", buf_text(&text));
}

/* When the last milestone was reached: as long as the boot went on; -1: not known. */
static int64_t boot_ms(const json_t *analysis)
{
    int64_t last_ms = -1;
    size_t i;
    json_t *milestone;
    json_array_foreach (json_object_get(analysis, "milestones"), i, milestone) {
        int64_t at_ms = view_int(milestone, "at_ms", -1);
        last_ms = at_ms > last_ms ? at_ms : last_ms;
    }
    return last_ms;
}

/* By more than a second, or a quarter of the whole boot. */
static bool worth_telling(const json_t *late, int64_t whole_ms)
{
    int64_t by_ms = view_int(late, "ms", -1) - view_int(late, "usual_ms", -1);
    return by_ms > LATE_MS || (whole_ms > 0 && by_ms > whole_ms / 4);
}

static void print_late(const struct view *view, const json_t *analysis)
{
    const json_t *list = json_object_get(json_object_get(analysis, "diff"), "late");
    int64_t whole_ms = boot_ms(analysis);
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(list) && n < MAX_LATE; i++) {
        const json_t *late = json_array_get(list, i);
        if (!worth_telling(late, whole_ms))
            continue;
        auto_buf struct buf text;
        buf_init(&text, BUF_LIMIT);
        buf_addf(&text, "from %s to %s: ", words_milestone(view_text(late, "from")),
                 words_milestone(view_text(late, "to")));
        view_seconds(&text, view_int(late, "ms", -1), 1);
        buf_add_text(&text, ", usually ");
        view_seconds(&text, view_int(late, "usual_ms", -1), 1);
        labelled(view, n++ == 0 ? "late" : "", buf_text(&text));
    }
}

static void print_contributing(const struct view *view, const json_t *analysis,
                               const struct quotes_place *place)
{
    const json_t *evidence = json_object_get(json_object_get(analysis, "verdict"), "evidence");
    size_t i;
    json_t *other;
    json_array_foreach (json_object_get(analysis, "contributing"), i, other) {
        const json_t *quote = json_array_get(json_object_get(other, "evidence"), 0);
        auto_buf struct buf text;
        buf_init(&text, BUF_LIMIT);
        if (i == MAX_CONTRIBUTING)
            break;
        buf_add_text(&text, view_text(other, "cause"));
        if (quote != NULL && !quotes_show(evidence, quote)) {
            buf_add_text(&text, ": ");
            quotes_add(view, &text, quote, place);
        }
        labelled(view, i == 0 ? "also" : "", buf_text(&text));
    }
}

static void print_alternatives(const struct view *view, const json_t *analysis)
{
    size_t i;
    json_t *other;
    json_array_foreach (json_object_get(analysis, "alternatives"), i, other) {
        auto_buf struct buf text;
        buf_init(&text, BUF_LIMIT);
        if (i == MAX_ALTERNATIVES)
            break;
        buf_addf(&text, "%s (", view_text(other, "cause"));
        view_percent(&text, view_real(other, "confidence", 0));
        buf_add_text(&text, " %)");
        if (view_text(other, "why_not")[0] != '\0')
            buf_addf(&text, ": %s", view_text(other, "why_not"));
        labelled(view, i == 0 ? "or" : "", buf_text(&text));
    }
}

static bool is_unknown(const json_t *analysis)
{
    const json_t *verdict = json_object_get(analysis, "verdict");
    return strcmp(view_text(verdict, "cause"), "unknown") == 0;
}

/* What good boots did otherwise, and what else may matter. */
static void print_context(const struct view *view, const json_t *analysis,
                          const struct quotes_place *place)
{
    if (strcmp(view_text(analysis, "outcome"), "ready") != 0)
        print_divergence(view, json_object_get(analysis, "diff"));
    print_late(view, analysis);
    print_contributing(view, analysis, place);
    if (is_unknown(analysis))
        print_alternatives(view, analysis);
}

/* What was noticed in a boot of which nobody can say how it ended: the reader may judge by it. */
static const json_t *errors_of_undetermined(const json_t *analysis)
{
    size_t i;
    json_t *question;
    if (strcmp(view_text(analysis, "outcome"), "undetermined") != 0)
        return NULL;
    json_array_foreach (json_object_get(analysis, "questions"), i, question) {
        if (strcmp(view_text(question, "id"), "errors-seen") == 0)
            return json_object_get(question, "evidence");
    }
    return NULL;
}

void diagnosis_print(const struct view *view, const json_t *analysis,
                     const struct quotes_place *place)
{
    const json_t *verdict = json_object_get(analysis, "verdict");
    const json_t *evidence = json_object_get(verdict, "evidence");
    if (!json_is_object(verdict))
        evidence = errors_of_undetermined(analysis);
    /* Without a name for it, how far it got and what is new here are the best there is. */
    if (is_unknown(analysis)) {
        print_stage(view, analysis);
        print_novel(view, json_object_get(analysis, "diff"), 0, place);
    }
    if (view_text(verdict, "summary")[0] != '\0')
        view_paragraph(view, &(struct view_shape){.indent = 2, .hang = 2}, "",
                       view_text(verdict, "summary"));
    print_quotes(view, evidence, place);
    if (view_text(verdict, "remedy")[0] != '\0')
        labelled(view, "remedy", view_text(verdict, "remedy"));
    print_context(view, analysis, place);
}

void diagnosis_print_rest(const struct view *view, const json_t *analysis,
                          const struct quotes_place *place)
{
    const json_t *verdict = json_object_get(analysis, "verdict");
    const json_t *evidence = json_object_get(verdict, "evidence");
    if (is_unknown(analysis)) {
        bool told = json_array_size(evidence) == 0; /* the first one is the telling line */
        print_stage(view, analysis);
        print_novel(view, json_object_get(analysis, "diff"), told ? 1 : 0, place);
    }
    print_further_quotes(view, evidence, place);
    print_context(view, analysis, place);
}

static enum view_colour answer_colour(const json_t *question)
{
    const char *answer = view_text(question, "answer");
    bool errors = strcmp(view_text(question, "id"), "errors-seen") == 0;
    if (strcmp(answer, "unknown") == 0)
        return VIEW_YELLOW;
    return (strcmp(answer, "yes") == 0) != errors ? VIEW_GREEN : VIEW_RED;
}

static bool ends_with(const char *text, size_t len, const char *end)
{
    size_t n = strlen(end);
    return len >= n && strcmp(text + len - n, end) == 0;
}

/* The answer's sentence without what its question or the verdict says. */
static void add_answer(struct buf *words, const json_t *question, const char *summary)
{
    const char *text = view_text(question, "text");
    auto_free char *before = mem_printf(": %s", summary);
    size_t len = strlen(text), n = strlen(summary);
    if (strcasecmp(text, words_question(view_text(question, "id"))) == 0)
        return;
    if (n > 0 && strcmp(text, summary) == 0)
        buf_add_text(words, "as said above");
    else if (n > 0 && strncmp(text, summary, n) == 0 && strncmp(text + n, ": ", 2) == 0)
        buf_add_text(words, text + n + 2);
    else if (n > 0 && ends_with(text, len, before))
        buf_add(words, text, len - n - 2);
    else
        buf_add_text(words, text);
}

void diagnosis_print_questions(const struct view *view, const json_t *analysis)
{
    const char *summary = view_text(json_object_get(analysis, "verdict"), "summary");
    struct view_shape shape = {.indent = 2, .hang = 2 + QUESTION_WIDTH + ANSWER_WIDTH};
    size_t i;
    json_t *question;
    json_array_foreach (json_object_get(analysis, "questions"), i, question) {
        auto_buf struct buf head, words;
        buf_init(&head, 256);
        buf_init(&words, BUF_LIMIT);
        add_answer(&words, question, summary);
        bool more = buf_text(&words)[0] != '\0';
        view_cell(&head, words_question(view_text(question, "id")), QUESTION_WIDTH, true);
        view_cell(&head, view_text(question, "answer"), ANSWER_WIDTH, more);
        shape.label_colour = answer_colour(question);
        view_paragraph(view, &shape, buf_text(&head), buf_text(&words));
    }
}

void diagnosis_title(struct buf *text, const json_t *analysis)
{
    const json_t *verdict = json_object_get(analysis, "verdict");
    const char *cause = view_text(verdict, "cause");
    if (cause[0] == '\0')
        return;
    buf_add_text(text, cause);
    if (strcmp(cause, "unknown") == 0)
        return;
    buf_add_text(text, " (");
    view_percent(text, view_real(verdict, "confidence", 0));
    buf_add_text(text, " % sure)");
}

static const json_t *first_quote(const json_t *analysis)
{
    const json_t *verdict = json_object_get(analysis, "verdict");
    return json_array_get(json_object_get(verdict, "evidence"), 0);
}

static const json_t *first_novel(const json_t *analysis)
{
    const json_t *diff = json_object_get(analysis, "diff");
    return json_array_get(json_object_get(diff, "novel"), 0);
}

void diagnosis_telling_line(const struct view *view, struct buf *text, const json_t *analysis,
                            const struct quotes_place *place)
{
    if (first_quote(analysis) != NULL)
        quotes_add(view, text, first_quote(analysis), place);
    else if (first_novel(analysis) != NULL)
        add_novel(view, text, first_novel(analysis), place);
}

int64_t diagnosis_telling_number(const json_t *analysis)
{
    const json_t *quote = first_quote(analysis);
    if (quote == NULL)
        return view_int(first_novel(analysis), "line", 0);
    bool console = strcmp(view_text(quote, "file"), "console.log") == 0;
    return console ? view_int(quote, "line", 0) : 0;
}
