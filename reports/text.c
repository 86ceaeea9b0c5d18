/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report on one screen: how many came up; a line per boot; the rarer causes; where everything
 * lies; and, last, because that is where the eye is, the most frequent cause: first what only the
 * curious need, then what it is, what shows it and what to do. Nothing is said twice.
 */
#include <inttypes.h>
#include <string.h>

#include "harness/base/auto.h"
#include "harness/base/mem.h"
#include "reports/boot_table.h"
#include "reports/diagnosis.h"
#include "reports/report.h"
#include "reports/view.h"
#include "reports/words.h"

enum {
    MAX_SEPARATING = 4,
    MAX_BLOCKS = 3,
    MAX_BRIEF = 8,
    MAX_IDS_COLUMNS = 48,
    LINE_COLUMNS = 300,
    BUF_LIMIT = 1 << 16
};

static void add_count(struct buf *text, int64_t n, const char *what)
{
    if (n > 0)
        buf_addf(text, "; %" PRId64 " %s", n, what);
}

static int64_t count_interrupted(const json_t *report)
{
    int64_t n = 0;
    size_t i;
    json_t *boot;
    json_array_foreach (json_object_get(report, "boots"), i, boot) {
        const char *outcome = view_text(json_object_get(boot, "analysis"), "outcome");
        n += strcmp(view_text(boot, "end"), "interrupted") == 0 &&
             strcmp(outcome, "undetermined") == 0;
    }
    return n;
}

static void print_headline(const struct view *view, const json_t *report)
{
    const json_t *summary = json_object_get(report, "summary");
    int64_t boots = view_int(summary, "boots", 0), ready = view_int(summary, "ready", 0);
    int64_t interrupted = count_interrupted(report);
    auto_buf struct buf text;
    buf_init(&text, BUF_LIMIT);
    if (boots == 0)
        buf_add_text(&text, "no VM was booted");
    else
        buf_addf(&text, "%" PRId64 " of %" PRId64 " boot%s came up", ready, boots,
                 boots == 1 ? "" : "s");
    add_count(&text, view_int(summary, "failed", 0), "failed");
    add_count(&text, view_int(summary, "undetermined", 0) - interrupted, "undetermined");
    add_count(&text, view_int(summary, "not_tried", 0), "could not be started");
    add_count(&text, interrupted, "interrupted");
    add_count(&text, view_int(report, "boots_wanted", 0) - boots, "never began");
    if (interrupted == 0 && json_is_true(json_object_get(report, "interrupted")))
        buf_add_text(&text, " (interrupted)");
    view_line(view, VIEW_BOLD, buf_text(&text));
}

static void print_rate(const struct view *view, const json_t *summary)
{
    const json_t *interval = json_object_get(summary, "success_interval");
    const json_t *ready = json_object_get(summary, "ready_ms");
    auto_buf struct buf text;
    buf_init(&text, BUF_LIMIT);
    if (!json_is_object(interval))
        return;
    buf_add_text(&text, "success rate ");
    view_percent(&text, view_real(summary, "success_rate", 0));
    buf_add_text(&text, " % (95 % interval ");
    view_percent(&text, view_real(interval, "low", 0));
    buf_add_char(&text, '-');
    view_percent(&text, view_real(interval, "high", 1));
    buf_add_text(&text, " %)");
    if (json_is_object(ready)) {
        buf_add_text(&text, "; ready in ");
        view_seconds(&text, view_int(ready, "p50", -1), 1);
        if (view_int(ready, "n", 0) > 1) {
            buf_add_text(&text, " median, ");
            view_seconds(&text, view_int(ready, "max", -1), 1);
            buf_add_text(&text, " worst");
        }
    }
    if (view_int(summary, "saved_ms", 0) > 0) {
        buf_add_text(&text, "; ");
        view_seconds(&text, view_int(summary, "saved_ms", 0), 0);
        buf_add_text(&text, " saved by ending early");
    }
    view_line(view, VIEW_PLAIN, buf_text(&text));
}

static void add_baseline(struct buf *text, const json_t *report)
{
    const json_t *baseline = json_object_get(report, "baseline");
    int64_t runs = view_int(baseline, "runs", 0);
    if (runs > 0)
        buf_addf(text, ", compared with %" PRId64 " good boot%s", runs, runs == 1 ? "" : "s");
    else
        buf_add_text(text, ", no baseline to compare with");
}

/* The run's own word, else what the first boot ran on. */
static const char *accelerator_of(const json_t *report)
{
    const json_t *first = json_array_get(json_object_get(report, "boots"), 0);
    const char *text = view_text(report, "accelerator");
    return text[0] != '\0' ? text : view_text(json_object_get(first, "host"), "accelerator");
}

