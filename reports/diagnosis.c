/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/diagnosis.h"

#include <inttypes.h>
#include <string.h>

enum {
    LABEL_WIDTH = 10, /* of "remedy", "baseline" and their like, with what separates */
    TEXT_LINES = 4,   /* a paragraph may take */
    MAX_EVIDENCE = 4,
    MAX_NOVEL = 4,
    MAX_LATE = 2,
    MAX_CONTRIBUTING = 3,
    MAX_ALTERNATIVES = 2,
    BUF_LIMIT = 1 << 16,
};

static void labelled(const struct view *view, const char *label, const char *text)
{
    struct view_shape shape = {
        .indent = 2, .hang = 2 + LABEL_WIDTH, .max_lines = TEXT_LINES, .label_colour = VIEW_DIM};
    auto_buf struct buf head;
    buf_init(&head, 64);
    buf_addf(&head, "%-*s", LABEL_WIDTH, label);
    view_paragraph(view, &shape, buf_text(&head), text);
}

static void add_quote(struct buf *text, const json_t *quote, const char *where)
{
    int64_t line = view_int(quote, "line", 0);
    buf_addf(text, "%s%s", where, view_text(quote, "file"));
    if (line > 0)
        buf_addf(text, ":%" PRId64, line);
    buf_addf(text, ": %s", view_text(quote, "text"));
}

static void print_quotes(const struct view *view, const json_t *quotes, const char *where)
{
    struct view_shape shape = {.indent = 2, .hang = 6, .max_lines = 3};
    size_t i;
    json_t *quote;
    json_array_foreach (quotes, i, quote) {
        auto_buf struct buf text;
        buf_init(&text, BUF_LIMIT);
        if (i == MAX_EVIDENCE)
            break;
        add_quote(&text, quote, where);
        /* The telling line comes first and stands out. */
        shape.text_colour = i == 0 ? VIEW_BOLD : VIEW_PLAIN;
        view_paragraph(view, &shape, "", buf_text(&text));
    }
}

static void print_stage(const struct view *view, const json_t *analysis)
{
    const char *stage = view_text(analysis, "stage"),
               *missing = view_text(analysis, "first_missing");
    auto_buf struct buf text;
    buf_init(&text, BUF_LIMIT);
    buf_addf(&text, "got as far as %s", stage[0] != '\0' ? stage : "nothing");
    if (missing[0] != '\0')
        buf_addf(&text, "; the first step that is missing: %s", missing);
    labelled(view, "stage", buf_text(&text));
}

static void add_novel(struct buf *text, const json_t *novel, const char *where)
{
    buf_addf(text, "%sconsole.log:%" PRId64 ": %s", where, view_int(novel, "line", 0),
             view_text(novel, "text"));
}

static void print_novel(const struct view *view, const json_t *diff, const char *where)
{
    size_t i;
    json_t *novel;
    json_array_foreach (json_object_get(diff, "novel"), i, novel) {
        auto_buf struct buf text;
        buf_init(&text, BUF_LIMIT);
        if (i == MAX_NOVEL)
            break;
        add_novel(&text, novel, where);
        if (view_text(novel, "was")[0] != '\0')
            buf_addf(&text, " (good boots: %s)", view_text(novel, "was"));
        labelled(view, i == 0 ? "new" : "", buf_text(&text));
    }
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
    buf_addf(&text, "as in %" PRId64 " of %" PRId64 " good boots", runs, runs);
    if (line > 0)
        buf_addf(&text, " until line %" PRId64, line);
    if (at_ms >= 0) {
        buf_add_text(&text, " at ");
        view_seconds(&text, at_ms, 2);
    }
    if (expected[0] != '\0')
        buf_addf(&text, "; the next line that they all print, `%s`, never came", expected);
    if (seen[0] != '\0')
        buf_addf(&text, expected[0] != '\0' ? "; instead `%s`" : "; then `%s`, which none prints",
                 seen);
    labelled(view, "baseline", buf_text(&text));
}

