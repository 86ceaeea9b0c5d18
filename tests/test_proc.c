/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "harness/base/clock.h"
#include "harness/base/proc.h"

enum { PATIENCE_MS = 10000 };

#define SHELL(script) ((const char *const[]){"sh", "-c", script, NULL})
#define NOWHERE       .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1

static void wait_for_end(struct proc *proc, struct proc_exit *ret_exit)
{
    struct pollfd wait = {.fd = proc->pidfd, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
    assert_true(proc_reap(proc, ret_exit));
}

/* Reads a pid that a child printed, and a newline. */
static pid_t read_pid(int fd)
{
    char text[32] = "";
    for (size_t n = 0; n < sizeof(text) - 1 && strchr(text, '\n') == NULL; n++)
        if (read(fd, text + n, 1) != 1)
            break;
    return (pid_t)atoi(text);
}

/* The pipe ends once no process holds its other side any more: they are dead. */
static void assert_ends(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    char byte;
    assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
    assert_int_equal(read(fd, &byte, 1), 0);
}

static void exits_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        int code, signal;
    } rows[] = {{"exit 0", 0, 0}, {"exit 7", 7, 0}, {"kill -9 $$", -1, SIGKILL}};
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        struct proc proc = PROC_INIT;
        struct proc_exit result;
        struct proc_spec spec = {.argv = SHELL(rows[i].script), NOWHERE};
        assert_int_equal(proc_start(&proc, &spec, NULL, NULL), 0);
        wait_for_end(&proc, &result);
        assert_int_equal(result.code, rows[i].code);
        assert_int_equal(result.signal, rows[i].signal);
        assert_true(proc.pid == 0 && proc.pidfd == -1);
        assert_false(proc_reap(&proc, &result));
        proc_release(&proc, NULL);
    }
}

static void a_running_child_is_not_reaped(void **state)
{
    (void)state;
    struct proc proc = PROC_INIT;
    struct proc_exit result;
    struct proc_spec spec = {.argv = SHELL("exec sleep 1000"), NOWHERE};
    assert_int_equal(proc_start(&proc, &spec, NULL, NULL), 0);
    assert_false(proc_reap(&proc, &result));
    proc_signal(&proc, SIGTERM);
    wait_for_end(&proc, &result);
    assert_int_equal(result.signal, SIGTERM);
    proc_signal(&proc, SIGTERM); /* nobody is there: nothing happens */
    proc_release(&proc, NULL);
    proc_release(&proc, NULL);
}

static void exec_failures_name_the_program(void **state)
{
    auto_free char *plain = put_text(*state, "plain", "not a program");
    const struct {
        const char *program;
        int failure;
    } rows[] = {
        {"no-such-program-anywhere", ENOENT},
        {"/no/such/program", ENOENT},
        {plain, EACCES},
    };
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        struct proc proc = PROC_INIT;
        struct err err;
        int failure;
        struct proc_spec spec = {.argv = (const char *const[]){rows[i].program, NULL}, NOWHERE};
        assert_int_equal(proc_start(&proc, &spec, &failure, &err), -1);
        assert_int_equal(failure, rows[i].failure);
        auto_free char *want =
            mem_printf("cannot execute %s: %s", rows[i].program, strerror(failure));
        assert_string_equal(err.message, want);
        assert_true(proc.pid == 0 && proc.pidfd == -1);
    }
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no zombie stays */
    assert_int_equal(errno, ECHILD);
}

static void a_missing_directory_is_not_a_missing_program(void **state)
{
    (void)state;
    struct proc proc = PROC_INIT;
    struct err err;
    int failure = 1;
    struct proc_spec spec = {.argv = SHELL("exit 0"), .dir = "/no/such/dir", NOWHERE};
    assert_int_equal(proc_start(&proc, &spec, &failure, &err), -1);
    assert_int_equal(failure, 0);
    assert_string_equal(err.message, "cannot start sh in /no/such/dir: No such file or directory");
}

