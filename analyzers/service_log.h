/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_log: what the service itself said on the console, run by run of its unit: the script, the
 * agent, and their children.
 *
 * Rules only see lines that they know; this also tells the last word before an end, whatever it
 * was. It reads the record's console once more, with bounded memory.
 */
#ifndef BOOTDIAG_SERVICE_LOG_H
#define BOOTDIAG_SERVICE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzers/evidence.h"

enum { SERVICE_LOG_MAX_RUNS = 64 };

/* From one "Started" of the unit to the end of its main process. */
struct service_run {
    const struct hit *started;  /* NULL: not seen */
    bool over;                  /* its main process ended */
    const struct hit *stopping; /* systemd ended it on demand; or NULL */
    const struct hit *ended;    /* the first line that says so; NULL: the next start does */
    struct quote first, last;   /* the service's words; line 0: it said nothing */
    struct quote script_last;   /* the script's own last word: not that of the agent it started */
    struct quote last_error;    /* the last one that looks like an error */
    struct quote agent_last;    /* the last one that is the agent's */
    struct quote agent_error;   /* the agent's last one that looks like an error */
    const struct hit *agent_start; /* the last line that says that the agent was started, or NULL */
    uint32_t n_lines;
};

struct service_log {
    struct service_run runs[SERVICE_LOG_MAX_RUNS]; /* the first ones and the last */
    size_t len;
    uint32_t n_ended; /* of all runs */
};

/* Owned by the caller: free(). There is at least one run, even if nothing was seen of it. */
struct service_log *service_log_new(const struct evidence *evidence);

/* The last run that ended; NULL: none did. */
const struct service_run *service_log_last_ended(const struct service_log *log);

/* The run that the console ends in. */
const struct service_run *service_log_current(const struct service_log *log);

/* The run in which a console line stands; NULL: in none. */
const struct service_run *service_log_at(const struct service_log *log, uint32_t line);

/*
 * True if a hit is what the service says: a line that names nobody, systemd for it, or one of its
 * own names; not a companion of the agent's.
 */
bool service_log_is_voice(const struct evidence *evidence, const struct hit *hit);

/* True if the script named that pid as its agent's. */
bool service_log_is_agent(const struct evidence *evidence, int pid);

#endif
