/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backend exec: any VMM or script as an argument vector. Its standard output is the console, its
 * standard error the VMM's log, its end the end of the VM.
 *
 * Nobody tells when guest code begins to run, so nothing that happens after the exec is a failed
 * start. On a TAP the program is executed only once it is known who has the guest's address.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "harness/base/auto.h"
#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/ipv4.h"
#include "harness/base/mem.h"
#include "harness/base/proc.h"
#include "harness/base/words.h"
#include "harness/bridge.h"
#include "harness/exec_command.h"
#include "harness/guard.h"
#include "harness/guest_net.h"
#include "harness/host_net.h"
#include "harness/image.h"
#include "harness/vm.h"

enum {
    TERM_GRACE_MS = 1000, /* from SIGTERM to SIGKILL; other boots wait meanwhile */
    PIPE_ROOM = 1 << 20,  /* so that a VMM need not wait for us at once */
};

struct exec {
    struct vm *vm;
    struct proc proc;
    struct guard guard;
    struct loop_watch exit_watch;
    int stdout_fd, stderr_fd; /* the child's ends, until it has them */
    int port_fd;              /* holds the host's port; -1: none */
    struct guest_net *net;    /* on a TAP; else NULL */
    bool stopped;             /* by us: the exit status says nothing */
    struct err failure;       /* why it was not executed; message "": it was */
};

static void set_text(char **to, const char *text)
{
    free(*to);
    *to = mem_strdup(text);
}

static bool is_on_tap(const struct target *target)
{
    return strcmp(target->network, "tap") == 0;
}

/* ---- pre-flight ---- */

static bool is_program(const char *path)
{
    return path_is_file(path) && access(path, X_OK) == 0;
}

/* As execvp(3) looks for it. */
static bool is_in_path(const char *name)
{
    const char *dirs = getenv("PATH");
    auto_free char *list = mem_strdup(dirs != NULL ? dirs : "/bin:/usr/bin");
    char *rest = list;
    for (char *dir; (dir = strsep(&rest, ":")) != NULL;) {
        auto_free char *path = path_join(dir[0] != '\0' ? dir : ".", name);
        if (is_program(path))
            return true;
    }
    return false;
}

static int check_program(const struct target *target, struct err *err)
{
    const char *program = target->exec[0];
    bool is_path = strchr(program, '/') != NULL;
    if (is_path ? is_program(program) : is_in_path(program))
        return 0;
    if (!is_path)
        err_set(err, "there is no program %s in PATH; install it, or set \"exec\" in the target",
                program);
    else
        err_set(err, "cannot execute %s: %s; make it, or set \"exec\" in the target", program,
                path_exists(program) ? "it is no executable file" : strerror(ENOENT));
    return err_cause(err, "vmm.binary-missing");
}

static int check(const struct target *target, struct err *err)
{
    if (target->exec == NULL)
        return err_set(err, "%s: \"exec\" is not set: name the VMM and its arguments",
                       target->path != NULL ? target->path : "target");
    if (exec_command_check(target, err) != 0 ||
        image_check("kernel", target->kernel, "vmm.kernel-missing", err) != 0 ||
        image_check("initrd", target->initrd, "vmm.initrd-missing", err) != 0 ||
        image_check("rootfs", target->rootfs, "vmm.rootfs-missing", err) != 0 ||
        check_program(target, err) != 0)
        return -1;
    return is_on_tap(target) ? bridge_preflight(target, err) : 0;
}

/* ---- the end ---- */

static void on_process_end(void *ctx, uint32_t events)
{
    struct exec *exec = ctx;
    (void)events;
    loop_unwatch(exec->vm->loop, &exec->exit_watch);
    exec->vm->on_exit(exec->vm->ctx);
}

static void record_end(struct exec *exec, const struct proc_exit *end)
{
    struct record *record = exec->vm->record;
    record->vmm.cpu_ms = end->cpu_ms;
    if (exec->stopped)
        return;
    record->vmm.exit_code = end->code;
    record->vmm.signal = end->signal;
}

/* A script may have to give something back. */
static void ask_to_end(struct exec *exec)
{
    struct pollfd wait = {.fd = exec->proc.pidfd, .events = POLLIN};
    int64_t deadline_ms = clock_ms() + TERM_GRACE_MS, left_ms;
    exec->stopped = true;
    proc_signal(&exec->proc, SIGTERM);
    while ((left_ms = deadline_ms - clock_ms()) > 0 && poll(&wait, 1, (int)left_ms) < 0 &&
           errno == EINTR)
        ;
}

