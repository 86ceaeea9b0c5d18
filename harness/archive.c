/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/archive.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "harness/base/auto.h"
#include "harness/base/file.h"
#include "harness/base/json.h"
#include "harness/base/mem.h"

enum { MAX_DEPTH = 100, PAIR_WITHIN_MS = 60000 };

static const char STAMP_FORM[] = "dddd-dd-ddTdd-dd-dd-dddZ";
_Static_assert(sizeof(STAMP_FORM) - 1 == ARCHIVE_STAMP_LEN, "the form of a stamp");

static bool is_stamp(const char *text)
{
    for (size_t i = 0; i < ARCHIVE_STAMP_LEN; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (STAMP_FORM[i] == 'd' ? !digit : text[i] != STAMP_FORM[i])
            return false;
    }
    return true;
}

static bool is_suffix(const char *infix, const char *text)
{
    if (strcmp(infix, "-boot-") == 0)
        return strcmp(text, ".json") == 0;
    return strcmp(text, ".log") == 0 || strcmp(text, ".log.gz") == 0 ||
           strcmp(text, ".log.zst") == 0;
}

bool archive_name_parse(const char *name, const char *infix, struct archive_name *ret)
{
    /* a vmId may hold the infix too: the one before the stamp counts */
    for (const char *found = strstr(name, infix); found != NULL; found = strstr(found + 1, infix)) {
        const char *stamp = found + strlen(infix);
        if (found == name || !is_stamp(stamp) || !is_suffix(infix, stamp + ARCHIVE_STAMP_LEN))
            continue;
        *ret = (struct archive_name){.vm_id_len = (size_t)(found - name), .stamp = stamp};
        return true;
    }
    return false;
}

int64_t archive_stamp_ms(const char *stamp)
{
    struct tm utc = {0};
    int ms = 0;
    (void)sscanf(stamp, "%4d-%2d-%2dT%2d-%2d-%2d-%3dZ", &utc.tm_year, &utc.tm_mon, &utc.tm_mday,
                 &utc.tm_hour, &utc.tm_min, &utc.tm_sec, &ms);
    utc.tm_year -= 1900;
    utc.tm_mon -= 1;
    return (int64_t)timegm(&utc) * 1000 + ms;
}

/* The VMMs' logs of one directory, ordered by vmId, then time: thousands of consoles look here. */
struct error_log {
    char *name;
    size_t vm_id_len;
    int64_t at_ms;
};

struct error_logs {
    struct error_log *list; /* owned */
    size_t n, cap;
};

static int compare_vm_ids(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

static int compare_error_logs(const void *left, const void *right)
{
    const struct error_log *a = left, *b = right;
    int order = compare_vm_ids(a->name, a->vm_id_len, b->name, b->vm_id_len);
    if (order == 0)
        order = (a->at_ms > b->at_ms) - (a->at_ms < b->at_ms);
    return order != 0 ? order : strcmp(a->name, b->name);
}

static void error_logs_release(struct error_logs *logs)
{
    for (size_t i = 0; i < logs->n; i++)
        free(logs->list[i].name);
    free(logs->list);
    *logs = (struct error_logs){0};
}

static void error_logs_find(struct error_logs *ret_logs, const char *dir)
{
    struct error_logs logs = {0};
    auto_dir DIR *entries = opendir(dir);
    const struct dirent *entry;
    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        struct archive_name name;
        if (!archive_name_parse(entry->d_name, "-error-", &name))
            continue;
        logs.list = mem_grow(logs.list, logs.n, &logs.cap, sizeof(*logs.list));
        logs.list[logs.n++] = (struct error_log){.name = mem_strdup(entry->d_name),
                                                 .vm_id_len = name.vm_id_len,
                                                 .at_ms = archive_stamp_ms(name.stamp)};
    }
    if (logs.n > 1)
        qsort(logs.list, logs.n, sizeof(*logs.list), compare_error_logs);
    *ret_logs = logs;
}

