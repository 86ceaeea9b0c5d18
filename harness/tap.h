/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tap: TAP devices, opened here and handed to a VMM as a descriptor, or made here for a VMM that
 * opens them by name. A device that we made is gone when its last descriptor is closed, however the
 * process ended (Linux, networking/tuntap.rst); one that we lend persists, and is removed by
 * tap_release or, where that never came, before the next one is lent.
 */
#ifndef BOOTDIAG_TAP_H
#define BOOTDIAG_TAP_H

#include <net/if.h>
#include <stdbool.h>

#include "harness/base/err.h"

struct tap {
    int fd;   /* owned; -1: none */
    int lock; /* owned: says that the lent device is ours; -1: none */
    int index;
    bool vnet_hdr; /* frames carry a virtio-net header: what a VMM with offloads needs */
    char name[IFNAMSIZ];
};

#define TAP_INIT                                                                                   \
    {                                                                                              \
        .fd = -1, .lock = -1                                                                       \
    }

/*
 * Opens the existing TAP `name`, which stays where it is; NULL: makes one with a name of the
 * kernel's choice (bd0, bd1 ...), makes it a port of the bridge and switches it on. The error says
 * what to do, with its cause.
 */
int tap_open(struct tap *tap, const char *name, int bridge, struct err *err);
/*
 * The same for a VMM that opens the device by its name: it is not held open here, because only one
 * process can. One that is made here is called bdlend0, bdlend1 ...
 */
int tap_lend(struct tap *tap, const char *name, int bridge, struct err *err);

void tap_release(struct tap *tap);

#define auto_tap __attribute__((cleanup(tap_release)))

#endif
