/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of QEMU, the one for the user's terminal, and what QEMU's complaints mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/base/auto.h"
#include "harness/base/buf.h"
#include "harness/base/mem.h"
#include "harness/base/proc.h"
#include "harness/qemu_command.h"
#include "harness/qemu_error.h"

static void set(struct target *target, const char *assignment)
{
    struct err err = {0};
    if (target_set(target, assignment, &err) != 0)
        fail_msg("%s", err.message);
}

static void init(struct target *target)
{
    target_init(target);
    set(target, "kernel=/boot/vmlinux");
    set(target, "initrd=/boot/initrd");
    set(target, "rootfs=/img/root.ext4");
    set(target, "cmdline=console=ttyS0 panic=-1");
}

static struct qemu_command command_for(const struct target *target)
{
    return (struct qemu_command){.target = target,
                                 .rootfs = target->rootfs,
                                 .accelerator = "tcg",
                                 .cmdline = target->cmdline,
                                 .mac = "02:fc:00:00:00:01",
                                 .host_port = 34567,
                                 .tap_fd = -1,
                                 .pcap_fd = -1,
                                 .serial_fd = 11,
                                 .qmp_fd = 13};
}

/* The words with '|' between them. */
static char *joined(const struct qemu_command *command)
{
    char **argv = qemu_argv(command);
    auto_buf struct buf line;
    buf_init(&line, 100000);
    for (char **word = argv; *word != NULL; word++)
        buf_addf(&line, "%s%s", word == argv ? "" : "|", *word);
    qemu_argv_free(argv);
    return buf_steal(&line);
}

static void test_q35(void **state)
{
    (void)state;
    auto_target struct target target;
    init(&target);
    struct qemu_command command = command_for(&target);
    auto_free char *line = joined(&command);
    assert_string_equal(
        line,
        "qemu-system-x86_64|-nodefaults|-no-user-config|-display|none|-no-reboot|-machine|q35|"
        "-accel|tcg|-cpu|max|-smp|1|-m|512M|-S|-chardev|socket,id=serial,fd=11|-serial|"
        "chardev:serial|-chardev|socket,id=qmp,fd=13|-mon|chardev=qmp,mode=control|-kernel|"
        "/boot/vmlinux|-initrd|/boot/initrd|-append|console=ttyS0 panic=-1|-drive|if=none,id=root,"
        "format=raw,snapshot=on,file.locking=off,file=/img/root.ext4|-device|"
        "virtio-blk-pci,drive=root|-netdev|user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:34567-"
        ":8080|-device|virtio-net-pci,netdev=net,mac=02:fc:00:00:00:01|-device|virtio-rng-pci");
}

