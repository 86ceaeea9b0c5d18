/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boot.json: contract bootdiag.boot/1. Text and whole numbers are a table of (object, member, place
 * in struct record), used for reading and for writing; what has a shape of its own follows by hand.
 */
#include "harness/record.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/auto.h"
#include "harness/base/json.h"
#include "harness/base/mem.h"
#include "harness/record_net.h"

enum { MAX_RUNS = 4096, MAX_ARGS = 4096 };

/* Exact in every JSON reader, and sums of it cannot overflow. */
static const int64_t MAX_NUMBER = 1LL << 53;

static const char *const END_NAMES[] = {
    [RECORD_END_UNKNOWN] = NULL,
    [RECORD_END_READY] = "ready",
    [RECORD_END_DEADLINE] = "deadline",
    [RECORD_END_VMM_EXIT] = "vmm-exit",
    [RECORD_END_FATAL_EVIDENCE] = "fatal-evidence",
    [RECORD_END_START_FAILED] = "start-failed",
    [RECORD_END_INTERRUPTED] = "interrupted",
};
enum { N_ENDS = sizeof(END_NAMES) / sizeof(END_NAMES[0]) };

static const char *const CLASS_NAMES[PROBE_N_CLASSES] = {
    [PROBE_HOST_UNREACHABLE] = "host-unreachable",
    [PROBE_NET_UNREACHABLE] = "net-unreachable",
    [PROBE_REFUSED] = "refused",
    [PROBE_CONNECT_TIMEOUT] = "connect-timeout",
    [PROBE_RESET] = "reset",
    [PROBE_NO_ANSWER] = "no-answer",
    [PROBE_NOT_HTTP] = "not-http",
    [PROBE_HTTP_ERROR] = "http-error",
    [PROBE_WRONG_BODY] = "wrong-body",
    [PROBE_READY] = "ready",
};

static const char *const NEIGHBOUR_NAMES[] = {"none",  "incomplete", "failed", "reachable",
                                              "stale", "delay",      "probe",  "permanent"};
enum { N_NEIGHBOURS = sizeof(NEIGHBOUR_NAMES) / sizeof(NEIGHBOUR_NAMES[0]) };

const char *record_end_name(enum record_end end)
{
    return END_NAMES[end];
}

const char *probe_class_name(enum probe_class class)
{
    return CLASS_NAMES[class];
}

/* Position of `text` in a list that may have holes, or -1. */
static int index_of(const char *text, const char *const *names, int n)
{
    for (int i = 0; i < n; i++)
        if (names[i] != NULL && text != NULL && strcmp(text, names[i]) == 0)
            return i;
    return -1;
}

enum member_type { MEMBER_TEXT, MEMBER_INT64, MEMBER_INT, MEMBER_REAL, MEMBER_BOOL };

struct member {
    const char *object; /* "" is the document itself */
    const char *key;
    enum member_type type;
    size_t offset;
};

#define AT(field) offsetof(struct record, field)

