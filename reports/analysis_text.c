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

enum { BUF_LIMIT = 1 << 16, MAX_EXAMPLES = 3, LINE_COLUMNS = 300 };

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

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), n = strlen(end);
    return len >= n && strcmp(text + len - n, end) == 0;
}

/* Opens the console at the telling line. */
static void print_opener(const struct view *view, const char *path, int64_t line)
{
    const char *unpack = ends_with(path, ".zst") ? "zstdcat" : ends_with(path, ".gz") ? "zcat" : "";
    auto_buf struct buf command;
    buf_init(&command, BUF_LIMIT);
    if (unpack[0] != '\0') {
        buf_addf(&command, "%s ", unpack);
        view_shell_word(&command, path);
        buf_add_text(&command, " | ");
    }
    buf_add_text(&command, "less");
    if (line > 0)
        buf_addf(&command, " +%" PRId64, line);
    if (unpack[0] == '\0') {
        buf_add_char(&command, ' ');
        view_shell_word(&command, path);
    }
    view_verbatim(view, "look further  ", buf_text(&command));
}

static void print_by_hand(const struct view *view)
{
    auto_buf struct buf command;
    buf_init(&command, BUF_LIMIT);
    buf_add_text(&command, "jq -r .vmm.by_hand ");
    view_shell_word(&command, view->style->by_hand_in);
    view_verbatim(view, "boot by hand  ", buf_text(&command));
}

/* Without slashes at the end, as completion leaves them. */
static size_t path_len(const char *path)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    return len;
}

/* Standard input cannot be read again. */
static void print_commands(const struct view *view, const json_t *analysis)
{
    const char *source = view_text(analysis, "source"), *console = view->style->console;
    auto_free char *inside = mem_printf("%.*s/console.log", (int)path_len(source), source);
    const char *path = console != NULL ? console : inside;
    if (source[0] != '\0' && strcmp(source, "-") != 0 && strcmp(path, "-") != 0)
        print_opener(view, path, diagnosis_telling_number(analysis));
    if (view->style->by_hand_in != NULL)
        print_by_hand(view);
}

/* What lines of the console are quoted from: its file as seen from the source; NULL: console.log.
 */
static const char *console_name(const struct view *view, const char *source)
{
    const char *console = view->style->console;
    size_t n = path_len(source);
    if (strcmp(source, "-") == 0 || (console != NULL && strcmp(console, "-") == 0))
        return "standard input";
    if (console != NULL && strncmp(console, source, n) == 0 && console[n] == '/')
        return console + n + 1;
    return console;
}

int report_analysis_text(const json_t *analysis, FILE *out, const struct report_style *style,
                         struct err *err)
{
    struct view view = {.out = out, .style = style};
    struct quotes_place place = {.where = "",
                                 .console = console_name(&view, view_text(analysis, "source"))};
    print_title(&view, analysis);
    diagnosis_print(&view, analysis, &place);
    fputc('\n', out);
    diagnosis_print_questions(&view, analysis);
    print_limits(&view, analysis);
    if (strcmp(view_text(analysis, "outcome"), "ready") != 0) {
        fputc('\n', out);
        print_commands(&view, analysis);
    }
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

/* A cause's entry begins with what its first boot shows. */
static json_t *new_entry(const json_t *analysis)
{
    struct view view = {.style = &(struct report_style){.width = 0}};
    struct quotes_place place = {.where = "", .console = "console"};
    const json_t *verdict = json_object_get(analysis, "verdict");
    auto_buf struct buf line;
    buf_init(&line, BUF_LIMIT);
    diagnosis_telling_line(&view, &line, analysis, &place);
    return json_pack("{s:i, s:[], s:o, s:o}", "count", 0, "examples", "summary",
                     json_text(view_text(verdict, "summary")), "line", json_text(buf_text(&line)));
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
        entry = new_entry(analysis);
        json_object_set_new(causes, cause, entry);
    }
    count_one(entry, "count");
    json_t *examples = json_object_get(entry, "examples");
    if (json_array_size(examples) < MAX_EXAMPLES)
        json_array_append_new(examples, json_text(view_text(analysis, "source")));
}

static void add_examples(struct buf *text, const json_t *entry)
{
    const json_t *examples = json_object_get(entry, "examples");
    int64_t more = view_int(entry, "count", 0) - (int64_t)json_array_size(examples);
    size_t i;
    json_t *example;
    json_array_foreach (examples, i, example) {
        buf_addf(text, "%s%s", i > 0 ? ", " : "", json_string_value(example));
    }
    if (more > 0)
        buf_addf(text, " and %" PRId64 " more", more);
}

static void print_tally_entry(const struct view *view, const char *cause, const json_t *entry)
{
    struct view_shape shape = {.indent = 2, .hang = 4};
    auto_buf struct buf head, line, examples;
    buf_init(&head, BUF_LIMIT);
    buf_init(&line, BUF_LIMIT);
    buf_init(&examples, BUF_LIMIT);
    int64_t count = view_int(entry, "count", 0);
    buf_addf(&head, "%s: %" PRId64 " boot%s", cause, count, count == 1 ? "" : "s");
    view_excerpt(view, &line, view_text(entry, "line"), LINE_COLUMNS);
    add_examples(&examples, entry);
    fputc('\n', view->out);
    view_line(view, VIEW_RED, buf_text(&head));
    view_paragraph(view, &(struct view_shape){.indent = 2, .hang = 2}, "",
                   view_text(entry, "summary"));
    if (buf_text(&line)[0] != '\0')
        view_paragraph(view, &shape, "> ", buf_text(&line));
    shape = (struct view_shape){.indent = 2, .hang = 5};
    view_paragraph(view, &shape, "in ", buf_text(&examples));
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

static void print_tally_head(const struct view *view, const json_t *tally)
{
    const json_t *outcomes = json_object_get(tally, "outcomes");
    int64_t n = view_int(tally, "n", 0);
    auto_buf struct buf head;
    buf_init(&head, BUF_LIMIT);
    buf_addf(&head,
             "%" PRId64 " boot%s: %" PRId64 " ready, %" PRId64 " failed, %" PRId64 " undetermined",
             n, n == 1 ? "" : "s", view_int(outcomes, "ready", 0), view_int(outcomes, "failed", 0),
             view_int(outcomes, "undetermined", 0));
    view_line(view, VIEW_BOLD, buf_text(&head));
}

int report_analyses_summary(const json_t *tally, FILE *out, const struct report_style *style,
                            struct err *err)
{
    struct view view = {.out = out, .style = style};
    const json_t *causes = json_object_get(tally, "causes");
    print_tally_head(&view, tally);
    json_auto_t *printed = json_object();
    const char *cause;
    while ((cause = next_cause(causes, printed)) != NULL) {
        print_tally_entry(&view, cause, json_object_get(causes, cause));
        json_object_set_new(printed, cause, json_true());
    }
    if (view_int(tally, "n", 0) > 0)
        fputs("\n-v shows every boot in full\n", out);
    return view_written(out, err);
}
