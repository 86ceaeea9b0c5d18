/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inotify wakes us where it can; a look at everything each second finds what it cannot tell: other
 * file systems, lost events, a directory that was mounted over. Logs are read by the clock, because
 * a descriptor that is open loses nothing.
 */
#include "harness/preserve.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "harness/base/auto.h"
#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/loop.h"
#include "harness/base/mem.h"
#include "harness/base/text.h"
#include "harness/probe_engine.h"
#include "harness/spool.h"
#include "harness/stow.h"
#include "harness/ward.h"

enum {
    MOST_VMS = 4096,
    MOST_REFUSED = 100, /* names that are said */
    TICK_MS = 200,
    RESCAN_MS = 1000,
    RETENTION_MS = 60000,
    STOWS_PER_TICK = 8, /* others want to be read meanwhile */
};

struct preserve {
    const struct preserve_options *options;
    struct loop *loop;
    struct probe_engine *engine;
    struct loop_watch inotify, signals;
    struct loop_timer tick;
    sigset_t old_mask;
    char *spool_root;
    int lock_fd, users_wd;
    dev_t users_dev;
    ino_t users_ino;
    struct ward **vms; /* owned */
    size_t n_vms, cap_vms;
    json_t *refused; /* names as keys: each is said once */
    bool scan_wanted, ending, users_troubled, full_said;
    int64_t scanned_ms, retained_ms;
};

/* Addresses are reused at once: an answer is nobody's while two VMs claim the address. */
static bool shares_address(const struct preserve *preserve, const struct ward *vm)
{
    for (size_t i = 0; i < preserve->n_vms; i++) {
        const struct ward *other = preserve->vms[i];
        const char *address = other->spool.record.guest.expected_address;
        if (other != vm && address != NULL &&
            strcmp(address, vm->spool.record.guest.expected_address) == 0)
            return true;
    }
    return false;
}

static void judge_health(struct preserve *preserve, struct ward *vm)
{
    if (!vm->answered)
        return;
    vm->answered = false;
    if (!shares_address(preserve, vm))
        ward_set_healthy(vm);
}

/* ---- the VMs ---- */

static struct ward *find_vm(const struct preserve *preserve, const char *vm_id)
{
    for (size_t i = 0; i < preserve->n_vms; i++)
        if (strcmp(preserve->vms[i]->spool.vm_id, vm_id) == 0)
            return preserve->vms[i];
    return NULL;
}

/* NULL: it cannot be kept, which is said. */
static struct ward *add_vm(struct preserve *preserve, const char *vm_id)
{
    if (preserve->n_vms >= MOST_VMS) {
        if (!preserve->full_said)
            ward_say(preserve->options, true,
                     "more than %d VMs at a time: %s and others are not kept", (int)MOST_VMS,
                     vm_id);
        preserve->full_said = true;
        return NULL;
    }
    struct ward *vm = ward_new(preserve->options, preserve->spool_root, vm_id);
    if (vm == NULL)
        return NULL;
    preserve->vms =
        mem_grow(preserve->vms, preserve->n_vms, &preserve->cap_vms, sizeof(struct ward *));
    preserve->vms[preserve->n_vms++] = vm;
    return vm;
}

static void drop_vm(struct preserve *preserve, size_t index)
{
    struct ward *vm = preserve->vms[index];
    if (vm->wd >= 0)
        (void)inotify_rm_watch(preserve->inotify.fd, vm->wd);
    ward_free(vm);
    preserve->vms[index] = preserve->vms[--preserve->n_vms];
}

/* ---- the users directory ---- */

static void refuse(struct preserve *preserve, const char *name)
{
    char shown[256];
    (void)text_printable(shown, sizeof(shown), name, strlen(name));
    if (name[0] == '.' || json_object_size(preserve->refused) >= MOST_REFUSED ||
        json_object_get(preserve->refused, shown) != NULL)
        return;
    json_object_set_new(preserve->refused, shown, json_true());
    ward_say(preserve->options, true, "%s/%s: no name for a VM, it is not kept",
             preserve->options->users, shown);
}

static void watch_vm(const struct preserve *preserve, struct ward *vm)
{
    auto_free char *path = path_join(preserve->options->users, vm->spool.vm_id);
    if (vm->wd < 0)
        vm->wd = inotify_add_watch(preserve->inotify.fd, path,
                                   IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR |
                                       IN_DONT_FOLLOW);
}