static void test_microvm_has_mmio_devices(void **state)
{
    static const struct {
        const char *machine;
        bool mmio;
    } cases[] = {
        {"microvm", true}, {"microvm,acpi=on", true}, {"q35", false},
        {"pc", false},     {"microvmx", false},       {"q35,x-name=microvm", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        auto_target struct target target;
        init(&target);
        auto_free char *machine = mem_printf("qemu.machine=%s", cases[i].machine);
        set(&target, machine);
        struct qemu_command command = command_for(&target);
        auto_free char *line = joined(&command);
        static const char *const models[] = {"|virtio-blk-%s,", "|virtio-net-%s,",
                                             "|virtio-rng-%s"};
        for (size_t m = 0; m < 3; m++) {
            auto_free char *mmio = mem_printf("%.12sdevice", models[m]);
            assert_true((strstr(line, mmio) != NULL) == cases[i].mmio);
        }
    }
}

static void test_what_is_absent_is_not_passed(void **state)
{
    (void)state;
    auto_target struct target target;
    init(&target);
    free(target.initrd);
    target.initrd = NULL;
    struct qemu_command command = command_for(&target);
    command.rootfs = NULL;
    command.cmdline = "";
    auto_free char *line = joined(&command);
    static const char *const absent[] = {"-initrd", "-append", "-drive", "virtio-blk"};
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
        assert_null(strstr(line, absent[i]));
}

static void test_tsc_is_told_to_microvm_under_tcg(void **state)
{
    static const struct {
        const char *machine, *accelerator, *cmdline, *expected;
    } cases[] = {
        {"microvm", "tcg", "quiet", "quiet tsc_early_khz=2600000"},
        {"microvm,acpi=on", "tcg", "", "tsc_early_khz=2600000"},
        {"microvm", "kvm", "quiet", "quiet"},
        {"q35", "tcg", "quiet", "quiet"},
        {"microvm", "tcg", "a tsc_early_khz=7", "a tsc_early_khz=7"},
        {"microvm", "tcg", "notsc", "notsc"},
        {"microvm", "tcg", "x.notsc", "x.notsc tsc_early_khz=2600000"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        auto_target struct target target;
        init(&target);
        auto_free char *machine = mem_printf("qemu.machine=%s", cases[i].machine);
        auto_free char *cmdline = mem_printf("cmdline=%s", cases[i].cmdline);
        set(&target, machine);
        set(&target, cmdline);
        auto_free char *got = qemu_cmdline(&target, cases[i].accelerator);
        assert_string_equal(got, cases[i].expected);
    }
}

static void test_tap_and_capture_are_inherited(void **state)
{
    (void)state;
    auto_target struct target target;
    init(&target);
    set(&target, "address=192.168.100.5");
    set(&target, "network=tap");
    struct qemu_command command = command_for(&target);
    command.tap_fd = 17;
    command.pcap_fd = 19;
    auto_free char *line = joined(&command);
    assert_non_null(strstr(line, "|-netdev|tap,id=net,fd=17|-device|virtio-net-pci,netdev=net,"
                                 "mac=02:fc:00:00:00:01|"));
    const char *end = "|-object|filter-dump,id=frames,netdev=net,maxlen=640,file=/proc/self/fd/19";
    assert_string_equal(line + strlen(line) - strlen(end), end);
    assert_null(strstr(line, "hostfwd"));
}

static void test_no_nic(void **state)
{
    (void)state;
    auto_target struct target target;
    init(&target);
    set(&target, "nic=none");
    struct qemu_command command = command_for(&target);
    command.pcap_fd = 19;
    auto_free char *line = joined(&command);
    assert_null(strstr(line, "net"));
    assert_non_null(strstr(line, "|-device|virtio-rng-pci"));
}

static void test_tap_by_hand(void **state)
{
    (void)state;
    auto_target struct target target;
    init(&target);
    set(&target, "address=192.168.100.5");
    set(&target, "bridge=br;0");
    set(&target, "network=tap");
    struct qemu_command command = command_for(&target);
    command.tap_fd = 17;
    auto_free char *line = qemu_by_hand(&command, NULL);
    const char *start =
        "ip tuntap add dev bdhand mode tap vnet_hdr && ip link set bdhand up master "
        "'br;0' && qemu-system-x86_64 ";
    assert_int_equal(strncmp(line, start, strlen(start)), 0);
    assert_non_null(strstr(line, " -netdev tap,id=net,script=no,downscript=no,ifname=bdhand "));
    assert_non_null(strstr(line, "; ip link del bdhand"));

    set(&target, "tap=mine");
    command = command_for(&target);
    auto_free char *existing = qemu_by_hand(&command, NULL);
    assert_int_equal(strncmp(existing, "qemu-system-x86_64 ", 19), 0);
    assert_non_null(strstr(existing, ",ifname=mine "));
    assert_null(strstr(existing, "ip link"));
}

static void test_hostile_names(void **state)
{
    (void)state;
    auto_target struct target target;
    init(&target);
    set(&target, "kernel=/k,snapshot=off");
    struct qemu_command command = command_for(&target);
    command.rootfs = "/a,snapshot=off,b/c d'e\"$(f).img,,";
    command.cmdline = "x=1,2 -nographic";
    auto_free char *line = joined(&command);
    assert_non_null(strstr(line, "file=/a,,snapshot=off,,b/c d'e\"$(f).img,,,,|-device|"));
    assert_non_null(strstr(line, "|-kernel|/k,snapshot=off|")); /* not an option list */
    assert_non_null(strstr(line, "|-append|x=1,2 -nographic|"));
}

static void test_by_hand(void **state)
{
    (void)state;
    auto_target struct target target;
    init(&target);
    struct qemu_command command = command_for(&target);
    auto_free char *line = qemu_by_hand(&command, NULL);
    assert_string_equal(
        line,
        "qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -machine q35 "
        "-accel "
        "tcg -cpu max -smp 1 -m 512M -serial mon:stdio -kernel /boot/vmlinux -initrd /boot/initrd "
        "-append 'console=ttyS0 panic=-1' -drive if=none,id=root,format=raw,snapshot=on,"
        "file.locking=off,file=/img/root.ext4 -device virtio-blk-pci,drive=root -netdev "
        "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:18080-:8080 -device "
        "virtio-net-pci,netdev=net,mac=02:fc:00:00:00:01 -device virtio-rng-pci");
}

static void test_by_hand_with_a_fault(void **state)
{
    (void)state;
    auto_target struct target target;
    init(&target);
    target.path = mem_strdup("fixtures/targets/bundled.json");
    struct qemu_command command = command_for(&target);
    auto_free char *target_only = qemu_by_hand(&command, "kernel-out-of-memory");
    assert_int_equal(strncmp(target_only, "qemu-system-x86_64 ", 19), 0);

    command.rootfs = "/scratch/rootfs.ext4";
    auto_free char *line = qemu_by_hand(&command, "agent-hung");
    auto_free char *program = realpath("/proc/self/exe", NULL);
    auto_free char *path = realpath(target.path, NULL);
    auto_free char *start =
        mem_printf("rm -f /tmp/bootdiag-agent-hung.ext4 && %s target image --fault agent-hung "
                   "--output /tmp/bootdiag-agent-hung.ext4 --target %s && qemu-system-x86_64 ",
                   program, path);
    assert_int_equal(strncmp(line, start, strlen(start)), 0);
    assert_non_null(strstr(line, ",file=/tmp/bootdiag-agent-hung.ext4 "));
    assert_null(strstr(line, "/scratch"));
}

/* The shell itself is the judge: printf shows one word a line. */
static void test_by_hand_survives_the_shell(void **state)
{
    (void)state;
    auto_target struct target target;
    init(&target);
    set(&target, "qemu.binary=printf");
    struct qemu_command command = command_for(&target);
    command.rootfs = "/it's/$HOME/`id`/*;&|<>\\ \"x\"~#.img";
    command.cmdline = "a='b c' \"d\" $(e) \\";
    auto_free char *line = qemu_by_hand(&command, NULL);
    auto_free char *shown = mem_printf("printf '%%s\\n'%s", line + strlen("printf"));
    const char *const argv[] = {"sh", "-c", shown, NULL};
    auto_buf struct buf output;
    buf_init(&output, 10000);
    assert_int_equal(proc_run(argv, 5000, &output, NULL), 0);
    assert_non_null(strstr(buf_text(&output), "\na='b c' \"d\" $(e) \\\n"));
    assert_non_null(strstr(buf_text(&output), "file=/it's/$HOME/`id`/*;&|<>\\ \"x\"~#.img\n"));
}

static void test_errors(void **state)
{
#define QEMU "qemu-system-x86_64: "
    static const struct {
        const char *log, *line, *cause;
    } cases[] = {
        {"Could not access KVM kernel module: Permission denied\n" QEMU
         "failed to initialize kvm: Permission denied\n",
         "Could not access KVM kernel module: Permission denied", "host.kvm-unavailable"},
        {QEMU "kvm version too old\n", QEMU "kvm version too old", "host.kvm-unavailable"},
        {QEMU "cannot set up guest memory 'pc.ram': Cannot allocate memory",
         QEMU "cannot set up guest memory 'pc.ram': Cannot allocate memory",
         "host.memory-exhausted"},
        {"qemu: could not open kernel file '/k': No such file or directory\n",
         "qemu: could not open kernel file '/k': No such file or directory", "vmm.kernel-missing"},
        {"qemu: invalid kernel header\r\n", "qemu: invalid kernel header", "vmm.kernel-invalid"},
        {"qemu: linux kernel too old to load a ram disk\n",
         "qemu: linux kernel too old to load a ram disk", "vmm.kernel-invalid"},
        {"Error loading uncompressed kernel without PVH ELF Note\n",
         "Error loading uncompressed kernel without PVH ELF Note", "vmm.kernel-invalid"},
        {"qemu: error reading initrd /i: Failed to open file\n",
         "qemu: error reading initrd /i: Failed to open file", "vmm.initrd-missing"},
        {QEMU "-drive if=none: Could not open '/r': No such file or directory\n",
         QEMU "-drive if=none: Could not open '/r': No such file or directory",
         "vmm.rootfs-missing"},
        {QEMU "-drive x: Could not open '/tmp/vl': No space left on device\n",
         QEMU "-drive x: Could not open '/tmp/vl': No space left on device", "host.disk-full"},
        {QEMU "unsupported machine type\nUse -machine help to list supported machines\n",
         QEMU "unsupported machine type", "vmm.config-invalid"},
        {QEMU "warning: TCG doesn't support requested feature: CPUID.01H:ECX.vmx\n" QEMU
              "unable to find CPU model 'x'\n",
         QEMU "unable to find CPU model 'x'", "vmm.config-invalid"},
        {QEMU "could not configure /dev/net/tun (tap0): Operation not permitted\n",
         QEMU "could not configure /dev/net/tun (tap0): Operation not permitted",
         "host.tap-unavailable"},
        {QEMU "-netdev user: Could not set up host forwarding rule 'tcp:127.0.0.1:1-:2'\n",
         QEMU "-netdev user: Could not set up host forwarding rule 'tcp:127.0.0.1:1-:2'",
         "vmm.config-invalid"},
        {"first\nsomething new\n\n", "something new", NULL},
        {QEMU "warning: harmless\n", NULL, NULL},
        {"", NULL, NULL},
        {"\n\r\n", NULL, NULL},
        {"bad \x01\xff byte\n", "bad \\x01\\xff byte", NULL},
    };
#undef QEMU
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *cause = "unset";
        auto_free char *line = qemu_error_find(cases[i].log, &cause);
        if (cases[i].line == NULL)
            assert_null(line);
        else
            assert_string_equal(line, cases[i].line);
        if (cases[i].cause == NULL)
            assert_null(cause);
        else
            assert_string_equal(cause, cases[i].cause);
    }
}

static void test_a_huge_complaint_is_cut(void **state)
{
    (void)state;
    auto_free char *log = mem_calloc(1 << 20, 1);
    memset(log, 'x', (1 << 20) - 1);
    const char *cause;
    auto_free char *line = qemu_error_find(log, &cause);
    assert_in_range(strlen(line), 100, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_q35),
        cmocka_unit_test(test_microvm_has_mmio_devices),
        cmocka_unit_test(test_what_is_absent_is_not_passed),
        cmocka_unit_test(test_tsc_is_told_to_microvm_under_tcg),
        cmocka_unit_test(test_tap_and_capture_are_inherited),
        cmocka_unit_test(test_no_nic),
        cmocka_unit_test(test_tap_by_hand),
        cmocka_unit_test(test_hostile_names),
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_by_hand_with_a_fault),
        cmocka_unit_test(test_by_hand_survives_the_shell),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_a_huge_complaint_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
