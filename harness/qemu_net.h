/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qemu_net: the network of one QEMU: its user-mode network with a held port of the host, or a place
 * on a bridge; and the capture of what passes the guest's NIC.
 */
#ifndef BOOTDIAG_QEMU_NET_H
#define BOOTDIAG_QEMU_NET_H

#include "harness/base/err.h"
#include "harness/base/ipv4.h"
#include "harness/guest_net.h"
#include "harness/pcap.h"
#include "harness/qemu_command.h"
#include "harness/vm.h"

struct qemu_net {
    int port_fd;             /* holds the host's port; -1: none */
    struct guest_net *guest; /* on a TAP; else NULL */
    struct pcap pcap;
    int pcap_child_fd; /* QEMU's end; closed here once it has it; -1: none */
    uint8_t mac[MAC_SIZE];
    char mac_text[MAC_TEXT_SIZE];
};

#define QEMU_NET_INIT                                                                              \
    {                                                                                              \
        .port_fd = -1, .pcap = PCAP_INIT, .pcap_child_fd = -1                                      \
    }

/* Makes what the target asks for; fills vm->url, the network's part of vm->record and of `command`
 * (borrowing from `net`). What was made before a failure is left for qemu_net_release. */
int qemu_net_open(struct qemu_net *net, struct vm *vm, struct qemu_command *command,
                  struct err *err);

/* Ends the capture and gives everything back; what the capture counted goes into the record. Safe
 * on one that was only initialised, and twice. */
void qemu_net_release(struct qemu_net *net, struct record *record);

#endif
