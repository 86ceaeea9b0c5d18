/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop: one thread, one wait: descriptors and timers over epoll(7).
 *
 * Watches and timers are members of their owner's struct: the loop allocates nothing for them. A
 * callback may add, change and remove any watch or timer, its own included.
 */
#ifndef BOOTDIAG_BASE_LOOP_H
#define BOOTDIAG_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/base/err.h"

struct loop;

struct loop_watch {
    int fd;                                       /* borrowed */
    void (*on_ready)(void *ctx, uint32_t events); /* EPOLLIN, EPOLLOUT, EPOLLHUP ... */
    void *ctx;
    bool active; /* the loop's own */
};

struct loop_timer {
    void (*on_due)(void *ctx);
    void *ctx;
    int64_t due_ms;                 /* the loop's own: clock_ms() when due */
    uint64_t turn;                  /* the loop's own: when it was armed */
    struct loop_timer *next, *prev; /* the loop's own */
    bool active;
};

/* Aborts if the kernel gives no epoll descriptor. */
struct loop *loop_new(void);
void loop_free(struct loop *loop);

/* `fd`, `on_ready` and `ctx` must be set; adding an active watch changes its events. */
void loop_watch(struct loop *loop, struct loop_watch *watch, uint32_t events);
/* Before the descriptor is closed. Not active: nothing happens. */
void loop_unwatch(struct loop *loop, struct loop_watch *watch);

/* (Re)arms for `delay_ms` from now; 0 means at the next turn, never from within this call. */
void loop_arm(struct loop *loop, struct loop_timer *timer, int64_t delay_ms);
void loop_disarm(struct loop *loop, struct loop_timer *timer);

/* One wait and its callbacks: descriptors first, then the timers that are due. */
void loop_turn(struct loop *loop);

#endif
