/* SPDX-License-Identifier: Apache-2.0 */
/* A table of macros; expansion walks the pattern from one "%{" to the next. */
#include "analyzers/macro.h"

#include <stdint.h>
#include <string.h>

#include "analyzers/chars.h"
#include "harness/base/auto.h"
#include "harness/base/mem.h"

/* A shortened name counts from so many characters on; PCRE2 nests groups 250 deep by default. */
enum { CUT_MIN = 8, CUT_MAX = 200 };

static void add_quoted_char(struct buf *text, char c)
{
    if (c != '\0' && strchr("\\^$.[]|()?*+{}#- ", c) != NULL)
        buf_add_char(text, '\\');
    buf_add_char(text, c);
}

static void add_quoted(struct buf *text, const char *plain)
{
    for (; *plain != '\0'; plain++)
        add_quoted_char(text, *plain);
}

/* `plain` broken off behind CUT_MIN or more characters, an ellipsis, and what follows. */
static void add_cut(struct buf *text, const char *plain)
{
    size_t len = strlen(plain);
    size_t max = len < CUT_MAX ? len : CUT_MAX;
    if (len <= CUT_MIN)
        return;
    buf_add_char(text, '|');
    for (size_t i = 0; i < max; i++) {
        if (i >= CUT_MIN)
            buf_add_text(text, "(?:");
        add_quoted_char(text, plain[i]);
    }
    for (size_t i = CUT_MIN; i < max; i++)
        buf_add_text(text, ")?");
    buf_add_text(text, ELLIPSIS ".*?");
}

/* The description is known by its start only, so whatever follows it belongs to it, if need be. */
static void add_unit(struct buf *text, const struct service *service)
{
    const char *description = service->description != NULL ? service->description : "";
    buf_add_text(text, "(?:");
    add_quoted(text, service->unit);
    if (*description != '\0') {
        buf_add_text(text, "(?: - ");
        add_quoted(text, description);
        buf_add_text(text, ".*?)?|");
        add_quoted(text, description);
        buf_add_text(text, ".*?");
        add_cut(text, description);
    }
    add_cut(text, service->unit);
    if (*description != '\0') {
        auto_buf struct buf both = {0};
        buf_init(&both, 4096);
        buf_addf(&both, "%s - %s", service->unit, description);
        add_cut(text, buf_text(&both));
    }
    buf_add_char(text, ')');
}

static void add_script(struct buf *text, const struct service *service)
{
    const char *ending = strrchr(service->supervisor, '.');
    size_t len =
        ending != NULL ? (size_t)(ending - service->supervisor) : strlen(service->supervisor);
    auto_free char *stem = mem_strndup(service->supervisor, len);
    add_quoted(text, stem);
}

static void add_supervisor(struct buf *text, const struct service *service)
{
    add_quoted(text, service->supervisor);
}

static void add_entry(struct buf *text, const struct service *service)
{
    add_quoted(text, service->entry);
}

static void add_ready(struct buf *text, const struct service *service)
{
    buf_addf(text, "(?n:%s)", service->ready_pattern);
}

static void add_port(struct buf *text, const struct service *service)
{
    buf_addf(text, "(?<!\\d)%d(?!\\d)", service->port);
}

static void add_iface(struct buf *text, const struct service *service)
{
    (void)service;
    buf_add_text(text, "(?:\\b(?:(?:eth|wlan|usb|bond|br|veth)\\d+|enx[0-9a-f]{12}"
                       "|(?:en|wl|ww)[a-dik-z]\\d[0-9a-z]*)\\b)");
}

static void add_ip(struct buf *text, const struct service *service)
{
    (void)service;
    buf_add_text(text, "(?:(?<![\\d.])(?:\\d{1,3}\\.){3}\\d{1,3}(?!\\.?\\d))");
}

static void plain_supervisor(struct buf *text, const struct service *service)
{
    buf_add_text(text, service->supervisor);
}

static void plain_entry(struct buf *text, const struct service *service)
{
    buf_add_text(text, service->entry);
}

static void plain_port(struct buf *text, const struct service *service)
{
    buf_addf(text, "%d", service->port);
}

struct macro {
    const char *name;
    void (*add)(struct buf *text, const struct service *service);
    void (*add_plain)(struct buf *text, const struct service *service); /* NULL: not in a literal */
};

static const struct macro macros[] = {
    {"UNIT", add_unit, NULL},     {"SUPERVISOR", add_supervisor, plain_supervisor},
    {"SCRIPT", add_script, NULL}, {"ENTRY", add_entry, plain_entry},
    {"READY", add_ready, NULL},   {"PORT", add_port, plain_port},
    {"IFACE", add_iface, NULL},   {"IP", add_ip, NULL},
};

static const struct macro *find(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof(macros) / sizeof(macros[0]); i++) {
        if (strlen(macros[i].name) == len && memcmp(macros[i].name, name, len) == 0)
            return &macros[i];
    }
    return NULL;
}

/* Adds what stands at `*at` (one character or one macro) and moves on. */
static int add_next(const char **at, const struct service *service, bool plain, struct buf *text,
                    struct err *err)
{
    const char *end = strncmp(*at, "%{", 2) != 0 ? NULL : strchr(*at, '}');
    if (end == NULL) {
        buf_add_char(text, *(*at)++);
        return 0;
    }
    const struct macro *macro = find(*at + 2, (size_t)(end - *at) - 2);
    if (macro == NULL || (plain && macro->add_plain == NULL))
        return err_set(err, "unknown macro \"%.*s\"", (int)(end + 1 - *at), *at);
    (plain ? macro->add_plain : macro->add)(text, service);
    *at = end + 1;
    return 0;
}

static int expand(const char *pattern, const struct service *service, bool plain, struct buf *text,
                  struct err *err)
{
    for (const char *at = pattern; *at != '\0';) {
        if (add_next(&at, service, plain, text, err) < 0)
            return -1;
    }
    if (text->overflow)
        return err_set(err, "expands to more than %zu bytes", text->limit);
    return 0;
}

int macro_expand(const char *pattern, const struct service *service, struct buf *ret_text,
                 struct err *err)
{
    return expand(pattern, service, false, ret_text, err);
}

int macro_literal(const char *literal, const struct service *service, struct buf *ret_text,
                  struct err *err)
{
    return expand(literal, service, true, ret_text, err);
}

size_t macro_origin(const char *pattern, const struct service *service, size_t offset)
{
    auto_buf struct buf text = {0};
    const char *at = pattern, *origin = pattern;
    buf_init(&text, SIZE_MAX / 2);
    while (*at != '\0' && text.len <= offset) {
        origin = at;
        if (add_next(&at, service, false, &text, NULL) < 0)
            break;
    }
    return text.len > offset ? (size_t)(origin - pattern) : strlen(pattern);
}
