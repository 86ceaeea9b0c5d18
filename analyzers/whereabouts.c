/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzers/whereabouts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/stage.h"
#include "harness/base/ipv4.h"

/* Rules whose first capture is an address of the guest's own. */
static const char *const namers[] = {"network.dhcp-address", "network.static-address",
                                     "network.listen-address", "agent.ready-with-address"};
enum { N_NAMERS = sizeof(namers) / sizeof(namers[0]), SUBNET_BITS = 24 };

/* Host and port of "http://HOST:PORT/..."; false: not of that form. */
static bool parse_url(const char *url, char ret_host[static WHEREABOUTS_SIZE], int *ret_port)
{
    const char *at = url != NULL ? strstr(url, "://") : NULL;
    if (at == NULL)
        return false;
    at += strlen("://");
    size_t len = strcspn(at, ":/");
    if (len == 0 || len >= WHEREABOUTS_SIZE)
        return false;
    memcpy(ret_host, at, len);
    ret_host[len] = '\0';
    *ret_port = at[len] == ':' ? atoi(at + len + 1) : 80;
    return true;
}

const char *whereabouts_planned(const struct evidence *evidence, const struct host_view *view,
                                char buffer[static WHEREABOUTS_SIZE])
{
    uint32_t address;
    int port;
    if (evidence->record->guest.expected_address != NULL)
        return evidence->record->guest.expected_address;
    if (view->tap && parse_url(evidence->record->probe.url, buffer, &port) &&
        ipv4_parse(buffer, &address))
        return buffer;
    const struct hit *plan = evidence_last(evidence, "network.planned-address");
    return plan != NULL ? plan->captures[0] : NULL;
}

const struct hit *whereabouts_named(const struct evidence *evidence, const char *address)
{
    const struct hit *found = NULL;
    for (size_t i = 0; i < N_NAMERS; i++)
        for (const struct hit *hit = evidence_next(evidence, namers[i], NULL); hit != NULL;
             hit = evidence_next(evidence, namers[i], hit))
            if (hit->captures[0] != NULL && strcmp(hit->captures[0], address) == 0 &&
                (found == NULL || hit->seq > found->seq))
                found = hit;
    return found;
}

static bool in_one_subnet(const char *a, const char *b, int bits)
{
    uint32_t left, right;
    return ipv4_parse(a, &left) && ipv4_parse(b, &right) && ipv4_same_subnet(left, right, bits);
}

/* "192.168.100.1/24" */
static bool in_subnet_of(const char *address, const char *bridge)
{
    char own[IPV4_TEXT_SIZE];
    size_t len = strcspn(bridge, "/");
    if (len >= sizeof(own))
        return false;
    memcpy(own, bridge, len);
    own[len] = '\0';
    return in_one_subnet(address, own, bridge[len] == '/' ? atoi(bridge + len + 1) : SUBNET_BITS);
}

/* ---- another address than planned ---- */

struct other {
    const char *address;
    const struct hit *hit; /* says so; NULL: the capture does */
    bool by_dhcp, fixed;
};

static struct other find_other(const struct evidence *evidence, const struct frames *frames,
                               const char *planned)
{
    struct other other = {0};
    for (size_t i = 0; i < N_NAMERS; i++) {
        const struct hit *hit = evidence_last(evidence, namers[i]);
        if (hit == NULL || hit->captures[0] == NULL ||
            strncmp(hit->captures[0], "169.254.", 8) == 0 ||
            (other.hit != NULL && hit->seq < other.hit->seq))
            continue;
        other.address = hit->captures[0];
        other.hit = hit;
    }
    if (frames->n_addresses > 0) {
        other.address = frames_other_address(frames, planned);
        if (other.hit != NULL && other.address != NULL &&
            strcmp(other.address, other.hit->captures[0]) != 0)
            other.hit = NULL;
    }
    if (other.address == NULL)
        return other;
    bool leased = frames->seen[FRAME_ACK].count > 0 && strcmp(frames->offered, other.address) == 0;
    const struct hit *lease = evidence_last(evidence, "network.dhcp-address");
    other.by_dhcp = leased || (lease != NULL && lease->captures[0] != NULL &&
                               strcmp(lease->captures[0], other.address) == 0);
    /* systemd-networkd names each lease, and a capture shows it. */
    bool watched = (frames->knows_guest && frames->seen[FRAME_OF_GUEST].count > 0) ||
                   (lease == NULL && evidence_count(evidence, "network.configured-by") > 0);
    other.fixed =
        !other.by_dhcp && (watched || evidence_count(evidence, "network.static-address") > 0);
    return other;
}

