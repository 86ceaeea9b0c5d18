/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/spool.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/auto.h"
#include "harness/base/file.h"
#include "harness/base/json.h"
#include "harness/base/mem.h"

enum { LONGEST_VM_ID = 128, LARGEST_CONFIG = 1 << 20, CHUNK = 1 << 16, CHUNKS_PER_PUMP = 64 };

/* The names in the live directory are the production's, and the copies have the same. */
static const char *const NAMES[SPOOL_N_LOGS] = {
    [SPOOL_CONSOLE] = "console.log",
    [SPOOL_ERROR] = "firecracker-error.log",
};
static const char *const KEYS[SPOOL_N_LOGS] = {
    [SPOOL_CONSOLE] = "console", [SPOOL_ERROR] = "error"};

/* What stands before the name of a copy that is being removed. */
static const char REMOVED[] = ".removed-";

bool spool_is_vm_id(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len > LONGEST_VM_ID || !isalnum((unsigned char)name[0]))
        return false;
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)name[i]) && strchr("._-", name[i]) == NULL)
            return false;
    return true;
}

char *spool_path(const struct spool *spool, enum spool_log log)
{
    return path_join(spool->dir, NAMES[log]);
}

/* ---- what survives ---- */

static int load_copy(struct spool_copy *copy, const json_t *state, const char *key,
                     const char *name, struct err *err)
{
    static const int64_t most = INT64_C(1) << 53;
    const json_t *object = NULL;
    int64_t dev = 0, ino = 0;
    if (json_get_object(state, key, name, &object, err) != 0 ||
        json_get_int(object, "dev", name, 0, INT64_MAX, &dev, err) != 0 ||
        json_get_int(object, "ino", name, 0, INT64_MAX, &ino, err) != 0 ||
        json_get_int(object, "base", name, 0, most, &copy->base, err) != 0 ||
        json_get_int(object, "dropped", name, 0, most, &copy->dropped, err) != 0 ||
        json_get_int32(object, "truncations", name, 0, INT32_MAX, &copy->truncations, err) != 0 ||
        json_get_int32(object, "replacements", name, 0, INT32_MAX, &copy->replacements, err) != 0)
        return -1;
    copy->dev = (dev_t)dev;
    copy->ino = (ino_t)ino;
    return 0;
}

static int load(struct spool *spool, const char *path, struct err *err)
{
    json_auto_t *state = json_read_object(path, err);
    const json_t *boot = NULL;
    if (state == NULL || json_get_object(state, "boot", path, &boot, err) != 0)
        return -1;
    if (boot == NULL)
        return err_set(err, "%s: \"boot\" is missing", path);
    if (record_from_json(&spool->record, boot, path, err) != 0)
        return -1;
    for (size_t i = 0; i < SPOOL_N_LOGS; i++)
        if (load_copy(&spool->copies[i], state, KEYS[i], path, err) != 0)
            return -1;
    const char *ended_at = json_string_value(json_object_get(state, "ended_at"));
    if (ended_at != NULL && strlen(ended_at) < sizeof(spool->ended_at))
        memcpy(spool->ended_at, ended_at, strlen(ended_at) + 1);
    return 0;
}

static json_t *copy_json(const struct spool_copy *copy)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:i, s:i}", "dev", (json_int_t)copy->dev, "ino",
                     (json_int_t)copy->ino, "base", (json_int_t)copy->base, "dropped",
                     (json_int_t)copy->dropped, "truncations", copy->truncations, "replacements",
                     copy->replacements);
}

int spool_save(struct spool *spool, struct err *err)
{
    if (path_make_dirs(spool->dir, err) != 0)
        return -1;
    json_auto_t *state = json_object();
    json_object_set_new(state, "boot", record_json(&spool->record));
    for (size_t i = 0; i < SPOOL_N_LOGS; i++)
        json_object_set_new(state, KEYS[i], copy_json(&spool->copies[i]));
    if (spool->ended_at[0] != '\0')
        json_object_set_new(state, "ended_at", json_string(spool->ended_at));
    auto_free char *path = path_join(spool->dir, "state.json");
    if (json_write_file(state, path, err) != 0)
        return -1;
    spool->unsaved = false;
    return 0;
}

