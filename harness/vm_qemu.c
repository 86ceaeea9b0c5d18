/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backend qemu: one QEMU process per boot, without a file or socket that has a name.
 *
 * Serial port and QMP are socket pairs that QEMU inherits, so no byte is lost and nothing can be
 * stale. The guest stays paused until QMP is negotiated; `continued` tells a start that QEMU
 * refused from a VM that ended. stderr passes through our hands: a copy is kept to say why QEMU
 * refused. On a TAP the guest is let run only once it is known who has its address.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/base/auto.h"
#include "harness/base/buf.h"
#include "harness/base/mem.h"
#include "harness/base/proc.h"
#include "harness/qemu_check.h"
#include "harness/qemu_command.h"
#include "harness/qemu_error.h"
#include "harness/qemu_net.h"
#include "harness/qmp.h"
#include "harness/relay.h"
#include "harness/vm.h"

enum {
    START_LIMIT_MS = 30000, /* from the exec to the first guest instruction; 0.2 to 1 s is usual */
    EXIT_GRACE_MS = 1000,   /* from the end of QMP to the process's own end */
    LOG_LIMIT = 64 << 10,   /* of stderr, kept to classify a refusal */
    SOCKET_BUFFER = 1 << 20,
};

struct qemu {
    struct vm *vm;
    struct proc proc;
    struct qmp qmp;
    struct relay log; /* stderr, on its way to the boot */
    struct loop_watch exit_watch;
    struct loop_timer limit;
    struct qemu_net net;
    bool continued;            /* the guest was let run */
    bool killed;               /* by us: the exit status says nothing */
    char *failure;             /* why we gave up on it; or NULL */
    const char *failure_cause; /* of a guest that was not let run; or NULL */
    char *end_reason;          /* of QMP's SHUTDOWN event; or NULL */
};

static void set_text(char **to, const char *text)
{
    free(*to);
    *to = mem_strdup(text);
}

/* ---- while it runs ---- */

static void on_process_end(void *ctx, uint32_t events)
{
    struct qemu *qemu = ctx;
    (void)events;
    loop_unwatch(qemu->vm->loop, &qemu->exit_watch);
    qemu->vm->on_exit(qemu->vm->ctx);
}

/* Kills a QEMU that we gave up on; its end is then seen as any other. */
static void give_up(void *ctx)
{
    struct qemu *qemu = ctx;
    if (qemu->failure == NULL)
        qemu->failure =
            mem_printf("QEMU did not begin to run the guest within %d s", START_LIMIT_MS / 1000);
    qemu->killed = true;
    proc_signal(&qemu->proc, SIGKILL);
}

static void on_continued(void *ctx, const json_t *value)
{
    struct qemu *qemu = ctx;
    (void)value;
    qemu->continued = true;
    loop_disarm(qemu->vm->loop, &qemu->limit);
}

static void let_run(struct qemu *qemu)
{
    qmp_execute(&qemu->qmp, "cont", on_continued);
    if (qemu->vm->waits)
        qemu->vm->on_run(qemu->vm->ctx);
}

static void on_decided(void *ctx, const struct err *why)
{
    struct qemu *qemu = ctx;
    if (why == NULL) {
        let_run(qemu);
        return;
    }
    set_text(&qemu->failure, why->message);
    qemu->failure_cause = why->cause;
    give_up(qemu);
}

static void on_greeting(void *ctx, const char *version)
{
    struct qemu *qemu = ctx;
    set_text(&qemu->vm->record->vmm.version, version);
    if (qemu->net.guest != NULL)
        guest_net_decide(qemu->net.guest, on_decided, qemu);
    else
        let_run(qemu);
}

static void on_event(void *ctx, const char *name, const json_t *data)
{
    struct qemu *qemu = ctx;
    if (strcmp(name, "NIC_RX_FILTER_CHANGED") == 0) {
        qemu->vm->on_sign(qemu->vm->ctx); /* the guest's driver of the NIC has come up */
    } else if (strcmp(name, "SHUTDOWN") == 0) {
        const char *reason = json_string_value(json_object_get(data, "reason"));
        free(qemu->end_reason);
        qemu->end_reason =
            mem_printf("QEMU shut down: %.40s", reason != NULL ? reason : "no reason");
    }
}

/* QMP ends a moment before the process does. What outlives it is of no use. */
static void on_qmp_end(void *ctx, const char *why)
{
    struct qemu *qemu = ctx;
    set_text(&qemu->failure, why);
    loop_arm(qemu->vm->loop, &qemu->limit, EXIT_GRACE_MS);
}

/* ---- the end ---- */