static const struct member MEMBERS[] = {
    {"", "boot_id", MEMBER_TEXT, AT(boot_id)},
    {"", "vm_id", MEMBER_TEXT, AT(vm_id)},
    {"", "backend", MEMBER_TEXT, AT(backend)},
    {"", "replayed", MEMBER_BOOL, AT(replayed)},
    {"", "started_at", MEMBER_TEXT, AT(started_at)},
    {"", "deadline_ms", MEMBER_INT64, AT(deadline_ms)},
    {"", "ended_ms", MEMBER_INT64, AT(ended_ms)},
    {"", "end_detail", MEMBER_TEXT, AT(end_detail)},
    {"", "ready_ms", MEMBER_INT64, AT(ready_ms)},
    {"", "fault", MEMBER_TEXT, AT(fault)},
    {"vmm", "by_hand", MEMBER_TEXT, AT(vmm.by_hand)},
    {"vmm", "exit_code", MEMBER_INT, AT(vmm.exit_code)},
    {"vmm", "cpu_ms", MEMBER_INT64, AT(vmm.cpu_ms)},
    {"vmm", "error", MEMBER_TEXT, AT(vmm.error)},
    {"vmm", "error_cause", MEMBER_TEXT, AT(vmm.error_cause)},
    {"vmm", "version", MEMBER_TEXT, AT(vmm.version)},
    {"guest", "memory_mib", MEMBER_INT, AT(guest.memory_mib)},
    {"guest", "vcpus", MEMBER_INT, AT(guest.vcpus)},
    {"guest", "cmdline", MEMBER_TEXT, AT(guest.cmdline)},
    {"guest", "mac", MEMBER_TEXT, AT(guest.mac)},
    {"guest", "expected_address", MEMBER_TEXT, AT(guest.expected_address)},
    {"guest", "seen_address", MEMBER_TEXT, AT(guest.seen_address)},
    {"host", "load", MEMBER_REAL, AT(host.load)},
    {"host", "steal_pct", MEMBER_REAL, AT(host.steal_pct)},
    {"host", "parallel_boots", MEMBER_INT, AT(host.parallel_boots)},
    {"host", "kernel", MEMBER_TEXT, AT(host.kernel)},
    {"host", "accelerator", MEMBER_TEXT, AT(host.accelerator)},
    {"probe", "url", MEMBER_TEXT, AT(probe.url)},
    {"probe", "network", MEMBER_TEXT, AT(probe.network)},
    {"probe", "neighbour", MEMBER_TEXT, AT(probe.neighbour)},
    {"probe", "merged", MEMBER_BOOL, AT(probe.merged)},
    {"controller", "session_id", MEMBER_TEXT, AT(controller.session_id)},
    {"controller", "status", MEMBER_TEXT, AT(controller.status)},
    {"controller", "error", MEMBER_TEXT, AT(controller.error)},
    {"console", "dropped_at", MEMBER_INT64, AT(console_facts.dropped_at)},
};
enum { N_MEMBERS = sizeof(MEMBERS) / sizeof(MEMBERS[0]) };

static int member_load(struct record *record, const struct member *member, const json_t *object,
                       const char *name, struct err *err)
{
    void *place = (char *)record + member->offset;
    switch (member->type) {
    case MEMBER_TEXT:
        return json_get_text(object, member->key, name, place, err);
    case MEMBER_INT64:
        return json_get_int(object, member->key, name, 0, MAX_NUMBER, place, err);
    case MEMBER_INT:
        return json_get_int32(object, member->key, name, 0, INT_MAX, place, err);
    case MEMBER_REAL:
        return json_get_real(object, member->key, name, place, err);
    case MEMBER_BOOL:
        return json_get_bool(object, member->key, name, place, err);
    }
    return 0;
}

static json_t *member_json(const struct record *record, const struct member *member)
{
    const void *place = (const char *)record + member->offset;
    switch (member->type) {
    case MEMBER_TEXT:
        return json_text(*(char *const *)place);
    case MEMBER_INT64:
        return json_number_or_null(*(const int64_t *)place);
    case MEMBER_INT:
        return json_number_or_null(*(const int *)place);
    case MEMBER_REAL: {
        double number = *(const double *)place;
        return number < 0 ? json_null() : json_real(number);
    }
    case MEMBER_BOOL:
        return json_boolean(*(const bool *)place);
    }
    return json_null();
}

static int load_members(struct record *record, const json_t *boot, const char *name,
                        struct err *err)
{
    for (size_t i = 0; i < N_MEMBERS; i++) {
        const struct member *member = &MEMBERS[i];
        const json_t *object = boot;
        if (member->object[0] != '\0') {
            object = NULL;
            if (json_get_object(boot, member->object, name, &object, err) != 0)
                return -1;
        }
        if (object != NULL && member_load(record, member, object, name, err) != 0)
            return -1;
    }
    return 0;
}

static int load_end(struct record *record, const json_t *boot, const char *name, struct err *err)
{
    auto_free char *text = NULL;
    if (json_get_text(boot, "end", name, &text, err) != 0)
        return -1;
    if (text == NULL)
        return 0;
    int end = index_of(text, END_NAMES, N_ENDS);
    if (end < 0)
        return err_set(err, "%s: \"end\": \"%.40s\" is not an end of a boot", name, text);
    record->end = (enum record_end)end;
    return 0;
}

