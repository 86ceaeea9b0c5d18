/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support.h"

#include <fcntl.h>

#include <zlib.h>
#include <zstd.h>

#include "harness/base/bytes.h"

enum { MIB = 1 << 20 };

/* Text that compresses well but not to nothing: numbered lines. Owned by the caller. */
static char *make_text(size_t len)
{
    char *text = mem_calloc(1, len + 32);
    for (size_t at = 0, i = 0; at < len; i++)
        at += (size_t)sprintf(text + at, "line %zu\n", i);
    text[len] = '\0';
    return text;
}

static char *put_gzip(const char *dir, const char *name, const char *bytes, size_t len)
{
    char *path = path_join(dir, name);
    gzFile file = gzopen(path, "wb1");
    assert_int_equal(gzwrite(file, bytes, (unsigned)len), len);
    assert_int_equal(gzclose(file), Z_OK);
    return path;
}

static char *put_zstd(const char *dir, const char *name, const char *bytes, size_t len)
{
    size_t bound = ZSTD_compressBound(len);
    auto_free char *packed = mem_calloc(1, bound);
    ZSTD_CCtx *encoder = ZSTD_createCCtx();
    (void)ZSTD_CCtx_setParameter(encoder, ZSTD_c_checksumFlag, 1); /* as zstd(1) does */
    size_t packed_len = ZSTD_compress2(encoder, packed, bound, bytes, len);
    (void)ZSTD_freeCCtx(encoder);
    assert_false(ZSTD_isError(packed_len));
    return put_bytes(dir, name, packed, packed_len);
}

static int load_one(struct bytes *ret_bytes, const char *path, uint64_t limit, struct err *err)
{
    return bytes_load(ret_bytes, (const char *[]){path, NULL}, limit, err);
}

static void every_form_holds_the_same(void **state)
{
    static const size_t lens[] = {0, 1, 100, 131071, 131072, 131073, 10 * MIB};
    for (size_t i = 0; i < N_ROWS(lens); i++) {
        auto_free char *text = make_text(lens[i]);
        auto_free char *plain = put_bytes(*state, "c.log", text, lens[i]);
        auto_free char *gzip = put_gzip(*state, "c.log.gz", text, lens[i]);
        auto_free char *zstd = put_zstd(*state, "c.log.zst", text, lens[i]);
        const char *const paths[] = {plain, gzip, zstd};
        for (size_t p = 0; p < N_ROWS(paths); p++) {
            struct bytes bytes = {0};
            struct err err = {0};
            assert_int_equal(load_one(&bytes, paths[p], 1 << 30, &err), 0);
            assert_int_equal(bytes.len, lens[i]);
            assert_non_null(bytes.data);
            assert_false(bytes.cut);
            assert_memory_equal(bytes.data, text, lens[i]);
            bytes_release(&bytes);
            bytes_release(&bytes);
        }
    }
}

