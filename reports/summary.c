/* SPDX-License-Identifier: Apache-2.0 */
/* The summary of a campaign: outcomes counted, ready times, and failures grouped by signature. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/auto.h"
#include "harness/base/json.h"
#include "harness/base/mem.h"
#include "reports/report.h"
#include "reports/stats.h"

struct counts {
    unsigned ready, failed, undetermined, not_tried;
    int64_t saved_ms;
    int64_t *ready_ms; /* of boots that came up and stayed up */
    size_t n_ready_ms;
};

static bool text_is(const json_t *object, const char *key, const char *text)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL && strcmp(value, text) == 0;
}

static void count_boot(struct counts *counts, const json_t *boot)
{
    const json_t *analysis = json_object_get(boot, "analysis");
    const json_t *ready_ms = json_object_get(boot, "ready_ms");
    counts->saved_ms += json_integer_value(json_object_get(boot, "saved_ms"));
    if (text_is(boot, "end", "start-failed")) {
        counts->not_tried++;
    } else if (text_is(analysis, "outcome", "ready")) {
        counts->ready++;
        if (json_is_integer(ready_ms))
            counts->ready_ms[counts->n_ready_ms++] = json_integer_value(ready_ms);
    } else if (text_is(analysis, "outcome", "failed")) {
        counts->failed++;
    } else {
        counts->undetermined++;
    }
}

static json_t *fraction_json(double fraction)
{
    return json_real(round(fraction * 1e4) / 1e4);
}

static json_t *ready_times_json(struct counts *counts)
{
    size_t n = counts->n_ready_ms;
    if (n == 0)
        return json_null();
    const int64_t *sorted = counts->ready_ms;
    stats_sort(counts->ready_ms, n);
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "n", (json_int_t)n, "min", (json_int_t)sorted[0],
                     "p50", (json_int_t)stats_quantile(sorted, n, 0.5), "p95",
                     (json_int_t)stats_quantile(sorted, n, 0.95), "max", (json_int_t)sorted[n - 1]);
}

/* A boot that nobody could try says nothing about the image, nor does one that was interrupted. */
static void set_rate(json_t *summary, const struct counts *counts)
{
    unsigned tried = counts->ready + counts->failed;
    if (tried == 0) {
        json_object_set_new(summary, "success_rate", json_null());
        json_object_set_new(summary, "success_interval", json_null());
        return;
    }
    struct interval interval = stats_wilson(counts->ready, tried);
    json_object_set_new(summary, "success_rate", fraction_json((double)counts->ready / tried));
    json_object_set_new(summary, "success_interval",
                        json_pack("{s:s, s:f, s:o, s:o}", "method", "wilson", "confidence", 0.95,
                                  "low", fraction_json(interval.low), "high",
                                  fraction_json(interval.high)));
}

static json_t *group_new(const json_t *boot)
{
    const json_t *analysis = json_object_get(boot, "analysis");
    json_t *verdict = json_object_get(analysis, "verdict");
    json_t *group = json_pack("{s:O}", "signature", json_object_get(boot, "signature"));
    json_object_set(group, "cause", json_object_get(verdict, "cause"));
    json_object_set(group, "layer", json_object_get(verdict, "layer"));
    json_object_set(group, "stage", json_object_get(analysis, "stage"));
    json_object_set(group, "summary", json_object_get(verdict, "summary"));
    json_object_set_new(group, "count", json_integer(0));
    json_object_set_new(group, "boots", json_array());
    return group;
}

static void group_boot(json_t *groups, json_t *boot)
{
    const char *signature = json_string_value(json_object_get(boot, "signature"));
    if (signature == NULL)
        return;
    json_t *group = json_object_get(groups, signature);
    if (group == NULL) {
        group = group_new(boot);
        json_object_set_new(groups, signature, group);
    }
    json_t *boots = json_object_get(group, "boots");
    json_array_append(boots, json_object_get(boot, "boot_id"));
    json_object_set_new(group, "count", json_integer((json_int_t)json_array_size(boots)));
}

/* Sorts `list` in place and keeps the order of equals. */
struct sortable {
    json_t *item; /* owned while sorting */
    size_t position;
};

static void sort_list(json_t *list, int (*compare)(const void *, const void *))
{
    size_t n = json_array_size(list);
    auto_free struct sortable *items = mem_calloc(n + 1, sizeof(*items));
    for (size_t i = 0; i < n; i++)
        items[i] = (struct sortable){json_incref(json_array_get(list, i)), i};
    qsort(items, n, sizeof(*items), compare);
    json_array_clear(list);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, items[i].item);
}

static int compare_positions(const struct sortable *a, const struct sortable *b)
{
    return (a->position > b->position) - (a->position < b->position);
}

static int compare_counts(const void *left, const void *right)
{
    const struct sortable *a = left, *b = right;
    json_int_t n_a = json_integer_value(json_object_get(a->item, "count"));
    json_int_t n_b = json_integer_value(json_object_get(b->item, "count"));
    return n_a != n_b ? (n_a < n_b) - (n_a > n_b) : compare_positions(a, b);
}

/* Ids are numbers with leading zeros, so that "9999" stands before "10000". */
static int compare_ids(const void *left, const void *right)
{
    const struct sortable *a = left, *b = right;
    const char *id_a = json_string_value(json_object_get(a->item, "boot_id"));
    const char *id_b = json_string_value(json_object_get(b->item, "boot_id"));
    if (id_a == NULL || id_b == NULL)
        return id_a == id_b ? compare_positions(a, b) : (id_a == NULL) - (id_b == NULL);
    size_t n_a = strlen(id_a), n_b = strlen(id_b);
    int order = n_a != n_b ? (n_a > n_b) - (n_a < n_b) : strcmp(id_a, id_b);
    return order != 0 ? order : compare_positions(a, b);
}

static json_t *groups_json(const json_t *boots)
{
    json_auto_t *groups = json_object();
    size_t i;
    json_t *boot;
    json_array_foreach (boots, i, boot) {
        group_boot(groups, boot);
    }

    json_t *list = json_array();
    const char *signature;
    json_t *group;
    json_object_foreach (groups, signature, group) {
        json_array_append(list, group);
    }
    sort_list(list, compare_counts);
    return list;
}

void report_finish(json_t *report)
{
    json_t *boots = json_object_get(report, "boots");
    sort_list(boots, compare_ids);
    auto_free int64_t *ready_ms = mem_calloc(json_array_size(boots) + 1, sizeof(*ready_ms));
    struct counts counts = {.ready_ms = ready_ms};
    size_t i;
    json_t *boot;
    json_array_foreach (boots, i, boot) {
        count_boot(&counts, boot);
    }

    json_t *summary =
        json_pack("{s:I, s:i, s:i, s:i, s:i}", "boots", (json_int_t)json_array_size(boots), "ready",
                  (int)counts.ready, "failed", (int)counts.failed, "undetermined",
                  (int)counts.undetermined, "not_tried", (int)counts.not_tried);
    set_rate(summary, &counts);
    json_object_set_new(summary, "ready_ms", ready_times_json(&counts));
    json_object_set_new(summary, "saved_ms", json_integer((json_int_t)counts.saved_ms));
    json_object_set_new(summary, "causes", groups_json(boots));
    json_object_set_new(report, "summary", summary);
}
