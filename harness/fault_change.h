/* SPDX-License-Identifier: Apache-2.0 */
/* fault_change: one change of the root image's files, as a fault's "changes" lists them. */
#ifndef BOOTDIAG_FAULT_CHANGE_H
#define BOOTDIAG_FAULT_CHANGE_H

#include <jansson.h>

#include "harness/base/err.h"

enum fault_change_kind {
    CHANGE_REMOVE,  /* {"remove": path}: a file or a symbolic link */
    CHANGE_WRITE,   /* {"write": path, "file": name, "mode"?}: missing folders are made */
    CHANGE_EDIT,    /* {"edit": path, "replace": text, "by": text}: mode and owner stay */
    CHANGE_SYMLINK, /* {"symlink": path, "to": target} */
    CHANGE_CHMOD,   /* {"chmod": path, "mode"} */
};

/* All texts are borrowed from the JSON value. */
struct fault_change {
    enum fault_change_kind kind;
    const char *path;         /* in the guest: absolute, plain */
    const char *file;         /* write: a name in the fault's folder */
    const char *replace, *by; /* edit */
    const char *to;           /* symlink */
    int mode;                 /* write (default 0644), chmod: permission bits */
};

/*
 * Reads element number `index` of "changes"; `name` is the file, for messages. Unknown members,
 * wrong types and paths that are not absolute and plain (no "..", no quotes, no control characters)
 * are errors.
 */
int fault_change_parse(struct fault_change *ret_change, const json_t *value, size_t index,
                       const char *name, struct err *err);

#endif
