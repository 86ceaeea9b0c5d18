/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzers/host_view.h"

#include <string.h>

enum {
    BY_CHANCE = 2,       /* so few answers may be the VMM's own end, or the forwarder's */
    LONG_MS = 10 * 1000, /* a run of which a single attempt after it takes nothing away */
};

static bool is_network(const struct record *record, const char *network)
{
    return record->probe.network != NULL && strcmp(record->probe.network, network) == 0;
}

/* Loopback can only be a forwarder's. */
static bool probes_loopback(const struct record *record)
{
    const char *url = record->probe.url;
    return url != NULL && (strstr(url, "//127.") != NULL || strstr(url, "//localhost") != NULL);
}

bool host_view_is_guest(const struct host_view *view, enum probe_class class)
{
    static const bool on_tap[PROBE_N_CLASSES] = {
        [PROBE_REFUSED] = true,  [PROBE_RESET] = true,      [PROBE_NO_ANSWER] = true,
        [PROBE_NOT_HTTP] = true, [PROBE_HTTP_ERROR] = true, [PROBE_WRONG_BODY] = true,
        [PROBE_READY] = true,
    };
    static const bool by_forwarder[PROBE_N_CLASSES] = {
        [PROBE_RESET] = true,      [PROBE_NOT_HTTP] = true, [PROBE_HTTP_ERROR] = true,
        [PROBE_WRONG_BODY] = true, [PROBE_READY] = true,
    };
    return view->user ? by_forwarder[class] : view->tap && on_tap[class];
}

static const struct probe_run *settled(const struct record *record)
{
    size_t n = record->probe.n_runs;
    if (n == 0)
        return NULL;
    const struct probe_run *last = &record->probe.runs[n - 1];
    bool single = last->count <= 1 && last->class != PROBE_READY;
    return n > 1 && single && last[-1].to_ms - last[-1].from_ms >= LONG_MS ? last - 1 : last;
}

void host_view_take(const struct record *record, struct host_view *ret_view)
{
    struct host_view view = {.user = is_network(record, "user"), .last = settled(record)};
    view.tap = is_network(record, "tap") ||
               (record->probe.network == NULL && view.last != NULL && !probes_loopback(record));
    int64_t answers = 0;
    int64_t answered_ms = view.last != NULL ? record->probe.runs[0].from_ms : 0;
    for (size_t i = 0; i < record->probe.n_runs; i++) {
        const struct probe_run *run = &record->probe.runs[i];
        if (!host_view_is_guest(&view, run->class))
            continue;
        answers += run->count;
        view.ever_reached |= answers > BY_CHANCE || run->class >= PROBE_NOT_HTTP;
        answered_ms = run->to_ms;
    }
    if (view.last != NULL) {
        view.reached = view.ever_reached && host_view_is_guest(&view, view.last->class);
        view.deaf_ms = view.reached ? 0 : view.last->to_ms - answered_ms;
    }
    *ret_view = view;
}

void host_view_quote(struct finding *finding, const struct probe_run *run)
{
    finding_fact(finding, run->from_ms, "probe: %s, %d time%s from %.1f s to %.1f s%s%s",
                 probe_class_name(run->class), run->count, run->count == 1 ? "" : "s",
                 (double)run->from_ms / 1000, (double)run->to_ms / 1000,
                 run->neighbour != NULL ? ", neighbour " : "",
                 run->neighbour != NULL ? run->neighbour : "");
}
