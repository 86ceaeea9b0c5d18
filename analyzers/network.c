/* SPDX-License-Identifier: Apache-2.0 */
/* network: what the kernel, udev, systemd-networkd and DHCP clients say of the guest's network. */
#include "analyzers/analyzer.h"
#include "analyzers/ladder.h"

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

const struct analyzer analyzer_network = {
    .name = "network",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .run = ladder_judge,
};
