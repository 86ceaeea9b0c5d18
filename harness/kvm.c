/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers, each of which can fail: open the node, ask for the API version, make a VM and a vCPU with
 * one page of memory, run a counted loop that ends in HLT. A timer signal cuts a slow loop off, and
 * the loop counter says how far it came. The child reports the verdict through a pipe; what never
 * reports hangs.
 */
#include "harness/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/base/auto.h"
#include "harness/base/clock.h"

enum {
    API_VERSION = 12,
    PAGE = 4096,
    LOOPS = 1000000, /* two instructions each: under 2 ms on hardware, a second on an emulator */
    NATIVE_LIMIT_MS = 50, /* a loop that takes longer did not run on hardware */
    CUT_MS = 120,         /* of all tries together; leaves room below KVM_PROBE_LIMIT_MS */
    TRIES = 3,            /* on a busy host one loop may be slow because it had to wait */
    REAP_MS = 100,
};

/* Real mode: mov $LOOPS, %ecx; 1: dec %ecx; jnz 1b; hlt */
static const unsigned char LOOP_CODE[] = {
    0x66, 0xb9, LOOPS & 0xff, LOOPS >> 8 & 0xff, LOOPS >> 16 & 0xff, 0, 0x66, 0x49,
    0x75, 0xfc, 0xf4,
};

struct vcpu {
    int fd;
    struct kvm_run *run;
};

static void give(struct kvm_verdict *verdict, enum kvm_state state, const char *words,
                 const char *node, int errnum)
{
    verdict->state = state;
    if (errnum != 0)
        (void)snprintf(verdict->words, sizeof(verdict->words), "%.60s: %s: %s", node, words,
                       strerror(errnum));
    else
        (void)snprintf(verdict->words, sizeof(verdict->words), "%.60s: %s", node, words);
}

/* ---- in the child: descriptors and mappings go with it ---- */

static int open_node(const char *node, struct kvm_verdict *verdict)
{
    int fd = open(node, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        bool absent = errno == ENOENT || errno == ENXIO || errno == ENODEV;
        give(verdict, absent ? KVM_ABSENT : KVM_REFUSED, "cannot be opened", node, errno);
        return -1;
    }
    int version = ioctl(fd, KVM_GET_API_VERSION, 0);
    if (version != API_VERSION) {
        give(verdict, KVM_NOT_KVM, "is not KVM", node, version < 0 ? errno : 0);
        return -1;
    }
    return fd;
}

static int map_code(int vm_fd)
{
    void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return -1;
    memcpy(page, LOOP_CODE, sizeof(LOOP_CODE));
    struct kvm_userspace_memory_region region = {.memory_size = PAGE,
                                                 .userspace_addr = (uintptr_t)page};
    return ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &region);
}

static int make_vcpu(int kvm_fd, struct vcpu *ret_vcpu)
{
    int vm_fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);
    if (vm_fd < 0 || map_code(vm_fd) != 0)
        return -1;
    int fd = ioctl(vm_fd, KVM_CREATE_VCPU, 0);
    int size = ioctl(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (fd < 0 || size < (int)sizeof(struct kvm_run))
        return -1;
    void *run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (run == MAP_FAILED)
        return -1;
    *ret_vcpu = (struct vcpu){.fd = fd, .run = run};
    return 0;
}

static int reset_vcpu(const struct vcpu *vcpu)
{
    struct kvm_sregs sregs;
    if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) != 0)
        return -1;
    sregs.cs.base = 0;
    sregs.cs.selector = 0;
    struct kvm_regs regs = {.rflags = 2}; /* bit 1 is always set */
    if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) != 0 || ioctl(vcpu->fd, KVM_SET_REGS, &regs) != 0)
        return -1;
    return 0;
}

static double now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static uint64_t loops_done(const struct vcpu *vcpu)
{
    struct kvm_regs regs;
    if (ioctl(vcpu->fd, KVM_GET_REGS, &regs) != 0 || regs.rcx == 0 || regs.rcx > LOOPS)
        return 0;
    return LOOPS - regs.rcx;
}

/* One run of the loop. -1: the vCPU failed; else whether it came to its end, with its time and
 * loops. */
