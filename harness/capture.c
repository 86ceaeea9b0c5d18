/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/capture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/arrivals.h"
#include "harness/base/auto.h"
#include "harness/base/buf.h"
#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/mem.h"

enum {
    CHUNK = 65536,
    DENSE_TIMES = 1 << 20,  /* this much of console.times has an entry per read ... */
    SPARSE_TIMES_MS = 1000, /* ... after that one per second, */
    LARGEST_TIMES = 4 << 20 /* and beyond this none */
};

/* The first failure is kept; reading goes on, because the VMM must never block on its console. */
static bool write_out(struct capture *capture, int fd, const char *bytes, size_t len)
{
    struct err err = {0};
    if (fd < 0)
        return false;
    if (fd_write_all(fd, bytes, len, capture->path, &err) == 0)
        return true;
    if (capture->failed.message[0] == '\0')
        capture->failed = err;
    return false;
}

static void write_time(struct capture *capture)
{
    int64_t now = clock_ms() - capture->start_ms;
    int64_t gap = capture->times_bytes < DENSE_TIMES ? 1 : SPARSE_TIMES_MS;
    if (capture->times_fd < 0 || capture->times_bytes > LARGEST_TIMES ||
        (capture->bytes > 0 && now < capture->last_time_ms + gap))
        return;
    char text[64];
    int len = snprintf(text, sizeof(text), "%" PRIu64 " %" PRId64 "\n", capture->bytes, now);
    (void)write_out(capture, capture->times_fd, text, (size_t)len);
    capture->times_bytes += (uint64_t)len;
    capture->last_time_ms = now;
}

static void drop_older_tail(struct capture *capture)
{
    if (capture->older_tail_path != NULL)
        (void)unlink(capture->older_tail_path);
    free(capture->older_tail_path);
    capture->older_tail_path = NULL;
}

