/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "harness/base/clock.h"
#include "harness/probe.h"
#include "harness/probe_engine.h"

enum { PATIENCE_MS = 10000, MAX_PEERS = 64 };

/* ---- a listener on 127.0.0.1 that behaves as told ---- */

enum mood {
    MOOD_DEAF,    /* bound, not listening: refuses */
    MOOD_FULL,    /* its queue is full: connecting takes for ever */
    MOOD_AWAY,    /* listens, nobody accepts */
    MOOD_RESET,   /* accepts and resets */
    MOOD_HANG_UP, /* reads the request and closes without a byte */
    MOOD_SPEAK,   /* reads the request, says `text` and then `n_more` kilobytes, closes */
    MOOD_HOLD,    /* the same and stays */
    MOOD_DRIP,    /* says `text` a byte at a time, and stays */
};

struct server;

struct peer {
    struct server *server;
    int fd;
    struct loop_watch watch;
    struct loop_timer timer;
    size_t sent;
};

struct server {
    struct loop *loop;
    enum mood mood;
    const char *text;
    size_t n_more;
    int delay_ms; /* between request and answer */
    int fd;
    int fillers[4];
    char url[64];
    struct loop_watch watch;
    struct peer peers[MAX_PEERS]; /* used in turn */
    size_t n_accepted;
};

static void peer_close(struct peer *peer)
{
    if (peer->fd < 0)
        return;
    loop_unwatch(peer->server->loop, &peer->watch);
    loop_disarm(peer->server->loop, &peer->timer);
    (void)close(peer->fd);
    peer->fd = -1;
}

/* Says as much as fits now; a peer that went away ends it. */
static void peer_speak(void *ctx)
{
    struct peer *peer = ctx;
    const struct server *server = peer->server;
    size_t text_len = strlen(server->text), len = text_len + server->n_more * 1024;
    static const char kilobyte[1024] = "more ";
    while (peer->sent < len) {
        bool in_text = peer->sent < text_len;
        const char *from =
            in_text ? server->text + peer->sent : kilobyte + (peer->sent - text_len) % 1024;
        size_t n = in_text ? text_len - peer->sent : 1024 - (peer->sent - text_len) % 1024;
        ssize_t put = send(peer->fd, from, server->mood == MOOD_DRIP ? 1 : n, MSG_NOSIGNAL);
        if (put < 0 && errno == EAGAIN) {
            loop_watch(server->loop, &peer->watch, EPOLLOUT);
            return;
        }
        if (put < 0) {
            peer_close(peer);
            return;
        }
        peer->sent += (size_t)put;
        if (server->mood == MOOD_DRIP) {
            loop_arm(server->loop, &peer->timer, 20);
            return;
        }
    }
    if (server->mood == MOOD_SPEAK)
        peer_close(peer);
}

static void peer_on_ready(void *ctx, uint32_t events)
{
    struct peer *peer = ctx;
    char request[4096];
    if (!(events & EPOLLIN)) {
        peer_speak(peer);
        return;
    }
    if (read(peer->fd, request, sizeof(request)) <= 0 || peer->server->mood == MOOD_HANG_UP) {
        peer_close(peer);
        return;
    }
    loop_watch(peer->server->loop, &peer->watch, 0);
    loop_arm(peer->server->loop, &peer->timer, peer->server->delay_ms);
}

static void server_on_ready(void *ctx, uint32_t events)
{
    (void)events;
    struct server *server = ctx;
    struct peer *peer = &server->peers[server->n_accepted++ % MAX_PEERS];
    peer_close(peer);
    peer->fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    peer->sent = 0;
    if (peer->fd < 0)
        return;
    if (server->mood == MOOD_RESET) {
        const struct linger at_once = {.l_onoff = 1};
        (void)setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        peer_close(peer);
        return;
    }
    peer->watch = (struct loop_watch){.fd = peer->fd, .on_ready = peer_on_ready, .ctx = peer};
    loop_watch(server->loop, &peer->watch, EPOLLIN);
}

