/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/mem.h"

enum {
    MOST_PLAIN_BOOTS = 10
}; /* without a terminal, stages of more boots than this are too much */

struct progress {
    unsigned total;
    bool quiet, terminal;
    size_t lines_drawn;
    const char **shown; /* per boot: the stage that was last said, not on a terminal */
};

/* What a person calls the part of the boot that the milestone belongs to. */
static const char *stage_name(const char *milestone)
{
    static const char *const names[][2] = {
        {"vmm-started", "VMM"},
        {"kernel-started", "kernel"},
        {"root-device-found", "kernel"},
        {"root-mounted", "kernel"},
        {"init-started", "systemd"},
        {"nic-found", "network"},
        {"link-up", "network"},
        {"address-acquired", "network"},
        {"network-target", "network"},
        {"unit-started", "supervisor"},
        {"supervisor-started", "supervisor"},
        {"agent-started", "agent"},
        {"agent-listening", "agent"},
        {"port-answers", "agent"},
    };
    for (size_t i = 0; milestone != NULL && i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i][0], milestone) == 0)
            return names[i][1];
    return "VMM";
}

struct progress *progress_new(unsigned total, bool quiet)
{
    struct progress *progress = mem_calloc(1, sizeof(*progress));
    progress->total = total;
    progress->quiet = quiet;
    progress->terminal = isatty(STDERR_FILENO) == 1;
    progress->shown = mem_calloc(total, sizeof(*progress->shown));
    return progress;
}

static void clear(struct progress *progress)
{
    if (progress->lines_drawn > 0)
        fprintf(stderr, "\033[%zuA\033[J", progress->lines_drawn);
    progress->lines_drawn = 0;
}

void progress_free(struct progress *progress)
{
    clear(progress);
    free(progress->shown);
    free(progress);
}

static void draw(struct progress *progress, const struct boot *const *boots, size_t n)
{
    clear(progress);
    for (size_t i = 0; i < n; i++)
        fprintf(stderr, "  boot %u of %u  %-10s  %5.1f s\n", boot_index(boots[i]) + 1,
                progress->total, stage_name(boot_signs(boots[i])->stage),
                (double)boot_elapsed_ms(boots[i]) / 1000);
    progress->lines_drawn = n;
}

/* A line when the stage changed. */
static void tell(struct progress *progress, const struct boot *boot)
{
    const char *stage = stage_name(boot_signs(boot)->stage);
    const char **shown = &progress->shown[boot_index(boot)];
    if (*shown == stage)
        return;
    *shown = stage;
    fprintf(stderr, "boot %u of %u: %s (%.1f s)\n", boot_index(boot) + 1, progress->total, stage,
            (double)boot_elapsed_ms(boot) / 1000);
}

void progress_show(struct progress *progress, const struct boot *const *boots, size_t n)
{
    if (progress->quiet)
        return;
    if (progress->terminal)
        draw(progress, boots, n);
    else if (progress->total <= MOST_PLAIN_BOOTS)
        for (size_t i = 0; i < n; i++)
            tell(progress, boots[i]);
}

void progress_boot_done(struct progress *progress, const struct boot *boot, const char *text)
{
    if (progress->quiet || text == NULL)
        return;
    clear(progress);
    fprintf(stderr, "boot %u of %u: %s\n", boot_index(boot) + 1, progress->total, text);
}
