/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spool: a growing copy of one VM's console.log and firecracker-error.log, made while it lives.
 *
 * The live files stay open: what is unlinked or truncated can still be read. The copy is a
 * directory that survives its writer: state.json says, before the first byte is copied, which file
 * (device, inode) stands from where on in the copy, and the copy's own size says how far it got.
 */
#ifndef BOOTDIAG_SPOOL_H
#define BOOTDIAG_SPOOL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/base/clock.h"
#include "harness/base/err.h"
#include "harness/record.h"

enum spool_log { SPOOL_CONSOLE, SPOOL_ERROR, SPOOL_N_LOGS };

/* What is kept of one live file. */
struct spool_copy {
    int fd; /* owned; of the live file; -1: none */
    dev_t dev;
    ino_t ino;        /* 0: there never was one */
    int64_t base;     /* where in the copy the live file's first byte stands */
    int64_t size;     /* of the copy */
    int64_t dropped;  /* bytes that are not copied because the copy is as large as it may become */
    int truncations;  /* how often the live file became shorter than what was copied of it */
    int replacements; /* how often another file took its name */
};

struct spool {
    char *vm_id;
    char *dir; /* below the spool's root, named after the VM */
    struct spool_copy copies[SPOOL_N_LOGS];
    struct record record; /* the facts: guest.*, vm_id, started_at (first seen), ready_ms */
    char ended_at[CLOCK_TEXT_SIZE]; /* "": it still lives */
    bool unsaved;                   /* state.json does not say all of this yet */
};

/* Letters, digits, '.', '_' and '-', at most 128, the first a letter or digit: what becomes part of
 * a file's name. */
bool spool_is_vm_id(const char *name);

/* Begins a copy below `root`, or goes on with one that is there. Nothing is written yet. A state
 * that cannot be read is an error, and the spool is released. */
int spool_init(struct spool *spool, const char *root, const char *vm_id, struct err *err);

/* Closes the live files: all that is wanted of them was copied. */
void spool_detach(struct spool *spool);

/* The copy stays. */
void spool_release(struct spool *spool);

/* Removes the copy, at once as far as anybody can see: half of one would be archived again after a
 * crash, over the whole one. */
int spool_remove(struct spool *spool, struct err *err);

/* Ends the removals that a dead process began. */
int spool_clean(const char *root, struct err *err);

/*
 * Opens what there is in the VM's live directory (a descriptor of it, borrowed) and was not open
 * yet; links and what is no regular file are refused. Reads vm-config.json once it is there.
 */
void spool_attach(struct spool *spool, int live_dir);

/*
 * Copies what is new, of each file at most a few MiB, each copy at most `limit` bytes. Returns 1 if
 * something was copied, 0 if not, -1 if it cannot be written; what was written stays counted, and
 * the next call goes on there.
 */
int spool_pump(struct spool *spool, int64_t limit, struct err *err);

/* True if there is a live file, or a copy of one. */
bool spool_has_any(const struct spool *spool);

/* Writes state.json. */
int spool_save(struct spool *spool, struct err *err);

/* Path of a copy; owned by the caller. */
char *spool_path(const struct spool *spool, enum spool_log log);

#endif
