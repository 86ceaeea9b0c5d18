/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend's life against programs that play QEMU: small scripts which find the descriptors of
 * serial port and QMP in their arguments, as QEMU does. Real boots are in tests/vm.
 */
#include "tests/vm_rig.h"

#include "harness/base/proc.h"

extern const struct vm_ops vm_qemu;

/* Sets $serial and $qmp; `hello` greets and answers what is asked; `answer` lets the guest run. */
#define PLAYER                                                                                     \
    "#!/bin/bash\n"                                                                                \
    "for word; do case $word in socket,id=serial,fd=*) serial=${word##*=};; "                      \
    "socket,id=qmp,fd=*) qmp=${word##*=};; esac; done\n"                                           \
    "answer() { read -r -u $qmp; echo '{\"return\": {}}' >&$qmp; }\n"                              \
    "hello() { echo '{\"QMP\": {\"version\": {\"qemu\": {\"major\": 9, \"minor\": 1, \"micro\": "  \
    "2}}}}' "                                                                                      \
    ">&$qmp; answer; }\n"

static int rig_setup(void **state)
{
    if (rig_make(state, &vm_qemu) != 0)
        return -1;
    struct rig *rig = *state;
    rig->target.kernel = mem_strdup("/dev/null");
    free(rig->target.qemu_accelerator);
    rig->target.qemu_accelerator = mem_strdup("tcg");
    return 0;
}

static void play(struct rig *rig, const char *script)
{
    struct err err = {0};
    auto_free char *whole = mem_printf("%s%s", PLAYER, script);
    free(rig->target.qemu_binary);
    rig->target.qemu_binary = put_text(rig->dir, "qemu", whole);
    assert_int_equal(chmod(rig->target.qemu_binary, 0755), 0);
    if (vm_qemu.start(&rig->vm, &err) != 0)
        fail_msg("%s", err.message);
}

static void test_a_whole_life(void **state)
{
    struct rig *rig = *state;
    play(rig, "hello; printf 'early\\n' >&$serial; answer; echo oops >&2\n"
              "echo '{\"event\": \"NIC_RX_FILTER_CHANGED\"}' >&$qmp\n"
              "echo '{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"guest-reset\"}}' >&$qmp\n"
              "printf late >&$serial; sleep 0.2; exit 0\n");
    assert_int_equal(strncmp(rig->vm.url, "http://127.0.0.1:", 17), 0);
    int console = steal_fd(&rig->vm.console_fd), log = steal_fd(&rig->vm.stderr_fd);
    rig_turn_until(rig, &rig->exits);
    rig->record.end = RECORD_END_VMM_EXIT;
    vm_qemu.stop(&rig->vm);
    vm_qemu.stop(&rig->vm);
    auto_free char *console_text = rig_read_all(&console);
    auto_free char *log_text = rig_read_all(&log);
    assert_string_equal(console_text, "early\nlate");
    assert_string_equal(log_text, "oops\n");
    assert_int_equal(rig->signs, 1);
    assert_int_equal(rig->record.vmm.exit_code, 0);
    assert_int_equal(rig->record.vmm.signal, 0);
    assert_string_equal(rig->record.vmm.version, "9.1.2");
    assert_string_equal(rig->record.end_detail, "QEMU shut down: guest-reset");
    assert_string_equal(rig->record.host.accelerator, "tcg");
    assert_string_equal(rig->record.probe.network, "user");
    assert_string_equal(rig->record.guest.expected_address, "10.0.2.15");
    assert_int_equal(strncmp(rig->record.guest.mac, "02:fc:", 6), 0);
    assert_null(rig->record.vmm.error);
    assert_null(rig->record.vmm.error_cause);
}

