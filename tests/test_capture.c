/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "harness/arrivals.h"
#include "harness/base/clock.h"
#include "harness/capture.h"
#include "harness/record.h"

enum { PATIENCE_MS = 10000, MIB = 1 << 20 };

/* One capture under test, fed through a pipe. */
struct lab {
    const char *dir;
    struct loop *loop;
    struct capture capture;
    int in; /* -1 once closed */
    uint64_t seen;
    int ends;
    bool finish_on_bytes, finish_on_end;
};

static void on_bytes(void *ctx, const char *bytes, size_t len)
{
    struct lab *lab = ctx;
    (void)bytes;
    lab->seen += len;
    if (lab->finish_on_bytes)
        capture_finish(&lab->capture);
}

static void on_end(void *ctx)
{
    struct lab *lab = ctx;
    lab->ends++;
    if (lab->finish_on_end)
        capture_finish(&lab->capture);
}

static void lab_open(struct lab *lab, const char *dir, uint64_t limit)
{
    int ends[2];
    *lab = (struct lab){.dir = dir, .loop = loop_new()};
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    lab->in = ends[1];
    auto_free char *path = path_join(dir, "console.log");
    auto_free char *times = path_join(dir, "console.times");
    lab->capture.on_bytes = on_bytes;
    lab->capture.on_end = on_end;
    lab->capture.ctx = lab;
    assert_int_equal(
        capture_start(&lab->capture, lab->loop, ends[0], path, times, limit, clock_ms(), NULL), 0);
}

static void lab_close(struct lab *lab)
{
    capture_finish(&lab->capture);
    capture_finish(&lab->capture);
    loop_free(lab->loop);
    if (lab->in >= 0)
        (void)close(lab->in);
}

/* Byte number `i` of a stream whose every place looks different. */
static char stream_byte(uint64_t i)
{
    return (char)((i * 2654435761u) >> 13);
}

/* Feeds `len` bytes of the stream, at most `step` per write, and lets the capture read. */
static void feed(struct lab *lab, uint64_t *at, uint64_t len, size_t step)
{
    char chunk[4096];
    assert_true(step <= sizeof(chunk));
    for (uint64_t end = *at + len; *at < end;) {
        size_t n = end - *at < step ? (size_t)(end - *at) : step;
        for (size_t i = 0; i < n; i++)
            chunk[i] = stream_byte(*at + i);
        assert_int_equal(write(lab->in, chunk, n), n);
        *at += n;
        capture_drain(&lab->capture);
    }
}

static void assert_stream(const struct bytes *kept, uint64_t gap, uint64_t dropped)
{
    for (uint64_t i = 0; i < kept->len; i++)
        if (kept->data[i] != stream_byte(i < gap ? i : i + dropped))
            fail_msg("byte %" PRIu64 " of %zu is wrong", i, kept->len);
}

static size_t count_tails(const char *dir)
{
    size_t n = 0;
    auto_dir DIR *entries = opendir(dir);
    const struct dirent *entry;
    while ((entry = readdir(entries)) != NULL)
        n += strstr(entry->d_name, ".tail-") != NULL;
    return n;
}

static void small_consoles_are_kept_whole(void **state)
{
    static const uint64_t lens[] = {0, 1, 999, 1000};
    for (size_t i = 0; i < N_ROWS(lens); i++) {
        struct lab lab;
        uint64_t at = 0;
        lab_open(&lab, *state, 1000);
        feed(&lab, &at, lens[i], 1); /* a byte at a time */
        assert_int_equal(lab.seen, lens[i]);
        assert_int_equal(lab.capture.bytes, lens[i]);
        capture_finish(&lab.capture);
        assert_int_equal(lab.capture.dropped_at, -1);
        assert_int_equal(lab.capture.dropped_bytes, 0);
        assert_string_equal(lab.capture.failed.message, "");
        lab_close(&lab);

        auto_record struct record record = {0};
        assert_int_equal(record_load(&record, *state, NULL), 0);
        assert_int_equal(record.console.len, lens[i]);
        assert_stream(&record.console, UINT64_MAX, 0);
        assert_int_equal(record.n_times > 0, lens[i] > 0);
    }
}

