/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eyes: the analyzers' watch as the console_watch that a boot takes; and the rules for a record's
 * service, compiled once per service. Command layer: the only place that joins harness and
 * analyzers.
 */
#ifndef BOOTDIAG_EYES_H
#define BOOTDIAG_EYES_H

#include "analyzers/own_rules.h"
#include "analyzers/rules.h"
#include "harness/boot.h"
#include "harness/command.h"

/* `rules` is borrowed and must outlive every boot that uses the watch. */
struct console_watch eyes_watch(struct ruleset *rules);

/* Compiled rules, kept for the service they were last asked for. */
struct eyes_rules {
    struct service service;
    struct ruleset *rules; /* NULL: none yet */
    struct own_rules own;  /* a user's own, behind the built-in ones */
};

/* Takes a user's own rules from the files of all --rules on the command line. `cache` is new. */
int eyes_rules_own(struct eyes_rules *cache, const struct command_line *line, struct err *err);

/* All rules for a service: borrowed, until the next call with another service. */
struct ruleset *eyes_rules_for(struct eyes_rules *cache, const struct service *service,
                               struct err *err);
void eyes_rules_release(struct eyes_rules *cache);

#define auto_eyes_rules __attribute__((cleanup(eyes_rules_release)))

#endif