/* What a QEMU that never ran its guest said about it. */
static void record_refusal(struct qemu *qemu, const struct proc_exit *end)
{
    struct record *record = qemu->vm->record;
    const char *cause;
    char *said = qemu_error_find(buf_text(&qemu->log.kept), &cause);
    if (qemu->killed && (cause == NULL || qemu->failure_cause != NULL)) {
        free(said);
        said = mem_strdup(qemu->failure);
        cause = qemu->failure_cause != NULL ? qemu->failure_cause : "vmm.start-timeout";
    }
    if (said == NULL)
        said = end->signal != 0 ? mem_printf("QEMU was ended by signal %d", end->signal)
                                : mem_printf("QEMU ended with status %d and no message", end->code);
    if (cause == NULL)
        cause = end->signal != 0 ? "vmm.crashed" : "vmm.config-invalid";
    set_text(&record->vmm.error, said);
    set_text(&record->vmm.error_cause, cause);
    free(said);
}

static void record_end(struct qemu *qemu, const struct proc_exit *end)
{
    struct record *record = qemu->vm->record;
    record->vmm.cpu_ms = end->cpu_ms;
    if (!qemu->killed) {
        record->vmm.exit_code = end->code;
        record->vmm.signal = end->signal;
    }
    bool we_stopped_it = qemu->killed && qemu->failure == NULL;
    if (!qemu->continued && !we_stopped_it)
        record_refusal(qemu, end);
    else if (qemu->killed && qemu->failure != NULL)
        set_text(&record->vmm.error, qemu->failure);
    if (record->end == RECORD_END_VMM_EXIT && record->end_detail == NULL)
        record->end_detail = steal_text(&qemu->end_reason);
}

static void end_process(struct qemu *qemu)
{
    struct proc_exit end = {.code = -1};
    if (qemu->proc.pid <= 0)
        return;
    if (!proc_reap(&qemu->proc, &end)) {
        /* Nothing in QEMU waits to be flushed: the disk is thrown away, the console is in the
         * socket. */
        qemu->killed = true;
        proc_release(&qemu->proc, &end);
    }
    relay_drain(&qemu->log);
    record_end(qemu, &end);
}

static void stop(struct vm *vm)
{
    struct qemu *qemu = vm->state;
    if (qemu == NULL)
        return;
    vm->state = NULL;
    loop_unwatch(vm->loop, &qemu->exit_watch);
    loop_disarm(vm->loop, &qemu->limit);
    qmp_stop(&qemu->qmp);
    end_process(qemu);
    relay_stop(&qemu->log);
    vm->guest_net = NULL;
    qemu_net_release(&qemu->net, vm->record);
    auto_fd_release(&vm->console_fd);
    auto_fd_release(&vm->stderr_fd);
    vm->console_fd = vm->stderr_fd = -1;
    free(qemu->failure);
    free(qemu->end_reason);
    free(qemu);
}

/* ---- the start ---- */

static void fill_record(const struct vm *vm, const struct qemu_command *command)
{
    struct record *record = vm->record;
    qemu_argv_free(record->vmm.argv);
    record->vmm.argv = qemu_argv(command);
    free(record->vmm.by_hand);
    record->vmm.by_hand = qemu_by_hand(command, record->fault);
    record->guest.memory_mib = vm->target->memory_mib;
    record->guest.vcpus = vm->target->vcpus;
    set_text(&record->guest.cmdline, command->cmdline);
    set_text(&record->host.accelerator, command->accelerator);
}

/* The child's ends of console, QMP and stderr; they are closed here once it has them. */
struct child_ends {
    int serial, qmp, stderr_out;
};

static void close_child_ends(const struct child_ends *ends)
{
    auto_fd_release(&ends->serial);
    auto_fd_release(&ends->qmp);
    auto_fd_release(&ends->stderr_out);
}

static int make_pair(int *ret_ours, int *ret_theirs, struct err *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return err_sys(err, errno, "cannot make a socket");
    *ret_ours = ends[0];
    *ret_theirs = ends[1];
    return 0;
}

/* The guest writes single bytes, each of which costs the kernel much more. Best effort. */
static void grow(int fd)
{
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){SOCKET_BUFFER}, sizeof(int));
}

/* What is ours goes into the VM's state, from where stop() releases it. */
static int make_channels(struct qemu *qemu, struct child_ends *ret_ends, struct err *err)
{
    struct vm *vm = qemu->vm;
    int pipe_ends[2];
    if (make_pair(&vm->console_fd, &ret_ends->serial, err) != 0 ||
        make_pair(&qemu->qmp.fd, &ret_ends->qmp, err) != 0 ||
        make_pair(&vm->stderr_fd, &qemu->log.to_fd, err) != 0)
        return -1;
    if (pipe2(pipe_ends, O_CLOEXEC) != 0)
        return err_sys(err, errno, "cannot make a pipe");
    qemu->log.from_fd = pipe_ends[0];
    ret_ends->stderr_out = pipe_ends[1];
    grow(ret_ends->serial);
    grow(qemu->log.to_fd);
    return 0;
}

