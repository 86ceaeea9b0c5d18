/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each worker has a socket on which it gets a task's number and sends back {length, bytes}. The
 * caller's one wait is over these sockets and the signals. Finished results stand in a ring until
 * all before them are out; no task is handed out that would find no place there.
 */
#include "harness/base/crew.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/auto.h"
#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/mem.h"

static const size_t NO_TASK = SIZE_MAX;

struct worker {
    pid_t pid; /* 0: not started, or gone */
    int fd;
    size_t task;      /* NO_TASK: idle */
    int64_t due_ms;   /* when the task must be done; INT64_MAX: never */
    bool late;        /* was killed for that */
    struct buf reply; /* as far as it came */
};

struct result {
    bool finished;
    char *lost; /* owned: why there is none */
    struct buf bytes;
};

struct crew {
    const struct crew_plan *plan;
    struct worker *workers; /* owned */
    size_t n_workers;
    struct result results[CREW_WINDOW]; /* of task t in [t % CREW_WINDOW] */
    size_t next_task, next_out, n_finished;
    sigset_t old_mask;
    int signals; /* signalfd(2) */
    bool interrupted;
};

/* ---- in a worker ---- */

static bool read_all(int fd, void *bytes, size_t len)
{
    for (size_t got = 0; got < len;) {
        ssize_t n = read(fd, (char *)bytes + got, len - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return true;
}

static void send_result(int fd, const struct buf *result)
{
    uint64_t len = result->len;
    if (fd_write_all(fd, (const char *)&len, sizeof(len), "a result", NULL) != 0 ||
        fd_write_all(fd, buf_text(result), result->len, "a result", NULL) != 0)
        _exit(EXIT_FAILURE);
}

/* Ctrl-C reaches the whole process group: only the caller answers it. */
static void serve(const struct crew *crew, int fd) __attribute__((noreturn));
static void serve(const struct crew *crew, int fd)
{
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, &crew->old_mask, NULL);
    struct buf result;
    buf_init(&result, CREW_MAX_RESULT);
    uint64_t task;
    while (read_all(fd, &task, sizeof(task))) {
        buf_clear(&result);
        crew->plan->work(crew->plan->ctx, (size_t)task, &result);
        if (result.overflow)
            _exit(EXIT_FAILURE);
        send_result(fd, &result);
    }
    _exit(EXIT_SUCCESS);
}

/* ---- workers ---- */

static int start(struct crew *crew, struct worker *worker, struct err *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return err_sys(err, errno, "cannot make a socket for a worker");
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        /* dies with the caller, also where that died before this line */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
            _exit(EXIT_FAILURE);
        (void)close(pair[0]);
        serve(crew, pair[1]);
    }
    int failed = errno;
    (void)close(pair[1]);
    if (pid < 0) {
        (void)close(pair[0]);
        return err_sys(err, failed, "cannot start a worker");
    }
    *worker = (struct worker){.pid = pid, .fd = pair[0], .task = NO_TASK, .due_ms = INT64_MAX};
    buf_init(&worker->reply, CREW_MAX_RESULT + sizeof(uint64_t));
    return 0;
}

/* Ends it in any state; its wait status. */
static int stop(struct worker *worker)
{
    int status = 0;
    if (worker->pid == 0)
        return 0;
    (void)kill(worker->pid, SIGKILL);
    while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR)
        ;
    (void)close(worker->fd);
    buf_release(&worker->reply);
    worker->pid = 0;
    worker->task = NO_TASK;
    return status;
}

static struct result *result_of(struct crew *crew, size_t task)
{
    return &crew->results[task % CREW_WINDOW];
}

static void finish(struct crew *crew, size_t task)
{
    result_of(crew, task)->finished = true;
    crew->n_finished++;
    if (crew->plan->on_progress != NULL)
        crew->plan->on_progress(crew->plan->ctx, crew->n_finished);
}

