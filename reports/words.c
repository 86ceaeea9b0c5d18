/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/words.h"

#include <stddef.h>
#include <string.h>

struct entry {
    const char *id, *words;
};

static const char *look_up(const struct entry *entries, size_t n, const char *id)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(entries[i].id, id) == 0)
            return entries[i].words;
    return id;
}

const char *words_milestone(const char *id)
{
    static const struct entry milestones[] = {
        {"vmm-started", "VM started"},
        {"kernel-started", "kernel started"},
        {"root-device-found", "root device found"},
        {"root-mounted", "root mounted"},
        {"init-started", "systemd started"},
        {"nic-found", "network card found"},
        {"link-up", "link up"},
        {"address-acquired", "address acquired"},
        {"network-target", "network up"},
        {"unit-started", "unit started"},
        {"supervisor-started", "supervisor started"},
        {"agent-started", "agent started"},
        {"agent-listening", "agent listening"},
        {"port-answers", "port answers"},
    };
    return look_up(milestones, sizeof(milestones) / sizeof(milestones[0]), id);
}

const char *words_question(const char *id)
{
    static const struct entry questions[] = {
        {"kernel-booted", "kernel boots"},
        {"network-up", "network comes up"},
        {"services-started", "systemd starts services"},
        {"agent-started", "agent starts"},
        {"errors-seen", "errors occur"},
        {"port-8080-reachable", "port answers"},
    };
    return look_up(questions, sizeof(questions) / sizeof(questions[0]), id);
}

const char *words_accelerator(const char *accelerator)
{
    static const struct entry accelerators[] = {{"kvm", "KVM"}, {"tcg", "TCG"}};
    if (strncmp(accelerator, "tcg:", 4) == 0)
        return "TCG (no usable KVM)";
    return look_up(accelerators, sizeof(accelerators) / sizeof(accelerators[0]), accelerator);
}
