/* SPDX-License-Identifier: Apache-2.0 */
/* One VM of a backend without a boot around it: made by rig_make from a test's setup, taken down by
 * rig_teardown, which fails if a child process is left. */
#ifndef BOOTDIAG_TESTS_VM_RIG_H
#define BOOTDIAG_TESTS_VM_RIG_H

#include <sys/wait.h>

#include "tests/support.h"

#include "harness/base/clock.h"
#include "harness/vm.h"

struct rig {
    char *dir;
    struct loop *loop;
    struct target target;
    struct record record;
    struct vm vm;
    int signs, exits;
    bool stop_in_exit;
};

static void rig_on_sign(void *ctx)
{
    ((struct rig *)ctx)->signs++;
}

static void rig_on_exit(void *ctx)
{
    struct rig *rig = ctx;
    rig->exits++;
    if (rig->stop_in_exit)
        rig->vm.ops->stop(&rig->vm);
}

static int rig_make(void **state, const struct vm_ops *ops)
{
    void *dir;
    if (dir_setup(&dir) != 0)
        return -1;
    struct rig *rig = mem_calloc(1, sizeof(*rig));
    rig->dir = dir;
    rig->loop = loop_new();
    target_init(&rig->target);
    record_init(&rig->record);
    rig->vm = (struct vm){.ops = ops,
                          .target = &rig->target,
                          .loop = rig->loop,
                          .record = &rig->record,
                          .scratch = rig->dir,
                          .on_sign = rig_on_sign,
                          .on_exit = rig_on_exit,
                          .ctx = rig,
                          .console_fd = -1,
                          .stderr_fd = -1};
    *state = rig;
    return 0;
}

static int rig_teardown(void **state)
{
    struct rig *rig = *state;
    rig->vm.ops->stop(&rig->vm);
    auto_fd_release(&rig->vm.console_fd);
    auto_fd_release(&rig->vm.stderr_fd);
    target_release(&rig->target);
    record_release(&rig->record);
    loop_free(rig->loop);
    void *dir = rig->dir;
    free(rig);
    int none = waitpid(-1, NULL, WNOHANG);
    return dir_teardown(&dir) == 0 && none == -1 ? 0 : -1; /* no child is left */
}

static void rig_no_op(void *ctx)
{
    (void)ctx;
}

static void rig_turn(struct rig *rig)
{
    struct loop_timer timer = {.on_due = rig_no_op};
    loop_arm(rig->loop, &timer, 20);
    loop_turn(rig->loop);
    loop_disarm(rig->loop, &timer);
}

/* Turns the loop until the counter is 1; a player that never gets there fails the test. */
static void rig_turn_until(struct rig *rig, const int *counter)
{
    int64_t limit = clock_ms() + 20000;
    while (*counter == 0 && clock_ms() < limit)
        rig_turn(rig);
    assert_int_equal(*counter, 1);
}

/* The boot's part: takes the descriptor and reads it to its end. Owned by the caller. */
static char *rig_read_all(int *fd)
{
    struct buf content;
    char chunk[4096];
    ssize_t got;
    buf_init(&content, 10 << 20);
    while ((got = read(*fd, chunk, sizeof(chunk))) > 0)
        buf_add(&content, chunk, (size_t)got);
    (void)close(steal_fd(fd));
    return buf_steal(&content);
}

#endif
