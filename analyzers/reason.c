/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzers/reason.h"

#include <stddef.h>

#include "analyzers/causes.h"

static const double IS_REASON = 0.5, BESIDE = 0.62, BELOW = 0.22;

static double best_of_guest(const struct findings *findings)
{
    static const char *const layers[] = {"kernel",  "rootfs",     "init",
                                         "network", "supervisor", "agent"};
    double best = 0;
    for (size_t i = 0; i < findings->len; i++) {
        const struct finding *finding = &findings->items[i];
        for (size_t k = 0; k < sizeof(layers) / sizeof(layers[0]); k++)
            if (finding->cause != NULL && cause_in_layer(finding->cause, layers[k]) &&
                finding->confidence > best)
                best = finding->confidence;
    }
    return best;
}

double reason_leaves(const struct findings *findings, double alone)
{
    double best = best_of_guest(findings);
    double beside = best - BELOW < BESIDE ? best - BELOW : BESIDE;
    return best < IS_REASON || alone < beside ? alone : beside;
}
