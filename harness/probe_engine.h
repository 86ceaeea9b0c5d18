/* SPDX-License-Identifier: Apache-2.0 */
/* probe_engine: libcurl on our loop; one for all probes of a campaign. */
#ifndef BOOTDIAG_PROBE_ENGINE_H
#define BOOTDIAG_PROBE_ENGINE_H

#include <curl/curl.h>

#include "harness/base/err.h"
#include "harness/base/loop.h"

struct probe_engine;

/* `loop` is borrowed and outlives the engine. NULL if libcurl cannot be initialised. */
struct probe_engine *probe_engine_new(struct loop *loop, struct err *err);

/* Every request must have been dropped before. NULL is fine. */
void probe_engine_free(struct probe_engine *engine);

/* The loop that it lives on. */
struct loop *probe_engine_loop(const struct probe_engine *engine);

/* All of it is the caller's, and stays where it is until the request is dropped. */
struct probe_request {
    CURL *easy; /* what to ask; its CURLOPT_PRIVATE is the engine's */
    void (*on_end)(void *ctx, CURLcode result); /* from the loop; it must drop the request */
    void *ctx;
};

void probe_engine_start(struct probe_engine *engine, struct probe_request *request);

/* Takes a request that was started out of the engine, whether it has ended or not. Its handle can
 * be used again. */
void probe_engine_drop(struct probe_engine *engine, struct probe_request *request);

#endif
