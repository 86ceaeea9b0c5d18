/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze: diagnoses kept boots: records, archived consoles, bare consoles. No VM is needed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/analysis.h"
#include "harness/archive.h"
#include "harness/base/auto.h"
#include "harness/base/file.h"
#include "harness/base/mem.h"
#include "harness/base/say.h"
#include "harness/baselines.h"
#include "harness/command.h"
#include "harness/eyes.h"
#include "harness/output.h"
#include "harness/target.h"
#include "reports/report.h"

struct analyzing {
    const struct command_line *line;
    struct eyes_rules rules;
    struct service service; /* of records that name none */
    char **baseline_dirs;   /* NULL-terminated */
    struct baseline *baseline;
    char baseline_for[IDENTITY_SIZE]; /* identity that `baseline` was loaded for */
    json_t *tally;
    bool several; /* boots: then a table instead of each in full */
    size_t n_shown;
    bool some_not_ready, some_unread;
};

static void analyzing_release(struct analyzing *analyzing)
{
    eyes_rules_release(&analyzing->rules);
    service_release(&analyzing->service);
    baseline_free(analyzing->baseline);
    free(analyzing->baseline_dirs);
    json_decref(analyzing->tally);
}

static void warn(void *ctx, const char *text)
{
    (void)ctx;
    say_warning("%s", text);
}

/* Loads the baseline for a record's identity; the same one serves all records of that identity. */
static int take_baseline(struct analyzing *analyzing, const struct record *record, struct err *err)
{
    char identity[IDENTITY_SIZE] = "";
    if (analyzing->baseline_dirs[0] == NULL)
        return 0;
    (void)image_record_identity(record, identity);
    if (analyzing->baseline != NULL && strcmp(identity, analyzing->baseline_for) == 0)
        return 0;
    struct baselines_expected expected = {
        .identity = identity[0] != '\0' ? identity : NULL,
        .memory_mib = record->guest.memory_mib,
        .vcpus = record->guest.vcpus,
        .cmdline = record->fault == NULL ? record->guest.cmdline : NULL,
        .vmm_version = record->vmm.version,
        .parallel_boots = record->host.parallel_boots,
        .force = command_has(analyzing->line, "force-baseline"),
    };
    struct baselines_warn warnings = {.warn = warn};
    baseline_free(analyzing->baseline);
    analyzing->baseline = baselines_load((const char *const *)analyzing->baseline_dirs, &expected,
                                         &analyzing->rules, &warnings, err);
    memcpy(analyzing->baseline_for, identity, sizeof(identity));
    return analyzing->baseline != NULL ? 0 : -1;
}

static int print_text(const struct analyzing *analyzing, const json_t *document,
                      const struct archive_entry *entry, const struct record *record,
                      struct err *err)
{
    auto_free char *packed = path_join(entry->path, "console.log.zst");
    auto_free char *boot = path_join(entry->path, "boot.json");
    struct report_style style = output_style(analyzing->line, NULL);
    if (entry->kind != ARCHIVE_RECORD)
        style.console = entry->path;
    else if (path_exists(packed))
        style.console = packed;
    if (record->vmm.by_hand != NULL)
        style.by_hand_in = boot;
    if (report_analysis_text(document, stdout, &style, err) != 0)
        return -1;
    bool explain = command_has(analyzing->line, "explain");
    return explain ? report_explanation_text(document, stdout, &style, err) : 0;
}

static int show(struct analyzing *analyzing, const json_t *document,
                const struct archive_entry *entry, const struct record *record, struct err *err)
{
    if (command_has(analyzing->line, "json"))
        return report_print_line(document, stdout, err);
    report_tally_add(analyzing->tally, document);
    bool in_full =
        command_has(analyzing->line, "verbose") || command_has(analyzing->line, "explain");
    if (analyzing->several && !in_full)
        return 0;
    if (analyzing->n_shown++ > 0)
        putchar('\n');
    return print_text(analyzing, document, entry, record, err);
}

static int analyze_entry(struct analyzing *analyzing, const struct archive *archive, size_t index,
                         struct err *err)
{
    auto_record struct record record;
    record_init(&record);
    if (archive_load(archive, index, &record, err) != 0)
        return -1;
    if (!record.has_service) {
        service_release(&record.service);
        service_copy(&record.service, &analyzing->service);
    }
    if (take_baseline(analyzing, &record, err) != 0)
        return -1;
    struct ruleset *rules = eyes_rules_for(&analyzing->rules, &record.service, err);
    if (rules == NULL)
        return -1;
    auto_analysis struct analysis analysis = {0};
    analysis_init(&analysis, &record, rules, analyzing->baseline);
    if (analysis.outcome != OUTCOME_READY)
        analyzing->some_not_ready = true;
    json_auto_t *document = report_analysis_json(&analysis);
    if (command_has(analyzing->line, "explain"))
        json_object_set_new(document, "explanation", report_explanation_json(&analysis));
    return show(analyzing, document, &archive->entries[index], &record, err);
}

