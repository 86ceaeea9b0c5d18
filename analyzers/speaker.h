/* SPDX-License-Identifier: Apache-2.0 */
/*
 * speaker: who may say a line. A process that logs the words of a kernel panic, by chance or with
 * intent, is not the kernel.
 */
#ifndef BOOTDIAG_SPEAKER_H
#define BOOTDIAG_SPEAKER_H

#include <stdbool.h>

#include "analyzers/line.h"

enum speaker {
    SPEAKER_OF_LAYER, /* by the rule's id: kernel.* EARLY, init.* SYSTEMD, all others ANYONE */
    SPEAKER_ANYONE,
    SPEAKER_KERNEL,  /* the kernel itself; bare lines only while its lines have carried no stamp */
    SPEAKER_EARLY,   /* the kernel, firmware or an initramfs: no named process */
    SPEAKER_SYSTEMD, /* systemd, its helpers, or a line that names nobody */
};

/* Stands for SPEAKER_OF_LAYER in a rule with that id. */
enum speaker speaker_of_layer(const char *rule_id);

/* True if the line can come from that speaker. */
bool speaker_may_say(enum speaker speaker, const struct line *line);

#endif
