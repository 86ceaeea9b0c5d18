/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Silence only counts where somebody who would speak is heard: systemd-networkd names every
 * interface that it manages, the agent its address, a capture every frame. The kernel says nothing
 * when virtio_net works.
 */
#include "analyzers/ladder.h"

#include <string.h>

#include "analyzers/rungs.h"
#include "analyzers/stage.h"

static const double weights[] = {
    [WINDOW_OPEN] = 0, [WINDOW_HALF] = 0.55, [WINDOW_SILENT] = 0.8, [WINDOW_CLOSED] = 1};

struct ladder {
    struct findings *findings;
    struct rungs rungs;
};

static void quote_ladder(const struct ladder *ladder, struct finding *finding)
{
    static const char *const steps[] = {"network.udev-interface", "network.nic-on-bus",
                                        "network.networkd-ready"};
    if (ladder->rungs.absent != NULL)
        finding_hit(finding, ladder->rungs.absent);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        const struct hit *hit = evidence_first(ladder->rungs.evidence, steps[i]);
        if (hit != NULL)
            finding_hit(finding, hit);
    }
    if (ladder->rungs.view.last != NULL && !ladder->rungs.view.reached)
        host_view_quote(finding, ladder->rungs.view.last);
}

static struct finding *blame(const struct ladder *ladder, const char *id, const char *cause,
                             double confidence, const struct hit *hit)
{
    struct finding *finding = findings_add(ladder->findings, id, cause, SEVERITY_ERROR, confidence);
    if (hit != NULL)
        finding_hit(finding, hit);
    return finding;
}

/* What an argument of the VMM says of a network card: 1 there is one, 0 there is none, -1 nothing
 * is known. */
static int argv_has_nic(char *const *argv)
{
    static const char *const cards[] = {"virtio-net", "e1000", "rtl8139", "vmxnet3",
                                        "host_dev_name"};
    if (argv == NULL)
        return -1;
    for (; *argv != NULL; argv++) {
        if (strstr(*argv, "firecracker") != NULL || strstr(*argv, "--config-file") != NULL)
            return -1; /* its cards stand in a file */
        for (size_t i = 0; i < sizeof(cards) / sizeof(cards[0]); i++)
            if (strstr(*argv, cards[i]) != NULL)
                return 1;
        if (strncmp(*argv, "-nic", 4) == 0)
            return 1;
    }
    return 0;
}

static void blame_card(const struct ladder *ladder, double weight)
{
    const struct evidence *evidence = ladder->rungs.evidence;
    int given = argv_has_nic(evidence->record->vmm.argv);
    bool on_bus = evidence_count(evidence, "network.nic-on-bus") > 0;
    on_bus |= evidence_count(evidence, "network.more-mmio-devices") > 0;
    bool lists_bus = evidence_count(evidence, "network.pci-bus") > 1 ||
                     evidence_count(evidence, "network.one-mmio-device") > 0;
    if (given == 0 || (given < 0 && lists_bus && !on_bus)) {
        struct finding *finding =
            blame(ladder, "network.no-nic", "network.device-missing",
                  (given == 0 ? 0.92 : 0.85) * weight, evidence_last(evidence, "network.pci-bus"));
        finding_say(finding, "The VM has no network card");
        quote_ladder(ladder, finding);
        return;
    }
    struct finding *finding =
        blame(ladder, "network.no-interface", "network.driver-missing",
              (given == 1 || on_bus ? 0.87 : 0.65) * weight, ladder->rungs.networkd);
    finding_say(finding, "The VM has a network card, but the guest never got an interface for it: "
                         "its driver is missing");
    quote_ladder(ladder, finding);
}

/* The name that the configuration expects: what it could not find, else what the kernel's command
 * line says. */
static const char *missing_name(const struct hit *hit)
{
    for (size_t i = 0; hit != NULL && i < EVIDENCE_MAX_CAPTURES; i++)
        if (hit->captures[i] != NULL && hit->captures[i][0] != '\0')
            return hit->captures[i];
    return NULL;
}

/* No interface of this guest can be called enp0s2 or the like (systemd.net-naming-scheme(7)). */
static bool keeps_old_names(const struct ladder *ladder)
{
    const struct evidence *evidence = ladder->rungs.evidence;
    const char *cmdline = evidence->record->guest.cmdline;
    return evidence_count(evidence, "network.old-names") > 0 ||
           (cmdline != NULL && strstr(cmdline, "net.ifnames=0") != NULL);
}

