/* SPDX-License-Identifier: Apache-2.0 */
/* An alignment as a document, and printed from it: unified like diff -u, or side by side. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/alignment.h"
#include "harness/base/json.h"
#include "reports/report.h"
#include "reports/view.h"

enum { BUF_LIMIT = 1 << 16, TIME_COLUMNS = 8, NARROW = 60 };

/* ---- document ---- */

static json_t *side_json(const char *text, int64_t ms)
{
    if (text == NULL)
        return json_null();
    return json_pack("{s:o, s:o}", "text", json_text(text), "at_ms", json_number_or_null(ms));
}

static json_t *row_json(const struct aligned_row *row)
{
    static const char *const kinds[] = {[ALIGNED_SAME] = "same",
                                        [ALIGNED_MISSING] = "missing",
                                        [ALIGNED_NOVEL] = "novel",
                                        [ALIGNED_CHANGED] = "changed"};
    return json_pack(
        "{s:s, s:o, s:o, s:o, s:I}", "kind", kinds[row->kind], "good",
        side_json(row->other, row->other_ms), "here", side_json(row->here, row->here_ms), "line",
        row->line > 0 ? json_integer(row->line) : json_null(), "count", (json_int_t)row->count);
}

json_t *report_comparison_json(const struct alignment *alignment, const char *here,
                               const char *const *others)
{
    json_t *names = json_array(), *rows = json_array();
    for (; *others != NULL; others++)
        json_array_append_new(names, json_text(*others));
    for (size_t i = 0; i < alignment->len; i++)
        json_array_append_new(rows, row_json(&alignment->rows[i]));
    return json_pack("{s:s, s:o, s:o, s:I, s:o, s:{s:I, s:I, s:I}}", "schema",
                     "bootdiag.comparison/1", "source", json_text(here), "good", names, "runs",
                     (json_int_t)alignment->n_others, "rows", rows, "folded", "repeats",
                     (json_int_t)alignment->repeats, "only_some",
                     (json_int_t)alignment->only_some + (json_int_t)alignment->only_some_too,
                     "dropped", (json_int_t)alignment->dropped);
}

/* ---- text ---- */

struct print {
    struct view view;
    const json_t *rows;
    enum report_layout layout;
    size_t column; /* of each side */
};

static bool is_kind(const json_t *row, const char *kind)
{
    return strcmp(view_text(row, "kind"), kind) == 0;
}

/* True if a row that differs is at most `context` rows away. */
static bool is_shown(const json_t *rows, size_t at, size_t context)
{
    size_t from = at > context ? at - context : 0;
    for (size_t i = from; i <= at + context && i < json_array_size(rows); i++)
        if (!is_kind(json_array_get(rows, i), "same"))
            return true;
    return false;
}

static void add_time(struct buf *text, const json_t *side)
{
    auto_buf struct buf time;
    buf_init(&time, BUF_LIMIT);
    int64_t ms = view_int(side, "at_ms", -1);
    if (ms >= 0)
        view_seconds(&time, ms, 2);
    for (size_t n = time.len; n < TIME_COLUMNS; n++)
        buf_add_char(text, ' ');
    buf_add_text(text, buf_text(&time));
    buf_add_text(text, "  ");
}

static void add_side(struct buf *text, const json_t *row, const char *side)
{
    const json_t *object = json_object_get(row, side);
    int64_t count = strcmp(side, "here") == 0 ? view_int(row, "count", 1) : 1;
    if (!json_is_object(object))
        return;
    add_time(text, object);
    buf_add_text(text, view_text(object, "text"));
    if (count > 1)
        buf_addf(text, "  (%" PRId64 " times)", count);
}

static void print_unified_line(const struct print *print, char mark, const json_t *row,
                               const char *side)
{
    enum view_colour colour = mark == '-' ? VIEW_RED : mark == '+' ? VIEW_GREEN : VIEW_PLAIN;
    auto_buf struct buf text, line;
    buf_init(&text, BUF_LIMIT);
    buf_init(&line, BUF_LIMIT);
    add_side(&text, row, side);
    buf_add_char(&line, mark);
    view_cell(&line, buf_text(&text), SIZE_MAX, false);
    view_put(&print->view, colour, buf_text(&line));
    fputc('\n', print->view.out);
}

static void print_unified(const struct print *print, const json_t *row)
{
    if (is_kind(row, "same")) {
        print_unified_line(print, ' ', row, "here");
        return;
    }
    if (!is_kind(row, "novel"))
        print_unified_line(print, '-', row, "good");
    if (!is_kind(row, "missing"))
        print_unified_line(print, '+', row, "here");
}