/* One name of the users directory, whether it is new or not. */
static void look_at(struct preserve *preserve, int users_fd, const char *name)
{
    auto_fd int fd = openat(users_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0)
        return;
    if (!spool_is_vm_id(name)) {
        refuse(preserve, name);
        return;
    }
    struct ward *vm = find_vm(preserve, name);
    bool other = vm != NULL && (vm->gone || vm->spool.ended_at[0] != '\0' ||
                                (vm->ino != 0 && vm->ino != status.st_ino));
    if (other) { /* the same name again: the one before must be out of the way */
        ward_leave(vm);
        vm->seen = true;
        if (!ward_finish_now(vm))
            return;
        for (size_t i = 0; i < preserve->n_vms; i++)
            if (preserve->vms[i] == vm) {
                drop_vm(preserve, i);
                break;
            }
        vm = NULL;
    }
    if (vm == NULL && (vm = add_vm(preserve, name)) == NULL)
        return;
    vm->seen = true;
    vm->ino = status.st_ino;
    watch_vm(preserve, vm);
    spool_attach(&vm->spool, fd);
    if (!preserve->options->all && !preserve->options->once)
        ward_probe(vm, preserve->engine);
}

/* The directory may be another one than before. */
static void watch_users(struct preserve *preserve, int users_fd)
{
    struct stat status;
    if (fstat(users_fd, &status) != 0 ||
        (preserve->users_wd >= 0 && status.st_dev == preserve->users_dev &&
         status.st_ino == preserve->users_ino))
        return;
    if (preserve->users_wd >= 0)
        (void)inotify_rm_watch(preserve->inotify.fd, preserve->users_wd);
    preserve->users_wd = inotify_add_watch(preserve->inotify.fd, preserve->options->users,
                                           IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM |
                                               IN_DELETE_SELF | IN_ONLYDIR);
    preserve->users_dev = status.st_dev;
    preserve->users_ino = status.st_ino;
}

/* -1: it cannot be read, which says nothing about the VMs in it; one that is not there holds none.
 */
