/* SPDX-License-Identifier: Apache-2.0 */
/* One table of members makes loading, --set, the template and the documentation. */
#include "harness/target.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/auto.h"
#include "harness/base/file.h"
#include "harness/base/json.h"
#include "harness/base/mem.h"
#include "harness/base/words.h"
#include "harness/target_check.h"

enum member_type {
    MEMBER_TEXT,
    MEMBER_PATH,
    MEMBER_PROGRAM,
    MEMBER_INT,
    MEMBER_REAL,
    MEMBER_COMMAND
};

struct member {
    const char *name; /* "memory_mib"; one dot for a member of a member: "qemu.machine" */
    enum member_type type;
    size_t offset;
    const char *fallback; /* default; NULL: none */
    int min, max;         /* MEMBER_INT */
    const char *meaning;
};

#define AT(field) offsetof(struct target, field)

static const struct member MEMBERS[] = {
    {"name", MEMBER_TEXT, AT(name), "vm", 0, 0, "what reports call this target"},
    {"guest", MEMBER_TEXT, AT(guest), NULL, 0, 0,
     "which guest its images hold, for faults that differ from guest to guest"},
    {"backend", MEMBER_TEXT, AT(backend), "qemu", 0, 0, "see `bootdiag list backends`"},
    {"kernel", MEMBER_PATH, AT(kernel), NULL, 0, 0, "kernel image; relative to this file"},
    {"initrd", MEMBER_PATH, AT(initrd), NULL, 0, 0, "initial RAM disk; none if absent"},
    {"rootfs", MEMBER_PATH, AT(rootfs), NULL, 0, 0,
     "raw image of the root file system; every boot gets a throw-away copy"},
    {"cmdline", MEMBER_TEXT, AT(cmdline), "console=ttyS0 root=/dev/vda rw panic=-1 reboot=t", 0, 0,
     "kernel command line"},
    {"memory_mib", MEMBER_INT, AT(memory_mib), "512", 1, 1 << 20, "guest memory in MiB"},
    {"vcpus", MEMBER_INT, AT(vcpus), "1", 1, 64, "virtual CPUs"},
    {"network", MEMBER_TEXT, AT(network), "user", 0, 0,
     "\"user\": QEMU's user-mode network, with exec a port of 127.0.0.1; \"tap\": a TAP device on "
     "a bridge of this host"},
    {"nic", MEMBER_TEXT, AT(nic), "virtio", 0, 0,
     "\"virtio\": a virtio-net card; \"none\": the VM has no network card"},
    {"bridge", MEMBER_TEXT, AT(bridge), "fcbr0", 0, 0, "network tap: the bridge"},
    {"tap", MEMBER_TEXT, AT(tap), NULL, 0, 0,
     "network tap: an existing TAP device to use; absent: each boot makes its own, which needs "
     "root"},
    {"address", MEMBER_TEXT, AT(address), NULL, 0, 0,
     "network tap: the guest's IPv4 address; its MAC is 02:fc and these four bytes"},
    {"addresses", MEMBER_INT, AT(addresses), "1", 1, 1024,
     "network tap: how many addresses from there on are the target's: so many boots at a time"},
    {"network_checks", MEMBER_TEXT, AT(network_checks), "strict", 0, 0,
     "network tap: \"strict\" refuses a bridge that cannot work and an address that answers "
     "already, "
     "\"lenient\" boots and records what it sees"},
    {"pcap", MEMBER_TEXT, AT(pcap), "failure", 0, 0,
     "when a boot's net.pcap is kept: \"failure\", \"always\" or \"never\""},
    {"deadline_ms", MEMBER_INT, AT(deadline_ms), "120000", 100, 24 * 3600 * 1000,
     "a boot that is not ready by then has failed"},
    {"settle_ms", MEMBER_INT, AT(settle_ms), "500", 0, 600000,
     "ready means: still answers this long after the first good answer"},
    {"grace_ms", MEMBER_INT, AT(grace_ms), "2000", 0, 600000,
     "how long a boot goes on after fatal evidence, for its last lines"},
    {"qemu.binary", MEMBER_PROGRAM, AT(qemu_binary), "qemu-system-x86_64", 0, 0,
     "program, searched in PATH; a path is relative to this file"},
    {"qemu.machine", MEMBER_TEXT, AT(qemu_machine), "q35", 0, 0,
     "\"q35\" or \"microvm\", options may follow behind commas"},
    {"qemu.cpu", MEMBER_TEXT, AT(qemu_cpu), "max", 0, 0, "CPU model"},
    {"qemu.accelerator", MEMBER_TEXT, AT(qemu_accelerator), "auto", 0, 0,
     "\"kvm\", \"tcg\", or \"auto\": KVM if a guest really runs under it"},
    {"replay.records", MEMBER_PATH, AT(replay_records), NULL, 0, 0,
     "backend replay: directory of kept records that are played in turn"},
    {"replay.speed", MEMBER_REAL, AT(replay_speed), "0", 0, 0,
     "1: as fast as it happened; 10: ten times that; 0: at once"},
    {"exec", MEMBER_COMMAND, AT(exec), NULL, 0, 0,
     "backend exec: the program and its arguments, without a shell; {dir}, {id}, {port}, {tap}, "
     "{mac}, {address}, {kernel}, {initrd}, {rootfs}, {cmdline}, {memory_mib} and {vcpus} in them "
     "are replaced"},
};
enum { N_MEMBERS = sizeof(MEMBERS) / sizeof(MEMBERS[0]) };

