/* SPDX-License-Identifier: Apache-2.0 */
/* host_net: what backends on this host share of a guest's network: a port of the host's loopback, a
 * MAC of its own, the URL to probe. */
#ifndef BOOTDIAG_HOST_NET_H
#define BOOTDIAG_HOST_NET_H

#include <stdint.h>

#include "harness/base/err.h"
#include "harness/guest_net.h"
#include "harness/vm.h"

/*
 * Binds a free port of 127.0.0.1 without listening on it, with SO_REUSEADDR: nobody else can get it
 * meanwhile but who sets that option, too. Returns the descriptor that holds it, owned by the
 * caller, or -1.
 */
int host_net_hold_port(int *ret_port, struct err *err);

/* 02:fc: and four bytes of a hash of the record's directory: another one for every boot. */
void host_net_mac(const struct vm *vm, uint8_t ret_mac[static MAC_SIZE]);

/* Fills vm->url. -1: the target's health path is too long for it. */
int host_net_url(struct vm *vm, const char *address, int port, struct err *err);

#endif
