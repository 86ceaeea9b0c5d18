/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boots that run are an array; a finished one leaves it at the loop's next turn and the next
 * boot takes its place. Signals arrive as events of the same loop (signalfd).
 */
#include "harness/campaign.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/auto.h"
#include "harness/base/file.h"
#include "harness/base/mem.h"
#include "harness/fault_initrd.h"
#include "harness/host.h"
#include "harness/probe_engine.h"
#include "harness/scratch.h"

enum {
    PROGRESS_MS = 200,
    VMM_OVERHEAD_MIB = 128, /* QEMU's own memory beside the guest's, generously */
    MOST_JOBS = 256,
};

struct campaign {
    const struct campaign_options *options;
    struct loop *loop;
    struct probe_engine *engine;
    struct scratch scratch;
    char *rootfs;         /* copy with the fault in it; NULL: the target's own is booted */
    char *initrd;         /* the same */
    struct target target; /* the options' with another initrd; used only if a fault makes one */
    struct boot_plan plan;

    struct boot **running;
    size_t n_running;
    unsigned started;
    bool winding_down;   /* no boot is started any more */
    struct boot **ended; /* to be freed at the next turn */
    size_t n_ended;
    struct campaign_result result;

    struct loop_watch signals;
    sigset_t old_mask;
    struct loop_timer progress;
};

unsigned campaign_default_jobs(const struct target *target)
{
    int64_t by_cpu = host_cpus() / target->vcpus;
    int64_t available = host_available_mib();
    int64_t by_memory =
        available < 0 ? MOST_JOBS : available / (target->memory_mib + VMM_OVERHEAD_MIB);
    int64_t jobs = by_cpu < by_memory ? by_cpu : by_memory;
    if (jobs > MOST_JOBS)
        jobs = MOST_JOBS;
    if (strcmp(target->network, "tap") == 0 && jobs > target->addresses)
        jobs = target->addresses;
    return jobs > 1 ? (unsigned)jobs : 1;
}

/* ---- signals and progress ---- */

static void wind_down(struct campaign *campaign)
{
    campaign->winding_down = true;
    for (size_t i = 0; i < campaign->n_running; i++)
        boot_interrupt(campaign->running[i]);
}

