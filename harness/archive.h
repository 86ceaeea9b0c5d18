/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archive: what a PATH on the command line holds (contract: fixtures/contract/boot-record.md,
 * "Analysis").
 *
 * First match wins: a directory with boot.json, console.log or console.log.zst is a record; a file
 * `*-console-<ts>.log` (also .gz, .zst) is an archived console, whose `*-error-<ts>.log` is the one
 * of the same vmId with the nearest time stamp within 60 s; another directory holds records or
 * archived consoles at any depth, ordered by time stamp, then name; any other file, or "-", is a
 * bare console. What lies in such a directory and cannot be looked at becomes an entry all the
 * same, so that loading it says why.
 */
#ifndef BOOTDIAG_ARCHIVE_H
#define BOOTDIAG_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"
#include "harness/record.h"

enum archive_kind { ARCHIVE_RECORD, ARCHIVE_CONSOLE_PAIR, ARCHIVE_BARE };

struct archive_entry {
    enum archive_kind kind;
    char *path;       /* of the record's directory or the console; "-": standard input */
    char *error_path; /* ARCHIVE_CONSOLE_PAIR: or NULL */
    char *source;     /* what the analysis calls it */
    char *stamp;      /* ISO 8601 or the archive's own form: orders entries; "" if not known */
};

struct archive {
    struct archive_entry *entries; /* owned */
    size_t len, cap;
};

/* The parts of an archived file's name: "<vmId>-console-2025-11-06T20-49-08-451Z.log". */
struct archive_name {
    size_t vm_id_len;
    const char *stamp; /* inside the name, ARCHIVE_STAMP_LEN bytes */
};

enum { ARCHIVE_STAMP_LEN = 24 };

/* `infix` is "-console-", "-error-" (.log, also .gz and .zst) or "-boot-" (.json, the facts that
 * `preserve` puts beside them). False leaves `ret` untouched. */
bool archive_name_parse(const char *name, const char *infix, struct archive_name *ret);

/* A stamp as milliseconds since 1970. */
int64_t archive_stamp_ms(const char *stamp);

/* A path that does not exist, or a directory without any of these, is an error. */
int archive_find(struct archive *archive, const char *path, struct err *err);
void archive_release(struct archive *archive);

/* Puts the entries of `from` behind those of `to`; `from` is empty then. */
void archive_append(struct archive *to, struct archive *from);

/* Loads one entry; record->source is its source. */
int archive_load(const struct archive *archive, size_t index, struct record *record,
                 struct err *err);

/* The same of a console alone, where its VMM's log cannot be read. */
int archive_load_console(const struct archive *archive, size_t index, struct record *record,
                         struct err *err);

#endif
