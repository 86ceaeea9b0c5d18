/* SPDX-License-Identifier: Apache-2.0 */
/* A scripted peer at the other end of a socket pair. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/base/auto.h"
#include "harness/base/clock.h"
#include "harness/base/mem.h"
#include "harness/qmp.h"

#define GREETING                                                                                   \
    "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, "             \
    "\"package\": \"x\"}, "                                                                        \
    "\"capabilities\": [\"oob\"]}}\r\n"
#define OK "{\"return\": {}}\r\n"

struct peer {
    struct loop *loop;
    struct qmp qmp;
    int fd; /* the other end */
    char version[32], events[200], why[200];
    int returns, ends;
    bool execute_cont;
};

static void on_return(void *ctx, const json_t *value)
{
    struct peer *peer = ctx;
    assert_true(json_is_object(value));
    peer->returns++;
}

static void on_greeting(void *ctx, const char *version)
{
    struct peer *peer = ctx;
    strncpy(peer->version, version, sizeof(peer->version) - 1);
    if (peer->execute_cont)
        qmp_execute(&peer->qmp, "cont", on_return);
}

static void on_event(void *ctx, const char *name, const json_t *data)
{
    struct peer *peer = ctx;
    const char *reason = json_string_value(json_object_get(data, "reason"));
    size_t len = strlen(peer->events);
    (void)snprintf(peer->events + len, sizeof(peer->events) - len, "%.40s(%.40s) ", name,
                   reason != NULL ? reason : "");
}

static void on_end(void *ctx, const char *why)
{
    struct peer *peer = ctx;
    peer->ends++;
    strncpy(peer->why, why, sizeof(peer->why) - 1);
    qmp_stop(&peer->qmp);
}

static int open_peer(void **state)
{
    struct peer *peer = mem_calloc(1, sizeof(*peer));
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    peer->loop = loop_new();
    peer->fd = ends[1];
    peer->execute_cont = true;
    peer->qmp.on_greeting = on_greeting;
    peer->qmp.on_event = on_event;
    peer->qmp.on_end = on_end;
    peer->qmp.ctx = peer;
    qmp_start(&peer->qmp, peer->loop, ends[0]);
    *state = peer;
    return 0;
}

static int close_peer(void **state)
{
    struct peer *peer = *state;
    qmp_stop(&peer->qmp);
    qmp_stop(&peer->qmp);
    auto_fd_release(&peer->fd);
    loop_free(peer->loop);
    free(peer);
    return 0;
}

static void no_op(void *ctx)
{
    (void)ctx;
}

/* Lets the client handle all that was sent: until a turn finds nothing but its own timer. */
static void turn(struct peer *peer)
{
    for (int i = 0; i < 200 && peer->ends == 0; i++) {
        struct loop_timer timer = {.on_due = no_op};
        loop_arm(peer->loop, &timer, 0);
        loop_turn(peer->loop);
        loop_disarm(peer->loop, &timer);
    }
}

static void say_bytes(struct peer *peer, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t put = send(peer->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (put > 0) {
            bytes += put;
            len -= (size_t)put;
        }
        turn(peer);
        if (peer->ends > 0)
            return;
    }
}

static void say(struct peer *peer, const char *text)
{
    say_bytes(peer, text, strlen(text));
}

static void assert_heard(const struct peer *peer, const char *expected)
{
    char heard[1000] = "";
    (void)!recv(peer->fd, heard, sizeof(heard) - 1, MSG_DONTWAIT);
    assert_string_equal(heard, expected);
}

static void test_negotiation(void **state)
{
    struct peer *peer = *state;
    turn(peer);
    assert_heard(peer, "");
    say(peer, GREETING);
    assert_string_equal(peer->version, "7.2.22");
    assert_heard(peer, "{\"execute\": \"qmp_capabilities\"}\n{\"execute\": \"cont\"}\n");
    say(peer, OK);
    assert_int_equal(peer->returns, 0);
    say(peer, "{\"event\": \"RESUME\", \"timestamp\": {}}\r\n" OK);
    assert_int_equal(peer->returns, 1);
    assert_string_equal(peer->events, "RESUME() ");
    assert_int_equal(peer->ends, 0);
}

static void test_any_split(void **state)
{
    static const char whole[] =
        GREETING "\r\n" OK "{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": "
                 "\"guest-reset\", \"guest\": true}}\n" OK;
    (void)state;
    for (size_t step = 1; step < sizeof(whole); step++) {
        void *fresh;
        open_peer(&fresh);
        struct peer *peer = fresh;
        for (size_t at = 0; at < sizeof(whole) - 1; at += step) {
            size_t left = sizeof(whole) - 1 - at;
            say_bytes(peer, whole + at, left < step ? left : step);
        }
        assert_int_equal(peer->returns, 1);
        assert_string_equal(peer->events, "SHUTDOWN(guest-reset) ");
        close_peer(&fresh);
    }
}