int spool_init(struct spool *spool, const char *root, const char *vm_id, struct err *err)
{
    *spool =
        (struct spool){.vm_id = mem_strdup(vm_id), .dir = path_join(root, vm_id), .unsaved = true};
    record_init(&spool->record);
    for (size_t i = 0; i < SPOOL_N_LOGS; i++) {
        auto_free char *copy = spool_path(spool, (enum spool_log)i);
        struct stat status;
        spool->copies[i].fd = -1;
        spool->copies[i].size = stat(copy, &status) == 0 ? status.st_size : 0;
    }
    auto_free char *state = path_join(spool->dir, "state.json");
    if (path_exists(state)) {
        if (load(spool, state, err) == 0)
            return 0;
        spool_release(spool);
        return -1;
    }
    char now[CLOCK_TEXT_SIZE];
    clock_now_text(now);
    spool->record.started_at = mem_strdup(now);
    spool->record.vm_id = mem_strdup(vm_id);
    spool->record.backend = mem_strdup("preserved");
    return 0;
}

static void close_live(struct spool_copy *copy)
{
    if (copy->fd >= 0)
        (void)close(copy->fd);
    copy->fd = -1;
}

void spool_detach(struct spool *spool)
{
    for (size_t i = 0; i < SPOOL_N_LOGS; i++)
        close_live(&spool->copies[i]);
}

void spool_release(struct spool *spool)
{
    if (spool->vm_id == NULL)
        return;
    spool_detach(spool);
    record_release(&spool->record);
    free(spool->vm_id);
    free(spool->dir);
    *spool = (struct spool){0};
}

int spool_remove(struct spool *spool, struct err *err)
{
    if (!path_exists(spool->dir))
        return 0;
    auto_free char *root = path_dir(spool->dir);
    auto_free char *hidden = mem_printf("%s/%s%s", root, REMOVED, spool->vm_id);
    if (path_remove_tree(hidden, err) != 0)
        return -1;
    if (rename(spool->dir, hidden) != 0)
        return err_sys(err, errno, "cannot rename %s", spool->dir);
    (void)path_remove_tree(hidden, NULL); /* or spool_clean, later */
    return 0;
}

int spool_clean(const char *root, struct err *err)
{
    auto_dir DIR *entries = opendir(root);
    if (entries == NULL)
        return err_sys(err, errno, "cannot read %s", root);
    const struct dirent *entry;
    while ((entry = readdir(entries)) != NULL) {
        auto_free char *path = path_join(root, entry->d_name);
        if (strncmp(entry->d_name, REMOVED, sizeof(REMOVED) - 1) == 0 &&
            path_remove_tree(path, err) != 0)
            return -1;
    }
    return 0;
}

bool spool_has_any(const struct spool *spool)
{
    for (size_t i = 0; i < SPOOL_N_LOGS; i++)
        if (spool->copies[i].ino != 0 || spool->copies[i].size > 0)
            return true;
    return false;
}

/* ---- the live directory ---- */

static int open_live(int live_dir, const char *name, struct stat *ret_status)
{
    auto_fd int fd = openat(live_dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || fstat(fd, ret_status) != 0 || !S_ISREG(ret_status->st_mode))
        return -1;
    return steal_fd(&fd);
}

static int64_t copied(const struct spool_copy *copy)
{
    return copy->size > copy->base ? copy->size - copy->base : 0;
}

