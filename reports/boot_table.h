/* SPDX-License-Identifier: Apache-2.0 */
/* boot_table: one line per boot, or per kind of boot when there are too many for a screen. */
#ifndef BOOTDIAG_BOOT_TABLE_H
#define BOOTDIAG_BOOT_TABLE_H

#include <jansson.h>

#include "harness/base/buf.h"
#include "reports/view.h"

/* Prints the table of a report's boots. */
void boot_table_print(const struct view *view, const json_t *boots);

/* Appends ids, consecutive ones as a range: "0001-0040, 0042". `ids` is an array of strings. */
void boot_table_ids(struct buf *text, const json_t *ids);

#endif
