/* SPDX-License-Identifier: Apache-2.0 */
/* support: what most tests need: cmocka, a directory of one's own, small files. */
#ifndef BOOTDIAG_TESTS_SUPPORT_H
#define BOOTDIAG_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/base/auto.h"
#include "harness/base/file.h"
#include "harness/base/mem.h"

#define N_ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

/* Setup and teardown of a test: *state is the path of a fresh directory. */
static inline int dir_setup(void **state)
{
    const char *parent = getenv("TMPDIR");
    char *dir = mem_printf("%s/bootdiag-test-XXXXXX", parent != NULL ? parent : "/tmp");
    *state = dir;
    return mkdtemp(dir) != NULL ? 0 : -1;
}

static inline int dir_teardown(void **state)
{
    int result = path_remove_tree(*state, NULL);
    free(*state);
    return result;
}

#define dir_test(function) cmocka_unit_test_setup_teardown(function, dir_setup, dir_teardown)

/* Owned by the caller. */
static inline char *put_bytes(const char *dir, const char *name, const char *bytes, size_t len)
{
    char *path = path_join(dir, name);
    struct err err = {0};
    if (file_write(path, bytes, len, &err) != 0)
        fail_msg("%s", err.message);
    return path;
}

static inline char *put_text(const char *dir, const char *name, const char *text)
{
    return put_bytes(dir, name, text, strlen(text));
}

/* The file's content as text, owned by the caller; a NUL ends it early. */
static inline char *get_text(const char *dir, const char *name)
{
    auto_free char *path = path_join(dir, name);
    struct buf content;
    struct err err = {0};
    buf_init(&content, 0);
    if (file_read(path, 64 << 20, &content, &err) != 0)
        fail_msg("%s", err.message);
    return buf_steal(&content);
}

/* `dir`/`name` is created. Owned by the caller. */
static inline char *put_dir(const char *dir, const char *name)
{
    char *path = path_join(dir, name);
    assert_int_equal(path_make_dirs(path, NULL), 0);
    return path;
}

static inline char *put_fifo(const char *dir, const char *name)
{
    char *path = path_join(dir, name);
    assert_int_equal(mkfifo(path, 0600), 0);
    return path;
}

/* Fails with both texts unless `text` holds `part`. */
static inline void assert_holds(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, text);
}

#endif
