/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backend replay: plays a kept record instead of booting: its console goes through capture, watch
 * and analysis as that of a live boot does. How the boot ended, and what its probe met, is the
 * record's own.
 *
 * The console is written to a socket by a timer, at the pace of console.times divided by
 * `replay.speed`.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/archive.h"
#include "harness/base/auto.h"
#include "harness/base/clock.h"
#include "harness/base/mem.h"
#include "harness/image.h"
#include "harness/vm.h"

enum { CHUNK = 16384, RETRY_MS = 5 };

struct replay {
    struct record kept;
    int fd;       /* our end of the console */
    size_t sent;  /* bytes of kept.console */
    size_t entry; /* of kept.times, the next one that is due */
    int64_t start_ms;
    struct loop_timer timer;
};

static int check(const struct target *target, struct err *err)
{
    if (target->replay_records == NULL)
        return err_set(err, "%s: \"replay.records\" is not set: name a directory of kept records",
                       target->path != NULL ? target->path : "target");
    struct archive archive;
    if (archive_find(&archive, target->replay_records, err) != 0)
        return -1;
    archive_release(&archive);
    return 0;
}

/* How far the console may be sent now, and when (from now, in ms) there will be more. */
static size_t due_bytes(struct replay *replay, double speed, int64_t *ret_next_ms)
{
    const struct record *kept = &replay->kept;
    *ret_next_ms = 0;
    if (speed <= 0 || kept->n_times == 0)
        return kept->console.len;
    double now = (double)(clock_ms() - replay->start_ms) * speed;
    while (replay->entry < kept->n_times && (double)kept->times[replay->entry].at_ms <= now)
        replay->entry++;
    if (replay->entry == kept->n_times)
        return kept->console.len;
    *ret_next_ms = (int64_t)(((double)kept->times[replay->entry].at_ms - now) / speed) + 1;
    return (size_t)kept->times[replay->entry].offset;
}

static void play(void *ctx)
{
    struct vm *vm = ctx;
    struct replay *replay = vm->state;
    int64_t next_ms;
    size_t due = due_bytes(replay, vm->target->replay_speed, &next_ms);
    if (due > replay->kept.console.len) /* console.times and console.log do not belong together */
        due = replay->kept.console.len;
    while (replay->sent < due) {
        size_t len = due - replay->sent < CHUNK ? due - replay->sent : CHUNK;
        ssize_t put = send(replay->fd, replay->kept.console.data + replay->sent, len,
                           MSG_NOSIGNAL | MSG_DONTWAIT);
        if (put <= 0) {
            loop_arm(vm->loop, &replay->timer, RETRY_MS);
            return;
        }
        replay->sent += (size_t)put;
    }
    if (due < replay->kept.console.len)
        loop_arm(vm->loop, &replay->timer, next_ms);
    else
        vm->on_exit(vm->ctx);
}

/* All of the kept boot.json, so that no member can be forgotten, but for the boot's own number and
 * for what only its end will tell. If it names no host, this one is not it. */
static int take_facts(struct record *to, const struct record *from, struct err *err)
{
    json_auto_t *facts = record_json(from);
    free(to->host.kernel);
    to->host.kernel = NULL;
    json_object_set_new(facts, "boot_id", json_string(to->boot_id));
    static const char *const of_the_end[] = {"end", "end_detail", "ended_ms", "ready_ms"};
    for (size_t i = 0; i < sizeof(of_the_end) / sizeof(of_the_end[0]); i++)
        json_object_del(facts, of_the_end[i]);
    json_object_del(json_object_get(facts, "probe"), "classes");
    json_object_set_new(facts, "replayed", json_true());
    return record_from_json(to, facts, from->dir != NULL ? from->dir : from->source, err);
}

static int load(struct replay *replay, const struct vm *vm, struct err *err)
{
    struct archive archive;
    if (archive_find(&archive, vm->target->replay_records, err) != 0)
        return -1;
    int result = archive_load(&archive, vm->index % archive.len, &replay->kept, err);
    archive_release(&archive);
    return result;
}

static void stop(struct vm *vm)
{
    struct replay *replay = vm->state;
    if (replay == NULL)
        return;
    loop_disarm(vm->loop, &replay->timer);
    auto_fd_release(&replay->fd);
    record_release(&replay->kept);
    free(replay);
    vm->state = NULL;
}

static int start(struct vm *vm, struct err *err)
{
    struct replay *replay = mem_calloc(1, sizeof(*replay));
    record_init(&replay->kept);
    replay->fd = -1;
    replay->timer = (struct loop_timer){.on_due = play, .ctx = vm};
    vm->state = replay;
    int ends[2];
    if (load(replay, vm, err) != 0 || take_facts(vm->record, &replay->kept, err) != 0) {
        stop(vm);
        return -1;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        err_sys(err, errno, "cannot make a socket");
        stop(vm);
        return -1;
    }
    replay->fd = ends[0];
    vm->console_fd = ends[1];
    replay->start_ms = clock_ms();
    loop_arm(vm->loop, &replay->timer, 0);
    return 0;
}

static const struct record *replayed(const struct vm *vm)
{
    const struct replay *replay = vm->state;
    return replay != NULL ? &replay->kept : NULL;
}

extern const struct vm_ops vm_replay;

const struct vm_ops vm_replay = {
    .name = "replay",
    .summary = "plays kept records again: no VM is needed",
    .check = check,
    .start = start,
    .stop = stop,
    .replayed = replayed,
};
