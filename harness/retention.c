/* SPDX-License-Identifier: Apache-2.0 */
/* All names of the directory are gathered into boots; these, oldest first, give way until the rest
 * fits. */
#include "harness/retention.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/archive.h"
#include "harness/base/auto.h"
#include "harness/base/mem.h"

enum { ONE_BOOT_WITHIN_MS = 60000 };

struct kept_file {
    char *name;
    size_t vm_id_len;
    int64_t stamp_ms, changed_s;
    uint64_t size;
};

/* Consecutive files of the list. */
struct kept_boot {
    size_t first, n;
    int64_t changed_s; /* the youngest file's */
    uint64_t size;
};

struct kept {
    struct kept_file *files; /* owned */
    size_t n_files, cap_files;
    struct kept_boot *boots; /* owned */
    size_t n_boots, cap_boots;
    uint64_t size;
};

static void kept_release(struct kept *kept)
{
    for (size_t i = 0; i < kept->n_files; i++)
        free(kept->files[i].name);
    free(kept->files);
    free(kept->boots);
}

static bool parse_any(const char *name, struct archive_name *ret)
{
    return archive_name_parse(name, "-console-", ret) || archive_name_parse(name, "-error-", ret) ||
           archive_name_parse(name, "-boot-", ret);
}

static int compare_ids(const struct kept_file *a, const struct kept_file *b)
{
    size_t shorter = a->vm_id_len < b->vm_id_len ? a->vm_id_len : b->vm_id_len;
    int order = memcmp(a->name, b->name, shorter);
    return order != 0 ? order : (a->vm_id_len > b->vm_id_len) - (a->vm_id_len < b->vm_id_len);
}

static int compare_files(const void *left, const void *right)
{
    const struct kept_file *a = left, *b = right;
    int order = compare_ids(a, b);
    if (order == 0)
        order = (a->stamp_ms > b->stamp_ms) - (a->stamp_ms < b->stamp_ms);
    return order != 0 ? order : strcmp(a->name, b->name);
}

static int compare_ages(const void *left, const void *right)
{
    const struct kept_boot *a = left, *b = right;
    int order = (a->changed_s > b->changed_s) - (a->changed_s < b->changed_s);
    return order != 0 ? order : (a->first > b->first) - (a->first < b->first);
}

static void add_file(struct kept *kept, int dir_fd, const char *name)
{
    struct archive_name parts;
    struct stat status;
    if (!parse_any(name, &parts) || fstatat(dir_fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode))
        return;
    kept->files = mem_grow(kept->files, kept->n_files, &kept->cap_files, sizeof(*kept->files));
    kept->files[kept->n_files++] = (struct kept_file){
        .name = mem_strdup(name),
        .vm_id_len = parts.vm_id_len,
        .stamp_ms = archive_stamp_ms(parts.stamp),
        .changed_s = status.st_mtime,
        .size = (uint64_t)status.st_size,
    };
}

static void gather_boots(struct kept *kept)
{
    if (kept->n_files > 1)
        qsort(kept->files, kept->n_files, sizeof(*kept->files), compare_files);
    for (size_t i = 0; i < kept->n_files; i++) {
        const struct kept_file *file = &kept->files[i];
        struct kept_boot *boot = kept->n_boots > 0 ? &kept->boots[kept->n_boots - 1] : NULL;
        const struct kept_file *first = boot != NULL ? &kept->files[boot->first] : NULL;
        if (first == NULL || compare_ids(first, file) != 0 ||
            file->stamp_ms - first->stamp_ms > ONE_BOOT_WITHIN_MS) {
            kept->boots =
                mem_grow(kept->boots, kept->n_boots, &kept->cap_boots, sizeof(*kept->boots));
            boot = &kept->boots[kept->n_boots++];
            *boot = (struct kept_boot){.first = i, .changed_s = file->changed_s};
        }
        boot->n++;
        boot->size += file->size;
        if (file->changed_s > boot->changed_s)
            boot->changed_s = file->changed_s;
        kept->size += file->size;
    }
    if (kept->n_boots > 1)
        qsort(kept->boots, kept->n_boots, sizeof(*kept->boots), compare_ages);
}

static int remove_boot(const struct kept *kept, const struct kept_boot *boot, int dir_fd,
                       const char *dir, struct err *err)
{
    int result = 0;
    for (size_t i = boot->first; i < boot->first + boot->n; i++)
        if (unlinkat(dir_fd, kept->files[i].name, 0) != 0 && errno != ENOENT)
            result = err_sys(err, errno, "cannot remove %s/%s", dir, kept->files[i].name);
    return result;
}

int retention_apply(const struct retention *retention, const char *dir, int64_t now_s,
                    size_t *ret_removed, struct err *err)
{
    *ret_removed = 0;
    struct kept kept __attribute__((cleanup(kept_release))) = {0};
    auto_dir DIR *entries = opendir(dir);
    if (entries == NULL)
        return err_sys(err, errno, "cannot read %s", dir);
    const struct dirent *entry;
    while ((entry = readdir(entries)) != NULL)
        add_file(&kept, dirfd(entries), entry->d_name);
    gather_boots(&kept);

    int result = 0;
    uint64_t count = kept.n_boots, size = kept.size;
    for (size_t i = 0; i < kept.n_boots; i++) {
        const struct kept_boot *boot = &kept.boots[i];
        int64_t age_s = now_s - boot->changed_s;
        bool over = (retention->keep_s > 0 && age_s > retention->keep_s) ||
                    (retention->max_bytes > 0 && size > retention->max_bytes) ||
                    (retention->max_count > 0 && count > retention->max_count);
        if (!over || age_s < retention->min_age_s)
            break; /* all that follow are younger */
        if (remove_boot(&kept, boot, dirfd(entries), dir, err) != 0) {
            result = -1;
            continue;
        }
        size -= boot->size;
        count--;
        ++*ret_removed;
    }
    return result;
}

/* Digits, then at most one of the letters; `ret_letter` is its place, -1: none. */
static int parse_number(const char *text, const char *letters, uint64_t *ret, int *ret_letter)
{
    if (!isdigit((unsigned char)text[0]))
        return -1;
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno != 0 || number > (UINT64_C(1) << 53))
        return -1;
    const char *letter = *end != '\0' ? strchr(letters, *end) : NULL;
    if (*end != '\0' && (letter == NULL || end[1] != '\0'))
        return -1;
    *ret = number;
    *ret_letter = letter != NULL ? (int)(letter - letters) : -1;
    return 0;
}

int retention_parse_age(const char *text, int64_t *ret_s)
{
    static const int64_t seconds[] = {1, 60, 3600, 86400};
    static const uint64_t longest = UINT64_C(100) * 366 * 86400;
    uint64_t number;
    int letter;
    if (parse_number(text, "smhd", &number, &letter) != 0 || number > longest)
        return -1;
    *ret_s = (int64_t)number * (letter >= 0 ? seconds[letter] : 1);
    return 0;
}

int retention_parse_size(const char *text, uint64_t *ret_bytes)
{
    uint64_t number;
    int letter;
    if (parse_number(text, "KMGT", &number, &letter) != 0)
        return -1;
    int shift = 10 * (letter + 1);
    if (number > (UINT64_C(1) << 62) >> shift)
        return -1;
    *ret_bytes = number << shift;
    return 0;
}
