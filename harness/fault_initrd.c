/* SPDX-License-Identifier: Apache-2.0 */
/* The archive is "newc": a header of 8-digit hex fields, a name, content, each padded to 4 bytes.
 */
#include "harness/fault_initrd.h"

#include <string.h>

#include "harness/base/auto.h"
#include "harness/base/buf.h"
#include "harness/base/file.h"
#include "harness/base/json.h"
#include "harness/base/mem.h"
#include "harness/fault_change.h"

enum {
    KIB = 1024,
    GARBLED_BYTES = 4 * KIB,
    PATTERN = 0x5a,
    MAX_KIB = 1 << 20,
    SIZE_LIMIT = 512 << 20,
    TYPE_FILE = 0100000,
    TYPE_FOLDER = 040000,
    TYPE_LINK = 0120000,
};

struct recipe {
    int keep_kib, garble_kib; /* -1: not said */
    const json_t *changes;
};

static int parse(struct recipe *ret, const json_t *initrd, const char *name, struct err *err)
{
    static const char *const known[] = {"keep_kib", "garble_kib", "changes"};
    struct recipe recipe = {.keep_kib = -1, .garble_kib = -1};
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)initrd, key, value) {
        size_t i = 0;
        while (i < 3 && strcmp(known[i], key) != 0)
            i++;
        if (i == 3)
            return err_set(err, "%s: \"%.60s\" is not a member of \"initrd\"", name, key);
    }
    if (json_get_int32(initrd, "keep_kib", name, 0, MAX_KIB, &recipe.keep_kib, err) != 0 ||
        json_get_int32(initrd, "garble_kib", name, 0, MAX_KIB, &recipe.garble_kib, err) != 0 ||
        json_get_array(initrd, "changes", name, &recipe.changes, err) != 0)
        return -1;
    *ret = recipe;
    return 0;
}

static int parse_change(struct fault_change *ret, const json_t *value, size_t index,
                        const char *name, struct err *err)
{
    if (fault_change_parse(ret, value, index, name, err) != 0)
        return -1;
    if (ret->kind != CHANGE_WRITE && ret->kind != CHANGE_SYMLINK)
        return err_set(err,
                       "%s: \"changes\", number %zu: an initrd takes \"write\" and \"symlink\"",
                       name, index + 1);
    return 0;
}

int fault_initrd_check(const json_t *initrd, const char *name, struct err *err)
{
    struct recipe recipe = {0};
    auto_free char *where = mem_printf("%s: \"initrd\"", name);
    size_t index;
    const json_t *value;
    if (parse(&recipe, initrd, where, err) != 0)
        return -1;
    json_array_foreach (recipe.changes, index, value) {
        struct fault_change change;
        if (parse_change(&change, value, index, where, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- the archive ---- */

static void pad(struct buf *out)
{
    while (out->len % 4 != 0 && !out->overflow)
        buf_add_char(out, '\0');
}

/* `name` without the '/' at its beginning. */
static void add_entry(struct buf *out, const char *name, unsigned mode, const char *content,
                      size_t len)
{
    static const char magic[] = "070701";
    pad(out);
    const unsigned fields[] = {
        0, mode, 0, 0, 1, 0, (unsigned)len, 0, 0, 0, 0, (unsigned)strlen(name) + 1, 0};
    buf_add_text(out, magic);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        buf_addf(out, "%08x", fields[i]);
    buf_add(out, name, strlen(name) + 1);
    pad(out);
    buf_add(out, content, len);
    pad(out);
}

static void add_folders(struct buf *out, const char *path)
{
    for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        auto_free char *folder = mem_strndup(path, (size_t)(slash - path));
        add_entry(out, folder, TYPE_FOLDER | 0755, "", 0);
    }
}

static int add_change(struct buf *out, const struct fault *fault, const struct fault_change *change,
                      struct err *err)
{
    const char *name = change->path + 1;
    add_folders(out, name);
    if (change->kind == CHANGE_SYMLINK) {
        add_entry(out, name, TYPE_LINK | 0777, change->to, strlen(change->to));
        return 0;
    }
    auto_free char *path = path_join(fault->dir, change->file);
    auto_buf struct buf content;
    buf_init(&content, 0);
    if (file_read(path, SIZE_LIMIT, &content, err) != 0)
        return -1;
    add_entry(out, name, TYPE_FILE | (unsigned)change->mode, buf_text(&content), content.len);
    return 0;
}

static int add_archive(struct buf *out, const struct fault *fault, const json_t *changes,
                       struct err *err)
{
    size_t index;
    const json_t *value;
    json_array_foreach (changes, index, value) {
        struct fault_change change;
        if (parse_change(&change, value, index, fault->name, err) != 0 ||
            add_change(out, fault, &change, err) != 0)
            return -1;
    }
    if (json_array_size(changes) > 0)
        add_entry(out, "TRAILER!!!", 0, "", 0);
    return 0;
}

/* ---- the file ---- */

static int spoil(struct buf *initrd, const struct recipe *recipe, struct err *err)
{
    size_t keep = (size_t)recipe->keep_kib * KIB, garble = (size_t)recipe->garble_kib * KIB;
    if ((recipe->keep_kib >= 0 && keep >= initrd->len) ||
        (recipe->garble_kib >= 0 && garble + GARBLED_BYTES > initrd->len))
        return err_set(err, "the initrd has only %zu KiB", initrd->len / KIB);
    if (recipe->garble_kib >= 0)
        memset(initrd->data + garble, PATTERN, GARBLED_BYTES);
    if (recipe->keep_kib >= 0)
        initrd->len = keep;
    return 0;
}

int fault_make_initrd(const struct fault *fault, const char *from, const char *to, struct err *err)
{
    struct recipe recipe = {0};
    auto_buf struct buf initrd;
    buf_init(&initrd, 0);
    if (from == NULL)
        return err_set(err, "fault %s changes the initrd, and the target has none", fault->name);
    if (parse(&recipe, json_object_get(fault->document, "initrd"), fault->name, err) != 0 ||
        file_read(from, SIZE_LIMIT, &initrd, err) != 0)
        return -1;
    if (spoil(&initrd, &recipe, err) != 0 || add_archive(&initrd, fault, recipe.changes, err) != 0)
        return err_prefix(err, "fault %s", fault->name);
    if (initrd.overflow)
        return err_set(err, "fault %s: the initrd would become too large", fault->name);
    return file_write(to, buf_text(&initrd), initrd.len, err);
}
