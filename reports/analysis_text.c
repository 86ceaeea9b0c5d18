/* SPDX-License-Identifier: Apache-2.0 */
/* One analysed boot as text. */
#include <inttypes.h>
#include <string.h>

#include "harness/base/auto.h"
#include "harness/base/json.h"
#include "harness/base/mem.h"
#include "reports/diagnosis.h"
#include "reports/report.h"
#include "reports/view.h"

enum { BUF_LIMIT = 1 << 16 };

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