static void attach_log(struct spool *spool, enum spool_log log, int live_dir)
{
    struct spool_copy *copy = &spool->copies[log];
    struct stat status;
    if (fstatat(live_dir, NAMES[log], &status, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    bool same = copy->ino == status.st_ino && copy->dev == status.st_dev;
    struct stat old;
    bool drained = copy->fd < 0 || fstat(copy->fd, &old) != 0 || old.st_size <= copied(copy) ||
                   copy->dropped > 0;
    if ((same && copy->fd >= 0) || !drained)
        return;
    auto_fd int fd = open_live(live_dir, NAMES[log], &status);
    if (fd < 0)
        return;
    same = copy->ino == status.st_ino && copy->dev == status.st_dev;
    close_live(copy);
    copy->fd = steal_fd(&fd);
    if (same)
        return;
    copy->replacements += copy->ino != 0;
    copy->dev = status.st_dev;
    copy->ino = status.st_ino;
    copy->base = copy->size;
    spool->unsaved = true;
}

/* The value of `key` in a kernel command line up to one of `ends`; NULL if it is not there. */
static char *argument(const char *cmdline, const char *key, const char *ends)
{
    size_t len = strlen(key);
    for (const char *at = strstr(cmdline, key); at != NULL; at = strstr(at + 1, key))
        if ((at == cmdline || at[-1] == ' ') && strcspn(at + len, ends) > 0)
            return mem_strndup(at + len, strcspn(at + len, ends));
    return NULL;
}

static void take_text(char **to, const json_t *value)
{
    if (json_is_string(value) && json_string_length(value) <= 4096) {
        free(*to);
        *to = mem_strdup(json_string_value(value));
    }
}

static int small_number(const json_t *value)
{
    json_int_t number = json_integer_value(value);
    return number > 0 && number <= INT32_MAX ? (int)number : 0;
}

/* Firecracker's own form (--config-file); what is odd in it is left out. */
static void take_config(struct record *record, const json_t *config)
{
    const json_t *machine = json_object_get(config, "machine-config");
    const json_t *boot = json_object_get(config, "boot-source");
    const json_t *card = json_array_get(json_object_get(config, "network-interfaces"), 0);
    record->guest.memory_mib = small_number(json_object_get(machine, "mem_size_mib"));
    record->guest.vcpus = small_number(json_object_get(machine, "vcpu_count"));
    take_text(&record->guest.cmdline, json_object_get(boot, "boot_args"));
    take_text(&record->guest.mac, json_object_get(card, "guest_mac"));
    take_text(&record->kernel.path, json_object_get(boot, "kernel_image_path"));
    if (record->guest.cmdline != NULL && record->guest.expected_address == NULL)
        record->guest.expected_address = argument(record->guest.cmdline, "ip=", ": ");
}

static void attach_config(struct spool *spool, int live_dir)
{
    struct stat status;
    if (spool->record.guest.cmdline != NULL)
        return;
    auto_fd int fd = open_live(live_dir, "vm-config.json", &status);
    if (fd < 0 || status.st_size > LARGEST_CONFIG)
        return;
    auto_free char *text = mem_calloc((size_t)status.st_size + 1, 1);
    ssize_t got = pread(fd, text, (size_t)status.st_size, 0);
    json_auto_t *config = got > 0 ? json_loadb(text, (size_t)got, 0, NULL) : NULL;
    if (config == NULL) /* half written: the next look may see all of it */
        return;
    take_config(&spool->record, config);
    spool->unsaved = true;
}

void spool_attach(struct spool *spool, int live_dir)
{
    for (size_t i = 0; i < SPOOL_N_LOGS; i++)
        attach_log(spool, (enum spool_log)i, live_dir);
    attach_config(spool, live_dir);
}

/* ---- copying ---- */

/* Appends a chunk; 1, 0 at the end of what may be copied, -1. */
static int copy_chunk(struct spool_copy *copy, int to, int64_t end, int64_t limit, const char *path,
                      struct err *err)
{
    char chunk[CHUNK];
    int64_t from = copied(copy), wanted = end - from;
    copy->dropped = wanted > limit - copy->size ? wanted - (limit - copy->size) : 0;
    wanted -= copy->dropped;
    if (wanted <= 0)
        return 0;
    ssize_t got = pread(copy->fd, chunk, wanted < CHUNK ? (size_t)wanted : CHUNK, from);
    if (got <= 0)
        return 0;
    ssize_t put = write(to, chunk, (size_t)got);
    if (put < 0 && errno == EINTR)
        return 1;
    if (put < 0)
        return err_sys(err, errno, "cannot write %s", path);
    copy->size += put;
    return 1;
}

static int pump_log(struct spool *spool, enum spool_log log, int64_t limit, struct err *err)
{
    struct spool_copy *copy = &spool->copies[log];
    struct stat status;
    if (copy->fd < 0 || fstat(copy->fd, &status) != 0)
        return 0;
    if (status.st_size < copied(copy)) {
        copy->base = copy->size;
        copy->truncations++;
        spool->unsaved = true;
    }
    if (spool->unsaved && spool_save(spool, err) != 0)
        return -1;
    if (status.st_size == copied(copy))
        return 0;
    auto_free char *path = spool_path(spool, log);
    auto_fd int to = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (to < 0)
        return err_sys(err, errno, "cannot write %s", path);
    int moved = 0, result = 1;
    for (int i = 0; i < CHUNKS_PER_PUMP && result == 1; i++) {
        result = copy_chunk(copy, to, status.st_size, limit, path, err);
        moved |= result == 1;
    }
    return result < 0 ? -1 : moved;
}

int spool_pump(struct spool *spool, int64_t limit, struct err *err)
{
    int moved = 0;
    for (size_t i = 0; i < SPOOL_N_LOGS; i++) {
        int result = pump_log(spool, (enum spool_log)i, limit, err);
        if (result < 0)
            return -1;
        moved |= result;
    }
    return moved;
}
