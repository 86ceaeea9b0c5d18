/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network: a ladder of NIC on the bus, driver, interface, link, DHCP, address; each rung seen,
 * contradicted or silent. Silence only counts where somebody who would speak is heard:
 * systemd-networkd names every interface that it manages, and udev says once that a real interface
 * came up. The kernel says nothing when virtio_net works.
 */
#include <string.h>

#include "analyzers/analyzer.h"
#include "analyzers/stage.h"

static const struct rule rules[] = {
    {
        .id = "network.nic-on-bus",
        .severity = SEVERITY_NOTE,
        .pattern = "^pci \\S+: \\[[0-9a-f]{4}:[0-9a-f]{4}\\] type 00 class 0x0200",
        .literal = " class 0x0200",
        .summary = "A network card is on the bus",
        .sample = "[    1.037361] pci 0000:00:02.0: [1af4:1000] type 00 class 0x020000",
        .near_miss = "[    1.023707] pci 0000:00:01.0: [1af4:1001] type 00 class 0x010000",
    },
    {
        .id = "network.pci-bus",
        .pattern = "^PCI host bridge to bus ",
        .literal = "PCI host bridge to bus ",
        .summary = "The kernel lists what is on its PCI bus",
        .sample = "[    1.017287] PCI host bridge to bus 0000:00",
        .near_miss = "[    1.017795] pci_bus 0000:00: root bus resource [io  0x0d00-0xffff window]",
    },
    {
        .id = "network.udev-interface",
        .milestone = "nic-found",
        .pattern = "^Network interface NamePolicy= disabled on kernel command line",
        .literal = "Network interface NamePolicy=",
        .summary = "udev saw a network interface",
        .sample =
            "[   10.642035] (udev-worker)[126]: Network interface NamePolicy= disabled on kernel "
            "command line.",
        .near_miss =
            "[    8.142800] systemd-udevd[117]: Using default interface naming scheme 'v252'.",
    },
    {
        .id = "network.interface-renamed",
        .milestone = "nic-found",
        .severity = SEVERITY_NOTE,
        .pattern = "\\b(\\w+): renamed from (eth\\d+)",
        .literal = ": renamed from eth",
        .summary = "The interface $2 was renamed to $1",
        .sample = "[    3.1] virtio_net virtio1 enp0s2: renamed from eth0",
        .near_miss = "[    3.1] app[1]: file renamed from ethics",
    },
    {
        .id = "network.driver-bound",
        .milestone = "nic-found",
        .pattern = "^(?:virtio_net|e1000e?|vmxnet3|ena|xen_netfront)\\S* \\S+ %{IFACE}",
        .summary = "A driver took the network card",
        .sample = "[    3.1] virtio_net virtio1 eth0: renamed from veth",
        .near_miss = "[    3.1] virtio_blk virtio0: [vda] 718848 512-byte logical blocks",
    },
    {
        .id = "network.networkd-interface",
        .milestone = "nic-found",
        .pattern =
            "^%{IFACE}: (?:found matching network|Configuring with|Link UP|IPv6 successfully|"
            "Gained IPv6LL|Configuring|Link is not managed)",
        .summary = "systemd-networkd handles an interface",
        .sample = "[   11.349186] systemd-networkd[123]: eth0: Link UP",
        .near_miss = "[   11.083008] systemd-networkd[123]: lo: Link UP",
    },
    {
        .id = "network.configured-by",
        .milestone = "nic-found",
        .pattern = "^%{IFACE}: (?:found matching network|Configuring with)",
        .summary = "systemd-networkd has a configuration for the interface",
        .sample = "[   11.18] systemd-networkd[123]: eth0: Configuring with "
                  "/etc/systemd/network/20.network.",
        .near_miss = "[   11.34] systemd-networkd[123]: eth0: Link UP",
    },
    {
        .id = "network.networkd-ready",
        .pattern = "^Enumeration completed$",
        .literal = "Enumeration completed",
        .summary = "systemd-networkd has looked at all interfaces",
        .sample = "[   11.127780] systemd-networkd[123]: Enumeration completed",
        .near_miss = "[   11.127780] app[1]: Enumeration completed with errors",
    },
    {
        .id = "network.carrier",
        .milestone = "link-up",
        .pattern =
            "^(?:%{IFACE}: Gained carrier|IPv6: ADDRCONF\\(NETDEV_(?:CHANGE|UP)\\): %{IFACE}: link "
            "becomes ready|.*%{IFACE}:? (?:NIC )?[lL]ink is [uU]p)",
        .summary = "The interface has carrier",
        .sample = "[   11.461070] systemd-networkd[123]: eth0: Gained carrier",
        .near_miss = "[   11.090592] systemd-networkd[123]: lo: Gained carrier",
    },
    {
        .id = "network.no-carrier",
        .severity = SEVERITY_NOTE,
        .pattern = "^(?=.*(?:NO-CARRIER|Lost carrier|link is not ready|ink is [dD]own|no "
                   "carrier)).*%{IFACE}",
        .summary = "The interface has no carrier",
        .sample = "[   11.4] IPv6: ADDRCONF(NETDEV_UP): eth0: link is not ready",
        .near_miss = "[   11.4] IPv6: ADDRCONF(NETDEV_CHANGE): eth0: link becomes ready",
    },
    {
        .id = "network.dhcp-address",
        .milestone = "address-acquired",
        .pattern =
            "^(?:%{IFACE}: DHCPv4 address (%{IP})|bound to (%{IP})|DHCPACK (?:of|from) (%{IP})|"
            "%{IFACE}: leased (%{IP}) for|.*[lL]ease of (?:%{IP}) obtained|IP-Config: Complete|"
            ".*dhcp4 \\(%{IFACE}\\):.*address[ =](?:%{IP}))",
        .summary = "The guest got an address by DHCP",
        .sample =
            "[   11.622891] systemd-networkd[123]: eth0: DHCPv4 address 10.0.2.15/24 acquired "
            "from 10.0.2.2",
        .near_miss = "[   11.622891] systemd-networkd[123]: eth0: DHCPv4 address conflict",
    },
    {
        .id = "network.dhcp-asking",
        .severity = SEVERITY_NOTE,
        .pattern = "^(?:DHCPDISCOVER on \\S+|udhcpc: (?:sending|broadcasting) discover|%{IFACE}: "
                   "soliciting a DHCP lease|Sending DHCP requests)",
        .summary = "The guest asks for a DHCP lease",
        .sample =
            "[   14.1] dhclient[99]: DHCPDISCOVER on eth0 to 255.255.255.255 port 67 interval 6",
        .near_miss = "[   14.1] dhclient[99]: DHCPREQUEST for 10.0.2.15 on eth0",
    },
    {
        .id = "network.no-offer",
        .cause = "network.no-lease",
        .severity = SEVERITY_ERROR,
        .confidence = 0.9,
        .pattern =
            "^(?:No DHCPOFFERS received|No working leases in persistent database|udhcpc: no "
            "lease|%{IFACE}: DHCPv4 (?:client: )?timed out|.*dhcp4 \\(%{IFACE}\\): request timed "
            "out|IP-Config: (?:Retrying|Auto-configuration of network failed)|DHCP/BOOTP: "
            "Ignoring)",
        .summary = "The guest asked for a DHCP lease and got none",
        .sample = "[   74.1] dhclient[99]: No DHCPOFFERS received.",
        .near_miss = "[   14.1] dhclient[99]: DHCPOFFER of 10.0.2.15 from 10.0.2.2",
    },
    {
        .id = "network.target",
        .milestone = "network-target",
        .pattern = "^Reached target (?:network(?:-online)?\\.target\\b|network(?:-onl?i?n?e?)?"
                   "\\xe2\\x80\\xa6|Network(?: is Online)?\\.?$)",
        .literal = "Reached target ",
        .summary = "systemd's network target is reached",
        .sample = "[  OK  ] Reached target network.target - Network.",
        .near_miss = "[  OK  ] Reached target network-pre.target - Preparation for Network.",
    },
    {
        .id = "network.wait-timeout",
        .severity = SEVERITY_ERROR,
        .pattern = "^(?:Timeout occurred while waiting for network connectivity|Event loop failed: "
                   "Connection timed out)",
        .summary = "The network did not come up in the time that the boot waits for it",
        .sample = "[  131.0] systemd-networkd-wait-online[130]: Timeout occurred while waiting for "
                  "network connectivity.",
        .near_miss = "[  131.0] app[130]: Timeout occurred while waiting for a lock",
    },
    {
        .id = "network.module-missing",
        .cause = "network.driver-missing",
        .severity = SEVERITY_ERROR,
        .confidence = 0.92,
        .pattern =
            "(?:FATAL: Module|[Ff]ailed to find module|could not find module|module|modprobe: "
            "can't load module|[Ff]ailed to insert module) '?(virtio[_-]net|net_failover|e1000e?|"
            "vmxnet3)'?(?: not found|\\b.*(?:failed to load|No such file|[Ii]nvalid)|$)",
        .summary = "The driver $1 of the network card is not in the image",
        .sample = "[    5.8] systemd-modules-load[101]: Failed to find module 'virtio_net'",
        .near_miss = "[    2.988552] systemd[1]: Failed to find module 'autofs4'",
    },
    {
        .id = "network.module-broken",
        .cause = "network.driver-missing",
        .severity = SEVERITY_ERROR,
        .confidence = 0.9,
        .pattern =
            "^(?:virtio_net|net_failover|e1000e?): (?:disagrees about version of symbol|Unknown "
            "symbol|version magic '[^']*' should be)",
        .summary = "The driver of the network card belongs to another kernel",
        .sample = "[    5.8] virtio_net: disagrees about version of symbol module_layout",
        .near_miss = "[    5.8] virtio_blk: disagrees about version of symbol module_layout",
    },
    {
        .id = "network.no-modules",
        .cause = "network.driver-missing",
        .severity = SEVERITY_NOTE,
        .confidence = 0.5,
        .pattern = "could not open (?:directory|moddep file|builtin file) "
                   "'?/lib/modules/\\S+|/lib/modules/"
                   "\\S+: No such file",
        .literal = "/lib/modules/",
        .summary = "The image has no modules for the running kernel",
        .sample =
            "[    5.8] modprobe[99]: modprobe: ERROR: could not open directory /lib/modules/6.1.0: "
            "No such file or directory",
        .near_miss = "[    5.8] kmod[99]: reading /lib/modules/6.1.0/modules.dep",
    },
    {
        .id = "network.no-such-device",
        .cause = "network.driver-missing",
        .severity = SEVERITY_ERROR,
        .confidence = 0.55,
        .pattern = "(?:Cannot find device \"%{IFACE}\"|%{IFACE}: (?:ERROR while getting interface "
                   "flags: )?No "
                   "such device|SIOC\\w+: No such device)",
        .summary = "The configured interface does not exist in the guest",
        .sample = "[    9.1] ifup[99]: Cannot find device \"eth0\"",
        .near_miss = "[    9.1] ifup[99]: Cannot find file \"eth0\"",
    },
    {
        .id = "network.address-invalid",
        .cause = "network.static-invalid",
        .severity = SEVERITY_ERROR,
        .confidence = 0.85,
        .pattern = "(?:\\.network:\\d+: .*(?:[aA]ddress|[gG]ateway|[iI]nvalid|[fF]ailed to "
                   "parse).*|Nexthop has "
                   "invalid gateway|^ip: .*(?:any valid (?:prefix|address)|invalid)|IP-Config: .*"
                   "(?:[iI]nvalid|undefined)|^%{IFACE}: .*(?:[iI]nvalid (?:network )?address|Could "
                   "not set "
                   "(?:route|address)).*)",
        .summary = "The static network configuration is wrong",
        .sample = "[    9.1] systemd-networkd[99]: /etc/systemd/network/20-eth0.network:6: Address "
                  "'@IP@/24' is invalid, ignoring assignment",
        .near_miss = "[    9.1] systemd-networkd[99]: eth0: DHCPv4 address 10.0.2.15/24 acquired",
    },
};

