/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/cmd_baseline_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "analyzers/diff.h"
#include "analyzers/leave_out.h"
#include "harness/archive.h"
#include "harness/base/auto.h"
#include "harness/base/json.h"
#include "harness/base/mem.h"
#include "harness/base/say.h"
#include "harness/baselines.h"
#include "harness/eyes.h"
#include "harness/output.h"
#include "reports/report.h"
#include "reports/stats.h"

enum { MAX_VARYING = 20 };

struct checking {
    const struct command_line *line;
    struct eyes_rules rules;
    struct leave_out boots;
    json_t *document;
    bool unsound; /* some boot is refused, or differs from the others */
    bool unread;  /* some boot could not be read */
};

static void checking_release(struct checking *checking)
{
    leave_out_release(&checking->boots);
    eyes_rules_release(&checking->rules);
    json_decref(checking->document);
}

/* ---- reading ---- */

static void add_to(struct checking *checking, const char *list, const char *source,
                   const char *reason)
{
    json_array_append_new(
        json_object_get(checking->document, list),
        json_pack("{s:o, s:o}", "source", json_text(source), "reason", json_text(reason)));
    checking->unsound = true;
}

/* Good boots of one baseline are recorded alike: the first says how. */
static void check_stamps(struct checking *checking)
{
    if (checking->boots.n < 2)
        return;
    const struct record *first = &checking->boots.boots[0].record;
    const struct record *record = &checking->boots.boots[checking->boots.n - 1].record;
    char identity[IDENTITY_SIZE] = "", wanted[IDENTITY_SIZE] = "";
    struct baselines_expected expected = {
        .memory_mib = first->guest.memory_mib,
        .vcpus = first->guest.vcpus,
        .cmdline = first->guest.cmdline,
        .vmm_version = first->vmm.version,
        .parallel_boots = first->host.parallel_boots,
    };
    auto_buf struct buf list;
    buf_init(&list, 1024);
    (void)image_record_identity(first, wanted);
    (void)image_record_identity(record, identity);
    if (strcmp(identity, wanted) != 0)
        buf_add_text(&list, "another image");
    baselines_differences(&list, &expected, record);
    if (list.len > 0)
        add_to(checking, "differs", record->source, buf_text(&list));
}

static int add_entry(struct checking *checking, const struct archive *archive, size_t index,
                     struct err *err)
{
    auto_record struct record record;
    struct err why = {0};
    record_init(&record);
    if (archive_load(archive, index, &record, &why) != 0) {
        (void)say_error(&why);
        checking->unread = true;
        return 0;
    }
    struct ruleset *rules = eyes_rules_for(&checking->rules, &record.service, err);
    if (rules == NULL)
        return -1;
    auto_free char *source = mem_strdup(record.source);
    if (leave_out_add(&checking->boots, &record, rules, &why) == 0) {
        check_stamps(checking);
        return 0;
    }
    const char *reason = why.message;
    size_t len = strlen(source);
    if (strncmp(reason, source, len) == 0 && strncmp(reason + len, ": ", 2) == 0)
        reason += len + 2;
    add_to(checking, "refused", source, reason);
    return 0;
}

static int add_dir(struct checking *checking, const char *dir, struct err *err)
{
    struct archive archive;
    if (archive_find(&archive, dir, err) != 0)
        return -1;
    int result = 0;
    for (size_t i = 0; i < archive.len && result == 0; i++)
        result = add_entry(checking, &archive, i, err);
    archive_release(&archive);
    return result;
}

/* ---- comparing ---- */

static json_t *texts_json(const struct diff_line *lines, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_text(lines[i].text));
    return list;
}

static json_t *late_json(const struct diff *diff)
{
    json_t *list = json_array();
    for (size_t i = 0; i < diff->n_late; i++)
        json_array_append_new(list, json_text(diff->late[i].to));
    return list;
}

static int compare_one(struct checking *checking, size_t index, struct err *err)
{
    const struct record *record = &checking->boots.boots[index].record;
    struct ruleset *rules = eyes_rules_for(&checking->rules, &record->service, err);
    if (rules == NULL)
        return -1;
    struct diff diff = {0};
    leave_out_compare(&checking->boots, index, rules, &diff);
    json_t *boot =
        json_pack("{s:o, s:b, s:o, s:o, s:o}", "source", json_text(record->source), "compared",
                  diff.present, "novel", texts_json(diff.novel, diff.n_novel), "missing",
                  texts_json(diff.missing, diff.n_missing), "late", late_json(&diff));
    json_array_append_new(json_object_get(checking->document, "boots"), boot);
    diff_release(&diff);
    return 0;
}

