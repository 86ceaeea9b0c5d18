/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes: the content of files as one read-only range of memory, whatever their size.
 *
 * Content is copied (and decompressed) into an unlinked temporary file in $TMPDIR and mapped from
 * there: it costs no heap, and a file that is truncated by somebody else meanwhile cannot pull it
 * away.
 */
#ifndef BOOTDIAG_BASE_BYTES_H
#define BOOTDIAG_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"

struct bytes {
    const char *data; /* NULL: nothing was loaded */
    size_t len;
    bool cut; /* there was more than the limit */
};

/*
 * Loads the files of the NULL-terminated list, joined in its order. "-" is standard input,
 * which may be compressed; names that end in .gz and .zst are decompressed. At most `limit` bytes
 * are taken. On failure `ret_bytes` is untouched.
 */
int bytes_load(struct bytes *ret_bytes, const char *const *paths, uint64_t limit, struct err *err);

void bytes_release(struct bytes *bytes);

#endif
