/* SPDX-License-Identifier: Apache-2.0 */
/* arp: who says that an IPv4 address is theirs: packets of RFC 826 on a link, seen and asked for.
 */
#ifndef BOOTDIAG_ARP_H
#define BOOTDIAG_ARP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"
#include "harness/base/netlink.h"

/* What one packet claims: that `mac` has `address`. */
struct arp_claim {
    uint8_t mac[MAC_SIZE];
    uint32_t address; /* 0: it only asks, and claims nothing */
};

/* An ARP packet without its Ethernet header. False: it is none for IPv4 on Ethernet. */
bool arp_parse(const void *packet, size_t len, struct arp_claim *ret_claim);

/* A non-blocking socket that gets the link's ARP packets; needs CAP_NET_RAW. -1: not to be had. */
int arp_open(int index, struct err *err);

/* The next packet from another machine; false: there is none now. */
bool arp_next(int fd, struct arp_claim *ret_claim);

/* Asks who has `address`, as the machine `own` (0: as nobody yet), with the MAC that the link
 * `name` has now: that of a bridge changes with its ports. Best effort: a link that is down takes
 * nothing. */
void arp_ask(int fd, const char *name, uint32_t own, uint32_t address);

#endif
