/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/eyes.h"

#include <string.h>

#include "analyzers/analyzer.h"
#include "analyzers/watch.h"
#include "harness/base/auto.h"
#include "harness/base/json.h"
#include "harness/base/mem.h"

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

int eyes_rules_own(struct eyes_rules *cache, const struct command_line *line, struct err *err)
{
    json_auto_t *all = json_array();
    const char *name = NULL;
    for (size_t i = 0; i < line->n_values; i++) {
        if (strcmp(line->values[i].option->name, "rules") != 0)
            continue;
        name = line->values[i].value;
        json_auto_t *list = json_read_array(name, err);
        struct own_rules alone;
        if (list == NULL || own_rules_parse(&alone, list, name, err) != 0)
            return -1;
        own_rules_release(&alone);
        json_array_extend(all, list);
    }
    /* together, so that no id of one file stands in another */
    return name != NULL ? own_rules_parse(&cache->own, all, "--rules", err) : 0;
}

static struct ruleset *compile(const struct own_rules *own, const struct service *service,
                               struct err *err)
{
    size_t n;
    const struct analyzer *const *analyzers = analyzers_all(&n);
    auto_free struct rule_table *tables = mem_calloc(n + 1, sizeof(*tables));
    for (size_t i = 0; i < n; i++)
        tables[i] = (struct rule_table){analyzers[i]->rules, analyzers[i]->n_rules};
    tables[n] = (struct rule_table){own->rules, own->n};
    return ruleset_new_from(tables, n + 1, service, err);
}

struct ruleset *eyes_rules_for(struct eyes_rules *cache, const struct service *service,
                               struct err *err)
{
    if (cache->rules != NULL && service_equal(&cache->service, service))
        return cache->rules;
    struct ruleset *rules = compile(&cache->own, service, err);
    if (rules == NULL)
        return NULL;
    ruleset_free(cache->rules);
    service_release(&cache->service);
    cache->rules = rules;
    service_copy(&cache->service, service);
    return rules;
}

void eyes_rules_release(struct eyes_rules *cache)
{
    ruleset_free(cache->rules);
    cache->rules = NULL;
    service_release(&cache->service);
    own_rules_release(&cache->own);
}
