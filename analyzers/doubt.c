/* SPDX-License-Identifier: Apache-2.0 */
/* Each doubt is a contradiction between the finding and what came after it, or what the probe met.
 */
#include "analyzers/doubt.h"

#include <string.h>

#include "analyzers/causes.h"
#include "analyzers/host_view.h"
#include "analyzers/stage.h"
#include "analyzers/unit.h"

/* What is left of a confidence; what is worth at most that came again and may come no more. */
static const double RECOVERED = 0.15, UNLIKELY = 0.4, LOGGED_ONLY = 0.75, MAY_GO_ON = 0.8,
                    AGAIN_AT_MOST = 0.76;

/* Within that time, or that many lines without a time, a script or systemd tries again. */
enum { GO_ON_MS = 10 * 1000, GO_ON_LINES = 12 };

static bool in_guest_user_space(const char *cause)
{
    return cause_in_layer(cause, "init") || cause_in_layer(cause, "supervisor") ||
           cause_in_layer(cause, "agent") || cause_in_layer(cause, "rootfs");
}

/* The last line of the console that shows the finding; 0: none does. */
static uint32_t last_line(const struct evidence *evidence, const struct finding *finding)
{
    const struct hit *hit = evidence_last(evidence, finding->id);
    if (hit != NULL)
        return strcmp(hit->file, "console.log") == 0 ? hit->line : 0;
    uint32_t line = 0;
    for (size_t i = 0; i < finding->n_quotes; i++)
        if (strcmp(finding->quotes[i].file, "console.log") == 0 && finding->quotes[i].line > line)
            line = finding->quotes[i].line;
    return line;
}

static const struct hit *ready_hit(const struct evidence *evidence)
{
    const struct hit *ready = evidence_last(evidence, "agent.ready");
    return ready != NULL ? ready : evidence_last(evidence, "agent.listening");
}

/* Which child a supervisor speaks of. */
static bool is_agent(const struct evidence *evidence, const struct hit *hit)
{
    const char *name = hit->captures[0] != NULL ? hit->captures[0] : hit->captures[1];
    return name != NULL &&
           (strcasestr(name, "agent") != NULL || unit_is_service(name, &evidence->record->service));
}

static bool died_after(const struct evidence *evidence, const struct hit *ready)
{
    static const char *const deaths[] = {"supervisor.child-died", "supervisor.child-exited"};
    for (size_t i = 0; i < sizeof(deaths) / sizeof(deaths[0]); i++)
        for (const struct hit *hit = evidence_next(evidence, deaths[i], NULL); hit != NULL;
             hit = evidence_next(evidence, deaths[i], hit))
            if (hit->seq > ready->seq && is_agent(evidence, hit))
                return true;
    for (const struct hit *hit = evidence_next_of_service(evidence, "init.unit-exit", NULL);
         hit != NULL; hit = evidence_next_of_service(evidence, "init.unit-exit", hit))
        if (hit->seq > ready->seq)
            return true;
    return false;
}

bool doubt_console_ready(const struct evidence *evidence)
{
    const struct hit *ready = ready_hit(evidence);
    const struct hit *without = evidence_last(evidence, "agent.ready-without-address");
    const struct hit *elsewhere = evidence_last(evidence, "agent.listening-elsewhere");
    return ready != NULL && !(without != NULL && without->seq == ready->seq) &&
           !died_after(evidence, ready) && evidence_count(evidence, "agent.other-port") == 0 &&
           !(elsewhere != NULL && elsewhere->seq == ready->seq) &&
           stage_reached(evidence, STAGE_ADDRESS_ACQUIRED);
}

/* An error that the agent's coming up later survived is not what ails this boot. */
static bool recovered(const struct evidence *evidence, const struct finding *finding)
{
    const struct hit *ready = ready_hit(evidence);
    uint32_t line = last_line(evidence, finding);
    bool about_it = in_guest_user_space(finding->cause) ||
                    cause_in_layer(finding->cause, "network") || finding->severity < SEVERITY_FATAL;
    if (strcmp(finding->cause, "rootfs.stale-image") == 0 ||
        strcmp(finding->cause, "agent.companion-down") == 0)
        return false; /* the agent comes up with them, too */
    if (ready == NULL || line == 0 || line >= ready->line || !about_it ||
        died_after(evidence, ready))
        return false;
    if (!cause_in_layer(finding->cause, "network") && !cause_in_layer(finding->cause, "host"))
        return true;
    /* An agent comes up without a network, too: then it is the host that says whether it is
     * reached. */
    return evidence_is_bare(evidence) && doubt_console_ready(evidence);
}

