/* SPDX-License-Identifier: Apache-2.0 */
/* Deaths are counted as the supervisor script and systemd tell them; hanging is living on without a
 * word for longer than good boots take. */
#include "analyzers/lifetime.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "analyzers/chars.h"
#include "analyzers/service_log.h"
#include "analyzers/stage.h"

enum {
    SIGNAL_STATUS = 128
}; /* a shell's status of a child that a signal killed: 128 + its number */

/* "OAuth agent", "node", the entry file, with or without its ending; not "WebRTC server". */
static bool is_agent_name(const char *name, const struct service *service)
{
    const char *slash = strrchr(service->entry, '/');
    const char *entry = slash != NULL ? slash + 1 : service->entry;
    size_t stem = strcspn(entry, "."), unit = strcspn(service->unit, ".");
    return strcasestr(name, "agent") != NULL || strcasestr(name, entry) != NULL ||
           strcasecmp(name, "node") == 0 ||
           (stem > 0 && strlen(name) == stem && strncasecmp(name, entry, stem) == 0) ||
           (unit > 0 && strlen(name) == unit && strncasecmp(name, service->unit, unit) == 0);
}

static const struct hit *next_death(const struct evidence *evidence, const char *rule_id,
                                    const struct hit *after)
{
    for (const struct hit *hit = evidence_next(evidence, rule_id, after); hit != NULL;
         hit = evidence_next(evidence, rule_id, hit)) {
        const char *name = hit->captures[0] != NULL ? hit->captures[0] : hit->captures[1];
        if (name != NULL && is_agent_name(name, &evidence->record->service))
            return hit;
    }
    return NULL;
}

static const char *const death_rules[] = {"supervisor.child-died", "supervisor.child-exited"};

/* Deaths of the agent; those of its companions are normal. */
static uint32_t count_deaths(const struct evidence *evidence, const struct hit **ret_last)
{
    uint32_t n = 0;
    *ret_last = NULL;
    for (size_t i = 0; i < sizeof(death_rules) / sizeof(death_rules[0]); i++) {
        uint32_t of_rule = 0;
        const struct hit *last = NULL;
        for (const struct hit *hit = next_death(evidence, death_rules[i], NULL); hit != NULL;
             hit = next_death(evidence, death_rules[i], hit)) {
            of_rule++;
            last = hit;
        }
        if (of_rule > n) {
            n = of_rule;
            *ret_last = last;
        }
    }
    return n;
}

/* A line of the agent's that tells why it dies, in whatever words; line 0: there is none. */
static const struct quote *last_words(const struct service_log *log)
{
    for (size_t i = log->len; i-- > 0;)
        if (log->runs[i].agent_error.line > 0)
            return &log->runs[i].agent_error;
    return NULL;
}

static double loop_confidence(uint32_t deaths)
{
    return deaths >= 3 ? 0.85 : deaths == 2 ? 0.75 : 0.45;
}

static void judge_crash_loop(const struct evidence *evidence, const struct service_log *log,
                             struct findings *findings)
{
    const struct hit *death;
    uint32_t deaths = count_deaths(evidence, &death);
    const struct service_run *ended = service_log_last_ended(log);
    bool of_agent = ended != NULL && (ended->agent_start != NULL || ended->agent_last.line > 0);
    uint32_t restarts = of_agent ? log->n_ended : 0;
    if (deaths + restarts == 0)
        return;
    const struct quote *words = last_words(log);
    struct finding *finding =
        words != NULL ? findings_add(findings, "agent.last-words", "agent.exception",
                                     SEVERITY_ERROR, deaths + restarts >= 2 ? 0.75 : 0.5)
                      : findings_add(findings, "agent.deaths", "agent.crash-loop", SEVERITY_ERROR,
                                     loop_confidence(deaths > restarts ? deaths : restarts));
    if (deaths > 0)
        finding_say(finding, "The agent died %u time%s%s", deaths, deaths == 1 ? "" : "s",
                    words != NULL ? ", after an error of its own" : " and did not say why");
    else
        finding_say(finding, "The unit ended %u time%s after it had started the agent%s", restarts,
                    restarts == 1 ? "" : "s", words != NULL ? ", which told an error" : "");
    finding->count = deaths > 0 ? deaths : restarts;
    if (words != NULL)
        finding_quote(finding, words);
    if (death != NULL)
        finding_hit(finding, death);
    else if (ended->ended != NULL)
        finding_hit(finding, ended->ended);
}

/* What a shell's status above 128 says of the signal; NULL: nothing. */
static const char *signal_of_status(int status)
{
    static const struct {
        int number;
        const char *name;
    } signals[] = {{4, "illegal instruction"},
                   {5, "trap"},
                   {6, "aborted"},
                   {7, "bus error"},
                   {9, "killed"},
                   {11, "segmentation fault"},
                   {31, "forbidden system call"}};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        if (signals[i].number + SIGNAL_STATUS == status)
            return signals[i].name;
    return NULL;
}

