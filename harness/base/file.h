/* SPDX-License-Identifier: Apache-2.0 */
/* file: paths, whole files, trees and sparse copies. */
#ifndef BOOTDIAG_BASE_FILE_H
#define BOOTDIAG_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/buf.h"
#include "harness/base/err.h"

/* "dir/name"; `name` alone if it is absolute. Owned by the caller. */
char *path_join(const char *dir, const char *name);

/* What stands before the last '/', or "."; what stands behind it. */
char *path_dir(const char *path);
const char *path_base(const char *path);

bool path_exists(const char *path);
bool path_is_file(const char *path); /* a regular one, or a link to one */
bool path_is_dir(const char *path);

/* Creates a directory and its parents, 0755. One that exists is fine. */
int path_make_dirs(const char *path, struct err *err);

/*
 * Removes a tree without following symbolic links out of it. What is already gone is fine; the
 * first thing that cannot be removed is the error, and the rest is still tried.
 */
int path_remove_tree(const char *path, struct err *err);

/* Reads a whole file; one larger than `limit`, or a FIFO or the like, is an error. */
int file_read(const char *path, size_t limit, struct buf *ret_content, struct err *err);

/* Writes beside the target and renames, so that readers see the old or the new content, never half.
 */
int file_write(const char *path, const char *bytes, size_t len, struct err *err);

/* Writes all of it, or fails with errno's text; `name` is for the message. */
int fd_write_all(int fd, const char *bytes, size_t len, const char *name, struct err *err);

/*
 * Copies the data of `from` into the new file `to` (0600): a reflink where the file system can,
 * else only the allocated extents (SEEK_DATA, copy_file_range). On failure `to` is removed. ENOSPC
 * has the cause "host.disk-full".
 */
int file_copy_sparse(const char *from, const char *to, struct err *err);

enum { FILE_SHA256_SIZE = 65 };

/* SHA-256 of a file's content as hex digits. */
int file_sha256(const char *path, char ret_hex[static FILE_SHA256_SIZE], struct err *err);

/* Free bytes for an unprivileged user on the file system of `path`, or -1. */
int64_t file_free_bytes(const char *path);

#endif
