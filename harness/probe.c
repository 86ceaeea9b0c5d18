/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A probe owns a few slots, each with a curl handle that is used again and again. A timer starts an
 * attempt in a free slot; the engine hands finished ones back. The pace follows what is known of
 * the guest.
 */
#include "harness/probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <curl/curl.h>

#include "harness/base/clock.h"
#include "harness/base/mem.h"
#include "harness/probe_engine.h"
#include "harness/probe_runs.h"

enum {
    PACE_QUIET_MS = 250, /* before the guest's first byte */
    PACE_AWAKE_MS = 90,
    PACE_NUDGED_MS = 90, /* the agent announced itself; more would only slow its first answer */
    NUDGE_LASTS_MS = 1000,
    SLOW_TIMEOUT_MS = 5000,
    ATTEMPT_TIMEOUT_MS = 500, /* a busy guest under TCG may need that long for its first answer */
    N_SLOTS = 9, /* so many attempts that hang leave, at the usual pace, room for a fresh one */
    MAX_BODY = 65536,
};

/* ---- results ---- */

static enum probe_class class_of_errno(long os_errno)
{
    switch (os_errno) {
    case EHOSTUNREACH:
        return PROBE_HOST_UNREACHABLE;
    case ENETUNREACH:
        return PROBE_NET_UNREACHABLE;
    case ECONNREFUSED:
        return PROBE_REFUSED;
    case ECONNRESET:
    case EPIPE:
        return PROBE_RESET;
    default:
        return PROBE_CONNECT_TIMEOUT;
    }
}

static enum probe_class classify(CURL *easy, CURLcode result, int expected_status, int *ret_status)
{
    long status = 0, os_errno = 0;
    curl_off_t connected_us = 0;
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
    (void)curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connected_us);
    *ret_status = (int)status;
    switch (result) {
    case CURLE_OK:
        return status == expected_status ? PROBE_READY : PROBE_HTTP_ERROR;
    case CURLE_COULDNT_CONNECT:
        return class_of_errno(os_errno);
    case CURLE_OPERATION_TIMEDOUT:
        return connected_us > 0 ? PROBE_NO_ANSWER : PROBE_CONNECT_TIMEOUT;
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
        return PROBE_RESET;
    case CURLE_WRITE_ERROR: /* the body is larger than any health answer */
        return status == expected_status ? PROBE_WRONG_BODY : PROBE_HTTP_ERROR;
    default:
        return PROBE_NOT_HTTP;
    }
}

/* ---- attempts ---- */

struct attempt {
    struct probe *probe;
    struct probe_request request;
    bool busy;
    bool unresolved; /* nobody had answered ARP yet when it began */
    size_t body_len;
};

struct probe {
    struct probe_engine *engine;
    struct loop *loop; /* the engine's */
    struct record *record;
    struct probe_options options;
    struct attempt slots[N_SLOTS];
    struct attempt slow; /* used on a link of the host's own */
    struct loop_timer next;
    bool awake, paused;
    int64_t nudged_until_ms;
};

static size_t take_body(char *bytes, size_t size, size_t n, void *ctx)
{
    (void)bytes;
    struct attempt *attempt = ctx;
    attempt->body_len += size * n;
    return attempt->body_len > MAX_BODY ? 0 : size * n;
}

/* A VMM that is started meanwhile must not inherit it: the socket would stay in the loop's epoll
 * set after curl closed it. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)ctx;
    (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* One GET, by itself: no proxy of a CI environment, no redirect, no connection of an earlier
 * attempt. */
static CURL *new_request(const char *url, int timeout_ms)
{
    CURL *easy = curl_easy_init();
    if (easy == NULL)
        abort(); /* out of memory */
    (void)curl_easy_setopt(easy, CURLOPT_URL, url);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
    (void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    (void)curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "bootdiag");
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    return easy;
}

static void abandon(struct attempt *attempt)
{
    if (!attempt->busy)
        return;
    probe_engine_drop(attempt->probe->engine, &attempt->request);
    attempt->busy = false;
}

static void abandon_all(struct probe *probe)
{
    for (size_t i = 0; i < N_SLOTS; i++)
        abandon(&probe->slots[i]);
    abandon(&probe->slow);
}

static int pace(const struct probe *probe, int64_t now)
{
    if (now < probe->nudged_until_ms)
        return PACE_NUDGED_MS;
    return probe->awake ? PACE_AWAKE_MS : PACE_QUIET_MS;
}

/* NULL while all of them wait; their time-out frees them soon. */
static struct attempt *free_slot(struct probe *probe)
{
    for (size_t i = 0; i < N_SLOTS; i++)
        if (!probe->slots[i].busy)
            return &probe->slots[i];
    return NULL;
}

static bool is_unanswered(const char *neighbour)
{
    return strcmp(neighbour, "incomplete") == 0 || strcmp(neighbour, "failed") == 0;
}