/* The first of a vmId that is not before `at_ms`, or where it would stand. */
static size_t lower_bound(const struct error_logs *logs, const char *vm_id, size_t len,
                          int64_t at_ms)
{
    size_t low = 0, high = logs->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct error_log *log = &logs->list[middle];
        int order = compare_vm_ids(log->name, log->vm_id_len, vm_id, len);
        if (order < 0 || (order == 0 && log->at_ms < at_ms))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Name of the log that belongs to a console: same vmId, nearest stamp; NULL: none near enough. */
static const char *nearest_error_log(const struct error_logs *logs, const char *console,
                                     const struct archive_name *name)
{
    int64_t at_ms = archive_stamp_ms(name->stamp), best = PAIR_WITHIN_MS + 1;
    size_t after = lower_bound(logs, console, name->vm_id_len, at_ms);
    const char *nearest = NULL;
    for (size_t i = after > 0 ? after - 1 : 0; i <= after && i < logs->n; i++) {
        const struct error_log *log = &logs->list[i];
        int64_t distance = llabs(log->at_ms - at_ms);
        if (distance >= best ||
            compare_vm_ids(log->name, log->vm_id_len, console, name->vm_id_len) != 0)
            continue;
        best = distance;
        nearest = log->name;
    }
    return nearest;
}

static struct archive_entry *add(struct archive *archive, enum archive_kind kind, const char *path,
                                 const char *source)
{
    archive->entries =
        mem_grow(archive->entries, archive->len, &archive->cap, sizeof(*archive->entries));
    struct archive_entry *entry = &archive->entries[archive->len++];
    *entry = (struct archive_entry){
        .kind = kind, .path = mem_strdup(path), .source = mem_strdup(source)};
    return entry;
}

static bool is_record_dir(const char *path)
{
    static const char *const names[] = {"boot.json", "console.log", "console.log.zst"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        auto_free char *inside = path_join(path, names[i]);
        if (path_exists(inside))
            return true;
    }
    return false;
}

/* The record's own started_at; "" if it has none. */
static char *record_stamp(const char *dir)
{
    auto_free char *path = path_join(dir, "boot.json");
    json_auto_t *boot = path_exists(path) ? json_read_object(path, NULL) : NULL;
    const char *started = json_string_value(json_object_get(boot, "started_at"));
    return mem_strdup(started != NULL ? started : "");
}

static bool add_if_archived(struct archive *archive, const struct error_logs *logs,
                            const char *path, const char *source)
{
    struct archive_name name;
    if (!archive_name_parse(path_base(path), "-console-", &name))
        return false;
    struct archive_entry *entry = add(archive, ARCHIVE_CONSOLE_PAIR, path, source);
    const char *error_log = nearest_error_log(logs, path_base(path), &name);
    auto_free char *dir = path_dir(path);
    entry->error_path = error_log != NULL ? path_join(dir, error_log) : NULL;
    entry->stamp = mem_strndup(name.stamp, ARCHIVE_STAMP_LEN);
    return true;
}

static void add_record(struct archive *archive, const char *path, const char *source)
{
    add(archive, ARCHIVE_RECORD, path, source)->stamp = record_stamp(path);
}

/*
 * `source` is the path as given, plus what leads from there to `path`. Links to files are followed,
 * links to directories are not: they may lead in circles.
 */
static void search(struct archive *archive, const char *path, const char *source, int depth);

/* One name in a directory. A link that leads nowhere has the name of a console or does not matter;
 * pipes and devices are never looked at. */
static void search_entry(struct archive *archive, const struct error_logs *logs, const char *path,
                         const char *source, int depth)
{
    struct stat status, target;
    if (lstat(path, &status) != 0) {
        if (errno != ENOENT)
            add_record(archive, path, source);
        return;
    }
    bool dangling = S_ISLNK(status.st_mode) && stat(path, &target) != 0;
    if (dangling || path_is_file(path))
        (void)add_if_archived(archive, logs, path, source);
    else if (S_ISDIR(status.st_mode) && is_record_dir(path))
        add_record(archive, path, source);
    else if (S_ISDIR(status.st_mode))
        search(archive, path, source, depth + 1);
}

static void search(struct archive *archive, const char *path, const char *source, int depth)
{
    auto_dir DIR *entries = depth <= MAX_DEPTH ? opendir(path) : NULL;
    if (entries == NULL) {
        add_record(archive, path, source);
        return;
    }
    struct error_logs logs;
    error_logs_find(&logs, path);
    const struct dirent *entry;
    while ((entry = readdir(entries)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        auto_free char *inside = path_join(path, entry->d_name);
        auto_free char *name = path_join(source, entry->d_name);
        search_entry(archive, &logs, inside, name, depth);
    }
    error_logs_release(&logs);
}

/* Stamps of records and archives differ in their separators only. */
static int compare_stamps(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++) {
        char left = *a == ':' || *a == '.' ? '-' : *a;
        char right = *b == ':' || *b == '.' ? '-' : *b;
        if (left != right)
            return left < right ? -1 : 1;
    }
    return (*a != '\0') - (*b != '\0');
}

static int compare_entries(const void *left, const void *right)
{
    const struct archive_entry *a = left, *b = right;
    int order = compare_stamps(a->stamp, b->stamp);
    return order != 0 ? order : strcmp(a->source, b->source);
}

static int find_in_dir(struct archive *archive, const char *path, struct err *err)
{
    if (is_record_dir(path)) {
        add_record(archive, path, path);
        return 0;
    }
    auto_dir DIR *readable = opendir(path);
    if (readable == NULL)
        return err_sys(err, errno, "cannot read %s", path);
    search(archive, path, path, 0);
    if (archive->len == 0)
        return err_set(err,
                       "%s: holds no boot record and no archived console "
                       "(*-console-2025-11-06T20-49-08-451Z.log); name a bare console itself",
                       path);
    qsort(archive->entries, archive->len, sizeof(*archive->entries), compare_entries);
    if (archive->len == 1) { /* the path itself says which one is meant */
        free(archive->entries[0].source);
        archive->entries[0].source = mem_strdup(path);
    }
    return 0;
}

int archive_find(struct archive *archive, const char *path, struct err *err)
{
    *archive = (struct archive){0};
    if (strcmp(path, "-") == 0) {
        add(archive, ARCHIVE_BARE, path, path)->stamp = mem_strdup("");
        return 0;
    }
    struct stat status;
    if (stat(path, &status) != 0)
        return err_sys(err, errno, "cannot read %s", path);
    if (S_ISDIR(status.st_mode))
        return find_in_dir(archive, path, err);
    auto_free char *dir = path_dir(path);
    struct error_logs logs;
    error_logs_find(&logs, dir);
    if (!add_if_archived(archive, &logs, path, path))
        add(archive, ARCHIVE_BARE, path, path)->stamp = mem_strdup("");
    error_logs_release(&logs);
    return 0;
}

void archive_release(struct archive *archive)
{
    for (size_t i = 0; i < archive->len; i++) {
        free(archive->entries[i].path);
        free(archive->entries[i].error_path);
        free(archive->entries[i].source);
        free(archive->entries[i].stamp);
    }
    free(archive->entries);
    *archive = (struct archive){0};
}

void archive_append(struct archive *to, struct archive *from)
{
    for (size_t i = 0; i < from->len; i++) {
        to->entries = mem_grow(to->entries, to->len, &to->cap, sizeof(*to->entries));
        to->entries[to->len++] = from->entries[i];
    }
    free(from->entries);
    *from = (struct archive){0};
}

static void set_source(struct record *record, const struct archive_entry *entry)
{
    free(record->source);
    record->source = mem_strdup(entry->source);
}

int archive_load_console(const struct archive *archive, size_t index, struct record *record,
                         struct err *err)
{
    const struct archive_entry *entry = &archive->entries[index];
    if (record_load_console(record, entry->path, err) != 0)
        return -1;
    set_source(record, entry);
    return 0;
}

int archive_load(const struct archive *archive, size_t index, struct record *record,
                 struct err *err)
{
    const struct archive_entry *entry = &archive->entries[index];
    int result = -1;
    switch (entry->kind) {
    case ARCHIVE_RECORD:
        result = record_load(record, entry->path, err);
        break;
    case ARCHIVE_CONSOLE_PAIR:
        result = record_load_archived(record, entry->path, entry->error_path, err);
        break;
    case ARCHIVE_BARE:
        result = record_load_console(record, entry->path, err);
        break;
    }
    if (result != 0)
        return -1;
    set_source(record, entry);
    return 0;
}
