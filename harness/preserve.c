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

#include "harness/archive.h"
#include "harness/base/auto.h"
#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/ipv4.h"
#include "harness/base/loop.h"
#include "harness/base/mem.h"
#include "harness/base/text.h"
#include "harness/probe.h"
#include "harness/probe_engine.h"
#include "harness/spool.h"
#include "harness/stow.h"

enum {
    MOST_VMS = 4096,
    MOST_REFUSED = 100, /* names that are said */
    TICK_MS = 200,
    RESCAN_MS = 1000,
    RETRY_MS = 5000,
    RETENTION_MS = 60000,
    SETTLE_MS = 1000,   /* a VMM that lost its directory and is silent so long has ended */
    LINGER_MS = 15000,  /* one that is not silent is not waited for longer */
    STOWS_PER_TICK = 8, /* others want to be read meanwhile */
};

struct vm {
    struct spool spool;
    int wd;    /* inotify's; -1: none */
    ino_t ino; /* of the live directory; 0: not seen since we started */
    bool seen, gone, answered, troubled;
    int64_t gone_ms, moved_ms, retry_ms;
    struct probe *probe;
    char *url;
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
    struct vm **vms; /* owned */
    size_t n_vms, cap_vms;
    json_t *refused; /* names as keys: each is said once */
    bool scan_wanted, ending, users_troubled, full_said;
    int64_t scanned_ms, retained_ms;
};

