/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze: diagnoses kept boots: records, archived consoles, bare consoles. No VM is needed.
 *
 * Forked workers do the work (base/crew.h); here is what is printed, in the order of the boots.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/archive.h"
#include "harness/base/clock.h"
#include "harness/base/crew.h"
#include "harness/base/file.h"
#include "harness/base/say.h"
#include "harness/command.h"
#include "harness/diagnose.h"
#include "harness/host.h"
#include "harness/output.h"
#include "reports/report.h"

/* A boot takes milliseconds; whatever takes this long is a console made to stop us. */
enum { LIMIT_MS = 10 * 60 * 1000, PROGRESS_MS = 250, PROGRESS_AFTER_MS = 1500 };

struct analyzing {
    const struct command_line *line;
    struct diagnose diagnose;
    struct archive archive; /* all that was named, in order */
    json_t *tally;
    json_t *said; /* messages as keys: each once */
    bool json, several;
    size_t n_shown;
    bool some_not_ready, some_unread, interrupted;
    bool progress; /* a line is rewritten on standard error ... */
    bool drawn;    /* ... and stands there now */
    int64_t started_ms, drawn_ms;
};

static void analyzing_release(struct analyzing *analyzing)
{
    diagnose_release(&analyzing->diagnose);
    archive_release(&analyzing->archive);
    json_decref(analyzing->tally);
    json_decref(analyzing->said);
}

/* ---- on standard error ---- */

static void clear_progress(struct analyzing *analyzing)
{
    if (analyzing->drawn)
        fputs("\r\033[K", stderr);
    analyzing->drawn = false;
}

static void show_progress(void *ctx, size_t n_finished)
{
    struct analyzing *analyzing = ctx;
    int64_t now = clock_ms(), elapsed = now - analyzing->started_ms;
    size_t n = analyzing->archive.len;
    if (!analyzing->progress || elapsed < PROGRESS_AFTER_MS ||
        now - analyzing->drawn_ms < PROGRESS_MS)
        return;
    double left_s = (double)elapsed / 1000 / (double)n_finished * (double)(n - n_finished);
    fprintf(stderr, "\r%zu of %zu boots analysed, about %.0f s left\033[K", n_finished, n, left_s);
    analyzing->drawn = true;
    analyzing->drawn_ms = now;
}

/* What every worker says about the same baseline is said once. */
static void say_once(struct analyzing *analyzing, const char *kind, const char *text)
{
    if (json_object_get(analyzing->said, text) != NULL)
        return;
    json_object_set_new(analyzing->said, text, json_true());
    clear_progress(analyzing);
    if (strcmp(kind, "warning") == 0) {
        say_warning("%s", text);
        return;
    }
    struct err err = {0};
    (void)err_set(&err, "%s", text);
    (void)say_error(&err);
}

static void say_messages(struct analyzing *analyzing, const json_t *messages)
{
    size_t i;
    json_t *message, *text;
    const char *kind;
    json_array_foreach (messages, i, message) {
        json_object_foreach (message, kind, text) {
            say_once(analyzing, kind, json_string_value(text));
        }
    }
}

/* What cannot be read is said, and the rest goes on. */
static void note_unread(struct analyzing *analyzing, const struct err *err)
{
    clear_progress(analyzing);
    (void)say_error(err);
    report_tally_unread(analyzing->tally);
    analyzing->some_unread = true;
}

/* ---- what is to be analysed ---- */

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

static void find(struct analyzing *analyzing, const char *path)
{
    struct err err = {0};
    struct archive found;
    if (refuse_documents(analyzing->line, path, &err) != 0 || archive_find(&found, path, &err) != 0)
        note_unread(analyzing, &err);
    else
        archive_append(&analyzing->archive, &found);
}

/* ---- the crew's callbacks ---- */

static void work(void *ctx, size_t index, struct buf *ret_result)
{
    struct analyzing *analyzing = ctx;
    auto_diagnosed struct diagnosed diagnosed;
    diagnose_entry(&analyzing->diagnose, &analyzing->archive, index, &diagnosed);
    diagnosed_pack(&diagnosed, ret_result);
}

static int print(struct analyzing *analyzing, const struct buf *text, struct err *err)
{
    if (text->len == 0)
        return 0;
    clear_progress(analyzing);
    if (!analyzing->json && analyzing->n_shown++ > 0)
        putchar('\n');
    if (fwrite(text->data, 1, text->len, stdout) == text->len &&
        (!analyzing->json || fflush(stdout) == 0))
        return 0;
    return err_set(err, "cannot write to standard output");
}

static int on_lost(void *ctx, size_t index, const char *why, struct err *err)
{
    struct analyzing *analyzing = ctx;
    struct err lost = {0};
    (void)err;
    (void)err_set(&lost, "%s: its analysis %s; please report this, with the file",
                  analyzing->archive.entries[index].source, why);
    note_unread(analyzing, &lost);
    return 0;
}

