/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sys/socket.h>

#include "tests/support.h"

#include "harness/relay.h"

enum { KEPT = 1000 };

struct rig {
    struct loop *loop;
    struct relay relay;
    int in, out; /* what the test writes to and reads from */
};

static int rig_setup(void **state)
{
    struct rig *rig = mem_calloc(1, sizeof(*rig));
    int pipe_ends[2], socket_ends[2];
    assert_int_equal(pipe2(pipe_ends, O_NONBLOCK), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, socket_ends), 0);
    rig->loop = loop_new();
    rig->in = pipe_ends[1];
    rig->out = socket_ends[1];
    relay_start(&rig->relay, rig->loop, pipe_ends[0], socket_ends[0], KEPT);
    *state = rig;
    return 0;
}

static int rig_teardown(void **state)
{
    struct rig *rig = *state;
    relay_stop(&rig->relay);
    relay_stop(&rig->relay);
    auto_fd_release(&rig->in);
    auto_fd_release(&rig->out);
    loop_free(rig->loop);
    free(rig);
    return 0;
}

static void on_due(void *ctx)
{
    *(bool *)ctx = true;
}

/* Turns of the loop until `ms` have passed. */
static int turns_within(struct rig *rig, int ms)
{
    bool over = false;
    struct loop_timer timer = {.on_due = on_due, .ctx = &over};
    int turns = 0;
    loop_arm(rig->loop, &timer, ms);
    while (!over) {
        loop_turn(rig->loop);
        turns++;
    }
    return turns;
}

static void test_bytes_pass_and_the_first_are_kept(void **state)
{
    struct rig *rig = *state;
    char bytes[3000], got[4000];
    memset(bytes, 'a', sizeof(bytes));
    assert_int_equal(write(rig->in, bytes, sizeof(bytes)), sizeof(bytes));
    (void)turns_within(rig, 5);
    assert_int_equal(read(rig->out, got, sizeof(got)), sizeof(bytes));
    assert_int_equal(rig->relay.kept.len, KEPT);
    assert_true(rig->relay.kept.overflow);
}

static void test_a_full_side_neither_loses_nor_spins(void **state)
{
    struct rig *rig = *state;
    char chunk[4096];
    size_t written = 0, seen = 0;
    for (int refused = 0; refused < 3;) { /* until neither side takes more */
        memset(chunk, (int)('a' + written / sizeof(chunk) % 26), sizeof(chunk));
        ssize_t put = write(rig->in, chunk, sizeof(chunk)); /* all of it or nothing: PIPE_BUF */
        if (put <= 0) {
            (void)turns_within(rig, 5);
            refused++;
        } else {
            written += (size_t)put;
        }
    }
    assert_true(written > 70000); /* more than the pipe holds */
    assert_in_range(turns_within(rig, 50), 1, 20);
    for (int i = 0; i < 1000 && seen < written; i++) {
        ssize_t got;
        while ((got = read(rig->out, chunk, sizeof(chunk))) > 0)
            for (ssize_t at = 0; at < got; at++, seen++)
                assert_int_equal(chunk[at], 'a' + seen / sizeof(chunk) % 26);
        (void)turns_within(rig, 1);
    }
    assert_int_equal(seen, written);
}

static void test_both_ends_may_go(void **state)
{
    struct rig *rig = *state;
    char got[10];
    assert_int_equal(write(rig->in, "end", 3), 3);
    (void)close(steal_fd(&rig->in));
    relay_drain(&rig->relay);
    assert_in_range(turns_within(rig, 50), 1, 20);
    assert_int_equal(read(rig->out, got, sizeof(got)), 3);
}

static void test_a_reader_that_left(void **state)
{
    struct rig *rig = *state;
    (void)close(steal_fd(&rig->out));
    for (int i = 0; i < 10; i++) {
        assert_int_equal(write(rig->in, "x", 1), 1);
        (void)turns_within(rig, 1);
    }
    assert_in_range(turns_within(rig, 50), 1, 20);
    assert_int_equal(rig->relay.kept.len, 10);
}

#define rig_test(function) cmocka_unit_test_setup_teardown(function, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        rig_test(test_bytes_pass_and_the_first_are_kept),
        rig_test(test_a_full_side_neither_loses_nor_spins),
        rig_test(test_both_ends_may_go),
        rig_test(test_a_reader_that_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
