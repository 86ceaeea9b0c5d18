/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/ward.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "harness/archive.h"
#include "harness/base/auto.h"
#include "harness/base/clock.h"
#include "harness/base/ipv4.h"
#include "harness/base/mem.h"
#include "harness/stow.h"

enum {
    RETRY_MS = 5000,
    SETTLE_MS = 1000,  /* a VMM that lost its directory and is silent so long has ended */
    LINGER_MS = 15000, /* one that is not silent is not waited for longer */
};

void ward_say(const struct preserve_options *options, bool warning, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    auto_free char *text = mem_vprintf(format, args);
    va_end(args);
    options->on_event(options->ctx, warning, text);
}

static struct ward *hold(const struct preserve_options *options, const struct spool *spool)
{
    struct ward *ward = mem_calloc(1, sizeof(*ward));
    *ward = (struct ward){.options = options, .spool = *spool, .wd = -1};
    service_release(&ward->spool.record.service);
    service_copy(&ward->spool.record.service, options->service);
    return ward;
}

struct ward *ward_new(const struct preserve_options *options, const char *spool_root,
                      const char *vm_id)
{
    struct spool spool;
    struct err err = {0};
    if (spool_init(&spool, spool_root, vm_id, &err) == 0)
        return hold(options, &spool);
    auto_free char *state = mem_printf("%s/%s/state.json", spool_root, vm_id);
    auto_free char *aside = mem_printf("%s.damaged", state);
    ward_say(options, true, "%s; the copy is taken as it is", err.message);
    if (rename(state, aside) == 0 && spool_init(&spool, spool_root, vm_id, &err) == 0)
        return hold(options, &spool);
    return NULL;
}

/* ---- health ---- */

static void stop_probe(struct ward *ward)
{
    if (ward->probe != NULL)
        probe_free(ward->probe);
    ward->probe = NULL;
}

void ward_free(struct ward *ward)
{
    stop_probe(ward);
    spool_release(&ward->spool);
    free(ward->url);
    free(ward);
}

/* Since the VM was first seen, also by an earlier process. */
static int64_t age_ms(const struct ward *ward)
{
    char stamp[CLOCK_TEXT_SIZE];
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    stow_stamp(ward->spool.record.started_at, stamp);
    int64_t age = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 - archive_stamp_ms(stamp);
    return age > 0 ? age : 0;
}

static bool is_healthy(const struct ward *ward)
{
    return ward->spool.record.ready_ms >= 0;
}

static void on_probe(void *ctx, enum probe_class class)
{
    struct ward *ward = ctx;
    ward->answered |= class == PROBE_READY; /* acted upon later: a probe cannot free itself */
}

void ward_probe(struct ward *ward, struct probe_engine *engine)
{
    const struct service *service = ward->options->service;
    struct record *record = &ward->spool.record;
    const char *address = record->guest.expected_address;
    uint32_t number;
    if (ward->probe != NULL || ward->gone || is_healthy(ward) || address == NULL ||
        !ipv4_parse(address, &number) || !ipv4_is_host(number))
        return;
    free(ward->url);
    ward->url = mem_printf("http://%s:%d%s", address, service->port, service->health_path);
    free(record->probe.url);
    record->probe.url = mem_strdup(ward->url);
    struct probe_options options = {
        .url = ward->url,
        .expected_status = service->expected_status,
        .start_ms = clock_ms() - age_ms(ward),
        .on_result = on_probe,
        .ctx = ward,
    };
    ward->probe = probe_new(engine, record, &options);
}

void ward_set_healthy(struct ward *ward)
{
    stop_probe(ward);
    ward->spool.record.ready_ms = age_ms(ward);
    ward->spool.record.end = RECORD_END_READY;
    ward->spool.unsaved = true;
}

/* ---- copying ---- */

/* A trouble is said when it begins, not each time that it is met again. */
static void note_trouble(struct ward *ward, const struct err *err)
{
    if (!ward->troubled)
        ward_say(ward->options, true, "%s: %s; it is tried again", ward->spool.vm_id, err->message);
    ward->troubled = true;
    ward->retry_ms = clock_ms() + RETRY_MS;
}

int ward_pump(struct ward *ward)
{
    struct err err = {0};
    int moved = spool_pump(&ward->spool, ward->options->max_log_bytes, &err);
    if (moved < 0)
        note_trouble(ward, &err);
    else if (!ward->gone) /* else it may be the archive that takes nothing */
        ward->troubled = false;
    if (moved > 0)
        ward->moved_ms = clock_ms();
    return moved;
}

/* ---- the end ---- */

void ward_leave(struct ward *ward)
{
    if (ward->gone)
        return;
    ward->gone = true;
    ward->gone_ms = ward->moved_ms = clock_ms();
    stop_probe(ward);
}

bool ward_is_due(const struct ward *ward, int64_t now_ms)
{
    return ward->gone && now_ms >= ward->retry_ms &&
           (now_ms - ward->moved_ms >= SETTLE_MS || now_ms - ward->gone_ms >= LINGER_MS);
}

static int archive(struct ward *ward, struct err *err)
{
    const struct preserve_options *options = ward->options;
    struct spool *spool = &ward->spool;
    if (spool->ended_at[0] == '\0') {
        clock_now_text(spool->ended_at);
        spool->record.ended_ms = age_ms(ward);
    }
    if (spool_save(spool, err) != 0 || stow(spool, options->archive, options->compress, err) != 0)
        return -1;
    auto_free char *name = stow_name(spool->vm_id, "console", spool->ended_at,
                                     options->compress ? ".log.zst" : ".log");
    ward_say(options, false, "kept %s/%s (%lld bytes of console, %lld of the VMM's log)",
             options->archive, name, (long long)spool->copies[SPOOL_CONSOLE].size,
             (long long)spool->copies[SPOOL_ERROR].size);
    return 0;
}

bool ward_finish(struct ward *ward)
{
    bool wanted = spool_has_any(&ward->spool) && (ward->options->all || !is_healthy(ward));
    struct err err = {0};
    spool_detach(&ward->spool); /* its blocks may be the ones that a full disk needs */
    if ((!wanted || archive(ward, &err) == 0) && spool_remove(&ward->spool, &err) == 0)
        return true;
    note_trouble(ward, &err);
    return false;
}

bool ward_finish_now(struct ward *ward)
{
    int64_t until_ms = clock_ms() + LINGER_MS;
    int moved;
    do
        moved = ward_pump(ward);
    while (moved > 0 && clock_ms() < until_ms);
    return moved >= 0 && ward_finish(ward);
}
