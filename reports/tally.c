/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts over many analyses. What has a cause is counted by it; what has none, by how it ended and
 * how far it got. A row holds its count, its first and last stamp, and the clearest boot's item.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/auto.h"
#include "harness/base/json.h"
#include "harness/base/mem.h"
#include "reports/diagnosis.h"
#include "reports/report.h"
#include "reports/view.h"
#include "reports/words.h"

enum { BUF_LIMIT = 1 << 16, LINE_COLUMNS = 300, STAMP_SIZE = 17, SHARE_COLUMNS = 5 };

/* "2025-11-06 20:49" of both forms; empty if the text is none. A record's stamp may be anything. */
static void stamp_text(char ret_text[static STAMP_SIZE], const char *stamp)
{
    static const char form[] = "dddd-dd-dd dd:dd";
    ret_text[0] = '\0';
    for (size_t i = 0; form[i] != '\0'; i++) {
        char c = stamp[i];
        bool digit = c >= '0' && c <= '9';
        bool fits = form[i] == 'd'   ? digit
                    : form[i] == ' ' ? c == 'T'
                    : form[i] == ':' ? c == ':' || c == '-'
                                     : c == '-';
        if (!fits) {
            ret_text[0] = '\0';
            return;
        }
        ret_text[i] = form[i] == 'd' ? c : form[i];
        ret_text[i + 1] = '\0';
    }
}

json_t *report_tally_item(const json_t *analysis, const char *stamp)
{
    struct view view = {.style = &(struct report_style){.width = 0}};
    struct quotes_place place = {.where = "", .console = "console"};
    const json_t *verdict = json_object_get(analysis, "verdict");
    char text[STAMP_SIZE];
    auto_buf struct buf line;
    buf_init(&line, BUF_LIMIT);
    diagnosis_telling_line(&view, &line, analysis, &place);
    stamp_text(text, stamp);
    json_t *item =
        json_pack("{s:o, s:o, s:o, s:s}", "source", json_text(view_text(analysis, "source")),
                  "outcome", json_text(view_text(analysis, "outcome")), "stage",
                  json_text(view_text(analysis, "stage")), "stamp", text);
    json_object_set_new(item, "cause", json_text(view_text(verdict, "cause")));
    json_object_set_new(item, "confidence", json_real(view_real(verdict, "confidence", 0)));
    json_object_set_new(item, "summary", json_text(view_text(verdict, "summary")));
    json_object_set_new(item, "remedy", json_text(view_text(verdict, "remedy")));
    json_object_set_new(item, "line", json_text(buf_text(&line)));
    return item;
}

json_t *report_tally_new(void)
{
    return json_pack("{s:{}, s:{}, s:{}, s:{}}", "all", "outcomes", "causes", "unnamed");
}

static void count_one(json_t *object, const char *key)
{
    json_object_set_new(object, key, json_integer(view_int(object, key, 0) + 1));
}

static bool is_text(const char *text, const char *other)
{
    return strcmp(text, other) == 0;
}

static void widen_span(json_t *row, const char *stamp)
{
    const char *first = view_text(row, "first"), *last = view_text(row, "last");
    if (stamp[0] == '\0')
        return;
    if (first[0] == '\0' || strcmp(stamp, first) < 0)
        json_object_set_new(row, "first", json_string(stamp));
    if (strcmp(stamp, last) > 0)
        json_object_set_new(row, "last", json_string(stamp));
}

/* Adds to the row of that name. The clearest of equals is the one that came first. */
static void add_to_row(json_t *rows, const char *name, const json_t *item)
{
    json_t *row = json_object_get(rows, name);
    if (row == NULL) {
        row = json_object();
        json_object_set_new(rows, name, row);
    }
    const json_t *clearest = json_object_get(row, "clearest");
    if (clearest == NULL || view_real(item, "confidence", 0) > view_real(clearest, "confidence", 0))
        json_object_set(row, "clearest", (json_t *)item);
    count_one(row, "count");
    widen_span(row, view_text(item, "stamp"));
}

