/* SPDX-License-Identifier: Apache-2.0 */
/* console_record: a record of which nothing is known but a console, whose text is borrowed. */
#ifndef BOOTDIAG_TEST_CONSOLE_RECORD_H
#define BOOTDIAG_TEST_CONSOLE_RECORD_H

#include <string.h>

#include "analyzers/baseline.h"
#include "analyzers/boot_lines.h"
#include "harness/record.h"

static inline void console_record_init(struct record *record, const char *console)
{
    record_init(record);
    record->console = (struct bytes){.data = console, .len = strlen(console)};
}

static inline void console_record_release(struct record *record)
{
    record->console = (struct bytes){0};
    record_release(record);
}

/* Adds it to a baseline, as a good boot whose milestones nobody saw. */
static inline void console_record_take(struct baseline *baseline, const char *console)
{
    const struct milestone unknown[STAGE_N] = {{0}};
    auto_boot_lines struct boot_lines lines = {0};
    struct record record;
    console_record_init(&record, console);
    boot_lines_init(&lines, &record);
    baseline_take(baseline, &record, unknown, &lines);
    console_record_release(&record);
}

#endif
