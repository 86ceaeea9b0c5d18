/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boots become rows; rows that say the same are merged once there are more than fit on a screen. A
 * column is as wide as its widest cell. Where the terminal is narrow, ids are cut and the stage is
 * left out; the cause is whole in any case.
 */
#include "reports/boot_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/auto.h"
#include "harness/base/mem.h"
#include "reports/words.h"

enum { MAX_SINGLE_ROWS = 12, MAX_ROWS = 16, MAX_IDS_COLUMNS = 28, CELL_LIMIT = 1 << 16, GAP = 2 };

enum column {
    COLUMN_COUNT,
    COLUMN_BOOTS,
    COLUMN_RESULT,
    COLUMN_TIME,
    COLUMN_STAGE,
    COLUMN_CAUSE,
    N_COLUMNS
};

struct row {
    json_t *ids;                        /* owned */
    const char *result, *stage, *cause; /* borrowed from the report */
    enum view_colour colour;
    int64_t least_ms, most_ms; /* -1: not known */
};

struct table {
    struct row *rows; /* owned */
    size_t n;
    size_t boots;
    bool merged;
};

static void set_result(struct row *row, const json_t *boot)
{
    static const struct {
        const char *outcome, *end, *result; /* NULL: any */
        enum view_colour colour;
    } results[] = {
        {NULL, "start-failed", "not started", VIEW_RED},
        {"ready", NULL, "ready", VIEW_GREEN},
        {"failed", NULL, "FAILED", VIEW_RED},
        {NULL, "interrupted", "interrupted", VIEW_YELLOW},
        {NULL, NULL, "undetermined", VIEW_YELLOW},
    };
    const char *outcome = view_text(json_object_get(boot, "analysis"), "outcome");
    const char *end = view_text(boot, "end");
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
        if ((results[i].outcome != NULL && strcmp(results[i].outcome, outcome) != 0) ||
            (results[i].end != NULL && strcmp(results[i].end, end) != 0))
            continue;
        row->result = results[i].result;
        row->colour = results[i].colour;
        return;
    }
}

static void row_init(struct row *row, const json_t *boot)
{
    const json_t *analysis = json_object_get(boot, "analysis");
    *row = (struct row){
        .ids = json_array(),
        .stage = words_milestone(view_text(analysis, "stage")),
        .cause = view_text(json_object_get(analysis, "verdict"), "cause"),
    };
    set_result(row, boot);
    const char *time = row->colour == VIEW_GREEN ? "ready_ms" : "ended_ms";
    row->least_ms = row->most_ms = view_int(boot, time, -1);
    json_array_append(row->ids, json_object_get(boot, "boot_id"));
}

static void row_merge(struct row *row, const struct row *other)
{
    json_array_extend(row->ids, other->ids);
    if (row->least_ms < 0 || (other->least_ms >= 0 && other->least_ms < row->least_ms))
        row->least_ms = other->least_ms;
    if (other->most_ms > row->most_ms)
        row->most_ms = other->most_ms;
}

/* Adds to the row that says the same, found through `places`: what a row says -> its position. */
static void add_merged(struct table *table, struct row *row, json_t *places)
{
    auto_free char *key = mem_printf("%s\n%s\n%s", row->result, row->stage, row->cause);
    const json_t *place = json_object_get(places, key);
    if (place == NULL) {
        json_object_set_new(places, key, json_integer((json_int_t)table->n));
        table->rows[table->n++] = *row;
        return;
    }
    row_merge(&table->rows[json_integer_value(place)], row);
    json_decref(row->ids);
}

static void table_init(struct table *table, const json_t *boots)
{
    size_t n = json_array_size(boots), i;
    *table = (struct table){
        .rows = mem_calloc(n + 1, sizeof(*table->rows)), .boots = n, .merged = n > MAX_SINGLE_ROWS};
    json_auto_t *places = json_object();
    json_t *boot;
    json_array_foreach (boots, i, boot) {
        struct row row;
        row_init(&row, boot);
        if (table->merged)
            add_merged(table, &row, places);
        else
            table->rows[table->n++] = row;
    }
}

static void table_release(struct table *table)
{
    for (size_t i = 0; i < table->n; i++)
        json_decref(table->rows[i].ids);
    free(table->rows);
}

/* The number an id is; -1 if it is none. */
static long id_number(const char *id)
{
    size_t len = strlen(id);
    bool number = len > 0 && len < 10 && strspn(id, "0123456789") == len;
    return number ? strtol(id, NULL, 10) : -1;
}

void boot_table_ids(struct buf *text, const json_t *ids)
{
    size_t n = json_array_size(ids);
    for (size_t i = 0; i < n;) {
        const char *first = json_string_value(json_array_get(ids, i)), *last = first;
        size_t end = i + 1;
        for (; end < n && last != NULL; end++) {
            const char *next = json_string_value(json_array_get(ids, end));
            if (next == NULL || id_number(last) < 0 || id_number(next) != id_number(last) + 1)
                break;
            last = next;
        }
        buf_addf(text, "%s%s", i > 0 ? ", " : "", first != NULL ? first : "?");
        if (end - i > 1)
            buf_addf(text, "%s%s", end - i > 2 ? "-" : ", ", last);
        i = end;
    }
}