/* With a queue of one that is taken the kernel drops every further SYN (listen(2), tcp(7)). */
static void fill_queue(struct server *server, const struct sockaddr_in *address)
{
    for (size_t i = 0; i < N_ROWS(server->fillers); i++) {
        server->fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)connect(server->fillers[i], (const struct sockaddr *)address, sizeof(*address));
    }
}

static void server_listen(struct server *server)
{
    assert_int_equal(listen(server->fd, server->mood == MOOD_FULL ? 0 : 64), 0);
    server->watch =
        (struct loop_watch){.fd = server->fd, .on_ready = server_on_ready, .ctx = server};
    if (server->mood != MOOD_FULL && server->mood != MOOD_AWAY)
        loop_watch(server->loop, &server->watch, EPOLLIN);
}

/* `mood`, `text`, `n_more` and `delay_ms` are set. */
static void server_open(struct server *server, struct loop *loop)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    server->loop = loop;
    for (size_t i = 0; i < N_ROWS(server->fillers); i++)
        server->fillers[i] = -1;
    for (size_t i = 0; i < MAX_PEERS; i++)
        server->peers[i] = (struct peer){
            .server = server, .fd = -1, .timer = {.on_due = peer_speak, .ctx = &server->peers[i]}};
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(server->fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &len), 0);
    (void)snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%d/health",
                   ntohs(address.sin_port));
    if (server->mood != MOOD_DEAF)
        server_listen(server);
    if (server->mood == MOOD_FULL)
        fill_queue(server, &address);
}

static void server_close(struct server *server)
{
    for (size_t i = 0; i < MAX_PEERS; i++)
        peer_close(&server->peers[i]);
    for (size_t i = 0; i < N_ROWS(server->fillers); i++)
        if (server->fillers[i] >= 0)
            (void)close(server->fillers[i]);
    loop_unwatch(server->loop, &server->watch);
    (void)close(server->fd);
}

/* ---- a probe of it ---- */

struct lab {
    struct server server;
    const char *neighbours[2]; /* what the host knows of its neighbour, for the first attempts and
                                  later; NULL: not asked */
    int n_asked, first_asked;
    struct record record;
    struct probe *probe;
    int n_results;
    enum probe_class last;
    bool pause_when_ready;
};

static void on_result(void *ctx, enum probe_class class)
{
    struct lab *lab = ctx;
    lab->n_results++;
    lab->last = class;
    if (class == PROBE_READY && lab->pause_when_ready)
        probe_pause(lab->probe);
}

static const char *neighbour_of(void *ctx)
{
    struct lab *lab = ctx;
    return lab->neighbours[lab->n_asked++ < lab->first_asked ? 0 : 1];
}

/* `server` is as for server_open. */
static void lab_open(struct lab *lab, struct loop *loop, struct probe_engine *engine)
{
    server_open(&lab->server, loop);
    record_init(&lab->record);
    struct probe_options options = {.url = lab->server.url,
                                    .expected_status = 200,
                                    .start_ms = clock_ms(),
                                    .neighbour = lab->neighbours[0] != NULL ? neighbour_of : NULL,
                                    .on_result = on_result,
                                    .ctx = lab};
    lab->probe = probe_new(engine, &lab->record, &options);
}

static void lab_close(struct lab *lab)
{
    probe_free(lab->probe);
    server_close(&lab->server);
    record_release(&lab->record);
}

struct bench {
    struct loop *loop;
    struct probe_engine *engine;
};

static int setup(void **state)
{
    struct bench *bench = mem_calloc(1, sizeof(*bench));
    bench->loop = loop_new();
    bench->engine = probe_engine_new(bench->loop, NULL);
    *state = bench;
    return bench->engine != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    probe_engine_free(bench->engine);
    loop_free(bench->loop);
    free(bench);
    return 0;
}

static void set_flag(void *ctx)
{
    *(bool *)ctx = true;
}

/* Turns until `n` results are there or `most_ms` have passed; true if they are. */
static bool turn_until(struct loop *loop, const struct lab *lab, int n, int most_ms)
{
    bool over = false;
    struct loop_timer timer = {.on_due = set_flag, .ctx = &over};
    loop_arm(loop, &timer, most_ms);
    while (lab->n_results < n && !over)
        loop_turn(loop);
    loop_disarm(loop, &timer);
    return lab->n_results >= n;
}