void report_tally_add(json_t *tally, const json_t *item)
{
    const char *outcome = view_text(item, "outcome"), *cause = view_text(item, "cause");
    json_t *all = json_object_get(tally, "all");
    count_one(all, "count");
    widen_span(all, view_text(item, "stamp"));
    count_one(json_object_get(tally, "outcomes"), outcome);
    if (cause[0] != '\0' && !is_text(cause, "unknown")) {
        add_to_row(json_object_get(tally, "causes"), cause, item);
    } else if (!is_text(outcome, "ready")) {
        const char *stage = view_text(item, "stage");
        auto_free char *name =
            stage[0] != '\0' ? mem_printf("%s; got as far as: %s", outcome, words_milestone(stage))
                             : mem_printf("%s; no sign of a boot", outcome);
        add_to_row(json_object_get(tally, "unnamed"), name, item);
    }
}

void report_tally_unread(json_t *tally)
{
    count_one(json_object_get(tally, "outcomes"), "unread");
}

/* ---- printing ---- */

struct named_row {
    const char *name;
    const json_t *row;
    size_t position;
};

struct table {
    struct named_row *rows; /* owned; the most frequent first */
    size_t n;
};

static int compare_rows(const void *left, const void *right)
{
    const struct named_row *a = left, *b = right;
    int64_t count_a = view_int(a->row, "count", 0), count_b = view_int(b->row, "count", 0);
    if (count_a != count_b)
        return count_a > count_b ? -1 : 1;
    return (a->position > b->position) - (a->position < b->position);
}

static void table_init(struct table *table, const json_t *rows)
{
    *table = (struct table){.rows = mem_calloc(json_object_size(rows) + 1, sizeof(*table->rows))};
    const char *name;
    json_t *row;
    json_object_foreach ((json_t *)rows, name, row) {
        table->rows[table->n] = (struct named_row){name, row, table->n};
        table->n++;
    }
    qsort(table->rows, table->n, sizeof(*table->rows), compare_rows);
}

static int64_t count_of(const json_t *tally)
{
    return view_int(json_object_get(tally, "all"), "count", 0);
}

static void add_share(struct buf *text, int64_t part, int64_t all)
{
    view_percent(text, all > 0 ? (double)part / (double)all : 0);
    buf_add_text(text, " %");
}

static void add_span(struct buf *text, const json_t *row)
{
    const char *first = view_text(row, "first"), *last = view_text(row, "last");
    if (first[0] != '\0')
        buf_addf(text, is_text(first, last) ? "%s" : "%s to %s", first, last);
}

static void print_head(const struct view *view, const json_t *tally)
{
    static const char *const outcomes[] = {"ready", "failed", "undetermined"};
    const json_t *counts = json_object_get(tally, "outcomes");
    int64_t n = count_of(tally), unread = view_int(counts, "unread", 0);
    auto_buf struct buf head, span;
    buf_init(&head, BUF_LIMIT);
    buf_init(&span, BUF_LIMIT);
    buf_addf(&head, "%" PRId64 " boot%s: ", n, n == 1 ? "" : "s");
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
        buf_addf(&head, "%s%" PRId64 " %s", i > 0 ? ", " : "", view_int(counts, outcomes[i], 0),
                 outcomes[i]);
    if (unread > 0)
        buf_addf(&head, "; %" PRId64 " could not be read", unread);
    view_line(view, VIEW_BOLD, buf_text(&head));
    add_span(&span, json_object_get(tally, "all"));
    if (span.len > 0)
        fprintf(view->out, "kept %s UTC\n", buf_text(&span));
}

/* A name's column is as wide as the widest, and spans stand behind it where there is room. */
static size_t names_width(const struct table *table, const char *head)
{
    size_t widest = view_columns(head);
    for (size_t i = 0; i < table->n; i++) {
        size_t columns = view_columns(table->rows[i].name);
        widest = columns > widest ? columns : widest;
    }
    return widest;
}