/* The worker's socket was closed, or it took too long: its task is lost, the rest is not. */
static void bury(struct crew *crew, struct worker *worker)
{
    size_t task = worker->task;
    bool late = worker->late;
    int status = stop(worker);
    if (task == NO_TASK)
        return;
    struct result *result = result_of(crew, task);
    if (late)
        result->lost =
            mem_printf("took longer than %lld s", (long long)crew->plan->limit_ms / 1000);
    else if (WIFSIGNALED(status))
        result->lost =
            mem_printf("ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        result->lost = mem_printf("ended with status %d", WEXITSTATUS(status));
    finish(crew, task);
}

static bool may_assign(const struct crew *crew)
{
    return !crew->interrupted && crew->next_task < crew->plan->n_tasks &&
           crew->next_task < crew->next_out + CREW_WINDOW;
}

static int assign(struct crew *crew, struct err *err)
{
    for (size_t i = 0; i < crew->n_workers && may_assign(crew); i++) {
        struct worker *worker = &crew->workers[i];
        if (worker->pid == 0 && start(crew, worker, err) != 0)
            return -1;
        if (worker->task != NO_TASK)
            continue;
        uint64_t task = crew->next_task++;
        worker->task = (size_t)task;
        worker->due_ms = crew->plan->limit_ms > 0 ? clock_ms() + crew->plan->limit_ms : INT64_MAX;
        /* one that died while it was idle is found by the wait: its socket is closed */
        (void)send(worker->fd, &task, sizeof(task), MSG_NOSIGNAL);
    }
    return 0;
}

/* ---- results ---- */

static void take_reply(struct crew *crew, struct worker *worker)
{
    char chunk[65536];
    ssize_t got = recv(worker->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0 || worker->task == NO_TASK) {
        bury(crew, worker);
        return;
    }
    buf_add(&worker->reply, chunk, (size_t)got);
    uint64_t len;
    if (worker->reply.len < sizeof(len))
        return;
    memcpy(&len, worker->reply.data, sizeof(len));
    if (len > CREW_MAX_RESULT) {
        bury(crew, worker);
        return;
    }
    if (worker->reply.len < sizeof(len) + len)
        return;
    size_t task = worker->task;
    buf_consume(&worker->reply, sizeof(len));
    result_of(crew, task)->bytes = worker->reply;
    buf_init(&worker->reply, CREW_MAX_RESULT + sizeof(uint64_t));
    worker->task = NO_TASK;
    worker->due_ms = INT64_MAX;
    finish(crew, task);
}

static void result_release(struct result *result)
{
    buf_release(&result->bytes);
    free(result->lost);
    *result = (struct result){0};
}

static int hand_out(struct crew *crew, struct err *err)
{
    const struct crew_plan *plan = crew->plan;
    int rc = 0;
    while (rc == 0 && crew->next_out < crew->next_task &&
           result_of(crew, crew->next_out)->finished) {
        struct result *result = result_of(crew, crew->next_out);
        rc = result->lost != NULL ? plan->on_lost(plan->ctx, crew->next_out, result->lost, err)
                                  : plan->on_result(plan->ctx, crew->next_out, &result->bytes, err);
        result_release(result);
        crew->next_out++;
    }
    return rc;
}

/* ---- the wait ---- */

static void end_late_ones(struct crew *crew)
{
    int64_t now = clock_ms();
    for (size_t i = 0; i < crew->n_workers; i++) {
        struct worker *worker = &crew->workers[i];
        if (worker->pid == 0 || worker->task == NO_TASK || worker->due_ms > now)
            continue;
        worker->late = true;
        bury(crew, worker);
    }
}

static int wait_ms(const struct crew *crew)
{
    int64_t due = INT64_MAX;
    for (size_t i = 0; i < crew->n_workers; i++)
        if (crew->workers[i].pid != 0 && crew->workers[i].due_ms < due)
            due = crew->workers[i].due_ms;
    int64_t left = due == INT64_MAX ? -1 : due - clock_ms();
    return due == INT64_MAX ? -1 : left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

/* poll(2) leaves out what has a negative descriptor. */
static void wait_for_any(struct crew *crew)
{
    struct pollfd fds[CREW_MAX_WORKERS + 1];
    for (size_t i = 0; i < crew->n_workers; i++)
        fds[i] = (struct pollfd){.fd = crew->workers[i].pid != 0 ? crew->workers[i].fd : -1,
                                 .events = POLLIN};
    fds[crew->n_workers] = (struct pollfd){.fd = crew->signals, .events = POLLIN};
    if (poll(fds, crew->n_workers + 1, wait_ms(crew)) < 0)
        return;
    crew->interrupted |= fds[crew->n_workers].revents != 0;
    for (size_t i = 0; i < crew->n_workers; i++)
        if (crew->workers[i].pid != 0 && fds[i].revents != 0)
            take_reply(crew, &crew->workers[i]);
    end_late_ones(crew);
}

static int catch_signals(struct crew *crew, struct err *err)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &set, &crew->old_mask);
    crew->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return crew->signals >= 0 ? 0 : err_sys(err, errno, "cannot watch for signals");
}

static int run(struct crew *crew, struct err *err)
{
    if (catch_signals(crew, err) != 0)
        return -1;
    while (crew->next_out < crew->plan->n_tasks && !crew->interrupted) {
        if (assign(crew, err) != 0)
            return -1;
        wait_for_any(crew);
        if (hand_out(crew, err) != 0)
            return -1;
    }
    return 0;
}

/* A signal that came is used up, so that nothing of it is left for after the mask is restored. */
static void release(struct crew *crew)
{
    struct signalfd_siginfo used;
    for (size_t i = 0; i < crew->n_workers; i++)
        (void)stop(&crew->workers[i]);
    for (size_t i = 0; i < CREW_WINDOW; i++)
        result_release(&crew->results[i]);
    free(crew->workers);
    while (crew->signals >= 0 && read(crew->signals, &used, sizeof(used)) > 0)
        ;
    if (crew->signals >= 0)
        (void)close(crew->signals);
    (void)sigprocmask(SIG_SETMASK, &crew->old_mask, NULL);
}

int crew_run(const struct crew_plan *plan, bool *ret_interrupted, struct err *err)
{
    struct crew *crew = mem_calloc(1, sizeof(*crew));
    size_t wanted = plan->n_workers < plan->n_tasks ? plan->n_workers : plan->n_tasks;
    crew->plan = plan;
    crew->signals = -1;
    crew->n_workers = wanted < CREW_MAX_WORKERS ? wanted : CREW_MAX_WORKERS;
    crew->workers = mem_calloc(crew->n_workers + 1, sizeof(*crew->workers));
    int result = run(crew, err);
    *ret_interrupted = crew->interrupted;
    release(crew);
    free(crew);
    return result;
}
