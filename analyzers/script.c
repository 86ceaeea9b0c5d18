/* SPDX-License-Identifier: Apache-2.0 */
/* The last run of the unit that ended says most; a run that goes on is judged by its silence. */
#include "analyzers/script.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "analyzers/jobs.h"
#include "analyzers/service_log.h"
#include "analyzers/stage.h"
#include "analyzers/unit_exit.h"

enum { LAST_WORDS = 6 }; /* so many lines before the end may tell its reason */

static const char *status_of(const struct hit *ended)
{
    return ended != NULL && ended->captures[2] != NULL ? ended->captures[2] : "";
}

static bool by_signal(const struct hit *ended)
{
    return ended != NULL && ended->captures[1] != NULL && ended->captures[2] != NULL &&
           unit_exit_is_signal(ended->captures[1]);
}

static void quote_end(struct finding *finding, const struct service_run *run)
{
    if (run->ended != NULL)
        finding_hit(finding, run->ended);
    else if (run->started != NULL)
        finding_hit(finding, run->started);
}

static void say_end(const struct evidence *evidence, struct finding *finding,
                    const struct service_run *run, const char *before)
{
    const char *status = status_of(run->ended), *script = evidence->record->service.supervisor;
    const char *meaning = unit_exit_meaning(status);
    if (status[0] == '\0')
        finding_say(finding, "%s ended%s", script, before);
    else if (meaning != NULL)
        finding_say(finding, "%s ended with status %s (%s)%s", script, status, meaning, before);
    else
        finding_say(finding, "%s ended with status %s%s", script, status, before);
}

/* Ended again and again is no accident, and no cut makes it look so. */
static double surer(const struct service_log *log, double once, double again)
{
    return log->n_ended >= 2 ? again : once;
}

static void judge_silent_end(const struct evidence *evidence, const struct service_log *log,
                             const struct service_run *run, struct findings *findings)
{
    struct finding *finding =
        findings_add(findings, "supervisor.exit-without-output", "supervisor.silent-exit",
                     SEVERITY_ERROR, surer(log, 0.75, 0.85));
    say_end(evidence, finding, run, ", before it said anything");
    finding->count = log->n_ended;
    quote_end(finding, run);
}

static void judge_signal(const struct evidence *evidence, const struct service_log *log,
                         const struct service_run *run, struct findings *findings)
{
    struct finding *finding = findings_add(findings, "supervisor.signal", "agent.killed",
                                           SEVERITY_ERROR, surer(log, 0.6, 0.82));
    say_end(evidence, finding, run, "");
    finding->count = log->n_ended;
    if (run->last.line > 0)
        finding_quote(finding, &run->last);
    quote_end(finding, run);
}

static void judge_early_end(const struct evidence *evidence, const struct service_log *log,
                            const struct service_run *run, struct findings *findings)
{
    bool error = run->last_error.line > 0;
    struct finding *finding = findings_add(findings, "supervisor.exit", "supervisor.command-failed",
                                           SEVERITY_ERROR, surer(log, error ? 0.65 : 0.55, 0.82));
    say_end(evidence, finding, run, " before it started the agent");
    finding->count = log->n_ended;
    finding_quote(finding, error ? &run->last_error : &run->last);
    if (error && run->last.line != run->last_error.line)
        finding_quote(finding, &run->last);
    quote_end(finding, run);
}

/* With the agent, or because of it: what the agent said weighs more (lifetime.c, agent.c). */
static void judge_late_end(const struct evidence *evidence, const struct service_log *log,
                           const struct service_run *run, struct findings *findings)
{
    struct finding *finding = findings_add(findings, "supervisor.exit", "supervisor.command-failed",
                                           SEVERITY_ERROR, 0.45);
    say_end(evidence, finding, run, " after it had started the agent");
    finding->count = log->n_ended;
    finding_quote(finding, &run->last);
    quote_end(finding, run);
}

