/* SPDX-License-Identifier: Apache-2.0 */
/* Everything is checked when a fault is loaded; what applies the changes (fault_image.c,
 * fault_initrd.c) relies on it. */
#include "harness/fault.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/auto.h"
#include "harness/base/buf.h"
#include "harness/base/file.h"
#include "harness/base/json.h"
#include "harness/base/mem.h"
#include "harness/fault_change.h"
#include "harness/fault_initrd.h"

enum { LONGEST_LIST = 240 };

/* ---- which there are ---- */

static bool is_fault_dir(const char *faults_dir, const char *name)
{
    if (name[0] == '.' || strchr(name, '/') != NULL)
        return false;
    auto_free char *path = mem_printf("%s/%s/fault.json", faults_dir, name);
    return path_exists(path);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **fault_list(const char *faults_dir, struct err *err)
{
    auto_dir DIR *dir = opendir(faults_dir);
    if (dir == NULL) {
        err_sys(err, errno, "cannot read the faults in %s", faults_dir);
        return NULL;
    }
    char **names = NULL;
    size_t n = 0, cap = 0;
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        if (!is_fault_dir(faults_dir, entry->d_name))
            continue;
        names = mem_grow(names, n, &cap, sizeof(*names));
        names[n++] = mem_strdup(entry->d_name);
    }
    if (n > 0)
        qsort(names, n, sizeof(*names), compare_names);
    names = mem_grow(names, n, &cap, sizeof(*names));
    names[n] = NULL;
    return names;
}

void fault_list_free(char **names)
{
    for (char **name = names; name != NULL && *name != NULL; name++)
        free(*name);
    free(names);
}

static int refuse_name(const char *faults_dir, const char *name, struct err *err)
{
    char **names = fault_list(faults_dir, err);
    if (names == NULL)
        return -1;
    auto_buf struct buf list;
    buf_init(&list, LONGEST_LIST);
    for (char **known = names; *known != NULL; known++)
        buf_addf(&list, "%s%s", known == names ? "" : ", ", *known);
    fault_list_free(names);
    return err_set(err, "there is no fault \"%.60s\" in %.100s; known: %s%s", name, faults_dir,
                   list.len > 0 ? buf_text(&list) : "none",
                   list.overflow ? "...; `bootdiag list faults` lists them all" : "");
}

/* ---- loading ---- */

static const struct {
    const char *name;
    json_type type;
    const char *expected;
    bool required;
} MEMBERS[] = {
    {"schema", JSON_STRING, "\"bootdiag.fault/1\"", true},
    {"summary", JSON_STRING, "a string", true},
    {"cause", JSON_STRING, "a string or null", true},
    {"accept", JSON_ARRAY, "an array of strings", false},
    {"visible_in_console", JSON_TRUE, "true or false", false},
    {"target", JSON_OBJECT, "an object", false},
    {"cmdline_append", JSON_STRING, "a string", false},
    {"changes", JSON_ARRAY, "an array", false},
    {"initrd", JSON_OBJECT, "an object", false},
    {"also", JSON_ARRAY, "an array of strings", false},
    {"guests", JSON_OBJECT, "an object", false},
    {"only", JSON_ARRAY, "an array of strings", false},
    {"lab", JSON_OBJECT, "an object", false},
};
enum { N_MEMBERS = sizeof(MEMBERS) / sizeof(MEMBERS[0]) };

/* Those that may differ from guest to guest. */
static const char *const BY_GUEST[] = {"cause",  "accept",         "also",    "visible_in_console",
                                       "target", "cmdline_append", "changes", "initrd"};
enum { N_BY_GUEST = sizeof(BY_GUEST) / sizeof(BY_GUEST[0]) };

static bool has_type(const json_t *value, json_type type)
{
    return type == JSON_TRUE ? json_is_boolean(value) : json_typeof(value) == type;
}

/* A good boot that is special in some way has no cause. */
static bool is_no_cause(const char *key, const json_t *value)
{
    return strcmp(key, "cause") == 0 && json_is_null(value);
}

static bool is_by_guest(const char *key)
{
    for (size_t i = 0; i < N_BY_GUEST; i++)
        if (strcmp(BY_GUEST[i], key) == 0)
            return true;
    return false;
}

static bool is_remark(const char *key)
{
    return strncmp(key, "//", 2) == 0;
}

static int check_types(const json_t *members, bool of_guest, const char *name, struct err *err)
{
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)members, key, value) {
        size_t i = 0;
        if (is_remark(key))
            continue;
        while (i < N_MEMBERS && strcmp(MEMBERS[i].name, key) != 0)
            i++;
        if (i == N_MEMBERS || (of_guest && !is_by_guest(key)))
            return err_set(err, "%s: \"%.60s\" is not a member of %s", name, key,
                           of_guest ? "a guest of a fault" : "a fault");
        if (!has_type(value, MEMBERS[i].type) && !is_no_cause(key, value))
            return err_set(err, "%s: \"%s\": expected %s", name, key, MEMBERS[i].expected);
    }
    return 0;
}

