/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch: what can be told of a boot while it still runs: how far it got, whether the agent
 * announced itself, and whether it is beyond hope.
 *
 * Beyond hope is a line that matches a rule of SEVERITY_FATAL, or the third death of the service
 * with the same signature. Deaths are lines of rules flagged `death`; each such rule counts for
 * itself, so that systemd's several lines about one death count once, and a line that the journal
 * and the program itself both put on the console counts once too. The signature is the template of
 * the last error before the death, or of the death's own line.
 *
 * Plugged into a boot by the command layer (struct console_watch of harness/boot.h), so that the
 * harness needs to know no analyzer.
 */
#ifndef BOOTDIAG_WATCH_H
#define BOOTDIAG_WATCH_H

#include <stddef.h>
#include <stdint.h>

#include "analyzers/rules.h"

enum { WATCH_FATAL_DEATHS = 3, WATCH_MAX_SIGNATURES = 32 };

struct watch;

/* What the bytes fed so far say; all text is static or the ruleset's. */
struct watch_state {
    const char *stage;    /* id of the furthest milestone, or NULL */
    unsigned ready_lines; /* how often the agent said that it listens */
    const char *fatal;    /* id of the rule that no good boot recovers from, or NULL */
    uint32_t fatal_line;
};

/* `rules` is borrowed and must outlive the watch. */
struct watch *watch_new(struct ruleset *rules);
void watch_free(struct watch *watch);

/* Takes the console's next bytes. An unfinished line is not looked at before its end. */
void watch_feed(struct watch *watch, const char *bytes, size_t len);
const struct watch_state *watch_state(const struct watch *watch);

#endif
