/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kvm: does a guest really run under KVM on this host?
 *
 * /dev/kvm can exist, answer every ioctl, and still be an emulator that is a thousand times too
 * slow, or never come back. So a counted loop runs in a real vCPU, in a child process that is cut
 * off in time.
 */
#ifndef BOOTDIAG_KVM_H
#define BOOTDIAG_KVM_H

#include <stdbool.h>

enum kvm_state {
    KVM_WORKS,
    KVM_ABSENT,   /* no such node */
    KVM_REFUSED,  /* the node cannot be opened: rights, or in use */
    KVM_NOT_KVM,  /* something else answers there, or an API that is not version 12 */
    KVM_BROKEN,   /* no vCPU could be made, or none could run */
    KVM_EMULATED, /* a guest runs, far below the speed of hardware */
    KVM_HANGS,    /* the probe did not come back */
};

struct kvm_verdict {
    enum kvm_state state;
    double minsn_per_s; /* millions of guest instructions a second; 0: none ran */
    char words[160];    /* the verdict for a reader: "/dev/kvm is an emulator: 1.9 Minsn/s" */
};

enum { KVM_PROBE_LIMIT_MS = 300 };

/* Probes the device node in about 1 ms, at most KVM_PROBE_LIMIT_MS. Main thread only: it forks. */
void kvm_probe(const char *node, struct kvm_verdict *ret_verdict);

/* The verdict on /dev/kvm, probed once in the life of the process. */
const struct kvm_verdict *kvm_verdict(void);

static inline bool kvm_works(void)
{
    return kvm_verdict()->state == KVM_WORKS;
}

#endif
