/* SPDX-License-Identifier: Apache-2.0 */
/* fault_node: a file of the image, in memory, and what a fault's changes make of it. */
#ifndef BOOTDIAG_FAULT_NODE_H
#define BOOTDIAG_FAULT_NODE_H

#include <stdbool.h>

#include "harness/base/buf.h"
#include "harness/base/err.h"
#include "harness/debugfs.h"
#include "harness/fault_change.h"

enum { FAULT_FILE_LIMIT = 16 << 20 }; /* bytes of one file */

/* A file, or a folder above one, that some change touches. */
struct fault_node {
    char *path;              /* in the guest; owned */
    bool is_folder;          /* one that must exist in the end */
    bool is_edited;          /* its content is needed */
    struct debugfs_stat was; /* in the image */
    struct debugfs_stat now; /* what it is to become */
    bool has_content;        /* a file whose content is to be written */
    struct buf content;      /* owned; holds at most FAULT_FILE_LIMIT */
    const char *link_to;     /* borrowed from the fault */
};

/*
 * Makes `node` what `change`, which is none that comes behind all others, makes of it; what it
 * writes is read from `dir`, the fault's folder. An error names the node and says why it cannot be
 * changed like that.
 */
int fault_node_change(struct fault_node *node, const struct fault_change *change, const char *dir,
                      struct err *err);

/* Something is put below it: a node that does not exist becomes a folder, any other must be one. */
int fault_node_need_folder(struct fault_node *node, struct err *err);

/* "does not exist", "is a file" ...: for messages. */
const char *fault_node_state(const struct debugfs_stat *stat);

#endif