/* Zeros: a few KiB stand for many MiB, whole blocks of them in one read. */
static void bombs_stop_at_the_limit(void **state)
{
    enum { LEN = 48 * MIB, LIMIT = 3 * MIB + 5 };
    auto_free char *zeros = mem_calloc(1, LEN);
    auto_free char *plain = put_bytes(*state, "c.log", zeros, LIMIT + 1);
    auto_free char *gzip = put_gzip(*state, "c.log.gz", zeros, LEN);
    auto_free char *zstd = put_zstd(*state, "c.log.zst", zeros, LEN);
    const char *const paths[] = {plain, gzip, zstd};
    for (size_t p = 0; p < N_ROWS(paths); p++) {
        struct bytes bytes = {0};
        assert_int_equal(load_one(&bytes, paths[p], LIMIT, NULL), 0);
        assert_int_equal(bytes.len, LIMIT);
        assert_true(bytes.cut);
        bytes_release(&bytes);
    }
    struct bytes whole = {0};
    struct err err = {0};
    (void)load_one(&whole, zstd, LEN, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(whole.len, LEN);
    assert_false(whole.cut);
    bytes_release(&whole);
}

static void frames_and_members_are_joined(void **state)
{
    auto_free char *a = put_zstd(*state, "a.zst", "one ", 4);
    auto_free char *b = put_zstd(*state, "b.zst", "two ", 4);
    auto_free char *c = put_gzip(*state, "c.gz", "three ", 6);
    auto_free char *d = put_text(*state, "d", "four");
    struct bytes bytes = {0};
    assert_int_equal(bytes_load(&bytes, (const char *[]){a, b, c, d, NULL}, 100, NULL), 0);
    assert_int_equal(bytes.len, 18);
    assert_memory_equal(bytes.data, "one two three four", 18);
    bytes_release(&bytes);
    assert_int_equal(bytes_load(&bytes, (const char *[]){a, b, c, d, NULL}, 10, NULL), 0);
    assert_int_equal(bytes.len, 10);
    assert_true(bytes.cut);
    bytes_release(&bytes);
    assert_int_equal(bytes_load(&bytes, (const char *[]){NULL}, 10, NULL), 0);
    assert_int_equal(bytes.len, 0);

    static const char *const kinds[] = {"zst", "gz"};
    auto_free char *e = put_gzip(*state, "a.gz", "one ", 4);
    auto_free char *f = put_gzip(*state, "b.gz", "two ", 4);
    const char *const pairs[][2] = {{a, b}, {e, f}};
    for (size_t i = 0; i < N_ROWS(pairs); i++) {
        auto_buf struct buf left, right;
        buf_init(&left, 0);
        buf_init(&right, 0);
        assert_int_equal(file_read(pairs[i][0], 1000, &left, NULL), 0);
        assert_int_equal(file_read(pairs[i][1], 1000, &right, NULL), 0);
        buf_add(&left, right.data, right.len);
        auto_free char *name = mem_printf("both.%s", kinds[i]);
        auto_free char *both = put_bytes(*state, name, left.data, left.len);
        assert_int_equal(load_one(&bytes, both, 100, NULL), 0);
        assert_int_equal(bytes.len, 8);
        assert_memory_equal(bytes.data, "one two ", 8);
        bytes_release(&bytes);
    }
}

/* Replaces the file by its first `keep` bytes, with one byte in the middle of them turned over. */
static void damage(const char *path, off_t keep, bool flip)
{
    auto_fd int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(ftruncate(fd, keep), 0);
    char byte;
    assert_int_equal(pread(fd, &byte, 1, keep / 2), 1);
    byte = (char)~byte;
    if (flip)
        assert_int_equal(pwrite(fd, &byte, 1, keep / 2), 1);
}

static void damage_is_an_error_not_a_shorter_console(void **state)
{
    auto_free char *text = make_text(3 * MIB);
    static const char *const names[] = {"c.log.gz", "c.log.zst"};
    for (size_t i = 0; i < N_ROWS(names); i++) {
        for (int flip = 0; flip < 2; flip++) {
            auto_free char *path = i == 0 ? put_gzip(*state, names[i], text, 3 * MIB)
                                          : put_zstd(*state, names[i], text, 3 * MIB);
            struct stat status;
            assert_int_equal(stat(path, &status), 0);
            damage(path, flip ? status.st_size : status.st_size - 9,
                   flip); /* gzip's trailer is 8 */
            struct bytes bytes = {.len = 0, .data = "untouched"};
            struct err err = {0};
            assert_int_equal(load_one(&bytes, path, 1 << 30, &err), -1);
            assert_holds(err.message, names[i]);
            assert_holds(err.message, "still gives what stands before the damage");
            assert_string_equal(bytes.data, "untouched");
        }
    }
    static const char *const liars[] = {"liar.gz", "liar.zst"};
    for (size_t i = 0; i < N_ROWS(liars); i++) {
        auto_free char *liar = put_text(*state, liars[i], "this is not compressed");
        struct bytes bytes = {0};
        struct err err = {0};
        assert_int_equal(load_one(&bytes, liar, 100, &err), -1);
        assert_holds(err.message, liars[i]);
    }
}

static void what_cannot_be_read_is_named(void **state)
{
    auto_free char *missing = path_join(*state, "missing");
    auto_free char *missing_zst = path_join(*state, "missing.zst");
    auto_free char *dir = put_dir(*state, "dir.log");
    auto_free char *dir_gz = put_dir(*state, "dir.gz");
    auto_free char *dir_zst = put_dir(*state, "dir.zst");
    const char *const paths[] = {missing, missing_zst, dir, dir_gz, dir_zst};
    for (size_t i = 0; i < N_ROWS(paths); i++) {
        struct bytes bytes = {0};
        struct err err = {0};
        assert_int_equal(load_one(&bytes, paths[i], 100, &err), -1);
        assert_holds(err.message, paths[i]);
        assert_null(bytes.data);
    }
}

static void content_outlives_its_file(void **state)
{
    auto_free char *path = put_text(*state, "c.log", "still here");
    struct bytes bytes = {0};
    assert_int_equal(load_one(&bytes, path, 100, NULL), 0);
    assert_int_equal(truncate(path, 0), 0);
    assert_memory_equal(bytes.data, "still here", 10);
    bytes_release(&bytes);
}

static void a_missing_tmpdir_is_named(void **state)
{
    auto_free char *path = put_text(*state, "c.log", "x");
    auto_free char *old = mem_strdup(getenv("TMPDIR"));
    struct bytes bytes = {0};
    struct err err = {0};
    (void)setenv("TMPDIR", "/no/such/dir", 1);
    int result = load_one(&bytes, path, 100, &err);
    (void)(old != NULL ? setenv("TMPDIR", old, 1) : unsetenv("TMPDIR"));
    assert_int_equal(result, -1);
    assert_holds(err.message, "/no/such/dir: No such file or directory");
}

static void standard_input_is_a_file_too(void **state)
{
    auto_free char *path = put_text(*state, "in", "from standard input");
    auto_fd int saved = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    struct bytes bytes = {0};
    int result = load_one(&bytes, "-", 100, NULL);
    if (saved >= 0)
        (void)dup2(saved, STDIN_FILENO);
    assert_int_equal(result, 0);
    assert_int_equal(bytes.len, 19);
    assert_memory_equal(bytes.data, "from standard input", 19);
    bytes_release(&bytes);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        dir_test(every_form_holds_the_same),     dir_test(bombs_stop_at_the_limit),
        dir_test(frames_and_members_are_joined), dir_test(damage_is_an_error_not_a_shorter_console),
        dir_test(what_cannot_be_read_is_named),  dir_test(content_outlives_its_file),
        dir_test(a_missing_tmpdir_is_named),     dir_test(standard_input_is_a_file_too),
    };
    return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