static bool is_text(enum member_type type)
{
    return type == MEMBER_TEXT || type == MEMBER_PATH || type == MEMBER_PROGRAM;
}

static void *place(const struct target *target, const struct member *member)
{
    return (char *)target + member->offset;
}

void target_init(struct target *target)
{
    *target = (struct target){0};
    for (size_t i = 0; i < N_MEMBERS; i++) {
        const struct member *member = &MEMBERS[i];
        void *value = place(target, member);
        if (member->type == MEMBER_INT)
            *(int *)value = atoi(member->fallback);
        else if (member->type == MEMBER_REAL)
            *(double *)value = strtod(member->fallback, NULL);
        else if (is_text(member->type))
            *(char **)value = mem_strdup(member->fallback);
    }
    service_init(&target->service);
}

void target_release(struct target *target)
{
    for (size_t i = 0; i < N_MEMBERS; i++)
        if (is_text(MEMBERS[i].type))
            free(*(char **)place(target, &MEMBERS[i]));
    words_free(target->exec);
    free(target->path);
    service_release(&target->service);
    *target = (struct target){0};
}

static const struct member *find_member(const char *name)
{
    for (size_t i = 0; i < N_MEMBERS; i++)
        if (strcmp(MEMBERS[i].name, name) == 0)
            return &MEMBERS[i];
    return NULL;
}

static int set_path(char **ret, const json_t *value, const char *key, const char *base_dir,
                    const char *name, struct err *err)
{
    auto_free char *path = NULL;
    json_auto_t *wrapped = json_pack("{s:O}", key, value);
    if (json_get_text(wrapped, key, name, &path, err) != 0)
        return -1;
    if (path == NULL || path[0] == '\0')
        return err_set(err, "%s: \"%s\": expected a path", name, key);
    auto_free char *joined = path_join(base_dir, path);
    char *canonical = realpath(joined, NULL); /* NULL: it does not exist yet; check will say so */
    free(*ret);
    *ret = canonical != NULL ? canonical : steal_text(&joined);
    return 0;
}

/* A name is searched in PATH, a path is relative to `base_dir`. */
static int set_program(char **ret, const json_t *value, const char *key, const char *base_dir,
                       const char *name, struct err *err)
{
    json_auto_t *wrapped = json_pack("{s:O}", key, value);
    if (json_is_string(value) && strchr(json_string_value(value), '/') == NULL)
        return json_get_text(wrapped, key, name, ret, err);
    return set_path(ret, value, key, base_dir, name, err);
}

static int set_command(char ***ret, const json_t *value, const char *key, const char *base_dir,
                       const char *name, struct err *err)
{
    char **words = words_from_json(value, key, name, err);
    if (words == NULL)
        return -1;
    if (words[0][0] == '\0') {
        words_free(words);
        return err_set(err, "%s: \"%s\": expected a program at place 1", name, key);
    }
    if (set_program(&words[0], json_array_get(value, 0), key, base_dir, name, err) != 0) {
        words_free(words);
        return -1;
    }
    words_free(*ret);
    *ret = words;
    return 0;
}

