/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debugfs: runs debugfs(8) of e2fsprogs on an ext4 image: files are looked at and changed without
 * root and without a mount. It ends with status 0 whatever happens, so its words are what counts.
 */
#ifndef BOOTDIAG_DEBUGFS_H
#define BOOTDIAG_DEBUGFS_H

#include <stddef.h>
#include <stdint.h>

#include "harness/base/buf.h"
#include "harness/base/err.h"

enum debugfs_access { DEBUGFS_READ, DEBUGFS_WRITE };

struct debugfs_output {
    struct buf said;   /* standard output: each command is echoed before what it prints */
    struct buf errors; /* standard error */
};

void debugfs_output_release(struct debugfs_output *output);

/*
 * Runs the commands, one a line, in the directory `dir`: native files that they name without a
 * directory are there. `dir` is private to the caller: the script and the output are kept there
 * too. An image that cannot be opened is an error; what a single command complains about is in
 * `ret_output`.
 */
int debugfs_run(const char *image, enum debugfs_access access, const char *commands,
                const char *dir, struct debugfs_output *ret_output, struct err *err);

struct debugfs_stat {
    enum { DEBUGFS_ABSENT, DEBUGFS_FILE, DEBUGFS_DIR, DEBUGFS_LINK, DEBUGFS_OTHER } type;
    unsigned mode; /* permission bits */
    unsigned uid, gid;
    uint64_t size;
};

/* The answers to the first `n` `stat` commands, in their order. */
void debugfs_stats(const struct debugfs_output *output, struct debugfs_stat *ret_stats, size_t n);

#define auto_debugfs __attribute__((cleanup(debugfs_output_release)))

#endif
