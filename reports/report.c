/* SPDX-License-Identifier: Apache-2.0 */
/* The document grows boot by boot; its summary (summary.c) is computed at the end. */
#include "reports/report.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/spectrum.h"
#include "harness/base/auto.h"
#include "harness/base/json.h"
#include "harness/base/mem.h"
#include "harness/base/secrets.h"
#include "reports/signature.h"
#include "reports/view.h"

extern const struct report_format report_format_text, report_format_json;

static const struct report_format *const table[] = {
    &report_format_text,
    &report_format_json,
};
enum { N_FORMATS = sizeof(table) / sizeof(table[0]), MAX_SEPARATING = 10 };

static json_t *masked_json(const char *text)
{
    auto_free char *masked = mem_strdup(text);
    if (masked != NULL)
        secrets_mask(masked);
    return json_text(masked);
}

static json_t *target_masked(const json_t *target)
{
    json_t *copy = target != NULL ? json_deep_copy(target) : json_object();
    const char *cmdline = json_string_value(json_object_get(copy, "cmdline"));
    if (cmdline != NULL)
        json_object_set_new(copy, "cmdline", masked_json(cmdline));
    return copy;
}

static json_t *baseline_json(const struct report_facts *facts)
{
    if (facts->baseline == NULL)
        return json_null();
    return json_pack("{s:o, s:o, s:i}", "identity", json_text(facts->baseline), "dir",
                     json_text(facts->baseline_dir), "runs", facts->baseline_runs);
}

json_t *report_new(const struct report_facts *facts)
{
    json_t *report = json_pack("{s:s}", "schema", "bootdiag.report/1");
    json_object_set_new(report, "version", json_text(facts->version));
    json_object_set_new(report, "host", json_text(facts->host_name));
    json_object_set_new(report, "started_at", json_text(facts->started_at));
    json_object_set_new(report, "run_dir", json_text(facts->run_dir));
    json_object_set_new(report, "target", target_masked(facts->target));
    json_object_set_new(report, "fault", json_text(facts->fault));
    json_object_set_new(report, "baseline", baseline_json(facts));
    json_object_set_new(report, "accelerator", json_text(facts->accelerator));
    json_object_set_new(report, "jobs", json_integer(facts->jobs));
    json_object_set_new(report, "boots_wanted",
                        facts->boots_wanted > 0 ? json_integer(facts->boots_wanted) : json_null());
    json_object_set_new(report, "early_end", json_boolean(facts->early_end));
    json_object_set_new(report, "interrupted", json_false());
    json_object_set_new(report, "preflight", json_array());
    json_object_set_new(report, "boots", json_array());
    json_object_set_new(report, "separating", json_null());
    json_object_set_new(report, "summary", json_null());
    return report;
}

void report_set_separating(json_t *report, const struct spectrum *spectrum)
{
    struct telling_line lines[MAX_SEPARATING];
    size_t n = spectrum_rank(spectrum, lines, MAX_SEPARATING);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:o, s:b, s:I, s:I, s:f}", "text",
                                              json_text(lines[i].text), "absent", lines[i].absent,
                                              "failed", (json_int_t)lines[i].failed, "good",
                                              (json_int_t)lines[i].good, "score", lines[i].score));
    json_object_set_new(report, "separating",
                        json_pack("{s:I, s:I, s:o}", "failed", (json_int_t)spectrum->n_failed,
                                  "good", (json_int_t)spectrum->n_good, "lines", list));
}

void report_add_preflight(json_t *report, const char *cause, const char *message)
{
    json_array_append_new(
        json_object_get(report, "preflight"),
        json_pack("{s:o, s:o}", "cause", json_text(cause), "message", masked_json(message)));
}

void report_set_interrupted(json_t *report)
{
    json_object_set_new(report, "interrupted", json_true());
}

/* The record's directory as seen from the run's. */
static const char *relative_dir(const json_t *report, const char *dir)
{
    const char *run_dir = json_string_value(json_object_get(report, "run_dir"));
    size_t n = run_dir != NULL ? strlen(run_dir) : 0;
    while (n > 1 && run_dir[n - 1] == '/')
        n--;
    if (dir == NULL || n == 0 || strncmp(dir, run_dir, n) != 0 || dir[n] != '/')
        return dir;
    return dir + n + strspn(dir + n, "/");
}

static json_t *vmm_json(const struct record *record)
{
    int signal = record->vmm.signal;
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "exit_code",
                     json_number_or_null(record->vmm.exit_code), "signal",
                     signal > 0 ? json_integer(signal) : json_null(), "cpu_ms",
                     json_number_or_null(record->vmm.cpu_ms), "error",
                     masked_json(record->vmm.error), "version", json_text(record->vmm.version));
}