/* `key` is the member's whole name; `value` is not null. */
static int set_member(struct target *target, const struct member *member, const json_t *value,
                      const char *base_dir, const char *name, struct err *err)
{
    const char *key = member->name;
    void *ret = place(target, member);
    json_auto_t *wrapped = json_pack("{s:O}", key, value);
    switch (member->type) {
    case MEMBER_TEXT:
        return json_get_text(wrapped, key, name, ret, err);
    case MEMBER_PATH:
        return set_path(ret, value, key, base_dir, name, err);
    case MEMBER_PROGRAM:
        return set_program(ret, value, key, base_dir, name, err);
    case MEMBER_COMMAND:
        return set_command(ret, value, key, base_dir, name, err);
    case MEMBER_INT:
        return json_get_int32(wrapped, key, name, member->min, member->max, ret, err);
    case MEMBER_REAL:
        return json_get_real(wrapped, key, name, ret, err);
    }
    return 0;
}

/* These carry no setting. */
static bool is_remark(const char *key)
{
    return strcmp(key, "schema") == 0 || strncmp(key, "//", 2) == 0;
}

/* Is `key` what stands before the dot of some member? */
static bool is_group(const char *key)
{
    size_t len = strlen(key);
    for (size_t i = 0; i < N_MEMBERS; i++)
        if (strncmp(MEMBERS[i].name, key, len) == 0 && MEMBERS[i].name[len] == '.')
            return true;
    return strcmp(key, "service") == 0;
}

/* `prefix` is "", or the group of `members` and a dot. */
static int set_all(struct target *target, const json_t *members, const char *prefix,
                   const char *base_dir, const char *name, struct err *err)
{
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)members, key, value) {
        auto_free char *full = mem_printf("%s%s", prefix, key);
        const struct member *member = find_member(full);
        int result = 0;
        if (is_remark(key) || json_is_null(value))
            continue;
        if (member != NULL) {
            result = set_member(target, member, value, base_dir, name, err);
        } else if (!is_group(full)) {
            result = err_set(err,
                             "%s: \"%.100s\" is not a member of a target; `bootdiag target init` "
                             "shows them all",
                             name, full);
        } else if (!json_is_object(value)) {
            result = err_set(err, "%s: \"%s\": expected an object", name, full);
        } else if (strcmp(full, "service") == 0) {
            result = service_load(&target->service, value, name, true, err);
        } else {
            auto_free char *inner = mem_printf("%s.", key);
            result = set_all(target, value, inner, base_dir, name, err);
        }
        if (result != 0)
            return -1;
    }
    return 0;
}

static void copy_values(struct target *to, const struct target *from)
{
    *to = *from;
    for (size_t i = 0; i < N_MEMBERS; i++)
        if (is_text(MEMBERS[i].type))
            *(char **)place(to, &MEMBERS[i]) = mem_strdup(*(char **)place(from, &MEMBERS[i]));
    to->exec = words_copy(from->exec);
    to->path = mem_strdup(from->path);
    service_copy(&to->service, &from->service);
}

/* All or nothing: a document with one bad member changes nothing. */
static int merge_at(struct target *target, const json_t *members, const char *base_dir,
                    const char *name, struct err *err)
{
    auto_target struct target merged = {0};
    copy_values(&merged, target);
    if (set_all(&merged, members, "", base_dir, name, err) != 0 ||
        target_check(&merged, name, err) != 0)
        return -1;
    struct target old = *target;
    *target = merged;
    merged = old;
    return 0;
}

int target_load(struct target *target, const char *path, struct err *err)
{
    json_auto_t *members = json_read_object(path, err);
    if (members == NULL)
        return -1;
    auto_free char *schema = NULL;
    if (json_get_text(members, "schema", path, &schema, err) != 0)
        return -1;
    if (schema != NULL && strcmp(schema, "bootdiag.target/1") != 0)
        return err_set(err, "%s: \"schema\": expected \"bootdiag.target/1\", got \"%.40s\"", path,
                       schema);
    auto_free char *absolute = realpath(path, NULL);
    if (absolute == NULL)
        return err_sys(err, errno, "cannot read %s", path);
    auto_free char *dir = path_dir(absolute);
    if (merge_at(target, members, dir, path, err) != 0)
        return -1;
    free(target->path);
    target->path = mem_strdup(path);
    return 0;
}

int target_merge(struct target *target, const json_t *members, const char *name, struct err *err)
{
    auto_free char *dir = path_dir(name);
    auto_free char *absolute = realpath(dir, NULL);
    return merge_at(target, members, absolute != NULL ? absolute : dir, name, err);
}

/* "a.b" and a value -> {"a": {"b": value}} */
static json_t *nest(const char *name, json_t *value)
{
    const char *dot = strchr(name, '.');
    if (dot == NULL)
        return json_pack("{s:o}", name, value);
    auto_free char *outer = mem_strndup(name, (size_t)(dot - name));
    return json_pack("{s:{s:o}}", outer, dot + 1, value);
}