static void test_what_ends_the_connection(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"hello\n", "not a JSON object"},
        {"[1, 2]\n", "not a JSON object"},
        {"{\"event\": \"RESUME\"}\n", "greeting"},
        {"{\"QMP\": {\"version\": {\"qemu\": {\"major\": \"7\"}}}}\n", "greeting"},
        {GREETING "\xff\xfe\n", "not a JSON object"},
        {GREETING "{\"strange\": 1}\n", "unknown kind"},
        {GREETING OK OK OK, "no command"},
        {GREETING OK "{\"error\": {\"class\": \"GenericError\", \"desc\": \"reset required\"}}\n",
         "cont: reset required"},
        {GREETING "{\"error\": 7}\n", "qmp_capabilities: refused"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        void *fresh;
        open_peer(&fresh);
        struct peer *peer = fresh;
        say(peer, cases[i].text);
        assert_int_equal(peer->ends, 1);
        if (strstr(peer->why, cases[i].why) == NULL)
            fail_msg("case %zu: %s", i, peer->why);
        close_peer(&fresh);
    }
}

static void test_odd_but_harmless(void **state)
{
    struct peer *peer = *state;
    say(peer, GREETING OK "{\"event\": \"X\", \"data\": 7}\n\n  \n{\"event\": \"Y\"}\n");
    assert_string_equal(peer->events, "X() Y() ");
    assert_int_equal(peer->ends, 0);
}

static void test_closed_by_the_other_side(void **state)
{
    struct peer *peer = *state;
    say(peer, GREETING "{\"return\"");
    assert_heard(peer, "{\"execute\": \"qmp_capabilities\"}\n{\"execute\": \"cont\"}\n");
    auto_fd_release(&peer->fd);
    peer->fd = -1;
    turn(peer);
    assert_int_equal(peer->ends, 1);
    assert_string_equal(peer->why, "QMP: closed by QEMU");
}

static void test_oversized_line(void **state)
{
    struct peer *peer = *state;
    auto_free char *junk = mem_calloc(QMP_LINE_LIMIT + 8192, 1);
    memset(junk, 'x', QMP_LINE_LIMIT + 8192);
    say(peer, GREETING);
    say_bytes(peer, junk, QMP_LINE_LIMIT + 8192);
    assert_int_equal(peer->ends, 1);
    assert_non_null(strstr(peer->why, "a line of more than"));
}

static void test_deep_nesting(void **state)
{
    struct peer *peer = *state;
    auto_free char *deep = mem_calloc(100001, 1);
    memset(deep, '[', 100000);
    deep[99999] = '\n';
    say(peer, GREETING);
    say_bytes(peer, deep, 100000);
    assert_int_equal(peer->ends, 1);
}

/* 3.6 MB; the answer behind them shows that they were all read. */
static void test_a_flood_of_events(void **state)
{
    struct peer *peer = *state;
    static const char event[] = "{\"event\": \"NIC_RX_FILTER_CHANGED\"}\n";
    enum { N = 100000, LEN = sizeof(event) - 1 };
    auto_free char *flood = mem_calloc(N, LEN);
    for (size_t i = 0; i < N; i++)
        memcpy(flood + i * LEN, event, LEN);
    int64_t start = clock_ms();
    say(peer, GREETING OK);
    say_bytes(peer, flood, (size_t)N * LEN);
    say(peer, OK);
    assert_int_equal(peer->returns, 1);
    assert_in_range(clock_ms() - start, 0, 10000);
}

static void test_too_many_commands(void **state)
{
    struct peer *peer = *state;
    peer->execute_cont = false;
    say(peer, GREETING OK);
    for (int i = 0; i < QMP_MAX_WAITING + 1; i++)
        qmp_execute(&peer->qmp, "query-status", NULL);
    turn(peer);
    assert_int_equal(peer->ends, 1);
}

static void test_stop_without_start(void **state)
{
    (void)state;
    struct qmp qmp = {.fd = -1};
    qmp_stop(&qmp);
    qmp_stop(&qmp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_negotiation, open_peer, close_peer),
        cmocka_unit_test(test_any_split),
        cmocka_unit_test(test_what_ends_the_connection),
        cmocka_unit_test_setup_teardown(test_odd_but_harmless, open_peer, close_peer),
        cmocka_unit_test_setup_teardown(test_closed_by_the_other_side, open_peer, close_peer),
        cmocka_unit_test_setup_teardown(test_oversized_line, open_peer, close_peer),
        cmocka_unit_test_setup_teardown(test_deep_nesting, open_peer, close_peer),
        cmocka_unit_test_setup_teardown(test_a_flood_of_events, open_peer, close_peer),
        cmocka_unit_test_setup_teardown(test_too_many_commands, open_peer, close_peer),
        cmocka_unit_test(test_stop_without_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
