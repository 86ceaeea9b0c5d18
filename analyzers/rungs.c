/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzers/rungs.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "analyzers/stage.h"
#include "analyzers/unit.h"

static const struct {
    const char *rule;
    enum rung rung;
    bool climbed; /* else: contradicted */
} witnesses[] = {
    {"network.module-missing", RUNG_DRIVER, false},
    {"network.module-broken", RUNG_DRIVER, false},
    {"network.driver-failed", RUNG_DRIVER, false},
    {"network.driver-bound", RUNG_DRIVER, true},
    {"network.udev-interface", RUNG_DRIVER, true},
    {"network.interface-renamed", RUNG_DRIVER, true},
    {"network.device-unit", RUNG_DRIVER, true},
    {"network.networkd-interface", RUNG_DRIVER, true},
    {"network.client-interface", RUNG_DRIVER, true},
    {"network.no-such-device", RUNG_NAME, false},
    {"network.device-timeout", RUNG_NAME, false},
    {"network.setup-failed", RUNG_CONFIG, false},
    {"network.file-ignored", RUNG_CONFIG, false},
    {"network.interface-down", RUNG_CONFIG, false},
    {"network.configured-by", RUNG_CONFIG, true},
    {"network.dhcp-asking", RUNG_CONFIG, true},
    {"network.no-carrier", RUNG_LINK, false},
    {"network.carrier", RUNG_LINK, true},
    {"network.no-offer", RUNG_ADDRESS, false},
    {"network.dhcp-refused", RUNG_ADDRESS, false},
    {"network.dhcp-address", RUNG_ADDRESS, true},
    {"network.static-address", RUNG_ADDRESS, true},
    {"network.listen-address", RUNG_ADDRESS, true},
    {"agent.ready-with-address", RUNG_ADDRESS, true},
};

static bool later(const struct hit *hit, const struct hit *than)
{
    return hit != NULL && (than == NULL || hit->seq > than->seq);
}

static const struct hit *latest(const struct hit *a, const struct hit *b)
{
    return later(b, a) ? b : a;
}

/* An address that a machine gives itself because nobody else does (RFC 3927) is none. */
static bool is_link_local(const struct hit *hit)
{
    return hit != NULL && hit->captures[0] != NULL && strncmp(hit->captures[0], "169.254.", 8) == 0;
}

static void climb(struct rungs *rungs)
{
    for (size_t i = 0; i < sizeof(witnesses) / sizeof(witnesses[0]); i++) {
        enum rung rung = witnesses[i].rung;
        const struct hit *hit = evidence_last(rungs->evidence, witnesses[i].rule);
        bool climbed = witnesses[i].climbed && !(rung == RUNG_ADDRESS && is_link_local(hit));
        const struct hit **place = climbed ? &rungs->climbed[rung] : &rungs->contradicted[rung];
        *place = latest(*place, hit);
    }
}

static bool is_wait(const char *label)
{
    return strcasestr(label, "wait-online") != NULL ||
           strcasestr(label, "it for network") != NULL || strcasestr(label, "wait online") != NULL;
}

/* systemd 245 to 248 called systemd-networkd.service so. */
static bool is_network(const char *label)
{
    return unit_is_network(label) || strncmp(label, "Network Service", 15) == 0 ||
           strncmp(label, "Network Configuration", 21) == 0;
}

/* The last line of that rule about a unit that makes the network, or (`waits`) waits for it. */
static const struct hit *network_job(const struct evidence *evidence, const char *rule, bool waits)
{
    const struct hit *found = NULL;
    for (const struct hit *hit = evidence_next(evidence, rule, NULL); hit != NULL;
         hit = evidence_next(evidence, rule, hit))
        if (hit->captures[0] != NULL && is_network(hit->captures[0]) &&
            is_wait(hit->captures[0]) == waits)
            found = hit;
    return found;
}

static bool started_after(const struct evidence *evidence, const struct hit *failed)
{
    for (const struct hit *hit = evidence_next(evidence, "init.job-done", failed); hit != NULL;
         hit = evidence_next(evidence, "init.job-done", hit))
        if (hit->seq > failed->seq && hit->captures[0] != NULL &&
            unit_same(hit->captures[0], failed->captures[0]))
            return true;
    return false;
}

