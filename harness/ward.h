/* SPDX-License-Identifier: Apache-2.0 */
/* ward: one VM in the care of `preserve`: its copy, whether it was healthy, and how it ends. */
#ifndef BOOTDIAG_WARD_H
#define BOOTDIAG_WARD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/base/err.h"
#include "harness/preserve.h"
#include "harness/probe.h"
#include "harness/spool.h"

struct ward {
    const struct preserve_options *options; /* borrowed */
    struct spool spool;
    int wd;        /* the caller's inotify watch; -1: none */
    ino_t ino;     /* of the live directory; 0: not seen since we started */
    bool seen;     /* the caller's, while it looks at all */
    bool gone;     /* the live directory is not there any more */
    bool answered; /* the service did; ward_set_healthy makes it count */
    bool troubled; /* that was said */
    int64_t gone_ms, moved_ms, retry_ms;
    struct probe *probe;
    char *url;
};

/* Says something by the options' on_event. */
void ward_say(const struct preserve_options *options, bool warning, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Begins a copy below `spool_root`, or goes on with one. A state that is damaged is put aside. NULL
 * if it cannot be kept, which is said. */
struct ward *ward_new(const struct preserve_options *options, const char *spool_root,
                      const char *vm_id);
void ward_free(struct ward *ward);

/* Asks the service, once the guest's address is known, until it answers; not again afterwards. */
void ward_probe(struct ward *ward, struct probe_engine *engine);
void ward_set_healthy(struct ward *ward);

/* 1: something was copied; 0: nothing new; -1: not possible now, which is said once. */
int ward_pump(struct ward *ward);

/* The live directory is gone. */
void ward_leave(struct ward *ward);

/* It is gone, and nothing more is to be expected of its VMM. */
bool ward_is_due(const struct ward *ward, int64_t now_ms);

/* Archives the copy, or drops that of a healthy VM. True once nothing is left to do for it; false:
 * said, and to be tried again from retry_ms on. */
bool ward_finish(struct ward *ward);

/* Copies what there is, and finishes. */
bool ward_finish_now(struct ward *ward);

#endif
