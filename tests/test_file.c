/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support.h"

#include <errno.h>
#include <fcntl.h>

#include "harness/base/file.h"

static void paths_are_taken_apart_and_joined(void **state)
{
    (void)state;
    static const struct {
        const char *dir, *name, *want;
    } joins[] = {
        {"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"a", "/b", "/b"},
        {"", "b", "b"},    {NULL, "b", "b"},   {"/", "b", "/b"},
    };
    for (size_t i = 0; i < N_ROWS(joins); i++) {
        auto_free char *got = path_join(joins[i].dir, joins[i].name);
        assert_string_equal(got, joins[i].want);
    }
    static const struct {
        const char *path, *dir, *base;
    } parts[] = {{"a/b", "a", "b"}, {"b", ".", "b"}, {"/b", "/", "b"}, {"a/b/", "a/b", ""}};
    for (size_t i = 0; i < N_ROWS(parts); i++) {
        auto_free char *dir = path_dir(parts[i].path);
        assert_string_equal(dir, parts[i].dir);
        assert_string_equal(path_base(parts[i].path), parts[i].base);
    }
}

static void directories_are_made_with_their_parents(void **state)
{
    auto_free char *deep = path_join(*state, "a/b//c/");
    assert_int_equal(path_make_dirs(deep, NULL), 0);
    assert_int_equal(path_make_dirs(deep, NULL), 0);
    assert_true(path_is_dir(deep));

    struct err err;
    free(put_text(*state, "file", ""));
    auto_free char *file = path_join(*state, "file");
    auto_free char *below = path_join(*state, "file/x");
    assert_int_equal(path_make_dirs(file, &err), -1);
    assert_holds(err.message, "/file: Not a directory");
    assert_int_equal(path_make_dirs(below, &err), -1);
    assert_holds(err.message, "/file/x: Not a directory");
    assert_int_equal(path_make_dirs("", &err), -1);
}

static void kinds_of_paths_are_told_apart(void **state)
{
    auto_free char *dir = put_dir(*state, "dir");
    auto_free char *file = put_text(*state, "file", "x");
    auto_free char *fifo = put_fifo(*state, "fifo");
    auto_free char *link = path_join(*state, "link");
    auto_free char *dangling = path_join(*state, "dangling");
    assert_int_equal(symlink(file, link), 0);
    assert_int_equal(symlink("nowhere", dangling), 0);
    const struct {
        const char *path;
        bool exists, is_file, is_dir;
    } rows[] = {
        {dir, true, false, true},  {file, true, true, false},       {fifo, true, false, false},
        {link, true, true, false}, {dangling, false, false, false},
    };
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        assert_int_equal(path_exists(rows[i].path), rows[i].exists);
        assert_int_equal(path_is_file(rows[i].path), rows[i].is_file);
        assert_int_equal(path_is_dir(rows[i].path), rows[i].is_dir);
    }
}

static void removing_a_tree_stays_inside_it(void **state)
{
    free(put_dir(*state, "tree/a/b"));
    auto_free char *outside = put_dir(*state, "outside");
    free(put_text(*state, "outside/precious", "x"));
    free(put_text(*state, "tree/a/file", "x"));
    auto_free char *root = path_join(*state, "tree");
    auto_free char *link = path_join(*state, "tree/a/b/link");
    auto_free char *root_link = path_join(*state, "root-link");
    auto_free char *precious = path_join(*state, "outside/precious");
    assert_int_equal(symlink(outside, link), 0);
    assert_int_equal(symlink(outside, root_link), 0);
    free(put_fifo(*state, "tree/fifo"));

    assert_int_equal(path_remove_tree(root, NULL), 0);
    assert_false(path_exists(root));
    assert_true(path_exists(precious));
    assert_int_equal(path_remove_tree(root_link, NULL), 0);
    assert_false(path_exists(root_link));
    assert_true(path_exists(precious));
    assert_int_equal(path_remove_tree(root, NULL), 0);

    struct err err;
    assert_int_equal(path_remove_tree("/proc/self/status", &err), -1);
    assert_holds(err.message, "cannot remove /proc/self/status: ");
}

static void reading_has_a_limit_and_waits_for_nobody(void **state)
{
    auto_free char *ten = put_text(*state, "ten", "0123456789");
    auto_free char *fifo = put_fifo(*state, "fifo");
    auto_free char *missing = path_join(*state, "missing");
    const struct {
        const char *path;
        size_t limit;
        const char *problem; /* NULL: none */
    } rows[] = {
        {ten, 10, NULL},
        {ten, SIZE_MAX, NULL},
        {ten, 9, "/ten is larger than 9 bytes"},
        {fifo, 10, "/fifo: not a regular file"},
        {missing, 10, "/missing: No such file or directory"},
        {*state, 10, ": Is a directory"},
    };
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        auto_buf struct buf content;
        struct err err = {0};
        buf_init(&content, 3);
        buf_add_text(&content, "old");
        int result = file_read(rows[i].path, rows[i].limit, &content, &err);
        assert_int_equal(result, rows[i].problem == NULL ? 0 : -1);
        assert_string_equal(buf_text(&content), rows[i].problem == NULL ? "0123456789" : "old");
        if (rows[i].problem != NULL)
            assert_holds(err.message, rows[i].problem);
    }
}