static void blame_name(const struct ladder *ladder)
{
    const struct hit *against = ladder->rungs.contradicted[RUNG_NAME];
    const struct hit *renamed = evidence_last(ladder->rungs.evidence, "network.interface-renamed");
    const char *name = missing_name(against);
    bool same = renamed != NULL && (name == NULL || strcmp(name, renamed->captures[1]) == 0);
    bool cannot_be = name != NULL && strncmp(name, "en", 2) == 0 && keeps_old_names(ladder);
    bool driver = ladder->rungs.climbed[RUNG_DRIVER] != NULL;
    if (!same && !cannot_be && !driver)
        blame_card(ladder, 0.9); /* or it never was renamed: a driver that works says nothing */
    double confidence = same ? 0.92 : cannot_be ? 0.86 : driver ? 0.78 : 0.4;
    struct finding *finding =
        blame(ladder, "network.name-unknown", "network.interface-renamed", confidence, against);
    if (same)
        finding_say(finding, "The configuration wants %s, which was renamed to %s",
                    renamed->captures[1], renamed->captures[0]);
    else
        finding_say(finding,
                    "The configuration wants %s, and the guest's interface has another name",
                    name != NULL ? name : "an interface that does not exist");
    const struct hit *other = same ? renamed : ladder->rungs.climbed[RUNG_DRIVER];
    if (other != NULL)
        finding_hit(finding, other);
    quote_ladder(ladder, finding);
}

static void blame_wrong(const struct ladder *ladder)
{
    const struct hit *wrong = ladder->rungs.wrong;
    bool placeholder = strcmp(evidence_rule(ladder->rungs.evidence, wrong)->id,
                              "network.placeholder-address") == 0;
    struct finding *finding = blame(ladder, "network.static-wrong", "network.static-invalid",
                                    placeholder ? 0.9 : 0.87, wrong);
    finding_say(finding, placeholder ? "A placeholder was left in the guest's address"
                                     : "The static network configuration is wrong");
    quote_ladder(ladder, finding);
}

static void blame_config(const struct ladder *ladder)
{
    struct finding *finding = blame(ladder, "network.setup-ended", "network.not-configured", 0.82,
                                    ladder->rungs.contradicted[RUNG_CONFIG]);
    finding_say(finding, "The interface is there, and setting it up failed or was never done");
    quote_ladder(ladder, finding);
}

/* systemd-networkd has named no interface but the loopback's, or none with a configuration. */
static void blame_unconfigured(const struct ladder *ladder, double weight)
{
    const struct hit *renamed = evidence_last(ladder->rungs.evidence, "network.interface-renamed");
    struct finding *finding = renamed != NULL
                                  ? blame(ladder, "network.renamed-unmatched",
                                          "network.interface-renamed", 0.8 * weight, renamed)
                                  : blame(ladder, "network.unmanaged", "network.not-configured",
                                          0.87 * weight, ladder->rungs.networkd);
    finding_say(finding,
                renamed != NULL
                    ? "The interface got another name, and no configuration matches it"
                    : "The guest has a network interface, but no configuration matches it: "
                      "nobody set it up");
    quote_ladder(ladder, finding);
}

/* Somebody says that no address ever came, which a static one would have. */
static double unless_waits(const struct ladder *ladder)
{
    return ladder->rungs.absent != NULL && !ladder->rungs.waits ? 0.84 : 0.75;
}

static void blame_link(const struct ladder *ladder, double weight)
{
    const struct hit *against = ladder->rungs.contradicted[RUNG_LINK];
    struct finding *finding =
        blame(ladder, "network.no-link", "network.link-down",
              (against != NULL ? 0.88 : unless_waits(ladder)) * weight, against);
    finding_say(finding, "The interface %s carrier",
                ladder->rungs.climbed[RUNG_LINK] != NULL ? "lost its"
                                                         : "is configured and never got");
    if (ladder->rungs.climbed[RUNG_CONFIG] != NULL)
        finding_hit(finding, ladder->rungs.climbed[RUNG_CONFIG]);
    quote_ladder(ladder, finding);
}

static bool was_answered(const struct frames *frames)
{
    return frames->seen[FRAME_OFFER].count > 0 || frames->seen[FRAME_ACK].count > 0 ||
           frames->seen[FRAME_NAK].count > 0;
}

static void blame_server(const struct ladder *ladder)
{
    const struct frames_seen *discover = &ladder->rungs.frames.seen[FRAME_DISCOVER];
    struct finding *finding =
        blame(ladder, "network.discover-unanswered", "host.dhcp-server-silent", 0.93,
              ladder->rungs.contradicted[RUNG_ADDRESS]);
    finding_say(finding, "The guest asked for a lease %u times in %.0f s, and nobody answered",
                discover->count, (double)(discover->last_ms - discover->first_ms) / 1000);
    finding_fact(finding, ladder->rungs.frames.since_start ? discover->first_ms : -1,
                 "net.pcap: DHCPDISCOVER %u times, no answer", discover->count);
    quote_ladder(ladder, finding);
}

