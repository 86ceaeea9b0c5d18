/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run: boots a target many times, diagnoses each boot as soon as its record is saved, and reports.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "analyzers/analysis.h"
#include "analyzers/spectrum.h"
#include "harness/base/auto.h"
#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/json.h"
#include "harness/base/mem.h"
#include "harness/base/say.h"
#include "harness/baselines.h"
#include "harness/command.h"
#include "harness/host.h"
#include "harness/output.h"
#include "harness/plan.h"
#include "harness/version.h"
#include "harness/vm.h"
#include "reports/report.h"

static const char DEFAULT_STORE[] = "runs/baselines";

struct run {
    const struct command_line *line;
    struct plan plan;
    char *dir;
    char *baseline_dir; /* as given to --baseline; NULL: none */
    struct baseline *baseline;
    struct spectrum spectrum;
    json_t *report;
    unsigned tried, failed; /* tried: boots whose start did not fail */
    bool incomplete;        /* some record could not be kept or read */
};

static void run_release(struct run *run)
{
    plan_release(&run->plan);
    free(run->dir);
    free(run->baseline_dir);
    baseline_free(run->baseline);
    spectrum_release(&run->spectrum);
    json_decref(run->report);
}

static void warn(void *ctx, const char *text)
{
    (void)ctx;
    say_warning("%s", text);
}

/* ---- before the first boot ---- */

/* runs/2025-11-06T20-47-04Z-NAME[-FAULT] */
static char *default_dir(const struct run *run)
{
    char stamp[CLOCK_TEXT_SIZE];
    clock_text(time(NULL), stamp);
    for (char *c = stamp; *c != '\0'; c++)
        if (*c == ':')
            *c = '-';
    auto_free char *name = mem_strdup(run->plan.target.name);
    for (char *c = name; *c != '\0'; c++)
        if (*c == '/' || (unsigned char)*c <= ' ')
            *c = '-';
    const char *fault = run->plan.has_fault ? run->plan.fault.name : NULL;
    return mem_printf("runs/%s-%s%s%s", stamp, name, fault ? "-" : "", fault ? fault : "");
}

/* runs/latest leads to the newest run. It is a convenience: where it cannot be made, nothing is
 * lost. */
static void link_latest(const char *dir)
{
    auto_free char *parent = path_dir(dir);
    auto_free char *latest = path_join(parent, "latest");
    auto_free char *temporary = mem_printf("%s.new-%d", latest, (int)getpid());
    struct stat status;
    if (lstat(latest, &status) == 0 && !S_ISLNK(status.st_mode))
        return;
    if (symlink(path_base(dir), temporary) == 0 && rename(temporary, latest) != 0)
        (void)unlink(temporary);
}

/* Of a file system of its own, with nothing on it yet, too: it cannot be removed and made anew. */
static bool is_empty_dir(const char *path)
{
    auto_dir DIR *dir = opendir(path);
    const struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            strcmp(entry->d_name, "lost+found") != 0)
            return false;
    return dir != NULL;
}

/* The run's directory is always new or empty: nothing is overwritten. */
static int make_dir(struct run *run, struct err *err)
{
    const char *out = command_value(run->line, "out", NULL);
    auto_free char *wanted = out != NULL ? mem_strdup(out) : default_dir(run);
    auto_free char *parent = path_dir(wanted);
    if (path_make_dirs(parent, err) != 0)
        return -1;
    for (unsigned n = 2; mkdir(wanted, 0755) != 0; n++) {
        int failed = errno;
        if (out != NULL && failed == EEXIST && is_empty_dir(wanted))
            break;
        if (out != NULL && path_exists(out))
            return err_set(err, "--out %s: it exists and is no empty directory; name a new one",
                           out);
        if (out != NULL || failed != EEXIST)
            return err_sys(err, failed, "cannot create the run's directory %s", wanted);
        free(wanted);
        auto_free char *base = default_dir(run);
        wanted = mem_printf("%s-%u", base, n);
    }
    run->dir = steal_text(&wanted);
    return access(run->dir, W_OK) == 0
               ? 0
               : err_sys(err, errno, "cannot write into the run's directory %s", run->dir);
}

/* The directories given with --baseline, or the store's for this identity if it has one. */
static char **baseline_dirs(struct run *run)
{
    char **dirs = mem_calloc(run->line->n_values + 2, sizeof(char *));
    size_t n = 0;
    for (size_t i = 0; i < run->line->n_values; i++)
        if (strcmp(run->line->values[i].option->name, "baseline") == 0)
            dirs[n++] = mem_strdup(run->line->values[i].value);
    if (n > 0 || run->plan.identity[0] == '\0')
        return dirs;
    auto_free char *stored =
        path_join(command_value(run->line, "baselines", DEFAULT_STORE), run->plan.identity);
    if (path_is_dir(stored))
        dirs[0] = steal_text(&stored);
    return dirs;
}

