/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diff: one boot's console beside those of others, without what differs in every boot.
 */
#include <stdio.h>
#include <stdlib.h>

#include "analyzers/alignment.h"
#include "analyzers/baseline.h"
#include "harness/archive.h"
#include "harness/base/auto.h"
#include "harness/base/mem.h"
#include "harness/base/say.h"
#include "harness/command.h"
#include "harness/output.h"
#include "reports/report.h"

enum { DEFAULT_CONTEXT = 3, MAX_CONTEXT = 1000 * 1000 };

/* Takes all boots that `path` holds among the others. */
static int add_others(struct baseline *others, const char *path, struct err *err)
{
    const struct milestone unknown[STAGE_N] = {{0}};
    struct archive archive;
    int rc = archive_find(&archive, path, err);
    for (size_t i = 0; rc == 0 && i < archive.len; i++) {
        auto_record struct record record;
        auto_boot_lines struct boot_lines lines = {0};
        record_init(&record);
        if (baseline_len(others) == BASELINE_MAX_RUNS)
            rc = err_set(err, "%s: more than %d boots cannot be compared with", path,
                         BASELINE_MAX_RUNS);
        else
            rc = archive_load(&archive, i, &record, err);
        if (rc != 0)
            break;
        boot_lines_init(&lines, &record);
        baseline_take(others, &record, unknown, &lines);
    }
    archive_release(&archive);
    return rc;
}

static int load_one(struct record *record, const char *path, struct err *err)
{
    struct archive archive;
    int rc = archive_find(&archive, path, err);
    if (rc == 0 && archive.len > 1)
        rc = err_set(err, "%s: holds %zu boots: name the one that is to be compared", path,
                     archive.len);
    else if (rc == 0)
        rc = archive_load(&archive, 0, record, err);
    archive_release(&archive);
    return rc;
}

static bool is_same(const struct alignment *alignment)
{
    for (size_t i = 0; i < alignment->len; i++)
        if (alignment->rows[i].kind != ALIGNED_SAME)
            return false;
    return true;
}

static int print(const struct command_line *line, const struct alignment *alignment,
                 struct err *err)
{
    unsigned context = command_has(line, "all") ? MAX_CONTEXT : DEFAULT_CONTEXT;
    const char *const *others = (const char *const *)line->operands + 1;
    enum report_layout layout =
        command_has(line, "side-by-side") ? REPORT_SIDE_BY_SIDE : REPORT_UNIFIED;
    if (command_number(line, "context", 0, MAX_CONTEXT, &context, err) != 0)
        return -1;
    json_auto_t *document = report_comparison_json(alignment, line->operands[0], others);
    if (command_has(line, "json"))
        return report_print_line(document, stdout, err);
    struct report_style style = output_style(line, NULL);
    return report_comparison_text(document, stdout, &style, layout, context, err);
}

static int compare(const struct command_line *line, struct baseline *others, bool *ret_same,
                   struct err *err)
{
    auto_record struct record record;
    auto_alignment struct alignment alignment = {0};
    record_init(&record);
    if (line->n_operands < 2)
        return err_set(err, "diff: name a boot, and at least one good one to compare it with");
    if (load_one(&record, line->operands[0], err) != 0)
        return -1;
    for (size_t i = 1; i < line->n_operands; i++)
        if (add_others(others, line->operands[i], err) != 0)
            return -1;
    alignment_init(&alignment, &record, others);
    *ret_same = is_same(&alignment);
    return print(line, &alignment, err);
}

static int cmd_diff_main(const struct command_line *line)
{
    struct err err = {0};
    bool same = false;
    struct baseline *others = baseline_new("");
    int rc = output_check(line, &err) != 0 ? -1 : compare(line, others, &same, &err);
    baseline_free(others);
    if (rc != 0)
        return say_error(&err);
    return same ? EXIT_ALL_READY : EXIT_SOME_FAILED;
}

static const struct command_option OPTIONS[] = {
    {'y', "side-by-side", NULL, "good boots on the left, this one on the right"},
    {'U', "context", "N", "lines around each difference (default: 3)"},
    {'a', "all", NULL, "all lines, also those that are the same"},
    {0, "json", NULL, "all lines as one JSON document"},
    OPTION_COLOR,
    {0},
};

const struct command cmd_diff = {
    .name = "diff",
    .synopsis = "[OPTION]... BOOT GOOD...",
    .summary = "Compares a boot's console with good ones, without what differs in every boot",
    .details = "BOOT and GOOD are what `analyze` takes: records, archived or bare consoles; GOOD "
               "may be a\n"
               "directory that holds many. Lines are compared without times, numbers, addresses "
               "and names,\n"
               "and without regard to the order in which several programs wrote them.\n"
               "Marks: - all good boots print it and this one does not, + no good boot prints it.\n"
               "Exit status: 0 no difference, 1 differences, 2 some input could not be read.",
    .options = OPTIONS,
    .run = cmd_diff_main,
};
