/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netlink: what the kernel knows of links, addresses and neighbours, over rtnetlink(7).
 *
 * Each call is one short question with its own socket and an answer at once; nothing is cached.
 * IPv4 addresses are in host byte order. A question that the kernel refuses leaves its errno in
 * the message.
 */
#ifndef BOOTDIAG_BASE_NETLINK_H
#define BOOTDIAG_BASE_NETLINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"

enum { MAC_SIZE = 6 };

struct netlink_link {
    int index;
    bool up; /* IFF_UP: switched on, not "has carrier" */
    bool is_bridge, is_tun;
    int master; /* index of the bridge that it is a port of; 0: none */
    uint8_t mac[MAC_SIZE];
    char name[IFNAMSIZ];
};

struct netlink_address {
    uint32_t address;
    int prefix_len;
};

/* Linux's names (NUD_*, neighbour(7)) for what a host knows of a machine on its link. */
struct netlink_neighbour {
    const char *state; /* static: "none" if there is no entry, "incomplete", "failed", ... */
    bool has_mac;
    uint8_t mac[MAC_SIZE];
};

/* 1: found; 0: there is no such link; -1: could not ask. */
int netlink_find_link(const char *name, struct netlink_link *ret_link, struct err *err);

/* The IPv4 addresses of a link, at most `most` of them, in the kernel's order. Returns how many. */
int netlink_addresses(int index, struct netlink_address *ret_addresses, size_t most,
                      struct err *err);

/* Makes the link a port of the bridge `master` and switches it on. */
int netlink_join_bridge(int index, int master, struct err *err);

/* Removes the interface, whoever holds it open. */
int netlink_delete_link(int index, struct err *err);

/* The neighbour entry for `address` on a link; none: state "none". */
int netlink_neighbour(int index, uint32_t address, struct netlink_neighbour *ret_neighbour,
                      struct err *err);

/* Drops the neighbour entry, so that its next state tells of now. None there: fine. */
int netlink_forget_neighbour(int index, uint32_t address, struct err *err);

/* ---- messages, as the kernel sends them; for the functions above, and for tests ---- */

/* One message with its header, `len` bytes of it at hand. False: it is not of that kind, or broken
 * (lengths that lie are no reason to read behind its end). */
bool netlink_parse_link(const void *message, size_t len, struct netlink_link *ret_link);
bool netlink_parse_address(const void *message, size_t len, int index,
                           struct netlink_address *ret_address);
bool netlink_parse_neighbour(const void *message, size_t len,
                             struct netlink_neighbour *ret_neighbour);

#endif
