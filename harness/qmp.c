/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each read is appended to the input buffer, complete lines are dispatched, and what is left of the
 * last line stays; only new bytes are searched for a newline. Whatever goes wrong sets `why`, and
 * the end is reported when nothing of the client is in use any more.
 */
#include "harness/qmp.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/base/auto.h"
#include "harness/base/mem.h"

static int send_line(struct qmp *qmp, const char *command)
{
    auto_free char *line = mem_printf("{\"execute\": \"%s\"}\n", command);
    size_t len = strlen(line);
    /* A few dozen bytes into an empty socket buffer: what does not fit at once never will. */
    return send(qmp->fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len ? 0 : -1;
}

void qmp_execute(struct qmp *qmp, const char *command,
                 void (*on_return)(void *ctx, const json_t *value))
{
    if (qmp->n_waiting == QMP_MAX_WAITING || send_line(qmp, command) != 0) {
        (void)shutdown(qmp->fd, SHUT_RDWR); /* the loop then sees the end */
        return;
    }
    qmp->waiting[qmp->n_waiting++] = (struct qmp_command){.name = command, .on_return = on_return};
}

static int on_greeting(struct qmp *qmp, const json_t *greeting, struct err *err)
{
    int major, minor, micro;
    if (json_unpack((json_t *)greeting, "{s:{s:{s:{s:i, s:i, s:i}}}}", "QMP", "version", "qemu",
                    "major", &major, "minor", &minor, "micro", &micro) != 0)
        return err_set(err, "QMP: the greeting is not one");
    qmp->greeted = true;
    qmp_execute(qmp, "qmp_capabilities", NULL);
    auto_free char *version = mem_printf("%d.%d.%d", major, minor, micro);
    qmp->on_greeting(qmp->ctx, version);
    return 0;
}

static int on_answer(struct qmp *qmp, const json_t *value, const json_t *error, struct err *err)
{
    if (qmp->n_waiting == 0)
        return err_set(err, "QMP: an answer to no command");
    const struct qmp_command command = qmp->waiting[0];
    qmp->n_waiting--;
    memmove(qmp->waiting, qmp->waiting + 1, qmp->n_waiting * sizeof(qmp->waiting[0]));
    if (error != NULL) {
        const char *text = json_string_value(json_object_get(error, "desc"));
        return err_set(err, "QMP: %s: %.200s", command.name, text != NULL ? text : "refused");
    }
    if (command.on_return != NULL)
        command.on_return(qmp->ctx, value);
    return 0;
}

static int on_message(struct qmp *qmp, const json_t *message, struct err *err)
{
    const char *event = json_string_value(json_object_get(message, "event"));
    const json_t *error = json_object_get(message, "error");
    const json_t *value = json_object_get(message, "return");
    if (!qmp->greeted)
        return on_greeting(qmp, message, err);
    if (event != NULL)
        qmp->on_event(qmp->ctx, event, json_object_get(message, "data"));
    else if (error != NULL || value != NULL)
        return on_answer(qmp, value, error, err);
    else
        return err_set(err, "QMP: a message of unknown kind");
    return 0;
}

static int on_line(struct qmp *qmp, const char *line, size_t len, struct err *err)
{
    if (strspn(line, " \t\r") >= len)
        return 0;
    json_auto_t *message = json_loadb(line, len, 0, NULL);
    if (!json_is_object(message))
        return err_set(err, "QMP: a line that is not a JSON object");
    return on_message(qmp, message, err);
}

static int dispatch(struct qmp *qmp, struct err *err)
{
    size_t done = 0;
    const char *newline;
    while ((newline = memchr(qmp->input.data + qmp->scanned, '\n',
                             qmp->input.len - qmp->scanned)) != NULL) {
        size_t end = (size_t)(newline - qmp->input.data);
        if (on_line(qmp, qmp->input.data + done, end - done, err) != 0)
            return -1;
        done = qmp->scanned = end + 1;
    }
    buf_consume(&qmp->input, done);
    qmp->scanned = qmp->input.len;
    return 0;
}

static int take_input(struct qmp *qmp, struct err *err)
{
    char chunk[4096];
    ssize_t got = recv(qmp->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got < 0)
        return err_sys(err, errno, "QMP");
    if (got == 0)
        return err_set(err, "QMP: closed by QEMU");
    buf_add(&qmp->input, chunk, (size_t)got);
    if (qmp->input.overflow)
        return err_set(err, "QMP: a line of more than %d bytes", QMP_LINE_LIMIT);
    return dispatch(qmp, err);
}

static void on_ready(void *ctx, uint32_t events)
{
    struct qmp *qmp = ctx;
    struct err err = {0};
    (void)events;
    if (take_input(qmp, &err) == 0)
        return;
    loop_unwatch(qmp->loop, &qmp->watch);
    qmp->on_end(qmp->ctx, err.message);
}

void qmp_start(struct qmp *qmp, struct loop *loop, int fd)
{
    qmp->loop = loop;
    qmp->fd = fd;
    buf_init(&qmp->input, QMP_LINE_LIMIT);
    qmp->watch = (struct loop_watch){.fd = fd, .on_ready = on_ready, .ctx = qmp};
    loop_watch(loop, &qmp->watch, EPOLLIN);
}

void qmp_stop(struct qmp *qmp)
{
    if (qmp->loop != NULL)
        loop_unwatch(qmp->loop, &qmp->watch);
    auto_fd_release(&qmp->fd);
    qmp->fd = -1;
    buf_release(&qmp->input);
    qmp->n_waiting = 0;
}