static void judge_exec(const struct evidence *evidence, const struct service_run *run,
                       struct findings *findings)
{
    struct finding *finding = findings_add(findings, "supervisor.exec-status", "supervisor.missing",
                                           SEVERITY_ERROR, 0.45);
    say_end(evidence, finding, run, "");
    quote_end(finding, run);
}

static void judge_end(const struct evidence *evidence, const struct service_log *log,
                      struct findings *findings)
{
    const struct service_run *run = service_log_last_ended(log);
    if (run == NULL || run->stopping != NULL)
        return;
    const char *status = status_of(run->ended);
    if (by_signal(run->ended))
        judge_signal(evidence, log, run, findings);
    else if (unit_exit_is_exec(status))
        judge_exec(evidence, run, findings);
    else if (unit_exit_is_setup(status))
        return; /* unit_fate.c's */
    else if (run->n_lines == 0)
        judge_silent_end(evidence, log, run, findings);
    else if (run->agent_start == NULL && run->agent_last.line == 0)
        judge_early_end(evidence, log, run, findings);
    else
        judge_late_end(evidence, log, run, findings);
}

/* A command's error among the last words before the end is why `set -e` ended the script. */
static void judge_command(const struct evidence *evidence, const struct service_log *log,
                          struct findings *findings)
{
    const struct service_run *run = service_log_last_ended(log);
    if (run == NULL || run->last.line == 0 || by_signal(run->ended))
        return;
    const struct hit *found = NULL;
    for (const struct hit *hit = evidence_first(evidence, "supervisor.command-failed"); hit != NULL;
         hit = evidence_next(evidence, "supervisor.command-failed", hit))
        if (hit->line >= run->first.line && hit->line <= run->last.line &&
            run->last.line - hit->line <= LAST_WORDS)
            found = hit;
    if (found == NULL || found->captures[1] == NULL || run->agent_error.line > found->line)
        return;
    struct finding *finding = findings_add(findings, "supervisor.command-ended-it",
                                           "supervisor.command-failed", SEVERITY_ERROR, 0.92);
    finding_say(finding, "Line %s of %s failed and ended it: %s", found->captures[0],
                evidence->record->service.supervisor, found->captures[1]);
    finding->count = log->n_ended;
    finding_hit(finding, found);
    quote_end(finding, run);
}

/* The script comes no further than that command, run after run, whatever is said of its ends. */
static void judge_same_command(const struct evidence *evidence, struct findings *findings)
{
    enum { RUNS = 3 };
    struct finding *finding = findings_find(findings, "supervisor.command-failed");
    const struct hit *last = evidence_last(evidence, "supervisor.command-failed");
    const struct hit *started = evidence_last(evidence, "supervisor.agent-pid");
    if (finding != NULL && finding->count >= RUNS && (started == NULL || started->seq < last->seq))
        finding->confidence = 0.85;
}

/* The agent did not die first if nothing of its own looks like an error. */
static void judge_stops_all(const struct evidence *evidence, const struct service_log *log,
                            struct findings *findings)
{
    const struct hit *hit = evidence_last(evidence, "supervisor.stops-all");
    if (hit == NULL || strcmp(hit->ident, "systemd") == 0)
        return;
    const struct service_run *run = service_log_at(log, hit->line);
    bool agents_own = run != NULL && run->agent_error.line > 0 && run->agent_error.line < hit->line;
    bool names_agent = strcasestr(hit->text, "agent exited") != NULL ||
                       strcasestr(hit->text, "agent died") != NULL;
    struct finding *finding =
        findings_add(findings, "supervisor.stops-all", "supervisor.kills-agent", SEVERITY_ERROR,
                     agents_own || names_agent ? 0.4 : 0.9);
    finding_say(finding, "%s stops everything because one child ended",
                evidence->record->service.supervisor);
    finding->count = evidence_count(evidence, "supervisor.stops-all");
    if (run != NULL && run->last_error.line > 0 && run->last_error.line < hit->line)
        finding_quote(finding, &run->last_error);
    finding_hit(finding, hit);
}