/* "agent exited with status 139" */
static int status_in(const char *text)
{
    static const char *const words[] = {"status", "code", "rc"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const char *at = strcasestr(text, words[i]);
        if (at == NULL)
            continue;
        at += strlen(words[i]);
        size_t skip = strcspn(at, "0123456789");
        if (skip <= 3 && strspn(at + skip, "0123456789") == 3)
            return atoi(at + skip);
    }
    return 0;
}

static void judge_signal(const struct evidence *evidence, struct findings *findings)
{
    for (size_t i = 0; i < sizeof(death_rules) / sizeof(death_rules[0]); i++)
        for (const struct hit *hit = next_death(evidence, death_rules[i], NULL); hit != NULL;
             hit = next_death(evidence, death_rules[i], hit)) {
            int status = status_in(hit->text);
            const char *signal = signal_of_status(status);
            if (signal == NULL)
                continue;
            struct finding *finding = findings_add(
                findings, "agent.died-of-signal",
                status == SIGNAL_STATUS + 4 ? "agent.runtime-incompatible" : "agent.killed",
                SEVERITY_ERROR, 0.85);
            finding_say(finding, "The agent died of a signal: %s (status %d)", signal, status);
            finding_hit(finding, hit);
            return;
        }
}

static void judge_core_dump(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *hit = evidence_last(evidence, "agent.core-dump");
    if (hit == NULL || hit->captures[0] == NULL)
        return;
    struct finding *finding =
        findings_add(findings, "agent.dumped-core", "agent.killed", SEVERITY_ERROR, 0.85);
    finding_say(finding, "%s, the agent's runtime, crashed", hit->captures[0]);
    finding_hit(finding, hit);
}

/* From the agent's last word, or its start: what others say meanwhile is no sign of its life. */
static int64_t silent_since_ms(const struct service_run *run)
{
    int64_t since_ms = run->agent_start->near_ms;
    if (run->agent_last.line >= run->agent_start->line && run->agent_last.at_ms > since_ms)
        since_ms = run->agent_last.at_ms;
    return since_ms;
}

static void judge_hung(const struct evidence *evidence, const struct service_log *log,
                       struct findings *findings)
{
    const struct service_run *run = service_log_current(log);
    const struct hit *unused;
    if (run->agent_start == NULL || run->agent_start->near_ms < 0 || log->n_ended > 0 ||
        !evidence_window_closed(evidence) || stage_reached(evidence, STAGE_AGENT_LISTENING) ||
        count_deaths(evidence, &unused) > 0)
        return;
    int64_t silent_ms = evidence_end_ms(evidence) - silent_since_ms(run);
    if (silent_ms < stage_patience_ms(evidence, STAGE_AGENT_STARTED, STAGE_AGENT_LISTENING))
        return;
    struct finding *finding = findings_add(findings, "agent.silent", "agent.hung", SEVERITY_ERROR,
                                           stage_silence_confidence(evidence, silent_ms));
    finding_say(finding,
                "The agent was started, lives, and did not listen; it was silent for the last "
                "%.0f s",
                (double)silent_ms / 1000);
    finding_hit(finding, run->agent_start);
    if (run->agent_last.line > run->agent_start->line)
        finding_quote(finding, &run->agent_last);
}

static bool is_runtime(const char *name)
{
    static const char *const runtimes[] = {"node",   "nodejs",  "MainThread", "node-MainThread",
                                           "python", "python3", "java",       "deno",
                                           "bun",    "ruby"};
    return word_among(name, strlen(name), runtimes, sizeof(runtimes) / sizeof(runtimes[0]));
}

static void judge_oom_victim(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *hit = evidence_last(evidence, "kernel.oom-kill");
    if (hit == NULL || hit->captures[0] == NULL)
        return;
    const struct service *service = &evidence->record->service;
    bool agent = strstr(hit->text, service->unit) != NULL || is_runtime(hit->captures[0]) ||
                 strncmp(hit->captures[0], service->entry, 15) == 0;
    struct finding *finding = findings_add(findings, "agent.oom-victim",
                                           agent ? "agent.out-of-memory" : "kernel.out-of-memory",
                                           SEVERITY_ERROR, agent ? 0.93 : 0.65);
    finding_say(finding, "The guest ran out of memory, and the kernel killed %s%s",
                hit->captures[0], agent ? ", the agent's runtime" : "");
    finding_hit(finding, hit);
}

void lifetime_judge(const struct evidence *evidence, struct findings *findings)
{
    struct service_log *log = service_log_new(evidence);
    judge_oom_victim(evidence, findings);
    judge_core_dump(evidence, findings);
    judge_signal(evidence, findings);
    judge_crash_loop(evidence, log, findings);
    judge_hung(evidence, log, findings);
    free(log);
}
