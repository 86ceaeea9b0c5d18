/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dhcp: what the guest's DHCP clients say: systemd-networkd 245 to 257, dhclient 4.4, dhcpcd 9,
 * udhcpc, NetworkManager, the kernel's and klibc's IP-Config. What it amounts to is decided in
 * ladder.c, because a client that failed may try again.
 */
#include "analyzers/analyzer.h"

static const struct rule rules[] = {
    {
        .id = "network.dhcp-address",
        .milestone = "address-acquired",
        .pattern =
            "(?|^%{IFACE}: DHCPv4 address (%{IP})|^bound to (%{IP})|^DHCPACK of (%{IP})|^DHCPACK "
            "from |^%{IFACE}: (?:re)?leased (%{IP}) for|^(?:udhcpc: )?[lL]ease of (%{IP}) obtained|"
            "^IP-Config: Got DHCP answer from %{IP}, my address is (%{IP})|^IP-Config: %{IFACE} "
            "complete \\(dhcp|dhcp4 \\(%{IFACE}\\):.*?\\baddress[ =]+(%{IP}))",
        .summary = "The guest got an address by DHCP",
        .sample =
            "[   11.622891] systemd-networkd[123]: eth0: DHCPv4 address 10.0.2.15/24, gateway "
            "10.0.2.2 acquired from 10.0.2.2",
        .near_miss = "[   11.622891] systemd-networkd[123]: eth0: DHCPv4 address conflict",
    },
    {
        .id = "network.dhcp-asking",
        .severity = SEVERITY_NOTE,
        .pattern =
            "^(?:DHCPDISCOVER on (?!lo\\b)\\S+|(?:udhcpc: )?(?:sending|broadcasting) discover|"
            "Sending discover\\.\\.\\.|%{IFACE}: soliciting a (?:DHCP |new )?lease|Sending DHCP "
            "requests|.*dhcp4 \\(%{IFACE}\\): activation: beginning transaction|IP-Config: "
            "%{IFACE} hardware address .* DHCP)",
        .summary = "The guest asks for a DHCP lease",
        .sample =
            "[   14.1] dhclient[99]: DHCPDISCOVER on eth0 to 255.255.255.255 port 67 interval 6",
        .near_miss = "[   14.1] dhclient[99]: DHCPREQUEST for 10.0.2.15 on eth0",
    },
    {
        .id = "network.no-offer",
        .severity = SEVERITY_ERROR,
        .pattern =
            "^(?:No DHCPOFFERS received|No working leases in persistent database|(?:udhcpc: )?no "
            "lease, |No lease, (?:failing|forking)|%{IFACE}: DHCPv4 (?:client: )?timed out|"
            ".*dhcp4 \\(%{IFACE}\\): request timed out|IP-Config: (?:Retrying|Auto-configuration "
            "of "
            "network failed|no response after)|DHCP/BOOTP: Ignoring|Sending DHCP requests[ "
            ".,]+timed "
            "out|Unable to obtain a lease on first try|.*reason 'ip-config-unavailable')",
        .summary = "The guest asked for a DHCP lease and got none",
        .sample = "[   74.1] dhclient[99]: No DHCPOFFERS received.",
        .near_miss = "[   14.1] dhclient[99]: DHCPOFFER of 10.0.2.15 from 10.0.2.2",
    },
    {
        .id = "network.dhcp-refused",
        .severity = SEVERITY_ERROR,
        .pattern =
            "^(?:DHCPNAK from|(?:udhcpc: )?received DHCP NAK|%{IFACE}: (?:DHCPv4 client: )?NAK"
            "[: ]|.*dhcp4 \\(%{IFACE}\\):.*\\bnak\\b)",
        .summary = "The DHCP server refused the address that the guest asked for",
        .sample = "[   14.2] dhclient[99]: DHCPNAK from 192.168.100.1",
        .near_miss = "[   14.2] dhclient[99]: DHCPACK of 192.168.100.5 from 192.168.100.1",
    },
    {
        /* A guest that shuts down says so, too. */
        .id = "network.lease-lost",
        .severity = SEVERITY_NOTE,
        .pattern = "^%{IFACE}: (?:DHCP(?:v4)? lease (?:lost|expired)|DHCPv4 address \\S+ lost)",
        .summary = "The guest lost its DHCP lease",
        .sample = "[   90.2] systemd-networkd[123]: eth0: DHCP lease lost",
        .near_miss = "[   90.2] dnsmasq[9]: DHCP lease lost",
    },
};

const struct analyzer analyzer_dhcp = {
    .name = "dhcp",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
};
