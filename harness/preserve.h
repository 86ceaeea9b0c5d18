/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preserve: keeps the logs of VMs that somebody else makes and removes.
 *
 * Watches a directory that holds one directory per VM, and copies each VM's logs while they grow
 * (spool.h). When such a directory goes away, the copy is archived (stow.h), unless the service in
 * that VM has answered. Nothing is written in the watched directory, and nothing is asked of the
 * controller.
 */
#ifndef BOOTDIAG_PRESERVE_H
#define BOOTDIAG_PRESERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"
#include "harness/retention.h"
#include "harness/service.h"

struct preserve_options {
    const char *users;   /* may appear later, and be replaced */
    const char *archive; /* made if need be; copies grow in `.spool` below it */
    bool all;            /* also archive VMs whose service answered; nothing is probed then */
    bool once;           /* look once, archive what is gone, and return */
    bool compress;
    int64_t max_log_bytes; /* of one log; more is counted, and not kept */
    struct retention retention;
    const struct service *service; /* where a healthy guest answers; borrowed */
    void (*on_event)(void *ctx, bool warning, const char *text);
    void *ctx;
};

/*
 * Works until SIGINT or SIGTERM, or once. Copies of VMs that still live stay in the spool, where
 * the next call finds them: whatever way this one ended. Troubles with one VM are events and are
 * tried again; an error is what keeps it from working at all, or, at its end, evidence that could
 * not be archived yet.
 */
int preserve_run(const struct preserve_options *options, struct err *err);

#endif