static void print_side_by_side(const struct print *print, const json_t *row)
{
    static const struct {
        const char *kind, *mark;
        enum view_colour colour;
    } marks[] = {
        {"same", " ", VIEW_PLAIN},
        {"missing", "<", VIEW_RED},
        {"novel", ">", VIEW_GREEN},
        {"changed", "|", VIEW_YELLOW},
    };
    auto_buf struct buf left, right, line;
    size_t i = 0;
    buf_init(&left, BUF_LIMIT);
    buf_init(&right, BUF_LIMIT);
    buf_init(&line, BUF_LIMIT);
    while (i < 3 && !is_kind(row, marks[i].kind))
        i++;
    add_side(&left, row, "good");
    add_side(&right, row, "here");
    view_cell(&line, buf_text(&left), print->column, true);
    buf_addf(&line, right.len > 0 ? " %s " : " %s", marks[i].mark);
    view_cell(&line, buf_text(&right), print->column, false);
    view_put(&print->view, marks[i].colour, buf_text(&line));
    fputc('\n', print->view.out);
}

static void print_gap(const struct print *print, const json_t *row)
{
    auto_buf struct buf text;
    buf_init(&text, BUF_LIMIT);
    int64_t line = view_int(row, "line", 0);
    if (line > 0)
        buf_addf(&text, "@@ line %" PRId64 " @@", line);
    else
        buf_add_text(&text, "@@");
    view_put(&print->view, VIEW_DIM, buf_text(&text));
    fputc('\n', print->view.out);
}

/* Returns how many rows differ. */
static size_t print_rows(const struct print *print, size_t context)
{
    size_t i, n = 0, last = SIZE_MAX;
    const json_t *row;
    json_array_foreach (print->rows, i, row) {
        n += !is_kind(row, "same");
        if (!is_shown(print->rows, i, context))
            continue;
        if (last == SIZE_MAX || last + 1 != i)
            print_gap(print, row);
        last = i;
        if (print->layout == REPORT_SIDE_BY_SIDE)
            print_side_by_side(print, row);
        else
            print_unified(print, row);
    }
    return n;
}

static void print_names(const struct print *print, const json_t *document)
{
    auto_buf struct buf line;
    buf_init(&line, BUF_LIMIT);
    const json_t *good = json_object_get(document, "good");
    size_t n = json_array_size(good);
    const char *first = json_string_value(json_array_get(good, 0));
    buf_addf(&line, "--- %s", first != NULL ? first : "");
    if (n > 1)
        buf_addf(&line, " and %zu more", n - 1);
    view_line(&print->view, VIEW_BOLD, buf_text(&line));
    buf_clear(&line);
    buf_addf(&line, "+++ %s", view_text(document, "source"));
    view_line(&print->view, VIEW_BOLD, buf_text(&line));
}

static void print_folded(const struct print *print, const json_t *document, size_t n_differ)
{
    auto_buf struct buf text;
    buf_init(&text, BUF_LIMIT);
    const json_t *folded = json_object_get(document, "folded");
    size_t n_same = json_array_size(print->rows) - n_differ;
    buf_addf(
        &text,
        "%zu lines differ. Folded: %zu that are the same but for times, numbers, addresses and "
        "names",
        n_differ, n_same);
    int64_t repeats = view_int(folded, "repeats", 0), some = view_int(folded, "only_some", 0);
    int64_t dropped = view_int(folded, "dropped", 0);
    if (repeats > 0)
        buf_addf(&text, "; %" PRId64 " repetitions", repeats);
    if (some > 0)
        buf_addf(&text, "; %" PRId64 " that not every good boot prints", some);
    if (dropped > 0)
        buf_addf(&text, "; %" PRId64 " for which there was no room", dropped);
    fputc('\n', print->view.out);
    view_line(&print->view, VIEW_PLAIN, buf_text(&text));
}

int report_comparison_text(const json_t *document, FILE *out, const struct report_style *style,
                           enum report_layout layout, size_t context, struct err *err)
{
    struct print print = {
        .view = {.out = out, .style = style},
        .rows = json_object_get(document, "rows"),
        .layout = layout,
        .column = ((style->width > NARROW ? (size_t)style->width : 2 * NARROW) - 3) / 2,
    };
    print_names(&print, document);
    size_t n_differ = print_rows(&print, context);
    print_folded(&print, document, n_differ);
    return view_written(out, err);
}