/* The server is only to blame where a capture shows that it said nothing. */
static void blame_lease(const struct ladder *ladder, double weight)
{
    const struct frames *frames = &ladder->rungs.frames;
    const struct hit *against = ladder->rungs.contradicted[RUNG_ADDRESS];
    const struct hit *asks = evidence_last(ladder->rungs.evidence, "network.dhcp-asking");
    bool refused = frames->seen[FRAME_NAK].count > 0 ||
                   evidence_count(ladder->rungs.evidence, "network.dhcp-refused") > 0;
    if (frames->seen[FRAME_DISCOVER].count > 1 && !was_answered(frames) && !frames->cut) {
        blame_server(ladder);
        return;
    }
    double said = against != NULL ? 0.9 : refused || asks != NULL ? 0.85 : unless_waits(ladder);
    struct finding *finding = blame(ladder, "network.link-without-lease", "network.no-lease",
                                    said * weight, against != NULL ? against : asks);
    finding_say(finding, refused ? "The DHCP server refused the guest a lease"
                                 : "The guest's interface is up, and never got an address by DHCP");
    quote_ladder(ladder, finding);
}

/* It got another name, and whoever configures it did not say that all went well with that one. */
static const struct hit *renamed_in_vain(const struct rungs *rungs)
{
    const struct hit *renamed = evidence_last(rungs->evidence, "network.interface-renamed");
    return renamed != NULL && rungs->service_done != NULL && rungs->service_done->seq > renamed->seq
               ? NULL
               : renamed;
}

static void blame_renamed(const struct ladder *ladder, const struct hit *renamed, double confidence)
{
    struct finding *finding =
        blame(ladder, "network.renamed-unused", "network.interface-renamed", confidence, renamed);
    finding_say(finding, "The interface got another name, and never an address");
    quote_ladder(ladder, finding);
    if (!stage_reached(ladder->rungs.evidence, STAGE_LINK_UP)) {
        finding = blame(ladder, "network.link-unseen", "network.link-down", 0.31, NULL);
        finding_say(finding, "Nothing shows that the interface's link ever came up");
    }
}

/* It had one, by its own frames, and later neither the agent nor the host found it. */
static void blame_lost_address(const struct ladder *ladder)
{
    const struct frames *frames = &ladder->rungs.frames;
    struct finding *finding =
        blame(ladder, "network.address-gone", "network.link-down", 0.75, NULL);
    finding_say(finding, "The guest used the address %s, and then its interface fell silent",
                frames->addresses[0]);
    finding_fact(finding, frames->since_start ? frames->seen[FRAME_OF_GUEST].last_ms : -1,
                 "net.pcap: the guest's last frame of %u", frames->seen[FRAME_OF_GUEST].count);
    quote_ladder(ladder, finding);
}

/* Nobody on this console speaks of the network: only that there is no address is known, or not even
 * that. Then a job that waits for the network is the better answer. */
static void blame_unseen(const struct ladder *ladder, double weight)
{
    const struct rungs *rungs = &ladder->rungs;
    bool by_agent = evidence_count(rungs->evidence, "agent.ready-without-address") > 0;
    bool mute = rungs->frames.knows_guest && rungs->frames.seen[FRAME_OF_GUEST].count == 0;
    const struct hit *renamed = renamed_in_vain(rungs);
    double confidence = (by_agent ? 0.7 : rungs->waits ? 0.45 : 0.55) * weight;
    if (argv_has_nic(rungs->evidence->record->vmm.argv) == 0) {
        blame_card(ladder, weight);
        return;
    }
    if (rungs->frames.n_addresses > 0) {
        blame_lost_address(ladder);
        return;
    }
    if (renamed != NULL) {
        blame_renamed(ladder, renamed, confidence);
        return;
    }
    struct finding *finding =
        blame(ladder, "network.no-address", "network.not-configured", confidence, NULL);
    finding_say(finding, mute ? "The guest never sent a frame: nobody switched its interface on"
                         : by_agent ? "The agent came up on a guest that has no address"
                                    : "The guest never got an address");
    quote_ladder(ladder, finding);
    if (mute || evidence_count(rungs->evidence, "network.no-modules") > 0) {
        finding = blame(ladder, "network.mute", "network.driver-missing", 0.35 * weight, NULL);
        finding_say(finding, "The guest never used its network card: its driver may be missing");
        quote_ladder(ladder, finding);
    }
}

