/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest: SHA-256 of large files, remembered in a cache directory.
 *
 * What is remembered belongs to one path, device, inode, size, mtime and ctime, to the nanosecond:
 * an image that is built anew with the size and the mtime of the old one is read again. Entries are
 * small files in a fixed number of slots; they are replaced as a whole, so that writers need not
 * know of each other, and one that is damaged is as good as none.
 */
#ifndef BOOTDIAG_BASE_DIGEST_H
#define BOOTDIAG_BASE_DIGEST_H

#include <time.h>

#include "harness/base/err.h"
#include "harness/base/file.h"

/* "$XDG_CACHE_HOME/bootdiag", or the same in "$HOME/.cache"; it need not exist yet. NULL if the
 * environment names no absolute path. Owned by the caller. Source: XDG Base Directory
 * Specification 0.8. */
char *digest_cache_dir(void);

/*
 * SHA-256 of a file's content as hex digits, without reading it if `cache_dir` (NULL: none) holds
 * it. A cache that cannot be used, or that another user owns, only costs time. `now` is the wall
 * clock (time(2)): what was changed in the last seconds is not remembered, because it could change
 * once more without another time stamp.
 */
int digest_file(const char *path, const char *cache_dir, time_t now,
                char ret_hex[static FILE_SHA256_SIZE], struct err *err);

#endif
