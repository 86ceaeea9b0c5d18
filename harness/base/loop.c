/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers are an unsorted list: a campaign has a few per running boot, so a scan is cheaper than a
 * heap to keep right. A watch that is removed while its event waits in the same batch is struck
 * from the batch.
 */
#include "harness/base/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/mem.h"

enum { BATCH = 32, LONGEST_WAIT_MS = 60000 };

struct loop {
    int epoll_fd;
    struct loop_timer timers; /* head of a ring */
    struct epoll_event batch[BATCH];
    int n_batch;
    uint64_t turn; /* how many turns have called their timers */
};

struct loop *loop_new(void)
{
    struct loop *loop = mem_calloc(1, sizeof(*loop));
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0) {
        perror("bootdiag: epoll_create1");
        abort();
    }
    loop->timers.next = loop->timers.prev = &loop->timers;
    return loop;
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    (void)close(loop->epoll_fd);
    free(loop);
}

void loop_watch(struct loop *loop, struct loop_watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    int operation = watch->active ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (epoll_ctl(loop->epoll_fd, operation, watch->fd, &event) != 0) {
        perror("bootdiag: epoll_ctl");
        abort();
    }
    watch->active = true;
}

void loop_unwatch(struct loop *loop, struct loop_watch *watch)
{
    if (!watch->active)
        return;
    (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->active = false;
    for (int i = 0; i < loop->n_batch; i++)
        if (loop->batch[i].data.ptr == watch)
            loop->batch[i].data.ptr = NULL;
}

void loop_disarm(struct loop *loop, struct loop_timer *timer)
{
    (void)loop;
    if (!timer->active)
        return;
    timer->prev->next = timer->next;
    timer->next->prev = timer->prev;
    timer->active = false;
}

void loop_arm(struct loop *loop, struct loop_timer *timer, int64_t delay_ms)
{
    loop_disarm(loop, timer);
    timer->due_ms = clock_ms() + (delay_ms > 0 ? delay_ms : 0);
    timer->turn = loop->turn;
    timer->prev = loop->timers.prev;
    timer->next = &loop->timers;
    timer->prev->next = timer->next->prev = timer;
    timer->active = true;
}

/* The first one due of those that were armed before turn `before` called its timers, or NULL. */
static struct loop_timer *earliest(struct loop *loop, uint64_t before)
{
    struct loop_timer *first = NULL;
    for (struct loop_timer *timer = loop->timers.next; timer != &loop->timers; timer = timer->next)
        if (timer->turn < before && (first == NULL || timer->due_ms < first->due_ms))
            first = timer;
    return first;
}

/* Calls what was due when this began; what callbacks arm is for the next turn. */
static void run_timers(struct loop *loop)
{
    int64_t now = clock_ms();
    loop->turn++;
    for (;;) {
        struct loop_timer *timer = earliest(loop, loop->turn);
        if (timer == NULL || timer->due_ms > now)
            return;
        loop_disarm(loop, timer);
        timer->on_due(timer->ctx);
        if (clock_ms() > now) /* time went on: descriptors first */
            return;
    }
}

void loop_turn(struct loop *loop)
{
    const struct loop_timer *first = earliest(loop, UINT64_MAX);
    int64_t wait_ms = first != NULL ? first->due_ms - clock_ms() : LONGEST_WAIT_MS;
    if (wait_ms < 0)
        wait_ms = 0;
    if (wait_ms > LONGEST_WAIT_MS)
        wait_ms = LONGEST_WAIT_MS;

    int got = epoll_wait(loop->epoll_fd, loop->batch, BATCH, (int)wait_ms);
    loop->n_batch = got > 0 ? got : 0; /* EINTR: an empty batch */
    for (int i = 0; i < loop->n_batch; i++) {
        struct loop_watch *watch = loop->batch[i].data.ptr;
        if (watch != NULL)
            watch->on_ready(watch->ctx, loop->batch[i].events);
    }
    loop->n_batch = 0;
    run_timers(loop);
}
