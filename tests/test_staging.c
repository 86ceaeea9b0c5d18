/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>

#include "harness/staging.h"

static size_t count_entries(const char *dir)
{
    DIR *entries = opendir(dir);
    const struct dirent *entry;
    size_t n = 0;
    assert_non_null(entries);
    while ((entry = readdir(entries)) != NULL)
        n += entry->d_name[0] != '.';
    closedir(entries);
    return n;
}

/* Nothing but that stands there. */
static void assert_only(const char *dir, const char *name)
{
    auto_free char *path = path_join(dir, name);
    if (!path_exists(path))
        fail_msg("%s is not there", path);
    assert_int_equal(count_entries(dir), 1);
}

static void commit_with(const char *final, const char *name)
{
    struct staging staging = STAGING_INIT;
    struct err err = {0};
    if (staging_init(&staging, final, &err) != 0)
        fail_msg("%s", err.message);
    free(put_text(staging.dir, name, "x"));
    if (staging_commit(&staging, &err) != 0)
        fail_msg("%s", err.message);
    staging_release(&staging);
    staging_release(&staging);
}

static void takes_its_place_as_a_whole(void **state)
{
    const char *dir = *state;
    auto_free char *store = path_join(dir, "deep/store"), *final = path_join(store, "id");
    commit_with(final, "first");
    assert_only(final, "first");
    commit_with(final, "second");
    assert_only(final, "second");
    assert_int_equal(count_entries(store), 1);
}

static void leaves_nothing_when_it_is_given_up(void **state)
{
    const char *dir = *state;
    auto_free char *store = path_join(dir, "store"), *final = path_join(store, "id");
    struct staging staging = STAGING_INIT;
    commit_with(final, "first");
    assert_int_equal(staging_init(&staging, final, NULL), 0);
    free(put_text(staging.dir, "half", "x"));
    assert_int_equal(count_entries(store), 2);
    staging_release(&staging);
    assert_int_equal(count_entries(store), 1);
    assert_only(final, "first");
}

/* What kill -9 left is removed; what another process still fills is not, nor what is not ours. */
static void clears_up_after_the_dead_only(void **state)
{
    const char *dir = *state;
    auto_free char *store = put_dir(dir, "store"), *final = path_join(store, "id");
    auto_free char *dead = put_dir(store, "id.new-abc123"), *old = put_dir(store, "id.old-abc123");
    auto_free char *alive = put_dir(store, "id.new-def456"), *other = put_dir(store, "id.news");
    auto_free char *another = put_dir(store, "id2.new-abc123");
    free(put_text(dead, "half", "x"));
    auto_fd int lock = open(alive, O_RDONLY | O_DIRECTORY);
    assert_int_equal(flock(lock, LOCK_EX | LOCK_NB), 0);
    free(put_text(old, "before", "x"));
    struct staging staging = STAGING_INIT;
    assert_int_equal(staging_init(&staging, final, NULL), 0);
    assert_false(path_exists(dead));
    assert_true(path_exists(alive));
    assert_true(path_exists(other));
    assert_true(path_exists(another));
    assert_only(final, "before"); /* was killed between the two steps of a replacement */
    staging_release(&staging);
    free(put_dir(store, "id.old-abc124"));
    assert_int_equal(staging_init(&staging, final, NULL), 0);
    auto_free char *older = path_join(store, "id.old-abc124");
    assert_false(path_exists(older));
    staging_release(&staging);
}

static void says_what_it_cannot_make(void **state)
{
    struct staging staging = STAGING_INIT;
    struct err err = {0};
    (void)state;
    assert_int_equal(staging_init(&staging, "/proc/nowhere/id", &err), -1);
    assert_non_null(strstr(err.message, "/proc/nowhere"));
    staging_release(&staging);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        dir_test(takes_its_place_as_a_whole),
        dir_test(leaves_nothing_when_it_is_given_up),
        dir_test(clears_up_after_the_dead_only),
        cmocka_unit_test(says_what_it_cannot_make),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