static void print_setting(const struct view *view, const json_t *report)
{
    const json_t *summary = json_object_get(report, "summary");
    auto_buf struct buf text;
    buf_init(&text, BUF_LIMIT);
    const char *target = view_text(json_object_get(report, "target"), "name");
    buf_addf(&text, "target %s", target[0] != '\0' ? target : "unknown");
    if (view_text(report, "fault")[0] != '\0')
        buf_addf(&text, ", fault %s", view_text(report, "fault"));
    if (accelerator_of(report)[0] != '\0')
        buf_addf(&text, ", on %s", words_accelerator(accelerator_of(report)));
    if (view_int(summary, "boots", 0) > 0)
        add_baseline(&text, report);
    view_line(view, VIEW_DIM, buf_text(&text));
}

static void print_preflight(const struct view *view, const json_t *report)
{
    struct view_shape shape = {.hang = 4};
    size_t i;
    json_t *item;
    json_array_foreach (json_object_get(report, "preflight"), i, item) {
        auto_buf struct buf text;
        buf_init(&text, BUF_LIMIT);
        buf_addf(&text, "before the first boot: %s", view_text(item, "message"));
        if (view_text(item, "cause")[0] != '\0')
            buf_addf(&text, " (%s)", view_text(item, "cause"));
        view_paragraph(view, &shape, "", buf_text(&text));
    }
}

static const json_t *find_boot(const json_t *report, const char *boot_id)
{
    size_t i;
    json_t *boot;
    json_array_foreach (json_object_get(report, "boots"), i, boot) {
        if (strcmp(view_text(boot, "boot_id"), boot_id) == 0)
            return boot;
    }
    return NULL;
}

/* The boot that stands for all of its group. */
static const json_t *example_of(const json_t *report, const json_t *group)
{
    const json_t *first = json_array_get(json_object_get(group, "boots"), 0);
    const char *boot_id = json_string_value(first);
    return find_boot(report, boot_id != NULL ? boot_id : "");
}

static void add_ids(struct buf *text, const struct view *view, const json_t *group)
{
    auto_buf struct buf ids;
    buf_init(&ids, BUF_LIMIT);
    boot_table_ids(&ids, json_object_get(group, "boots"));
    buf_add_text(text, " (");
    view_excerpt(view, text, buf_text(&ids), MAX_IDS_COLUMNS);
    buf_add_char(text, ')');
}

static void print_cause_title(const struct view *view, const json_t *report, const json_t *group)
{
    const json_t *summary = json_object_get(report, "summary");
    int64_t boots = view_int(summary, "boots", 0);
    auto_buf struct buf title;
    buf_init(&title, BUF_LIMIT);
    diagnosis_title(&title, json_object_get(example_of(report, group), "analysis"));
    buf_addf(&title, ": %" PRId64 " of %" PRId64 " boot%s", view_int(group, "count", 0), boots,
             boots == 1 ? "" : "s");
    add_ids(&title, view, group);
    fputc('\n', view->out);
    view_line(view, VIEW_RED, buf_text(&title));
}

static void print_cause(const struct view *view, const json_t *report, const json_t *group,
                        void (*print)(const struct view *view, const json_t *analysis,
                                      const struct quotes_place *place))
{
    const json_t *boot = example_of(report, group);
    auto_free char *where = mem_printf("%s/", view_text(boot, "dir"));
    struct quotes_place place = {.where = where[0] == '/' ? "" : where};
    print_cause_title(view, report, group);
    print(view, json_object_get(boot, "analysis"), &place);
}

static void print_brief(const struct view *view, const json_t *group)
{
    auto_buf struct buf text;
    buf_init(&text, BUF_LIMIT);
    buf_addf(&text, "%s: %" PRId64, view_text(group, "cause"), view_int(group, "count", 0));
    add_ids(&text, view, group);
    buf_addf(&text, " %s", view_text(group, "summary"));
    view_line(view, VIEW_PLAIN, buf_text(&text));
}

/* All but the most frequent one. */
static void print_other_causes(const struct view *view, const json_t *report)
{
    const json_t *causes = json_object_get(json_object_get(report, "summary"), "causes");
    size_t n = json_array_size(causes);
    for (size_t i = 1; i < n && i < MAX_BLOCKS; i++)
        print_cause(view, report, json_array_get(causes, i), diagnosis_print);
    if (n > MAX_BLOCKS)
        fputc('\n', view->out);
    for (size_t i = MAX_BLOCKS; i < n && i < MAX_BLOCKS + MAX_BRIEF; i++)
        print_brief(view, json_array_get(causes, i));
    if (n > MAX_BLOCKS + MAX_BRIEF)
        fprintf(view->out, "... and %zu more in the report\n", n - MAX_BLOCKS - MAX_BRIEF);
}

static bool has_unknown(const json_t *report)
{
    size_t i;
    json_t *group;
    json_array_foreach (json_object_get(json_object_get(report, "summary"), "causes"), i, group)
        if (strcmp(view_text(group, "cause"), "unknown") == 0)
            return true;
    return false;
}

static void print_separating_line(const struct view *view, const json_t *line)
{
    struct view_shape shape = {.indent = 2, .hang = 6};
    auto_buf struct buf text;
    buf_init(&text, BUF_LIMIT);
    buf_addf(&text, "%s in %" PRId64 " failed, %" PRId64 " good: ",
             json_is_true(json_object_get(line, "absent")) ? "rare" : "seen",
             view_int(line, "failed", 0), view_int(line, "good", 0));
    view_excerpt(view, &text, view_text(line, "text"), LINE_COLUMNS);
    view_paragraph(view, &shape, "", buf_text(&text));
}

