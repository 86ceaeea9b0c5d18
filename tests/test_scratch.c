/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "harness/scratch.h"

static char *old_tmpdir; /* owned, while a test runs */

/* A $TMPDIR of one's own: what other runs leave in /tmp is not touched. */
static int setup(void **state)
{
    int result = dir_setup(state);
    const char *old = getenv("TMPDIR");
    old_tmpdir = mem_strdup(old);
    return result != 0 ? result : setenv("TMPDIR", *state, 1);
}

static int teardown(void **state)
{
    (void)(old_tmpdir != NULL ? setenv("TMPDIR", old_tmpdir, 1) : unsetenv("TMPDIR"));
    free(old_tmpdir);
    return dir_teardown(state);
}

static size_t count_entries(const char *dir)
{
    size_t n = 0;
    auto_dir DIR *entries = opendir(dir);
    const struct dirent *entry;
    while ((entry = readdir(entries)) != NULL)
        n += entry->d_name[0] != '.';
    return n;
}

static void it_is_private_and_goes_with_all_in_it(void **state)
{
    struct scratch scratch = SCRATCH_INIT;
    assert_int_equal(scratch_init(&scratch, NULL), 0);
    struct stat status;
    assert_int_equal(stat(scratch.dir, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    assert_int_equal(fcntl(scratch.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    free(put_dir(scratch.dir, "a/b"));
    free(put_text(scratch.dir, "a/b/file", "x"));
    scratch_release(&scratch);
    scratch_release(&scratch);
    assert_int_equal(count_entries(*state), 0);
}

/* A child that owns a scratch directory and lives until it is killed. Returns its pid. */
static pid_t start_owner(void)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        struct scratch scratch = SCRATCH_INIT;
        if (scratch_init(&scratch, NULL) != 0)
            _exit(1);
        free(put_text(scratch.dir, "in-use", "x"));
        if (write(ready[1], "x", 1) == 1)
            (void)pause();
        _exit(1);
    }
    (void)close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    (void)close(ready[0]);
    return pid;
}

static void only_the_dead_are_cleared_away(void **state)
{
    pid_t living = start_owner();
    pid_t dying = start_owner();
    assert_int_equal(count_entries(*state), 2);
    struct scratch scratch = SCRATCH_INIT;
    assert_int_equal(scratch_init(&scratch, NULL), 0);
    assert_int_equal(count_entries(*state), 3);
    scratch_release(&scratch);

    (void)kill(dying, SIGKILL);
    assert_int_equal(waitpid(dying, NULL, 0), dying);
    assert_int_equal(scratch_init(&scratch, NULL), 0);
    assert_int_equal(count_entries(*state), 2);
    (void)kill(living, SIGKILL);
    assert_int_equal(waitpid(living, NULL, 0), living);
    scratch_release(&scratch);
    assert_int_equal(count_entries(*state), 1);
}

static void what_is_not_ours_stays(void **state)
{
    auto_free char *ours = mem_printf("bootdiag-%u-", (unsigned)getuid());
    auto_free char *outside = put_dir(*state, "outside");
    auto_free char *link = mem_printf("%s/%slink", (char *)*state, ours);
    auto_free char *fifo = mem_printf("%sfifo", ours);
    auto_free char *file = mem_printf("%sfile", ours);
    auto_free char *left_over = mem_printf("%sabcdef/x", ours);
    free(put_text(outside, "precious", "x"));
    assert_int_equal(symlink(outside, link), 0);
    free(put_fifo(*state, fifo));
    free(put_text(*state, file, "x"));
    free(put_dir(*state, "bootdiag-99999999-abcdef"));
    free(put_dir(*state, left_over));
    struct scratch scratch = SCRATCH_INIT;
    assert_int_equal(scratch_init(&scratch, NULL), 0);
    scratch_release(&scratch);
    auto_free char *precious = path_join(outside, "precious");
    assert_true(path_exists(precious));
    assert_int_equal(count_entries(*state), 5); /* all but the left-over */
}

/* Many that start at once take no directory away from each other. */
static void simultaneous_starts_keep_their_directories(void **state)
{
    enum { N = 8, ROUNDS = 40 };
    pid_t pids[N];
    fflush(stdout);
    for (int i = 0; i < N; i++) {
        pids[i] = fork();
        if (pids[i] != 0)
            continue;
        for (int round = 0; round < ROUNDS; round++) {
            struct scratch scratch = SCRATCH_INIT;
            if (scratch_init(&scratch, NULL) != 0 || !path_is_dir(scratch.dir))
                _exit(1);
            scratch_release(&scratch);
        }
        _exit(0);
    }
    int failed = 0;
    for (int i = 0; i < N; i++) {
        int status = 0;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        failed += status != 0;
    }
    assert_int_equal(failed, 0);
    assert_int_equal(count_entries(*state), 0);
}

static void a_missing_tmpdir_is_named(void **state)
{
    auto_free char *missing = path_join(*state, "missing");
    assert_int_equal(setenv("TMPDIR", missing, 1), 0);
    struct scratch scratch = SCRATCH_INIT;
    struct err err = {0};
    assert_int_equal(scratch_init(&scratch, &err), -1);
    assert_holds(err.message, "/missing: No such file or directory");
    scratch_release(&scratch);
}

#define scratch_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        scratch_test(it_is_private_and_goes_with_all_in_it),
        scratch_test(only_the_dead_are_cleared_away),
        scratch_test(what_is_not_ours_stays),
        scratch_test(simultaneous_starts_keep_their_directories),
        scratch_test(a_missing_tmpdir_is_named),
    };
    return cmocka_run_group_tests_name("scratch", tests, NULL, NULL);
}