static int on_result(void *ctx, size_t index, const struct buf *bytes, struct err *err)
{
    struct analyzing *analyzing = ctx;
    auto_diagnosed struct diagnosed diagnosed = {0};
    if (diagnosed_unpack(&diagnosed, bytes) != 0)
        return on_lost(ctx, index, "sent nothing that could be read", err);
    say_messages(analyzing, diagnosed.messages);
    analyzing->some_unread |= diagnosed.unread;
    if (diagnosed.item == NULL) {
        report_tally_unread(analyzing->tally);
        return 0;
    }
    analyzing->some_not_ready |= !diagnosed.ready;
    report_tally_add(analyzing->tally, diagnosed.item);
    return print(analyzing, &diagnosed.text, err);
}

static bool reads_stdin(const struct archive *archive)
{
    for (size_t i = 0; i < archive->len; i++)
        if (strcmp(archive->entries[i].path, "-") == 0)
            return true;
    return false;
}

static int analyze_all(struct analyzing *analyzing, struct err *err)
{
    unsigned jobs = (unsigned)host_cpus();
    if (command_number(analyzing->line, "jobs", 1, CREW_MAX_WORKERS, &jobs, err) != 0)
        return -1;
    struct crew_plan plan = {
        .n_tasks = analyzing->archive.len,
        .n_workers = jobs,
        .limit_ms = reads_stdin(&analyzing->archive) ? 0 : LIMIT_MS,
        .work = work,
        .on_result = on_result,
        .on_lost = on_lost,
        .on_progress = show_progress,
        .ctx = analyzing,
    };
    bool in_full = !analyzing->several || command_has(analyzing->line, "verbose") ||
                   command_has(analyzing->line, "explain");
    bool quiet_stdout = !isatty(STDOUT_FILENO) || (!analyzing->json && !in_full);
    analyzing->diagnose.in_full = in_full;
    analyzing->started_ms = clock_ms();
    analyzing->progress = isatty(STDERR_FILENO) == 1 && quiet_stdout;
    (void)fflush(stdout); /* or each worker would have a copy of what is not written yet */
    int result = crew_run(&plan, &analyzing->interrupted, err);
    clear_progress(analyzing);
    return result;
}

/* ---- the end ---- */

/* With --json the lines go to a file or program as a rule, and the table to the person. */
static int print_table(const struct analyzing *analyzing, struct err *err)
{
    struct report_style style = analyzing->diagnose.style;
    FILE *out = stdout;
    if (!analyzing->several)
        return 0;
    if (analyzing->json && (isatty(STDOUT_FILENO) || !isatty(STDERR_FILENO)))
        return 0;
    if (analyzing->json) {
        out = stderr;
        style = output_style_for(analyzing->line, STDERR_FILENO);
    } else if (analyzing->n_shown > 0) {
        putchar('\n');
    }
    return report_tally_text(analyzing->tally, out, &style, err);
}

static int run(struct analyzing *analyzing, struct err *err)
{
    const struct command_line *line = analyzing->line;
    if (output_check(line, err) != 0 || diagnose_init(&analyzing->diagnose, line, err) != 0)
        return -1;
    if (line->n_operands == 0)
        return err_set(err,
                       "analyze: name a record, an archive or a console; `-` is standard input");
    for (size_t i = 0; i < line->n_operands; i++)
        find(analyzing, line->operands[i]);
    analyzing->several = line->n_operands > 1 || analyzing->archive.len > 1;
    if (analyzing->archive.len == 0)
        return 0;
    if (analyze_all(analyzing, err) != 0 || print_table(analyzing, err) != 0)
        return -1;
    if (analyzing->interrupted)
        say_warning("interrupted: not all of the %zu boots were analysed", analyzing->archive.len);
    return 0;
}

static int cmd_analyze_main(const struct command_line *line)
{
    struct analyzing analyzing __attribute__((cleanup(analyzing_release))) = {
        .line = line,
        .tally = report_tally_new(),
        .said = json_object(),
        .json = command_has(line, "json"),
    };
    struct err err = {0};
    if (run(&analyzing, &err) != 0)
        return say_error(&err);
    if (analyzing.some_unread || analyzing.interrupted)
        return EXIT_NOT_DONE;
    return analyzing.some_not_ready ? EXIT_SOME_FAILED : EXIT_ALL_READY;
}

static const struct command_option OPTIONS[] = {
    {0, "json", NULL, "one JSON document per boot, as JSON Lines"},
    {'b', "baseline", "DIR", "good boots to compare with; may be repeated"},
    {0, "force-baseline", NULL, "take a baseline of another image too"},
    {'t', "target", "FILE", "the service of boots that do not name theirs"},
    OPTION_RULES,
    {'e', "explain", NULL,
     "also what was noticed, and what became of each cause that was considered"},
    {'j', "jobs", "N", "boots at a time (default: one per processor)"},
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
        "Many boots make a table by cause; their documents come in a stable order, each as soon "
        "as\n"
        "all before it are out.\n"
        "Exit status: 0 every boot was ready, 1 some was not, 2 some input could not be read.",
    .options = OPTIONS,
    .run = cmd_analyze_main,
};
