/* SPDX-License-Identifier: Apache-2.0 */
/* fault_change: one change of the root image's files, as a fault's "changes" lists them. */
#ifndef BOOTDIAG_FAULT_CHANGE_H
#define BOOTDIAG_FAULT_CHANGE_H

#include <stdbool.h>

#include <jansson.h>

#include "harness/base/err.h"

enum fault_change_kind {
    CHANGE_REMOVE,  /* {"remove": path}: a file or a symbolic link */
    CHANGE_WRITE,   /* {"write": path, "file": name, "mode"?}: missing folders are made */
    CHANGE_EDIT,    /* {"edit": path, "replace": text, "by": text}: mode and owner stay */
    CHANGE_APPEND,  /* {"append": path, "text"}: at its end; mode and owner stay */
    CHANGE_SYMLINK, /* {"symlink": path, "to": target} */
    CHANGE_CHMOD,   /* {"chmod": path, "mode"} */
    CHANGE_CHOWN,   /* {"chown": path, "uid", "gid"} */
    CHANGE_MKDIR,   /* {"mkdir": path, "mode"?} */
    CHANGE_FILL,    /* {"fill": path, "leave_kib"}: a new file that takes all other free blocks */
    CHANGE_DAMAGE,  /* {"damage": path, "part", "block"?, "with"?}: overwritten */
};

/* What is overwritten; the path of the last two is "/". */
enum fault_part {
    PART_CONTENT,     /* one block of a file's or a folder's content */
    PART_INODE,       /* the file's or folder's inode */
    PART_SUPERBLOCK,  /* the primary one */
    PART_DESCRIPTORS, /* the first block of group descriptors */
};

/* All texts are borrowed from the JSON value. */
struct fault_change {
    enum fault_change_kind kind;
    const char *path;         /* in the guest: absolute, plain */
    const char *file;         /* write: a name in the fault's folder */
    const char *replace, *by; /* edit */
    const char *text;         /* append */
    const char *to;           /* symlink */
    int mode;                 /* write (default 0644), mkdir (0755), chmod: permission bits */
    int uid, gid;             /* chown */
    int leave_kib;            /* fill */
    int part;                 /* damage: an enum fault_part */
    int block;                /* damage: which of the content's, default 0 */
    int with;                 /* damage: the byte, by the name "garbage" (default) or "zeros" */
};

/*
 * Reads element number `index` of "changes"; `name` is the file, for messages. Unknown members,
 * wrong types and paths that are not absolute and plain (no "..", no quotes, no control characters)
 * are errors.
 */
int fault_change_parse(struct fault_change *ret_change, const json_t *value, size_t index,
                       const char *name, struct err *err);

/* True for what comes behind all other changes: it leaves blocks that nothing can be written to. */
bool fault_change_is_last(const struct fault_change *change);

#endif
