/* SPDX-License-Identifier: Apache-2.0 */
/* One function for each question; "unknown" wherever neither a line nor a fact decides. */
#include "analyzers/questions.h"

#include <string.h>

#include "analyzers/causes.h"
#include "analyzers/stage.h"
#include "harness/base/auto.h"
#include "harness/base/mem.h"

static bool reached(const struct analysis *analysis, enum stage stage)
{
    return analysis->milestones[stage].reached;
}

static void quote(struct question *question, const struct quote *text)
{
    if (question->n_quotes < FINDING_MAX_QUOTES && (text->line > 0 || text->text[0] != '\0'))
        question->quotes[question->n_quotes++] = *text;
}

static void quote_stage(struct question *question, const struct analysis *analysis,
                        enum stage stage)
{
    if (reached(analysis, stage))
        quote(question, &analysis->milestones[stage].quote);
}

static bool verdict_in(const struct analysis *analysis, const char *layer)
{
    return analysis->verdict.cause != NULL && strcmp(analysis->verdict.layer, layer) == 0;
}

static void quote_verdict(struct question *question, const struct analysis *analysis)
{
    for (size_t i = 0; i < analysis->verdict.n_quotes && i < 2; i++)
        quote(question, &analysis->verdict.quotes[i]);
}

/* The strongest finding of a layer that says what is wrong there; NULL: none. */
static const struct finding *worst_of(const struct analysis *analysis, const char *layer)
{
    const struct finding *worst = NULL;
    for (size_t i = 0; i < analysis->findings.len; i++) {
        const struct finding *finding = &analysis->findings.items[i];
        if (finding->cause != NULL && cause_in_layer(finding->cause, layer) &&
            finding->severity >= SEVERITY_ERROR && finding->confidence >= 0.5 &&
            (worst == NULL || finding->confidence > worst->confidence))
            worst = finding;
    }
    return worst;
}

static void set(struct question *question, enum answer answer, char *text)
{
    question->answer = answer;
    question->text = text;
}

static void ask_kernel(struct question *question, const struct analysis *analysis,
                       const struct evidence *evidence)
{
    bool closed = evidence->record->end != RECORD_END_UNKNOWN &&
                  evidence->record->end != RECORD_END_INTERRUPTED;
    quote_stage(question, analysis, STAGE_KERNEL_STARTED);
    bool running = reached(analysis, STAGE_INIT_STARTED);
    if (verdict_in(analysis, "kernel") || (verdict_in(analysis, "vmm") && !running)) {
        question->n_quotes = 0;
        quote_verdict(question, analysis);
        set(question, ANSWER_NO, mem_strdup(analysis->verdict.summary));
    } else if (running) {
        quote_stage(question, analysis, STAGE_ROOT_MOUNTED);
        quote_stage(question, analysis, STAGE_INIT_STARTED);
        set(question, ANSWER_YES,
            mem_strdup("The kernel boots, mounts its root file system and starts init"));
    } else if (closed && !reached(analysis, STAGE_KERNEL_STARTED)) {
        set(question, ANSWER_NO, mem_strdup("No line of the kernel ever came"));
    } else {
        set(question, ANSWER_UNKNOWN,
            mem_strdup(reached(analysis, STAGE_KERNEL_STARTED)
                           ? "The kernel starts; the console ends before init does"
                           : "The console does not show the kernel"));
    }
}

static char *network_steps(const struct analysis *analysis)
{
    return mem_printf("driver %s, link %s, address %s",
                      reached(analysis, STAGE_NIC_FOUND) ? "yes" : "not seen",
                      reached(analysis, STAGE_LINK_UP) ? "yes" : "not seen",
                      reached(analysis, STAGE_ADDRESS_ACQUIRED) ? "yes" : "not seen");
}

