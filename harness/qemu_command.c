/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arguments are built as a list of words, never as a line: no shell sees them. In an option's value
 * a comma ends the value, so names from outside have theirs doubled (QEMU: qemu-options.hx).
 */
#include "harness/qemu_command.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/auto.h"
#include "harness/base/buf.h"
#include "harness/base/mem.h"
#include "harness/pcap.h"

enum { BY_HAND_PORT = 18080 };
static const char BY_HAND_TAP[] = "bdhand";

struct words {
    char **list; /* owned, as are the words */
    size_t len, cap;
};

static void take_word(struct words *words, char *word)
{
    words->list = mem_grow(words->list, words->len, &words->cap, sizeof(*words->list));
    words->list[words->len++] = word;
}

static void add(struct words *words, const char *option, const char *value)
{
    take_word(words, mem_strdup(option));
    if (value != NULL)
        take_word(words, mem_strdup(value));
}

static void __attribute__((format(printf, 3, 4)))
addf(struct words *words, const char *option, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    take_word(words, mem_strdup(option));
    take_word(words, mem_vprintf(format, args));
    va_end(args);
}

/* A name as part of an option's value; owned by the caller. */
static char *double_commas(const char *name)
{
    auto_buf struct buf doubled;
    buf_init(&doubled, SIZE_MAX);
    for (; *name != '\0'; name++) {
        buf_add_char(&doubled, *name);
        if (*name == ',')
            buf_add_char(&doubled, ',');
    }
    return buf_steal(&doubled);
}

static bool is_microvm(const struct target *target)
{
    static const char name[] = "microvm";
    const char *behind = target->qemu_machine + sizeof(name) - 1;
    return strncmp(target->qemu_machine, name, sizeof(name) - 1) == 0 &&
           (*behind == '\0' || *behind == ',');
}

/* True if the command line has an argument that begins like this. */
static bool has_argument(const char *cmdline, const char *start)
{
    size_t len = strlen(start);
    for (const char *at = cmdline; (at = strstr(at, start)) != NULL; at += len)
        if (at == cmdline || at[-1] == ' ')
            return true;
    return false;
}

char *qemu_cmdline(const struct target *target, const char *accelerator)
{
    const char *cmdline = target->cmdline != NULL ? target->cmdline : "";
    /* Without a PM timer or HPET the kernel cannot measure its TSC against an emulated PIT: one
     * boot in six hangs there unless it is told. */
    bool told = has_argument(cmdline, "tsc_early_khz=") || has_argument(cmdline, "notsc");
    if (!is_microvm(target) || strcmp(accelerator, "tcg") != 0 || told)
        return mem_strdup(cmdline);
    return mem_printf("%s%stsc_early_khz=2600000", cmdline, cmdline[0] != '\0' ? " " : "");
}

static void add_machine(struct words *words, const struct qemu_command *command)
{
    const struct target *target = command->target;
    add(words, target->qemu_binary, NULL);
    add(words, "-nodefaults", NULL);
    add(words, "-no-user-config", NULL);
    add(words, "-display", "none");
    add(words, "-no-reboot", NULL);
    add(words, "-machine", target->qemu_machine);
    add(words, "-accel", command->accelerator);
    add(words, "-cpu", target->qemu_cpu);
    addf(words, "-smp", "%d", target->vcpus);
    addf(words, "-m", "%dM", target->memory_mib);
}

static void add_boot(struct words *words, const struct qemu_command *command)
{
    const struct target *target = command->target;
    if (target->kernel != NULL)
        add(words, "-kernel", target->kernel);
    if (target->initrd != NULL)
        add(words, "-initrd", target->initrd);
    if (target->kernel != NULL && command->cmdline[0] != '\0')
        add(words, "-append", command->cmdline);
}

static bool is_on_tap(const struct qemu_command *command)
{
    return strcmp(command->target->network, "tap") == 0;
}

static char *user_netdev(const struct qemu_command *command, int host_port)
{
    return mem_printf("user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:%d-:%d", host_port,
                      command->target->service.port);
}

static bool has_nic(const struct qemu_command *command)
{
    return strcmp(command->target->nic, "none") != 0;
}

/* The image itself is never written: writes go to a temporary file without a name (snapshot=on),
 * and no lock is needed on what is only read. */
static void add_devices(struct words *words, const struct qemu_command *command, const char *rootfs,
                        const char *netdev)
{
    const char *bus = is_microvm(command->target) ? "device" : "pci";
    if (rootfs != NULL) {
        auto_free char *file = double_commas(rootfs);
        addf(words, "-drive", "if=none,id=root,format=raw,snapshot=on,file.locking=off,file=%s",
             file);
        addf(words, "-device", "virtio-blk-%s,drive=root", bus);
    }
    if (has_nic(command)) {
        add(words, "-netdev", netdev);
        addf(words, "-device", "virtio-net-%s,netdev=net,mac=%s", bus, command->mac);
    }
    addf(words, "-device", "virtio-rng-%s", bus);
}

