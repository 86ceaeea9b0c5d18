/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/service.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/json.h"
#include "harness/base/mem.h"

/* fixtures/contract/boot-record.md, member "service" */
static const struct service SERVICE_DEFAULT = {
    .unit = "vm-browser-agent.service",
    .description = "VM Browser",
    .supervisor = "start-all.sh",
    .entry = "server.js",
    .ready_pattern = "VM Browser Agent started",
    .port = 8080,
    .health_path = "/health",
    .expected_status = 200,
};

void service_copy(struct service *to, const struct service *from)
{
    *to = (struct service){
        .unit = mem_strdup(from->unit),
        .description = mem_strdup(from->description),
        .supervisor = mem_strdup(from->supervisor),
        .entry = mem_strdup(from->entry),
        .ready_pattern = mem_strdup(from->ready_pattern),
        .port = from->port,
        .health_path = mem_strdup(from->health_path),
        .expected_status = from->expected_status,
    };
}

void service_init(struct service *service)
{
    service_copy(service, &SERVICE_DEFAULT);
}

void service_release(struct service *service)
{
    free(service->unit);
    free(service->description);
    free(service->supervisor);
    free(service->entry);
    free(service->ready_pattern);
    free(service->health_path);
    *service = (struct service){0};
}

bool service_equal(const struct service *a, const struct service *b)
{
    return strcmp(a->unit, b->unit) == 0 && strcmp(a->description, b->description) == 0 &&
           strcmp(a->supervisor, b->supervisor) == 0 && strcmp(a->entry, b->entry) == 0 &&
           strcmp(a->ready_pattern, b->ready_pattern) == 0 && a->port == b->port &&
           strcmp(a->health_path, b->health_path) == 0 && a->expected_status == b->expected_status;
}

static int refuse_unknown(const json_t *object, const char *name, struct err *err)
{
    static const char *const known[] = {"unit",        "description",    "supervisor",
                                        "entry",       "ready_pattern",  "port",
                                        "health_path", "expected_status"};
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)object, key, value) {
        size_t i = 0;
        if (strncmp(key, "//", 2) == 0)
            continue;
        while (i < sizeof(known) / sizeof(known[0]) && strcmp(key, known[i]) != 0)
            i++;
        if (i == sizeof(known) / sizeof(known[0]))
            return err_set(err, "%s: \"service.%.100s\" is not a member of a service", name, key);
    }
    return 0;
}

static bool is_visible(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text == 0x7f)
            return false;
    return true;
}

int service_load(struct service *service, const json_t *object, const char *name, bool strict,
                 struct err *err)
{
    if (strict && refuse_unknown(object, name, err) != 0)
        return -1;
    auto_service struct service loaded = {0};
    service_copy(&loaded, service);
    if (json_get_text(object, "unit", name, &loaded.unit, err) != 0 ||
        json_get_text(object, "description", name, &loaded.description, err) != 0 ||
        json_get_text(object, "supervisor", name, &loaded.supervisor, err) != 0 ||
        json_get_text(object, "entry", name, &loaded.entry, err) != 0 ||
        json_get_text(object, "ready_pattern", name, &loaded.ready_pattern, err) != 0 ||
        json_get_int32(object, "port", name, 1, 65535, &loaded.port, err) != 0 ||
        json_get_text(object, "health_path", name, &loaded.health_path, err) != 0 ||
        json_get_int32(object, "expected_status", name, 100, 599, &loaded.expected_status, err) !=
            0)
        return -1;
    if (loaded.ready_pattern[0] == '\0')
        return err_set(err, "%s: \"service.ready_pattern\" is empty: every line would match it",
                       name);
    /* RFC 3986 knows no blank and no control byte in a path, and libcurl sends none */
    if (loaded.health_path[0] != '/' || !is_visible(loaded.health_path))
        return err_set(err,
                       "%s: \"service.health_path\": expected a path that begins with / and has no "
                       "blanks, got "
                       "\"%.100s\"",
                       name, loaded.health_path);
    struct service old = *service;
    *service = loaded;
    loaded = old;
    return 0;
}

json_t *service_json(const struct service *service)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:i}", "unit", json_text(service->unit),
                     "description", json_text(service->description), "supervisor",
                     json_text(service->supervisor), "entry", json_text(service->entry),
                     "ready_pattern", json_text(service->ready_pattern), "port", service->port,
                     "health_path", json_text(service->health_path), "expected_status",
                     service->expected_status);
}
