/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/arp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/if_ether.h>
#include <string.h>
#include <sys/socket.h>

#include "harness/base/auto.h"

static uint32_t address_of(const uint8_t bytes[static 4])
{
    uint32_t wire;
    memcpy(&wire, bytes, sizeof(wire));
    return ntohl(wire);
}

static void put_address(uint8_t bytes[static 4], uint32_t address)
{
    uint32_t wire = htonl(address);
    memcpy(bytes, &wire, sizeof(wire));
}

bool arp_parse(const void *packet, size_t len, struct arp_claim *ret_claim)
{
    struct ether_arp arp;
    if (len < sizeof(arp))
        return false;
    memcpy(&arp, packet, sizeof(arp));
    if (ntohs(arp.arp_hrd) != ARPHRD_ETHER || ntohs(arp.arp_pro) != ETHERTYPE_IP ||
        arp.arp_hln != MAC_SIZE || arp.arp_pln != sizeof(uint32_t))
        return false;
    memcpy(ret_claim->mac, arp.arp_sha, MAC_SIZE);
    ret_claim->address = address_of(arp.arp_spa);
    return true;
}

int arp_open(int index, struct err *err)
{
    const struct sockaddr_ll at = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP), .sll_ifindex = index};
    auto_fd int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0)
        return err_sys(err, errno, "cannot listen for ARP packets");
    return steal_fd(&fd);
}

bool arp_next(int fd, struct arp_claim *ret_claim)
{
    enum { MOST_AT_ONCE = 64 }; /* a flood of what is no claim must not hold up the rest */
    for (int i = 0; i < MOST_AT_ONCE; i++) {
        char packet[128];
        struct sockaddr_ll from = {0};
        socklen_t from_len = sizeof(from);
        ssize_t got = recvfrom(fd, packet, sizeof(packet), 0, (struct sockaddr *)&from, &from_len);
        if (got < 0 && errno != ENETDOWN) /* told once when the link goes down */
            return false;
        if (got >= 0 && from.sll_pkttype != PACKET_OUTGOING &&
            arp_parse(packet, (size_t)got, ret_claim))
            return true;
    }
    return false;
}

void arp_ask(int fd, const char *name, uint32_t own, uint32_t address)
{
    static const uint8_t no_mac[MAC_SIZE];
    struct netlink_link link;
    if (netlink_find_link(name, &link, NULL) != 1 || memcmp(link.mac, no_mac, MAC_SIZE) == 0)
        return; /* whoever heard it would learn a wrong address of ours */
    struct sockaddr_ll to = {.sll_family = AF_PACKET,
                             .sll_protocol = htons(ETH_P_ARP),
                             .sll_ifindex = link.index,
                             .sll_halen = MAC_SIZE};
    struct ether_arp arp = {.arp_hrd = htons(ARPHRD_ETHER),
                            .arp_pro = htons(ETHERTYPE_IP),
                            .arp_hln = MAC_SIZE,
                            .arp_pln = sizeof(uint32_t),
                            .arp_op = htons(ARPOP_REQUEST)};
    memset(to.sll_addr, 0xff, MAC_SIZE);
    memcpy(arp.arp_sha, link.mac, MAC_SIZE);
    put_address(arp.arp_spa, own);
    put_address(arp.arp_tpa, address);
    (void)sendto(fd, &arp, sizeof(arp), MSG_DONTWAIT, (const struct sockaddr *)&to, sizeof(to));
}