static int look_at_all(struct preserve *preserve)
{
    auto_dir DIR *entries = opendir(preserve->options->users);
    if (entries == NULL && errno != ENOENT && errno != ENOTDIR) {
        if (!preserve->users_troubled)
            ward_say(preserve->options, true, "cannot read %s: %s; it is tried again",
                     preserve->options->users, strerror(errno));
        preserve->users_troubled = true;
        return -1;
    }
    preserve->users_troubled &= entries == NULL;
    if (entries == NULL)
        return 0;
    watch_users(preserve, dirfd(entries));
    const struct dirent *entry;
    while ((entry = readdir(entries)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            look_at(preserve, dirfd(entries), entry->d_name);
    return 0;
}

static void scan(struct preserve *preserve)
{
    preserve->scan_wanted = false;
    preserve->scanned_ms = clock_ms();
    for (size_t i = 0; i < preserve->n_vms; i++)
        preserve->vms[i]->seen = false;
    if (look_at_all(preserve) != 0)
        return;
    for (size_t i = 0; i < preserve->n_vms; i++)
        if (!preserve->vms[i]->seen)
            ward_leave(preserve->vms[i]);
}

/* ---- events ---- */

static void on_inotify(void *ctx, uint32_t events)
{
    (void)events;
    struct preserve *preserve = ctx;
    char buffer[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
    while (read(preserve->inotify.fd, buffer, sizeof(buffer)) > 0)
        preserve->scan_wanted = true;
    if (preserve->scan_wanted)
        scan(preserve);
}

static void on_signal(void *ctx, uint32_t events)
{
    (void)events;
    struct preserve *preserve = ctx;
    struct signalfd_siginfo info;
    while (read(preserve->signals.fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        preserve->ending = true;
}

static void retain(struct preserve *preserve)
{
    const struct preserve_options *options = preserve->options;
    struct err err = {0};
    size_t removed;
    preserve->retained_ms = clock_ms();
    if (retention_apply(&options->retention, options->archive, time(NULL), &removed, &err) != 0)
        ward_say(preserve->options, true, "%s", err.message);
    if (removed > 0)
        ward_say(preserve->options, false, "removed %zu old boots from %s", removed,
                 options->archive);
}

static void on_tick(void *ctx)
{
    struct preserve *preserve = ctx;
    int64_t now = clock_ms();
    if (now - preserve->scanned_ms >= RESCAN_MS)
        scan(preserve);
    int stows = 0;
    for (size_t i = 0; i < preserve->n_vms;) {
        struct ward *vm = preserve->vms[i];
        judge_health(preserve, vm);
        bool copied = now >= vm->retry_ms && ward_pump(vm) >= 0;
        if (copied && stows < STOWS_PER_TICK && ward_is_due(vm, now)) {
            stows++;
            if (ward_finish(vm)) {
                drop_vm(preserve, i);
                continue;
            }
        }
        i++;
    }
    if (now - preserve->retained_ms >= RETENTION_MS)
        retain(preserve);
    loop_arm(preserve->loop, &preserve->tick, stows == STOWS_PER_TICK ? 0 : TICK_MS);
}

/* ---- beginning and end ---- */

static int catch_signals(struct preserve *preserve, struct err *err)
{
    sigset_t mask;
    (void)sigemptyset(&mask);
    (void)sigaddset(&mask, SIGINT);
    (void)sigaddset(&mask, SIGTERM);
    (void)sigaddset(&mask, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &mask, &preserve->old_mask);
    int fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return err_sys(err, errno, "cannot catch signals");
    preserve->signals = (struct loop_watch){.fd = fd, .on_ready = on_signal, .ctx = preserve};
    loop_watch(preserve->loop, &preserve->signals, EPOLLIN);
    return 0;
}

static int open_inotify(struct preserve *preserve, struct err *err)
{
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd < 0)
        return err_sys(err, errno, "cannot watch directories (inotify)");
    preserve->inotify = (struct loop_watch){.fd = fd, .on_ready = on_inotify, .ctx = preserve};
    loop_watch(preserve->loop, &preserve->inotify, EPOLLIN);
    return 0;
}

/* The lock goes with its owner, in whatever way it ends. */
static int lock_spool(struct preserve *preserve, struct err *err)
{
    if (path_make_dirs(preserve->spool_root, err) != 0)
        return -1;
    (void)chmod(preserve->spool_root, 0700); /* guests print what is not for everybody */
    auto_free char *path = path_join(preserve->spool_root, ".lock");
    preserve->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (preserve->lock_fd < 0)
        return err_sys(err, errno, "cannot write %s", path);
    if (flock(preserve->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return err_set(err, "%s: another bootdiag preserve works there", preserve->spool_root);
    stow_clean(preserve->options->archive);
    return spool_clean(preserve->spool_root, err);
}

/* What an earlier process was still copying. */
static int recover(struct preserve *preserve, struct err *err)
{
    auto_dir DIR *entries = opendir(preserve->spool_root);
    if (entries == NULL)
        return err_sys(err, errno, "cannot read %s", preserve->spool_root);
    const struct dirent *entry;
    while ((entry = readdir(entries)) != NULL)
        if (spool_is_vm_id(entry->d_name))
            (void)add_vm(preserve, entry->d_name);
    return 0;
}

/* Two descriptors per VM stay open. */
static void raise_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int begin(struct preserve *preserve, struct err *err)
{
    raise_limit();
    preserve->spool_root = path_join(preserve->options->archive, ".spool");
    preserve->refused = json_object();
    preserve->loop = loop_new();
    preserve->tick = (struct loop_timer){.on_due = on_tick, .ctx = preserve};
    preserve->engine = probe_engine_new(preserve->loop, err);
    if (preserve->engine == NULL || lock_spool(preserve, err) != 0 ||
        open_inotify(preserve, err) != 0 || catch_signals(preserve, err) != 0 ||
        recover(preserve, err) != 0)
        return -1;
    scan(preserve);
    retain(preserve);
    return 0;
}

/* Those that are gone are archived, the others wait in the spool. */
static int end(struct preserve *preserve, struct err *err)
{
    size_t left = 0;
    for (size_t i = 0; i < preserve->n_vms;) {
        struct ward *vm = preserve->vms[i];
        if (!vm->gone)
            left += ward_pump(vm) < 0;
        else if (ward_finish_now(vm)) {
            drop_vm(preserve, i);
            continue;
        } else {
            left++;
        }
        i++;
    }
    if (left > 0)
        return err_set(err,
                       "the logs of %zu VMs could not be kept; what is copied of them is in %s",
                       left, preserve->spool_root);
    return 0;
}

static void preserve_release(struct preserve *preserve)
{
    while (preserve->n_vms > 0)
        drop_vm(preserve, preserve->n_vms - 1);
    free(preserve->vms);
    probe_engine_free(preserve->engine);
    if (preserve->inotify.active) {
        loop_unwatch(preserve->loop, &preserve->inotify);
        (void)close(preserve->inotify.fd);
    }
    if (preserve->signals.active) {
        loop_unwatch(preserve->loop, &preserve->signals);
        (void)close(preserve->signals.fd);
        (void)sigprocmask(SIG_SETMASK, &preserve->old_mask, NULL);
    }
    if (preserve->loop != NULL)
        loop_free(preserve->loop);
    if (preserve->lock_fd >= 0)
        (void)close(preserve->lock_fd);
    json_decref(preserve->refused);
    free(preserve->spool_root);
}

int preserve_run(const struct preserve_options *options, struct err *err)
{
    struct preserve preserve __attribute__((cleanup(preserve_release))) = {
        .options = options, .lock_fd = -1, .users_wd = -1};
    if (begin(&preserve, err) != 0)
        return -1;
    if (!options->once)
        loop_arm(preserve.loop, &preserve.tick, 0);
    while (!options->once && !preserve.ending)
        loop_turn(preserve.loop);
    return end(&preserve, err);
}