static bool turn_until_ready(struct loop *loop, const struct lab *lab, int most_ms)
{
    int64_t deadline = clock_ms() + most_ms;
    while (lab->n_results == 0 || lab->last != PROBE_READY)
        if (!turn_until(loop, lab, lab->n_results + 1, (int)(deadline - clock_ms())))
            return false;
    return true;
}

/* ---- the class of each behaviour ---- */

#define OK_HEAD "HTTP/1.1 200 OK\r\n"

static const struct behaviour {
    const char *name;
    enum mood mood;
    const char *text;
    size_t n_more;
    enum probe_class want;
    int status;
} BEHAVIOURS[] = {
    {"refuses", MOOD_DEAF, "", 0, PROBE_REFUSED, 0},
    {"drops the SYN", MOOD_FULL, "", 0, PROBE_CONNECT_TIMEOUT, 0},
    {"never accepts", MOOD_AWAY, "", 0, PROBE_NO_ANSWER, 0},
    {"accepts and hangs", MOOD_HOLD, "", 0, PROBE_NO_ANSWER, 0},
    {"resets", MOOD_RESET, "", 0, PROBE_RESET, 0},
    {"closes without a byte", MOOD_HANG_UP, "", 0, PROBE_RESET, 0},
    {"speaks another protocol", MOOD_SPEAK, "SSH-2.0-OpenSSH_9.2p1\r\n", 0, PROBE_NOT_HTTP, 0},
    {"speaks and stays", MOOD_HOLD, "220 mail ESMTP\r\n", 0, PROBE_NOT_HTTP, 0},
    {"speaks noise", MOOD_SPEAK, "\xff\xfe\x01\x1b[31m\r\n\r\n", 64, PROBE_NOT_HTTP, 0},
    {"is well", MOOD_SPEAK, OK_HEAD "Content-Length: 2\r\n\r\nok", 0, PROBE_READY, 200},
    {"is well and keeps the line", MOOD_HOLD, OK_HEAD "Content-Length: 2\r\n\r\nok", 0, PROBE_READY,
     200},
    {"is well in HTTP/1.0", MOOD_SPEAK, "HTTP/1.0 200 OK\r\n\r\nok", 0, PROBE_READY, 200},
    {"has an empty body", MOOD_HOLD, OK_HEAD "Content-Length: 0\r\n\r\n", 0, PROBE_READY, 200},
    {"is not well", MOOD_SPEAK, "HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno", 0,
     PROBE_HTTP_ERROR, 503},
    {"redirects", MOOD_SPEAK, "HTTP/1.1 302 F\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", 0,
     PROBE_HTTP_ERROR, 302},
    {"has no content", MOOD_SPEAK, "HTTP/1.1 204 No Content\r\n\r\n", 0, PROBE_HTTP_ERROR, 204},
    {"sends 10 MB", MOOD_HOLD, OK_HEAD "\r\n", 10240, PROBE_WRONG_BODY, 200},
    {"sends 10 MB of error", MOOD_HOLD, "HTTP/1.1 500 No\r\n\r\n", 10240, PROBE_HTTP_ERROR, 500},
    {"drips", MOOD_DRIP, "HTTP/1.1 200 OKOKOKOKOKOKOKOKOKOKOKOKOKOKOKOKOKOKOK", 0, PROBE_NO_ANSWER,
     0},
    {"never ends its body", MOOD_HOLD, OK_HEAD "Content-Length: 9\r\n\r\nok", 0, PROBE_NO_ANSWER,
     200},
    {"ends its body early", MOOD_SPEAK, OK_HEAD "Content-Length: 9\r\n\r\nok", 0, PROBE_RESET, 200},
};
enum { N_BEHAVIOURS = N_ROWS(BEHAVIOURS) };

/* Has it met the wanted class, and else only what a busy machine makes of any attempt: a time-out?
 */
