/* SPDX-License-Identifier: Apache-2.0 */
/*
 * baselines: where good boots are kept and how they become the baseline of an analysis.
 *
 * A store is a directory with one folder per identity (image.h), which holds records. A baseline of
 * another identity is refused, and one recorded under other circumstances is warned about, as the
 * contract says.
 */
#ifndef BOOTDIAG_BASELINES_H
#define BOOTDIAG_BASELINES_H

#include <stdbool.h>

#include "analyzers/baseline.h"
#include "harness/base/buf.h"
#include "harness/base/err.h"
#include "harness/eyes.h"
#include "harness/image.h"
#include "harness/record.h"

enum { BASELINE_FEW = 3 }; /* fewer good boots than this prove little: say so */

/* What the good boots are held against. */
struct baselines_expected {
    const char *identity;    /* NULL: not known, nothing is refused */
    int memory_mib, vcpus;   /* 0: not known */
    const char *cmdline;     /* NULL: not known */
    const char *vmm_version; /* NULL: not known */
    int parallel_boots;      /* 0: not known */
    bool force;              /* take another identity too */
};

/* Appends in which circumstances a good boot differs: "another memory size, another ..."; nothing
 * if in none. Identity is not looked at. */
void baselines_differences(struct buf *ret_list, const struct baselines_expected *expected,
                           const struct record *good);

/* Called with one line per warning. */
struct baselines_warn {
    void (*warn)(void *ctx, const char *text);
    void *ctx;
};

/*
 * Loads the good boots below `dirs` (NULL-terminated). Records that did not come up, or in which
 * something serious is found, are left out with a warning; none left is an error, as is another
 * identity.
 */
struct baseline *baselines_load(const char *const *dirs, const struct baselines_expected *expected,
                                struct eyes_rules *rules, const struct baselines_warn *warn,
                                struct err *err);

#endif
