/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network: the guest's card, its driver, its interface and its link, as the kernel, udev, kmod,
 * systemd-networkd, NetworkManager, dhcpcd and ifupdown tell of them. What these lines amount to is
 * decided in ladder.c.
 *
 * Sources of the wording: Linux 4.14 to 6.12 (drivers/pci/probe.c, net/core/dev.c,
 * drivers/base/dd.c, net/ipv6/addrconf.c, kernel/module), systemd 245 to 257 (src/network,
 * src/modules-load, src/udev), kmod 30, iproute2 6.1, ifupdown 0.8, dhcpcd 9, NetworkManager 1.42,
 * cloud-init 22.4.
 */
#include "analyzers/analyzer.h"
#include "analyzers/ladder.h"

#define CARD_DRIVERS                                                                               \
    "virtio[_-]net|net_failover|e1000e?|vmxnet3|ena|ixgbevf|8139(?:cp|too)|xen-netfront"

static const struct rule rules[] = {
    {
        .id = "network.nic-on-bus",
        .severity = SEVERITY_NOTE,
        .speaker = SPEAKER_KERNEL,
        .pattern = "^pci \\S+: \\[[0-9a-f]{4}:[0-9a-f]{4}\\] type 00 class 0x0200",
        .literal = " class 0x0200",
        .summary = "A network card is on the bus",
        .sample = "[    1.037361] pci 0000:00:02.0: [1af4:1000] type 00 class 0x020000",
        .near_miss = "[    1.023707] pci 0000:00:01.0: [1af4:1001] type 00 class 0x010000",
    },
    {
        .id = "network.pci-bus",
        .speaker = SPEAKER_KERNEL,
        .pattern = "^pci \\S+: \\[[0-9a-f]{4}:[0-9a-f]{4}\\] type 0",
        .literal = " type 0",
        .summary = "The kernel lists what is on its PCI bus",
        .sample = "[    1.023707] pci 0000:00:01.0: [1af4:1001] type 00 class 0x010000",
        .near_miss = "[    1.017795] pci_bus 0000:00: root bus resource [io  0x0d00-0xffff window]",
    },
    {
        .id = "network.one-mmio-device",
        .speaker = SPEAKER_KERNEL,
        .pattern =
            "^(?:Kernel c|C)ommand line: (?!(?:.*virtio_mmio\\.device=){2}).*virtio_mmio\\.device=",
        .literal = "virtio_mmio.device=",
        .summary = "The VMM gives the guest a single virtio device, its root drive",
        .sample = "[    0.000000] Command line: console=ttyS0 root=/dev/vda rw "
                  "virtio_mmio.device=4K@0xd0000000:5",
        .near_miss = "[    0.000000] Command line: console=ttyS0 root=/dev/vda rw "
                     "virtio_mmio.device=4K@0xd0000000:5 virtio_mmio.device=4K@0xd0001000:6",
    },
    {
        .id = "network.more-mmio-devices",
        .speaker = SPEAKER_KERNEL,
        .pattern = "^(?:Kernel c|C)ommand line: (?:.*virtio_mmio\\.device=){2}",
        .literal = "virtio_mmio.device=",
        .summary = "The VMM gives the guest more than its root drive",
        .sample = "[    0.000000] Command line: console=ttyS0 root=/dev/vda rw "
                  "virtio_mmio.device=4K@0xd0000000:5 virtio_mmio.device=4K@0xd0001000:6",
        .near_miss = "[    0.000000] Command line: console=ttyS0 root=/dev/vda rw "
                     "virtio_mmio.device=4K@0xd0000000:5",
    },
    {
        .id = "network.old-names",
        .speaker = SPEAKER_KERNEL,
        .pattern = "^(?:Kernel c|C)ommand line: .*\\bnet\\.ifnames=0\\b",
        .literal = "net.ifnames=0",
        .summary = "The command line wants interfaces to be called eth0, eth1 ...",
        .sample = "[    0.000000] Command line: console=ttyS0 root=/dev/vda rw net.ifnames=0",
        .near_miss = "[    0.000000] Command line: console=ttyS0 root=/dev/vda rw net.ifnames=1",
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
        .speaker = SPEAKER_KERNEL,
        .pattern = "^(?:virtio_net|e1000e?|vmxnet3|ena|xen_netfront)\\S* \\S+ %{IFACE}|"
                   "^virtio_net virtio\\d+: (?!probe )",
        .summary = "A driver took the network card",
        .sample = "[    3.1] virtio_net virtio1 eth0: renamed from veth",
        .near_miss = "[    3.1] virtio_blk virtio0: [vda] 718848 512-byte logical blocks",
    },
    {
        .id = "network.device-unit",
        .milestone = "nic-found",
        .pattern = "^(?:Found device |Started ifup@)(?:\\S*?-)?(%{IFACE})\\.",
        .summary = "systemd saw the interface $1",
        .sample = "[  OK  ] Started ifup@eth0.service - ifup for eth0.",
        .near_miss = "[  OK  ] Found device dev-ttyS0.device - /dev/ttyS0.",
    },
    {
        .id = "network.networkd-interface",
        .milestone = "nic-found",
        .pattern =
            "^%{IFACE}: (?:found matching network|Configuring with|Link UP|IPv6 successfully|"
            "Gained IPv6LL|Configuring|Link is not managed|Failed$|Could not |Interface name "
            "change)",
        .summary = "systemd-networkd handles an interface",
        .sample = "[   11.349186] systemd-networkd[123]: eth0: Link UP",
        .near_miss = "[   11.083008] systemd-networkd[123]: lo: Link UP",
    },
    {
        .id = "network.client-interface",
        .milestone = "nic-found",
        .pattern = "^(?:(?:Listening|Sending) on +LPF/%{IFACE}/|%{IFACE}: (?:carrier acquired|"
                   "waiting for carrier|IAID |soliciting a )|(?:<\\w+> +\\[[\\d.]+\\] )?device "
                   "\\(%{IFACE}\\): |"
                   "ci-info: \\| *%{IFACE} *\\| *(?:True|False))",
        .summary = "A network program works with an interface",
        .sample = "[   14.1] dhclient[99]: Listening on LPF/eth0/02:fc:c0:a8:64:05",
        .near_miss = "[   14.1] dhclient[99]: Listening on LPF/lo/",
    },
    {
        .id = "network.configured-by",
        .milestone = "nic-found",
        .pattern = "^%{IFACE}: Configuring with",
        .summary = "systemd-networkd has a configuration for the interface",
        .sample = "[   11.18] systemd-networkd[123]: eth0: Configuring with "
                  "/etc/systemd/network/20.network.",
        .near_miss = "[   11.18] systemd-networkd[123]: eth0: found matching network "
                     "'/etc/systemd/network/20.network'",
    },
    {
        .id = "network.file-ignored",
        .severity = SEVERITY_ERROR,
        .pattern = "^(?:(\\S+\\.network): No valid settings found in the \\[Match\\] section, "
                   "ignoring file|Failed to (?:open|read|parse) (?:configuration )?file "
                   "'(\\S+\\.network)')",
        .literal = ".network",
        .summary = "systemd-networkd ignores $1$2",
        .sample = "[   10.8] systemd-networkd[108]: /etc/systemd/network/20-eth0.network: No valid "
                  "settings found in the [Match] section, ignoring file.",
        .near_miss = "[   10.7] systemd-networkd[108]: /etc/systemd/network/20-eth0.network:1: "
                     "Assignment outside of section. Ignoring.",
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
            "^(?:%{IFACE}: (?:Gained carrier|carrier acquired)|(?:IPv6: "
            ")?ADDRCONF\\(NETDEV_(?:CHANGE|"
            "UP)\\): %{IFACE}: link becomes ready|.*%{IFACE}:? (?:NIC )?[lL]ink is [uU]p|"
            ".*device \\(%{IFACE}\\): carrier: link connected|ci-info: \\| *%{IFACE} *\\| *True)",
        .summary = "The interface has carrier",
        .sample = "[   11.461070] systemd-networkd[123]: eth0: Gained carrier",
        .near_miss = "[   11.090592] systemd-networkd[123]: lo: Gained carrier",
    },
    {
        .id = "network.no-carrier",
        .severity = SEVERITY_NOTE,
        .pattern = "^(?=.*(?:NO-CARRIER|Lost carrier|link is not ready|ink is [dD]own|no carrier|"
                   "waiting for carrier|carrier lost|link disconnected|Network is down|"
                   "Could not bring up interface|could not bring up interface)).*%{IFACE}",
        .summary = "The interface has no carrier",
        .sample = "[   11.4] IPv6: ADDRCONF(NETDEV_UP): eth0: link is not ready",
        .near_miss = "[   11.4] IPv6: ADDRCONF(NETDEV_CHANGE): eth0: link becomes ready",
    },
    {
        .id = "network.interface-down",
        .severity = SEVERITY_NOTE,
        .pattern =
            "^(?:ci-info: \\| *%{IFACE} *\\| *False|\\d+: %{IFACE}: <(?!.*\\bUP\\b)[A-Z,_]+> )",
        .summary = "Nobody has switched the interface on",
        .sample =
            "[   18.4] cloud-init[311]: ci-info: |  ens3  | False |     .     |     .     |   "
            ".   | 1e:01:fd:00:00:24 |",
        .near_miss = "[   18.4] cloud-init[311]: ci-info: |  ens3  | True | 10.0.2.15 | "
                     "255.255.255.0 | global | 1e:01:fd:00:00:24 |",
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
        .id = "network.device-timeout",
        .severity = SEVERITY_ERROR,
        .pattern = "^(?:Timed out waiting for device |Dependency failed for ifup@)(?:\\S*?-)?"
                   "(%{IFACE})\\.",
        .summary = "systemd waited for the interface $1, and it never came",
        .sample = "[ TIME ] Timed out waiting for device sys-subsystem-net-devices-eth0.device - "
                  "/sys/subsystem/net/devices/eth0.",
        .near_miss = "[ TIME ] Timed out waiting for device dev-vdb.device - /dev/vdb.",
    },
    {
        .id = "network.module-missing",
        .severity = SEVERITY_ERROR,
        .pattern =
            "(?:FATAL: Module|[Ff]ailed to (?:find|load|insert) module|could not find module|"
            "[Mm]odule|modprobe: can't load module|could not insert) '?(" CARD_DRIVERS
            ")(?:\\.ko)?'?(?: not found|\\b.*(?:failed to load|No such file|[Ii]nvalid|Unknown "
            "symbol|Exec format)|$)",
        .summary = "The driver $1 of the network card is not in the image",
        .sample = "[    5.8] systemd-modules-load[101]: Failed to find module 'virtio_net'",
        .near_miss = "[    2.988552] systemd[1]: Failed to find module 'autofs4'",
    },
    {
        .id = "network.module-broken",
        .severity = SEVERITY_ERROR,
        .speaker = SPEAKER_KERNEL,
        .pattern = "^(?:" CARD_DRIVERS "|failover): (?:disagrees about version of symbol|Unknown "
                   "symbol|version magic '[^']*' should be|Loading of (?:unsigned )?module)",
        .summary = "The driver of the network card belongs to another kernel",
        .sample = "[    5.8] virtio_net: disagrees about version of symbol module_layout",
        .near_miss = "[    5.8] virtio_net: module verification failed: signature and/or required "
                     "key missing - tainting kernel",
    },
    {
        .id = "network.driver-failed",
        .severity = SEVERITY_ERROR,
        .speaker = SPEAKER_KERNEL,
        .pattern =
            "^(" CARD_DRIVERS ")\\b.*?: (?:probe of \\S+ failed with error|probe with driver "
            "\\S+ failed with error) (-\\d+)",
        .summary = "The driver $1 cannot use the network card: error $2",
        .sample = "[    2.1] virtio_net: probe of virtio1 failed with error -2",
        .near_miss = "[    2.1] virtio_blk: probe of virtio0 failed with error -22",
    },
    {
        .id = "network.no-modules",
        .severity = SEVERITY_NOTE,
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
        .severity = SEVERITY_ERROR,
        .pattern =
            "(?:Cannot find device \"(%{IFACE})\"|\\b(%{IFACE}): (?:ERROR while getting "
            "interface flags: |SIOC\\w+: |unable to [^:]*: )?No such device|SIOC\\w+: No such "
            "device|(?:Unknown|ignoring unknown) interface (%{IFACE})|IP-Config: Device `"
            "(%{IFACE})' not found|Device \"%{IFACE}\" does not exist|IP-Config: No network "
            "devices available|ipconfig: no devices to configure|No broadcast interfaces found)",
        .summary = "The configured interface does not exist in the guest",
        .sample = "[    9.1] ifup[99]: Cannot find device \"eth0\"",
        .near_miss = "[    9.1] ifup[99]: Cannot find file \"eth0\"",
    },
    {
        .id = "network.setup-failed",
        .severity = SEVERITY_ERROR,
        .pattern =
            "(?:\\bfailed to bring up (%{IFACE})|^%{IFACE}: Failed$|couldn't read interfaces "
            "file|no dhcp clients found|missing required configuration variables for "
            "interface|device \\(%{IFACE}\\): .*-> failed \\(reason)",
        .summary = "The interface could not be set up",
        .sample = "[    9.2] ifup[99]: ifup: failed to bring up eth0",
        .near_miss = "[    9.2] app[99]: failed to bring up ethereal plane",
    },
};

const struct analyzer analyzer_network = {
    .name = "network",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .run = ladder_judge,
};