/* Where no cause has a name, what failed boots have in common is what there is to go by. */
static void print_separating(const struct view *view, const json_t *report)
{
    const json_t *separating = json_object_get(report, "separating");
    const json_t *lines = json_object_get(separating, "lines");
    size_t n = json_array_size(lines);
    if (n == 0 || !has_unknown(report))
        return;
    auto_buf struct buf title;
    buf_init(&title, BUF_LIMIT);
    buf_addf(&title, "lines that separate the %" PRId64 " failed boots from %" PRId64 " good ones",
             view_int(separating, "failed", 0), view_int(separating, "good", 0));
    fputc('\n', view->out);
    view_line(view, VIEW_BOLD, buf_text(&title));
    for (size_t i = 0; i < n && i < MAX_SEPARATING; i++)
        print_separating_line(view, json_array_get(lines, i));
}

static const char *run_dir(const struct view *view, const json_t *report)
{
    const char *dir = view->style->run_dir;
    return dir != NULL ? dir : view_text(report, "run_dir");
}

static char *in_run_dir(const struct view *view, const json_t *report, const char *name)
{
    const char *dir = run_dir(view, report);
    size_t len = strlen(dir);
    const char *slash = len > 0 && dir[len - 1] != '/' ? "/" : "";
    return name[0] == '/' ? mem_strdup(name) : mem_printf("%s%s%s", dir, slash, name);
}

static void print_ending(const struct view *view, const char *label, const char *text)
{
    struct view_shape shape = {.hang = 14, .label_colour = VIEW_BOLD};
    if (text[0] != '\0')
        view_paragraph(view, &shape, label, text);
}

static void print_places(const struct view *view, const json_t *report)
{
    if (run_dir(view, report)[0] == '\0')
        return;
    auto_free char *file = in_run_dir(view, report, "report.json");
    auto_free char *logs = in_run_dir(view, report, "boot-*/console.log");
    fputc('\n', view->out);
    view_verbatim(view, "full report   ", file);
    if (view_int(json_object_get(report, "summary"), "boots", 0) > 0)
        view_verbatim(view, "all logs      ", logs);
}

static void add_command(struct buf *command, const struct view *view, const json_t *report,
                        const char *dir)
{
    const char *program = view->style->program;
    const char *baseline = view_text(json_object_get(report, "baseline"), "dir");
    view_shell_word(command, program != NULL ? program : "bootdiag");
    buf_add_text(command, " analyze ");
    if (baseline[0] != '\0') {
        buf_add_text(command, "--baseline ");
        view_shell_word(command, baseline);
        buf_add_char(command, ' ');
    }
    view_shell_word(command, dir);
}

/* The most frequent cause. */
static void print_what_next(const struct view *view, const json_t *report)
{
    const json_t *causes = json_object_get(json_object_get(report, "summary"), "causes");
    const json_t *group = json_array_get(causes, 0);
    const json_t *boot = example_of(report, group);
    const json_t *analysis = json_object_get(boot, "analysis");
    const json_t *verdict = json_object_get(analysis, "verdict");
    if (!json_is_object(verdict))
        return;
    auto_free char *dir = in_run_dir(view, report, view_text(boot, "dir"));
    auto_free char *where = mem_printf("%s/", dir);
    struct quotes_place place = {.where = where};
    auto_buf struct buf cause, line, command;
    buf_init(&cause, BUF_LIMIT);
    buf_init(&line, BUF_LIMIT);
    buf_init(&command, BUF_LIMIT);
    buf_addf(&cause, "%s: %s", view_text(verdict, "cause"), view_text(verdict, "summary"));
    diagnosis_telling_line(view, &line, analysis, &place);
    add_command(&command, view, report, dir);
    print_cause(view, report, group, diagnosis_print_rest);
    print_ending(view, "likely cause  ", buf_text(&cause));
    print_ending(view, "shown by      ", buf_text(&line));
    print_ending(view, "what to do    ", view_text(verdict, "remedy"));
    view_verbatim(view, "look further  ", buf_text(&command));
}

static void print_text(const json_t *report, FILE *out, const struct report_style *style)
{
    struct view view = {.out = out, .style = style};
    const json_t *summary = json_object_get(report, "summary");
    const json_t *boots = json_object_get(report, "boots");
    print_headline(&view, report);
    print_rate(&view, summary);
    print_setting(&view, report);
    print_preflight(&view, report);
    if (json_array_size(boots) > 0) {
        fputc('\n', out);
        boot_table_print(&view, boots);
    }
    print_other_causes(&view, report);
    print_separating(&view, report);
    print_places(&view, report);
    print_what_next(&view, report);
}

const struct report_format report_format_text = {
    .name = "text",
    .summary = "one screen for people",
    .print = print_text,
};
