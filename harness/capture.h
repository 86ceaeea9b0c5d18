/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture: a descriptor -> a bounded file, with arrival times beside it.
 *
 * Head and tail are kept. Up to `limit` bytes go into NAME (the head); what follows goes into two
 * tail files NAME.tail-<stream offset> of at most `limit` bytes that take turns, so that at any
 * moment the newest `limit` bytes, or more, are on disk: a killed bootdiag loses only what it had
 * not read yet. capture_finish joins them: NAME then holds the head and, at `dropped_at`, the tail,
 * with no marker.
 */
#ifndef BOOTDIAG_CAPTURE_H
#define BOOTDIAG_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"
#include "harness/base/loop.h"

enum { CAPTURE_LIMIT = 4 << 20 };

struct capture {
    /* Set by the caller before capture_start. */
    void (*on_bytes)(void *ctx, const char *bytes, size_t len); /* may be NULL */
    void (*on_end)(void *ctx); /* end of file or a read error; may be NULL */
    void *ctx;

    /* Results, valid at any time. */
    uint64_t bytes;         /* received */
    uint64_t dropped_bytes; /* known after capture_finish */
    int64_t dropped_at;     /* -1: nothing dropped */
    bool ended;
    struct err failed; /* the first write that failed: message "" if none */

    /* The capture's own. */
    struct loop *loop;
    struct loop_watch watch;
    char *path, *times_path;
    uint64_t limit;
    int out_fd, times_fd, tail_fd;
    char *tail_path, *older_tail_path;
    uint64_t tail_offset, tail_len, older_offset, older_len;
    int64_t start_ms, last_time_ms;
    uint64_t times_bytes;
};

/*
 * Creates the files and watches `fd` (taken, made non-blocking). `times_path` may be NULL.
 * `start_ms` is the zero of the times, on clock_ms()'s clock.
 */
int capture_start(struct capture *capture, struct loop *loop, int fd, const char *path,
                  const char *times_path, uint64_t limit, int64_t start_ms, struct err *err);

/* Reads what is there now, without waiting. */
void capture_drain(struct capture *capture);

/* Stops watching, closes everything and joins head and tail. Safe on a zeroed capture, and twice.
 */
void capture_finish(struct capture *capture);

/* The files that hold a record's console, in order; joined they are the console. */
struct capture_parts {
    const char *paths[4]; /* NULL-terminated; owned */
    size_t n;
    uint64_t dropped_at, dropped_bytes; /* dropped_bytes 0: no gap */
};
void capture_find_parts(const char *dir, struct capture_parts *ret_parts);
void capture_parts_release(struct capture_parts *parts);

#endif
