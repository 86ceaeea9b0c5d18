/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/baselines.h"

#include <stdlib.h>
#include <string.h>

#include "harness/archive.h"
#include "harness/base/auto.h"
#include "harness/base/buf.h"
#include "harness/base/mem.h"

enum { MOST_NAMED = 3 }; /* boots that were left out */

struct loading {
    const struct baselines_expected *expected;
    const struct baselines_warn *warn;
    struct eyes_rules *rules;
    struct baseline *baseline;
    bool warned_circumstances;
    size_t n_left_out;
};

static void warn(struct loading *loading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void warn(struct loading *loading, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    auto_free char *text = mem_vprintf(format, args);
    va_end(args);
    loading->warn->warn(loading->warn->ctx, text);
}

/* A directory of runs holds many failed boots: the first few names are enough. */
static void warn_left_out(struct loading *loading, const struct err *why)
{
    if (++loading->n_left_out <= MOST_NAMED)
        warn(loading, "left out of the baseline: %s", why->message);
}

static int check_identity(const struct loading *loading, const struct record *good, struct err *err)
{
    const struct baselines_expected *expected = loading->expected;
    char identity[IDENTITY_SIZE];
    if (expected->identity == NULL || expected->force)
        return 0;
    if (image_record_identity(good, identity) != 0)
        return err_set(err,
                       "baseline %s does not say what it was booted from; --force-baseline takes "
                       "it all the same",
                       good->source);
    if (strcmp(identity, expected->identity) != 0)
        return err_set(
            err,
            "baseline %s was recorded from another image (%s, wanted %s); record a new one "
            "with `bootdiag baseline record`, or take it with --force-baseline",
            good->source, identity, expected->identity);
    return 0;
}

static bool differ(int a, int b)
{
    return a > 0 && b > 0 && a != b;
}

static bool texts_differ(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) != 0;
}

void baselines_differences(struct buf *ret_list, const struct baselines_expected *expected,
                           const struct record *good)
{
    const struct {
        bool differs;
        const char *what;
    } checks[] = {
        {differ(expected->memory_mib, good->guest.memory_mib), "memory size"},
        {differ(expected->vcpus, good->guest.vcpus), "number of vCPUs"},
        {texts_differ(expected->cmdline, good->guest.cmdline), "kernel command line"},
        {texts_differ(expected->vmm_version, good->vmm.version), "version of the VMM"},
        {differ(expected->parallel_boots, good->host.parallel_boots), "number of parallel boots"},
    };
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
        if (checks[i].differs)
            buf_addf(ret_list, "%sanother %s", ret_list->len > 0 ? ", " : "", checks[i].what);
}

/* Once is enough: good boots of one baseline were recorded alike. */
static void check_circumstances(struct loading *loading, const struct record *good)
{
    auto_buf struct buf list;
    buf_init(&list, 1024);
    baselines_differences(&list, loading->expected, good);
    if (list.len == 0 || loading->warned_circumstances)
        return;
    warn(loading, "the baseline was recorded with %s: differences may come from that",
         buf_text(&list));
    loading->warned_circumstances = true;
}

static int add_entry(struct loading *loading, const struct archive *archive, size_t index,
                     struct err *err)
{
    auto_record struct record good;
    record_init(&good);
    struct err why = {0};
    if (archive_load(archive, index, &good, &why) != 0) {
        warn_left_out(loading, &why);
        return 0;
    }
    if (check_identity(loading, &good, err) != 0)
        return -1;
    check_circumstances(loading, &good);
    struct ruleset *rules = eyes_rules_for(loading->rules, &good.service, err);
    if (rules == NULL)
        return -1;
    if (baseline_add(loading->baseline, &good, rules, &why) != 0)
        warn_left_out(loading, &why);
    return 0;
}

static int add_dir(struct loading *loading, const char *dir, struct err *err)
{
    struct archive archive;
    if (archive_find(&archive, dir, err) != 0)
        return err_prefix(err, "baseline");
    int result = 0;
    for (size_t i = 0; i < archive.len && result == 0; i++)
        result = add_entry(loading, &archive, i, err);
    archive_release(&archive);
    return result;
}

struct baseline *baselines_load(const char *const *dirs, const struct baselines_expected *expected,
                                struct eyes_rules *rules, const struct baselines_warn *warn_to,
                                struct err *err)
{
    struct loading loading = {
        .expected = expected,
        .warn = warn_to,
        .rules = rules,
        .baseline = baseline_new(expected->identity != NULL ? expected->identity : dirs[0]),
    };
    for (const char *const *dir = dirs; *dir != NULL; dir++)
        if (add_dir(&loading, *dir, err) != 0) {
            baseline_free(loading.baseline);
            return NULL;
        }
    size_t n = baseline_len(loading.baseline);
    if (n == 0) {
        err_set(err, "baseline %s holds no good boot", dirs[0]);
        baseline_free(loading.baseline);
        return NULL;
    }
    if (loading.n_left_out > MOST_NAMED)
        warn(&loading, "%zu boots in all were left out of the baseline", loading.n_left_out);
    if (n < BASELINE_FEW)
        warn(&loading, "the baseline has only %zu good boot%s: a difference from it proves little",
             n, n == 1 ? "" : "s");
    return loading.baseline;
}
