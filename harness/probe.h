/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe: does the service answer, and if not, in which way?
 *
 * HTTP GET by libcurl, a new connection per attempt, over and over until told to stop. Behind a
 * user-mode forwarder a TCP connect proves nothing: it accepts before the guest exists. Only bytes
 * count.
 *
 * Polling is the net below events: probe_nudge (a console line that announces the agent, say) asks
 * at once. Attempts overlap: an old one may hang behind a SYN that the guest never saw, a new one
 * gets through (vmm facts: a fresh attempt answers in 25-34 ms where a waiting one takes a second).
 */
#ifndef BOOTDIAG_PROBE_H
#define BOOTDIAG_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/record.h"

struct probe_engine; /* probe_engine.h */

struct probe_options {
    const char *url; /* borrowed until probe_free */
    int expected_status;
    int64_t start_ms; /* zero of the recorded times, on clock_ms()'s clock */
    /* State of the host's neighbour entry for the guest, now, or NULL; static. Set where the guest
     * is on a link of the host's own: then one slow connect is always in flight beside the short
     * attempts, because the kernel asks for about 3 s before it gives up on ARP, and a connect that
     * timed out while nobody answered ARP counts as host-unreachable. */
    const char *(*neighbour)(void *ctx);
    void (*on_result)(void *ctx, enum probe_class class); /* after each finished attempt */
    void *ctx;
};

/* Attempts run until paused or freed, the first at the loop's next turn; a good answer drops the
 * older ones that still wait. Results are noted in record->probe.runs (probe_runs.h). `record` and
 * the engine are borrowed and must outlive the probe. */
struct probe *probe_new(struct probe_engine *engine, struct record *record,
                        const struct probe_options *options);
void probe_free(struct probe *probe);

/* Asks at once, and often for the next second; during that second it only prolongs it. */
void probe_nudge(struct probe *probe);

/* The guest shows signs of life: ask at the usual pace from now on, not at the slow first one. */
void probe_awake(struct probe *probe);

/* Drops what is in flight and asks no more until probe_resume, which asks at once. */
void probe_pause(struct probe *probe);
void probe_resume(struct probe *probe);

/* One attempt, waited for at most `timeout_ms`: does anything answer at this URL already? */
bool probe_answers(const char *url, int timeout_ms);

#endif