/* What cannot be read is said, and the rest goes on. */
static void note_unread(struct analyzing *analyzing, const struct err *err)
{
    (void)say_error(err);
    analyzing->some_unread = true;
}

/* Our own documents are text and would pass for a console. */
static int refuse_documents(const struct command_line *line, const char *path, struct err *err)
{
    const char *name = path_base(path);
    if (strcmp(name, "boot.json") == 0)
        return err_set(err, "%s: name the record's directory, not a file in it", path);
    if (strcmp(name, "report.json") == 0)
        return err_set(err, "%s: a report is printed with `%s report`", path, line->program);
    return 0;
}

static void analyze_path(struct analyzing *analyzing, const char *path)
{
    struct err err = {0};
    struct archive archive;
    if (refuse_documents(analyzing->line, path, &err) != 0) {
        note_unread(analyzing, &err);
        return;
    }
    if (archive_find(&archive, path, &err) != 0) {
        note_unread(analyzing, &err);
        return;
    }
    analyzing->several |= archive.len > 1;
    for (size_t i = 0; i < archive.len; i++)
        if (analyze_entry(analyzing, &archive, i, &err) != 0)
            note_unread(analyzing, &err);
    archive_release(&archive);
}

static int prepare(struct analyzing *analyzing, struct err *err)
{
    const struct command_line *line = analyzing->line;
    if (line->n_operands == 0)
        return err_set(err,
                       "analyze: name a record, an archive or a console; `-` is standard input");
    size_t n = 0;
    analyzing->baseline_dirs = mem_calloc(line->n_values + 1, sizeof(char *));
    for (size_t i = 0; i < line->n_values; i++)
        if (strcmp(line->values[i].option->name, "baseline") == 0)
            analyzing->baseline_dirs[n++] = (char *)line->values[i].value;
    analyzing->tally = report_tally_new();
    service_init(&analyzing->service);
    const char *target_path = command_value(line, "target", NULL);
    if (target_path == NULL)
        return 0;
    auto_target struct target target;
    target_init(&target);
    if (target_load(&target, target_path, err) != 0)
        return err_prefix(err, "target");
    service_release(&analyzing->service);
    service_copy(&analyzing->service, &target.service);
    return 0;
}

static int finish(struct analyzing *analyzing, struct err *err)
{
    if (!analyzing->several || command_has(analyzing->line, "json"))
        return 0;
    struct report_style style = output_style(analyzing->line, NULL);
    return report_analyses_summary(analyzing->tally, stdout, &style, err);
}

static int cmd_analyze_main(const struct command_line *line)
{
    struct analyzing analyzing __attribute__((cleanup(analyzing_release))) = {.line = line};
    struct err err = {0};
    if (output_check(line, &err) != 0 || prepare(&analyzing, &err) != 0)
        return say_error(&err);
    analyzing.several = line->n_operands > 1;
    for (size_t i = 0; i < line->n_operands; i++)
        analyze_path(&analyzing, line->operands[i]);
    if (finish(&analyzing, &err) != 0)
        return say_error(&err);
    if (analyzing.some_unread)
        return EXIT_NOT_DONE;
    return analyzing.some_not_ready ? EXIT_SOME_FAILED : EXIT_ALL_READY;
}

static const struct command_option OPTIONS[] = {
    {0, "json", NULL, "one JSON document per boot, as JSON Lines"},
    {'b', "baseline", "DIR", "good boots to compare with; may be repeated"},
    {0, "force-baseline", NULL, "take a baseline of another image too"},
    {'t', "target", "FILE", "the service of boots that do not name theirs"},
    {'e', "explain", NULL,
     "also what was noticed, and what became of each cause that was considered"},
    {'v', "verbose", NULL, "every boot in full, also of many"},
    OPTION_COLOR,
    {0},
};

const struct command cmd_analyze = {
    .name = "analyze",
    .synopsis = "[OPTION]... PATH...",
    .summary = "Diagnoses kept boots: records, archived consoles, bare consoles",
    .details =
        "PATH is a record's directory; an archived console (*-console-<ts>.log, also .gz and "
        ".zst,\n"
        "with <ts> as in 2025-11-06T20-49-08-451Z); a directory that holds such at any depth; any\n"
        "other file, which is taken for a bare console; or - for standard input.\n"
        "Exit status: 0 every boot was ready, 1 some was not, 2 some input could not be read.",
    .options = OPTIONS,
    .run = cmd_analyze_main,
};