static int load_argv(struct record *record, const json_t *vmm, const char *name, struct err *err)
{
    const json_t *list = NULL;
    if (json_get_array(vmm, "argv", name, &list, err) != 0)
        return -1;
    size_t n = json_array_size(list);
    if (n > MAX_ARGS)
        return err_set(err, "%s: \"argv\": %zu arguments are more than %d", name, n, MAX_ARGS);
    if (n == 0)
        return 0;
    record->vmm.argv = mem_calloc(n + 1, sizeof(char *));
    for (size_t i = 0; i < n; i++) {
        const json_t *arg = json_array_get(list, i);
        if (!json_is_string(arg))
            return err_set(err, "%s: \"argv\": expected strings", name);
        record->vmm.argv[i] = mem_strdup(json_string_value(arg));
    }
    return 0;
}

static int load_image(struct record_image *image, const json_t *images, const char *key,
                      const char *name, struct err *err)
{
    const json_t *object = NULL;
    if (json_get_object(images, key, name, &object, err) != 0)
        return -1;
    if (object == NULL)
        return 0;
    if (json_get_text(object, "path", name, &image->path, err) != 0 ||
        json_get_int(object, "size", name, 0, MAX_NUMBER, &image->size, err) != 0 ||
        json_get_text(object, "mtime", name, &image->mtime, err) != 0 ||
        json_get_text(object, "sha256", name, &image->sha256, err) != 0)
        return -1;
    return 0;
}

static int load_images(struct record *record, const json_t *boot, const char *name, struct err *err)
{
    const json_t *images = NULL;
    if (json_get_object(boot, "images", name, &images, err) != 0)
        return -1;
    if (images == NULL)
        return 0;
    if (load_image(&record->kernel, images, "kernel", name, err) != 0 ||
        load_image(&record->initrd, images, "initrd", name, err) != 0 ||
        load_image(&record->rootfs, images, "rootfs", name, err) != 0)
        return -1;
    return 0;
}

static int load_run(struct probe_run *run, const json_t *object, const char *name, struct err *err)
{
    const char *class = json_string_value(json_object_get(object, "class"));
    int index = index_of(class, CLASS_NAMES, PROBE_N_CLASSES);
    if (index < 0)
        return err_set(err, "%s: \"probe.classes\": \"%.40s\" is not a class", name,
                       class != NULL ? class : "");
    *run = (struct probe_run){.class = (enum probe_class)index};
    if (json_get_int(object, "from_ms", name, 0, MAX_NUMBER, &run->from_ms, err) != 0 ||
        json_get_int(object, "to_ms", name, 0, MAX_NUMBER, &run->to_ms, err) != 0 ||
        json_get_int32(object, "count", name, 0, INT_MAX, &run->count, err) != 0 ||
        json_get_int32(object, "http_status", name, 0, 999, &run->http_status, err) != 0)
        return -1;
    int neighbour = index_of(json_string_value(json_object_get(object, "neighbour")),
                             NEIGHBOUR_NAMES, N_NEIGHBOURS);
    run->neighbour = neighbour >= 0 ? NEIGHBOUR_NAMES[neighbour] : NULL;
    return 0;
}

static int load_probe(struct record *record, const json_t *boot, const char *name, struct err *err)
{
    const json_t *probe = json_object_get(boot, "probe");
    const json_t *list = NULL;
    if (json_get_array(probe, "classes", name, &list, err) != 0)
        return -1;
    size_t n = json_array_size(list);
    if (n > MAX_RUNS)
        return err_set(err, "%s: \"probe.classes\": %zu runs are more than %d", name, n, MAX_RUNS);
    record->probe.runs = mem_calloc(n, sizeof(*record->probe.runs));
    for (size_t i = 0; i < n; i++)
        if (load_run(&record->probe.runs[i], json_array_get(list, i), name, err) != 0)
            return -1;
    record->probe.n_runs = n;
    return 0;
}

static int load_console_facts(struct record *record, const json_t *boot, const char *name,
                              struct err *err)
{
    const json_t *console = json_object_get(boot, "console");
    int64_t bytes = 0, dropped = 0;
    if (json_get_int(console, "bytes", name, 0, MAX_NUMBER, &bytes, err) != 0 ||
        json_get_int(console, "dropped_bytes", name, 0, MAX_NUMBER, &dropped, err) != 0)
        return -1;
    record->console_facts.bytes = (uint64_t)bytes;
    record->console_facts.dropped_bytes = (uint64_t)dropped;
    return 0;
}

