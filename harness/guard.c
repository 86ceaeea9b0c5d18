/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/auto.h"

static void close_all_from(int first)
{
    if (syscall(SYS_close_range, first, ~0U, 0) == 0)
        return;
    long most = sysconf(_SC_OPEN_MAX); /* before Linux 5.9 */
    for (int fd = first; fd < most; fd++)
        (void)close(fd);
}

/* `closed_fd` is closed last. */
static _Noreturn void watch(int fd, int closed_fd, pid_t group)
{
    static const int of_the_group[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
    char none;
    (void)setpgid(0, group);
    (void)dup2(fd, STDIN_FILENO);
    (void)dup2(closed_fd, STDOUT_FILENO);
    close_all_from(STDERR_FILENO);
    (void)close(STDOUT_FILENO);
    for (size_t i = 0; i < sizeof(of_the_group) / sizeof(of_the_group[0]); i++)
        (void)signal(of_the_group[i], SIG_IGN);
    while (read(STDIN_FILENO, &none, 1) < 0 && errno == EINTR)
        ;
    if (getpgrp() == group)
        (void)kill(0, SIGKILL);
    _exit(0);
}

/* A copy of a socket that is held open here would keep it in the parent's epoll set after the
 * parent closed it: so the parent goes on when there is none any more. */
static void await_close(int fd)
{
    char none;
    while (read(fd, &none, 1) < 0 && errno == EINTR)
        ;
}

int guard_start(struct guard *guard, pid_t group, struct err *err)
{
    int ends[2], closed[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_sys(err, errno, "cannot make a pipe");
    auto_fd int theirs = ends[0];
    auto_fd int ours = ends[1];
    if (pipe2(closed, O_CLOEXEC) != 0)
        return err_sys(err, errno, "cannot make a pipe");
    auto_fd int closed_in = closed[0];
    auto_fd int closed_out = closed[1];
    pid_t pid = fork();
    if (pid < 0)
        return err_sys(err, errno, "cannot start a process");
    if (pid == 0)
        watch(theirs, closed_out, group);
    (void)setpgid(pid, group); /* both sides, so that the group's end cannot come too early */
    (void)close(steal_fd(&closed_out));
    await_close(closed_in);
    *guard = (struct guard){.pid = pid, .fd = steal_fd(&ours)};
    return 0;
}

void guard_release(struct guard *guard)
{
    auto_fd_release(&guard->fd);
    while (guard->pid > 0 && waitpid(guard->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    *guard = (struct guard)GUARD_INIT;
}
