/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl asks for sockets to be watched and for a timer, and is told what became of them; then it
 * has requests that ended.
 */
#include "harness/probe_engine.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "harness/base/mem.h"

struct probe_engine {
    struct loop *loop;
    CURLM *multi;
    struct loop_timer timer;
};

static void collect(struct probe_engine *engine)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(engine->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE)
            continue;
        struct probe_request *request = NULL;
        CURLcode result = message->data.result; /* the message dies with the next call */
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&request);
        request->on_end(request->ctx, result);
    }
}

static void on_curl_timer(void *ctx)
{
    struct probe_engine *engine = ctx;
    int running;
    (void)curl_multi_socket_action(engine->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(engine);
}

static int set_curl_timer(CURLM *multi, long timeout_ms, void *ctx)
{
    (void)multi;
    struct probe_engine *engine = ctx;
    if (timeout_ms < 0)
        loop_disarm(engine->loop, &engine->timer);
    else
        loop_arm(engine->loop, &engine->timer, timeout_ms);
    return 0;
}

struct curl_socket {
    struct loop_watch watch;
    struct probe_engine *engine;
};

static void on_curl_socket(void *ctx, uint32_t events)
{
    struct curl_socket *curl_socket = ctx;
    struct probe_engine *engine = curl_socket->engine; /* curl may free curl_socket in the call */
    int action = 0, running;
    if (events & (EPOLLIN | EPOLLHUP))
        action |= CURL_CSELECT_IN;
    if (events & EPOLLOUT)
        action |= CURL_CSELECT_OUT;
    if (events & EPOLLERR)
        action |= CURL_CSELECT_ERR;
    (void)curl_multi_socket_action(engine->multi, curl_socket->watch.fd, action, &running);
    collect(engine);
}

static int set_curl_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *assigned)
{
    (void)easy;
    struct probe_engine *engine = ctx;
    struct curl_socket *curl_socket = assigned;
    if (what == CURL_POLL_REMOVE) {
        if (curl_socket != NULL)
            loop_unwatch(engine->loop, &curl_socket->watch);
        free(curl_socket);
        (void)curl_multi_assign(engine->multi, fd, NULL);
        return 0;
    }
    if (curl_socket == NULL) {
        curl_socket = mem_calloc(1, sizeof(*curl_socket));
        curl_socket->engine = engine;
        curl_socket->watch =
            (struct loop_watch){.fd = fd, .on_ready = on_curl_socket, .ctx = curl_socket};
        (void)curl_multi_assign(engine->multi, fd, curl_socket);
    }
    uint32_t events = 0;
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        events |= EPOLLIN;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        events |= EPOLLOUT;
    loop_watch(engine->loop, &curl_socket->watch, events);
    return 0;
}

struct probe_engine *probe_engine_new(struct loop *loop, struct err *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        err_set(err, "libcurl cannot be initialised");
        return NULL;
    }
    struct probe_engine *engine = mem_calloc(1, sizeof(*engine));
    engine->loop = loop;
    engine->timer = (struct loop_timer){.on_due = on_curl_timer, .ctx = engine};
    engine->multi = curl_multi_init();
    if (engine->multi == NULL) {
        free(engine);
        err_set(err, "libcurl cannot be initialised");
        return NULL;
    }
    (void)curl_multi_setopt(engine->multi, CURLMOPT_SOCKETFUNCTION, set_curl_socket);
    (void)curl_multi_setopt(engine->multi, CURLMOPT_SOCKETDATA, engine);
    (void)curl_multi_setopt(engine->multi, CURLMOPT_TIMERFUNCTION, set_curl_timer);
    (void)curl_multi_setopt(engine->multi, CURLMOPT_TIMERDATA, engine);
    return engine;
}

void probe_engine_free(struct probe_engine *engine)
{
    if (engine == NULL)
        return;
    loop_disarm(engine->loop, &engine->timer);
    (void)curl_multi_cleanup(engine->multi);
    free(engine);
    curl_global_cleanup();
}

struct loop *probe_engine_loop(const struct probe_engine *engine)
{
    return engine->loop;
}

void probe_engine_start(struct probe_engine *engine, struct probe_request *request)
{
    (void)curl_easy_setopt(request->easy, CURLOPT_PRIVATE, request);
    (void)curl_multi_add_handle(engine->multi, request->easy);
}

void probe_engine_drop(struct probe_engine *engine, struct probe_request *request)
{
    (void)curl_multi_remove_handle(engine->multi, request->easy);
}
