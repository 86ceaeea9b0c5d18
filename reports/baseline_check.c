/* SPDX-License-Identifier: Apache-2.0 */
/* How far a baseline is to be trusted, as text. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/auto.h"
#include "harness/base/mem.h"
#include "reports/report.h"
#include "reports/view.h"

enum { BUF_LIMIT = 1 << 16, MAX_WORST = 10, MAX_TEXTS = 3, LINE_COLUMNS = 300 };

static size_t size_of(const json_t *object, const char *list)
{
    return json_array_size(json_object_get(object, list));
}

static void print_head(const struct view *view, const json_t *document)
{
    size_t n = size_of(document, "boots"), refused = size_of(document, "refused");
    auto_buf struct buf head;
    buf_init(&head, BUF_LIMIT);
    buf_addf(&head, "%s: %zu good boot%s", view_text(document, "baseline"), n, n == 1 ? "" : "s");
    if (refused > 0)
        buf_addf(&head, ", %zu refused", refused);
    view_line(view, VIEW_BOLD, buf_text(&head));
}

static void print_reasons(const struct view *view, const json_t *document, const char *list,
                          const char *label)
{
    struct view_shape shape = {
        .indent = 2, .hang = 11, .label_colour = VIEW_RED, .text_colour = VIEW_PLAIN};
    size_t i;
    json_t *item;
    json_array_foreach (json_object_get(document, list), i, item) {
        auto_free char *text =
            mem_printf("%s: %s", view_text(item, "source"), view_text(item, "reason"));
        view_paragraph(view, &shape, label, text);
    }
}

/* ---- the boots ---- */

struct noisy {
    const json_t *boot;
    size_t total, position;
};

static int compare_noisy(const void *left, const void *right)
{
    const struct noisy *a = left, *b = right;
    if (a->total != b->total)
        return a->total > b->total ? -1 : 1;
    return (a->position > b->position) - (a->position < b->position);
}

static void print_texts(const struct view *view, const json_t *boot, const char *list,
                        const char *label)
{
    struct view_shape shape = {.indent = 4, .hang = 13, .label_colour = VIEW_DIM};
    const json_t *texts = json_object_get(boot, list);
    for (size_t i = 0; i < json_array_size(texts) && i < MAX_TEXTS; i++) {
        const char *text = json_string_value(json_array_get(texts, i));
        auto_buf struct buf line;
        buf_init(&line, BUF_LIMIT);
        view_excerpt(view, &line, text != NULL ? text : "", LINE_COLUMNS);
        view_paragraph(view, &shape, label, buf_text(&line));
    }
}

static void print_boot(const struct view *view, const json_t *boot)
{
    auto_buf struct buf line;
    buf_init(&line, BUF_LIMIT);
    buf_addf(&line, "  %s: %zu novel, %zu missing, %zu late", view_text(boot, "source"),
             size_of(boot, "novel"), size_of(boot, "missing"), size_of(boot, "late"));
    view_line(view, VIEW_PLAIN, buf_text(&line));
    print_texts(view, boot, "novel", "novel    ");
    print_texts(view, boot, "missing", "missing  ");
    print_texts(view, boot, "late", "late     ");
}

static void print_boots(const struct view *view, const json_t *document)
{
    const json_t *boots = json_object_get(document, "boots");
    size_t n = json_array_size(boots);
    auto_free struct noisy *all = mem_calloc(n + 1, sizeof(*all));
    for (size_t i = 0; i < n; i++) {
        const json_t *boot = json_array_get(boots, i);
        all[i] = (struct noisy){
            boot, size_of(boot, "novel") + size_of(boot, "missing") + size_of(boot, "late"), i};
    }
    qsort(all, n, sizeof(*all), compare_noisy);
    fprintf(view->out, "\neach good boot compared with the other %zu, the worst first:\n", n - 1);
    size_t shown = 0;
    while (shown < n && shown < MAX_WORST && all[shown].total > 0)
        print_boot(view, all[shown++].boot);
    size_t silent = 0;
    for (size_t i = shown; i < n; i++)
        silent += all[i].total == 0;
    if (n - shown > silent)
        fprintf(view->out, "  and %zu more\n", n - shown - silent);
    if (silent > 0)
        fprintf(view->out, "  nothing is reported of %zu\n", silent);
}

static void print_templates(const struct view *view, const json_t *document)
{
    const json_t *templates = json_object_get(document, "templates");
    size_t n = size_of(document, "boots"), i;
    json_t *item;
    fprintf(view->out,
            "\n%" PRId64 " kinds of lines, of which %" PRId64 " vary between good boots\n",
            view_int(templates, "all", 0), view_int(templates, "varying", 0));
    json_array_foreach (json_object_get(templates, "examples"), i, item) {
        auto_buf struct buf line;
        auto_free char *label = mem_printf("%" PRId64 " of %zu  ", view_int(item, "runs", 0), n);
        struct view_shape shape = {
            .indent = 2, .hang = 2 + (int)strlen(label), .label_colour = VIEW_DIM};
        buf_init(&line, BUF_LIMIT);
        view_excerpt(view, &line, view_text(item, "text"), LINE_COLUMNS);
        view_paragraph(view, &shape, label, buf_text(&line));
    }
}

/* ---- what it proves ---- */

static void print_worth(const struct view *view, const json_t *document)
{
    size_t n = size_of(document, "boots");
    struct view_shape shape = {.hang = 16, .label_colour = VIEW_BOLD};
    auto_buf struct buf share, worth;
    buf_init(&share, 100);
    buf_init(&worth, BUF_LIMIT);
    view_percent(&share, view_real(document, "unseen_below", 1));
    if (n == 1)
        buf_add_text(&worth, "very little: one good boot shows nothing of how good boots differ "
                             "from each other; record five or more");
    else if (n <= 3)
        buf_addf(&worth,
                 "little: a line that none of %zu good boots printed may be quite usual; record "
                 "five or more",
                 n);
    else
        buf_addf(&worth,
                 "a line that none of %zu good boots printed may still stand in up to %s %% of "
                 "good boots (95 %% confidence, rule of three)",
                 n, buf_text(&share));
    fputc('\n', view->out);
    view_paragraph(view, &shape, "what it proves  ", buf_text(&worth));
}

static void print_expected(const struct view *view, const json_t *document)
{
    const json_t *expected = json_object_get(document, "expected");
    struct view_shape shape = {.hang = 16, .label_colour = VIEW_BOLD};
    if (!json_is_object(expected))
        return;
    auto_free char *text = mem_printf(
        "%.1f false novel lines per good boot, %.1f false missing ones, %.1f false delays",
        view_real(expected, "novel", 0), view_real(expected, "missing", 0),
        view_real(expected, "late", 0));
    view_paragraph(view, &shape, "expected        ", text);
}

int report_baseline_check_text(const json_t *document, FILE *out, const struct report_style *style,
                               struct err *err)
{
    struct view view = {.out = out, .style = style};
    print_head(&view, document);
    print_reasons(&view, document, "refused", "refused  ");
    print_reasons(&view, document, "differs", "differs  ");
    if (size_of(document, "boots") >= 2) {
        print_boots(&view, document);
        print_templates(&view, document);
    }
    print_worth(&view, document);
    print_expected(&view, document);
    return view_written(out, err);
}