static bool is_none(const char *neighbour)
{
    return strcmp(neighbour, "none") == 0;
}

static const char *neighbour_now(const struct probe *probe)
{
    return probe->options.neighbour != NULL ? probe->options.neighbour(probe->options.ctx) : NULL;
}

static void start(struct attempt *attempt)
{
    const char *neighbour = neighbour_now(attempt->probe);
    attempt->unresolved = neighbour != NULL && (is_none(neighbour) || is_unanswered(neighbour));
    attempt->busy = true;
    attempt->body_len = 0;
    probe_engine_start(attempt->probe->engine, &attempt->request);
}

static void start_attempt(void *ctx)
{
    struct probe *probe = ctx;
    loop_arm(probe->loop, &probe->next, pace(probe, clock_ms()));
    if (probe->options.neighbour != NULL && !probe->slow.busy)
        start(&probe->slow);
    struct attempt *attempt = free_slot(probe);
    if (attempt != NULL)
        start(attempt);
}

/*
 * A time-out of ours that came before the kernel's: while nobody answers ARP, it is what the kernel
 * would have said. Of a short attempt that began then, the SYN is lost: the next one, a second
 * later, comes after its end.
 */
static enum probe_class with_neighbour(enum probe_class class, const struct attempt *attempt,
                                       const char *neighbour)
{
    if (class != PROBE_CONNECT_TIMEOUT || neighbour == NULL || is_none(neighbour))
        return class;
    bool lost = attempt != &attempt->probe->slow && attempt->unresolved;
    return lost || is_unanswered(neighbour) ? PROBE_HOST_UNREACHABLE : class;
}

static void finish_attempt(void *ctx, CURLcode result)
{
    struct attempt *attempt = ctx;
    struct probe *probe = attempt->probe;
    int status;
    const char *neighbour = neighbour_now(probe);
    enum probe_class class =
        classify(attempt->request.easy, result, probe->options.expected_status, &status);
    class = with_neighbour(class, attempt, neighbour);
    abandon(attempt);
    if (class == PROBE_READY)
        abandon_all(probe);
    probe_runs_note(probe->record, class, clock_ms() - probe->options.start_ms, status, neighbour);
    probe->options.on_result(probe->options.ctx, class);
}

static void init_attempt(struct attempt *attempt, struct probe *probe, int timeout_ms)
{
    attempt->probe = probe;
    attempt->request = (struct probe_request){
        .easy = new_request(probe->options.url, timeout_ms),
        .on_end = finish_attempt,
        .ctx = attempt,
    };
    (void)curl_easy_setopt(attempt->request.easy, CURLOPT_WRITEDATA, attempt);
}

struct probe *probe_new(struct probe_engine *engine, struct record *record,
                        const struct probe_options *options)
{
    struct probe *probe = mem_calloc(1, sizeof(*probe));
    probe->engine = engine;
    probe->loop = probe_engine_loop(engine);
    probe->record = record;
    probe->options = *options;
    probe->next = (struct loop_timer){.on_due = start_attempt, .ctx = probe};
    for (size_t i = 0; i < N_SLOTS; i++)
        init_attempt(&probe->slots[i], probe, ATTEMPT_TIMEOUT_MS);
    init_attempt(&probe->slow, probe, SLOW_TIMEOUT_MS);
    loop_arm(probe->loop, &probe->next, 0);
    return probe;
}

void probe_pause(struct probe *probe)
{
    abandon_all(probe);
    loop_disarm(probe->loop, &probe->next);
    probe->paused = true;
}

void probe_resume(struct probe *probe)
{
    probe->paused = false;
    loop_arm(probe->loop, &probe->next, 0);
}

void probe_free(struct probe *probe)
{
    if (probe == NULL)
        return;
    probe_pause(probe);
    for (size_t i = 0; i < N_SLOTS; i++)
        curl_easy_cleanup(probe->slots[i].request.easy);
    curl_easy_cleanup(probe->slow.request.easy);
    free(probe);
}

void probe_nudge(struct probe *probe)
{
    int64_t now = clock_ms();
    bool already =
        now < probe->nudged_until_ms; /* a guest that shouts must not starve its attempts */
    probe->nudged_until_ms = now + NUDGE_LASTS_MS;
    if (probe->paused || already)
        return;
    abandon_all(probe); /* they wait for what was there before: a fresh one is faster */
    loop_arm(probe->loop, &probe->next, 0);
}

void probe_awake(struct probe *probe)
{
    probe->awake = true;
}

bool probe_answers(const char *url, int timeout_ms)
{
    struct attempt attempt = {0};
    CURL *easy = new_request(url, timeout_ms);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, &attempt);
    CURLcode result = curl_easy_perform(easy);
    curl_off_t connected_us = 0;
    int status;
    enum probe_class class = classify(easy, result, 0, &status);
    (void)curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connected_us);
    curl_easy_cleanup(easy);
    return status != 0 || (class == PROBE_NOT_HTTP && connected_us > 0);
}
