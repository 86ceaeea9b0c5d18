/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pcap: a VMM's capture of its guest's frames, on its way from a pipe to a small file.
 *
 * The first frames are kept, up to a limit in all and lower ones for TCP and for broadcasts of
 * others: a health check that is refused, or a host that asks by ARP, ten times a second for two
 * minutes must not crowd out the ARP or DHCP packet of the guest that comes late. Of most frames
 * the headers are kept, of DHCP all that matters. The file is a whole capture at any moment
 * (classic pcap, pcap-savefile(5)).
 *
 * On a TAP with vnet_hdr QEMU before 8.0 writes the virtio-net header (10 or 12 bytes) as if it
 * were part of the frame; it is recognised by where the guest's MAC stands, and left out.
 */
#ifndef BOOTDIAG_PCAP_H
#define BOOTDIAG_PCAP_H

#include <stddef.h>
#include <stdint.h>

#include "harness/base/buf.h"
#include "harness/base/err.h"
#include "harness/base/loop.h"

enum {
    PCAP_LIMIT = 56 << 10, /* bytes of the file */
    PCAP_TCP_LIMIT = 24 << 10,
    PCAP_OTHERS_LIMIT = 12 << 10, /* broadcasts that are not the guest's */
    PCAP_VMM_LEN = 640,           /* of each frame: what the VMM is to pass on */
    PCAP_DHCP_LEN = 600,          /* of a DHCP packet: its options begin at byte 282 */
    PCAP_OTHER_LEN = 128,
};

struct pcap {
    /* Results, valid at any time. */
    int64_t kept, dropped; /* frames */

    /* The pcap's own. */
    struct loop *loop;
    struct loop_watch watch;
    uint8_t mac[6];     /* the guest's */
    struct buf pending; /* the begin of what is not there yet in full */
    int in_fd, out_fd;
    size_t written, tcp_written, others_written;
    bool has_header, broken;
};

#define PCAP_INIT                                                                                  \
    {                                                                                              \
        .in_fd = -1, .out_fd = -1                                                                  \
    }

/* Creates the file and watches `fd` (taken, made non-blocking). `mac` is the guest's. */
int pcap_start(struct pcap *pcap, struct loop *loop, int fd, const uint8_t mac[static 6],
               const char *path, struct err *err);

/* Takes what is there now. */
void pcap_drain(struct pcap *pcap);

/* Drains and closes. Safe on one that was only initialised, and twice. */
void pcap_stop(struct pcap *pcap);

#endif
