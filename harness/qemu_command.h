/* SPDX-License-Identifier: Apache-2.0 */
/* qemu_command: a target -> the exact QEMU command line, and the one to type by hand. */
#ifndef BOOTDIAG_QEMU_COMMAND_H
#define BOOTDIAG_QEMU_COMMAND_H

#include <stdbool.h>

#include "harness/target.h"

/* Where QEMU's user-mode network (slirp) puts the guest; it forwards to no other address. */
#define QEMU_GUEST_ADDRESS "10.0.2.15"

struct qemu_command {
    const struct target *target;
    const char *rootfs;      /* the image to boot; NULL: none */
    const char *accelerator; /* "kvm" or "tcg" */
    const char *cmdline;     /* as from qemu_cmdline */
    const char *mac;
    int host_port;         /* of 127.0.0.1, forwarded to the service's port; user-mode network */
    int tap_fd;            /* an open TAP device that QEMU inherits; network tap */
    int pcap_fd;           /* where it writes the NIC's frames to, inherited; -1: nowhere */
    int serial_fd, qmp_fd; /* connected sockets that QEMU inherits */
};

/* The kernel's command line: the target's, with what the machine needs beside it. Owned by the
 * caller. */
char *qemu_cmdline(const struct target *target, const char *accelerator);

/* The arguments, NULL-terminated; array and strings are owned by the caller (qemu_argv_free). The
 * guest is paused (-S) until it is continued over QMP. */
char **qemu_argv(const struct qemu_command *command);
void qemu_argv_free(char **argv);

/*
 * A shell command that boots the same on the user's terminal: console and monitor on stdio, not
 * paused, the service on a fixed port. With a fault in the image (`fault` is its name and the image
 * is not the target's own) the image is made first. Owned by the caller.
 */
char *qemu_by_hand(const struct qemu_command *command, const char *fault);

#endif