int record_from_json(struct record *record, const json_t *boot, const char *name, struct err *err)
{
    const char *schema = json_string_value(json_object_get(boot, "schema"));
    if (schema == NULL || strcmp(schema, "bootdiag.boot/1") != 0)
        return err_set(err, "%s: \"schema\": expected \"bootdiag.boot/1\", got \"%.40s\"", name,
                       schema != NULL ? schema : "");
    if (load_members(record, boot, name, err) != 0 || load_end(record, boot, name, err) != 0 ||
        load_images(record, boot, name, err) != 0 || load_probe(record, boot, name, err) != 0 ||
        load_console_facts(record, boot, name, err) != 0)
        return -1;

    const json_t *vmm = json_object_get(boot, "vmm");
    if (load_argv(record, vmm, name, err) != 0 ||
        json_get_int32(vmm, "signal", name, 0, 255, &record->vmm.signal, err) != 0)
        return -1;
    const json_t *service = NULL;
    if (json_get_object(boot, "service", name, &service, err) != 0)
        return -1;
    const json_t *net = NULL;
    if (json_get_object(boot, "net", name, &net, err) != 0 ||
        record_net_load(&record->net, net, name, err) != 0)
        return -1;
    record->has_service = service != NULL;
    return service == NULL ? 0 : service_load(&record->service, service, name, false, err);
}

/* The object a member lives in, made at its first member. */
static json_t *object_of(json_t *boot, const char *key)
{
    if (key[0] == '\0')
        return boot;
    json_t *object = json_object_get(boot, key);
    if (object == NULL) {
        object = json_object();
        json_object_set_new(boot, key, object);
    }
    return object;
}

static json_t *argv_json(char *const *argv)
{
    if (argv == NULL)
        return json_null();
    json_t *list = json_array();
    for (; *argv != NULL; argv++)
        json_array_append_new(list, json_text(*argv));
    return list;
}

static json_t *image_json(const struct record_image *image)
{
    json_t *object = json_object();
    if (image->path == NULL && image->mtime == NULL && image->sha256 == NULL && image->size < 0)
        return object;
    json_object_set_new(object, "path", json_text(image->path));
    json_object_set_new(object, "size", json_number_or_null(image->size));
    json_object_set_new(object, "mtime", json_text(image->mtime));
    json_object_set_new(object, "sha256", json_text(image->sha256));
    return object;
}

static json_t *runs_json(const struct record *record)
{
    json_t *list = json_array();
    for (size_t i = 0; i < record->probe.n_runs; i++) {
        const struct probe_run *run = &record->probe.runs[i];
        json_t *status = run->http_status > 0 ? json_integer(run->http_status) : json_null();
        json_array_append_new(
            list, json_pack("{s:s, s:I, s:I, s:i, s:o, s:o}", "class", CLASS_NAMES[run->class],
                            "from_ms", run->from_ms, "to_ms", run->to_ms, "count", run->count,
                            "http_status", status, "neighbour", json_text(run->neighbour)));
    }
    return list;
}

json_t *record_json(const struct record *record)
{
    json_t *boot = json_pack("{s:s}", "schema", "bootdiag.boot/1");
    for (size_t i = 0; i < N_MEMBERS; i++)
        json_object_set_new(object_of(boot, MEMBERS[i].object), MEMBERS[i].key,
                            member_json(record, &MEMBERS[i]));
    json_object_set_new(boot, "end", json_text(END_NAMES[record->end]));

    json_t *vmm = object_of(boot, "vmm");
    json_object_set_new(vmm, "argv", argv_json(record->vmm.argv));
    json_object_set_new(vmm, "signal",
                        record->vmm.signal > 0 ? json_integer(record->vmm.signal) : json_null());
    json_object_set_new(boot, "images",
                        json_pack("{s:o, s:o, s:o}", "kernel", image_json(&record->kernel),
                                  "initrd", image_json(&record->initrd), "rootfs",
                                  image_json(&record->rootfs)));
    json_object_set_new(boot, "service", service_json(&record->service));
    json_t *console = object_of(boot, "console");
    json_object_set_new(console, "bytes", json_integer((json_int_t)record->console_facts.bytes));
    json_object_set_new(console, "dropped_bytes",
                        json_integer((json_int_t)record->console_facts.dropped_bytes));
    json_object_set_new(object_of(boot, "probe"), "classes", runs_json(record));
    json_t *net = record_net_json(&record->net);
    if (net != NULL)
        json_object_set_new(boot, "net", net);
    return boot;
}