static void print_late(const struct view *view, const json_t *diff)
{
    size_t i;
    json_t *late;
    json_array_foreach (json_object_get(diff, "late"), i, late) {
        auto_buf struct buf text;
        buf_init(&text, BUF_LIMIT);
        if (i == MAX_LATE)
            break;
        buf_addf(&text, "%s to %s took ", view_text(late, "from"), view_text(late, "to"));
        view_seconds(&text, view_int(late, "ms", -1), 1);
        buf_add_text(&text, ", usually ");
        view_seconds(&text, view_int(late, "usual_ms", -1), 1);
        labelled(view, i == 0 ? "late" : "", buf_text(&text));
    }
}

static void print_contributing(const struct view *view, const json_t *analysis, const char *where)
{
    size_t i;
    json_t *other;
    json_array_foreach (json_object_get(analysis, "contributing"), i, other) {
        const json_t *quote = json_array_get(json_object_get(other, "evidence"), 0);
        auto_buf struct buf text;
        buf_init(&text, BUF_LIMIT);
        if (i == MAX_CONTRIBUTING)
            break;
        buf_add_text(&text, view_text(other, "cause"));
        if (quote != NULL) {
            buf_add_text(&text, ": ");
            add_quote(&text, quote, where);
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

void diagnosis_print(const struct view *view, const json_t *analysis, const char *where)
{
    const json_t *verdict = json_object_get(analysis, "verdict");
    const json_t *diff = json_object_get(analysis, "diff");
    bool unknown = strcmp(view_text(verdict, "cause"), "unknown") == 0;
    struct view_shape shape = {.indent = 2, .hang = 2, .max_lines = TEXT_LINES};
    /* Without a name for it, how far it got and what is new here are the best there is. */
    if (unknown) {
        print_stage(view, analysis);
        print_novel(view, diff, where);
    }
    if (view_text(verdict, "summary")[0] != '\0')
        view_paragraph(view, &shape, "", view_text(verdict, "summary"));
    print_quotes(view, json_object_get(verdict, "evidence"), where);
    if (view_text(verdict, "remedy")[0] != '\0')
        labelled(view, "remedy", view_text(verdict, "remedy"));
    if (strcmp(view_text(analysis, "outcome"), "ready") != 0)
        print_divergence(view, diff);
    print_late(view, diff);
    print_contributing(view, analysis, where);
    if (unknown)
        print_alternatives(view, analysis);
}

static const char *question_label(const char *id)
{
    static const char *const labels[][2] = {
        {"kernel-booted", "kernel boots"},
        {"network-up", "network comes up"},
        {"services-started", "systemd starts services"},
        {"agent-started", "agent starts"},
        {"errors-seen", "errors occur"},
        {"port-8080-reachable", "port answers"},
    };
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
        if (strcmp(labels[i][0], id) == 0)
            return labels[i][1];
    return id;
}

static enum view_colour answer_colour(const json_t *question)
{
    const char *answer = view_text(question, "answer");
    bool errors = strcmp(view_text(question, "id"), "errors-seen") == 0;
    if (strcmp(answer, "unknown") == 0)
        return VIEW_YELLOW;
    return (strcmp(answer, "yes") == 0) != errors ? VIEW_GREEN : VIEW_RED;
}

void diagnosis_print_questions(const struct view *view, const json_t *analysis)
{
    struct view_shape shape = {.indent = 2, .hang = 2 + 25 + 9, .max_lines = 2};
    size_t i;
    json_t *question;
    json_array_foreach (json_object_get(analysis, "questions"), i, question) {
        auto_buf struct buf head;
        buf_init(&head, 256);
        view_cell(&head, question_label(view_text(question, "id")), 25, true);
        view_cell(&head, view_text(question, "answer"), 9, true);
        shape.label_colour = answer_colour(question);
        view_paragraph(view, &shape, buf_text(&head), view_text(question, "text"));
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

void diagnosis_telling_line(struct buf *text, const json_t *analysis, const char *where)
{
    const json_t *verdict = json_object_get(analysis, "verdict");
    const json_t *quote = json_array_get(json_object_get(verdict, "evidence"), 0);
    const json_t *diff = json_object_get(analysis, "diff");
    const json_t *novel = json_array_get(json_object_get(diff, "novel"), 0);
    if (quote != NULL)
        add_quote(text, quote, where);
    else if (novel != NULL)
        add_novel(text, novel, where);
}
