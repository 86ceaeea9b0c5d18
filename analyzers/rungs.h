/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rungs: what is known of each step from the network card to the guest's address, by the console,
 * the capture and what the host met.
 */
#ifndef BOOTDIAG_RUNGS_H
#define BOOTDIAG_RUNGS_H

#include <stdbool.h>

#include "analyzers/evidence.h"
#include "analyzers/frames.h"
#include "analyzers/host_view.h"

/* From below. */
enum rung { RUNG_DRIVER, RUNG_NAME, RUNG_CONFIG, RUNG_LINK, RUNG_ADDRESS, RUNG_N };

/* How sure it is that what did not come by the end will not come. */
enum window {
    WINDOW_OPEN,   /* nothing says so */
    WINDOW_HALF,   /* the boot went on, but not for long, or nobody knows for how long */
    WINDOW_SILENT, /* long enough, but then the whole console fell silent */
    WINDOW_CLOSED,
};

/* Borrows from the evidence. */
struct rungs {
    const struct evidence *evidence;
    struct frames frames;
    struct host_view view;
    const struct hit *climbed[RUNG_N], *contradicted[RUNG_N]; /* the last of each; NULL: none */
    const struct hit *networkd;     /* speaks on this console, and has looked at all interfaces */
    const struct hit *service;      /* a network service that failed */
    const struct hit *service_done; /* the last one that did not */
    const struct hit *wrong;        /* an address or route that was configured cannot be */
    const struct hit *absent;       /* somebody says that there is no address */
    bool waits;                     /* ... or only waits for one; or nobody says anything */
    enum window window;             /* for the address */
};

void rungs_take(const struct evidence *evidence, struct rungs *ret_rungs);

/* True if that rung, or one above it, was climbed. */
bool rungs_reached(const struct rungs *rungs, enum rung rung);

/*
 * True if the rung is contradicted, and nothing that was climbed later proves the contrary: a link
 * comes and goes, a DHCP client fails and tries again. A driver that works, works: a module may be
 * missing because it is built in.
 */
bool rungs_broken(const struct rungs *rungs, enum rung rung);

/* True if the guest has an address, by its own words, by its frames or by what the host met. */
bool rungs_have_address(const struct rungs *rungs);

/* True if the link went away and did not come back, and the host reaches nobody. A guest that shuts
 * down loses its link, too: only a boot that was watched until its deadline counts. */
bool rungs_lost_link(const struct rungs *rungs);

#endif
