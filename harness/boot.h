/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boot: one boot from start to end, as a state machine on the campaign's loop.
 *
 * It joins what are strangers to each other: a backend's VM, the capture of its console, the probe
 * of its port, and a watch over its console. It ends at the first of: ready, deadline, VMM exit,
 * fatal evidence (after a grace), interruption; then it stops the VM, reads what is left, and saves
 * the record.
 */
#ifndef BOOTDIAG_BOOT_H
#define BOOTDIAG_BOOT_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/base/err.h"
#include "harness/base/loop.h"
#include "harness/probe.h"
#include "harness/record.h"
#include "harness/target.h"

/* What the console has said so far; all text outlives the boot. */
struct console_signs {
    const char *stage; /* id of the furthest milestone, or NULL */
    unsigned ready_lines;
    const char *fatal; /* what no good boot recovers from, or NULL */
};

/* The eyes on a console, plugged in by the command layer: the harness knows no analyzer. */
struct console_watch {
    void *(*open)(void *ctx); /* one state per boot */
    void (*feed)(void *state, const char *bytes, size_t len, struct console_signs *ret_signs);
    void (*close)(void *state);
    void *ctx;
};

struct image_set; /* image.h */
struct vm_ops;    /* vm.h */

struct boot_plan {
    const struct target *target;
    const struct vm_ops *ops; /* the target's backend */
    const struct console_watch *watch;
    struct probe_engine *engine;
    struct loop *loop;
    const char *rootfs;             /* the image to boot; NULL: the target has none */
    const char *fault;              /* name of the fault in it, or NULL */
    const struct image_set *images; /* facts of the base images */
    const char *vmm_version;        /* for the record; NULL: not known */
    const char *run_dir;            /* the record becomes run_dir/boot-NNNN */
    const char *scratch;            /* directory for what the VM needs while it runs */
    bool early_end;                 /* end on fatal evidence */
    int parallel_boots;             /* for the record */
    unsigned slot;                  /* place among the boots that run at a time, from 0 */
};

struct boot;

/*
 * Starts boot number `index` (from 0). A start that fails is a finished boot with end
 * `start-failed`, not an error; the error is that its record cannot be written (NULL). `on_done` is
 * called once, from the loop, when the record is saved (or could not be: boot_failure)
 * and nothing of the VM is left. `plan` is borrowed until then.
 */
struct boot *boot_new(const struct boot_plan *plan, unsigned index,
                      void (*on_done)(void *ctx, struct boot *boot), void *ctx, struct err *err);

/* Ends it now, as interrupted; on_done follows. */
void boot_interrupt(struct boot *boot);

/* Stops the VM if it still runs; complete at any point. */
void boot_free(struct boot *boot);

/* Borrowed until boot_free. */
const struct record *boot_record(const struct boot *boot);
const struct console_signs *boot_signs(const struct boot *boot);
/* Why the record of a boot that is done is incomplete on disk (no space, say); NULL: it is not. */
const struct err *boot_failure(const struct boot *boot);
unsigned boot_index(const struct boot *boot);
unsigned boot_slot(const struct boot *boot);
int64_t boot_elapsed_ms(const struct boot *boot);
/* Deadline minus the end, where fatal evidence ended it early; else 0. */
int64_t boot_saved_ms(const struct boot *boot);

#endif
