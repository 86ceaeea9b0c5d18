/* SPDX-License-Identifier: Apache-2.0 */
/*
 * address: addresses, routes and filters that were set by hand or by configuration, and who else
 * has the guest's address.
 *
 * Sources of the wording: systemd 245 to 257 (src/network), iproute2 6.1, net-tools 2.10, netplan
 * 0.106, Linux (net/ipv4/ipconfig.c, net/netfilter/nf_log_syslog.c), cloud-init 22.4 (netinfo.py),
 * dhclient 4.4, dhcpcd 9 (arp.c), busybox 1.35, NetworkManager 1.42.
 */
#include "analyzers/analyzer.h"

static const struct rule rules[] = {
    {
        .id = "network.static-address",
        .milestone = "address-acquired",
        .pattern =
            "(?|^\\s*device=%{IFACE}, hwaddr=\\S+, ipaddr=(%{IP})|^\\s*inet (%{IP})/\\d+ .*scope "
            "global|^ci-info: \\| *%{IFACE} *\\| *True *\\| *(?!169\\.254\\.)(%{IP}) "
            "*\\|.*\\bglobal\\b|"
            "^%{IFACE}: using static address (%{IP})/)",
        .summary = "The guest's interface has the address $1",
        .sample =
            "[   18.4] cloud-init[311]: ci-info: |  eth0  | True |        10.0.2.15           "
            " | 255.255.255.0 | global | 52:54:00:12:34:56 |",
        .near_miss =
            "[   18.4] cloud-init[311]: ci-info: |   lo   | True |         127.0.0.1       "
            "   |   255.0.0.0   |  host  |         .         |",
    },
    {
        .id = "network.listen-address",
        .milestone = "address-acquired",
        .pattern =
            "^(?!.*(?:\\bE[A-Z]{4,}\\b|[eE]rror|[fF]ail|in use|[cC]annot|not )).*\\b[lL]isten\\w*"
            "\\b.*?(?!127\\.|0\\.|169\\.254\\.)(%{IP}):%{PORT}",
        .literal = "isten",
        .summary = "The agent listens on the address $1",
        .sample = "[   15.7] agent[142]: listening on http://192.168.100.5:8080",
        .near_miss = "[   15.7] agent[142]: listening on http://0.0.0.0:8080",
    },
    {
        .id = "network.gateway",
        .pattern =
            "(?|\\bgateway (%{IP}) acquired|\\bDHCPv4 address \\S+ via (%{IP})|, "
            "gw=(?!0\\.0\\.0\\.0)(%{IP})|^ci-info: \\| *\\d+ "
            "*\\| *0\\.0\\.0\\.0 *\\| *(?!0\\.0\\.0\\.0)(%{IP}) *\\||^default via (%{IP}) dev)",
        .summary = "The guest's gateway is $1",
        .sample =
            "[   18.4] cloud-init[311]: ci-info: |   0   |   0.0.0.0   | 10.0.2.2 |    0.0.0.0 "
            "   |    eth0   |   UG  |",
        .near_miss = "[   18.4] cloud-init[311]: ci-info: |   1   |   10.0.2.0  | 0.0.0.0  | "
                     "255.255.255.0 |    eth0   |   U   |",
    },
    {
        .id = "network.planned-address",
        .pattern = "^(?:Kernel c|C)ommand line: (?:.*\\s)?ip=(?!\\d*\\.?0:)(%{IP}):",
        .literal = "ommand line: ",
        .summary = "The command line plans the address $1",
        .sample = "[    0.000000] Command line: console=ttyS0 "
                  "ip=192.168.100.5::192.168.100.1:255.255.255.0::eth0:off net.ifnames=0",
        .near_miss = "[    0.000000] Command line: console=ttyS0 ip=dhcp net.ifnames=0",
    },
    {
        .id = "network.placeholder-address",
        .severity = SEVERITY_ERROR,
        .pattern = "^(?:(?:Kernel c|C)ommand line: (?:.*\\s)?ip=(?=[^ ]*(?:undefined|null|NaN|None|"
                   "\\$\\{|\\$\\(|\\{\\{|<|@))(\\S+)|.*IP-Config: .*\\bundefined\\b)",
        .summary = "A placeholder was left in the address on the command line: $1",
        .sample = "[    0.000000] Command line: console=ttyS0 "
                  "ip=undefined::192.168.100.1:255.255.255.0::eth0:off",
        .near_miss = "[    0.000000] Command line: console=ttyS0 "
                     "ip=192.168.100.5::192.168.100.1:255.255.255.0::eth0:off",
    },
    {
        .id = "network.address-invalid",
        .severity = SEVERITY_ERROR,
        .pattern =
            "(?:\\.network:\\d+: .*(?:[aA]ddress|[gG]ateway|[iI]nvalid|[fF]ailed to "
            "parse).*|\\.ya?ml:"
            "\\d+:\\d+: (?:Error in network definition|Invalid YAML).*|^%{IFACE}: .*(?:[iI]nvalid "
            "(?:network )?address|[cC]ould not set (?:static )?(?:address|route|nexthop)).*|"
            "^(?:Error: )?(?:any valid (?:prefix|address)|inet (?:prefix|address)) is expected "
            "rather "
            "than .*|^(?:Error: )?Nexthop has invalid gateway|^ip: .*(?:any valid "
            "(?:prefix|address)|invalid).*|"
            "^(?:RTNETLINK answers|SIOC(?:ADDRT|SIFADDR|SIFNETMASK|SIFBRDADDR)): (?:Network is "
            "unreachable|Invalid argument|Numerical result)|^IP-Config: (?:.*[iI]nvalid|Gateway "
            "not on "
            "directly connected network|Unable to set interface|Incomplete network configuration)|"
            "\\bError in network definition: )",
        .summary = "The static network configuration is wrong",
        .sample = "[    9.1] systemd-networkd[99]: /etc/systemd/network/20-eth0.network:6: Address "
                  "'@IP@/24' is invalid, ignoring assignment",
        .near_miss = "[    9.1] systemd-networkd[99]: eth0: DHCPv4 address 10.0.2.15/24 acquired",
    },
    {
        .id = "network.address-taken",
        .severity = SEVERITY_ERROR,
        .pattern =
            "(?|^%{IFACE}: DAD conflict\\. Dropping (?:DHCPv4 )?address (%{IP})|^%{IFACE}: "
            "Dropping "
            "address (%{IP})\\S*, as an address conflict was detected|^%{IFACE}: DAD detected "
            "(%{IP})|"
            "^%{IFACE}: (?:hardware address )?\\S+ claims (%{IP})|^DHCPDECLINE of (%{IP}) on|"
            "^(?:udhcpc: )?offered address is in use|some other host \\(\\S+\\) already uses "
            "address "
            "(%{IP})|conflict (?:for|of|detected for)(?: IP(?:v4)?)? address (%{IP})|\\b(%{IP}) "
            "cannot "
            "be configured because it is already in use)",
        .summary = "Another machine already has the guest's address",
        .sample = "[   12.3] systemd-networkd[99]: eth0: Dropping address 192.168.100.5/24, as an "
                  "address conflict was detected.",
        .near_miss =
            "[   12.3] systemd-networkd[99]: eth0: DHCPv4 address 192.168.100.5/24 acquired "
            "from 192.168.100.1",
    },
    {
        .id = "network.packet-dropped",
        .cause = "network.filtered",
        .severity = SEVERITY_ERROR,
        .confidence = 0.85,
        .speaker = SPEAKER_KERNEL,
        .pattern = "(?i)(?:block|drop|rej(?:ect)?|den(?:y|ied))\\b.*\\bIN=\\S+ OUT= .*\\bPROTO=TCP "
                   ".*\\bDPT=%{PORT}(?= )",
        .literal = "PROTO=TCP",
        .summary = "The guest's firewall drops packets to the service's port",
        .sample = "[   31.0] [UFW BLOCK] IN=eth0 OUT= MAC=02:fc:c0:a8:64:05:aa SRC=192.168.100.1 "
                  "DST=192.168.100.5 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=1 DF PROTO=TCP SPT=51000 "
                  "DPT=8080 WINDOW=64240 RES=0x00 SYN URGP=0",
        .near_miss =
            "[   31.0] [UFW BLOCK] IN=eth0 OUT= MAC=02:fc:c0:a8:64:05:aa SRC=192.168.100.1 "
            "DST=192.168.100.5 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=1 DF PROTO=TCP SPT=51000 "
            "DPT=22 WINDOW=64240 RES=0x00 SYN URGP=0",
    },
    {
        .id = "network.firewall",
        .severity = SEVERITY_NOTE,
        .pattern = "^(?:Started|Finished) (?:nftables\\.service|netfilter-persistent\\.service|"
                   "ufw\\.service|firewalld\\.service|iptables\\.service|nftables\\.?$|netfilter "
                   "persistent configuration|Uncomplicated firewall|firewalld - dynamic)",
        .summary = "The guest has a firewall",
        .sample = "[  OK  ] Finished nftables.service - nftables.",
        .near_miss = "[  OK  ] Started tigervnc.service - TigerVNC server on display :1.",
    },
};

const struct analyzer analyzer_address = {
    .name = "address",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
};
