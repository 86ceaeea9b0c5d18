/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc: child processes without a shell.
 *
 * A child gets its own process group and dies with this process (PR_SET_PDEATHSIG, prctl(2)); its
 * exec failure is reported by the child itself; it is followed through a pidfd (pidfd_open(2),
 * Linux 5.3), so that a reused pid can never be killed. Only the main thread may start one:
 * PDEATHSIG follows the thread.
 */
#ifndef BOOTDIAG_BASE_PROC_H
#define BOOTDIAG_BASE_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/base/buf.h"
#include "harness/base/err.h"

struct proc {
    pid_t pid; /* 0: never started or already reaped */
    int pidfd; /* owned; readable once the child ended; -1: none */
};

struct proc_spec {
    const char *const *argv; /* NULL-terminated; argv[0] is searched in PATH */
    const char *dir;         /* working directory, or NULL */
    const char *const *env;  /* NULL-terminated "NAME=value" beside the inherited; or NULL */
    int stdin_fd, stdout_fd, stderr_fd; /* borrowed; -1: /dev/null */
    const int *inherit; /* -1-terminated descriptors that the child keeps; or NULL */
};

struct proc_exit {
    int code;       /* -1: ended by a signal */
    int signal;     /* 0: exited */
    int64_t cpu_ms; /* user and system time of the child */
};

#define PROC_INIT                                                                                  \
    {                                                                                              \
        .pid = 0, .pidfd = -1                                                                      \
    }

/* A program that cannot be executed is an error that names it, with exec's errno in `ret_errno`
 * (may be NULL; 0 for other failures). Gives SIGCHLD its default action: ignored, it would hide
 * exits. */
int proc_start(struct proc *proc, const struct proc_spec *spec, int *ret_errno, struct err *err);

/* Signals the child's process group. Nothing happens once it was reaped. */
void proc_signal(const struct proc *proc, int signal);

/* Collects an ended child: true once, then the proc is empty. Does not wait. */
bool proc_reap(struct proc *proc, struct proc_exit *ret_exit);

/* Kills the group and waits for the child; complete at any point of its life, may be called twice.
 */
void proc_release(struct proc *proc, struct proc_exit *ret_exit);

/*
 * Runs a program to its end, waiting for it. What it prints, on standard output and standard error
 * alike, is appended to `output` within that buffer's limit (NULL: dropped). Not ended within
 * `timeout_ms`: killed, an error. An exit status other than 0: an error that quotes the last line
 * printed.
 */
int proc_run(const char *const *argv, int timeout_ms, struct buf *output, struct err *err);

#endif