/* Is it text wherever it stands, so that `--set service.description=2025` needs no quotes? */
static bool holds_text(const struct target *target, const char *name)
{
    static const char group[] = "service.";
    const struct member *member = find_member(name);
    if (member != NULL)
        return is_text(member->type);
    if (strncmp(name, group, sizeof(group) - 1) != 0)
        return false;
    json_auto_t *service = service_json(&target->service);
    return json_is_string(json_object_get(service, name + sizeof(group) - 1));
}

int target_set(struct target *target, const char *assignment, struct err *err)
{
    const char *equals = strchr(assignment, '=');
    if (equals == NULL || equals == assignment)
        return err_set(err, "--set %s: expected NAME=VALUE, as in --set memory_mib=256",
                       assignment);
    auto_free char *name = mem_strndup(assignment, (size_t)(equals - assignment));
    json_t *value = json_loads(equals + 1, JSON_DECODE_ANY, NULL);
    if (value == NULL || (holds_text(target, name) && !json_is_string(value))) {
        json_decref(value);
        value = json_string(equals + 1);
    }
    json_auto_t *members = value != NULL ? nest(name, value) : NULL;
    if (members == NULL)
        return err_set(err, "--set %s: the name or the value is not UTF-8", name);
    if (is_remark(name))
        return err_set(err, "--set %s: this is not a member of a target", name);
    auto_free char *cwd = realpath(".", NULL);
    auto_free char *where = mem_printf("--set %s", name);
    return merge_at(target, members, cwd, where, err);
}

static json_t *value_json(const struct target *target, const struct member *member)
{
    const void *value = place(target, member);
    if (member->type == MEMBER_INT)
        return json_integer(*(const int *)value);
    if (member->type == MEMBER_REAL)
        return json_real(*(const double *)value);
    if (member->type == MEMBER_COMMAND)
        return words_json(*(char *const *const *)value);
    return json_text(*(char *const *)value);
}

json_t *target_json(const struct target *target)
{
    json_t *root = json_pack("{s:s}", "schema", "bootdiag.target/1");
    for (size_t i = 0; i < N_MEMBERS; i++) {
        json_auto_t *nested = nest(MEMBERS[i].name, value_json(target, &MEMBERS[i]));
        json_object_update_recursive(root, nested);
    }
    json_object_set_new(root, "service", service_json(&target->service));
    return root;
}

/* The members of "service", which service.c loads. */
static const char *const SERVICE_MEANINGS[][2] = {
    {"unit", "systemd unit"},
    {"description", "start of the unit's Description=, as the console shows it"},
    {"supervisor", "base name of the unit's script"},
    {"entry", "base name of the agent's own program"},
    {"ready_pattern", "PCRE2: the console line with which the agent says that it listens"},
    {"port", "TCP port in the guest"},
    {"health_path", "path of the health check"},
    {"expected_status", "HTTP status of a healthy answer"},
};

/* {"qemu": {"// machine": MEANING, "machine": VALUE}}, the remark first. */
static void add_explained(json_t *root, const char *name, const char *meaning, json_t *value)
{
    const char *dot = strchr(name, '.');
    int outer = dot == NULL ? 0 : (int)(dot - name + 1);
    auto_free char *remark = mem_printf("%.*s// %s", outer, name, name + outer);
    json_auto_t *explained = nest(remark, json_string(meaning));
    json_auto_t *valued = nest(name, value);
    json_object_update_recursive(root, explained);
    json_object_update_recursive(root, valued);
}

json_t *target_template(void)
{
    auto_target struct target defaults;
    target_init(&defaults);
    json_t *root = json_pack("{s:s}", "schema", "bootdiag.target/1");
    for (size_t i = 0; i < N_MEMBERS; i++)
        add_explained(root, MEMBERS[i].name, MEMBERS[i].meaning,
                      value_json(&defaults, &MEMBERS[i]));
    json_auto_t *service = service_json(&defaults.service);
    for (size_t i = 0; i < sizeof(SERVICE_MEANINGS) / sizeof(SERVICE_MEANINGS[0]); i++) {
        auto_free char *name = mem_printf("service.%s", SERVICE_MEANINGS[i][0]);
        add_explained(root, name, SERVICE_MEANINGS[i][1],
                      json_incref(json_object_get(service, SERVICE_MEANINGS[i][0])));
    }
    return root;
}
