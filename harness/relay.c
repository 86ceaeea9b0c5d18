/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/relay.h"

#include <poll.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/base/auto.h"

enum { CHUNK = 4096 }; /* a socket that is writable has room for this much */

static bool is_ready(int fd, short events)
{
    struct pollfd wait = {.fd = fd, .events = events};
    return poll(&wait, 1, 0) > 0 && (wait.revents & events) != 0;
}

/* Passes one piece on; false: there is nothing now, or no room. */
static bool pass(struct relay *relay)
{
    char chunk[CHUNK];
    if (!is_ready(relay->from_fd, POLLIN) || !is_ready(relay->to_fd, POLLOUT))
        return false;
    ssize_t got = read(relay->from_fd, chunk, sizeof(chunk));
    if (got <= 0)
        return false;
    buf_add(&relay->kept, chunk, (size_t)got);
    (void)send(relay->to_fd, chunk, (size_t)got, MSG_NOSIGNAL | MSG_DONTWAIT);
    return true;
}

static void on_input(void *ctx, uint32_t events)
{
    struct relay *relay = ctx;
    if (pass(relay))
        return;
    loop_unwatch(relay->loop, &relay->from_watch);
    if ((events & EPOLLIN) != 0) /* else it was closed */
        loop_watch(relay->loop, &relay->to_watch, EPOLLOUT);
}

static void on_room(void *ctx, uint32_t events)
{
    struct relay *relay = ctx;
    loop_unwatch(relay->loop, &relay->to_watch);
    if ((events & EPOLLOUT) != 0) /* else nobody reads any more */
        loop_watch(relay->loop, &relay->from_watch, EPOLLIN);
}

void relay_start(struct relay *relay, struct loop *loop, int from_fd, int to_fd, size_t limit)
{
    *relay = (struct relay){
        .from_fd = from_fd,
        .to_fd = to_fd,
        .loop = loop,
        .from_watch = {.fd = from_fd, .on_ready = on_input, .ctx = relay},
        .to_watch = {.fd = to_fd, .on_ready = on_room, .ctx = relay},
    };
    buf_init(&relay->kept, limit);
    loop_watch(loop, &relay->from_watch, EPOLLIN);
}

void relay_drain(struct relay *relay)
{
    while (pass(relay))
        ;
}

void relay_stop(struct relay *relay)
{
    if (relay->loop != NULL) {
        loop_unwatch(relay->loop, &relay->from_watch);
        loop_unwatch(relay->loop, &relay->to_watch);
    }
    auto_fd_release(&relay->from_fd);
    auto_fd_release(&relay->to_fd);
    relay->from_fd = relay->to_fd = -1;
    buf_release(&relay->kept);
}
