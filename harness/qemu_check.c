/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/qemu_check.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/auto.h"
#include "harness/base/buf.h"
#include "harness/base/mem.h"
#include "harness/base/proc.h"
#include "harness/bridge.h"
#include "harness/image.h"
#include "harness/kvm.h"

enum {
    VERSION_LIMIT_MS = 10000,
    VERSION_TEXT_LIMIT = 4096,
};

const char *qemu_accelerator(const struct target *target)
{
    if (strcmp(target->qemu_accelerator, "auto") != 0)
        return target->qemu_accelerator;
    return kvm_works() ? "kvm" : "tcg";
}

/* What a binary said when it was asked last: starting it only to ask is not cheap. */
static struct {
    char *binary;  /* owned; NULL: none was asked */
    char *version; /* owned; NULL: it did not say */
} asked;

/* From "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)"; NULL if there is none. */
static char *version_in(const char *output)
{
    static const char before[] = "version ";
    const char *at = strstr(output, before);
    if (at == NULL)
        return NULL;
    at += strlen(before);
    size_t len = strspn(at, "0123456789.");
    return len > 0 ? mem_strndup(at, len) : NULL;
}

static void note_answer(const char *binary, const char *output)
{
    free(asked.binary);
    free(asked.version);
    asked.binary = mem_strdup(binary);
    asked.version = version_in(output);
}

static int check_binary(const struct target *target, struct err *err)
{
    const char *const argv[] = {target->qemu_binary, "--version", NULL};
    struct err why = {0};
    auto_buf struct buf output;
    buf_init(&output, VERSION_TEXT_LIMIT);
    if (proc_run(argv, VERSION_LIMIT_MS, &output, &why) == 0) {
        note_answer(target->qemu_binary, buf_text(&output));
        return 0;
    }
    err_set(err, "%s; install qemu-system-x86, or set \"qemu.binary\" in the target", why.message);
    return err_cause(err, "vmm.binary-missing");
}

static int check_accelerator(const struct target *target, struct err *err)
{
    if (strcmp(target->qemu_accelerator, "kvm") != 0 || kvm_works())
        return 0;
    err_set(err, "%s; set \"qemu.accelerator\" in the target to \"auto\" or \"tcg\", or repair KVM",
            kvm_verdict()->words);
    return err_cause(err, "host.kvm-unavailable");
}

int qemu_check(const struct target *target, struct err *err)
{
    if (target->kernel == NULL) {
        err_set(err, "%s: \"kernel\" is not set: the backend qemu needs a kernel image",
                target->path != NULL ? target->path : "target");
        return err_cause(err, "vmm.kernel-missing");
    }
    if (image_check("kernel", target->kernel, "vmm.kernel-missing", err) != 0 ||
        image_check("initrd", target->initrd, "vmm.initrd-missing", err) != 0 ||
        image_check("rootfs", target->rootfs, "vmm.rootfs-missing", err) != 0 ||
        check_binary(target, err) != 0 || check_accelerator(target, err) != 0)
        return -1;
    return strcmp(target->network, "tap") == 0 ? bridge_preflight(target, err) : 0;
}

char *qemu_version(const struct target *target)
{
    if (asked.binary == NULL || strcmp(asked.binary, target->qemu_binary) != 0) {
        struct err unknown;
        if (check_binary(target, &unknown) != 0)
            return NULL;
    }
    return mem_strdup(asked.version);
}

char *qemu_describe(const struct target *target)
{
    const char *accelerator = qemu_accelerator(target);
    if (strcmp(target->qemu_accelerator, "auto") != 0 || strcmp(accelerator, "kvm") == 0)
        return mem_strdup(accelerator);
    return mem_printf("%s: %s", accelerator, kvm_verdict()->words);
}
