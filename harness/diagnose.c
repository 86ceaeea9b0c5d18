/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/diagnose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/analysis.h"
#include "harness/base/auto.h"
#include "harness/base/file.h"
#include "harness/base/json.h"
#include "harness/base/mem.h"
#include "harness/output.h"
#include "harness/target.h"

static int take_target(struct diagnose *diagnose, const char *path, struct err *err)
{
    auto_target struct target target;
    target_init(&target);
    if (target_load(&target, path, err) != 0)
        return err_prefix(err, "target");
    service_release(&diagnose->service);
    service_copy(&diagnose->service, &target.service);
    return 0;
}

int diagnose_init(struct diagnose *diagnose, const struct command_line *line, struct err *err)
{
    const char *target = command_value(line, "target", NULL);
    *diagnose = (struct diagnose){
        .line = line,
        .style = output_style(line, NULL),
        .baseline_dirs = mem_calloc(line->n_values + 1, sizeof(char *)),
    };
    service_init(&diagnose->service);
    size_t n = 0;
    for (size_t i = 0; i < line->n_values; i++)
        if (strcmp(line->values[i].option->name, "baseline") == 0)
            diagnose->baseline_dirs[n++] = line->values[i].value;
    if (eyes_rules_own(&diagnose->rules, line, err) != 0)
        return -1;
    return target != NULL ? take_target(diagnose, target, err) : 0;
}

void diagnose_release(struct diagnose *diagnose)
{
    eyes_rules_release(&diagnose->rules);
    service_release(&diagnose->service);
    baseline_free(diagnose->baseline);
    free(diagnose->baseline_dirs);
    *diagnose = (struct diagnose){0};
}

static void add_message(struct diagnosed *diagnosed, const char *kind, const char *text)
{
    json_array_append_new(diagnosed->messages, json_pack("{s:o}", kind, json_text(text)));
}

static void add_warning(void *ctx, const char *text)
{
    add_message(ctx, "warning", text);
}

/* Loads the baseline for a record's identity; the same one serves all records of that identity. */
static int take_baseline(struct diagnose *diagnose, const struct record *record,
                         struct diagnosed *diagnosed, struct err *err)
{
    char identity[IDENTITY_SIZE] = "";
    if (diagnose->baseline_dirs[0] == NULL)
        return 0;
    (void)image_record_identity(record, identity);
    if (diagnose->baseline != NULL && strcmp(identity, diagnose->baseline_for) == 0)
        return 0;
    struct baselines_expected expected = {
        .identity = identity[0] != '\0' ? identity : NULL,
        .memory_mib = record->guest.memory_mib,
        .vcpus = record->guest.vcpus,
        .cmdline = record->fault == NULL ? record->guest.cmdline : NULL,
        .vmm_version = record->vmm.version,
        .parallel_boots = record->host.parallel_boots,
        .force = command_has(diagnose->line, "force-baseline"),
    };
    struct baselines_warn warnings = {.warn = add_warning, .ctx = diagnosed};
    baseline_free(diagnose->baseline);
    diagnose->baseline =
        baselines_load(diagnose->baseline_dirs, &expected, &diagnose->rules, &warnings, err);
    memcpy(diagnose->baseline_for, identity, sizeof(identity));
    return diagnose->baseline != NULL ? 0 : -1;
}

static int print_text(const struct diagnose *diagnose, const json_t *document,
                      const struct archive_entry *entry, const struct record *record, FILE *out,
                      struct err *err)
{
    auto_free char *packed = path_join(entry->path, "console.log.zst");
    auto_free char *boot = path_join(entry->path, "boot.json");
    struct report_style style = diagnose->style;
    if (entry->kind != ARCHIVE_RECORD)
        style.console = entry->path;
    else if (path_exists(packed))
        style.console = packed;
    if (record->vmm.by_hand != NULL)
        style.by_hand_in = boot;
    if (report_analysis_text(document, out, &style, err) != 0)
        return -1;
    bool explain = command_has(diagnose->line, "explain");
    return explain ? report_explanation_text(document, out, &style, err) : 0;
}

/* Into the answer's text, which is born with a limit. */
static int print(const struct diagnose *diagnose, const json_t *document,
                 const struct archive_entry *entry, const struct record *record,
                 struct buf *ret_text, struct err *err)
{
    auto_free char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL)
        abort();
    int result = 0;
    if (command_has(diagnose->line, "json"))
        result = report_print_line(document, out, err);
    else if (diagnose->in_full)
        result = print_text(diagnose, document, entry, record, out, err);
    (void)fclose(out);
    buf_add(ret_text, text, len);
    return result;
}

