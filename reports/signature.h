/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signature: a short name for "failed in the same way", the same in every run and on every host.
 *
 * People write it into tickets: it changes only with the wording of a summary. So it has a coarse
 * template of its own instead of the one that boots are compared by.
 */
#ifndef BOOTDIAG_SIGNATURE_H
#define BOOTDIAG_SIGNATURE_H

#include "harness/base/buf.h"

enum { SIGNATURE_SIZE = 9 };

/*
 * Eight hex digits from a cause and the sentence that says what happened, which is steadier than
 * the telling line: which of several lines comes first differs between boots. A count at its end,
 * "(3 times)", does not matter. Where the cause is not known also from the last milestone and the
 * last probe class. Each may be NULL.
 */
void signature_make(const char *cause, const char *stage, const char *probe_class,
                    const char *summary, char ret_hex[static SIGNATURE_SIZE]);

/*
 * Appends the line with '#' for numbers, hex, UUIDs, MACs, long identifiers, and names of days and
 * months; runs of white space become one space.
 */
void signature_template(const char *line, struct buf *ret_text);

#endif