static void writing_replaces_or_changes_nothing(void **state)
{
    auto_free char *path = put_text(*state, "file", "old");
    free(put_bytes(*state, "file", "n\0w", 3));
    auto_buf struct buf content;
    buf_init(&content, 0);
    assert_int_equal(file_read(path, 100, &content, NULL), 0);
    assert_int_equal(content.len, 3);

    struct err err;
    auto_free char *in_the_way = put_dir(*state, "dir");
    auto_free char *nowhere = path_join(*state, "none/file");
    assert_int_equal(file_write(in_the_way, "x", 1, &err), -1);
    assert_holds(err.message, "/dir: Is a directory");
    assert_int_equal(file_write(nowhere, "x", 1, &err), -1);
    assert_holds(err.message, "/none/file: No such file or directory");

    auto_dir DIR *entries = opendir(*state);
    int n = 0;
    while (readdir(entries) != NULL)
        n++;
    assert_int_equal(n, 4); /* . .. file dir: no temporary file stays */
}

static void a_full_device_has_its_cause(void **state)
{
    (void)state;
    auto_fd int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct err err;
    assert_int_equal(fd_write_all(full, "x", 1, "console.log", &err), -1);
    assert_string_equal(err.message, "cannot write console.log: No space left on device");
    assert_string_equal(err.cause, "host.disk-full");
}

enum { HOLE = 8 << 20, ISLAND = 1 << 16 };

/* Data, a hole, data, a hole at the end. */
static char *put_sparse(const char *dir)
{
    char *path = path_join(dir, "sparse");
    auto_free char *island = mem_calloc(1, ISLAND);
    memset(island, 'd', ISLAND);
    auto_fd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(pwrite(fd, island, ISLAND, 0), ISLAND);
    assert_int_equal(pwrite(fd, island, ISLAND, HOLE), ISLAND);
    assert_int_equal(ftruncate(fd, 2 * HOLE), 0);
    return path;
}

static void assert_same_and_sparse(const char *from, const char *to)
{
    char left[FILE_SHA256_SIZE], right[FILE_SHA256_SIZE];
    assert_int_equal(file_sha256(from, left, NULL), 0);
    assert_int_equal(file_sha256(to, right, NULL), 0);
    assert_string_equal(left, right);
    struct stat status;
    assert_int_equal(stat(to, &status), 0);
    assert_int_equal(status.st_size, 2 * HOLE);
    assert_true(status.st_blocks * 512 < HOLE);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void copies_keep_holes_and_content(void **state)
{
    auto_free char *from = put_sparse(*state);
    auto_free char *to = path_join(*state, "copy");
    assert_int_equal(file_copy_sparse(from, to, NULL), 0);
    assert_same_and_sparse(from, to);

    free(put_text(*state, "empty", ""));
    auto_free char *empty = path_join(*state, "empty");
    auto_free char *copy = path_join(*state, "empty-copy");
    assert_int_equal(file_copy_sparse(empty, copy, NULL), 0);
    assert_true(path_is_file(copy));
}

/* copy_file_range(2) refuses two types of file system. */
static void copies_cross_file_systems(void **state)
{
    char other[] = "/dev/shm/bootdiag-test-XXXXXX";
    struct stat here, there;
    if (mkdtemp(other) == NULL)
        skip();
    assert_int_equal(stat(*state, &here), 0);
    assert_int_equal(stat(other, &there), 0);
    auto_free char *from = put_sparse(*state);
    auto_free char *to = path_join(other, "copy");
    struct err err = {0};
    int result = file_copy_sparse(from, to, &err);
    if (result == 0)
        assert_same_and_sparse(from, to);
    (void)path_remove_tree(other, NULL);
    assert_string_equal(err.message, "");
    if (here.st_dev == there.st_dev)
        skip();
}

static void refused_copies_leave_nothing(void **state)
{
    auto_free char *file = put_text(*state, "file", "content");
    auto_free char *fifo = put_fifo(*state, "fifo");
    auto_free char *missing = path_join(*state, "missing");
    auto_free char *to = path_join(*state, "to");
    const struct {
        const char *from, *to, *problem;
    } rows[] = {
        {missing, to, "/missing: No such file or directory"},
        {fifo, to, "/fifo: not a regular file"},
        {*state, to, ": Is a directory"},
        {file, file, "cannot create"},
    };
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        struct err err = {0};
        assert_int_equal(file_copy_sparse(rows[i].from, rows[i].to, &err), -1);
        assert_holds(err.message, rows[i].problem);
        assert_false(path_exists(to));
    }
    auto_free char *untouched = get_text(*state, "file");
    assert_string_equal(untouched, "content");
}

static void digests_are_those_of_fips_180(void **state)
{
    auto_free char *abc = put_text(*state, "abc", "abc");
    auto_free char *empty = put_text(*state, "empty", "");
    char hex[FILE_SHA256_SIZE];
    assert_int_equal(file_sha256(abc, hex, NULL), 0);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(file_sha256(empty, hex, NULL), 0);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_int_equal(file_sha256(*state, hex, NULL), -1);
}

static void free_space_is_known_where_there_is_some(void **state)
{
    assert_true(file_free_bytes(*state) > 0);
    assert_int_equal(file_free_bytes("/nowhere/at/all"), -1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_taken_apart_and_joined),
        dir_test(directories_are_made_with_their_parents),
        dir_test(kinds_of_paths_are_told_apart),
        dir_test(removing_a_tree_stays_inside_it),
        dir_test(reading_has_a_limit_and_waits_for_nobody),
        dir_test(writing_replaces_or_changes_nothing),
        cmocka_unit_test(a_full_device_has_its_cause),
        dir_test(copies_keep_holes_and_content),
        dir_test(copies_cross_file_systems),
        dir_test(refused_copies_leave_nothing),
        dir_test(digests_are_those_of_fips_180),
        dir_test(free_space_is_known_where_there_is_some),
    };
    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