/* A console is worth an analysis without its VMM's log, too. */
static int load(const struct archive *archive, size_t index, struct record *record,
                struct diagnosed *diagnosed, struct err *err)
{
    if (archive_load(archive, index, record, err) == 0)
        return 0;
    if (archive->entries[index].error_path == NULL)
        return -1;
    struct err without = {0};
    if (archive_load_console(archive, index, record, &without) != 0)
        return -1;
    add_message(diagnosed, "error", err->message);
    diagnosed->unread = true;
    return 0;
}

static int analyze(struct diagnose *diagnose, const struct archive *archive, size_t index,
                   struct diagnosed *diagnosed, struct err *err)
{
    const struct archive_entry *entry = &archive->entries[index];
    auto_record struct record record;
    record_init(&record);
    if (load(archive, index, &record, diagnosed, err) != 0)
        return -1;
    if (!record.has_service) {
        service_release(&record.service);
        service_copy(&record.service, &diagnose->service);
    }
    if (take_baseline(diagnose, &record, diagnosed, err) != 0)
        return -1;
    struct ruleset *rules = eyes_rules_for(&diagnose->rules, &record.service, err);
    if (rules == NULL)
        return record.has_service ? err_prefix(err, "%s", entry->source) : -1;
    auto_analysis struct analysis analysis = {0};
    analysis_init(&analysis, &record, rules, diagnose->baseline);
    json_auto_t *document = report_analysis_json(&analysis);
    if (command_has(diagnose->line, "explain"))
        json_object_set_new(document, "explanation", report_explanation_json(&analysis));
    if (print(diagnose, document, entry, &record, &diagnosed->text, err) != 0)
        return -1;
    diagnosed->ready = analysis.outcome == OUTCOME_READY;
    diagnosed->item = report_tally_item(document, entry->stamp);
    return 0;
}

static void diagnosed_init(struct diagnosed *diagnosed)
{
    *diagnosed = (struct diagnosed){.messages = json_array()};
    buf_init(&diagnosed->text, SIZE_MAX);
}

void diagnose_entry(struct diagnose *diagnose, const struct archive *archive, size_t index,
                    struct diagnosed *ret_diagnosed)
{
    struct err err = {0};
    diagnosed_init(ret_diagnosed);
    if (analyze(diagnose, archive, index, ret_diagnosed, &err) == 0)
        return;
    add_message(ret_diagnosed, "error", err.message);
    ret_diagnosed->unread = true;
}

void diagnosed_release(struct diagnosed *diagnosed)
{
    json_decref(diagnosed->messages);
    json_decref(diagnosed->item);
    buf_release(&diagnosed->text);
    *diagnosed = (struct diagnosed){0};
}

/* A line of JSON, then the text. */
void diagnosed_pack(const struct diagnosed *diagnosed, struct buf *ret_bytes)
{
    json_auto_t *head = json_pack("{s:b, s:b, s:O}", "ready", diagnosed->ready, "unread",
                                  diagnosed->unread, "messages", diagnosed->messages);
    if (diagnosed->item != NULL)
        json_object_set(head, "item", diagnosed->item);
    auto_free char *text = json_dumps(head, JSON_COMPACT | JSON_ENSURE_ASCII);
    buf_addf(ret_bytes, "%s\n", text);
    buf_add(ret_bytes, buf_text(&diagnosed->text), diagnosed->text.len);
}

int diagnosed_unpack(struct diagnosed *ret_diagnosed, const struct buf *bytes)
{
    const char *end = bytes->len > 0 ? memchr(bytes->data, '\n', bytes->len) : NULL;
    if (end == NULL)
        return -1;
    size_t len = (size_t)(end - bytes->data);
    json_auto_t *head = json_loadb(bytes->data, len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *messages = json_object_get(head, "messages");
    if (!json_is_array(messages))
        return -1;
    diagnosed_init(ret_diagnosed);
    ret_diagnosed->ready = json_is_true(json_object_get(head, "ready"));
    ret_diagnosed->unread = json_is_true(json_object_get(head, "unread"));
    json_array_extend(ret_diagnosed->messages, (json_t *)messages);
    ret_diagnosed->item = json_incref(json_object_get(head, "item"));
    buf_add(&ret_diagnosed->text, end + 1, bytes->len - len - 1);
    return 0;
}
