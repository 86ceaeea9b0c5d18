/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record: everything kept about one boot: contract `bootdiag.boot/1`
 * (fixtures/contract/boot-record.md).
 *
 * A live boot fills a record and saves it; `analyze` loads one from a directory, an archived
 * console or a bare file, and from there on nobody can tell the difference. Raw evidence is mapped
 * read-only and never rewritten. Every *_ms counts from the exec of the VMM; -1 (RECORD_UNKNOWN)
 * means not known.
 */
#ifndef BOOTDIAG_RECORD_H
#define BOOTDIAG_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "harness/arrivals.h"
#include "harness/base/bytes.h"
#include "harness/base/err.h"
#include "harness/service.h"

enum { RECORD_UNKNOWN = -1 };

/* How a boot ended; the names are the contract's. */
enum record_end {
    RECORD_END_UNKNOWN,
    RECORD_END_READY,
    RECORD_END_DEADLINE,
    RECORD_END_VMM_EXIT,
    RECORD_END_FATAL_EVIDENCE,
    RECORD_END_START_FAILED,
    RECORD_END_INTERRUPTED,
};

/* What one attempt to reach the service met; the names are the contract's. */
enum probe_class {
    PROBE_HOST_UNREACHABLE,
    PROBE_NET_UNREACHABLE,
    PROBE_REFUSED,
    PROBE_CONNECT_TIMEOUT,
    PROBE_RESET,
    PROBE_NO_ANSWER,
    PROBE_NOT_HTTP,
    PROBE_HTTP_ERROR,
    PROBE_WRONG_BODY,
    PROBE_READY,
    PROBE_N_CLASSES,
};

/* A run of attempts that met the same. */
struct probe_run {
    enum probe_class class;
    int64_t from_ms, to_ms;
    int count;
    int http_status;       /* 0: there was none */
    const char *neighbour; /* static; state of the host's neighbour entry, NULL if not looked at */
};

enum { RECORD_MOST_BRIDGE_ADDRESSES = 8 };

/* What the host saw of the guest's network; bootdiag's own member of the contract's record. Flags:
 * 1 yes, 0 no, -1 not known. */
struct record_net {
    char *bridge;
    int bridge_up; /* 0 too if it was seen down at any time */
    char *bridge_addresses[RECORD_MOST_BRIDGE_ADDRESSES]; /* "192.168.100.1/24" */
    size_t n_bridge_addresses;
    bool has_bridge_addresses; /* they were looked at: none is a finding */
    char *tap;
    int vnet_hdr;
    char *neighbour_mac; /* the last one in the host's neighbour table for the guest's address */
    char *foreign_mac;   /* not the guest's own, answered for its address */
    int own_answered;    /* the guest's own MAC spoke for the expected address */
    int answered_before_start;           /* somebody had the address before the guest ran */
    int64_t frames_kept, frames_dropped; /* of net.pcap */
};

/* One file that was booted from. All zero or NULL: not known. */
struct record_image {
    char *path;
    int64_t size;
    char *mtime;  /* ISO 8601 */
    char *sha256; /* 64 hex digits */
};

struct record {
    char *source; /* how the user named it: shown, never opened */
    char *dir;    /* directory of the record; NULL for a bare console */

    char *boot_id, *vm_id;
    char *backend;
    bool replayed;
    char *started_at;
    int64_t deadline_ms, ended_ms, ready_ms;
    enum record_end end;
    char *end_detail; /* why, in words: the fatal rule's id, the failed step; or NULL */
    char *fault;

    struct {
        char **argv;   /* owned, NULL-terminated; NULL if not known */
        char *by_hand; /* a shell command that boots the same on the user's terminal; or NULL */
        int exit_code; /* -1: none */
        int signal;    /* 0: none */
        int64_t cpu_ms;
        char *error;
        char *error_cause; /* cause id of `error`, if the backend knows it */
        char *version;
    } vmm;

    struct {
        int memory_mib, vcpus; /* 0: not known */
        char *cmdline, *mac, *expected_address, *seen_address;
    } guest;

    struct record_image kernel, initrd, rootfs;
    struct service service;
    bool has_service; /* boot.json said so; else the defaults stand in `service` */

    struct {
        double load, steal_pct; /* negative: not known */
        int parallel_boots;     /* 0: not known */
        char *kernel, *accelerator;
    } host;

    struct {
        uint64_t bytes, dropped_bytes; /* sent by the guest; not kept */
        int64_t dropped_at;            /* offset of the gap in the kept file, or -1 */
    } console_facts;

    struct {
        char *url, *network, *neighbour;
        struct probe_run *runs; /* owned */
        size_t n_runs;
        bool merged;
    } probe;

    struct record_net net;

    struct {
        char *session_id, *status, *error;
    } controller;

    struct bytes console, vmm_log; /* data NULL: not kept */
    struct bytes net_pcap;         /* frames on the guest's NIC; data NULL: not kept */
    struct record_time *times;     /* owned, ascending; NULL if not kept */
    size_t n_times;
};

void record_init(struct record *record);
void record_release(struct record *record);

const char *record_end_name(enum record_end end); /* NULL for unknown */
const char *probe_class_name(enum probe_class class);

/* True where boot.json, or the fact that it came up, says so: enough to serve as a baseline. */
bool record_came_up(const struct record *record);

/*
 * Loads a record's directory: boot.json, console.log or console.log.zst, console.times, vmm.log or
 * firecracker-error.log, net.pcap. Each file but one of boot.json and the console may be absent.
 * Unknown members of boot.json are ignored, known ones of a wrong type are an error. Decompression
 * and joining go through an unlinked temporary file and stop at 1 GiB (then `console.cut` is set).
 */
int record_load(struct record *record, const char *dir, struct err *err);

/* Loads a bare console; `path` may be "-" for standard input, and may be compressed (.gz, .zst). */
int record_load_console(struct record *record, const char *path, struct err *err);

/* The same with the VMM's own log beside it (an archived pair). */
int record_load_archived(struct record *record, const char *console_path, const char *error_path,
                         struct err *err);

/* Fills a fresh record from the content of a boot.json; `name` is the file, for messages. */
int record_from_json(struct record *record, const json_t *boot, const char *name, struct err *err);

/* boot.json as a new JSON object. */
json_t *record_json(const struct record *record);

/* Writes `record->dir`/boot.json atomically. The raw files are the capture's business. */
int record_save(const struct record *record, struct err *err);

/* When the byte at `offset` of the console arrived, or RECORD_UNKNOWN. */
int64_t record_arrival_ms(const struct record *record, uint64_t offset);

#define auto_record __attribute__((cleanup(record_release)))

#endif