static void surroundings_are_as_asked(void **state)
{
    int out[2], kept[2];
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(pipe2(kept, O_CLOEXEC), 0);
    auto_free char *script = mem_printf("cat; echo $(pwd) $GREETING; echo kept >&%d; "
                                        "echo lost >&%d",
                                        kept[1], out[0]);
    struct proc proc = PROC_INIT;
    struct proc_exit result;
    struct proc_spec spec = {.argv = SHELL(script),
                             .dir = *state,
                             .env = (const char *const[]){"GREETING=hello", NULL},
                             .stdin_fd = -1,
                             .stdout_fd = out[1],
                             .stderr_fd = -1,
                             .inherit = (const int[]){kept[1], -1}};
    assert_int_equal(proc_start(&proc, &spec, NULL, NULL), 0);
    (void)close(out[1]);
    (void)close(kept[1]);
    wait_for_end(&proc, &result);
    assert_int_not_equal(result.code, 0); /* out[0] was not inherited */

    char text[4200] = "";
    auto_free char *real = realpath(*state, NULL);
    auto_free char *want = mem_printf("%s hello\n", real);
    assert_true(read(out[0], text, sizeof(text) - 1) > 0);
    assert_string_equal(text, want);
    assert_int_equal(read(kept[0], text, sizeof(text) - 1), 5);
    (void)close(out[0]);
    (void)close(kept[0]);
}

static void low_descriptors_do_not_collide(void **state)
{
    (void)state;
    int out[2];
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) { /* as when started with its own standard descriptors closed */
        int high = fcntl(out[1], F_DUPFD, 50);
        for (int fd = 0; fd < 3; fd++)
            (void)close(fd);
        int zero = fcntl(high, F_DUPFD, 0);
        struct proc proc = PROC_INIT;
        struct proc_spec spec = {.argv = SHELL("echo out; echo err >&2"),
                                 .stdin_fd = -1,
                                 .stdout_fd = zero,
                                 .stderr_fd = zero};
        struct proc_exit result = {.code = 99};
        struct pollfd wait = {.events = POLLIN};
        if (zero != 0 || proc_start(&proc, &spec, NULL, NULL) != 0)
            _exit(98);
        wait.fd = proc.pidfd;
        (void)poll(&wait, 1, PATIENCE_MS);
        proc_release(&proc, &result);
        _exit(result.code);
    }
    (void)close(out[1]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 0);
    char text[64] = "";
    assert_int_equal(read(out[0], text, sizeof(text) - 1), 8);
    assert_string_equal(text, "out\nerr\n");
    (void)close(out[0]);
}

static void the_whole_group_is_killed(void **state)
{
    (void)state;
    static const char *const scripts[] = {
        "sleep 1000 & echo $$; wait",   /* killed with its child */
        "sleep 1000 & echo $$; exit 0", /* gone before, the child stays */
    };
    for (size_t i = 0; i < N_ROWS(scripts); i++) {
        int out[2];
        assert_int_equal(pipe2(out, O_CLOEXEC), 0);
        struct proc proc = PROC_INIT;
        struct proc_spec spec = {
            .argv = SHELL(scripts[i]), .stdin_fd = -1, .stdout_fd = out[1], .stderr_fd = -1};
        assert_int_equal(proc_start(&proc, &spec, NULL, NULL), 0);
        (void)close(out[1]);
        assert_int_equal(read_pid(out[0]), proc.pid);
        assert_int_equal(getpgid(proc.pid), proc.pid);
        struct proc_exit result;
        if (i == 1)
            wait_for_end(&proc, &result);
        proc_release(&proc, NULL);
        assert_ends(out[0]);
        (void)close(out[0]);
    }
}

static void children_die_with_us(void **state)
{
    (void)state;
    int out[2];
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        struct proc proc = PROC_INIT;
        struct proc_spec spec = {.argv = SHELL("echo $$; exec sleep 1000"),
                                 .stdin_fd = -1,
                                 .stdout_fd = out[1],
                                 .stderr_fd = -1};
        if (proc_start(&proc, &spec, NULL, NULL) == 0)
            (void)pause();
        _exit(1);
    }
    (void)close(out[1]);
    assert_true(read_pid(out[0]) > 0);
    (void)kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_ends(out[0]);
    (void)close(out[0]);
}