static const struct hit *failed_service(const struct evidence *evidence)
{
    const struct hit *failed = network_job(evidence, "init.job-failed", false);
    return failed != NULL && started_after(evidence, failed) ? NULL : failed;
}

/* The host, or the capture, says that nothing in the guest has the address. */
static bool is_deaf(const struct rungs *rungs)
{
    const struct frames_seen *asked = &rungs->frames.seen[FRAME_WHO_HAS_GUEST];
    const struct host_view *view = &rungs->view;
    bool unanswered = rungs->frames.knows_guest && asked->count > 2 &&
                      asked->last_ms - asked->first_ms >= STAGE_STUCK_MS &&
                      rungs->frames.seen[FRAME_GUEST_IS_AT].count == 0;
    return unanswered || (view->last != NULL && view->last->class != PROBE_REFUSED &&
                          !view->ever_reached && view->deaf_ms >= 2 * STAGE_STUCK_MS);
}

/* Counted from the last step before the address that this boot is seen to have taken. */
static int64_t patience_of(const struct rungs *rungs)
{
    bool card = stage_reached(rungs->evidence, STAGE_NIC_FOUND);
    return stage_patience_ms(rungs->evidence, card ? STAGE_NIC_FOUND : STAGE_INIT_STARTED,
                             STAGE_ADDRESS_ACQUIRED);
}

/* The boot went on behind the network's part, so that it is not the whole guest that hangs. */
static bool went_on(const struct rungs *rungs, const struct hit *since)
{
    return later(evidence_last(rungs->evidence, "init.login-prompt"), since) ||
           stage_reached(rungs->evidence, STAGE_UNIT_STARTED) ||
           evidence_silence_ms(rungs->evidence) < patience_of(rungs);
}

static enum window window_since(const struct rungs *rungs, const struct hit *since)
{
    int64_t waited_ms = evidence_end_ms(rungs->evidence) - since->near_ms;
    if (since->near_ms >= 0 && waited_ms >= patience_of(rungs))
        return went_on(rungs, since) ? WINDOW_CLOSED : WINDOW_SILENT;
    bool further = later(evidence_last(rungs->evidence, "init.login-prompt"), since) ||
                   stage_reached(rungs->evidence, STAGE_UNIT_STARTED);
    return further && evidence_window_closed(rungs->evidence) ? WINDOW_HALF : WINDOW_OPEN;
}

/* Init has come so far that whoever makes the network had its turn. */
static bool network_was_due(const struct evidence *evidence)
{
    return stage_reached(evidence, STAGE_NETWORK_TARGET) ||
           stage_reached(evidence, STAGE_UNIT_STARTED) ||
           evidence_count(evidence, "init.login-prompt") > 0 ||
           network_job(evidence, "init.job-done", false) != NULL;
}

/* Init runs for so long that the network was due, whoever makes it, and the host met nothing. */
static enum window window_of_host(const struct rungs *rungs)
{
    const struct milestone *init = &rungs->evidence->milestones[STAGE_INIT_STARTED];
    int64_t end_ms = rungs->evidence->record->ended_ms;
    if (!network_was_due(rungs->evidence) || end_ms < 0 || !is_deaf(rungs))
        return WINDOW_OPEN;
    bool long_ago = init->at_ms >= 0 && end_ms - init->at_ms >= 3 * patience_of(rungs);
    return long_ago ? WINDOW_CLOSED : WINDOW_HALF;
}

/* "1min 31s", as systemd writes how long a job has been running. */
static int64_t span_ms(const char *text)
{
    int64_t total_s = 0;
    while (text != NULL && *text != '\0') {
        char *end;
        long number = strtol(text, &end, 10);
        if (end == text || number < 0 || number > 100 * 1000)
            return total_s * 1000;
        total_s += strncmp(end, "min", 3) == 0 ? number * 60 : *end == 'h' ? number * 3600 : number;
        text = end + strcspn(end, " ");
        text += strspn(text, " ");
    }
    return total_s * 1000;
}

