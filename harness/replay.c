/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/replay.h"

#include <stdint.h>
#include <stdlib.h>

#include "harness/base/auto.h"
#include "harness/base/buf.h"
#include "harness/base/file.h"
#include "harness/base/mem.h"

void replay_take_end(struct record *record, const struct record *kept)
{
    record->end = kept->end;
    record->end_detail = mem_strdup(kept->end_detail);
    record->ended_ms = kept->ended_ms;
    free(record->probe.runs);
    record->probe.runs = mem_calloc(kept->probe.n_runs, sizeof(*kept->probe.runs));
    record->probe.n_runs = kept->probe.n_runs;
    for (size_t i = 0; i < kept->probe.n_runs; i++)
        record->probe.runs[i] = kept->probe.runs[i];
}

void replay_copy_files(const char *kept_dir, const char *dir, struct err *err)
{
    static const char *const names[] = {"console.times", "vmm.log", "net.pcap"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        auto_free char *from = path_join(kept_dir, names[i]);
        auto_free char *to = path_join(dir, names[i]);
        auto_buf struct buf content;
        buf_init(&content, 0);
        if (path_exists(from) && file_read(from, SIZE_MAX, &content, err) == 0)
            (void)file_write(to, buf_text(&content), content.len, err);
    }
}
