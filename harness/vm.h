/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vm: a virtual machine of one boot, and the table of backends that can make one.
 *
 * A backend turns a target into a process (or a remote VM), a console descriptor and an address. It
 * never reads the console, probes the port or knows a deadline.
 */
#ifndef BOOTDIAG_VM_H
#define BOOTDIAG_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"
#include "harness/base/loop.h"
#include "harness/base/proc.h"
#include "harness/record.h"
#include "harness/target.h"

struct guest_net; /* guest_net.h */
struct vm_ops;

struct vm {
    /* Set by the boot before start; all borrowed, outliving the vm. */
    const struct vm_ops *ops;
    const struct target *target;
    struct loop *loop;
    struct record *record; /* start fills vmm.*, guest.*, host.accelerator, probe.network */
    const char *scratch;   /* a private directory, removed by the boot after stop */
    /* The image to boot: the target's, or a copy with a fault in it; NULL: none. */
    const char *rootfs;
    unsigned index; /* of the boot in its campaign, from 0 */
    unsigned slot;  /* its place among the boots that run at a time, from 0 */
    /* The guest gave a sign of life beside its console; not the place to stop. */
    void (*on_sign)(void *ctx);
    void (*on_run)(void *ctx);  /* once, after a start that set `waits`: the guest is let run */
    void (*on_exit)(void *ctx); /* the VMM ended, once: call stop, from here or later */
    void *ctx;

    /* Set by start. */
    int console_fd; /* taken by the boot; -1 afterwards */
    int stderr_fd;  /* likewise; -1: none */
    char url[256];  /* of the health check, as the host reaches it */
    bool waits;     /* the guest is not let run yet: who answers now is not the guest */
    struct guest_net *guest_net; /* its place on a bridge: the backend's, until stop; else NULL */

    void *state; /* the backend's own */
};

struct vm_ops {
    const char *name;
    const char *summary; /* one line for `bootdiag list backends` */

    /* Pre-flight: can this target be booted here? Fails with a message that names the object and
     * the remedy, and with the cause's id. */
    int (*check)(const struct target *target, struct err *err);

    /* What boots run on here, and why, in one line for the report: "tcg: /dev/kvm is an emulator:
     * 1.9 Minsn/s". Owned by the caller. The member may be NULL. */
    char *(*describe)(const struct target *target);

    /* Version of the VMM that would run, as start puts it into vmm.version: "7.2.22"; asked once
     * per campaign, after a check, and bounded in time. NULL: not known. Owned by the caller. The
     * member may be NULL. */
    char *(*version)(const struct target *target);

    /* Kernel command line that the guest would be given, as start puts it into guest.cmdline. Owned
     * by the caller. The member is NULL where it is the target's own. */
    char *(*cmdline)(const struct target *target);

    /*
     * Starts the guest. On failure nothing is left behind, and err->cause names the cause where
     * known. A VMM that refuses only after it was executed is no failure here: on_exit is called,
     * and stop then sets record->vmm.error and error_cause, which it never does once guest code has
     * run.
     */
    int (*start)(struct vm *vm, struct err *err);

    /*
     * Ends the VMM and releases everything; fills record->vmm's exit: exit_code and signal stay
     * unknown if it was still running. Complete and safe at any point, after a failed or
     * half-finished start too, and twice. What the guest and the VMM wrote can be read from the
     * boot's descriptors afterwards.
     */
    void (*stop)(struct vm *vm);

    /* Backends that play a kept record: what became of the probe; NULL for real VMs, which are
     * probed. */
    const struct record *(*replayed)(const struct vm *vm);
};

/* Static; NULL if there is no such backend. */
const struct vm_ops *vm_find(const char *name);

/* All backends, in the order of `bootdiag list backends`; static. */
const struct vm_ops *const *vm_all(size_t *ret_n);

#endif