static double mean_of(const json_t *boots, const char *list)
{
    size_t i, sum = 0;
    json_t *boot;
    json_array_foreach (boots, i, boot) {
        sum += json_array_size(json_object_get(boot, list));
    }
    return (double)sum / (double)json_array_size(boots);
}

static void set_expected(struct checking *checking)
{
    const json_t *boots = json_object_get(checking->document, "boots");
    json_t *expected = json_null();
    if (checking->boots.n >= 2)
        expected = json_pack("{s:f, s:f, s:f}", "novel", mean_of(boots, "novel"), "missing",
                             mean_of(boots, "missing"), "late", mean_of(boots, "late"));
    json_object_set_new(checking->document, "expected", expected);
}

/* Those that most boots print first: they are nearly good enough to be missed. */
static int compare_lines(const void *a, const void *b)
{
    const struct good_line *left = *(const struct good_line *const *)a;
    const struct good_line *right = *(const struct good_line *const *)b;
    if (left->runs != right->runs)
        return left->runs > right->runs ? -1 : 1;
    if (left->median_rank != right->median_rank)
        return left->median_rank < right->median_rank ? -1 : 1;
    return (left->hash > right->hash) - (left->hash < right->hash);
}

static void set_templates(struct checking *checking)
{
    const struct baseline *whole = checking->boots.whole;
    auto_free const struct good_line **varying =
        mem_calloc(whole->n_lines + 1, sizeof(const struct good_line *));
    size_t n = 0;
    for (size_t i = 0; i < whole->n_lines; i++)
        if (whole->lines[i].runs < (int)whole->n_runs)
            varying[n++] = &whole->lines[i];
    qsort(varying, n, sizeof(*varying), compare_lines);
    json_t *list = json_array();
    for (size_t i = 0; i < n && i < MAX_VARYING; i++)
        json_array_append_new(list, json_pack("{s:i, s:o}", "runs", varying[i]->runs, "text",
                                              json_text(varying[i]->text)));
    json_object_set_new(checking->document, "templates",
                        json_pack("{s:I, s:I, s:o}", "all", (json_int_t)whole->n_lines, "varying",
                                  (json_int_t)n, "examples", list));
}

static int refuse_empty(const struct checking *checking, struct err *err)
{
    const json_t *refused = json_object_get(checking->document, "refused");
    const char *reason = json_string_value(json_object_get(json_array_get(refused, 0), "reason"));
    return err_set(err, "%s holds no good boot%s%s", checking->line->operands[1],
                   reason != NULL ? ": the first " : "", reason != NULL ? reason : "");
}

static int check(struct checking *checking, struct err *err)
{
    const struct command_line *line = checking->line;
    if (output_check(line, err) != 0 || eyes_rules_own(&checking->rules, line, err) != 0)
        return -1;
    for (size_t i = 1; i < line->n_operands; i++)
        if (add_dir(checking, line->operands[i], err) != 0)
            return -1;
    if (checking->boots.n == 0)
        return refuse_empty(checking, err);
    for (size_t i = 0; i < checking->boots.n; i++)
        if (compare_one(checking, i, err) != 0)
            return -1;
    set_expected(checking);
    set_templates(checking);
    json_object_set_new(checking->document, "unseen_below",
                        json_real(stats_unseen_below((unsigned)checking->boots.n)));
    return 0;
}

int baseline_check(const struct command_line *line)
{
    struct checking checking __attribute__((cleanup(checking_release))) = {
        .line = line,
        .document =
            json_pack("{s:s, s:o, s:[], s:[], s:[]}", "schema", "bootdiag.baseline-check/1",
                      "baseline", json_text(line->operands[1]), "boots", "refused", "differs"),
    };
    struct err err = {0};
    if (check(&checking, &err) != 0)
        return say_error(&err);
    struct report_style style = output_style(line, NULL);
    int failed = command_has(line, "json")
                     ? report_print_line(checking.document, stdout, &err)
                     : report_baseline_check_text(checking.document, stdout, &style, &err);
    if (failed)
        return say_error(&err);
    if (checking.unread)
        return EXIT_NOT_DONE;
    return checking.unsound ? EXIT_SOME_FAILED : EXIT_ALL_READY;
}
