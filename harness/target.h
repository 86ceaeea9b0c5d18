/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target: what to boot, how to reach it, when to give up. One JSON file
 * (reports/schema/target.json).
 *
 * Every member, its default and its limits stand in one table in target.c; loading, `--set`,
 * `target init` and the documentation are made from it. Paths are relative to the target's file.
 */
#ifndef BOOTDIAG_TARGET_H
#define BOOTDIAG_TARGET_H

#include <jansson.h>

#include "harness/base/err.h"
#include "harness/service.h"

struct target {
    char *path; /* the file it came from, for messages */
    char *name;
    char *guest; /* which guest its images hold, for faults that differ from guest to guest; or NULL
                  */
    char *backend;
    char *kernel, *initrd, *rootfs; /* absolute; NULL: none. rootfs is never written to */
    char *cmdline;
    int memory_mib, vcpus;
    char *network;        /* "user" or "tap" */
    char *nic;            /* "virtio" or "none": a VM without a network card */
    char *bridge;         /* of a TAP network */
    char *tap;            /* an existing TAP device; NULL: each boot makes its own */
    char *address;        /* the first guest's IPv4 address on the bridge; NULL: not set */
    int addresses;        /* how many from there on belong to the target: one per boot at a time */
    char *network_checks; /* "strict" or "lenient" */
    char *pcap;           /* "failure", "always" or "never" */
    int deadline_ms;
    int settle_ms; /* a boot is ready when it still answers this long after its first good answer */
    int grace_ms;  /* how long a boot may go on after fatal evidence, so that its last lines arrive
                    */
    char *qemu_binary; /* searched in PATH, absolute if the file names it by a path */
    char *qemu_machine, *qemu_cpu;
    char *qemu_accelerator; /* "auto", "kvm" or "tcg" */
    char *replay_records;   /* backend replay: a directory of records that are played instead of
                               booted */
    double replay_speed;    /* 1 = as fast as it happened; 0 = at once */
    char **exec; /* backend exec: the VMM's argument vector (words.h); the program as qemu_binary;
                    NULL: none */
    struct service service;
};

/* Every default; `target_release` afterwards. */
void target_init(struct target *target);
void target_release(struct target *target);

/* Loads and checks a file. Messages name file and member. On failure `target` keeps its defaults.
 */
int target_load(struct target *target, const char *path, struct err *err);

/* Overrides one member: "memory_mib=256", "service.port=9090". Relative paths count from the
 * working directory. */
int target_set(struct target *target, const char *assignment, struct err *err);

/* Merges a JSON object of members, as in a fault's "target"; `name` is its file, for messages. */
int target_merge(struct target *target, const json_t *members, const char *name, struct err *err);

/* A new JSON object with every member. */
json_t *target_json(const struct target *target);

/* A starting point with every member, its default and a comment member "//" that says what it
 * means. */
json_t *target_template(void);

#define auto_target __attribute__((cleanup(target_release)))

#endif