enum { STUCK_MS = 10 * 1000 };

/* Somebody in the guest says that it has a usable address. */
static bool has_address(const struct evidence *evidence)
{
    return evidence_reached(evidence, stage_id(STAGE_ADDRESS_ACQUIRED));
}

static const struct hit *waiting_hit(const struct evidence *evidence)
{
    for (const struct hit *hit = evidence_next(evidence, "init.job-starting", NULL); hit;
         hit = evidence_next(evidence, "init.job-starting", hit))
        if (hit->captures[0] &&
            (strstr(hit->captures[0], "wait-online") || strstr(hit->captures[0], "it for Network")))
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
        if (hit)
            finding_hit(finding, hit);
    }
    const struct hit *waits = waiting_hit(evidence);
    if (waits)
        finding_hit(finding, waits);
}

/* True: an argument of the VMM gives it a network card; false: none does. */
static bool argv_has_nic(char *const *argv)
{
    for (; *argv; argv++)
        if (strstr(*argv, "virtio-net") || strstr(*argv, "e1000") ||
            strstr(*argv, "host_dev_name") || strncmp(*argv, "-nic", 4) == 0)
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
        evidence_count(evidence, "network.nic-on-bus") > 0 || (argv && argv_has_nic(argv));
    bool bus_is_pci = evidence_count(evidence, "network.pci-bus") > 0;
    bool no_nic = (argv && !argv_has_nic(argv)) || (!argv && bus_is_pci && !on_bus);
    struct finding *finding =
        no_nic ? findings_add(findings, "network.no-nic", "network.device-missing", SEVERITY_ERROR,
                              (argv ? 0.9 : 0.6) * weight)
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
        renamed ? findings_add(findings, "network.renamed-unmatched", "network.interface-renamed",
                               SEVERITY_ERROR, 0.75 * weight)
                : findings_add(findings, "network.unmanaged", "network.not-configured",
                               SEVERITY_ERROR, 0.85 * weight);
    finding_say(finding,
                renamed ? "The interface got another name, and no configuration matches it"
                        : "The guest has a network interface, but no configuration matches it: "
                          "nobody set it up");
    if (renamed)
        finding_hit(finding, renamed);
    quote_ladder(evidence, finding);
}

