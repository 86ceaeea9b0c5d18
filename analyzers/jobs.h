/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jobs: follows systemd's start jobs over a boot, from the hits of init.c's rules.
 *
 * A job is opened by "Starting X" (or Mounting, Expecting device ...) and closed by Started,
 * Finished, Failed, Timed out, Dependency failed, skipped or stopped. With the journal forwarded
 * most events stand on the console twice, whole and shortened: they are one job here.
 */
#ifndef BOOTDIAG_JOBS_H
#define BOOTDIAG_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzers/evidence.h"

enum { JOBS_MAX = 256 };

struct job {
    const struct hit *started; /* NULL: only known from systemd's "a start job is running" */
    const struct hit *running; /* the last such line; NULL: none */
    const char *label;         /* the longest that was seen; borrowed from a hit */
    bool open;
};

struct jobs {
    struct job items[JOBS_MAX];
    size_t len;
    uint32_t n_ends; /* lines that close jobs; hits of more than EVIDENCE_HITS_PER_RULE are lost */
};

/* Follows all jobs, at most JOBS_MAX of them. Owned by the caller: free(). */
struct jobs *jobs_new(const struct evidence *evidence);

/*
 * The open job that holds up the rest, other than the service's own: one that systemd says it waits
 * for, else the one that was opened first, since later ones may merely be young. NULL: none.
 */
const struct job *jobs_waited_for(const struct jobs *jobs, const struct service *service);

/* True if the service's own job is open: a unit of Type=notify or oneshot runs meanwhile. */
bool jobs_service_is_starting(const struct jobs *jobs, const struct service *service);

/* How long an open job had run at the end, in ms: as systemd says, else since it began. */
int64_t job_age_ms(const struct evidence *evidence, const struct job *job);

/* How long it may run, as systemd prints it; NULL: not known or without limit. */
const char *job_limit(const struct job *job);

/* "1min 30s" (FORMAT_TIMESPAN of systemd) in ms; -1: not a time span. */
int64_t job_span_ms(const char *text);

/* The first and the last line that says that the service's unit was started; NULL: none. */
const struct hit *jobs_service_started(const struct evidence *evidence);
const struct hit *jobs_service_started_last(const struct evidence *evidence);

/* How often systemd says so: the status line and the journal's of the same event count once. */
uint32_t jobs_service_starts(const struct evidence *evidence);

/* Status lines shorten names; the journal's wording of the same event is better to read and to
 * type. The same hit if there is none. */
const struct hit *jobs_whole(const struct evidence *evidence, const struct hit *cut);

#endif
