/* SPDX-License-Identifier: Apache-2.0 */
/* Deaths are counted as the supervisor script and systemd tell them; hanging is living on without a
 * word for longer than good boots take. */
#include "analyzers/lifetime.h"

#include <string.h>
#include <strings.h>

#include "analyzers/stage.h"

static bool is_agent_name(const char *name, const struct service *service)
{
    return strcasestr(name, "agent") != NULL || strcasestr(name, service->entry) != NULL ||
           strcasecmp(name, "node") == 0;
}

/* Deaths of the agent; those of its companions are normal. */
static uint32_t count_deaths(const struct evidence *evidence, const struct hit **ret_last)
{
    uint32_t n = 0;
    *ret_last = NULL;
    for (const struct hit *hit = evidence_next(evidence, "supervisor.child-died", NULL);
         hit != NULL; hit = evidence_next(evidence, "supervisor.child-died", hit)) {
        if (hit->captures[0] == NULL ||
            !is_agent_name(hit->captures[0], &evidence->record->service))
            continue;
        n++;
        *ret_last = hit;
    }
    return n;
}

static uint32_t count_unit_restarts(const struct evidence *evidence, const struct hit **ret_last)
{
    uint32_t n = 0;
    *ret_last = NULL;
    for (const struct hit *hit = evidence_next_of_service(evidence, "init.restart-counter", NULL);
         hit != NULL; hit = evidence_next_of_service(evidence, "init.restart-counter", hit)) {
        n++;
        *ret_last = hit;
    }
    return n;
}

static void judge_crash_loop(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *death, *restart;
    uint32_t deaths = count_deaths(evidence, &death);
    uint32_t restarts = count_unit_restarts(evidence, &restart);
    if (deaths + restarts == 0)
        return;
    bool loop = deaths >= 2 || restarts >= 2;
    struct finding *finding = findings_add(findings, "agent.deaths", "agent.crash-loop",
                                           SEVERITY_ERROR, loop ? 0.6 : 0.4);
    if (deaths > 0)
        finding_say(finding, "The agent died %u time%s", deaths, deaths == 1 ? "" : "s");
    else
        finding_say(finding, "systemd restarted %s %u time%s", evidence->record->service.unit,
                    restarts, restarts == 1 ? "" : "s");
    finding->count = deaths > 0 ? deaths : restarts;
    finding_hit(finding, death != NULL ? death : restart);
}

static void judge_hung(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *started = evidence_last(evidence, "supervisor.agent-pid"), *unused;
    if (started == NULL || started->near_ms < 0 || !evidence_window_closed(evidence) ||
        stage_reached(evidence, STAGE_AGENT_LISTENING) || count_deaths(evidence, &unused) > 0 ||
        count_unit_restarts(evidence, &unused) > 0)
        return;
    int64_t waited_ms = evidence_end_ms(evidence) - started->near_ms;
    int64_t limit_ms = stage_patience_ms(evidence, STAGE_AGENT_STARTED, STAGE_AGENT_LISTENING);
    if (waited_ms < limit_ms)
        return;
    struct finding *finding =
        findings_add(findings, "agent.silent", "agent.hung", SEVERITY_ERROR, 0.85);
    finding_say(finding,
                "The agent was started, lives, and did not listen within the %.0f s that were left",
                (double)waited_ms / 1000);
    finding_hit(finding, started);
    if (evidence->last_line.line > started->line &&
        strstr(evidence->last_line.text, " login:") == NULL)
        finding_quote(finding, &evidence->last_line);
}

static void judge_oom_victim(const struct evidence *evidence, struct findings *findings)
{
    static const char *const runtimes[] = {"node", "nodejs", "MainThread", "python3", "java"};
    const struct hit *hit = evidence_last(evidence, "kernel.oom-kill");
    if (hit == NULL || hit->captures[0] == NULL)
        return;
    bool agent = strstr(hit->text, evidence->record->service.unit) != NULL;
    for (size_t i = 0; i < sizeof(runtimes) / sizeof(runtimes[0]); i++)
        agent |= strcmp(hit->captures[0], runtimes[i]) == 0;
    struct finding *finding = findings_add(findings, "agent.oom-victim",
                                           agent ? "agent.out-of-memory" : "kernel.out-of-memory",
                                           SEVERITY_ERROR, agent ? 0.93 : 0.65);
    finding_say(finding, "The guest ran out of memory, and the kernel killed %s%s",
                hit->captures[0], agent ? ", the agent's runtime" : "");
    finding_hit(finding, hit);
}

void lifetime_judge(const struct evidence *evidence, struct findings *findings)
{
    judge_oom_victim(evidence, findings);
    judge_crash_loop(evidence, findings);
    judge_hung(evidence, findings);
}