static void judge_other(const struct evidence *evidence, const struct frames *frames,
                        const struct host_view *view, const char *planned,
                        struct findings *findings)
{
    struct other other = find_other(evidence, frames, planned);
    if (other.address == NULL || view->reached || strcmp(other.address, planned) == 0 ||
        whereabouts_named(evidence, planned) != NULL || frames_guest_used(frames, planned))
        return;
    bool near = in_one_subnet(other.address, planned, SUBNET_BITS);
    bool bare = evidence_is_bare(evidence); /* then nobody says what is probed */
    struct finding *finding = other.fixed || (!other.by_dhcp && !near)
                                  ? findings_add(findings, "network.other-static",
                                                 "network.static-invalid", SEVERITY_ERROR,
                                                 bare          ? 0.6
                                                 : other.fixed ? 0.9
                                                               : 0.8)
                                  : findings_add(findings, "network.other-address",
                                                 "network.address-mismatch", SEVERITY_ERROR,
                                                 bare            ? 0.6
                                                 : other.by_dhcp ? 0.93
                                                                 : 0.8);
    finding_say(finding, "The guest has the address %s%s, and not %s, which is probed",
                other.address, other.by_dhcp ? " by DHCP" : "", planned);
    if (other.hit != NULL)
        finding_hit(finding, other.hit);
    if (frames->n_addresses > 0)
        finding_fact(finding, -1, "net.pcap: the guest used %s, and never %s", other.address,
                     planned);
    if (view->last != NULL)
        host_view_quote(finding, view->last);
}

/* ---- who else has it ---- */

static const struct hit *taken(const struct evidence *evidence, const char *planned)
{
    const struct hit *hit = evidence_last(evidence, "network.address-taken");
    bool other = hit != NULL && planned != NULL && hit->captures[0] != NULL &&
                 strcmp(hit->captures[0], planned) != 0;
    return other ? NULL : hit;
}

static void judge_sharing(const struct evidence *evidence, const struct frames *frames,
                          const char *planned, struct findings *findings)
{
    const struct record_net *net = &evidence->record->net;
    const struct hit *said = taken(evidence, planned);
    const struct frames_seen *own = &frames->seen[FRAME_GUEST_IS_AT];
    const struct frames_seen *arp = &frames->seen[FRAME_OTHER_IS_AT];
    bool foreign =
        net->foreign_mac != NULL || arp->count > 0 || frames->seen[FRAME_OTHER_TCP].count > 0;
    bool guest = net->own_answered == 1 || own->count > 0;
    bool declined = frames->seen[FRAME_DECLINE].count > 0;
    if (!(foreign && guest) && said == NULL && !declined)
        return;
    const char *mac = net->foreign_mac != NULL ? net->foreign_mac : frames->other_mac;
    struct finding *finding =
        findings_add(findings, "host.two-answer", "host.address-conflict", SEVERITY_ERROR,
                     foreign        ? 0.94
                     : said != NULL ? 0.88
                                    : 0.8);
    finding_say(finding, "Another machine has the guest's address too%s%s",
                mac[0] != '\0' ? ": " : "", mac);
    if (said != NULL)
        finding_hit(finding, said);
    if (foreign)
        finding_fact(finding, -1, "both the guest and %s answer for %s", mac,
                     planned != NULL ? planned : "the guest's address");
    if (declined)
        finding_fact(finding, -1, "net.pcap: the guest declined the address %s", frames->offered);
}

/* What answered before this boot could: a service before init, an IP stack before the kernel. Only
 * the host's own clock can tell; a controller's console comes late. */
static const struct probe_run *too_early(const struct evidence *evidence,
                                         const struct host_view *view)
{
    const struct record *record = evidence->record;
    int64_t init_ms = evidence->milestones[STAGE_INIT_STARTED].at_ms;
    int64_t kernel_ms = evidence->milestones[STAGE_KERNEL_STARTED].at_ms;
    bool remote = record->backend != NULL && strcmp(record->backend, "controller") == 0;
    for (size_t i = 0; evidence->arrival_times && !remote && i < record->probe.n_runs; i++) {
        const struct probe_run *run = &record->probe.runs[i];
        bool answers = run->class >= PROBE_NOT_HTTP && run->from_ms < init_ms;
        bool stack = view->tap && host_view_is_guest(view, run->class) && run->from_ms < kernel_ms;
        if (answers || stack)
            return run;
    }
    return NULL;
}

