/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest_net: one boot's place on a bridge: its TAP device, its address and MAC, and who on the link
 * answers for that address: this guest, somebody else, or nobody.
 *
 * The MAC is made from the address (02:fc and its four bytes), so that a DHCP server can hold a
 * reservation for it. Whoever answers before the guest was let run is not the guest.
 */
#ifndef BOOTDIAG_GUEST_NET_H
#define BOOTDIAG_GUEST_NET_H

#include <stdint.h>

#include "harness/base/err.h"
#include "harness/base/loop.h"
#include "harness/base/netlink.h"
#include "harness/record.h"
#include "harness/target.h"

struct guest_net;

/* The MAC of the guest with this address. */
void guest_net_mac(uint32_t address, uint8_t ret_mac[static MAC_SIZE]);

/*
 * Makes (or opens) the TAP device, forgets what the host knew of the address, and begins to listen
 * for who has it. Fills record->net, guest.mac, guest.expected_address and probe.network. `loop`
 * and `record` are borrowed until guest_net_free.
 */
struct guest_net *guest_net_new(const struct target *target, unsigned slot, struct loop *loop,
                                struct record *record, struct err *err);

/* The same for a VMM that opens the TAP device by its name (tap_lend). */
struct guest_net *guest_net_lend(const struct target *target, unsigned slot, struct loop *loop,
                                 struct record *record, struct err *err);

void guest_net_free(struct guest_net *net);

/* Borrowed: for the VMM's descriptor table; -1 if the device is lent. */
int guest_net_fd(const struct guest_net *net);
const char *guest_net_tap(const struct guest_net *net);
const char *guest_net_address(const struct guest_net *net);

/*
 * Calls `on_decided` once, as soon as it is known whether somebody answered before the guest runs
 * (at most half a second after guest_net_new): NULL, or why the guest must not be let run, with its
 * cause. From then on an answer may be the guest's.
 */
void guest_net_decide(struct guest_net *net, void (*on_decided)(void *ctx, const struct err *why),
                      void *ctx);

/* State of the host's neighbour entry for the guest, now: static, one of the contract's words; NULL
 * if it cannot be looked at. */
const char *guest_net_neighbour(struct guest_net *net);

/* Fills in what was seen until now: neighbour state and MAC, own and foreign answers, and
 * guest.seen_address. */
void guest_net_take_facts(struct guest_net *net);

#endif