static void ask_network(struct question *question, const struct analysis *analysis,
                        const struct evidence *evidence)
{
    const struct finding *worst = worst_of(analysis, "network");
    auto_free char *steps = network_steps(analysis);
    (void)evidence;
    quote_stage(question, analysis, STAGE_NIC_FOUND);
    quote_stage(question, analysis, STAGE_LINK_UP);
    quote_stage(question, analysis, STAGE_ADDRESS_ACQUIRED);
    if (reached(analysis, STAGE_ADDRESS_ACQUIRED)) {
        set(question, ANSWER_YES, mem_printf("The interface is up: %s", steps));
    } else if (worst != NULL) {
        for (size_t i = 0; i < worst->n_quotes; i++)
            quote(question, &worst->quotes[i]);
        set(question, ANSWER_NO, mem_printf("%s: %s", worst->summary, steps));
    } else {
        set(question, ANSWER_UNKNOWN, mem_printf("Not seen to be up by the end: %s", steps));
    }
}

static void ask_services(struct question *question, const struct analysis *analysis,
                         const struct evidence *evidence)
{
    const struct hit *done = evidence_last(evidence, "init.job-done");
    const struct hit *all = evidence_last(evidence, "init.multi-user");
    quote_stage(question, analysis, STAGE_INIT_STARTED);
    if (analysis->verdict.cause != NULL &&
        (strcmp(analysis->verdict.cause, "init.emergency-mode") == 0 ||
         strcmp(analysis->verdict.cause, "init.not-reached") == 0)) {
        question->n_quotes = 0;
        quote_verdict(question, analysis);
        set(question, ANSWER_NO, mem_strdup(analysis->verdict.summary));
    } else if (done != NULL || reached(analysis, STAGE_UNIT_STARTED)) {
        struct quote last;
        if (all != NULL || done != NULL) {
            hit_quote(all != NULL ? all : done, &last);
            quote(question, &last);
        }
        set(question, ANSWER_YES,
            mem_strdup(all != NULL ? "systemd starts services and reached its default target"
                                   : "systemd starts services"));
    } else if (verdict_in(analysis, "kernel") || verdict_in(analysis, "vmm") ||
               verdict_in(analysis, "host")) {
        quote_verdict(question, analysis);
        set(question, ANSWER_NO, mem_strdup("The boot ended before systemd started any service"));
    } else {
        set(question, ANSWER_UNKNOWN, mem_strdup("No service of systemd is seen on the console"));
    }
}

static void ask_agent(struct question *question, const struct analysis *analysis,
                      const struct evidence *evidence)
{
    const struct finding *deaths = NULL;
    for (size_t i = 0; i < analysis->findings.len; i++)
        if (strcmp(analysis->findings.items[i].id, "agent.deaths") == 0)
            deaths = &analysis->findings.items[i];
    quote_stage(question, analysis, STAGE_UNIT_STARTED);
    quote_stage(question, analysis, STAGE_SUPERVISOR_STARTED);
    quote_stage(question, analysis, STAGE_AGENT_STARTED);
    quote_stage(question, analysis, STAGE_AGENT_LISTENING);
    bool ended = evidence->record->end != RECORD_END_UNKNOWN || analysis->verdict.cause != NULL;
    if (reached(analysis, STAGE_AGENT_STARTED)) {
        if (deaths != NULL && !reached(analysis, STAGE_AGENT_LISTENING)) {
            question->n_quotes = question->n_quotes == FINDING_MAX_QUOTES ? 3 : question->n_quotes;
            quote(question, &deaths->quotes[0]);
        }
        set(question, ANSWER_YES,
            deaths != NULL && !reached(analysis, STAGE_AGENT_LISTENING)
                ? mem_printf("Unit, supervisor and process were started, but the process does not "
                             "stay: it died %u time%s",
                             deaths->count, deaths->count == 1 ? "" : "s")
                : mem_strdup(reached(analysis, STAGE_AGENT_LISTENING)
                                 ? "The agent was started and says that it listens"
                                 : "The agent was started; it never said that it listens"));
    } else if (ended) {
        set(question, ANSWER_NO,
            mem_printf("The agent was not started: unit %s, supervisor %s",
                       reached(analysis, STAGE_UNIT_STARTED) ? "started" : "not started",
                       reached(analysis, STAGE_SUPERVISOR_STARTED) ? "ran" : "did not run"));
    } else {
        set(question, ANSWER_UNKNOWN,
            mem_strdup("The console ends before the agent's start is seen"));
    }
}