static void judge_no_link(const struct evidence *evidence, double weight, struct findings *findings)
{
    const struct hit *carrier = evidence_last(evidence, "network.no-carrier");
    struct finding *finding = findings_add(findings, "network.no-link", "network.link-down",
                                           SEVERITY_ERROR, (carrier ? 0.88 : 0.75) * weight);
    finding_say(finding, "The interface is configured and never got carrier");
    finding_hit(finding, evidence_first(evidence, "network.configured-by"));
    if (carrier)
        finding_hit(finding, carrier);
}

static void judge_no_lease(const struct evidence *evidence, double weight,
                           struct findings *findings)
{
    const struct hit *carrier = evidence_last(evidence, "network.carrier");
    struct finding *finding = findings_add(findings, "network.link-without-lease",
                                           "network.no-lease", SEVERITY_ERROR, 0.75 * weight);
    finding_say(finding, "The interface has carrier and a configuration, and never got an address");
    if (carrier)
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
    if (!ready)
        return;
    bool waited = ready->near_ms >= 0 && end_ms - ready->near_ms >= STUCK_MS;
    bool went_on = (login && login->seq > ready->seq) ||
                   evidence_reached(evidence, stage_id(STAGE_UNIT_STARTED)) ||
                   evidence_count(evidence, "network.wait-timeout") > 0;
    if (!waited && !went_on)
        return;
    double weight = went_on ? 1.0 : 0.75;
    bool configured = evidence_count(evidence, "network.configured-by") > 0;
    bool link = evidence_reached(evidence, stage_id(STAGE_LINK_UP));
    if (!evidence_reached(evidence, stage_id(STAGE_NIC_FOUND)))
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
    if (!local)
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
    if (!expected || !lease || !network || strcmp(network, "tap") != 0 ||
        strstr(lease->text, expected))
        return;
    struct finding *finding = findings_add(findings, "network.other-address",
                                           "network.address-mismatch", SEVERITY_ERROR, 0.9);
    finding_say(finding, "The guest got an address, and not %s, which is probed", expected);
    finding_hit(finding, lease);
}

static void run(const struct evidence *evidence, struct findings *findings)
{
    judge_mismatch(evidence, findings);
    if (has_address(evidence))
        return;
    judge_networkd(evidence, findings);
    judge_localhost(evidence, findings);
}

const struct analyzer analyzer_network = {"network", rules, sizeof(rules) / sizeof(rules[0]), run};