static void on_signal(void *ctx, uint32_t events)
{
    (void)events;
    struct campaign *campaign = ctx;
    struct signalfd_siginfo info;
    while (read(campaign->signals.fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        campaign->result.interrupted = true;
        wind_down(campaign);
    }
}

static int catch_signals(struct campaign *campaign, struct err *err)
{
    sigset_t mask;
    (void)sigemptyset(&mask);
    (void)sigaddset(&mask, SIGINT);
    (void)sigaddset(&mask, SIGTERM);
    (void)sigaddset(&mask, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &mask, &campaign->old_mask);
    int fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return err_sys(err, errno, "cannot catch signals");
    campaign->signals = (struct loop_watch){.fd = fd, .on_ready = on_signal, .ctx = campaign};
    loop_watch(campaign->loop, &campaign->signals, EPOLLIN);
    return 0;
}

static void on_progress(void *ctx)
{
    struct campaign *campaign = ctx;
    const struct campaign_options *options = campaign->options;
    options->on_progress(options->ctx, (const struct boot *const *)campaign->running,
                         campaign->n_running);
    loop_arm(campaign->loop, &campaign->progress, PROGRESS_MS);
}

/* ---- boots ---- */

static void on_boot_done(void *ctx, struct boot *boot)
{
    struct campaign *campaign = ctx;
    size_t i = 0;
    while (campaign->running[i] != boot)
        i++;
    campaign->n_running--;
    memmove(&campaign->running[i], &campaign->running[i + 1],
            (campaign->n_running - i) * sizeof(struct boot *));
    campaign->ended[campaign->n_ended++] = boot;
    campaign->result.done++;
}

static bool is_taken(const struct campaign *campaign, unsigned slot)
{
    for (size_t i = 0; i < campaign->n_running; i++)
        if (boot_slot(campaign->running[i]) == slot)
            return true;
    return false;
}

/* The lowest that none of the running boots has. */
static unsigned free_slot(const struct campaign *campaign)
{
    unsigned slot = 0;
    while (is_taken(campaign, slot))
        slot++;
    return slot;
}

static int start_next(struct campaign *campaign, struct err *err)
{
    campaign->plan.slot = free_slot(campaign);
    struct boot *boot = boot_new(&campaign->plan, campaign->started, on_boot_done, campaign, err);
    if (boot == NULL)
        return -1;
    campaign->started++;
    campaign->running[campaign->n_running++] = boot;
    return 0;
}

/* Boots that ended are shown and freed here, outside of their own callbacks. */
static void bury_ended(struct campaign *campaign)
{
    for (size_t i = 0; i < campaign->n_ended; i++) {
        if (campaign->options->on_done != NULL)
            campaign->options->on_done(campaign->options->ctx, campaign->ended[i]);
        boot_free(campaign->ended[i]);
    }
    campaign->n_ended = 0;
}

static int start_more(struct campaign *campaign, struct err *err)
{
    while (!campaign->winding_down && campaign->n_running < campaign->result.jobs &&
           campaign->started < campaign->options->boots)
        if (start_next(campaign, err) != 0) {
            wind_down(campaign);
            return -1;
        }
    return 0;
}

static int run_all(struct campaign *campaign, struct err *err)
{
    on_signal(campaign, 0); /* preparing may have taken minutes */
    int result = start_more(campaign, err);
    while (campaign->n_running > 0) {
        loop_turn(campaign->loop);
        bury_ended(campaign);
        if (start_more(campaign, err) != 0)
            result = -1;
    }
    return result;
}

/* ---- life ---- */

/* Found out before anything is copied, instead of in the middle. */
static int check_room(const char *image, const char *dir, struct err *err)
{
    enum { MIB = 1 << 20 };
    struct stat status;
    int64_t free_bytes = file_free_bytes(dir);
    if (stat(image, &status) != 0)
        return err_sys(err, errno, "cannot read %s", image);
    int64_t needed =
        (int64_t)status.st_blocks * 512; /* stat(2): whatever the file system's block */
    if (free_bytes < 0 || free_bytes >= needed)
        return 0;
    err_set(err,
            "a copy of %s needs %lld MiB, and %lld MiB are free in %s: make room, or set TMPDIR",
            image, (long long)(needed / MIB), (long long)(free_bytes / MIB), dir);
    return err_cause(err, "host.disk-full");
}

/* The image that all boots start from: the target's, or one copy of it with the fault inside. */
static int prepare_image(struct campaign *campaign, struct err *err)
{
    const struct campaign_options *options = campaign->options;
    campaign->plan.rootfs = options->target->rootfs;
    if (options->fault == NULL || !fault_changes_image(options->fault))
        return 0;
    if (options->target->rootfs == NULL)
        return err_set(err, "fault %s changes the root image, and the target has no \"rootfs\"",
                       options->fault->name);
    campaign->rootfs = path_join(campaign->scratch.dir, "rootfs.ext4");
    campaign->plan.rootfs = campaign->rootfs;
    if (check_room(options->target->rootfs, campaign->scratch.dir, err) != 0 ||
        file_copy_sparse(options->target->rootfs, campaign->rootfs, err) != 0)
        return -1;
    return fault_apply_image(options->fault, campaign->rootfs, campaign->scratch.dir, err);
}

static int prepare_initrd(struct campaign *campaign, struct err *err)
{
    const struct campaign_options *options = campaign->options;
    campaign->plan.target = options->target;
    if (options->fault == NULL || !fault_changes_initrd(options->fault))
        return 0;
    campaign->initrd = path_join(campaign->scratch.dir, "initrd");
    campaign->target = *options->target;
    campaign->target.initrd = campaign->initrd;
    campaign->plan.target = &campaign->target;
    return fault_make_initrd(options->fault, options->target->initrd, campaign->initrd, err);
}

static int prepare(struct campaign *campaign, struct err *err)
{
    const struct campaign_options *options = campaign->options;
    unsigned jobs = options->jobs > 0 ? options->jobs : campaign_default_jobs(options->target);
    campaign->result.jobs = jobs < options->boots ? jobs : options->boots;
    campaign->running = mem_calloc(campaign->result.jobs, sizeof(struct boot *));
    campaign->ended = mem_calloc(campaign->result.jobs, sizeof(struct boot *));
    if (catch_signals(campaign, err) != 0 || scratch_init(&campaign->scratch, err) != 0 ||
        prepare_image(campaign, err) != 0 || prepare_initrd(campaign, err) != 0)
        return -1;
    campaign->engine = probe_engine_new(campaign->loop, err);
    if (campaign->engine == NULL)
        return -1;

    campaign->plan.ops = options->ops;
    campaign->plan.watch = options->watch;
    campaign->plan.engine = campaign->engine;
    campaign->plan.loop = campaign->loop;
    campaign->plan.fault = options->fault != NULL ? options->fault->name : NULL;
    campaign->plan.images = options->images;
    campaign->plan.vmm_version = options->vmm_version;
    campaign->plan.run_dir = options->dir;
    campaign->plan.scratch = campaign->scratch.dir;
    campaign->plan.early_end = options->early_end;
    campaign->plan.parallel_boots = (int)campaign->result.jobs;
    campaign->progress = (struct loop_timer){.on_due = on_progress, .ctx = campaign};
    if (options->on_progress != NULL)
        loop_arm(campaign->loop, &campaign->progress, PROGRESS_MS);
    return 0;
}

static void release(struct campaign *campaign)
{
    for (size_t i = 0; i < campaign->n_running; i++)
        boot_free(campaign->running[i]);
    free(campaign->running);
    free(campaign->ended);
    probe_engine_free(campaign->engine);
    free(campaign->rootfs);
    free(campaign->initrd);
    scratch_release(&campaign->scratch);
    if (campaign->signals.active) {
        loop_unwatch(campaign->loop, &campaign->signals);
        (void)close(campaign->signals.fd);
    }
    loop_disarm(campaign->loop, &campaign->progress);
    loop_free(campaign->loop);
    (void)sigprocmask(SIG_SETMASK, &campaign->old_mask, NULL);
}

int campaign_run(const struct campaign_options *options, struct campaign_result *ret_result,
                 struct err *err)
{
    struct campaign campaign = {.options = options, .loop = loop_new(), .scratch = SCRATCH_INIT};
    (void)sigprocmask(SIG_BLOCK, NULL, &campaign.old_mask);
    int result = prepare(&campaign, err);
    if (result == 0)
        result = run_all(&campaign, err);
    release(&campaign);
    *ret_result = campaign.result;
    return result;
}