static void open_tail(struct capture *capture)
{
    drop_older_tail(capture);
    if (capture->tail_fd >= 0)
        (void)close(capture->tail_fd);
    capture->older_tail_path = capture->tail_path;
    capture->older_offset = capture->tail_offset;
    capture->older_len = capture->tail_len;
    capture->tail_offset = capture->bytes;
    capture->tail_len = 0;
    capture->tail_path = mem_printf("%s.tail-%" PRIu64, capture->path, capture->bytes);
    capture->tail_fd = open(capture->tail_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (capture->tail_fd < 0 && capture->failed.message[0] == '\0')
        err_sys(&capture->failed, errno, "cannot write %s", capture->tail_path);
}

static void store(struct capture *capture, const char *bytes, size_t len)
{
    while (len > 0) {
        bool head = capture->bytes < capture->limit;
        if (!head && (capture->tail_path == NULL || capture->tail_len >= capture->limit))
            open_tail(capture);
        uint64_t room = capture->limit - (head ? capture->bytes : capture->tail_len);
        size_t part = len < room ? len : (size_t)room;
        (void)write_out(capture, head ? capture->out_fd : capture->tail_fd, bytes, part);
        if (!head)
            capture->tail_len += part;
        capture->bytes += part;
        bytes += part;
        len -= part;
    }
}

static void end(struct capture *capture)
{
    loop_unwatch(capture->loop, &capture->watch);
    capture->ended = true;
    if (capture->on_end != NULL)
        capture->on_end(capture->ctx);
}

/* One read: true if there may be more at once. */
static bool read_once(struct capture *capture)
{
    char chunk[CHUNK];
    ssize_t got = read(capture->watch.fd, chunk, sizeof(chunk));
    if (got > 0) {
        write_time(capture);
        store(capture, chunk, (size_t)got);
        if (capture->on_bytes != NULL)
            capture->on_bytes(capture->ctx, chunk, (size_t)got);
        return true;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    end(capture); /* end of file; a socket or pty of an ended VMM may also say ECONNRESET or EIO */
    return false;
}

static void on_readable(void *ctx, uint32_t events)
{
    (void)events;
    (void)read_once(ctx);
}

int capture_start(struct capture *capture, struct loop *loop, int fd, const char *path,
                  const char *times_path, uint64_t limit, int64_t start_ms, struct err *err)
{
    capture->loop = loop;
    capture->limit = limit;
    capture->start_ms = start_ms;
    capture->dropped_at = -1;
    capture->tail_fd = capture->times_fd = -1;
    capture->path = mem_strdup(path);
    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    capture->watch = (struct loop_watch){.fd = fd, .on_ready = on_readable, .ctx = capture};
    capture->out_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (capture->out_fd < 0)
        return err_sys(err, errno, "cannot write %s", path);
    if (times_path != NULL) {
        capture->times_path = mem_strdup(times_path);
        capture->times_fd = open(times_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (capture->times_fd < 0)
            return err_sys(err, errno, "cannot write %s", times_path);
    }
    loop_watch(loop, &capture->watch, EPOLLIN);
    return 0;
}

void capture_drain(struct capture *capture)
{
    enum { MOST_READS = 64 }; /* a guest that never stops printing must not hold us here */
    for (int i = 0; i < MOST_READS && capture->loop != NULL && !capture->ended; i++)
        if (!read_once(capture))
            return;
}

static bool append_file(struct capture *capture, const char *path)
{
    auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    char chunk[CHUNK];
    ssize_t got = -1;
    while (fd >= 0 && (got = read(fd, chunk, sizeof(chunk))) > 0)
        if (!write_out(capture, capture->out_fd, chunk, (size_t)got))
            return false;
    return got == 0;
}

/* Offsets in console.times become offsets into the joined file. */
static void rewrite_times(struct capture *capture)
{
    auto_buf struct buf old, new;
    buf_init(&old, 0);
    buf_init(&new, 2 * LARGEST_TIMES);
    if (capture->times_path == NULL ||
        file_read(capture->times_path, 2 * LARGEST_TIMES, &old, NULL) != 0)
        return;
    size_t n;
    struct record_time *times = arrivals_parse(buf_text(&old), &n);
    n = arrivals_close_gap(times, n, (uint64_t)capture->dropped_at, capture->dropped_bytes);
    for (size_t i = 0; i < n; i++)
        buf_addf(&new, "%" PRIu64 " %" PRId64 "\n", times[i].offset, times[i].at_ms);
    free(times);
    (void)file_write(capture->times_path, buf_text(&new), new.len, &capture->failed);
}

static void join_tails(struct capture *capture)
{
    if (capture->tail_path == NULL)
        return;
    const char *older = capture->older_tail_path;
    off_t head_len = lseek(capture->out_fd, 0, SEEK_CUR);
    if ((older != NULL && !append_file(capture, older)) ||
        !append_file(capture, capture->tail_path)) {
        (void)!ftruncate(capture->out_fd, head_len);
        return; /* a full disk: the tails stay, record_load joins them */
    }
    uint64_t first = older != NULL ? capture->older_offset : capture->tail_offset;
    if (first > capture->limit) {
        capture->dropped_at = (int64_t)capture->limit;
        capture->dropped_bytes = first - capture->limit;
        rewrite_times(capture);
    }
    drop_older_tail(capture);
    (void)unlink(capture->tail_path);
}

void capture_finish(struct capture *capture)
{
    if (capture->path == NULL)
        return;
    loop_unwatch(capture->loop, &capture->watch);
    join_tails(capture);
    const int fds[] = {capture->watch.fd, capture->out_fd, capture->times_fd, capture->tail_fd};
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
    capture->watch.fd = capture->out_fd = capture->times_fd = capture->tail_fd = -1;
    free(capture->path);
    free(capture->tail_path);
    free(capture->older_tail_path);
    free(capture->times_path);
    capture->path = capture->tail_path = capture->older_tail_path = capture->times_path = NULL;
    capture->ended = true;
}

/* The offset in a left-over tail's name; false if it is no such name. */
static bool tail_offset(const char *name, uint64_t *ret_offset)
{
    static const char prefix[] = "console.log.tail-";
    if (strncmp(name, prefix, sizeof(prefix) - 1) != 0)
        return false;
    const char *digits = name + sizeof(prefix) - 1;
    size_t n = strspn(digits, "0123456789");
    if (n == 0 || n > 15 || digits[n] != '\0')
        return false;
    *ret_offset = strtoull(digits, NULL, 10);
    auto_free char *canonical = mem_printf("%s%" PRIu64, prefix, *ret_offset);
    return strcmp(name, canonical) == 0;
}

/* Offsets of the tail files of a console that was never joined: the last two, ascending. */
static size_t find_tails(const char *dir, uint64_t ret_offsets[static 2])
{
    size_t n = 0;
    auto_dir DIR *entries = opendir(dir);
    const struct dirent *entry;
    uint64_t offset;
    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        if (!tail_offset(entry->d_name, &offset) || (n == 2 && offset < ret_offsets[0]))
            continue;
        if (n == 2) { /* three are not ours: the earliest goes */
            ret_offsets[0] = ret_offsets[1];
            n = 1;
        }
        ret_offsets[n++] = offset;
        if (n == 2 && ret_offsets[0] > ret_offsets[1]) {
            ret_offsets[1] = ret_offsets[0];
            ret_offsets[0] = offset;
        }
    }
    return n;
}

void capture_find_parts(const char *dir, struct capture_parts *ret_parts)
{
    *ret_parts = (struct capture_parts){0};
    auto_free char *plain = path_join(dir, "console.log");
    auto_free char *compressed = path_join(dir, "console.log.zst");
    if (!path_exists(plain)) {
        if (path_exists(compressed))
            ret_parts->paths[ret_parts->n++] = steal_text(&compressed);
        return;
    }

    uint64_t offsets[2];
    size_t n = find_tails(dir, offsets);
    for (size_t i = 0; i < n; i++)
        ret_parts->paths[1 + i] = mem_printf("%s.tail-%" PRIu64, plain, offsets[i]);
    struct stat head;
    if (n > 0 && stat(plain, &head) == 0 && offsets[0] > (uint64_t)head.st_size) {
        ret_parts->dropped_at = (uint64_t)head.st_size;
        ret_parts->dropped_bytes = offsets[0] - (uint64_t)head.st_size;
    }
    ret_parts->paths[0] = steal_text(&plain);
    ret_parts->n = 1 + n;
}

void capture_parts_release(struct capture_parts *parts)
{
    for (size_t i = 0; i < parts->n; i++)
        free((char *)parts->paths[i]);
    *parts = (struct capture_parts){0};
}
