/* SPDX-License-Identifier: Apache-2.0 */
/* Life, files and lookups of a record; how boot.json is read and written stands in record_json.c.
 */
#include "harness/record.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/auto.h"
#include "harness/base/buf.h"
#include "harness/base/file.h"
#include "harness/base/json.h"
#include "harness/base/mem.h"
#include "harness/capture.h"
#include "harness/image.h"
#include "harness/record_net.h"

enum { MAX_TIMES_FILE = 64 << 20 };
static const uint64_t MAX_CONSOLE = 1ULL << 30;

void record_init(struct record *record)
{
    *record = (struct record){
        .deadline_ms = RECORD_UNKNOWN,
        .ended_ms = RECORD_UNKNOWN,
        .ready_ms = RECORD_UNKNOWN,
        .vmm = {.exit_code = -1, .cpu_ms = RECORD_UNKNOWN},
        .kernel = {.size = RECORD_UNKNOWN},
        .initrd = {.size = RECORD_UNKNOWN},
        .rootfs = {.size = RECORD_UNKNOWN},
        .host = {.load = -1, .steal_pct = -1},
        .console_facts = {.dropped_at = -1},
    };
    service_init(&record->service);
    record_net_init(&record->net);
}

static void vmm_release(struct record *record)
{
    for (char **arg = record->vmm.argv; arg != NULL && *arg != NULL; arg++)
        free(*arg);
    free(record->vmm.argv);
    free(record->vmm.by_hand);
    free(record->vmm.error);
    free(record->vmm.error_cause);
    free(record->vmm.version);
}