static bool has_met(const struct lab *lab, const struct behaviour *behaviour)
{
    bool met = false;
    for (size_t i = 0; i < lab->record.probe.n_runs; i++) {
        const struct probe_run *run = &lab->record.probe.runs[i];
        if (run->class == behaviour->want && run->http_status == behaviour->status)
            met = true;
        else if (run->class != PROBE_NO_ANSWER && run->class != PROBE_CONNECT_TIMEOUT)
            fail_msg("%s: %s, status %d", behaviour->name, probe_class_name(run->class),
                     run->http_status);
    }
    return met;
}

/* All at once, as the probes of a campaign are. */
static void each_behaviour_has_its_class(void **state)
{
    struct bench *bench = *state;
    struct lab *labs = mem_calloc(N_BEHAVIOURS, sizeof(*labs));
    for (size_t i = 0; i < N_BEHAVIOURS; i++) {
        labs[i].server.mood = BEHAVIOURS[i].mood;
        labs[i].server.text = BEHAVIOURS[i].text;
        labs[i].server.n_more = BEHAVIOURS[i].n_more;
        lab_open(&labs[i], bench->loop, bench->engine);
    }
    int64_t deadline = clock_ms() + PATIENCE_MS;
    for (size_t i = 0; i < N_BEHAVIOURS; i++) {
        while (!has_met(&labs[i], &BEHAVIOURS[i]))
            if (!turn_until(bench->loop, &labs[i], labs[i].n_results + 1,
                            (int)(deadline - clock_ms())))
                fail_msg("%s: never %s", BEHAVIOURS[i].name, probe_class_name(BEHAVIOURS[i].want));
        lab_close(&labs[i]);
    }
    free(labs);
}

/* In a child: probe_answers waits, and so cannot share our loop. */
static void an_answer_of_any_kind_is_noticed(void **state)
{
    (void)state;
    static const struct {
        enum mood mood;
        const char *text;
        bool want;
        int most_ms;
    } rows[] = {
        {MOOD_SPEAK, OK_HEAD "Content-Length: 2\r\n\r\nok", true, PATIENCE_MS},
        {MOOD_SPEAK, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", true, PATIENCE_MS},
        {MOOD_SPEAK, "SSH-2.0-OpenSSH_9.2p1\r\n", true, PATIENCE_MS},
        {MOOD_DEAF, "", false, PATIENCE_MS},
        {MOOD_AWAY, "", false, 50},
        {MOOD_HOLD, "", false, 50},
        {MOOD_RESET, "", false, PATIENCE_MS},
        {MOOD_HANG_UP, "", false, PATIENCE_MS},
    };
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        struct loop *loop = loop_new();
        struct server *server = mem_calloc(1, sizeof(*server));
        server->mood = rows[i].mood;
        server->text = rows[i].text;
        server_open(server, loop);
        fflush(stdout);
        pid_t pid = fork();
        while (pid == 0)
            loop_turn(loop);
        bool got = probe_answers(server->url, rows[i].most_ms);
        (void)kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        server_close(server);
        free(server);
        loop_free(loop);
        if (got != rows[i].want)
            fail_msg("row %zu: %s", i, got ? "noticed" : "not noticed");
    }
    assert_false(probe_answers("file:///etc/passwd", PATIENCE_MS));
}

/* ---- pace ---- */

static void a_nudge_asks_at_once(void **state)
{
    struct bench *bench = *state;
    struct lab lab = {.server = {.mood = MOOD_DEAF, .text = OK_HEAD "Content-Length: 0\r\n\r\n"}};
    lab_open(&lab, bench->loop, bench->engine);
    assert_true(turn_until(bench->loop, &lab, 1, PATIENCE_MS));
    assert_int_equal(lab.last, PROBE_REFUSED);
    lab.server.mood = MOOD_SPEAK;
    server_listen(&lab.server);
    probe_nudge(lab.probe);
    assert_true(turn_until_ready(bench->loop, &lab, 240)); /* the next attempt was 250 ms away */
    lab_close(&lab);
}