static void end_process(struct exec *exec)
{
    struct proc_exit end = {.code = -1};
    if (exec->proc.pid <= 0)
        return;
    if (!proc_reap(&exec->proc, &end)) {
        ask_to_end(exec);
        proc_release(&exec->proc, &end);
    }
    record_end(exec, &end);
}

static void record_failure(const struct exec *exec)
{
    struct record *record = exec->vm->record;
    if (exec->failure.message[0] == '\0')
        return;
    set_text(&record->vmm.error, exec->failure.message);
    set_text(&record->vmm.error_cause,
             exec->failure.cause != NULL ? exec->failure.cause : "vmm.config-invalid");
}

static void close_fd(int *fd)
{
    auto_fd_release(fd);
    *fd = -1;
}

static void release_net(struct exec *exec)
{
    exec->vm->guest_net = NULL;
    close_fd(&exec->port_fd);
    if (exec->net != NULL)
        guest_net_take_facts(exec->net);
    guest_net_free(exec->net);
    exec->net = NULL;
}

static void stop(struct vm *vm)
{
    struct exec *exec = vm->state;
    if (exec == NULL)
        return;
    vm->state = NULL;
    loop_unwatch(vm->loop, &exec->exit_watch);
    end_process(exec);
    guard_release(&exec->guard);
    record_failure(exec);
    release_net(exec);
    close_fd(&exec->stdout_fd);
    close_fd(&exec->stderr_fd);
    close_fd(&vm->console_fd);
    close_fd(&vm->stderr_fd);
    free(exec);
}

/* ---- the start ---- */

static int open_user(struct exec *exec, int *ret_port, struct err *err)
{
    struct vm *vm = exec->vm;
    uint8_t mac[MAC_SIZE];
    char text[MAC_TEXT_SIZE];
    host_net_mac(vm, mac);
    mac_text(mac, text);
    set_text(&vm->record->guest.mac, text);
    set_text(&vm->record->probe.network, "user");
    exec->port_fd = host_net_hold_port(ret_port, err);
    return exec->port_fd < 0 ? -1 : host_net_url(vm, "127.0.0.1", *ret_port, err);
}

static int open_tap(struct exec *exec, int *ret_port, struct err *err)
{
    struct vm *vm = exec->vm;
    exec->net = guest_net_lend(vm->target, vm->slot, vm->loop, vm->record, err);
    if (exec->net == NULL)
        return -1;
    vm->guest_net = exec->net;
    vm->waits = true;
    *ret_port = vm->target->service.port;
    return host_net_url(vm, guest_net_address(exec->net), *ret_port, err);
}

/* The guest writes to its disk, and the target's image is never written to. */
static int copy_rootfs(const struct vm *vm, const char *dir, char **ret_copy, struct err *err)
{
    if (vm->rootfs == NULL || !exec_command_uses(vm->target, EXEC_ROOTFS))
        return 0;
    auto_free char *copy = path_join(dir, "rootfs");
    if (file_copy_sparse(vm->rootfs, copy, err) != 0)
        return -1;
    *ret_copy = steal_text(&copy);
    return 0;
}

/* What was not handed to the VMM is not known of the guest. */
static void fill_record(const struct vm *vm)
{
    struct record *record = vm->record;
    const struct target *target = vm->target;
    bool has_cmdline = exec_command_uses(target, EXEC_CMDLINE);
    bool has_memory = exec_command_uses(target, EXEC_MEMORY_MIB);
    bool has_vcpus = exec_command_uses(target, EXEC_VCPUS);
    set_text(&record->guest.cmdline, has_cmdline ? target->cmdline : NULL);
    record->guest.memory_mib = has_memory ? target->memory_mib : RECORD_UNKNOWN;
    record->guest.vcpus = has_vcpus ? target->vcpus : RECORD_UNKNOWN;
}