static void event(const struct preserve *preserve, bool warning, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void event(const struct preserve *preserve, bool warning, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    auto_free char *text = mem_vprintf(format, args);
    va_end(args);
    preserve->options->on_event(preserve->options->ctx, warning, text);
}

static int64_t wall_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Since the VM was first seen, also by an earlier process. */
static int64_t age_ms(const struct vm *vm)
{
    char stamp[CLOCK_TEXT_SIZE];
    stow_stamp(vm->spool.record.started_at, stamp);
    int64_t age = wall_ms() - archive_stamp_ms(stamp);
    return age > 0 ? age : 0;
}

/* ---- health ---- */

static void on_probe(void *ctx, enum probe_class class)
{
    struct vm *vm = ctx;
    vm->answered |= class == PROBE_READY; /* acted upon in the tick: a probe cannot free itself */
}

static void stop_probe(struct vm *vm)
{
    if (vm->probe != NULL)
        probe_free(vm->probe);
    vm->probe = NULL;
}

static bool is_healthy(const struct vm *vm)
{
    return vm->spool.record.ready_ms >= 0;
}

static void start_probe(struct preserve *preserve, struct vm *vm)
{
    const struct service *service = preserve->options->service;
    const char *address = vm->spool.record.guest.expected_address;
    uint32_t number;
    if (preserve->options->all || preserve->options->once || vm->probe != NULL || vm->gone ||
        is_healthy(vm) || address == NULL || !ipv4_parse(address, &number) || !ipv4_is_host(number))
        return;
    free(vm->url);
    vm->url = mem_printf("http://%s:%d%s", address, service->port, service->health_path);
    struct probe_options options = {
        .url = vm->url,
        .expected_status = service->expected_status,
        .start_ms = clock_ms() - age_ms(vm),
        .on_result = on_probe,
        .ctx = vm,
    };
    free(vm->spool.record.probe.url);
    vm->spool.record.probe.url = mem_strdup(vm->url);
    vm->probe = probe_new(preserve->engine, &vm->spool.record, &options);
}

/* Addresses are reused at once: an answer is nobody's while two VMs claim the address. */
static bool shares_address(const struct preserve *preserve, const struct vm *vm)
{
    for (size_t i = 0; i < preserve->n_vms; i++) {
        const struct vm *other = preserve->vms[i];
        const char *address = other->spool.record.guest.expected_address;
        if (other != vm && address != NULL &&
            strcmp(address, vm->spool.record.guest.expected_address) == 0)
            return true;
    }
    return false;
}

static void judge_health(struct preserve *preserve, struct vm *vm)
{
    if (!vm->answered)
        return;
    vm->answered = false;
    if (shares_address(preserve, vm))
        return;
    stop_probe(vm);
    vm->spool.record.ready_ms = age_ms(vm);
    vm->spool.record.end = RECORD_END_READY;
    vm->spool.unsaved = true;
}

/* ---- one VM ---- */

static void vm_free(struct preserve *preserve, struct vm *vm)
{
    stop_probe(vm);
    if (vm->wd >= 0)
        (void)inotify_rm_watch(preserve->inotify.fd, vm->wd);
    spool_release(&vm->spool);
    free(vm->url);
    free(vm);
}

static struct vm *find_vm(const struct preserve *preserve, const char *vm_id)
{
    for (size_t i = 0; i < preserve->n_vms; i++)
        if (strcmp(preserve->vms[i]->spool.vm_id, vm_id) == 0)
            return preserve->vms[i];
    return NULL;
}

/* NULL: it cannot be kept, which is said. */
static struct vm *add_vm(struct preserve *preserve, const char *vm_id)
{
    if (preserve->n_vms >= MOST_VMS) {
        if (!preserve->full_said)
            event(preserve, true, "more than %d VMs at a time: %s and others are not kept",
                  (int)MOST_VMS, vm_id);
        preserve->full_said = true;
        return NULL;
    }
    struct vm *vm = mem_calloc(1, sizeof(*vm));
    struct err err = {0};
    vm->wd = -1;
    if (spool_init(&vm->spool, preserve->spool_root, vm_id, &err) != 0) {
        auto_free char *state = mem_printf("%s/%s/state.json", preserve->spool_root, vm_id);
        auto_free char *aside = mem_printf("%s.damaged", state);
        event(preserve, true, "%s; the copy is taken as it is", err.message);
        if (rename(state, aside) != 0 ||
            spool_init(&vm->spool, preserve->spool_root, vm_id, &err) != 0) {
            free(vm);
            return NULL;
        }
    }
    preserve->vms =
        mem_grow(preserve->vms, preserve->n_vms, &preserve->cap_vms, sizeof(struct vm *));
    preserve->vms[preserve->n_vms++] = vm;
    service_release(&vm->spool.record.service);
    service_copy(&vm->spool.record.service, preserve->options->service);
    return vm;
}

static void drop_vm(struct preserve *preserve, size_t index)
{
    vm_free(preserve, preserve->vms[index]);
    preserve->vms[index] = preserve->vms[--preserve->n_vms];
}

/* A trouble is said when it begins, not each time that it is met again. */
static void note_trouble(const struct preserve *preserve, struct vm *vm, const struct err *err)
{
    if (!vm->troubled)
        event(preserve, true, "%s: %s; it is tried again", vm->spool.vm_id, err->message);
    vm->troubled = true;
    vm->retry_ms = clock_ms() + RETRY_MS;
}

/* 1: something was copied; 0: nothing new; -1: not possible now. */
static int pump_vm(const struct preserve *preserve, struct vm *vm)
{
    struct err err = {0};
    int moved = spool_pump(&vm->spool, preserve->options->max_log_bytes, &err);
    if (moved < 0)
        note_trouble(preserve, vm, &err);
    else if (!vm->gone) /* else it may be the archive that takes nothing */
        vm->troubled = false;
    if (moved > 0)
        vm->moved_ms = clock_ms();
    return moved;
}

static void leave_vm(struct vm *vm)
{
    if (vm->gone)
        return;
    vm->gone = true;
    vm->gone_ms = vm->moved_ms = clock_ms();
    stop_probe(vm);
}

static int archive_vm(struct preserve *preserve, struct vm *vm, struct err *err)
{
    struct spool *spool = &vm->spool;
    if (spool->ended_at[0] == '\0') {
        clock_now_text(spool->ended_at);
        spool->record.ended_ms = age_ms(vm);
    }
    if (spool_save(spool, err) != 0 ||
        stow(spool, preserve->options->archive, preserve->options->compress, err) != 0)
        return -1;
    auto_free char *name = stow_name(spool->vm_id, "console", spool->ended_at,
                                     preserve->options->compress ? ".log.zst" : ".log");
    event(preserve, false, "kept %s/%s (%lld bytes of console, %lld of the VMM's log)",
          preserve->options->archive, name, (long long)spool->copies[SPOOL_CONSOLE].size,
          (long long)spool->copies[SPOOL_ERROR].size);
    return 0;
}

/* True once nothing is left to do for it. */
static bool finish_vm(struct preserve *preserve, struct vm *vm)
{
    bool wanted = spool_has_any(&vm->spool) && (preserve->options->all || !is_healthy(vm));
    struct err err = {0};
    spool_detach(&vm->spool); /* its blocks may be the ones that a full disk needs */
    if ((wanted && archive_vm(preserve, vm, &err) != 0) || spool_remove(&vm->spool, &err) != 0) {
        note_trouble(preserve, vm, &err);
        return false;
    }
    return true;
}

/* All of it is copied now or never. */
static bool drain_and_finish(struct preserve *preserve, struct vm *vm)
{
    int64_t until_ms = clock_ms() + LINGER_MS;
    int moved;
    do
        moved = pump_vm(preserve, vm);
    while (moved > 0 && clock_ms() < until_ms);
    return moved >= 0 && finish_vm(preserve, vm);
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
    event(preserve, true, "%s/%s: no name for a VM, it is not kept", preserve->options->users,
          shown);
}

static void watch_vm(const struct preserve *preserve, struct vm *vm)
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
    struct vm *vm = find_vm(preserve, name);
    bool other = vm != NULL && (vm->gone || vm->spool.ended_at[0] != '\0' ||
                                (vm->ino != 0 && vm->ino != status.st_ino));
    if (other) { /* the same name again: the one before must be out of the way */
        leave_vm(vm);
        vm->seen = true;
        if (!drain_and_finish(preserve, vm))
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
    start_probe(preserve, vm);
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
            event(preserve, true, "cannot read %s: %s; it is tried again", preserve->options->users,
                  strerror(errno));
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
            leave_vm(preserve->vms[i]);
}

/* ---- events ---- */

static void on_inotify(void *ctx, uint32_t events)
{
    (void)events;
    struct preserve *preserve = ctx;
    char buffer[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t got;
    while ((got = read(preserve->inotify.fd, buffer, sizeof(buffer))) > 0)
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
    if (retention_apply(&options->retention, options->archive, wall_ms() / 1000, &removed, &err) !=
        0)
        event(preserve, true, "%s", err.message);
    if (removed > 0)
        event(preserve, false, "removed %zu old boots from %s", removed, options->archive);
}

static bool is_due(const struct vm *vm, int64_t now)
{
    return vm->gone && now >= vm->retry_ms &&
           (now - vm->moved_ms >= SETTLE_MS || now - vm->gone_ms >= LINGER_MS);
}

static void on_tick(void *ctx)
{
    struct preserve *preserve = ctx;
    int64_t now = clock_ms();
    if (now - preserve->scanned_ms >= RESCAN_MS)
        scan(preserve);
    int stows = 0;
    for (size_t i = 0; i < preserve->n_vms;) {
        struct vm *vm = preserve->vms[i];
        judge_health(preserve, vm);
        bool copied = now >= vm->retry_ms && pump_vm(preserve, vm) >= 0;
        if (copied && stows < STOWS_PER_TICK && is_due(vm, now)) {
            stows++;
            if (finish_vm(preserve, vm)) {
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
    return 0;
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
        struct vm *vm = preserve->vms[i];
        if (!vm->gone)
            left += pump_vm(preserve, vm) < 0;
        else if (drain_and_finish(preserve, vm)) {
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