static int spawn(struct qemu *qemu, const struct child_ends *ends,
                 const struct qemu_command *command, struct err *err)
{
    int inherit[5], n = 0;
    inherit[n++] = ends->serial;
    inherit[n++] = ends->qmp;
    if (command->tap_fd >= 0)
        inherit[n++] = command->tap_fd;
    if (command->pcap_fd >= 0)
        inherit[n++] = command->pcap_fd;
    inherit[n] = -1;
    struct vm *vm = qemu->vm;
    auto_free char *tmpdir = mem_printf("TMPDIR=%s", vm->scratch);
    const struct proc_spec spec = {
        .argv = (const char *const *)vm->record->vmm.argv,
        .env = (const char *const[]){tmpdir, NULL},
        .stdin_fd = -1,
        .stdout_fd = ends->stderr_out,
        .stderr_fd = ends->stderr_out,
        .inherit = inherit,
    };
    int exec_errno;
    if (proc_start(&qemu->proc, &spec, &exec_errno, err) == 0)
        return 0;
    return exec_errno != 0 ? err_cause(err, "vmm.binary-missing") : -1;
}

static char *cmdline_of(const struct target *target)
{
    return qemu_cmdline(target, qemu_accelerator(target));
}

static int launch(struct qemu *qemu, struct child_ends *ends, struct err *err)
{
    struct vm *vm = qemu->vm;
    struct qemu_command command = {
        .target = vm->target,
        .rootfs = vm->rootfs,
        .accelerator = qemu_accelerator(vm->target),
    };
    if (qemu_net_open(&qemu->net, vm, &command, err) != 0 || make_channels(qemu, ends, err) != 0)
        return -1;
    vm->guest_net = qemu->net.guest;
    vm->waits = qemu->net.guest != NULL;
    auto_free char *cmdline = cmdline_of(vm->target);
    command.cmdline = cmdline;
    command.serial_fd = ends->serial;
    command.qmp_fd = ends->qmp;
    fill_record(vm, &command);
    int result = spawn(qemu, ends, &command, err);
    auto_fd_release(&qemu->net.pcap_child_fd); /* so that the capture ends with QEMU */
    qemu->net.pcap_child_fd = -1;
    return result;
}

static void watch_it(struct qemu *qemu)
{
    struct loop *loop = qemu->vm->loop;
    qemu->qmp.on_greeting = on_greeting;
    qemu->qmp.on_event = on_event;
    qemu->qmp.on_end = on_qmp_end;
    qemu->qmp.ctx = qemu;
    qmp_start(&qemu->qmp, loop, qemu->qmp.fd);
    qemu->exit_watch =
        (struct loop_watch){.fd = qemu->proc.pidfd, .on_ready = on_process_end, .ctx = qemu};
    loop_watch(loop, &qemu->exit_watch, EPOLLIN);
    relay_start(&qemu->log, loop, qemu->log.from_fd, qemu->log.to_fd, LOG_LIMIT);
    loop_arm(loop, &qemu->limit, START_LIMIT_MS);
}

static int start(struct vm *vm, struct err *err)
{
    struct qemu *qemu = mem_calloc(1, sizeof(*qemu));
    qemu->vm = vm;
    qemu->proc = (struct proc)PROC_INIT;
    qemu->net = (struct qemu_net)QEMU_NET_INIT;
    qemu->qmp.fd = qemu->log.from_fd = qemu->log.to_fd = -1;
    qemu->limit = (struct loop_timer){.on_due = give_up, .ctx = qemu};
    vm->state = qemu;
    vm->console_fd = vm->stderr_fd = -1;
    struct child_ends ends = {-1, -1, -1};
    int result = launch(qemu, &ends, err);
    close_child_ends(&ends);
    if (result == 0)
        watch_it(qemu);
    else
        stop(vm);
    return result;
}

extern const struct vm_ops vm_qemu;

const struct vm_ops vm_qemu = {
    .name = "qemu",
    .summary = "QEMU on this host, with KVM if a guest really runs under it, else TCG",
    .check = qemu_check,
    .describe = qemu_describe,
    .version = qemu_version,
    .cmdline = cmdline_of,
    .start = start,
    .stop = stop,
};