static void judge_absence(const struct ladder *ladder)
{
    double weight = weights[ladder->rungs.window];
    bool networkd = ladder->rungs.networkd != NULL;
    bool asks = ladder->rungs.frames.seen[FRAME_DISCOVER].count > 0 ||
                evidence_count(ladder->rungs.evidence, "network.dhcp-asking") > 0;
    if (asks)
        blame_lease(ladder, weight);
    else if (networkd && !rungs_reached(&ladder->rungs, RUNG_DRIVER))
        blame_card(ladder, weight);
    else if (networkd && ladder->rungs.service == NULL &&
             !rungs_reached(&ladder->rungs, RUNG_CONFIG))
        blame_unconfigured(ladder, weight);
    else if (networkd && ladder->rungs.climbed[RUNG_LINK] == NULL)
        blame_link(ladder, weight);
    else if (networkd)
        blame_lease(ladder, ladder->rungs.absent != NULL ? weight : 0.6 * weight);
    else
        blame_unseen(ladder, weight);
}

static void blame_service(const struct ladder *ladder)
{
    struct finding *finding = blame(ladder, "network.service-failed", "network.not-configured",
                                    0.85, ladder->rungs.service);
    finding_say(finding, "The guest's network service failed, so that nobody set the interface up");
    quote_ladder(ladder, finding);
}

/* While nobody knows how the boot went on, the driver may as well be built in. */
static void blame_driver(const struct ladder *ladder)
{
    const struct hit *against = ladder->rungs.contradicted[RUNG_DRIVER];
    bool open = ladder->rungs.window == WINDOW_OPEN && evidence_is_bare(ladder->rungs.evidence);
    struct finding *finding =
        blame(ladder, "network.no-driver", "network.driver-missing", open ? 0.7 : 0.92, against);
    const char *id = evidence_rule(ladder->rungs.evidence, against)->id;
    const char *driver = missing_name(against) != NULL ? missing_name(against) : "";
    if (strcmp(id, "network.module-broken") == 0)
        finding_say(finding, "The driver of the network card belongs to another kernel");
    else if (strcmp(id, "network.driver-failed") == 0)
        finding_say(finding, "The driver %s cannot use the network card", driver);
    else
        finding_say(finding, "The driver %s of the network card is not in the image", driver);
    quote_ladder(ladder, finding);
}

/*
 * It answers ARP for its address, and not one IP packet comes back, while the wait for its network
 * never ends: the address is there and the way back is not, as with a netmask of /32. A firewall
 * would let the wait end.
 */
static bool has_no_way_back(const struct rungs *rungs)
{
    const struct frames *frames = &rungs->frames;
    return rungs->absent != NULL && rungs->window == WINDOW_CLOSED && rungs->view.tap &&
           frames->seen[FRAME_GUEST_IS_AT].count > 0 && frames->seen[FRAME_DISCOVER].count == 0 &&
           frames->seen[FRAME_GUEST_ACCEPTS].count == 0 &&
           frames->seen[FRAME_GUEST_RESETS].count == 0 && frames->seen[FRAME_REJECTED].count == 0;
}

static void blame_way_back(const struct ladder *ladder)
{
    struct finding *finding =
        blame(ladder, "network.no-way-back", "network.static-invalid", 0.8, NULL);
    finding_say(finding, "The guest has its address and no route back: its netmask or gateway is "
                         "wrong");
    finding_fact(finding, -1,
                 "net.pcap: the guest answered ARP %u times, and none of %u connections",
                 ladder->rungs.frames.seen[FRAME_GUEST_IS_AT].count,
                 ladder->rungs.frames.seen[FRAME_SYN].count);
    quote_ladder(ladder, finding);
}

void ladder_judge(const struct evidence *evidence, struct findings *findings)
{
    struct ladder ladder = {.findings = findings};
    const struct rungs *rungs = &ladder.rungs;
    rungs_take(evidence, &ladder.rungs);
    double weight = weights[rungs->window];
    bool no_lease = rungs_broken(rungs, RUNG_ADDRESS);
    if (rungs_have_address(rungs)) {
        if (rungs_lost_link(rungs))
            blame_link(&ladder, 1);
        else if (has_no_way_back(rungs))
            blame_way_back(&ladder);
        return;
    }
    if (rungs_broken(rungs, RUNG_DRIVER))
        blame_driver(&ladder);
    else if (rungs_broken(rungs, RUNG_NAME))
        blame_name(&ladder);
    else if (rungs->wrong != NULL)
        blame_wrong(&ladder);
    else if (rungs_broken(rungs, RUNG_LINK) && (weight > 0 || no_lease))
        blame_link(&ladder, weight > 0 ? weight : 1);
    else if (no_lease)
        blame_lease(&ladder, 1);
    else if (rungs_broken(rungs, RUNG_CONFIG))
        blame_config(&ladder);
    else if (rungs->service != NULL && !rungs_reached(rungs, RUNG_LINK))
        blame_service(&ladder);
    else if (weight > 0)
        judge_absence(&ladder);
}