static int make_argv(struct exec *exec, int port, struct err *err)
{
    struct vm *vm = exec->vm;
    const struct target *target = vm->target;
    auto_free char *rootfs = NULL;
    auto_free char *dir = realpath(vm->scratch, NULL);
    if (dir == NULL)
        return err_sys(err, errno, "cannot use %s", vm->scratch);
    if (copy_rootfs(vm, dir, &rootfs, err) != 0)
        return -1;
    auto_free char *id = mem_printf("bootdiag-%d-%04u", (int)getpid(), vm->index + 1);
    auto_free char *port_text = mem_printf("%d", port);
    auto_free char *memory = mem_printf("%d", target->memory_mib);
    auto_free char *vcpus = mem_printf("%d", target->vcpus);
    const char *const values[EXEC_N_PLACES] = {
        [EXEC_DIR] = dir,
        [EXEC_ID] = id,
        [EXEC_PORT] = port_text,
        [EXEC_TAP] = exec->net != NULL ? guest_net_tap(exec->net) : NULL,
        [EXEC_MAC] = vm->record->guest.mac,
        [EXEC_ADDRESS] = exec->net != NULL ? guest_net_address(exec->net) : "127.0.0.1",
        [EXEC_KERNEL] = target->kernel,
        [EXEC_INITRD] = target->initrd,
        [EXEC_ROOTFS] = rootfs,
        [EXEC_CMDLINE] = target->cmdline,
        [EXEC_MEMORY_MIB] = memory,
        [EXEC_VCPUS] = vcpus,
    };
    words_free(vm->record->vmm.argv);
    vm->record->vmm.argv = exec_command_argv(target, values);
    return 0;
}

static int make_pipe(int *ret_ours, int *ret_theirs, struct err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_sys(err, errno, "cannot make a pipe");
    (void)fcntl(ends[0], F_SETPIPE_SZ, PIPE_ROOM);
    *ret_ours = ends[0];
    *ret_theirs = ends[1];
    return 0;
}

static int execute(struct exec *exec, struct err *err)
{
    struct vm *vm = exec->vm;
    auto_free char *dir = realpath(vm->scratch, NULL);
    auto_free char *tmpdir = mem_printf("TMPDIR=%s", dir != NULL ? dir : vm->scratch);
    const struct proc_spec spec = {
        .argv = (const char *const *)vm->record->vmm.argv,
        .dir = vm->scratch,
        .env = (const char *const[]){tmpdir, NULL},
        .stdin_fd = -1,
        .stdout_fd = exec->stdout_fd,
        .stderr_fd = exec->stderr_fd,
    };
    int exec_errno;
    int result = proc_start(&exec->proc, &spec, &exec_errno, err);
    close_fd(&exec->stdout_fd);
    close_fd(&exec->stderr_fd);
    if (result != 0)
        return exec_errno != 0 ? err_cause(err, "vmm.binary-missing") : -1;
    if (guard_start(&exec->guard, exec->proc.pid, err) != 0)
        return -1;
    exec->exit_watch =
        (struct loop_watch){.fd = exec->proc.pidfd, .on_ready = on_process_end, .ctx = exec};
    loop_watch(vm->loop, &exec->exit_watch, EPOLLIN);
    return 0;
}

static void on_decided(void *ctx, const struct err *why)
{
    struct exec *exec = ctx;
    struct vm *vm = exec->vm;
    if (why != NULL)
        exec->failure = *why;
    if (why == NULL && execute(exec, &exec->failure) == 0)
        vm->on_run(vm->ctx);
    else
        vm->on_exit(vm->ctx);
}

static int launch(struct exec *exec, struct err *err)
{
    struct vm *vm = exec->vm;
    int port;
    if ((is_on_tap(vm->target) ? open_tap(exec, &port, err) : open_user(exec, &port, err)) != 0 ||
        make_argv(exec, port, err) != 0 || make_pipe(&vm->console_fd, &exec->stdout_fd, err) != 0 ||
        make_pipe(&vm->stderr_fd, &exec->stderr_fd, err) != 0)
        return -1;
    fill_record(vm);
    if (exec->net == NULL)
        return execute(exec, err);
    guest_net_decide(exec->net, on_decided, exec);
    return 0;
}

static int start(struct vm *vm, struct err *err)
{
    struct exec *exec = mem_calloc(1, sizeof(*exec));
    exec->vm = vm;
    exec->proc = (struct proc)PROC_INIT;
    exec->guard = (struct guard)GUARD_INIT;
    exec->stdout_fd = exec->stderr_fd = exec->port_fd = -1;
    vm->state = exec;
    vm->console_fd = vm->stderr_fd = -1;
    int result = launch(exec, err);
    if (result != 0)
        stop(vm);
    return result;
}

extern const struct vm_ops vm_exec;

const struct vm_ops vm_exec = {
    .name = "exec",
    .summary = "any VMM or script on this host, as an argument vector: the target's \"exec\"",
    .check = check,
    .start = start,
    .stop = stop,
};