/* A guest that prints its ready line without end must not starve the attempts. */
static void nudging_without_end_still_gets_an_answer(void **state)
{
    struct bench *bench = *state;
    struct lab lab = {.server = {.mood = MOOD_SPEAK,
                                 .text = OK_HEAD "Content-Length: 0\r\n\r\n",
                                 .delay_ms = 60}};
    lab_open(&lab, bench->loop, bench->engine);
    int64_t deadline = clock_ms() + PATIENCE_MS;
    while (lab.n_results == 0 && clock_ms() < deadline) {
        loop_turn(bench->loop);
        probe_nudge(lab.probe);
    }
    assert_int_equal(lab.n_results, 1);
    assert_int_equal(lab.last, PROBE_READY);
    assert_true(lab.server.n_accepted < 64);
    lab_close(&lab);
}

/* A busy guest may take hundreds of milliseconds: attempts that overlap must not cut each other
 * short. */
static void a_slow_answer_is_an_answer(void **state)
{
    struct bench *bench = *state;
    struct lab lab = {.server = {.mood = MOOD_SPEAK,
                                 .text = OK_HEAD "Content-Length: 0\r\n\r\n",
                                 .delay_ms = 350}};
    lab_open(&lab, bench->loop, bench->engine);
    probe_awake(lab.probe);
    assert_true(turn_until_ready(bench->loop, &lab, PATIENCE_MS));
    lab_close(&lab);
}

/* While old attempts hang, fresh ones are made, and each of them has a result in the end. */
static void hanging_attempts_leave_room_for_fresh_ones(void **state)
{
    struct bench *bench = *state;
    struct lab lab = {.server = {.mood = MOOD_HOLD, .text = ""}};
    lab_open(&lab, bench->loop, bench->engine);
    probe_awake(lab.probe);
    assert_true(turn_until(bench->loop, &lab, 1, PATIENCE_MS));
    assert_int_equal(lab.last, PROBE_NO_ANSWER);
    assert_true(lab.server.n_accepted >= 3);
    assert_int_equal(lab.record.probe.runs[0].count, lab.n_results);
    lab.server.text = OK_HEAD "Content-Length: 0\r\n\r\n";
    lab.server.mood = MOOD_SPEAK;
    assert_true(turn_until_ready(bench->loop, &lab, PATIENCE_MS));
    lab_close(&lab);
}

/* Connects that nobody answers, with what the host knows of its neighbour when they begin and when
 * they end. */
static void a_neighbour_that_is_silent_is_unreachable(void **state)
{
    static const struct {
        const char *first, *later;
        enum probe_class want;
    } rows[] = {
        {"incomplete", "incomplete", PROBE_HOST_UNREACHABLE},
        {"failed", "failed", PROBE_HOST_UNREACHABLE},
        {"none", "incomplete", PROBE_HOST_UNREACHABLE},
        {"reachable", "incomplete", PROBE_HOST_UNREACHABLE},
        {"incomplete", "reachable", PROBE_HOST_UNREACHABLE}, /* its SYN was lost before */
        {"reachable", "reachable", PROBE_CONNECT_TIMEOUT},
        {"stale", "probe", PROBE_CONNECT_TIMEOUT},
        {"none", "none", PROBE_CONNECT_TIMEOUT}, /* not on a link of ours */
    };
    struct bench *bench = *state;
    struct lab labs[N_ROWS(rows)];
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        /* The slow attempt and the first short one ask. */
        labs[i] = (struct lab){.server = {.mood = MOOD_FULL},
                               .neighbours = {rows[i].first, rows[i].later},
                               .first_asked = 2};
        lab_open(&labs[i], bench->loop, bench->engine);
    }
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        assert_true(turn_until(bench->loop, &labs[i], 1, PATIENCE_MS));
        const struct probe_run *run = &labs[i].record.probe.runs[0];
        if (run->class != rows[i].want)
            fail_msg("%s, %s: %s", rows[i].first, rows[i].later, probe_class_name(run->class));
        assert_string_equal(run->neighbour, rows[i].later);
        lab_close(&labs[i]);
    }
}

