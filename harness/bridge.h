/* SPDX-License-Identifier: Apache-2.0 */
/* bridge: the host's end of a target's TAP network: what it is like, and whether a guest can be
 * reached through it. */
#ifndef BOOTDIAG_BRIDGE_H
#define BOOTDIAG_BRIDGE_H

#include "harness/base/err.h"
#include "harness/base/netlink.h"
#include "harness/target.h"

enum { BRIDGE_MOST_ADDRESSES = 8 };

struct bridge {
    struct netlink_link link;
    struct netlink_address addresses[BRIDGE_MOST_ADDRESSES];
    size_t n_addresses;
};

/* Looks at the bridge `name`. That there is none is an error that says how to make one. */
int bridge_find(struct bridge *bridge, const char *name, struct err *err);

/* The bridge's own address in the subnet of `guest`, or 0. */
uint32_t bridge_address_for(const struct bridge *bridge, uint32_t guest);

/* Is it up, with an address in the guest's subnet that is not the guest's own? */
int bridge_check(const struct bridge *bridge, uint32_t guest, struct err *err);

/* The expected address of the guest in `slot`. */
uint32_t bridge_guest_address(const struct target *target, unsigned slot);

/*
 * The pre-flight of a target on a TAP: the bridge, the right to make a TAP device, and nobody who
 * answers already for one of the target's addresses. With "network_checks" set to "lenient" nothing
 * is refused here. Takes half a second.
 */
int bridge_preflight(const struct target *target, struct err *err);

#endif
