/* SPDX-License-Identifier: Apache-2.0 */
/* The backend's life against small scripts that play a VMM. */
#include <signal.h>

#include "tests/vm_rig.h"

#include "harness/base/proc.h"
#include "harness/base/words.h"

extern const struct vm_ops vm_exec;

static int rig_setup(void **state)
{
    return rig_make(state, &vm_exec);
}

/* The script is `sh -c SCRIPT vmm WORD...`; in it, $1 is the first of the words. */
static void set_exec(struct rig *rig, const char *script, const char *const *words)
{
    const char *argv[16] = {"sh", "-c", script, "vmm"};
    size_t n = 4;
    for (; *words != NULL; words++)
        argv[n++] = *words;
    words_free(rig->target.exec);
    rig->target.exec = words_copy((char *const *)argv);
}

static void play(struct rig *rig, const char *script, const char *const *words)
{
    struct err err = {0};
    set_exec(rig, script, words);
    if (vm_exec.check(&rig->target, &err) != 0 || vm_exec.start(&rig->vm, &err) != 0)
        fail_msg("%s", err.message);
}

/* The first line of the console: the script has come so far. Owned by the caller. */
static char *read_line(int fd)
{
    struct buf line;
    char c;
    buf_init(&line, 1 << 20);
    while (read(fd, &c, 1) == 1 && c != '\n')
        buf_add_char(&line, c);
    return buf_steal(&line);
}

/* What nobody has waited for yet does not run either. */
static bool runs(const char *pid)
{
    struct buf status;
    auto_free char *path = mem_printf("/proc/%s/stat", pid);
    buf_init(&status, 4096);
    bool is_there = file_read(path, 4096, &status, NULL) == 0;
    auto_free char *text = buf_steal(&status);
    return is_there && strstr(text, ") Z ") == NULL;
}

static bool is_gone(const char *pid)
{
    int64_t limit = clock_ms() + 20000;
    while (runs(pid) && clock_ms() < limit)
        (void)usleep(1000);
    return !runs(pid);
}

static void test_a_whole_life(void **state)
{
    struct rig *rig = *state;
    play(rig, "printf 'early\\n'; echo oops >&2; pwd; printf \"$*\"; cat; exit 3",
         (const char *const[]){"{address}:{port}", "{mac}", "{memory_mib}", NULL});
    int console = steal_fd(&rig->vm.console_fd), log = steal_fd(&rig->vm.stderr_fd);
    rig_turn_until(rig, &rig->exits);
    vm_exec.stop(&rig->vm);
    vm_exec.stop(&rig->vm);
    auto_free char *console_text = rig_read_all(&console);
    auto_free char *log_text = rig_read_all(&log);
    auto_free char *dir = realpath(rig->dir, NULL);
    const char *place = rig->vm.url + strlen("http://");
    auto_free char *want = mem_printf("early\n%s\n%.*s %s 512", dir, (int)strcspn(place, "/"),
                                      place, rig->record.guest.mac);
    assert_string_equal(console_text, want);
    assert_string_equal(log_text, "oops\n");
    assert_int_equal(rig->record.vmm.exit_code, 3);
    assert_int_equal(rig->record.vmm.signal, 0);
    assert_string_equal(rig->record.probe.network, "user");
    assert_int_equal(rig->record.guest.memory_mib, 512);
    assert_int_equal(rig->record.guest.vcpus, RECORD_UNKNOWN); /* it was not told */
    assert_string_equal(rig->record.vmm.argv[0], "sh");
    assert_null(rig->record.vmm.error);
}

static void test_the_disk_is_a_copy(void **state)
{
    struct rig *rig = *state;
    auto_free char *image = put_text(rig->dir, "image", "disk");
    rig->target.rootfs = mem_strdup(image);
    rig->vm.rootfs = image;
    play(rig, "cat \"$1\"; echo changed >\"$1\"", (const char *const[]){"{rootfs}", NULL});
    int console = steal_fd(&rig->vm.console_fd);
    rig_turn_until(rig, &rig->exits);
    vm_exec.stop(&rig->vm);
    auto_free char *text = rig_read_all(&console);
    auto_free char *kept = get_text(rig->dir, "image");
    assert_string_equal(text, "disk");
    assert_string_equal(kept, "disk");
}

static void test_a_crash(void **state)
{
    struct rig *rig = *state;
    rig->stop_in_exit = true;
    play(rig, "kill -SEGV $$", (const char *const[]){NULL});
    rig_turn_until(rig, &rig->exits);
    assert_int_equal(rig->record.vmm.exit_code, -1);
    assert_int_equal(rig->record.vmm.signal, SIGSEGV);
}

static void test_stop_asks_first(void **state)
{
    struct rig *rig = *state;
    play(rig, "trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.05; done",
         (const char *const[]){NULL});
    int console = steal_fd(&rig->vm.console_fd);
    auto_free char *line = read_line(console);
    vm_exec.stop(&rig->vm);
    auto_free char *text = rig_read_all(&console);
    assert_string_equal(line, "up");
    assert_string_equal(text, "bye\n");
    assert_int_equal(rig->record.vmm.exit_code, -1); /* we ended it: its status says nothing */
    assert_int_equal(rig->record.vmm.signal, 0);
    assert_int_equal(rig->exits, 0);
}

