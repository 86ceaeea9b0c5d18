/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay: passes bytes from a pipe to a socket on the loop, and keeps the first of them to look at.
 *
 * Nothing is lost and nothing spins: while the socket has no room, the bytes wait in the pipe.
 */
#ifndef BOOTDIAG_RELAY_H
#define BOOTDIAG_RELAY_H

#include <stddef.h>

#include "harness/base/buf.h"
#include "harness/base/loop.h"

struct relay {
    struct buf kept;
    int from_fd, to_fd; /* owned; -1: none */
    struct loop *loop;
    struct loop_watch from_watch, to_watch;
};

/* Takes both descriptors. Keeps at most `limit` bytes. */
void relay_start(struct relay *relay, struct loop *loop, int from_fd, int to_fd, size_t limit);

/* Passes on what is there now, as far as there is room. */
void relay_drain(struct relay *relay);

/* Closes both ends. Safe on one that was never started but whose descriptors are set, and twice. */
void relay_stop(struct relay *relay);

#endif
