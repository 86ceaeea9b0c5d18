/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork and exec with a close-on-exec pipe between them: the child writes errno into it when exec
 * fails, a successful exec closes it.
 */
#include "harness/base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/auto.h"
#include "harness/base/clock.h"
#include "harness/base/mem.h"

/* Our own 0, 1 or 2 may be closed, and what was opened since have their numbers: out of the way
 * first. */
static int above_stdio(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

static void child_stdio(const struct proc_spec *spec)
{
    const int given[] = {spec->stdin_fd, spec->stdout_fd, spec->stderr_fd};
    int fds[3];
    for (int i = 0; i < 3; i++)
        fds[i] = above_stdio(given[i] >= 0 ? given[i] : open("/dev/null", O_RDWR | O_CLOEXEC));
    for (int i = 0; i < 3; i++)
        (void)dup2(fds[i], i);
}

static void child_signals(void)
{
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
}

static _Noreturn void child(const struct proc_spec *spec, int dir_fd, int report_fd, pid_t parent)
{
    report_fd = above_stdio(report_fd);
    dir_fd = dir_fd >= 0 ? above_stdio(dir_fd) : -1;
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* the parent died before prctl */
        _exit(127);
    child_signals();
    child_stdio(spec);
    for (const int *fd = spec->inherit; fd != NULL && *fd >= 0; fd++)
        (void)fcntl(*fd, F_SETFD, 0);
    for (const char *const *env = spec->env; env != NULL && *env != NULL; env++)
        (void)putenv(mem_strdup(*env));
    if (dir_fd < 0 || fchdir(dir_fd) == 0)
        (void)execvp(spec->argv[0], (char *const *)spec->argv);
    int failed = errno;
    (void)!write(report_fd, &failed, sizeof(failed));
    _exit(127);
}

/* The child's report: 0 if exec succeeded, else its errno. */
static int exec_errno(int report_fd)
{
    int failed = 0;
    ssize_t got;
    do
        got = read(report_fd, &failed, sizeof(failed));
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof(failed) ? failed : 0;
}

int proc_start(struct proc *proc, const struct proc_spec *spec, int *ret_errno, struct err *err)
{
    if (ret_errno != NULL)
        *ret_errno = 0;
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0)
        return err_sys(err, errno, "cannot make a pipe");
    auto_fd int report_in = report[0];
    auto_fd int report_out = report[1];
    auto_fd int dir_fd = -1;
    if (spec->dir != NULL) {
        dir_fd = open(spec->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir_fd < 0)
            return err_sys(err, errno, "cannot start %s in %s", spec->argv[0], spec->dir);
    }

    (void)signal(SIGCHLD, SIG_DFL); /* an inherited SIG_IGN would reap children behind our back */
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0)
        return err_sys(err, errno, "cannot start %s", spec->argv[0]);
    if (pid == 0)
        child(spec, dir_fd, report_out, parent);

    (void)setpgid(pid, pid); /* both sides, so that no signal can come too early */
    (void)close(steal_fd(&report_out));
    struct proc started = {.pid = pid, .pidfd = (int)syscall(SYS_pidfd_open, pid, 0)};
    int pidfd_errno = errno;
    int failed = exec_errno(report_in);
    if (failed != 0) {
        proc_release(&started, NULL);
        if (ret_errno != NULL)
            *ret_errno = failed;
        return err_sys(err, failed, "cannot execute %s", spec->argv[0]);
    }
    if (started.pidfd < 0) {
        proc_release(&started, NULL);
        return err_sys(err, pidfd_errno, "cannot follow %s", spec->argv[0]);
    }
    *proc = started;
    return 0;
}

void proc_signal(const struct proc *proc, int signal)
{
    if (proc->pid > 0)
        (void)kill(-proc->pid, signal);
}

/* Has the child ended? Leaves it as a zombie, so that its pid stays its own. */
static bool has_ended(const struct proc *proc, int options)
{
    siginfo_t info = {0};
    int result;
    do
        result = waitid(P_PID, (id_t)proc->pid, &info, WEXITED | WNOWAIT | options);
    while (result != 0 && errno == EINTR);
    return result == 0 && info.si_pid == proc->pid;
}