/* Only a refusal is a refusal: what the neighbour table says changes nothing but time-outs. */
static void other_classes_do_not_depend_on_the_neighbour(void **state)
{
    struct bench *bench = *state;
    struct lab lab = {.server = {.mood = MOOD_DEAF}, .neighbours = {"failed", "failed"}};
    lab_open(&lab, bench->loop, bench->engine);
    assert_true(turn_until(bench->loop, &lab, 1, PATIENCE_MS));
    assert_int_equal(lab.last, PROBE_REFUSED);
    lab_close(&lab);
}

/* On a link of the host's own one slow connect is in flight beside the first short one. */
static void a_slow_attempt_goes_along(void **state)
{
    struct bench *bench = *state;
    struct lab lab = {.server = {.mood = MOOD_HOLD, .text = ""},
                      .neighbours = {"reachable", "reachable"}};
    lab_open(&lab, bench->loop, bench->engine);
    assert_true(turn_until(bench->loop, &lab, 1, PATIENCE_MS)); /* a short one has ended */
    assert_int_equal(lab.last, PROBE_NO_ANSWER);
    lab.server.text = OK_HEAD "Content-Length: 0\r\n\r\n";
    lab.server.mood = MOOD_SPEAK;
    const struct peer *first = &lab.server.peers[0], *second = &lab.server.peers[1];
    assert_true((first->fd >= 0) + (second->fd >= 0) >= 1); /* the slow one still waits */
    assert_true(turn_until_ready(bench->loop, &lab, PATIENCE_MS));
    lab_close(&lab);
}

/* One is paused after an answer, the other while its attempts hang: what is dropped is not noted.
 */
static void a_paused_probe_is_silent(void **state)
{
    struct bench *bench = *state;
    struct lab lab = {.server = {.mood = MOOD_SPEAK, .text = OK_HEAD "Content-Length: 0\r\n\r\n"},
                      .pause_when_ready = true};
    struct lab hanging = {.server = {.mood = MOOD_HOLD, .text = ""}};
    lab_open(&hanging, bench->loop, bench->engine);
    lab_open(&lab, bench->loop, bench->engine);
    assert_true(turn_until_ready(bench->loop, &lab, PATIENCE_MS));
    while (hanging.server.n_accepted == 0)
        loop_turn(bench->loop);
    probe_pause(hanging.probe);
    int before = hanging.n_results;
    size_t accepted = lab.server.n_accepted;
    probe_nudge(lab.probe);
    probe_awake(lab.probe);
    assert_false(turn_until(bench->loop, &lab, 2, 550)); /* longer than any pace and time-out */
    assert_int_equal(lab.server.n_accepted, accepted);
    assert_int_equal(hanging.n_results, before);

    lab.pause_when_ready = false;
    probe_resume(lab.probe);
    assert_true(turn_until(bench->loop, &lab, 2, PATIENCE_MS));
    assert_int_equal(lab.record.probe.runs[0].count, lab.n_results);
    lab_close(&lab);
    lab_close(&hanging);
}

static void probes_can_be_freed_with_attempts_in_flight(void **state)
{
    struct bench *bench = *state;
    struct lab lab = {.server = {.mood = MOOD_HOLD, .text = ""}};
    lab_open(&lab, bench->loop, bench->engine);
    while (lab.server.n_accepted == 0)
        loop_turn(bench->loop);
    lab_close(&lab);
    probe_free(NULL);
}

#define probe_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        probe_test(each_behaviour_has_its_class),
        cmocka_unit_test(an_answer_of_any_kind_is_noticed),
        probe_test(a_nudge_asks_at_once),
        probe_test(nudging_without_end_still_gets_an_answer),
        probe_test(a_slow_answer_is_an_answer),
        probe_test(hanging_attempts_leave_room_for_fresh_ones),
        probe_test(a_neighbour_that_is_silent_is_unreachable),
        probe_test(other_classes_do_not_depend_on_the_neighbour),
        probe_test(a_slow_attempt_goes_along),
        probe_test(a_paused_probe_is_silent),
        probe_test(probes_can_be_freed_with_attempts_in_flight),
    };
    return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