/* What a line says, as opposed to what is concluded from silence or from the probe. */
static bool is_error(const struct finding *finding)
{
    bool concluded = finding->cause != NULL && cause_in_layer(finding->cause, "probe");
    return finding->severity >= SEVERITY_ERROR && !concluded && finding->n_quotes > 0 &&
           finding->quotes[0].line > 0;
}

static bool is_quoted(const struct question *question, const struct quote *text)
{
    for (size_t i = 0; i < question->n_quotes; i++)
        if (question->quotes[i].line == text->line &&
            strcmp(question->quotes[i].file, text->file) == 0)
            return true;
    return false;
}

static void ask_errors(struct question *question, const struct analysis *analysis,
                       const struct evidence *evidence)
{
    size_t n = 0;
    bool named = analysis->verdict.cause != NULL && !verdict_in(analysis, "probe") &&
                 !verdict_in(analysis, "unknown");
    if (named)
        quote_verdict(question, analysis);
    for (size_t i = 0; i < analysis->findings.len; i++) {
        const struct finding *finding = &analysis->findings.items[i];
        if (!is_error(finding))
            continue;
        n++;
        if (!is_quoted(question, &finding->quotes[0]))
            quote(question, &finding->quotes[0]);
    }
    if (named)
        set(question, ANSWER_YES, mem_strdup(analysis->verdict.summary));
    else if (n > 0)
        set(question, ANSWER_YES,
            mem_printf("%zu kind%s of error %s on the console", n, n == 1 ? "" : "s",
                       n == 1 ? "is" : "are"));
    else if (evidence->console_lines > 0)
        set(question, ANSWER_NO, mem_strdup("No known error is on the console"));
    else
        set(question, ANSWER_UNKNOWN, mem_strdup("There is no console output to look at"));
}

static void ask_port(struct question *question, const struct analysis *analysis,
                     const struct evidence *evidence)
{
    const struct record *record = evidence->record;
    int port = record->service.port;
    const struct probe_run *last =
        record->probe.n_runs > 0 ? &record->probe.runs[record->probe.n_runs - 1] : NULL;
    if (record->end == RECORD_END_READY && analysis->outcome == OUTCOME_READY) {
        quote_stage(question, analysis, STAGE_PORT_ANSWERS);
        set(question, ANSWER_YES, mem_printf("Port %d answers as expected", port));
    } else if (analysis->verdict.cause != NULL) {
        struct quote fact;
        if (last != NULL) {
            quote_fact(&fact, last->from_ms, "probe: %s until %.1f s",
                       probe_class_name(last->class), (double)last->to_ms / 1000);
            quote(question, &fact);
        }
        quote_verdict(question, analysis);
        set(question, ANSWER_NO,
            last != NULL
                ? mem_printf("Port %d is not reachable (%s): %s", port,
                             probe_class_name(last->class), analysis->verdict.summary)
                : mem_printf("Port %d is not reachable: %s", port, analysis->verdict.summary));
    } else {
        quote_stage(question, analysis, STAGE_AGENT_LISTENING);
        set(question, ANSWER_UNKNOWN,
            mem_strdup(
                analysis->outcome == OUTCOME_READY
                    ? "The agent says that it listens; whether it was reached is not recorded"
                    : "Nothing says whether the port was reached"));
    }
}

void questions_answer(struct analysis *analysis, const struct evidence *evidence)
{
    static const struct {
        const char *id;
        void (*ask)(struct question *question, const struct analysis *analysis,
                    const struct evidence *evidence);
    } all[ANALYSIS_N_QUESTIONS] = {
        {"kernel-booted", ask_kernel},      {"network-up", ask_network},
        {"services-started", ask_services}, {"agent-started", ask_agent},
        {"errors-seen", ask_errors},        {"port-8080-reachable", ask_port},
    };
    for (size_t i = 0; i < ANALYSIS_N_QUESTIONS; i++) {
        analysis->questions[i] = (struct question){.id = all[i].id};
        all[i].ask(&analysis->questions[i], analysis, evidence);
    }
}
