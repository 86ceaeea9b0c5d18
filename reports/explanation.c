/* SPDX-License-Identifier: Apache-2.0 */
/* How a diagnosis came about: what was noticed, what it points at, and what became of each cause.
 */
#include <inttypes.h>
#include <string.h>

#include "reports/quotes.h"
#include "reports/report.h"
#include "reports/view.h"
#include "reports/words.h"

enum { BUF_LIMIT = 1 << 16 };

static void print_heading(const struct view *view, const char *text)
{
    fputc('\n', view->out);
    view_line(view, VIEW_BOLD, text);
}

/* ---- how far it got ---- */

static void print_path(const struct view *view, const json_t *analysis)
{
    struct view_shape shape = {.indent = 2, .hang = 2};
    auto_buf struct buf text;
    buf_init(&text, BUF_LIMIT);
    size_t i;
    const json_t *milestone;
    json_array_foreach (json_object_get(analysis, "milestones"), i, milestone) {
        int64_t at_ms = view_int(milestone, "at_ms", -1);
        buf_addf(&text, "%s%s", i > 0 ? ", " : "", words_milestone(view_text(milestone, "id")));
        if (at_ms >= 0) {
            buf_add_text(&text, " ");
            view_seconds(&text, at_ms, 1);
        }
    }
    const char *missing = view_text(analysis, "first_missing");
    if (missing[0] != '\0')
        buf_addf(&text, "; not seen first: %s", words_milestone(missing));
    print_heading(view, "how far it got");
    view_paragraph(view, &shape, "", text.len > 0 ? buf_text(&text) : "nowhere that shows");
}

/* ---- what was noticed ---- */

static void print_quotes(const struct view *view, const json_t *finding,
                         const struct quotes_place *place)
{
    size_t i;
    const json_t *quote;
    json_array_foreach (json_object_get(finding, "evidence"), i, quote) {
        auto_buf struct buf text;
        buf_init(&text, BUF_LIMIT);
        buf_add_text(&text, "      ");
        quotes_add(view, &text, quote, place);
        view_put(view, VIEW_DIM, buf_text(&text));
        fputc('\n', view->out);
    }
}

static void print_finding(const struct view *view, const json_t *finding,
                          const struct quotes_place *place)
{
    struct view_shape shape = {.indent = 2, .hang = 6};
    const char *cause = view_text(finding, "cause");
    int64_t count = view_int(finding, "count", 1);
    auto_buf struct buf text;
    buf_init(&text, BUF_LIMIT);
    buf_addf(&text, "%s: %s", view_text(finding, "id"), view_text(finding, "summary"));
    if (count > 1)
        buf_addf(&text, " (%" PRId64 " times)", count);
    if (cause[0] != '\0') {
        buf_addf(&text, "; points at %s, ", cause);
        view_percent(&text, view_real(finding, "confidence", 0));
        buf_add_text(&text, " %");
    }
    view_paragraph(view, &shape, "", buf_text(&text));
    print_quotes(view, finding, place);
}

static void print_findings(const struct view *view, const json_t *explanation,
                           const struct quotes_place *place)
{
    size_t i;
    const json_t *finding;
    const json_t *findings = json_object_get(explanation, "findings");
    print_heading(view, "what was noticed, by whom, in the order of the lines");
    json_array_foreach (findings, i, finding) {
        print_finding(view, finding, place);
    }
    if (json_array_size(findings) == 0)
        view_line(view, VIEW_PLAIN, "  nothing that speaks of a fault");
}

/* ---- what was weighed ---- */

static const char *fate_words(const char *fate)
{
    static const struct {
        const char *fate, *words;
    } table[] = {
        {"primary", "chosen"},    {"contributing", "broken besides"}, {"consequence", "folded"},
        {"doubted", "discarded"}, {"weaker", "less likely"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (strcmp(table[i].fate, fate) == 0)
            return table[i].words;
    return fate;
}

static void print_considered(const struct view *view, const json_t *item)
{
    struct view_shape shape = {.indent = 2, .hang = 6};
    double alone = view_real(item, "alone", 0), left = view_real(item, "confidence", 0);
    bool primary = strcmp(view_text(item, "fate"), "primary") == 0;
    auto_buf struct buf text;
    buf_init(&text, BUF_LIMIT);
    buf_addf(&text, "%s: %s, ", view_text(item, "cause"), fate_words(view_text(item, "fate")));
    view_percent(&text, alone);
    buf_addf(&text, " %% by %s", view_text(item, "finding"));
    if (left < alone) {
        buf_add_text(&text, ", of which ");
        view_percent(&text, left);
        buf_add_text(&text, " % are left");
    }
    buf_addf(&text, "; %s", view_text(item, "why"));
    shape.text_colour = primary ? VIEW_BOLD : VIEW_PLAIN;
    view_paragraph(view, &shape, "", buf_text(&text));
}

static void print_weighing(const struct view *view, const json_t *explanation)
{
    size_t i;
    const json_t *item;
    const json_t *considered = json_object_get(explanation, "considered");
    print_heading(view, "which causes were considered");
    json_array_foreach (considered, i, item) {
        print_considered(view, item);
    }
    if (json_array_size(considered) == 0)
        view_line(view, VIEW_PLAIN, "  none: no finding points at one");
}

int report_explanation_text(const json_t *analysis, FILE *out, const struct report_style *style,
                            struct err *err)
{
    struct view view = {.out = out, .style = style};
    struct quotes_place place = {.where = "", .console = style->console};
    const json_t *explanation = json_object_get(analysis, "explanation");
    print_path(&view, analysis);
    print_findings(&view, explanation, &place);
    print_weighing(&view, explanation);
    return view_written(out, err);
}