/* A child that ignores SIGTERM as its parent does, and one that outlives it. */
static void test_stop_leaves_nothing(void **state)
{
    struct rig *rig = *state;
    play(rig, "trap '' TERM; sleep 100 & echo $!; wait", (const char *const[]){NULL});
    int console = steal_fd(&rig->vm.console_fd);
    auto_free char *pid = read_line(console);
    int64_t start = clock_ms();
    vm_exec.stop(&rig->vm);
    assert_in_range(clock_ms() - start, 900, 10000);
    assert_true(is_gone(pid));
    (void)close(console);
}

static void test_what_it_left_behind_ends_with_it(void **state)
{
    struct rig *rig = *state;
    play(rig, "sleep 100 & echo $!; exit 0", (const char *const[]){NULL});
    int console = steal_fd(&rig->vm.console_fd);
    rig_turn_until(rig, &rig->exits);
    vm_exec.stop(&rig->vm);
    auto_free char *pid = read_line(console);
    assert_true(is_gone(pid));
    (void)close(console);
}

/* A process that starts a VM as bootdiag does, and is killed: the grandchild must go, too. */
static void test_killed_we_leave_nothing(void **state)
{
    struct rig *rig = *state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    set_exec(rig, "sleep 100 & echo $!; wait", (const char *const[]){NULL});
    pid_t victim = fork();
    if (victim == 0) {
        (void)vm_exec.start(&rig->vm, NULL);
        auto_free char *pid = read_line(rig->vm.console_fd);
        (void)!write(ends[1], pid, strlen(pid));
        (void)!write(ends[1], "\n", 1);
        for (;;)
            (void)pause();
    }
    auto_free char *pid = read_line(ends[0]);
    assert_true(runs(pid));
    assert_int_equal(kill(victim, SIGKILL), 0);
    assert_int_equal(waitpid(victim, NULL, 0), victim);
    assert_true(is_gone(pid));
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void test_check(void **state)
{
    static const struct {
        const char *assignment, *cause, *message;
    } rows[] = {
        {"exec=[\"no-such-vmm\"]", "vmm.binary-missing", "there is no program no-such-vmm in PATH"},
        {"exec=[\"/nonexistent/v\"]", "vmm.binary-missing",
         "cannot execute /nonexistent/v: No such"},
        {"exec=[\"/dev/null\"]", "vmm.binary-missing", "/dev/null: it is no executable file"},
        {"exec=[\"/tmp\"]", "vmm.binary-missing", "/tmp: it is no executable file"},
        {"exec=[\"true\", \"{gpu}\"]", NULL, "there is no placeholder {gpu}; there are {dir} {id}"},
        {"exec=[\"true\", \"{rootfs}\"]", NULL, "nothing for {rootfs}"},
        {"kernel=/nonexistent/k", "vmm.kernel-missing", "/nonexistent/k: No such file"},
        {"initrd=/nonexistent/i", "vmm.initrd-missing", "/nonexistent/i: No such file"},
        {"rootfs=/nonexistent/r", "vmm.rootfs-missing", "/nonexistent/r: No such file"},
    };
    struct rig *rig = *state;
    struct err unset = {0};
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        auto_target struct target target;
        struct err err = {0};
        target_init(&target);
        assert_int_equal(target_set(&target, "exec=[\"true\", \"{port}\"]", NULL), 0);
        assert_int_equal(vm_exec.check(&target, &err), 0);
        assert_int_equal(target_set(&target, rows[i].assignment, NULL), 0);
        assert_int_equal(vm_exec.check(&target, &err), -1);
        if (rows[i].cause != NULL)
            assert_string_equal(err.cause, rows[i].cause);
        assert_holds(err.message, rows[i].message);
    }
    assert_int_equal(vm_exec.check(&rig->target, &unset), -1);
    assert_holds(unset.message, "\"exec\" is not set");
}

/* It was there at the pre-flight, and is not any more. */
static void test_a_program_that_is_not_there(void **state)
{
    struct rig *rig = *state;
    struct err err = {0};
    rig->target.exec = words_copy((char *const[]){(char[]){"/nonexistent/vmm"}, NULL});
    assert_int_equal(vm_exec.start(&rig->vm, &err), -1);
    assert_string_equal(err.cause, "vmm.binary-missing");
    assert_holds(err.message, "/nonexistent/vmm");
    assert_null(rig->vm.state);
    assert_int_equal(rig->vm.console_fd, -1);
    assert_int_equal(rig->vm.stderr_fd, -1);
}

#define rig_test(function) cmocka_unit_test_setup_teardown(function, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        rig_test(test_a_whole_life),
        rig_test(test_the_disk_is_a_copy),
        rig_test(test_a_crash),
        rig_test(test_stop_asks_first),
        rig_test(test_stop_leaves_nothing),
        rig_test(test_what_it_left_behind_ends_with_it),
        rig_test(test_killed_we_leave_nothing),
        rig_test(test_check),
        rig_test(test_a_program_that_is_not_there),
    };
    return cmocka_run_group_tests_name("vm_exec", tests, NULL, NULL);
}