static int run_loop(const struct vcpu *vcpu, double *ret_ms, uint64_t *ret_loops)
{
    if (reset_vcpu(vcpu) != 0)
        return -1;
    double start = now_ms();
    int result = ioctl(vcpu->fd, KVM_RUN, 0);
    int failed = result != 0 ? errno : 0;
    *ret_ms = now_ms() - start;
    if (failed == EINTR) {
        *ret_loops = loops_done(vcpu);
        return 0;
    }
    errno = failed;
    *ret_loops = LOOPS;
    return failed == 0 && vcpu->run->exit_reason == KVM_EXIT_HLT ? 1 : -1;
}

static void on_cut(int signal)
{
    (void)signal; /* its only effect is the EINTR */
}

/* Fires again and again: a signal that comes just before KVM_RUN must not be the last. */
static void arm_cut(void)
{
    struct sigaction action = {.sa_handler = on_cut};
    struct itimerval timer = {.it_value = {.tv_usec = CUT_MS * 1000},
                              .it_interval = {.tv_usec = 10000}};
    (void)sigaction(SIGALRM, &action, NULL);
    (void)setitimer(ITIMER_REAL, &timer, NULL);
}

static void judge_speed(const char *node, const struct vcpu *vcpu, struct kvm_verdict *verdict)
{
    int ended = 1;
    arm_cut();
    for (int try = 0; try < TRIES && ended == 1; try++) {
        double ms;
        uint64_t loops;
        ended = run_loop(vcpu, &ms, &loops);
        if (ended < 0) {
            give(verdict, KVM_BROKEN, "a guest does not run", node, errno);
            return;
        }
        verdict->minsn_per_s = ms > 0 ? 2.0 * (double)loops / ms / 1e3 : 0;
        if (ended == 1 && ms <= NATIVE_LIMIT_MS) {
            give(verdict, KVM_WORKS, "works", node, 0);
            return;
        }
    }
    verdict->state = KVM_EMULATED;
    (void)snprintf(verdict->words, sizeof(verdict->words),
                   "%.60s is present but emulated: %.1f million instructions a second", node,
                   verdict->minsn_per_s);
}

static _Noreturn void child(const char *node, int report_fd, pid_t parent)
{
    struct kvm_verdict verdict = {0};
    struct vcpu vcpu;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    int fd = open_node(node, &verdict);
    if (fd >= 0 && make_vcpu(fd, &vcpu) != 0)
        give(&verdict, KVM_BROKEN, "no vCPU can be made", node, errno);
    else if (fd >= 0)
        judge_speed(node, &vcpu, &verdict);
    (void)!write(report_fd, &verdict, sizeof(verdict));
    _exit(0);
}

/* ---- in the parent ---- */

/* A child that the kernel cannot end at once is left to it. */
static void reap(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    int64_t limit = clock_ms() + REAP_MS;
    while (waitpid(pid, NULL, WNOHANG) == 0 && clock_ms() < limit)
        (void)poll(NULL, 0, 1);
}

void kvm_probe(const char *node, struct kvm_verdict *ret_verdict)
{
    *ret_verdict = (struct kvm_verdict){0};
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) {
        give(ret_verdict, KVM_BROKEN, "cannot be probed", node, errno);
        return;
    }
    auto_fd int in = report[0];
    auto_fd int out = report[1];
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0) {
        give(ret_verdict, KVM_BROKEN, "cannot be probed", node, errno);
        return;
    }
    if (pid == 0)
        child(node, out, parent);
    (void)close(steal_fd(&out));
    struct pollfd wait = {.fd = in, .events = POLLIN};
    int got;
    do
        got = poll(&wait, 1, KVM_PROBE_LIMIT_MS);
    while (got < 0 && errno == EINTR);
    if (got <= 0 || read(in, ret_verdict, sizeof(*ret_verdict)) != sizeof(*ret_verdict))
        give(ret_verdict, KVM_HANGS, "is present, but a guest on it never comes back", node, 0);
    reap(pid);
}

const struct kvm_verdict *kvm_verdict(void)
{
    static struct kvm_verdict verdict;
    static bool probed;
    if (!probed)
        kvm_probe("/dev/kvm", &verdict);
    probed = true;
    return &verdict;
}
