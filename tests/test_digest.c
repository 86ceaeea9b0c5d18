/* SPDX-License-Identifier: Apache-2.0 */
/* The clock is the test's: an hour ahead, so that a file written just now has settled. */
#include "tests/support.h"

#include <sys/wait.h>

#include "harness/base/digest.h"

static const char OF_ABC[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char OF_NOTHING[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

static time_t later(void)
{
    return time(NULL) + 3600;
}

static void assert_digest(const char *path, const char *cache, time_t now, const char *expected)
{
    char hex[FILE_SHA256_SIZE];
    struct err err = {0};
    if (digest_file(path, cache, now, hex, &err) != 0)
        fail_msg("%s", err.message);
    assert_string_equal(hex, expected);
}

/* The only entry of the cache. Owned by the caller. */
static char *only_entry(const char *cache)
{
    char *found = NULL;
    auto_dir DIR *entries = opendir(cache);
    assert_non_null(entries);
    const struct dirent *entry;
    while ((entry = readdir(entries)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        assert_null(found);
        found = mem_strdup(entry->d_name);
    }
    assert_non_null(found);
    return found;
}

/* Makes the entry say another digest, so that who reads it can be told from who reads the file. */
static void forge(const char *cache, const char *entry, const char *from, const char *to)
{
    auto_free char *text = get_text(cache, entry);
    char *at = strstr(text, from);
    assert_non_null(at);
    memcpy(at, to, strlen(to));
    free(put_text(cache, entry, text));
}

static void what_is_known_is_not_read_again(void **state)
{
    auto_free char *path = put_text(*state, "image", "abc");
    auto_free char *link = path_join(*state, "link");
    auto_free char *cache = path_join(*state, "made/on/demand");
    assert_digest(path, cache, later(), OF_ABC);
    auto_free char *entry = only_entry(cache);
    auto_free char *entry_file = path_join(cache, entry);
    struct stat first, second;
    assert_int_equal(stat(entry_file, &first), 0);

    assert_int_equal(symlink(path, link), 0);
    assert_digest(link, cache, later(), OF_ABC);
    free(only_entry(cache));
    assert_int_equal(stat(entry_file, &second), 0);
    assert_int_equal(first.st_ino, second.st_ino); /* it was not written once more */
}

/* As a build does that pins time stamps: same name, same size, same mtime. */
static void another_content_is_seen_behind_the_same_size_and_mtime(void **state)
{
    static const struct timespec times[2] = {{.tv_sec = 1762462024}, {.tv_sec = 1762462024}};
    auto_free char *path = put_text(*state, "image", "xyz");
    auto_free char *cache = path_join(*state, "cache");
    char before[FILE_SHA256_SIZE];
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_int_equal(digest_file(path, cache, later(), before, NULL), 0);
    assert_string_not_equal(before, OF_ABC);
    free(put_text(*state, "image", "abc"));
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_digest(path, cache, later(), OF_ABC);
    free(only_entry(cache)); /* in the place of the old one */
}

static void a_damaged_entry_is_rebuilt(void **state)
{
    auto_free char *path = put_text(*state, "image", "abc");
    auto_free char *cache = path_join(*state, "cache");
    assert_digest(path, cache, later(), OF_ABC);
    auto_free char *entry = only_entry(cache);
    auto_free char *good = get_text(cache, entry);
    size_t len = strlen(good);

    forge(cache, entry, "ba7816bf", "ba7816be");
    assert_digest(path, cache, later(), OF_ABC);
    auto_free char *rebuilt = get_text(cache, entry);
    assert_string_equal(rebuilt, good);
    for (size_t cut = 0; cut < len; cut += 7) {
        free(put_bytes(cache, entry, good, cut));
        assert_digest(path, cache, later(), OF_ABC);
    }
    auto_free char *longer = mem_printf("%s%s", good, good);
    const struct {
        const char *bytes;
        size_t len;
    } rubbish[] = {{longer, 2 * len}, {"\0\0\0", 3}, {"not a digest at all\n", 20}};
    for (size_t i = 0; i < N_ROWS(rubbish); i++) {
        free(put_bytes(cache, entry, rubbish[i].bytes, rubbish[i].len));
        assert_digest(path, cache, later(), OF_ABC);
    }
    auto_free char *at_last = get_text(cache, entry);
    assert_string_equal(at_last, good);
}

static void what_may_still_change_is_not_remembered(void **state)
{
    auto_free char *path = put_text(*state, "image", "abc");
    auto_free char *cache = path_join(*state, "cache");
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_digest(path, cache, status.st_ctim.tv_sec + 1, OF_ABC);
    assert_digest(path, cache, status.st_ctim.tv_sec - 3600, OF_ABC);
    assert_false(path_exists(cache));
    assert_digest(path, cache, status.st_ctim.tv_sec + 2, OF_ABC);
    assert_true(path_exists(cache));
}

static void a_cache_that_cannot_be_used_is_no_error(void **state)
{
    auto_free char *path = put_text(*state, "image", "");
    auto_free char *fifo = put_fifo(*state, "fifo");
    auto_free char *missing = path_join(*state, "missing");
    auto_free char *cache = path_join(*state, "cache");
    assert_digest(path, NULL, later(), OF_NOTHING);
    assert_digest(path, path, later(), OF_NOTHING);
    assert_digest(path, "/proc/none/such", later(), OF_NOTHING);
    assert_digest(path, cache, later(), OF_NOTHING);
    auto_free char *entry = only_entry(cache);
    auto_free char *entry_file = path_join(cache, entry);
    assert_int_equal(unlink(entry_file), 0);
    assert_int_equal(mkdir(entry_file, 0755), 0);
    assert_digest(path, cache, later(), OF_NOTHING);

    char hex[FILE_SHA256_SIZE];
    struct err err;
    assert_int_equal(digest_file(missing, cache, later(), hex, &err), -1);
    assert_holds(err.message, "/missing: No such file or directory");
    assert_int_equal(digest_file(fifo, cache, later(), hex, &err), -1);
    assert_holds(err.message, "/fifo: not a regular file");
}

static _Noreturn void write_again_and_again(const char *path, const char *cache, const char *entry)
{
    enum { ROUNDS = 200 };
    char hex[FILE_SHA256_SIZE];
    for (int i = 0; i < ROUNDS; i++) {
        (void)unlink(entry);
        if (digest_file(path, cache, later(), hex, NULL) != 0 || strcmp(hex, OF_ABC) != 0)
            _exit(1);
    }
    _exit(0);
}

static void writers_need_not_know_of_each_other(void **state)
{
    enum { WRITERS = 3 };
    auto_free char *path = put_text(*state, "image", "abc");
    auto_free char *cache = path_join(*state, "cache");
    assert_digest(path, cache, later(), OF_ABC);
    auto_free char *entry = only_entry(cache);
    auto_free char *entry_file = path_join(cache, entry);
    auto_free char *good = get_text(cache, entry);
    pid_t writers[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = fork();
        assert_true(writers[i] >= 0);
        if (writers[i] == 0)
            write_again_and_again(path, cache, entry_file);
    }
    for (int i = 0; i < WRITERS; i++) {
        int status;
        assert_int_equal(waitpid(writers[i], &status, 0), writers[i]);
        assert_int_equal(status, 0);
    }
    auto_free char *same = only_entry(cache); /* and no half file beside it */
    auto_free char *text = get_text(cache, same);
    assert_string_equal(text, good);
}

static void the_directory_is_the_users(void **state)
{
    (void)state;
    static const struct {
        const char *cache, *home, *expected;
    } rows[] = {
        {"/c", "/h", "/c/bootdiag"},
        {NULL, "/h", "/h/.cache/bootdiag"},
        {"", "/h", "/h/.cache/bootdiag"},
        {"relative", "/h", "/h/.cache/bootdiag"},
        {NULL, NULL, NULL},
        {NULL, "", NULL},
    };
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        (void)unsetenv("XDG_CACHE_HOME");
        (void)unsetenv("HOME");
        if (rows[i].cache != NULL)
            (void)setenv("XDG_CACHE_HOME", rows[i].cache, 1);
        if (rows[i].home != NULL)
            (void)setenv("HOME", rows[i].home, 1);
        auto_free char *dir = digest_cache_dir();
        if (rows[i].expected == NULL)
            assert_null(dir);
        else
            assert_string_equal(dir, rows[i].expected);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        dir_test(what_is_known_is_not_read_again),
        dir_test(another_content_is_seen_behind_the_same_size_and_mtime),
        dir_test(a_damaged_entry_is_rebuilt),
        dir_test(what_may_still_change_is_not_remembered),
        dir_test(a_cache_that_cannot_be_used_is_no_error),
        dir_test(writers_need_not_know_of_each_other),
        cmocka_unit_test(the_directory_is_the_users),
    };
    return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
