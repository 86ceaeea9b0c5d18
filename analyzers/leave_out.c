/* SPDX-License-Identifier: Apache-2.0 */
/* Each boot is analysed once; putting its lines together with those of the others is cheap. */
#include "analyzers/leave_out.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/diff.h"
#include "harness/base/mem.h"

/* A record is moved by moving its bytes; the source is left empty. */
static void move_record(struct record *to, struct record *from)
{
    *to = *from;
    *from = (struct record){0};
}

static int judge(struct leave_out *check, const struct record *record, struct ruleset *rules,
                 struct err *err)
{
    if (check->whole == NULL)
        check->whole = baseline_new("whole");
    return baseline_add(check->whole, record, rules, err);
}

int leave_out_add(struct leave_out *check, struct record *record, struct ruleset *rules,
                  struct err *err)
{
    auto_record struct record taken;
    move_record(&taken, record);
    if (judge(check, &taken, rules, err) != 0)
        return -1;
    auto_analysis struct analysis analysis = {0};
    analysis_init(&analysis, &taken, rules, NULL);
    check->boots = mem_grow(check->boots, check->n, &check->cap, sizeof(*check->boots));
    struct leave_out_boot *boot = &check->boots[check->n++];
    memset(boot, 0, sizeof(*boot));
    memcpy(boot->milestones, analysis.milestones, sizeof(boot->milestones));
    boot_lines_init(&boot->lines, &taken);
    move_record(&boot->record, &taken);
    return 0;
}

void leave_out_release(struct leave_out *check)
{
    for (size_t i = 0; i < check->n; i++) {
        record_release(&check->boots[i].record);
        boot_lines_release(&check->boots[i].lines);
    }
    free(check->boots);
    baseline_free(check->whole);
    *check = (struct leave_out){0};
}

void leave_out_compare(const struct leave_out *check, size_t index, struct ruleset *rules,
                       struct diff *ret_diff)
{
    struct baseline *others = baseline_new("others");
    for (size_t i = 0; i < check->n; i++)
        if (i != index)
            baseline_take(others, &check->boots[i].record, check->boots[i].milestones,
                          &check->boots[i].lines);
    diff_init(ret_diff, others, &check->boots[index].record, rules, check->boots[index].milestones);
    baseline_free(others);
}