/* Any length: what is kept begins with the head and ends with the end. */
static void head_and_tail_are_joined(void **state)
{
    enum { LIMIT = 1000 };
    static const uint64_t lens[] = {1001, 1999, 2000, 2001, 2999, 3000, 3001, 4000, 7777, 20000};
    for (size_t i = 0; i < N_ROWS(lens); i++) {
        struct lab lab;
        uint64_t at = 0;
        lab_open(&lab, *state, LIMIT);
        feed(&lab, &at, lens[i], 333);
        assert_true(count_tails(*state) >= 1 && count_tails(*state) <= 2);
        capture_finish(&lab.capture);
        const struct capture *capture = &lab.capture;
        assert_int_equal(capture->bytes, lens[i]);
        assert_int_equal(capture->dropped_at, capture->dropped_bytes > 0 ? LIMIT : -1);
        assert_int_equal(capture->dropped_bytes > 0, lens[i] > 3 * LIMIT);
        assert_int_equal(count_tails(*state), 0);

        auto_record struct record record = {0};
        assert_int_equal(record_load(&record, *state, NULL), 0);
        assert_int_equal(record.console.len, lens[i] - capture->dropped_bytes);
        assert_true(record.console.len <= 3 * LIMIT);
        assert_true(lens[i] < 2 * LIMIT || record.console.len >= 2 * LIMIT);
        assert_stream(&record.console, LIMIT, capture->dropped_bytes);
        assert_true(record.times[record.n_times - 1].offset < record.console.len);
        lab_close(&lab);
    }
}

/* A guest that never stops printing: at the real limit, as fast as the pipe takes it. */
static void twenty_megabytes_at_once_stay_bounded(void **state)
{
    struct lab lab;
    lab_open(&lab, *state, CAPTURE_LIMIT);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        char chunk[65536];
        for (uint64_t at = 0; at < 20 * MIB; at += sizeof(chunk)) {
            for (size_t i = 0; i < sizeof(chunk); i++)
                chunk[i] = stream_byte(at + i);
            for (size_t put = 0; put < sizeof(chunk);) {
                ssize_t n = write(lab.in, chunk + put, sizeof(chunk) - put);
                if (n <= 0)
                    _exit(1);
                put += (size_t)n;
            }
        }
        _exit(0);
    }
    (void)close(lab.in);
    lab.in = -1;
    int64_t deadline = clock_ms() + PATIENCE_MS;
    while (lab.ends == 0 && clock_ms() < deadline)
        loop_turn(lab.loop);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(lab.ends, 1);
    assert_int_equal(lab.capture.bytes, 20 * MIB);
    assert_int_equal(lab.seen, 20 * MIB);
    capture_finish(&lab.capture);

    auto_record struct record record = {0};
    assert_int_equal(record_load(&record, *state, NULL), 0);
    assert_int_equal(lab.capture.dropped_at, CAPTURE_LIMIT);
    assert_true(record.console.len >= 2 * CAPTURE_LIMIT && record.console.len <= 3 * CAPTURE_LIMIT);
    assert_int_equal(record.console.len + lab.capture.dropped_bytes, 20 * MIB);
    assert_stream(&record.console, CAPTURE_LIMIT, lab.capture.dropped_bytes);
    lab_close(&lab);
}

/* A killed bootdiag joins nothing: the record does it when it is loaded, times included. */
static void unjoined_tails_are_joined_by_the_record(void **state)
{
    enum { LIMIT = 1000 };
    static const uint64_t lens[] = {1500, 2500, 3500, 9999};
    for (size_t i = 0; i < N_ROWS(lens); i++) {
        auto_free char *dir = mem_printf("%s/%zu", (char *)*state, i);
        auto_free char *finished = mem_printf("%s-finished", dir);
        assert_int_equal(path_make_dirs(dir, NULL), 0);
        assert_int_equal(path_make_dirs(finished, NULL), 0);
        free(put_text(dir, "boot.json",
                      "{\"schema\": \"bootdiag.boot/1\", \"console\": "
                      "{\"bytes\": 0, \"dropped_bytes\": 0}}"));
        struct lab lab;
        uint64_t at = 0;
        lab_open(&lab, dir, LIMIT);
        feed(&lab, &at, lens[i], 100);

        auto_record struct record killed = {0};
        assert_int_equal(record_load(&killed, dir, NULL), 0);
        capture_finish(&lab.capture);
        auto_record struct record whole = {0};
        assert_int_equal(record_load(&whole, dir, NULL), 0);
        assert_int_equal(killed.console.len, whole.console.len);
        assert_memory_equal(killed.console.data, whole.console.data, whole.console.len);
        assert_int_equal(killed.console_facts.bytes, lens[i]);
        assert_int_equal(killed.console_facts.dropped_bytes, lab.capture.dropped_bytes);
        assert_int_equal(killed.console_facts.dropped_at, lab.capture.dropped_at);
        assert_int_equal(killed.n_times, whole.n_times);
        assert_memory_equal(killed.times, whole.times, whole.n_times * sizeof(*whole.times));
        lab_close(&lab);
    }
}

