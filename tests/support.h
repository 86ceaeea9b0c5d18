/* SPDX-License-Identifier: Apache-2.0 */
/* support: what most tests need: cmocka, a directory of one's own, small files; and a fake VM. */
#ifndef BOOTDIAG_TESTS_SUPPORT_H
#define BOOTDIAG_TESTS_SUPPORT_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/base/auto.h"
#include "harness/base/file.h"
#include "harness/base/mem.h"
#include "harness/boot.h"
#include "harness/vm.h"

#define N_ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

/* Setup and teardown of a test: *state is the path of a fresh directory. */
static inline int dir_setup(void **state)
{
    const char *parent = getenv("TMPDIR");
    char *dir = mem_printf("%s/bootdiag-test-XXXXXX", parent != NULL ? parent : "/tmp");
    *state = dir;
    return mkdtemp(dir) != NULL ? 0 : -1;
}

static inline int dir_teardown(void **state)
{
    int result = path_remove_tree(*state, NULL);
    free(*state);
    return result;
}

#define dir_test(function) cmocka_unit_test_setup_teardown(function, dir_setup, dir_teardown)

/* Owned by the caller. */
static inline char *put_bytes(const char *dir, const char *name, const char *bytes, size_t len)
{
    char *path = path_join(dir, name);
    struct err err = {0};
    if (file_write(path, bytes, len, &err) != 0)
        fail_msg("%s", err.message);
    return path;
}

static inline char *put_text(const char *dir, const char *name, const char *text)
{
    return put_bytes(dir, name, text, strlen(text));
}

/* The file's content as text, owned by the caller; a NUL ends it early. */
static inline char *get_text(const char *dir, const char *name)
{
    auto_free char *path = path_join(dir, name);
    struct buf content;
    struct err err = {0};
    buf_init(&content, 0);
    if (file_read(path, 64 << 20, &content, &err) != 0)
        fail_msg("%s", err.message);
    return buf_steal(&content);
}

/* `dir`/`name` is created. Owned by the caller. */
static inline char *put_dir(const char *dir, const char *name)
{
    char *path = path_join(dir, name);
    assert_int_equal(path_make_dirs(path, NULL), 0);
    return path;
}

static inline char *put_fifo(const char *dir, const char *name)
{
    char *path = path_join(dir, name);
    assert_int_equal(mkfifo(path, 0600), 0);
    return path;
}

/* Fails with both texts unless `text` holds `part`. */
static inline void assert_holds(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, text);
}

/* ---- a fake VM: its console is a socket pair, its service a listener on the boot's own loop ----
 */

/* What a connection meets. Letters, so that a script is a text: the first connection meets its
 * first letter, all further ones its last. */
enum fake_answer { FAKE_200 = '2', FAKE_503 = '5', FAKE_RESET = 'x', FAKE_HANG = 'h' };

enum { FAKE_VMS = 8, FAKE_PEERS = 64 };

struct fake_vm;
struct fake_host;

struct fake_peer {
    struct fake_vm *fake;
    char answer;
    struct loop_watch watch; /* not active: no connection */
};

struct fake_vm {
    /* The script, set before its start. */
    const char *answers;       /* NULL: the port refuses */
    const char *start_cause;   /* the start fails with it */
    const char *refusal_cause; /* stop says that the guest never ran */
    const char *last_words;    /* on the console when it is stopped */
    void (*on_start)(struct fake_vm *fake);
    void *ctx;
    struct loop_timer timer; /* the test's own, until stop */

    /* What became of it. */
    struct fake_host *host;
    struct vm *vm; /* NULL: it does not run */
    int console_fd, log_fd;
    struct sockaddr_in address;
    int port_fd;                /* bound, never listening: the port stays ours while it refuses */
    struct loop_watch listener; /* not active: it refuses */
    struct fake_peer peers[FAKE_PEERS]; /* used in turn */
    int exit_code;                      /* -1: it was still running */
    unsigned n_starts, n_ends, n_connections;
    unsigned n_abandoned; /* connections that hung until the probe gave them up */
};

/* What `struct vm`'s target is a part of. */
struct fake_host {
    struct target target;
    struct fake_vm vms[FAKE_VMS]; /* by the boot's index */
    unsigned n_running, most_running;
    bool in_backend; /* a callback of the VM, or one of its operations, is on the stack */
};

static inline void fake_peer_close(struct fake_peer *peer)
{
    if (!peer->watch.active)
        return;
    loop_unwatch(peer->fake->vm->loop, &peer->watch);
    (void)close(peer->watch.fd);
}

static inline void fake_peer_on_ready(void *ctx, uint32_t events)
{
    (void)events;
    struct fake_peer *peer = (struct fake_peer *)ctx;
    char request[4096];
    bool gone = read(peer->watch.fd, request, sizeof(request)) <= 0;
    if (peer->answer == FAKE_HANG && !gone)
        return;
    peer->fake->n_abandoned += peer->answer == FAKE_HANG;
    const char *text = peer->answer == FAKE_200 ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
                                                : "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n";
    if (!gone)
        (void)send(peer->watch.fd, text, strlen(text), MSG_NOSIGNAL);
    fake_peer_close(peer);
}

