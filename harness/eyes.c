/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/eyes.h"

#include "analyzers/watch.h"

static void *open_watch(void *ctx)
{
    return watch_new(ctx);
}

static void feed_watch(void *state, const char *bytes, size_t len, struct console_signs *ret_signs)
{
    watch_feed(state, bytes, len);
    const struct watch_state *seen = watch_state(state);
    *ret_signs = (struct console_signs){
        .stage = seen->stage, .ready_lines = seen->ready_lines, .fatal = seen->fatal};
}

static void close_watch(void *state)
{
    watch_free(state);
}

struct console_watch eyes_watch(struct ruleset *rules)
{
    return (struct console_watch){
        .open = open_watch, .feed = feed_watch, .close = close_watch, .ctx = rules};
}

struct ruleset *eyes_rules_for(struct eyes_rules *cache, const struct service *service,
                               struct err *err)
{
    if (cache->rules != NULL && service_equal(&cache->service, service))
        return cache->rules;
    struct ruleset *rules = ruleset_new(service, err);
    if (rules == NULL)
        return NULL;
    eyes_rules_release(cache);
    cache->rules = rules;
    service_copy(&cache->service, service);
    return rules;
}

void eyes_rules_release(struct eyes_rules *cache)
{
    ruleset_free(cache->rules);
    cache->rules = NULL;
    service_release(&cache->service);
}