static char **end_of_list(struct words *words)
{
    take_word(words, NULL);
    return words->list;
}

char **qemu_argv(const struct qemu_command *command)
{
    struct words words = {0};
    add_machine(&words, command);
    add(&words, "-S", NULL);
    addf(&words, "-chardev", "socket,id=serial,fd=%d", command->serial_fd);
    add(&words, "-serial", "chardev:serial");
    addf(&words, "-chardev", "socket,id=qmp,fd=%d", command->qmp_fd);
    add(&words, "-mon", "chardev=qmp,mode=control");
    add_boot(&words, command);
    auto_free char *netdev = is_on_tap(command) ? mem_printf("tap,id=net,fd=%d", command->tap_fd)
                                                : user_netdev(command, command->host_port);
    add_devices(&words, command, command->rootfs, netdev);
    if (command->pcap_fd >= 0 && has_nic(command))
        addf(&words, "-object", "filter-dump,id=frames,netdev=net,maxlen=%d,file=/proc/self/fd/%d",
             PCAP_VMM_LEN, command->pcap_fd);
    return end_of_list(&words);
}

void qemu_argv_free(char **argv)
{
    for (char **word = argv; word != NULL && *word != NULL; word++)
        free(*word);
    free(argv);
}

/* ---- by hand ---- */

static void add_quoted(struct buf *line, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "%+,-./:=@_";
    if (line->len > 0)
        buf_add_char(line, ' ');
    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
        buf_add_text(line, word);
        return;
    }
    buf_add_char(line, '\'');
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            buf_add_text(line, "'\\'");
        buf_add_char(line, *word);
    }
    buf_add_char(line, '\'');
}

/* The command that makes the image with the fault in it, anew each time. */
static void add_make_image(struct buf *line, const struct target *target, const char *fault,
                           const char *image)
{
    auto_free char *program = realpath("/proc/self/exe", NULL);
    add_quoted(line, "rm");
    add_quoted(line, "-f");
    add_quoted(line, image);
    buf_add_text(line, " &&");
    const char *const words[] = {program != NULL ? program : "bootdiag",
                                 "target",
                                 "image",
                                 "--fault",
                                 fault,
                                 "--output",
                                 image};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        add_quoted(line, words[i]);
    auto_free char *path = target->path != NULL ? realpath(target->path, NULL) : NULL;
    if (path != NULL) {
        add_quoted(line, "--target");
        add_quoted(line, path);
    }
    buf_add_text(line, " &&");
}

/* The TAP device by hand: made before, removed after. An existing one is only used. */
static char *tap_netdev(struct buf *line, const struct target *target)
{
    if (target->tap == NULL) {
        auto_free char *make =
            mem_printf("ip tuntap add dev %s mode tap vnet_hdr && ip link set %s "
                       "up master",
                       BY_HAND_TAP, BY_HAND_TAP);
        if (line->len > 0)
            buf_add_char(line, ' ');
        buf_add_text(line, make);
        add_quoted(line, target->bridge);
        buf_add_text(line, " &&");
    }
    auto_free char *name = double_commas(target->tap != NULL ? target->tap : BY_HAND_TAP);
    return mem_printf("tap,id=net,script=no,downscript=no,ifname=%s", name);
}

static bool is_same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

char *qemu_by_hand(const struct qemu_command *command, const char *fault)
{
    auto_buf struct buf line;
    buf_init(&line, SIZE_MAX);
    auto_free char *image = NULL;
    if (fault != NULL && !is_same(command->rootfs, command->target->rootfs)) {
        image = mem_printf("/tmp/bootdiag-%s.ext4", fault);
        add_make_image(&line, command->target, fault, image);
    }
    auto_free char *netdev = is_on_tap(command) ? tap_netdev(&line, command->target)
                                                : user_netdev(command, BY_HAND_PORT);
    struct words words = {0};
    add_machine(&words, command);
    add(&words, "-serial", "mon:stdio");
    add_boot(&words, command);
    add_devices(&words, command, image != NULL ? image : command->rootfs, netdev);
    char **argv = end_of_list(&words);
    for (char **word = argv; *word != NULL; word++)
        add_quoted(&line, *word);
    qemu_argv_free(argv);
    if (is_on_tap(command) && command->target->tap == NULL)
        buf_addf(&line, "; ip link del %s", BY_HAND_TAP);
    return buf_steal(&line);
}