/* Somebody answers, and it is not the guest. */
static void judge_impostor(const struct evidence *evidence, const struct frames *frames,
                           const struct host_view *view, struct findings *findings)
{
    const struct record_net *net = &evidence->record->net;
    const struct probe_run *early = too_early(evidence, view);
    bool foreign = net->foreign_mac != NULL || frames->seen[FRAME_OTHER_IS_AT].count > 0 ||
                   frames->seen[FRAME_OTHER_TCP].count > 0;
    bool guest = net->own_answered == 1 || frames->seen[FRAME_GUEST_IS_AT].count > 0;
    bool before = net->answered_before_start == 1;
    if (guest || (!foreign && !before && early == NULL))
        return;
    const char *mac = net->foreign_mac != NULL ? net->foreign_mac : frames->other_mac;
    struct finding *finding = findings_add(findings, "probe.impostor", "probe.stale-responder",
                                           SEVERITY_ERROR, before || foreign ? 0.93 : 0.88);
    finding_say(finding, "Something else than this boot answers at the guest's address%s%s",
                mac[0] != '\0' ? ": " : "", mac);
    if (foreign)
        finding_fact(finding, -1,
                     "only %s answers for the guest's address, the guest's own MAC does "
                     "not",
                     mac);
    if (before)
        finding_fact(finding, 0, "the guest's address was taken before the guest ran");
    if (early != NULL)
        host_view_quote(finding, early);
}

/* ---- a URL beside the target ---- */

/* "hostfwd=tcp:127.0.0.1:42927-:8080": where the forwarder listens; -1: there is none. */
static int forwarded_port(char *const *argv)
{
    for (; argv != NULL && *argv != NULL; argv++) {
        const char *forward = strstr(*argv, "hostfwd=tcp:");
        const char *dash = forward != NULL ? strchr(forward, '-') : NULL;
        const char *at = dash;
        while (at != NULL && at > forward && at[-1] != ':')
            at--;
        if (dash != NULL)
            return atoi(at);
    }
    return -1;
}

/* True: what the probe met says nothing of this guest. */
static bool judge_url(const struct evidence *evidence, const struct host_view *view,
                      struct findings *findings)
{
    const struct record *record = evidence->record;
    const char *planned = record->guest.expected_address;
    char host[WHEREABOUTS_SIZE];
    int port;
    uint32_t address;
    if (view->reached || !parse_url(record->probe.url, host, &port))
        return false;
    int forwarded = forwarded_port(record->vmm.argv);
    bool elsewhere =
        view->tap && planned != NULL && ipv4_parse(host, &address) && strcmp(host, planned) != 0;
    bool other_port =
        view->tap ? port != record->service.port : view->user && forwarded > 0 && port != forwarded;
    if (!elsewhere && !other_port)
        return false;
    struct finding *finding =
        findings_add(findings, "probe.other-url", "probe.wrong-target", SEVERITY_ERROR, 0.93);
    if (elsewhere)
        finding_say(finding, "The probe asked %s, and the guest is to be found at %s", host,
                    planned);
    else
        finding_say(finding, "The probe asked port %d, and the service is to be found at port %d",
                    port, view->tap ? record->service.port : forwarded);
    finding_fact(finding, -1, "probe.url: %s", record->probe.url);
    const struct hit *ready = evidence_last(evidence, "agent.ready");
    if (ready != NULL)
        finding_hit(finding, ready);
    return true;
}

/* The bridge's own subnet is another than the guest's. */
static bool bridge_has_subnet(const struct record_net *net, const char *planned)
{
    for (size_t i = 0; i < net->n_bridge_addresses; i++)
        if (in_subnet_of(planned, net->bridge_addresses[i]))
            return true;
    return false;
}

static void judge_bridge(const struct evidence *evidence, const struct host_view *view,
                         const char *planned, struct findings *findings)
{
    const struct record_net *net = &evidence->record->net;
    bool strange = net->has_bridge_addresses && planned != NULL && !bridge_has_subnet(net, planned);
    if (view->reached || (net->bridge_up != 0 && !strange))
        return;
    struct finding *finding =
        findings_add(findings, "host.bridge", "host.bridge-misconfigured", SEVERITY_ERROR, 0.95);
    const char *bridge = net->bridge != NULL ? net->bridge : "the bridge";
    if (net->bridge_up == 0)
        finding_say(finding, "%s is down", bridge);
    else if (net->n_bridge_addresses == 0)
        finding_say(finding, "%s has no address", bridge);
    else
        finding_say(finding, "%s has the address %s, and the guest is planned to have %s", bridge,
                    net->bridge_addresses[0], planned);
    finding_fact(finding, -1, "net: %s %s, address %s", bridge, net->bridge_up == 0 ? "down" : "up",
                 net->n_bridge_addresses > 0 ? net->bridge_addresses[0] : "none");
    if (view->last != NULL)
        host_view_quote(finding, view->last);
}

bool whereabouts_judge(const struct evidence *evidence, const struct frames *frames,
                       const struct host_view *view, struct findings *findings)
{
    char buffer[WHEREABOUTS_SIZE];
    const char *planned = whereabouts_planned(evidence, view, buffer);
    judge_bridge(evidence, view, planned, findings);
    bool elsewhere = judge_url(evidence, view, findings);
    judge_sharing(evidence, frames, planned, findings);
    judge_impostor(evidence, frames, view, findings);
    if (planned != NULL)
        judge_other(evidence, frames, view, planned, findings);
    return elsewhere;
}
