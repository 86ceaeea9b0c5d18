/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frames: what a record's capture shows of the guest's network: ARP (RFC 826), DHCP (RFC 2131), and
 * who answers connections to the service's port.
 *
 * Whether a frame is the guest's is told by its MAC: the record's, that of the VMM's arguments, or
 * that of the only DHCP client. One pass, bounded memory, whatever the capture holds.
 */
#ifndef BOOTDIAG_FRAMES_H
#define BOOTDIAG_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/record.h"

enum frame_kind {
    FRAME_OF_GUEST, /* anything that the guest sent */
    FRAME_DISCOVER, /* DHCP, from the guest */
    FRAME_REQUEST,
    FRAME_DECLINE, /* somebody else has the address that it got */
    FRAME_OFFER,   /* DHCP, to the guest */
    FRAME_ACK,
    FRAME_NAK,
    FRAME_WHO_HAS_GUEST, /* ARP: others ask for the planned address */
    FRAME_GUEST_IS_AT,   /* ARP: the guest has the planned address */
    FRAME_OTHER_IS_AT,   /* ARP: somebody else has it */
    FRAME_WHO_HAS_OTHER, /* ARP: the guest asks for somebody, such as its gateway */
    FRAME_TO_GUEST,      /* unicast to the guest */
    FRAME_SYN,           /* TCP: to the planned address and port */
    FRAME_GUEST_ACCEPTS, /* SYN-ACK of the guest's port */
    FRAME_GUEST_DATA,    /* with a payload, from that port */
    FRAME_GUEST_RESETS,  /* RST of that port */
    FRAME_OTHER_TCP,     /* from the planned address and port, but of another MAC */
    FRAME_REJECTED,      /* ICMP: the guest says that something is not reachable or prohibited */
    FRAME_N_KINDS,
};

/* How often, and when: in ms since the boot's start, if that is known, else since the first frame.
 */
struct frames_seen {
    uint32_t count;
    int64_t first_ms, last_ms;
};

enum { FRAMES_MAX_ADDRESSES = 4, FRAMES_ADDRESS_SIZE = 16, FRAMES_MAC_SIZE = 18 };

struct frames {
    bool readable;    /* there is a capture of Ethernet frames; else all is zero */
    bool knows_guest; /* its MAC is known: only then does an absence mean anything */
    bool cut;         /* there were more frames than are looked at */
    bool since_start; /* times count from the boot's start */
    uint32_t n;
    int64_t last_ms; /* of any frame */
    struct frames_seen seen[FRAME_N_KINDS];
    char addresses[FRAMES_MAX_ADDRESSES][FRAMES_ADDRESS_SIZE]; /* IPv4, that the guest used */
    size_t n_addresses;
    char offered[FRAMES_ADDRESS_SIZE]; /* by DHCP, to the guest, last; "" if never */
    char other_mac[FRAMES_MAC_SIZE];   /* of who else has the planned address */
};

void frames_read(const struct record *record, struct frames *ret_frames);

/* True if the guest used that address itself, in ARP or as an IPv4 source. */
bool frames_guest_used(const struct frames *frames, const char *address);

/* The first address that the guest used and that is not `planned` (may be NULL); NULL: none. */
const char *frames_other_address(const struct frames *frames, const char *planned);

#endif
