/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diagnose: one entry of an archive, from its files to what is printed about it. `analyze` has this
 * done by forked workers, so what comes of it can be sent as bytes. Command layer.
 */
#ifndef BOOTDIAG_DIAGNOSE_H
#define BOOTDIAG_DIAGNOSE_H

#include <stdbool.h>

#include <jansson.h>

#include "harness/archive.h"
#include "harness/base/buf.h"
#include "harness/base/err.h"
#include "harness/baselines.h"
#include "harness/command.h"
#include "harness/eyes.h"
#include "harness/service.h"
#include "reports/report.h"

/* What an entry is read and shown with; rules and baseline are kept from one entry to the next. */
struct diagnose {
    const struct command_line *line;
    struct report_style style;
    struct eyes_rules rules;
    struct service service;     /* of records that name none */
    const char **baseline_dirs; /* owned, NULL-terminated */
    struct baseline *baseline;
    char baseline_for[IDENTITY_SIZE]; /* identity that `baseline` was loaded for */
    bool in_full; /* as text, each by itself; else only what the table of many takes */
};

/* Takes --json, --target, --baseline and --rules from the command line. Release in any case. */
int diagnose_init(struct diagnose *diagnose, const struct command_line *line, struct err *err);
void diagnose_release(struct diagnose *diagnose);

/* What is said about one entry. */
struct diagnosed {
    bool ready;
    bool unread;      /* it, or a part of it, could not be read */
    json_t *messages; /* owned: [{"error": text} or {"warning": text}, ...] */
    json_t *item;     /* owned: for report_tally_add; NULL: it could not be read at all */
    struct buf text;  /* to be printed as it is */
};

/* Never fails: what cannot be read is one of the messages. */
void diagnose_entry(struct diagnose *diagnose, const struct archive *archive, size_t index,
                    struct diagnosed *ret_diagnosed);
void diagnosed_release(struct diagnosed *diagnosed);

/* As bytes, and back; -1: these are not such bytes. */
void diagnosed_pack(const struct diagnosed *diagnosed, struct buf *ret_bytes);
int diagnosed_unpack(struct diagnosed *ret_diagnosed, const struct buf *bytes);

#define auto_diagnosed __attribute__((cleanup(diagnosed_release)))

#endif
