/* SPDX-License-Identifier: Apache-2.0 */
/* One analysed boot as text, and a table by cause over many. */
#include <inttypes.h>
#include <string.h>

#include "harness/base/auto.h"
#include "harness/base/json.h"
#include "harness/base/mem.h"
#include "reports/diagnosis.h"
#include "reports/report.h"
#include "reports/view.h"

enum { BUF_LIMIT = 1 << 16, MAX_EXAMPLES = 3 };

static enum view_colour outcome_colour(const char *outcome)
{
    if (strcmp(outcome, "ready") == 0)
        return VIEW_GREEN;
    return strcmp(outcome, "failed") == 0 ? VIEW_RED : VIEW_YELLOW;
}

static void print_title(const struct view *view, const json_t *analysis)
{
    const char *outcome = view_text(analysis, "outcome");
    auto_buf struct buf title;
    buf_init(&title, BUF_LIMIT);
    buf_addf(&title, "%s: %s", view_text(analysis, "source"), outcome);
    if (json_is_object(json_object_get(analysis, "verdict"))) {
        buf_add_text(&title, ", cause ");
        diagnosis_title(&title, analysis);
    }
    view_line(view, outcome_colour(outcome), buf_text(&title));
}

static void print_limits(const struct view *view, const json_t *analysis)
{
    struct view_shape shape = {.indent = 2, .hang = 12, .label_colour = VIEW_DIM};
    size_t i;
    json_t *limit;
    json_array_foreach (json_object_get(analysis, "limits_hit"), i, limit) {
        if (json_is_string(limit))
            view_paragraph(view, &shape, "limit     ", json_string_value(limit));
    }
}

static void print_command(const struct view *view, const json_t *analysis)
{
    const char *source = view_text(analysis, "source"), *program = view->style->program;
    /* Standard input cannot be read again. */
    if (source[0] == '\0' || strcmp(source, "-") == 0)
        return;
    auto_buf struct buf command;
    buf_init(&command, BUF_LIMIT);
    view_shell_word(&command, program != NULL ? program : "bootdiag");
    buf_add_text(&command, " analyze --json ");
    view_shell_word(&command, source);
    view_verbatim(view, "look further  ", buf_text(&command));
}

int report_analysis_text(const json_t *analysis, FILE *out, const struct report_style *style,
                         struct err *err)
{
    struct view view = {.out = out, .style = style};
    bool ready = strcmp(view_text(analysis, "outcome"), "ready") == 0;
    print_title(&view, analysis);
    diagnosis_print(&view, analysis, "");
    fputc('\n', out);
    diagnosis_print_questions(&view, analysis);
    print_limits(&view, analysis);
    if (!ready)
        print_command(&view, analysis);
    return view_written(out, err);
}

json_t *report_tally_new(void)
{
    return json_pack("{s:i, s:{s:i, s:i, s:i}, s:{}}", "n", 0, "outcomes", "ready", 0, "failed", 0,
                     "undetermined", 0, "causes");
}

static void count_one(json_t *object, const char *key)
{
    json_object_set_new(object, key, json_integer(view_int(object, key, 0) + 1));
}

void report_tally_add(json_t *tally, const json_t *analysis)
{
    count_one(tally, "n");
    count_one(json_object_get(tally, "outcomes"), view_text(analysis, "outcome"));
    const char *cause = view_text(json_object_get(analysis, "verdict"), "cause");
    if (cause[0] == '\0')
        return;
    json_t *causes = json_object_get(tally, "causes");
    json_t *entry = json_object_get(causes, cause);
    if (entry == NULL) {
        entry = json_pack("{s:i, s:[]}", "count", 0, "examples");
        json_object_set_new(causes, cause, entry);
    }
    count_one(entry, "count");
    json_t *examples = json_object_get(entry, "examples");
    if (json_array_size(examples) < MAX_EXAMPLES)
        json_array_append_new(examples, json_text(view_text(analysis, "source")));
}

static void print_tally_row(const struct view *view, const char *cause, const json_t *entry)
{
    const json_t *examples = json_object_get(entry, "examples");
    int64_t count = view_int(entry, "count", 0);
    auto_buf struct buf row;
    buf_init(&row, BUF_LIMIT);
    buf_addf(&row, "%6" PRId64 "  ", count);
    view_cell(&row, cause, 30, true);
    size_t i;
    json_t *example;
    json_array_foreach (examples, i, example) {
        buf_addf(&row, "%s%s", i > 0 ? ", " : "  ", json_string_value(example));
    }
    if ((size_t)count > json_array_size(examples))
        buf_add_text(&row, " ...");
    view_line(view, VIEW_PLAIN, buf_text(&row));
}

/* The most frequent cause that was not printed yet; of equals the one seen first. There are a
 * hundred at most, and a user's own. */
static const char *next_cause(const json_t *causes, const json_t *printed)
{
    const char *best = NULL, *cause;
    int64_t most = -1;
    json_t *entry;
    json_object_foreach ((json_t *)causes, cause, entry) {
        int64_t count = view_int(entry, "count", 0);
        if (count <= most || json_object_get(printed, cause) != NULL)
            continue;
        best = cause;
        most = count;
    }
    return best;
}

int report_analyses_summary(const json_t *tally, FILE *out, const struct report_style *style,
                            struct err *err)
{
    struct view view = {.out = out, .style = style};
    const json_t *outcomes = json_object_get(tally, "outcomes");
    const json_t *causes = json_object_get(tally, "causes");
    auto_buf struct buf head;
    buf_init(&head, BUF_LIMIT);
    buf_addf(&head,
             "%" PRId64 " boots: %" PRId64 " ready, %" PRId64 " failed, %" PRId64 " undetermined",
             view_int(tally, "n", 0), view_int(outcomes, "ready", 0),
             view_int(outcomes, "failed", 0), view_int(outcomes, "undetermined", 0));
    view_line(&view, VIEW_BOLD, buf_text(&head));

    json_auto_t *printed = json_object();
    const char *cause;
    while ((cause = next_cause(causes, printed)) != NULL) {
        print_tally_row(&view, cause, json_object_get(causes, cause));
        json_object_set_new(printed, cause, json_true());
    }
    return view_written(out, err);
}