static inline void fake_on_connection(void *ctx, uint32_t events)
{
    (void)events;
    struct fake_vm *fake = (struct fake_vm *)ctx;
    struct fake_peer *peer = &fake->peers[fake->n_connections % FAKE_PEERS];
    int fd = accept4(fake->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    fake_peer_close(peer);
    fake->n_connections++;
    *peer = (struct fake_peer){
        .fake = fake,
        .answer = *fake->answers,
        .watch = {.fd = fd, .on_ready = fake_peer_on_ready, .ctx = peer},
    };
    if (fake->answers[1] != '\0')
        fake->answers++;
    loop_watch(fake->vm->loop, &peer->watch, EPOLLIN);
    if (peer->answer == FAKE_RESET) {
        const struct linger at_once = {.l_onoff = 1};
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        fake_peer_close(peer);
    }
}

/* A socket at the VM's port; the first one chooses it. */
static inline int fake_bind(struct fake_vm *fake)
{
    struct sockaddr_in *address = &fake->address;
    socklen_t len = sizeof(*address);
    const int shared = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &shared, sizeof(shared)), 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)address, &len), 0);
    return fd;
}

/* From now on; NULL: the port refuses. `answers` is borrowed. */
static inline void fake_set_answers(struct fake_vm *fake, const char *answers)
{
    struct loop_watch *listener = &fake->listener;
    fake->answers = answers;
    if (answers != NULL && !listener->active) {
        *listener =
            (struct loop_watch){.fd = fake_bind(fake), .on_ready = fake_on_connection, .ctx = fake};
        assert_int_equal(listen(listener->fd, FAKE_PEERS), 0);
        loop_watch(fake->vm->loop, listener, EPOLLIN);
    } else if (answers == NULL && listener->active) {
        loop_unwatch(fake->vm->loop, listener);
        (void)close(listener->fd);
    }
}

static inline void fake_prints(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static inline void fake_says(struct fake_vm *fake, const char *text)
{
    fake_prints(fake->console_fd, text);
}

static inline void fake_exits(struct fake_vm *fake, int exit_code)
{
    fake->exit_code = exit_code;
    fake->host->in_backend = true;
    fake->vm->on_exit(fake->vm->ctx);
    fake->host->in_backend = false;
}

static inline int fake_start(struct vm *vm, struct err *err)
{
    struct fake_host *host = (struct fake_host *)vm->target; /* its first member */
    struct fake_vm *fake = &host->vms[vm->index];
    int console[2], log[2];
    fake->host = host;
    fake->n_starts++;
    fake->exit_code = -1;
    if (fake->start_cause != NULL) {
        err_set(err, "fake VM %u cannot start", vm->index);
        return err_cause(err, fake->start_cause);
    }
    fake->vm = vm;
    vm->state = fake;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, console), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, log), 0);
    fake->console_fd = console[0];
    vm->console_fd = console[1];
    fake->log_fd = log[0];
    vm->stderr_fd = log[1];
    free(put_text(vm->scratch, "disk", "x"));
    fake->address.sin_port = 0;
    fake->port_fd = fake_bind(fake);
    (void)snprintf(vm->url, sizeof(vm->url), "http://127.0.0.1:%d/health",
                   ntohs(fake->address.sin_port));
    fake_set_answers(fake, fake->answers);
    if (++host->n_running > host->most_running)
        host->most_running = host->n_running;
    if (fake->on_start != NULL)
        fake->on_start(fake);
    return 0;
}

static inline void fake_stop(struct vm *vm)
{
    struct fake_vm *fake = (struct fake_vm *)vm->state;
    if (fake == NULL)
        return;
    if (fake->last_words != NULL)
        fake_says(fake, fake->last_words);
    vm->record->vmm.exit_code = fake->exit_code;
    if (fake->refusal_cause != NULL) {
        vm->record->vmm.error = mem_strdup("the fake VMM refuses");
        vm->record->vmm.error_cause = mem_strdup(fake->refusal_cause);
    }
    for (size_t i = 0; i < FAKE_PEERS; i++)
        fake_peer_close(&fake->peers[i]);
    loop_disarm(vm->loop, &fake->timer);
    if (fake->listener.active) {
        loop_unwatch(vm->loop, &fake->listener);
        (void)close(fake->listener.fd);
    }
    (void)close(fake->port_fd);
    (void)close(fake->console_fd);
    (void)close(fake->log_fd);
    fake->vm = NULL;
    vm->state = NULL;
    fake->n_ends++;
    fake->host->n_running--;
}

static const struct vm_ops fake_ops = {.name = "fake", .start = fake_start, .stop = fake_stop};

/* ---- the eyes on its console: three words, none of which comes in two pieces ---- */

static inline void *fake_eyes_open(void *ctx)
{
    (void)ctx;
    return mem_calloc(1, 1); /* so that a forgotten close is a leak */
}

static inline void fake_eyes_feed(void *state, const char *bytes, size_t len,
                                  struct console_signs *ret_signs)
{
    (void)state;
    if (memmem(bytes, len, "STAGE", 5) != NULL)
        ret_signs->stage = "fake.stage";
    if (memmem(bytes, len, "READY", 5) != NULL)
        ret_signs->ready_lines++;
    if (memmem(bytes, len, "FATAL", 5) != NULL)
        ret_signs->fatal = "fake.fatal";
}

static const struct console_watch fake_eyes = {
    .open = fake_eyes_open, .feed = fake_eyes_feed, .close = free};

/* Entries of a directory, hidden ones aside. */
static inline size_t count_entries_of(const char *path)
{
    size_t n = 0;
    auto_dir DIR *entries = opendir(path);
    assert_non_null(entries);
    const struct dirent *entry;
    while ((entry = readdir(entries)) != NULL)
        n += entry->d_name[0] != '.';
    return n;
}

#endif
