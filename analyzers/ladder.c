/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Silence only counts where somebody who would speak is heard: systemd-networkd names every
 * interface that it manages, and udev says once that a real interface came up. The kernel says
 * nothing when virtio_net works.
 */
#include "analyzers/ladder.h"

#include <string.h>

#include "analyzers/stage.h"

/* Somebody in the guest says that it has a usable address. */
static bool has_address(const struct evidence *evidence)
{
    return stage_reached(evidence, STAGE_ADDRESS_ACQUIRED);
}

static const struct hit *waiting_hit(const struct evidence *evidence)
{
    for (const struct hit *hit = evidence_next(evidence, "init.job-starting", NULL); hit != NULL;
         hit = evidence_next(evidence, "init.job-starting", hit))
        if (hit->captures[0] != NULL && (strstr(hit->captures[0], "wait-online") != NULL ||
                                         strstr(hit->captures[0], "it for Network") != NULL))
            return hit;
    return NULL;
}

static void quote_ladder(const struct evidence *evidence, struct finding *finding)
{
    static const char *const steps[] = {"network.udev-interface", "network.nic-on-bus",
                                        "network.networkd-ready", "network.wait-timeout",
                                        "agent.ready-without-address"};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        const struct hit *hit = evidence_first(evidence, steps[i]);
        if (hit != NULL)
            finding_hit(finding, hit);
    }
    const struct hit *waits = waiting_hit(evidence);
    if (waits != NULL)
        finding_hit(finding, waits);
}

/* True: an argument of the VMM gives it a network card; false: none does. */
static bool argv_has_nic(char *const *argv)
{
    for (; *argv != NULL; argv++)
        if (strstr(*argv, "virtio-net") != NULL || strstr(*argv, "e1000") != NULL ||
            strstr(*argv, "host_dev_name") != NULL || strncmp(*argv, "-nic", 4) == 0)
            return true;
    return false;
}

/*
 * What is absent weighs less where the whole console fell silent: then more than the network may
 * hang. `weight` of a console that went on is 1.
 */
static void judge_missing_interface(const struct evidence *evidence, double weight,
                                    struct findings *findings)
{
    char *const *argv = evidence->record->vmm.argv;
    bool on_bus =
        evidence_count(evidence, "network.nic-on-bus") > 0 || (argv != NULL && argv_has_nic(argv));
    bool bus_is_pci = evidence_count(evidence, "network.pci-bus") > 0;
    bool no_nic = (argv != NULL && !argv_has_nic(argv)) || (argv == NULL && bus_is_pci && !on_bus);
    struct finding *finding =
        no_nic ? findings_add(findings, "network.no-nic", "network.device-missing", SEVERITY_ERROR,
                              (argv != NULL ? 0.9 : 0.6) * weight)
               : findings_add(findings, "network.no-interface", "network.driver-missing",
                              SEVERITY_ERROR, (on_bus ? 0.85 : 0.6) * weight);
    finding_say(finding,
                no_nic ? "The VM has no network card"
                       : "The VM has a network card, but the guest never got an interface for "
                         "it: its driver is missing");
    quote_ladder(evidence, finding);
}

static void judge_unconfigured(const struct evidence *evidence, double weight,
                               struct findings *findings)
{
    const struct hit *renamed = evidence_first(evidence, "network.interface-renamed");
    struct finding *finding =
        renamed != NULL ? findings_add(findings, "network.renamed-unmatched",
                                       "network.interface-renamed", SEVERITY_ERROR, 0.75 * weight)
                        : findings_add(findings, "network.unmanaged", "network.not-configured",
                                       SEVERITY_ERROR, 0.85 * weight);
    finding_say(finding,
                renamed != NULL
                    ? "The interface got another name, and no configuration matches it"
                    : "The guest has a network interface, but no configuration matches it: "
                      "nobody set it up");
    if (renamed != NULL)
        finding_hit(finding, renamed);
    quote_ladder(evidence, finding);
}