static void an_ignored_sigchld_does_not_lose_the_exit(void **state)
{
    (void)state;
    (void)signal(SIGCHLD, SIG_IGN);
    struct proc proc = PROC_INIT;
    struct proc_exit result;
    struct proc_spec spec = {.argv = SHELL("exit 3"), NOWHERE};
    assert_int_equal(proc_start(&proc, &spec, NULL, NULL), 0);
    wait_for_end(&proc, &result);
    assert_int_equal(result.code, 3);
}

static void running_tells_success_from_failure(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        const char *output;
        const char *problem; /* NULL: none */
    } rows[] = {
        {"echo out; echo err >&2", "out\nerr\n", NULL},
        {"exit 0", "", NULL},
        {"echo first; echo 'the reason'; echo; exit 3", "first\nthe reason\n\n",
         "sh ended with status 3: the reason"},
        {"exit 4", "", "sh ended with status 4: "},
        {"echo bye; kill -15 $$", "bye\n", "sh was ended by signal 15: bye"},
        {"exec >&- 2>&-; exit 5", "", "sh ended with status 5: "},
        {"sleep 1000 & echo left", "left\n", NULL}, /* the pipe stays open, the program has ended */
    };
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        auto_buf struct buf output;
        struct err err = {0};
        buf_init(&output, 1000);
        int result = proc_run(SHELL(rows[i].script), PATIENCE_MS, &output, &err);
        assert_string_equal(err.message, rows[i].problem != NULL ? rows[i].problem : "");
        assert_int_equal(result, rows[i].problem != NULL ? -1 : 0);
        assert_string_equal(buf_text(&output), rows[i].output);
    }
    struct err err;
    const char *const nothing[] = {"no-such-program-anywhere", NULL};
    assert_int_equal(proc_run(nothing, PATIENCE_MS, NULL, &err), -1);
    assert_holds(err.message, "cannot execute no-such-program-anywhere");
}

static void running_ends_in_time(void **state)
{
    (void)state;
    static const char *const scripts[] = {
        "sleep 1000",
        "exec >&- 2>&-; sleep 1000", /* closes its output and lives on */
        "while :; do echo y; done",
        "trap '' TERM; sleep 1000 & wait",
    };
    for (size_t i = 0; i < N_ROWS(scripts); i++) {
        struct err err = {0};
        int64_t before = clock_ms();
        assert_int_equal(proc_run(SHELL(scripts[i]), 100, NULL, &err), -1);
        assert_string_equal(err.message, "sh did not end within 100 ms");
        assert_true(clock_ms() - before >= 100 && clock_ms() - before < PATIENCE_MS);
    }
}

static void much_output_is_bounded_and_its_end_quoted(void **state)
{
    (void)state;
    auto_buf struct buf output;
    struct err err = {0};
    buf_init(&output, 1000);
    const char *const script = "yes | head -c 500000; echo; echo last words; exit 1";
    assert_int_equal(proc_run(SHELL(script), PATIENCE_MS, &output, &err), -1);
    assert_int_equal(output.len, 1000);
    assert_true(output.overflow);
    assert_string_equal(err.message, "sh ended with status 1: last words");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(exits_are_told_apart),
        cmocka_unit_test(a_running_child_is_not_reaped),
        dir_test(exec_failures_name_the_program),
        cmocka_unit_test(a_missing_directory_is_not_a_missing_program),
        dir_test(surroundings_are_as_asked),
        cmocka_unit_test(low_descriptors_do_not_collide),
        cmocka_unit_test(the_whole_group_is_killed),
        cmocka_unit_test(children_die_with_us),
        cmocka_unit_test(an_ignored_sigchld_does_not_lose_the_exit),
        cmocka_unit_test(running_tells_success_from_failure),
        cmocka_unit_test(running_ends_in_time),
        cmocka_unit_test(much_output_is_bounded_and_its_end_quoted),
    };
    /* execvp(3) says EACCES for a missing program if a directory in PATH cannot be searched */
    (void)setenv("PATH", "/usr/bin:/bin", 1);
    return cmocka_run_group_tests_name("proc", tests, NULL, NULL);
}