/* In which circumstances the boots are going to run; of boots that are only played nothing is known
 * beforehand. `cmdline` outlives it. */
static struct baselines_expected foresee(const struct run *run, const char *cmdline)
{
    const struct plan *plan = &run->plan;
    struct baselines_expected expected = {
        .identity = plan->identity[0] != '\0' ? plan->identity : NULL,
        .force = command_has(run->line, "force-baseline"),
    };
    if (vm_find(plan->target.backend)->replayed != NULL)
        return expected;
    expected.memory_mib = plan->target.memory_mib;
    expected.vcpus = plan->target.vcpus;
    expected.cmdline = plan->has_fault ? NULL : cmdline; /* a fault may be an argument in it */
    expected.vmm_version = plan->vmm_version;
    expected.parallel_boots = (int)plan_jobs(plan);
    return expected;
}

static char *cmdline_of(const struct target *target)
{
    const struct vm_ops *backend = vm_find(target->backend);
    return backend->cmdline != NULL ? backend->cmdline(target) : mem_strdup(target->cmdline);
}

static int load_baseline(struct run *run, struct err *err)
{
    if (command_has(run->line, "no-baseline"))
        return 0;
    char **dirs = baseline_dirs(run);
    const struct target *target = &run->plan.target;
    auto_free char *cmdline = cmdline_of(target);
    struct baselines_expected expected = foresee(run, cmdline);
    struct baselines_warn warnings = {.warn = warn};
    int result = 0;
    if (dirs[0] != NULL) {
        run->baseline_dir = mem_strdup(dirs[0]);
        run->baseline = baselines_load((const char *const *)dirs, &expected, &run->plan.rules_cache,
                                       &warnings, err);
        result = run->baseline != NULL ? 0 : -1;
    }
    for (char **dir = dirs; *dir != NULL; dir++)
        free(*dir);
    free(dirs);
    if (result == 0) /* loading may have compiled other rules in between */
        run->plan.rules = eyes_rules_for(&run->plan.rules_cache, &target->service, err);
    return result == 0 && run->plan.rules != NULL ? 0 : -1;
}

static void new_report(struct run *run)
{
    char now[CLOCK_TEXT_SIZE];
    clock_now_text(now);
    auto_free char *host = host_name();
    json_auto_t *target = target_json(&run->plan.target);
    const struct vm_ops *backend = vm_find(run->plan.target.backend);
    auto_free char *accelerator =
        backend->describe != NULL ? backend->describe(&run->plan.target) : NULL;
    struct report_facts facts = {
        .version = BOOTDIAG_VERSION,
        .host_name = host,
        .started_at = now,
        .target = target,
        .fault = run->plan.has_fault ? run->plan.fault.name : NULL,
        .baseline = run->baseline != NULL ? run->plan.identity : NULL,
        .baseline_dir = run->baseline_dir,
        .baseline_runs = run->baseline != NULL ? (int)baseline_len(run->baseline) : 0,
        .run_dir = run->dir,
        .accelerator = accelerator,
        .jobs = (int)plan_jobs(&run->plan),
        .boots_wanted = (int)run->plan.boots,
        .early_end = run->plan.early_end,
    };
    run->report = report_new(&facts);
}

/* ---- each boot ---- */

static char *boot_text(const struct record *record, const struct analysis *analysis)
{
    if (analysis->outcome == OUTCOME_READY)
        return mem_printf("ready after %.1f s", (double)record->ready_ms / 1000);
    const char *how = analysis->outcome == OUTCOME_FAILED ? "failed" : "interrupted";
    const char *cause = analysis->verdict.cause != NULL ? analysis->verdict.cause : "";
    return mem_printf("%s after %.1f s%s%s", how, (double)record->ended_ms / 1000,
                      cause[0] != '\0' ? ": " : "", cause);
}