static void judge_no_link(const struct evidence *evidence, double weight, struct findings *findings)
{
    const struct hit *carrier = evidence_last(evidence, "network.no-carrier");
    struct finding *finding =
        findings_add(findings, "network.no-link", "network.link-down", SEVERITY_ERROR,
                     (carrier != NULL ? 0.88 : 0.75) * weight);
    finding_say(finding, "The interface is configured and never got carrier");
    finding_hit(finding, evidence_first(evidence, "network.configured-by"));
    if (carrier != NULL)
        finding_hit(finding, carrier);
}

static void judge_no_lease(const struct evidence *evidence, double weight,
                           struct findings *findings)
{
    const struct hit *carrier = evidence_last(evidence, "network.carrier");
    struct finding *finding = findings_add(findings, "network.link-without-lease",
                                           "network.no-lease", SEVERITY_ERROR, 0.75 * weight);
    finding_say(finding, "The interface has carrier and a configuration, and never got an address");
    if (carrier != NULL)
        finding_hit(finding, carrier);
    finding_hit(finding, evidence_first(evidence, "network.configured-by"));
}

/* systemd-networkd speaks on this console, was done with all interfaces, and time enough has
 * passed. */
static void judge_networkd(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *ready = evidence_first(evidence, "network.networkd-ready");
    const struct hit *login = evidence_last(evidence, "init.login-prompt");
    int64_t end_ms = evidence_end_ms(evidence);
    if (ready == NULL)
        return;
    bool waited = ready->near_ms >= 0 && end_ms - ready->near_ms >= STAGE_STUCK_MS;
    bool went_on = (login != NULL && login->seq > ready->seq) ||
                   stage_reached(evidence, STAGE_UNIT_STARTED) ||
                   evidence_count(evidence, "network.wait-timeout") > 0;
    if (!waited && !went_on)
        return;
    double weight = went_on ? 1.0 : 0.75;
    bool configured = evidence_count(evidence, "network.configured-by") > 0;
    bool link = stage_reached(evidence, STAGE_LINK_UP);
    if (!stage_reached(evidence, STAGE_NIC_FOUND))
        judge_missing_interface(evidence, weight, findings);
    else if (!configured && !link)
        judge_unconfigured(evidence, weight, findings);
    else if (configured && !link)
        judge_no_link(evidence, weight, findings);
    else if (configured)
        judge_no_lease(evidence, weight, findings);
}

/* The agent itself says that it has no address, where nobody else speaks of the network. */
static void judge_localhost(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *local = evidence_last(evidence, "agent.ready-without-address");
    if (local == NULL)
        return;
    struct finding *finding = findings_add(findings, "network.agent-without-address",
                                           "network.not-configured", SEVERITY_ERROR, 0.7);
    finding_say(finding, "The agent came up on a guest that has no address");
    finding_hit(finding, local);
    quote_ladder(evidence, finding);
}

static void judge_mismatch(const struct evidence *evidence, struct findings *findings)
{
    const char *expected = evidence->record->guest.expected_address;
    const struct hit *lease = evidence_last(evidence, "network.dhcp-address");
    const char *network = evidence->record->probe.network;
    if (expected == NULL || lease == NULL || network == NULL || strcmp(network, "tap") != 0 ||
        strstr(lease->text, expected) != NULL)
        return;
    struct finding *finding = findings_add(findings, "network.other-address",
                                           "network.address-mismatch", SEVERITY_ERROR, 0.9);
    finding_say(finding, "The guest got an address, and not %s, which is probed", expected);
    finding_hit(finding, lease);
}

void ladder_judge(const struct evidence *evidence, struct findings *findings)
{
    judge_mismatch(evidence, findings);
    if (has_address(evidence))
        return;
    judge_networkd(evidence, findings);
    judge_localhost(evidence, findings);
}
