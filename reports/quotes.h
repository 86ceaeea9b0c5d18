/* SPDX-License-Identifier: Apache-2.0 */
/* quotes: the lines that prove something: how their files are called, which of them are shown. */
#ifndef BOOTDIAG_QUOTES_H
#define BOOTDIAG_QUOTES_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "harness/base/buf.h"
#include "reports/view.h"

enum {
    QUOTES_MAX = 4,       /* that are shown */
    QUOTES_COLUMNS = 300, /* of a line, before it is cut */
};

/* How the files that are quoted are called. Borrowed. */
struct quotes_place {
    const char *where;   /* put in front of their names: "boot-0002/" or "" */
    const char *console; /* in place of `where` and "console.log"; NULL: those */
};

/* Appends the name of a file: "boot-0002/console.log". */
void quotes_add_file(struct buf *text, const struct quotes_place *place, const char *file);

/* Appends a quote: "boot-0002/console.log:412: text". */
void quotes_add(const struct view *view, struct buf *text, const json_t *quote,
                const struct quotes_place *place);

/* The first quote, which is the telling one, and those that say something else, in the order of
 * their lines. Returns how many; they are borrowed from `evidence`. */
size_t quotes_pick(const json_t *evidence, const json_t *ret_quotes[static QUOTES_MAX]);

/* True if one of those that are shown says the same as `quote`. */
bool quotes_show(const json_t *evidence, const json_t *quote);

#endif
