/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/target_check.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "harness/base/ipv4.h"

#define AT(field) offsetof(struct target, field)

/* Members that take one of a few words. */
static const struct {
    const char *name;
    size_t offset;
    const char *words, *list[4];
} CHOICES[] = {
    {"qemu.accelerator", AT(qemu_accelerator), "auto, kvm or tcg", {"auto", "kvm", "tcg"}},
    {"network", AT(network), "user or tap", {"user", "tap"}},
    {"nic", AT(nic), "virtio or none", {"virtio", "none"}},
    {"network_checks", AT(network_checks), "strict or lenient", {"strict", "lenient"}},
    {"pcap", AT(pcap), "failure, always or never", {"failure", "always", "never"}},
};

static int check_choices(const struct target *target, const char *name, struct err *err)
{
    for (size_t i = 0; i < sizeof(CHOICES) / sizeof(CHOICES[0]); i++) {
        const char *got = *(char *const *)((const char *)target + CHOICES[i].offset);
        const char *const *choice = CHOICES[i].list;
        while (*choice != NULL && strcmp(*choice, got) != 0)
            choice++;
        if (*choice == NULL)
            return err_set(err, "%s: \"%s\": expected %s, got \"%.40s\"", name, CHOICES[i].name,
                           CHOICES[i].words, got);
    }
    return 0;
}

static int check_tap(const struct target *target, const char *name, struct err *err)
{
    uint32_t first;
    if (target->address != NULL && !ipv4_parse(target->address, &first))
        return err_set(err, "%s: \"address\": expected an IPv4 address, got \"%.40s\"", name,
                       target->address);
    if (target->address != NULL &&
        (!ipv4_is_host(first) || !ipv4_is_host(first + (uint32_t)target->addresses - 1)))
        return err_set(err, "%s: \"address\": no machine can have %s, or one of the %d from there",
                       name, target->address, target->addresses);
    if (strcmp(target->network, "tap") != 0)
        return 0;
    if (target->address == NULL)
        return err_set(err,
                       "%s: \"address\" is not set: the network \"tap\" needs the guest's IPv4 "
                       "address",
                       name);
    if (target->tap != NULL && target->addresses > 1)
        return err_set(err, "%s: \"addresses\": one TAP device carries one guest, got %d", name,
                       target->addresses);
    return 0;
}

int target_check(const struct target *target, const char *name, struct err *err)
{
    if (check_choices(target, name, err) != 0 || check_tap(target, name, err) != 0)
        return -1;
    double speed = target->replay_speed;
    if (speed != 0 && !(speed >= 0.001 && speed <= 1e6))
        return err_set(err, "%s: \"replay.speed\": expected 0 or 0.001-1000000, got %g", name,
                       speed);
    return 0;
}