static void odd_names_are_no_tails(void **state)
{
    static const char *const names[] = {
        "console.log.tail-",     "console.log.tail-x",
        "console.log.tail--5",   "console.log.tail-+5",
        "console.log.tail- 5",   "console.log.tail-05",
        "console.log.tail-5.gz", "console.log.tail-99999999999999999999999",
    };
    free(put_text(*state, "console.log", "head"));
    for (size_t i = 0; i < N_ROWS(names); i++)
        free(put_text(*state, names[i], "never"));
    struct capture_parts parts;
    capture_find_parts(*state, &parts);
    assert_int_equal(parts.n, 1);
    capture_parts_release(&parts);
    capture_parts_release(&parts);

    /* too many are not ours either: the newest two, in their order */
    free(put_text(*state, "console.log.tail-100", "b"));
    free(put_text(*state, "console.log.tail-20", "a"));
    free(put_text(*state, "console.log.tail-7", "z"));
    free(put_text(*state, "console.log.tail-3", "y"));
    auto_record struct record record = {0};
    assert_int_equal(record_load(&record, *state, NULL), 0);
    assert_int_equal(record.console.len, 6);
    assert_memory_equal(record.console.data, "headab", 6);
    assert_int_equal(record.console_facts.dropped_at, 4);
    assert_int_equal(record.console_facts.dropped_bytes, 16);
}

static void entries_in_the_gap_go(void **state)
{
    (void)state;
    enum { GAP = 100, DROPPED = 50 };
    static const struct {
        struct record_time before[4], after[4];
        size_t n_before, n_after;
    } rows[] = {
        {{{0, 1}, {99, 2}, {150, 3}, {170, 4}}, {{0, 1}, {99, 2}, {100, 3}, {120, 4}}, 4, 4},
        /* what came with one read, half of it behind the gap, keeps that read's time */
        {{{0, 1}, {100, 2}, {140, 3}, {170, 4}}, {{0, 1}, {100, 3}, {120, 4}, {0, 0}}, 4, 3},
        {{{0, 1}, {100, 2}, {140, 3}, {149, 4}}, {{0, 1}, {100, 4}, {0, 0}, {0, 0}}, 4, 2},
        {{{0, 1}, {110, 2}, {150, 3}, {160, 4}}, {{0, 1}, {100, 3}, {110, 4}, {0, 0}}, 4, 3},
        {{{99, 9}, {0, 0}, {0, 0}, {0, 0}}, {{99, 9}, {0, 0}, {0, 0}, {0, 0}}, 1, 1},
        {{{0, 0}, {0, 0}, {0, 0}, {0, 0}}, {{0, 0}, {0, 0}, {0, 0}, {0, 0}}, 0, 0},
    };
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        struct record_time times[4];
        memcpy(times, rows[i].before, sizeof(times));
        size_t n = arrivals_close_gap(times, rows[i].n_before, GAP, DROPPED);
        assert_int_equal(n, rows[i].n_after);
        assert_memory_equal(times, rows[i].after, n * sizeof(times[0]));
    }
}

static void dense_times_stay_bounded_and_linear(void **state)
{
    enum { LIMIT = 100000 };
    auto_buf struct buf text;
    struct lab lab;
    uint64_t at = 0;
    buf_init(&text, SIZE_MAX);
    lab_open(&lab, *state, LIMIT);
    feed(&lab, &at, 5 * LIMIT, 4096);
    for (int i = 0; i < 200000; i++) /* as if each byte had come by itself */
        buf_addf(&text, "%d %d\n", 2 * i, i);
    free(put_bytes(*state, "console.times", text.data, text.len));
    capture_finish(&lab.capture);
    auto_record struct record record = {0};
    assert_int_equal(record_load(&record, *state, NULL), 0);
    assert_int_equal(record_arrival_ms(&record, LIMIT - 1), (LIMIT - 1) / 2);
    assert_int_equal(record_arrival_ms(&record, LIMIT),
                     (LIMIT + (int64_t)lab.capture.dropped_bytes) / 2);
    lab_close(&lab);
}