/* Analyses what was kept, from the disk, as `analyze` would. */
static char *on_boot_done(void *ctx, const struct boot *boot)
{
    struct run *run = ctx;
    auto_record struct record record;
    record_init(&record);
    struct err err = {0};
    if (boot_failure(boot) != NULL) {
        run->incomplete = true;
        say_warning("%s", boot_failure(boot)->message);
    }
    if (record_load(&record, boot_record(boot)->dir, &err) != 0) {
        run->incomplete = true;
        return mem_printf("its record cannot be read: %s", err.message);
    }

    auto_analysis struct analysis analysis = {0};
    analysis_init(&analysis, &record, run->plan.rules, run->baseline);
    report_add_boot(run->report, &record, &analysis, boot_saved_ms(boot));
    if (record.end != RECORD_END_START_FAILED)
        run->tried++;
    if (analysis.outcome != OUTCOME_READY)
        run->failed++;
    if (analysis.outcome != OUTCOME_UNDETERMINED && record.end != RECORD_END_START_FAILED)
        spectrum_add(&run->spectrum, &record, analysis.outcome == OUTCOME_FAILED);
    return boot_text(&record, &analysis);
}

/* ---- the end ---- */

static int write_report(const struct run *run, struct err *err)
{
    auto_free char *path = path_join(run->dir, "report.json");
    if (json_write_file(run->report, path, err) != 0)
        return -1;
    if (!command_has(run->line, "out"))
        link_latest(run->dir);
    return 0;
}

static int exit_status(const struct run *run, const struct campaign_result *result)
{
    if (result->interrupted || run->incomplete || run->tried == 0)
        return EXIT_NOT_DONE;
    return run->failed > 0 ? EXIT_SOME_FAILED : EXIT_ALL_READY;
}

/* What was wrong before the first boot stands in a report only where the user asked for one. */
static int preflight_failed(const struct command_line *line, const struct err *why)
{
    if (command_has(line, "json")) {
        char now[CLOCK_TEXT_SIZE];
        clock_now_text(now);
        auto_free char *host = host_name();
        struct report_facts facts = {
            .version = BOOTDIAG_VERSION, .host_name = host, .started_at = now};
        json_auto_t *report = report_new(&facts);
        report_add_preflight(report, why->cause, why->message);
        report_finish(report);
        (void)output_report(line, report, NULL, NULL);
    }
    return say_error(why);
}

static int run_campaign(struct run *run, struct err *err)
{
    struct campaign_result result = {0};
    new_report(run);
    spectrum_init(&run->spectrum);
    if (run->baseline != NULL)
        spectrum_add_baseline(&run->spectrum, run->baseline);
    int broken = plan_run(&run->plan, run->dir, on_boot_done, run, &result, err);
    if (broken && result.done == 0)
        return -1;
    if (broken) /* what was booted until then is still reported */
        (void)say_error(err);
    if (result.interrupted)
        report_set_interrupted(run->report);
    report_set_separating(run->report, &run->spectrum);
    report_finish(run->report);
    int unwritten = write_report(run, err); /* the diagnosis is printed all the same */
    if (unwritten)
        (void)say_error(err);
    if (output_report(run->line, run->report, run->dir, err) != 0)
        return say_error(err);
    if (unwritten || result.done < run->plan.boots)
        return EXIT_NOT_DONE;
    return broken ? EXIT_NOT_DONE : exit_status(run, &result);
}

static int cmd_run_main(const struct command_line *line)
{
    struct run run __attribute__((cleanup(run_release))) = {.line = line};
    struct err err = {0};
    if (output_check(line, &err) != 0)
        return say_error(&err);
    if (plan_init(&run.plan, line, 3, &err) != 0)
        return preflight_failed(line, &err);
    if (load_baseline(&run, &err) != 0 || make_dir(&run, &err) != 0)
        return preflight_failed(line, &err);
    int status = run_campaign(&run, &err);
    if (status >= 0)
        return status;
    (void)rmdir(run.dir); /* only if no boot left anything in it */
    return preflight_failed(line, &err);
}

static const struct command_option OPTIONS[] = {
    PLAN_OPTIONS,
    {'f', "fault", "NAME", "inject a fault; see `bootdiag list faults`"},
    OPTION_FAULTS,
    {'o', "out", "DIR", "where records and report go (default: runs/<time>-<target>)"},
    {'b', "baseline", "DIR", "good boots to compare with; may be repeated"},
    {0, "baselines", "DIR", "where recorded baselines are (default: runs/baselines)"},
    {0, "no-baseline", NULL, "compare with nothing"},
    {0, "force-baseline", NULL, "take a baseline of another image too"},
    {0, "no-early-end", NULL, "wait for the deadline even after fatal evidence"},
    {0, "json", NULL, "print the report as JSON"},
    OPTION_COLOR,
    {0},
};

const struct command cmd_run = {
    .name = "run",
    .synopsis = "[OPTION]...",
    .summary = "Boots a target again and again, and diagnoses every boot that fails",
    .details = "Exit status: 0 every boot came up, 1 some boot did not and the report says why,\n"
               "2 bootdiag could not do its job.",
    .options = OPTIONS,
    .run = cmd_run_main,
};
