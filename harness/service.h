/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service: what must come up in the guest, and how it announces itself.
 *
 * A target names it; every record carries a copy, so that a kept boot can be analysed by itself. No
 * analyzer knows a unit, script or port by heart: they all ask here. Where neither a record nor a
 * target says anything, the production values hold (`SERVICE_DEFAULT` in service.c).
 */
#ifndef BOOTDIAG_SERVICE_H
#define BOOTDIAG_SERVICE_H

#include <stdbool.h>

#include <jansson.h>

#include "harness/base/err.h"

struct service {
    char *unit;          /* systemd unit: "vm-browser-agent.service" */
    char *description;   /* start of the unit's Description=, as the console shows it */
    char *supervisor;    /* base name of the unit's script: "start-all.sh" */
    char *entry;         /* base name of the agent's own program: "server.js" */
    char *ready_pattern; /* PCRE2: the console line with which the agent says that it listens */
    int port;            /* TCP port in the guest */
    char *health_path;   /* begins with '/' */
    int expected_status; /* HTTP status of a healthy answer */
};

/* Production's service. */
void service_init(struct service *service);
void service_release(struct service *service);
void service_copy(struct service *to, const struct service *from);
bool service_equal(const struct service *a, const struct service *b);

/*
 * Sets what `object` (the "service" member of a target or boot.json) mentions and leaves the rest;
 * `name` is the file, for messages. `strict` refuses unknown members. On failure `service` is
 * unchanged.
 */
int service_load(struct service *service, const json_t *object, const char *name, bool strict,
                 struct err *err);

/* The same as a new JSON object. */
json_t *service_json(const struct service *service);

#define auto_service __attribute__((cleanup(service_release)))

#endif