static void print_cells(const struct view *view, enum view_colour colour, const char *const *cells,
                        size_t name_width)
{
    enum { COUNT_COLUMNS = 6 };
    auto_buf struct buf name, line;
    buf_init(&name, BUF_LIMIT);
    buf_init(&line, BUF_LIMIT);
    view_cell(&name, cells[2], name_width, cells[3][0] != '\0');
    buf_addf(&line, "%*s  %*s  ", COUNT_COLUMNS, cells[0], SHARE_COLUMNS, cells[1]);
    fputs(buf_text(&line), view->out);
    view_put(view, colour, buf_text(&name));
    fprintf(view->out, "%s%s\n", cells[3][0] != '\0' ? "  " : "", cells[3]);
}

static void print_table(const struct view *view, const struct table *table, const char *head,
                        enum view_colour colour, int64_t all)
{
    enum { INDENT = 15 };
    size_t width = names_width(table, head);
    const char *const heads[] = {"count", "share", head, "seen (UTC)"};
    fputc('\n', view->out);
    print_cells(view, VIEW_BOLD, heads, width);
    for (size_t i = 0; i < table->n; i++) {
        const json_t *row = table->rows[i].row;
        auto_buf struct buf share, span, path;
        buf_init(&share, BUF_LIMIT);
        buf_init(&span, BUF_LIMIT);
        buf_init(&path, BUF_LIMIT);
        auto_free char *count = mem_printf("%" PRId64, view_int(row, "count", 0));
        add_share(&share, view_int(row, "count", 0), all);
        add_span(&span, row);
        print_cells(
            view, colour,
            (const char *const[]){count, buf_text(&share), table->rows[i].name, buf_text(&span)},
            width);
        view_cell(&path, view_text(json_object_get(row, "clearest"), "source"), BUF_LIMIT, false);
        fprintf(view->out, "%*s", INDENT, "");
        view_put(view, VIEW_DIM, buf_text(&path));
        fputc('\n', view->out);
    }
}

/* The last lines are where the eye is: what is most frequent, and what to do about it. */
static void print_most_frequent(const struct view *view, const struct named_row *row)
{
    struct view_shape shape = {.hang = 15, .label_colour = VIEW_BOLD};
    const json_t *clearest = json_object_get(row->row, "clearest");
    const char *source = view_text(clearest, "source");
    auto_free char *what = mem_printf("%s: %s", row->name, view_text(clearest, "summary"));
    auto_buf struct buf line, command;
    buf_init(&line, BUF_LIMIT);
    buf_init(&command, BUF_LIMIT);
    view_excerpt(view, &line, view_text(clearest, "line"), LINE_COLUMNS);
    fputc('\n', view->out);
    view_paragraph(view, &shape, "most frequent  ", what);
    if (line.len > 0)
        view_paragraph(view, &shape, "shown by       ", buf_text(&line));
    if (view_text(clearest, "remedy")[0] != '\0')
        view_paragraph(view, &shape, "what to do     ", view_text(clearest, "remedy"));
    if (source[0] == '\0' || is_text(source, "-"))
        return;
    buf_addf(&command, "%s analyze ",
             view->style->program != NULL ? view->style->program : "bootdiag");
    view_shell_word(&command, source);
    view_verbatim(view, "look further   ", buf_text(&command));
}

int report_tally_text(const json_t *tally, FILE *out, const struct report_style *style,
                      struct err *err)
{
    struct view view = {.out = out, .style = style};
    struct table causes, unnamed;
    table_init(&causes, json_object_get(tally, "causes"));
    table_init(&unnamed, json_object_get(tally, "unnamed"));
    print_head(&view, tally);
    if (causes.n > 0)
        print_table(&view, &causes, "cause", VIEW_RED, count_of(tally));
    if (unnamed.n > 0)
        print_table(&view, &unnamed, "could not be named", VIEW_YELLOW, count_of(tally));
    if (causes.n > 0)
        print_most_frequent(&view, &causes.rows[0]);
    free(causes.rows);
    free(unnamed.rows);
    return view_written(out, err);
}