static json_t *guest_json(const struct record *record)
{
    return json_pack("{s:i, s:i, s:o}", "memory_mib", record->guest.memory_mib, "vcpus",
                     record->guest.vcpus, "cmdline", masked_json(record->guest.cmdline));
}

static json_t *host_json(const struct record *record)
{
    double load = record->host.load, steal = record->host.steal_pct;
    return json_pack("{s:o, s:o, s:i, s:o}", "load", load >= 0 ? json_real(load) : json_null(),
                     "steal_pct", steal >= 0 ? json_real(steal) : json_null(), "parallel_boots",
                     record->host.parallel_boots, "accelerator",
                     json_text(record->host.accelerator));
}

static const char *last_probe_class(const struct record *record)
{
    size_t n = record->probe.n_runs;
    return n > 0 ? probe_class_name(record->probe.runs[n - 1].class) : NULL;
}

static json_t *signature_json(const struct record *record, const struct analysis *analysis)
{
    const struct verdict *verdict = &analysis->verdict;
    if (verdict->cause == NULL)
        return json_null();
    /* How far boots with the same fault come differs: systemd starts units side by side. So that
     * only counts where there is nothing better. */
    bool unknown = strcmp(verdict->cause, "unknown") == 0;
    char hex[SIGNATURE_SIZE];
    signature_make(verdict->cause, unknown ? analysis_stage(analysis) : NULL,
                   unknown ? last_probe_class(record) : NULL, verdict->summary, hex);
    return json_string(hex);
}

void report_add_boot(json_t *report, const struct record *record, const struct analysis *analysis,
                     int64_t saved_ms)
{
    json_t *boot = json_object();
    json_object_set_new(boot, "boot_id", json_text(record->boot_id));
    json_object_set_new(boot, "dir", json_text(relative_dir(report, record->dir)));
    json_object_set_new(boot, "backend", json_text(record->backend));
    json_object_set_new(boot, "replayed", json_boolean(record->replayed));
    json_object_set_new(boot, "started_at", json_text(record->started_at));
    json_object_set_new(boot, "end", json_text(record_end_name(record->end)));
    json_object_set_new(boot, "end_detail", masked_json(record->end_detail));
    json_object_set_new(boot, "ready_ms", json_number_or_null(record->ready_ms));
    json_object_set_new(boot, "ended_ms", json_number_or_null(record->ended_ms));
    json_object_set_new(boot, "deadline_ms", json_number_or_null(record->deadline_ms));
    json_object_set_new(boot, "saved_ms", json_integer(saved_ms > 0 ? saved_ms : 0));
    json_object_set_new(boot, "fault", json_text(record->fault));
    json_object_set_new(boot, "last_probe_class", json_text(last_probe_class(record)));
    json_object_set_new(boot, "signature", signature_json(record, analysis));
    json_object_set_new(boot, "vmm", vmm_json(record));
    json_object_set_new(boot, "guest", guest_json(record));
    json_object_set_new(boot, "host", host_json(record));
    json_object_set_new(boot, "reproduce", masked_json(record->vmm.by_hand));
    json_object_set_new(boot, "analysis", report_analysis_json(analysis));
    json_array_append_new(json_object_get(report, "boots"), boot);
}

/* ASCII only: JSON may go to a terminal too, and there are control characters beyond ASCII. */
enum { DUMP_FLAGS = JSON_ENSURE_ASCII | JSON_REAL_PRECISION(6) };

static void print_json(const json_t *report, FILE *out, const struct report_style *style)
{
    (void)style;
    json_dumpf(report, out, JSON_INDENT(1) | DUMP_FLAGS);
    fputc('\n', out);
}

const struct report_format report_format_json = {
    .name = "json",
    .summary = "the report itself (reports/schema/report.json)",
    .print = print_json,
};

const struct report_format *const *report_formats(size_t *ret_n)
{
    *ret_n = N_FORMATS;
    return table;
}

int report_print(const json_t *report, const char *format, FILE *out,
                 const struct report_style *style, struct err *err)
{
    for (size_t i = 0; i < N_FORMATS; i++) {
        if (strcmp(table[i]->name, format) == 0) {
            table[i]->print(report, out, style);
            return view_written(out, err);
        }
    }
    auto_buf struct buf names;
    buf_init(&names, 256);
    for (size_t i = 0; i < N_FORMATS; i++)
        buf_addf(&names, "%s%s", i > 0 ? ", " : "", table[i]->name);
    return err_set(err, "\"%.40s\" is not a format of a report; there are: %s", format,
                   buf_text(&names));
}

int report_print_line(const json_t *document, FILE *out, struct err *err)
{
    json_dumpf(document, out, JSON_COMPACT | DUMP_FLAGS);
    fputc('\n', out);
    return view_written(out, err);
}