static void test_ends_before_the_guest_runs(void **state)
{
    static const struct {
        const char *script, *error, *cause;
        int code, signal;
    } cases[] = {
        {"echo 'qemu: unsupported machine type' >&2; exit 1", "qemu: unsupported machine type",
         "vmm.config-invalid", 1, 0},
        {"hello; echo 'qemu: could not open kernel file' >&2; exit 1",
         "qemu: could not open kernel file", "vmm.kernel-missing", 1, 0},
        {"echo 'what nobody knows' >&2; exit 3", "what nobody knows", "vmm.config-invalid", 3, 0},
        {"exit 1", "QEMU ended with status 1 and no message", "vmm.config-invalid", 1, 0},
        {"kill -ABRT $$", "QEMU was ended by signal 6", "vmm.crashed", -1, 6},
        {"exit 0", "QEMU ended with status 0 and no message", "vmm.config-invalid", 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < N_ROWS(cases); i++) {
        void *fresh;
        assert_int_equal(rig_setup(&fresh), 0);
        struct rig *rig = fresh;
        rig->stop_in_exit = true;
        play(rig, cases[i].script);
        rig_turn_until(rig, &rig->exits);
        assert_string_equal(rig->record.vmm.error, cases[i].error);
        assert_string_equal(rig->record.vmm.error_cause, cases[i].cause);
        assert_int_equal(rig->record.vmm.exit_code, cases[i].code);
        assert_int_equal(rig->record.vmm.signal, cases[i].signal);
        assert_int_equal(rig_teardown(&fresh), 0);
    }
}

static void test_our_own_kill_is_no_crash(void **state)
{
    struct rig *rig = *state;
    play(rig, "hello; answer; echo '{\"event\": \"NIC_RX_FILTER_CHANGED\"}' >&$qmp; trap '' TERM; "
              "sleep 100");
    rig_turn_until(rig, &rig->signs);
    int64_t start = clock_ms();
    vm_qemu.stop(&rig->vm);
    assert_in_range(clock_ms() - start, 0, 2000);
    assert_int_equal(rig->record.vmm.exit_code, -1);
    assert_int_equal(rig->record.vmm.signal, 0);
    assert_true(rig->record.vmm.cpu_ms >= 0);
    assert_null(rig->record.vmm.error);
    assert_int_equal(rig->exits, 0);
}

static void test_stop_right_after_start(void **state)
{
    struct rig *rig = *state;
    play(rig, "sleep 100");
    vm_qemu.stop(&rig->vm);
    assert_int_equal(rig->vm.console_fd, -1);
    assert_int_equal(rig->vm.stderr_fd, -1);
    assert_null(rig->record.vmm.error);
    assert_int_equal(rig->record.vmm.signal, 0);
}

static void test_a_crash_after_the_start(void **state)
{
    struct rig *rig = *state;
    play(rig, "hello; answer; sleep 0.2; kill -SEGV $$");
    rig_turn_until(rig, &rig->exits);
    vm_qemu.stop(&rig->vm);
    assert_int_equal(rig->record.vmm.signal, 11);
    assert_null(rig->record.vmm.error_cause); /* guest code ran: the start did not fail */
}

static void test_qmp_that_makes_no_sense(void **state)
{
    struct rig *rig = *state;
    play(rig, "echo garbage >&$qmp; sleep 100");
    rig_turn_until(rig, &rig->exits);
    vm_qemu.stop(&rig->vm);
    assert_string_equal(rig->record.vmm.error, "QMP: a line that is not a JSON object");
    assert_string_equal(rig->record.vmm.error_cause, "vmm.start-timeout");
    assert_int_equal(rig->record.vmm.signal, 0);
}

static void test_a_flood_on_stderr(void **state)
{
    struct rig *rig = *state;
    play(rig, "hello; answer; head -c 100000 /dev/zero | tr '\\0' x >&2; exit 0");
    rig_turn_until(rig, &rig->exits);
    int log = steal_fd(&rig->vm.stderr_fd);
    vm_qemu.stop(&rig->vm);
    auto_free char *text = rig_read_all(&log);
    assert_int_equal(strlen(text), 100000);
}

static void test_a_program_that_is_not_there(void **state)
{
    struct rig *rig = *state;
    struct err err = {0};
    free(rig->target.qemu_binary);
    rig->target.qemu_binary = mem_strdup("/nonexistent/qemu");
    assert_int_equal(vm_qemu.start(&rig->vm, &err), -1);
    assert_string_equal(err.cause, "vmm.binary-missing");
    assert_holds(err.message, "/nonexistent/qemu");
    assert_null(rig->vm.state);
    assert_int_equal(rig->vm.console_fd, -1);
    assert_int_equal(rig->vm.stderr_fd, -1);
    assert_string_equal(rig->record.vmm.argv[0], "/nonexistent/qemu");
}

static void test_a_url_that_is_too_long(void **state)
{
    struct rig *rig = *state;
    struct err err = {0};
    auto_free char *path = mem_calloc(1001, 1);
    memset(path, 'a', 1000);
    free(rig->target.service.health_path);
    rig->target.service.health_path = steal_text(&path);
    assert_int_equal(vm_qemu.start(&rig->vm, &err), -1);
    assert_holds(err.message, "health_path");
}

/* Nobody else can bind the port meanwhile, the forwarder (which sets SO_REUSEADDR, as slirp does)
 * can. */
static void test_the_port_is_held(void **state)
{
    struct rig *rig = *state;
    play(rig, "sleep 100");
    int port = atoi(strrchr(rig->vm.url, ':') + 1);
    auto_free char *probe = mem_printf("import socket,sys\n"
                                       "a=('127.0.0.1',%d)\n"
                                       "s=socket.socket()\n"
                                       "try: s.bind(a); sys.exit('taken by a stranger')\n"
                                       "except OSError: pass\n"
                                       "s=socket.socket()\n"
                                       "s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1)\n"
                                       "s.bind(a); s.listen(1)\n",
                                       port);
    struct err err = {0};
    if (proc_run((const char *const[]){"python3", "-c", probe, NULL}, 10000, NULL, &err) != 0)
        fail_msg("%s", err.message);
}

static void test_check(void **state)
{
    static const struct {
        const char *assignment, *cause, *message;
    } cases[] = {
        {"kernel=/nonexistent/k", "vmm.kernel-missing", "/nonexistent/k: No such file"},
        {"initrd=/nonexistent/i", "vmm.initrd-missing", "/nonexistent/i: No such file"},
        {"rootfs=/nonexistent/r", "vmm.rootfs-missing", "/nonexistent/r: No such file"},
        {"rootfs=/", "vmm.rootfs-missing", "/: Is a directory"},
        {"qemu.binary=/nonexistent/q", "vmm.binary-missing", "/nonexistent/q: No such file"},
        {"qemu.binary=/dev/null", "vmm.binary-missing", "/dev/null: Permission denied"},
        {"qemu.binary=false", "vmm.binary-missing", "false ended with status 1"},
    };
    struct rig *rig = *state;
    for (size_t i = 0; i < N_ROWS(cases); i++) {
        auto_target struct target target;
        struct err err = {0};
        target_init(&target);
        assert_int_equal(target_set(&target, "kernel=/dev/null", NULL), 0);
        assert_int_equal(target_set(&target, "qemu.binary=true", NULL), 0);
        assert_int_equal(vm_qemu.check(&target, &err), 0);
        assert_int_equal(target_set(&target, cases[i].assignment, NULL), 0);
        assert_int_equal(vm_qemu.check(&target, &err), -1);
        assert_string_equal(err.cause, cases[i].cause);
        assert_holds(err.message, cases[i].message);
    }
    struct err err = {0};
    free(rig->target.kernel);
    rig->target.kernel = NULL;
    assert_int_equal(vm_qemu.check(&rig->target, &err), -1);
    assert_holds(err.message, "\"kernel\" is not set");
}

/* The binary is started for the check, and not once more for what it said then. */
static void test_the_version_is_asked_once(void **state)
{
    static const struct {
        const char *says, *version;
    } cases[] = {
        {"QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)", "7.2.22"},
        {"QEMU emulator version 9.1.2", "9.1.2"},
        {"QEMU emulator version 8.1.50 (v8.1.0-2567-gf3b56b9a2d)\nCopyright (c)", "8.1.50"},
        {"QEMU emulator version unknown", NULL},
        {"a wrapper of ours", NULL},
    };
    struct rig *rig = *state;
    auto_free char *asked = path_join(rig->dir, "asked");
    free(rig->target.qemu_binary);
    rig->target.qemu_binary = path_join(rig->dir, "qemu-that-answers");
    for (size_t i = 0; i < N_ROWS(cases); i++) {
        auto_free char *script =
            mem_printf("#!/bin/sh\nprintf x >>'%s'\nprintf '%%s\\n' '%s'\n", asked, cases[i].says);
        free(put_text(rig->dir, "qemu-that-answers", script));
        assert_int_equal(chmod(rig->target.qemu_binary, 0755), 0);
        assert_int_equal(vm_qemu.check(&rig->target, NULL), 0);
        auto_free char *version = vm_qemu.version(&rig->target);
        auto_free char *again = vm_qemu.version(&rig->target);
        auto_free char *starts = get_text(rig->dir, "asked");
        assert_int_equal(strlen(starts), i + 1);
        if (cases[i].version == NULL) {
            assert_null(version);
            continue;
        }
        assert_string_equal(version, cases[i].version);
        assert_string_equal(again, cases[i].version);
    }
    free(rig->target.qemu_binary);
    rig->target.qemu_binary = mem_strdup("/nonexistent/qemu"); /* was never checked */
    auto_free char *none = vm_qemu.version(&rig->target);
    assert_null(none);
}

/* Else the good boots of a microVM would seem to have another command line than its next run. */
static void test_the_command_line_is_known_beforehand(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(target_set(&rig->target, "qemu.machine=microvm", NULL), 0);
    assert_int_equal(target_set(&rig->target, "cmdline=console=ttyS0", NULL), 0);
    auto_free char *beforehand = vm_qemu.cmdline(&rig->target);
    play(rig, "exit 1\n");
    assert_string_equal(rig->record.guest.cmdline, beforehand);
    assert_string_not_equal(beforehand, rig->target.cmdline);
}

#define rig_test(function) cmocka_unit_test_setup_teardown(function, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        rig_test(test_a_whole_life),
        cmocka_unit_test(test_ends_before_the_guest_runs),
        rig_test(test_our_own_kill_is_no_crash),
        rig_test(test_stop_right_after_start),
        rig_test(test_a_crash_after_the_start),
        rig_test(test_qmp_that_makes_no_sense),
        rig_test(test_a_flood_on_stderr),
        rig_test(test_a_program_that_is_not_there),
        rig_test(test_a_url_that_is_too_long),
        rig_test(test_the_port_is_held),
        rig_test(test_check),
        rig_test(test_the_version_is_asked_once),
        rig_test(test_the_command_line_is_known_beforehand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