void record_release(struct record *record)
{
    char *const texts[] = {
        record->source,
        record->dir,
        record->boot_id,
        record->vm_id,
        record->backend,
        record->started_at,
        record->end_detail,
        record->fault,
        record->guest.cmdline,
        record->guest.mac,
        record->host.kernel,
        record->host.accelerator,
        record->probe.url,
        record->probe.network,
        record->probe.neighbour,
        record->controller.session_id,
        record->controller.status,
        record->controller.error,
        record->guest.expected_address,
        record->guest.seen_address,
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        free(texts[i]);
    vmm_release(record);
    image_release(&record->kernel);
    image_release(&record->initrd);
    image_release(&record->rootfs);
    service_release(&record->service);
    record_net_release(&record->net);
    free(record->probe.runs);
    free(record->times);
    bytes_release(&record->console);
    bytes_release(&record->vmm_log);
    bytes_release(&record->net_pcap);
    *record = (struct record){0};
}

bool record_came_up(const struct record *record)
{
    return record->end == RECORD_END_READY;
}

/* Each must be a regular file: a FIFO in a record's directory would make us wait for ever. */
static int load_bytes(struct bytes *ret_bytes, const char *const *paths, struct err *err)
{
    for (size_t i = 0; paths[i] != NULL; i++)
        if (!path_is_file(paths[i]))
            return err_set(err, "cannot read %s: not a regular file", paths[i]);
    return bytes_load(ret_bytes, paths, MAX_CONSOLE, err);
}

/* `unjoined`: offsets in console.times still count what was dropped. */
static void load_times(struct record *record, const char *dir, const struct capture_parts *unjoined)
{
    auto_free char *path = path_join(dir, "console.times");
    auto_buf struct buf content;
    buf_init(&content, 0);
    if (!path_is_file(path) || file_read(path, MAX_TIMES_FILE, &content, NULL) != 0)
        return;
    record->times = arrivals_parse(buf_text(&content), &record->n_times);
    if (unjoined->dropped_bytes > 0)
        record->n_times = arrivals_close_gap(record->times, record->n_times, unjoined->dropped_at,
                                             unjoined->dropped_bytes);
}

/* The console's head, and the tails that a killed bootdiag did not join any more. */
static int load_console(struct record *record, const char *dir, struct err *err)
{
    struct capture_parts parts;
    capture_find_parts(dir, &parts);
    int result = parts.n > 0 ? load_bytes(&record->console, parts.paths, err) : 0;
    if (result == 0 && parts.dropped_bytes > 0) {
        record->console_facts.dropped_at = (int64_t)parts.dropped_at;
        record->console_facts.dropped_bytes = parts.dropped_bytes;
    }
    if (result == 0 && (record->console_facts.bytes == 0 || parts.n > 1))
        record->console_facts.bytes = record->console.len + record->console_facts.dropped_bytes;
    load_times(record, dir, &parts);
    capture_parts_release(&parts);
    return result;
}

static int load_vmm_log(struct record *record, const char *dir, struct err *err)
{
    static const char *const names[] = {"vmm.log", "firecracker-error.log"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        auto_free char *path = path_join(dir, names[i]);
        if (path_exists(path))
            return load_bytes(&record->vmm_log, (const char *[]){path, NULL}, err);
    }
    return 0;
}

static int load_net_pcap(struct record *record, const char *dir, struct err *err)
{
    auto_free char *path = path_join(dir, "net.pcap");
    if (!path_exists(path))
        return 0;
    return load_bytes(&record->net_pcap, (const char *[]){path, NULL}, err);
}

static int load_dir(struct record *record, const char *dir, struct err *err)
{
    auto_dir DIR *readable = opendir(dir);
    if (readable == NULL)
        return err_sys(err, errno, "cannot read %s", dir);
    auto_free char *boot_path = path_join(dir, "boot.json");
    bool has_boot = path_exists(boot_path);
    if (has_boot) {
        struct err why = {0};
        json_auto_t *boot = json_read_object(boot_path, &why);
        if (boot == NULL || record_from_json(record, boot, boot_path, &why) != 0)
            return err_set(err, "%s; the console can be analysed without it: name %s/console.log",
                           why.message, dir);
    }
    if (load_console(record, dir, err) != 0 || load_vmm_log(record, dir, err) != 0 ||
        load_net_pcap(record, dir, err) != 0)
        return -1;
    if (!has_boot && record->console.data == NULL)
        return err_set(err, "%s: neither boot.json nor console.log is here: not a record", dir);
    if (!has_boot)
        record->backend = mem_strdup("preserved");
    return 0;
}

int record_load(struct record *record, const char *dir, struct err *err)
{
    auto_record struct record loaded;
    record_init(&loaded);
    loaded.source = mem_strdup(dir);
    loaded.dir = mem_strdup(dir);
    if (load_dir(&loaded, dir, err) != 0)
        return -1;
    struct record old = *record;
    *record = loaded;
    loaded = old;
    return 0;
}

int record_load_archived(struct record *record, const char *console_path, const char *error_path,
                         struct err *err)
{
    auto_record struct record loaded;
    record_init(&loaded);
    loaded.source = mem_strdup(strcmp(console_path, "-") == 0 ? "standard input" : console_path);
    loaded.backend = mem_strdup("preserved");
    if (bytes_load(&loaded.console, (const char *[]){console_path, NULL}, MAX_CONSOLE, err) != 0)
        return -1;
    loaded.console_facts.bytes = loaded.console.len;
    bool is_pipe = error_path != NULL && path_exists(error_path) && !path_is_file(error_path);
    if (error_path != NULL && !is_pipe && /* reading a pipe would never end */
        bytes_load(&loaded.vmm_log, (const char *[]){error_path, NULL}, MAX_CONSOLE, err) != 0)
        return -1;
    struct record old = *record;
    *record = loaded;
    loaded = old;
    return 0;
}

int record_load_console(struct record *record, const char *path, struct err *err)
{
    return record_load_archived(record, path, NULL, err);
}

int record_save(const struct record *record, struct err *err)
{
    auto_free char *path = path_join(record->dir, "boot.json");
    json_auto_t *boot = record_json(record);
    return json_write_file(boot, path, err);
}

int64_t record_arrival_ms(const struct record *record, uint64_t offset)
{
    return arrivals_find(record->times, record->n_times, offset);
}
