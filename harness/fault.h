/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault: something that is broken on purpose: changes of the root image and of the target, and the
 * cause that a diagnosis must then name. One folder per fault: DIR/<name>/fault.json
 * (bootdiag.fault/1):
 *
 *   schema, summary, cause     what it is, and the expected cause; null: it comes up all the same
 *   accept                     other causes that are right too
 *   also                       further causes that a diagnosis must list: faults come stacked
 *   visible_in_console         whether the console alone can show it
 *   target                     members of the target that it changes
 *   cmdline_append             kernel arguments that it adds
 *   changes                    of the root image, in order; see fault_change.h
 *   initrd                     what is done to the initrd; see fault_initrd.h
 *   guests                     for each guest: members that replace those above
 *   only                       the guests that it can be injected into; absent: any
 *   lab                        for what records the cases; not read here
 */
#ifndef BOOTDIAG_FAULT_H
#define BOOTDIAG_FAULT_H

#include <stdbool.h>

#include <jansson.h>

#include "harness/base/err.h"
#include "harness/target.h"

struct fault {
    char *name;
    char *dir; /* its folder */
    char *summary;
    char *cause;          /* expected; NULL: none, it comes up all the same */
    char *cmdline_append; /* or NULL */
    json_t *document;     /* owned: the whole fault.json */
};

/* Loads DIR/<name>/fault.json. An unknown name is an error that lists the known ones. */
int fault_load(struct fault *fault, const char *faults_dir, const char *name, struct err *err);
void fault_release(struct fault *fault);

/* Names of all faults, sorted, as a NULL-terminated array that fault_list_free frees. */
char **fault_list(const char *faults_dir, struct err *err);
void fault_list_free(char **names);

/*
 * Settles what it does to this guest (the target's "guest", or NULL): its members in "guests" take
 * the place of the general ones. A guest that "only" does not name is an error; NULL is taken to
 * fit. To be called once, after loading.
 */
int fault_for_guest(struct fault *fault, const char *guest, struct err *err);

/* Merges its "target" and appends its kernel arguments. */
int fault_apply_target(const struct fault *fault, struct target *target, struct err *err);

/* True if it changes the root image; the initrd. */
bool fault_changes_image(const struct fault *fault);
bool fault_changes_initrd(const struct fault *fault);

/*
 * Applies its changes to an ext4 image, in place, with debugfs(8): no root, no mount.
 * `scratch` is a directory for temporary files. What cannot be done exactly as written is an error:
 * removing what is not there, an edit whose text does not occur exactly once. After a failure the
 * image is of no use.
 */
int fault_apply_image(const struct fault *fault, const char *image, const char *scratch,
                      struct err *err);

#define auto_fault __attribute__((cleanup(fault_release)))

#endif