static int check_lists(const json_t *members, const char *name, struct err *err)
{
    static const char *const lists[] = {"accept", "also", "only"};
    size_t index;
    const json_t *value;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        json_array_foreach (json_object_get(members, lists[i]), index, value)
            if (!json_is_string(value))
                return err_set(err, "%s: \"%s\": expected an array of strings", name, lists[i]);
    json_array_foreach (json_object_get(members, "changes"), index, value) {
        struct fault_change change;
        if (fault_change_parse(&change, value, index, name, err) != 0)
            return -1;
    }
    const json_t *initrd = json_object_get(members, "initrd");
    return initrd == NULL ? 0 : fault_initrd_check(initrd, name, err);
}

static int check_guests(const json_t *document, const char *name, struct err *err)
{
    const char *guest;
    json_t *members;
    json_object_foreach (json_object_get(document, "guests"), guest, members) {
        auto_free char *where = mem_printf("%s: \"guests\": \"%.60s\"", name, guest);
        if (!json_is_object(members))
            return err_set(err, "%s: expected an object", where);
        if (check_types(members, true, where, err) != 0 || check_lists(members, where, err) != 0)
            return -1;
    }
    return 0;
}

static int check_document(const json_t *document, const char *name, struct err *err)
{
    if (check_types(document, false, name, err) != 0)
        return -1;
    for (size_t i = 0; i < N_MEMBERS; i++)
        if (MEMBERS[i].required && json_object_get(document, MEMBERS[i].name) == NULL)
            return err_set(err, "%s: \"%s\" is missing", name, MEMBERS[i].name);
    const char *schema = json_string_value(json_object_get(document, "schema"));
    if (strcmp(schema, "bootdiag.fault/1") != 0)
        return err_set(err, "%s: \"schema\": expected \"bootdiag.fault/1\", got \"%.40s\"", name,
                       schema);
    if (check_lists(document, name, err) != 0)
        return -1;
    return check_guests(document, name, err);
}

static int fill(struct fault *fault, const char *path, struct err *err)
{
    if (json_get_text(fault->document, "summary", path, &fault->summary, err) != 0 ||
        json_get_text(fault->document, "cause", path, &fault->cause, err) != 0 ||
        json_get_text(fault->document, "cmdline_append", path, &fault->cmdline_append, err) != 0)
        return -1;
    return 0;
}

int fault_load(struct fault *fault, const char *faults_dir, const char *name, struct err *err)
{
    if (!is_fault_dir(faults_dir, name))
        return refuse_name(faults_dir, name, err);
    auto_fault struct fault loaded = {.name = mem_strdup(name), .dir = path_join(faults_dir, name)};
    auto_free char *path = path_join(loaded.dir, "fault.json");
    loaded.document = json_read_object(path, err);
    if (loaded.document == NULL || check_document(loaded.document, path, err) != 0 ||
        fill(&loaded, path, err) != 0)
        return -1;
    *fault = loaded;
    loaded = (struct fault){0};
    return 0;
}

void fault_release(struct fault *fault)
{
    free(fault->name);
    free(fault->dir);
    free(fault->summary);
    free(fault->cause);
    free(fault->cmdline_append);
    json_decref(fault->document);
    *fault = (struct fault){0};
}

/* ---- applying ---- */

static bool fits_guest(const struct fault *fault, const char *guest)
{
    size_t index;
    const json_t *value;
    const json_t *only = json_object_get(fault->document, "only");
    json_array_foreach (only, index, value)
        if (strcmp(json_string_value(value), guest) == 0)
            return true;
    return only == NULL;
}

int fault_for_guest(struct fault *fault, const char *guest, struct err *err)
{
    if (guest == NULL)
        return 0;
    if (!fits_guest(fault, guest))
        return err_set(err, "fault %s is not for the guest %s: its \"only\" names others",
                       fault->name, guest);
    json_t *members = json_object_get(json_object_get(fault->document, "guests"), guest);
    if (members == NULL)
        return 0;
    json_object_update(fault->document, members);
    auto_free char *path = path_join(fault->dir, "fault.json");
    return fill(fault, path, err);
}

bool fault_changes_image(const struct fault *fault)
{
    return json_array_size(json_object_get(fault->document, "changes")) > 0;
}

bool fault_changes_initrd(const struct fault *fault)
{
    return json_object_get(fault->document, "initrd") != NULL;
}

int fault_apply_target(const struct fault *fault, struct target *target, struct err *err)
{
    auto_free char *dir = realpath(fault->dir, NULL); /* a target's paths are absolute */
    auto_free char *path = path_join(dir != NULL ? dir : fault->dir, "fault.json");
    const json_t *members = json_object_get(fault->document, "target");
    if (members != NULL && target_merge(target, members, path, err) != 0)
        return -1;
    if (fault->cmdline_append == NULL)
        return 0;
    const char *cmdline = target->cmdline != NULL ? target->cmdline : "";
    char *longer =
        mem_printf("%s%s%s", cmdline, cmdline[0] != '\0' ? " " : "", fault->cmdline_append);
    free(target->cmdline);
    target->cmdline = longer;
    return 0;
}
