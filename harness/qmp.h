/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qmp: the client's side of QEMU's control protocol: JSON, one document a line, over a socket on
 * the loop (QEMU: docs/interop/qmp-spec.txt).
 *
 * What comes from the other side is bounded and not trusted: a line that is too long, is not JSON,
 * or answers what nobody asked, ends the connection.
 */
#ifndef BOOTDIAG_QMP_H
#define BOOTDIAG_QMP_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "harness/base/buf.h"
#include "harness/base/err.h"
#include "harness/base/loop.h"

enum { QMP_LINE_LIMIT = 256 << 10, QMP_MAX_WAITING = 8 };

/* A command that was sent and not yet answered. */
struct qmp_command {
    const char *name;                                  /* borrowed, for messages */
    void (*on_return)(void *ctx, const json_t *value); /* may be NULL */
};

struct qmp {
    /*
     * Set by the caller before qmp_start. Only on_end may call qmp_stop: it comes once, last of
     * all, when the connection is of no use any more (closed by the other side, garbage, a command
     * refused).
     */
    void (*on_greeting)(void *ctx, const char *version); /* commands may be sent now */
    void (*on_event)(void *ctx, const char *name, const json_t *data); /* data may be NULL */
    void (*on_end)(void *ctx, const char *why);
    void *ctx;

    /* The client's own. */
    struct loop *loop;
    struct loop_watch watch;
    int fd;
    struct buf input;
    size_t scanned;                              /* of input: holds no newline */
    struct qmp_command waiting[QMP_MAX_WAITING]; /* answers come in their order */
    size_t n_waiting;
    bool greeted;
};

/* Waits for the greeting on `fd` (taken) and negotiates. */
void qmp_start(struct qmp *qmp, struct loop *loop, int fd);

/* Sends a command without arguments; `on_return` (may be NULL) gets its answer. A command that
 * cannot be sent, or that is refused, ends the connection. `command` has static storage. */
void qmp_execute(struct qmp *qmp, const char *command,
                 void (*on_return)(void *ctx, const json_t *value));

/* Safe on a zeroed struct whose fd is -1, and twice. */
void qmp_stop(struct qmp *qmp);

#endif