static void it_can_be_ended_from_its_own_callbacks(void **state)
{
    for (int from_bytes = 0; from_bytes < 2; from_bytes++) {
        struct lab lab;
        uint64_t at = 0;
        lab_open(&lab, *state, 1000);
        lab.finish_on_bytes = from_bytes;
        lab.finish_on_end = !from_bytes;
        feed(&lab, &at, 10, 10);
        (void)close(lab.in);
        lab.in = -1;
        capture_drain(&lab.capture);
        assert_true(lab.capture.ended);
        assert_int_equal(lab.ends, from_bytes ? 0 : 1);
        auto_free char *path = path_join(*state, "console.log");
        struct stat status;
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_size, 10);
        assert_int_equal(lab.seen, 10);
        lab_close(&lab);
    }
}

static void half_started_captures_can_be_finished(void **state)
{
    struct loop *loop = loop_new();
    auto_free char *nowhere = path_join(*state, "none/console.log");
    auto_free char *path = path_join(*state, "console.log");
    const char *const paths[][2] = {{nowhere, NULL}, {path, nowhere}};
    struct capture never = {0};
    capture_drain(&never);
    capture_finish(&never);
    for (size_t i = 0; i < N_ROWS(paths); i++) {
        struct capture capture = {0};
        struct err err;
        int ends[2];
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        assert_int_equal(
            capture_start(&capture, loop, ends[0], paths[i][0], paths[i][1], 1000, 0, &err), -1);
        assert_holds(err.message, "/none/console.log: No such file or directory");
        capture_drain(&capture); /* nothing is there, and nobody waits for it */
        capture_finish(&capture);
        assert_int_equal(fcntl(ends[0], F_GETFD), -1);
        (void)close(ends[1]);
    }
    loop_free(loop);
}

/* When the disk is full the guest's bytes go on being read, and the first failure is kept. */
static void a_full_disk_is_reported_and_the_guest_not_blocked(void **state)
{
    auto_free char *path = path_join(*state, "console.log");
    assert_int_equal(symlink("/dev/full", path), 0);
    struct lab lab;
    uint64_t at = 0;
    lab_open(&lab, *state, 1000);
    feed(&lab, &at, 5000, 100);
    assert_int_equal(lab.capture.bytes, 5000);
    assert_int_equal(lab.seen, 5000);
    capture_finish(&lab.capture);
    assert_holds(lab.capture.failed.message, "/console.log: No space left on device");
    assert_string_equal(lab.capture.failed.cause, "host.disk-full");
    assert_int_equal(count_tails(*state), 2); /* what could be kept */
    lab_close(&lab);
}

/* A limit for files stands for a disk that fills up while head and tail are joined. */
static void a_join_that_fails_leaves_the_parts(void **state)
{
    enum { LIMIT = 1000 };
    struct lab lab;
    uint64_t at = 0;
    lab_open(&lab, *state, LIMIT);
    feed(&lab, &at, 5 * LIMIT, 100);
    struct rlimit old, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 2500;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    capture_finish(&lab.capture);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_holds(lab.capture.failed.message, "/console.log: File too large");
    assert_int_equal(lab.capture.dropped_at, -1);

    auto_record struct record record = {0};
    assert_int_equal(record_load(&record, *state, NULL), 0);
    assert_int_equal(record.console.len + record.console_facts.dropped_bytes, 5 * LIMIT);
    assert_stream(&record.console, LIMIT, record.console_facts.dropped_bytes);
    lab_close(&lab);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        dir_test(small_consoles_are_kept_whole),
        dir_test(head_and_tail_are_joined),
        dir_test(twenty_megabytes_at_once_stay_bounded),
        dir_test(unjoined_tails_are_joined_by_the_record),
        dir_test(odd_names_are_no_tails),
        cmocka_unit_test(entries_in_the_gap_go),
        dir_test(dense_times_stay_bounded_and_linear),
        dir_test(it_can_be_ended_from_its_own_callbacks),
        dir_test(half_started_captures_can_be_finished),
        dir_test(a_full_disk_is_reported_and_the_guest_not_blocked),
        dir_test(a_join_that_fails_leaves_the_parts),
    };
    return cmocka_run_group_tests_name("capture", tests, NULL, NULL);
}