/* "A start job is running for Wait for Network to be Configured (1min 31s / no limit)" */
static enum window window_of_job(const struct rungs *rungs, const struct hit *running)
{
    return span_ms(running->captures[1]) >= patience_of(rungs) ? WINDOW_CLOSED : WINDOW_HALF;
}

/* Who says that no address ever came: the agent, the program that waits for it, its unit. */
static void look_for_absence(struct rungs *rungs)
{
    const struct evidence *evidence = rungs->evidence;
    const struct hit *starting = network_job(evidence, "init.job-starting", true);
    const struct hit *done = network_job(evidence, "init.job-done", true);
    const struct hit *said = latest(evidence_last(evidence, "agent.ready-without-address"),
                                    evidence_last(evidence, "network.wait-timeout"));
    said = latest(said, network_job(evidence, "init.job-failed", true));
    const struct hit *running = network_job(evidence, "init.job-running", true);
    enum window window = WINDOW_OPEN;
    rungs->waits = said == NULL;
    if (said != NULL) {
        window = WINDOW_CLOSED;
    } else if (running != NULL && !later(done, running)) {
        said = running;
        window = window_of_job(rungs, running);
        if (starting != NULL && window_since(rungs, starting) > window)
            window = window_since(rungs, starting);
    } else if (starting != NULL && !later(done, starting)) {
        said = starting;
        window = window_since(rungs, starting);
    } else if (rungs->networkd != NULL && starting == NULL) {
        window = window_since(rungs, rungs->networkd);
    }
    enum window by_host = window_of_host(rungs);
    rungs->absent = said;
    rungs->window = by_host > window ? by_host : window;
}

void rungs_take(const struct evidence *evidence, struct rungs *ret_rungs)
{
    *ret_rungs = (struct rungs){.evidence = evidence};
    frames_read(evidence->record, &ret_rungs->frames);
    host_view_take(evidence->record, &ret_rungs->view);
    climb(ret_rungs);
    ret_rungs->networkd = evidence_first(evidence, "network.networkd-ready");
    ret_rungs->service = failed_service(evidence);
    ret_rungs->service_done = network_job(evidence, "init.job-done", false);
    ret_rungs->wrong = evidence_last(evidence, "network.placeholder-address");
    if (ret_rungs->wrong == NULL)
        ret_rungs->wrong = evidence_last(evidence, "network.address-invalid");
    look_for_absence(ret_rungs);
}

bool rungs_reached(const struct rungs *rungs, enum rung rung)
{
    for (int i = (int)rung; i < RUNG_N; i++)
        if (rungs->climbed[i] != NULL)
            return true;
    return false;
}

bool rungs_broken(const struct rungs *rungs, enum rung rung)
{
    const struct hit *against = rungs->contradicted[rung];
    for (int i = (int)rung; i < RUNG_N; i++)
        if (against != NULL && rungs->climbed[i] != NULL &&
            (rung == RUNG_DRIVER || later(rungs->climbed[i], against)))
            return false;
    return against != NULL;
}

/* The agent looked for an address and found none, and nothing later proves the contrary. */
static bool agent_missed_it(const struct rungs *rungs)
{
    const struct hit *without = evidence_last(rungs->evidence, "agent.ready-without-address");
    const struct frames *frames = &rungs->frames;
    if (without == NULL || !later(without, rungs->climbed[RUNG_ADDRESS]))
        return false;
    return frames->n_addresses == 0 || (frames->since_start && without->near_ms >= 0 &&
                                        frames->seen[FRAME_OF_GUEST].last_ms <= without->near_ms);
}

bool rungs_have_address(const struct rungs *rungs)
{
    bool shown = rungs->climbed[RUNG_ADDRESS] != NULL || rungs->frames.n_addresses > 0;
    return rungs->view.reached || (shown && !agent_missed_it(rungs));
}

bool rungs_lost_link(const struct rungs *rungs)
{
    return rungs->evidence->record->end == RECORD_END_DEADLINE && rungs->view.last != NULL &&
           !rungs->view.reached && rungs_broken(rungs, RUNG_LINK);
}