static bool reap(struct proc *proc, int options, struct proc_exit *ret_exit)
{
    if (proc->pid <= 0 || !has_ended(proc, options))
        return false;
    proc_signal(proc, SIGKILL); /* what the child itself left behind in its group */
    int status = 0;
    struct rusage usage = {0};
    (void)wait4(proc->pid, &status, 0, &usage);
    if (ret_exit != NULL) {
        ret_exit->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        ret_exit->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        ret_exit->cpu_ms = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
                           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
    }
    if (proc->pidfd >= 0)
        (void)close(proc->pidfd);
    *proc = (struct proc)PROC_INIT;
    return true;
}

bool proc_reap(struct proc *proc, struct proc_exit *ret_exit)
{
    return reap(proc, WNOHANG, ret_exit);
}

void proc_release(struct proc *proc, struct proc_exit *ret_exit)
{
    proc_signal(proc, SIGKILL);
    (void)reap(proc, 0, ret_exit);
}

/* The last line that is not empty, for a message. */
static char *last_line(const struct buf *output)
{
    const char *text = buf_text(output);
    size_t end = output->len;
    while (end > 0 && (text[end - 1] == '\n' || text[end - 1] == '\r'))
        end--;
    size_t start = end;
    while (start > 0 && text[start - 1] != '\n')
        start--;
    return mem_strndup(text + start, end - start);
}

/* What a program printed: for the caller within its buffer's limit, and the end of it for a
 * message. */
struct printed {
    struct buf *all; /* borrowed; or NULL */
    struct buf end;
};

static void take_output(struct printed *printed, const char *bytes, size_t len)
{
    enum { KEEP = 4096 };
    if (printed->all != NULL)
        buf_add(printed->all, bytes, len);
    buf_add(&printed->end, bytes, len);
    if (printed->end.len > KEEP)
        buf_consume(&printed->end, printed->end.len - KEEP);
}

/*
 * Reads until the child has ended and nothing is left to read; false: the deadline came first. The
 * end of the output alone proves nothing: a child may close it and live on, a grandchild may hold
 * it open.
 */
static bool drain(const struct proc *proc, int fd, int64_t deadline_ms, struct printed *printed)
{
    struct pollfd wait[] = {{.fd = fd, .events = POLLIN}, {.fd = proc->pidfd, .events = POLLIN}};
    for (;;) {
        int64_t left = deadline_ms - clock_ms();
        int ready = left > 0 ? poll(wait, 2, (int)left) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return false;
        if (wait[0].revents == 0)
            return true;
        char chunk[4096];
        ssize_t got = read(fd, chunk, sizeof(chunk));
        if (got > 0)
            take_output(printed, chunk, (size_t)got);
        else if (got == 0 || errno != EINTR)
            wait[0].fd = -1; /* poll(2) ignores it and sets revents to 0 */
    }
}

int proc_run(const char *const *argv, int timeout_ms, struct buf *output, struct err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_sys(err, errno, "cannot make a pipe");
    auto_fd int in = ends[0];
    auto_fd int out = ends[1];

    struct proc_spec spec = {.argv = argv, .stdin_fd = -1, .stdout_fd = out, .stderr_fd = out};
    struct proc proc = PROC_INIT;
    if (proc_start(&proc, &spec, NULL, err) != 0)
        return -1;
    (void)close(steal_fd(&out));

    struct printed printed = {.all = output};
    buf_init(&printed.end, 65536);
    bool ended = drain(&proc, in, clock_ms() + timeout_ms, &printed);
    auto_free char *said = last_line(&printed.end);
    buf_release(&printed.end);
    struct proc_exit result = {0};
    proc_release(&proc, &result);
    if (!ended)
        return err_set(err, "%s did not end within %d ms", argv[0], timeout_ms);
    if (result.code == 0)
        return 0;
    if (result.signal != 0)
        return err_set(err, "%s was ended by signal %d: %s", argv[0], result.signal, said);
    return err_set(err, "%s ended with status %d: %s", argv[0], result.code, said);
}