/* Says the same wait again and again: how long it has been at that. */
static int64_t waiting_ms(const struct evidence *evidence, const struct service_run *run)
{
    const struct hit *first = NULL, *last = NULL;
    uint32_t n = 0;
    for (const struct hit *hit = evidence_first(evidence, "supervisor.waiting"); hit != NULL;
         hit = evidence_next(evidence, "supervisor.waiting", hit)) {
        if (hit->line < run->first.line || hit->near_ms < 0)
            continue;
        first = first != NULL ? first : hit;
        last = hit;
        n++;
    }
    bool goes_on = n >= 3 && last->line == run->script_last.line;
    return goes_on ? evidence_end_ms(evidence) - first->near_ms : 0;
}

/* The script speaks, does not end, and never gets to the agent. */
static void judge_stuck(const struct evidence *evidence, const struct service_log *log,
                        struct findings *findings)
{
    const struct service_run *run = service_log_current(log);
    const struct quote *last = run->script_last.line > 0 ? &run->script_last : &run->last;
    if (run->n_lines == 0 || run->over || run->agent_start != NULL || last->at_ms < 0 ||
        !evidence_window_closed(evidence) || stage_reached(evidence, STAGE_AGENT_STARTED))
        return;
    int64_t limit_ms = stage_patience_ms(evidence, STAGE_SUPERVISOR_STARTED, STAGE_AGENT_STARTED);
    int64_t silent_ms = evidence_end_ms(evidence) - run->last.at_ms;
    int64_t waited_ms = waiting_ms(evidence, run);
    if (silent_ms < limit_ms && waited_ms < limit_ms)
        return;
    struct finding *finding = findings_add(
        findings, "supervisor.stuck", "supervisor.stuck", SEVERITY_ERROR,
        stage_silence_confidence(evidence, silent_ms > waited_ms ? silent_ms : waited_ms));
    if (silent_ms >= limit_ms)
        finding_say(finding, "%s said nothing more for %.0f s and never started the agent",
                    evidence->record->service.supervisor, (double)silent_ms / 1000);
    else
        finding_say(finding, "%s waited for %.0f s and never started the agent",
                    evidence->record->service.supervisor, (double)waited_ms / 1000);
    finding_quote(finding, last);
}

/* Without the journal on the console neither exits nor restarts are seen there: only that nothing
 * came. */
static void judge_mute(const struct evidence *evidence, const struct service_log *log,
                       struct findings *findings)
{
    const struct service_run *run = service_log_current(log);
    bool past = stage_reached(evidence, STAGE_SUPERVISOR_STARTED) ||
                stage_reached(evidence, STAGE_AGENT_STARTED);
    if (run->started == NULL || run->n_lines > 0 || past || log->n_ended > 0 ||
        !evidence_window_closed(evidence) || run->started->near_ms < 0)
        return;
    int64_t limit_ms = stage_patience_ms(evidence, STAGE_UNIT_STARTED, STAGE_SUPERVISOR_STARTED);
    int64_t waited_ms = evidence_end_ms(evidence) - run->started->near_ms;
    if (waited_ms < limit_ms)
        return;
    struct finding *finding =
        findings_add(findings, "supervisor.mute", "supervisor.silent-exit", SEVERITY_ERROR, 0.55);
    finding_say(finding, "The unit was started, and %s said nothing in the %.0f s after that",
                evidence->record->service.supervisor, (double)waited_ms / 1000);
    finding_hit(finding, run->started);
}

void script_judge(const struct evidence *evidence, struct findings *findings)
{
    struct service_log *log = service_log_new(evidence);
    judge_end(evidence, log, findings);
    judge_command(evidence, log, findings);
    judge_same_command(evidence, findings);
    judge_stops_all(evidence, log, findings);
    judge_stuck(evidence, log, findings);
    judge_mute(evidence, log, findings);
    free(log);
}