static void add_time(struct buf *text, const struct row *row)
{
    if (row->most_ms < 0)
        buf_add_text(text, "-");
    else if (row->least_ms == row->most_ms)
        view_seconds(text, row->most_ms, 1);
    else
        buf_addf(text, "%.1f-%.1f s", (double)row->least_ms / 1000, (double)row->most_ms / 1000);
}

/* One cell's text; row NULL: the head. */
static void add_cell(struct buf *text, const struct table *table, const struct row *row,
                     enum column column)
{
    static const char *const heads[N_COLUMNS] = {"",     "boot",          "result",
                                                 "time", "stage reached", "cause"};
    if (column == COLUMN_COUNT && !table->merged)
        return;
    if (row == NULL) {
        buf_add_text(text, table->merged && column == COLUMN_BOOTS ? "boots" : heads[column]);
        return;
    }
    switch (column) {
    case COLUMN_COUNT:
        buf_addf(text, "%zu", json_array_size(row->ids));
        break;
    case COLUMN_BOOTS:
        boot_table_ids(text, row->ids);
        break;
    case COLUMN_TIME:
        add_time(text, row);
        break;
    case COLUMN_RESULT:
        buf_add_text(text, row->result);
        break;
    case COLUMN_STAGE:
        buf_add_text(text, row->stage[0] != '\0' ? row->stage : "-");
        break;
    case COLUMN_CAUSE:
    case N_COLUMNS:
        buf_add_text(text, row->cause);
        break;
    }
}

static void widen(const struct table *table, const struct row *row, size_t widths[N_COLUMNS])
{
    for (int c = 0; c < N_COLUMNS; c++) {
        auto_buf struct buf text;
        buf_init(&text, CELL_LIMIT);
        add_cell(&text, table, row, (enum column)c);
        size_t columns = view_columns(buf_text(&text));
        bool used = row != NULL || widths[c] > 0;
        if (used && columns > widths[c])
            widths[c] = columns;
    }
}

static size_t shrink(size_t width, size_t least, size_t *excess)
{
    size_t spare = width > least ? width - least : 0;
    size_t taken = spare < *excess ? spare : *excess;
    *excess -= taken;
    return width - taken;
}

static void measure(const struct view *view, const struct table *table, size_t n_rows,
                    size_t widths[N_COLUMNS])
{
    for (size_t i = 0; i < n_rows; i++)
        widen(table, &table->rows[i], widths);
    /* A column in which nothing stands has no head either. */
    widen(table, NULL, widths);
    if (widths[COLUMN_BOOTS] > MAX_IDS_COLUMNS)
        widths[COLUMN_BOOTS] = MAX_IDS_COLUMNS;
    size_t total = 0;
    for (int c = 0; c < N_COLUMNS; c++)
        total += widths[c] > 0 ? widths[c] + GAP : 0;
    size_t room = view->style->width > 0 ? (size_t)view->style->width : SIZE_MAX - GAP;
    size_t excess = total > room + GAP ? total - room - GAP : 0;
    widths[COLUMN_BOOTS] = shrink(widths[COLUMN_BOOTS], 9, &excess);
    if (excess > 0)
        widths[COLUMN_STAGE] = 0;
}

static void print_row(const struct view *view, const struct table *table, const struct row *row,
                      const size_t widths[N_COLUMNS])
{
    bool has_cause = widths[COLUMN_CAUSE] > 0 && (row == NULL || row->cause[0] != '\0');
    int last = has_cause ? COLUMN_CAUSE : widths[COLUMN_STAGE] > 0 ? COLUMN_STAGE : COLUMN_TIME;
    for (int c = 0; c <= last; c++) {
        if (widths[c] == 0)
            continue;
        auto_buf struct buf text, cell;
        buf_init(&text, CELL_LIMIT);
        buf_init(&cell, CELL_LIMIT);
        add_cell(&text, table, row, (enum column)c);
        view_cell(&cell, buf_text(&text), widths[c], c < last);
        enum view_colour colour = row == NULL          ? VIEW_DIM
                                  : c == COLUMN_RESULT ? row->colour
                                                       : VIEW_PLAIN;
        view_put(view, colour, buf_text(&cell));
        if (c < last)
            fprintf(view->out, "%*s", GAP, "");
    }
    fputc('\n', view->out);
}

void boot_table_print(const struct view *view, const json_t *boots)
{
    struct table table;
    table_init(&table, boots);
    size_t n = table.n > MAX_ROWS ? MAX_ROWS - 1 : table.n;
    size_t widths[N_COLUMNS] = {0};
    measure(view, &table, n, widths);
    print_row(view, &table, NULL, widths);
    for (size_t i = 0; i < n; i++)
        print_row(view, &table, &table.rows[i], widths);
    if (n < table.n)
        fprintf(view->out, "... and %zu more kinds\n", table.n - n);
    table_release(&table);
}