/* Several boots stand on one console, and the last one came up: what ailed the others is past. */
static bool booted_again(const struct evidence *evidence, const struct finding *finding)
{
    const struct hit *banner = evidence_last(evidence, "kernel.banner");
    const struct hit *ready = ready_hit(evidence);
    uint32_t line = last_line(evidence, finding);
    return banner != NULL && ready != NULL && line > 0 && line < banner->line &&
           ready->line > banner->line && doubt_console_ready(evidence);
}

/* A failure that ends an attempt, and not a state that the agent lives on in. */
static bool ends_an_attempt(const char *cause)
{
    bool lives =
        strcmp(cause, "agent.bind-loopback") == 0 || strcmp(cause, "agent.wrong-port") == 0;
    return !lives && (cause_in_layer(cause, "supervisor") || cause_in_layer(cause, "agent"));
}

/* The console ends right behind a failure, and whether that was the end nobody says. */
static bool may_go_on(const struct evidence *evidence, const struct finding *finding)
{
    uint32_t line = last_line(evidence, finding);
    if (!evidence_is_bare(evidence) || !ends_an_attempt(finding->cause) || line == 0)
        return false;
    const struct hit *last = evidence_last(evidence, finding->id);
    int64_t at_ms = last != NULL            ? last->near_ms
                    : finding->n_quotes > 0 ? finding->quotes[0].at_ms
                                            : -1;
    if (at_ms >= 0)
        return evidence->last_output_ms - at_ms < GO_ON_MS;
    return evidence->last_line.line < line + GO_ON_LINES;
}

/* A later run of the script got as far as the agent. */
static bool got_past(const struct evidence *evidence, const struct finding *finding)
{
    const struct hit *started = evidence_last(evidence, "supervisor.agent-pid");
    uint32_t line = last_line(evidence, finding);
    return cause_in_layer(finding->cause, "supervisor") && started != NULL && line > 0 &&
           started->line > line;
}

static bool only_unreachable(const struct record *record)
{
    for (size_t i = 0; i < record->probe.n_runs; i++)
        if (record->probe.runs[i].class != PROBE_HOST_UNREACHABLE &&
            record->probe.runs[i].class != PROBE_NET_UNREACHABLE)
            return false;
    return record->probe.n_runs > 0;
}

/* Until the end: a link may drop later. */
static bool guest_answered(const struct record *record)
{
    struct host_view view;
    host_view_take(record, &view);
    return view.reached;
}

static bool anything_died(const struct evidence *evidence)
{
    return evidence_count(evidence, "agent.runtime-exit") > 0 ||
           evidence_count(evidence, "supervisor.child-died") > 0 ||
           evidence_count(evidence, "init.unit-exit") > 0;
}

const char *doubt_of(const struct evidence *evidence, const struct finding *finding,
                     double *ret_factor)
{
    const char *cause = finding->cause;
    *ret_factor = RECOVERED;
    if (recovered(evidence, finding))
        return "the agent came up after it";
    if (booted_again(evidence, finding))
        return "a later boot on the same console came up";
    if (got_past(evidence, finding))
        return "the script started the agent later";
    bool again = finding->count > 1;
    *ret_factor = again ? AGAIN_AT_MOST / finding->confidence : MAY_GO_ON;
    if (!(again && finding->confidence <= AGAIN_AT_MOST) && may_go_on(evidence, finding))
        return "the console ends right behind it, and it may have been tried again";
    *ret_factor = LOGGED_ONLY;
    if (strcmp(cause, "agent.exception") == 0 && !anything_died(evidence))
        return "nothing says that the agent died of it";
    *ret_factor = UNLIKELY;
    if (only_unreachable(evidence->record) &&
        (cause_in_layer(cause, "agent") || cause_in_layer(cause, "supervisor")))
        return "the host never reached the guest at all, so this cannot come first";
    if (cause_in_layer(cause, "network") && guest_answered(evidence->record))
        return "the guest itself answered the probe until the end, so its network works";
    *ret_factor = 1.0;
    return NULL;
}
