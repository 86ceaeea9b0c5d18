/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support.h"

#include "harness/retention.h"

enum { NOW_S = 1800000000, HOUR_S = 3600, DAY_S = 86400 };

static const char A[] = "vm-a-console-2026-11-06T20-49-08-451Z.log.zst";
static const char A_ERROR[] = "vm-a-error-2026-11-06T20-49-08-460Z.log.zst";
static const char A_BOOT[] = "vm-a-boot-2026-11-06T20-49-08-451Z.json";
static const char A_LATER[] = "vm-a-console-2026-11-06T21-49-08-451Z.log";
static const char B[] = "vm-b-console-2026-11-06T20-49-08-451Z.log";
static const char OTHER[] = "notes.txt";

/* A file of `size` bytes that was changed `age_s` ago. */
static void put_aged(const char *dir, const char *name, size_t size, int64_t age_s)
{
    auto_free char *bytes = mem_calloc(size, 1);
    auto_free char *path = put_bytes(dir, name, bytes, size);
    struct timespec at = {.tv_sec = NOW_S - age_s};
    assert_int_equal(utimensat(AT_FDCWD, path, (struct timespec[]){at, at}, 0), 0);
}

static void fill(const char *dir)
{
    put_aged(dir, A, 100, 10 * DAY_S);
    put_aged(dir, A_ERROR, 10, 10 * DAY_S);
    put_aged(dir, A_BOOT, 10, 10 * DAY_S);
    put_aged(dir, A_LATER, 100, 2 * DAY_S);
    put_aged(dir, B, 100, HOUR_S / 2);
    put_aged(dir, OTHER, 1000, 100 * DAY_S);
}

static bool has(const char *dir, const char *name)
{
    auto_free char *path = path_join(dir, name);
    return path_exists(path);
}

static void limits_are_kept(void **state)
{
    static const struct {
        const char *label;
        struct retention retention;
        bool a, a_later, b;
    } rows[] = {
        {"no limit", {.min_age_s = HOUR_S}, true, true, true},
        {"age", {.keep_s = 5 * DAY_S, .min_age_s = HOUR_S}, false, true, true},
        {"age of all", {.keep_s = 1, .min_age_s = 0}, false, false, false},
        {"never too young", {.keep_s = 1, .min_age_s = HOUR_S}, false, false, true},
        {"count", {.max_count = 2, .min_age_s = HOUR_S}, false, true, true},
        {"count, but young", {.max_count = 1, .min_age_s = 3 * DAY_S}, false, true, true},
        {"size, as it is", {.max_bytes = 320}, true, true, true},
        {"size", {.max_bytes = 319}, false, true, true},
        {"size of one", {.max_bytes = 100}, false, false, true},
        {"size of nothing", {.max_bytes = 1, .min_age_s = HOUR_S}, false, false, true},
    };
    const char *parent = *state;
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        auto_free char *dir = path_join(parent, rows[i].label);
        struct err err = {0};
        size_t removed;
        assert_int_equal(mkdir(dir, 0700), 0);
        fill(dir);
        if (retention_apply(&rows[i].retention, dir, NOW_S, &removed, &err) != 0)
            fail_msg("%s: %s", rows[i].label, err.message);
        if (has(dir, A) != rows[i].a || has(dir, A_LATER) != rows[i].a_later ||
            has(dir, B) != rows[i].b)
            fail_msg("%s: %d %d %d", rows[i].label, has(dir, A), has(dir, A_LATER), has(dir, B));
        assert_int_equal(has(dir, A_ERROR), rows[i].a);
        assert_int_equal(has(dir, A_BOOT), rows[i].a);
        assert_int_equal(removed, !rows[i].a + !rows[i].a_later + !rows[i].b);
        assert_true(has(dir, OTHER));
    }
}

/* The error log is still written: the whole boot stays. */
static void one_young_file_keeps_its_boot(void **state)
{
    const char *dir = *state;
    put_aged(dir, A, 100, 10 * DAY_S);
    put_aged(dir, A_ERROR, 10, 5);
    struct retention retention = {.keep_s = DAY_S, .min_age_s = HOUR_S, .max_bytes = 1};
    size_t removed;
    assert_int_equal(retention_apply(&retention, dir, NOW_S, &removed, NULL), 0);
    assert_int_equal(removed, 0);
    assert_true(has(dir, A) && has(dir, A_ERROR));
}

static void a_missing_directory_is_an_error(void **state)
{
    (void)state;
    struct retention retention = {0};
    struct err err = {0};
    size_t removed;
    assert_int_equal(retention_apply(&retention, "/proc/nowhere", NOW_S, &removed, &err), -1);
    assert_non_null(strstr(err.message, "/proc/nowhere"));
}

static void ages_and_sizes_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t age_s, bytes; /* -1: refused */
    } rows[] = {
        {"0", 0, 0},
        {"90", 90, 90},
        {"90s", 90, -1},
        {"15m", 900, -1},
        {"1h", 3600, -1},
        {"30d", 2592000, -1},
        {"1K", -1, 1024},
        {"20G", -1, INT64_C(21474836480)},
        {"1T", -1, 1LL << 40},
        {"", -1, -1},
        {"-1", -1, -1},
        {"1x", -1, -1},
        {"1hh", -1, -1},
        {" 1", -1, -1},
        {"9999999999999999", -1, -1},
        {"9007199254740992T", -1, -1},
    };
    (void)state;
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        int64_t age_s = -1;
        uint64_t bytes = UINT64_MAX;
        assert_int_equal(retention_parse_age(rows[i].text, &age_s), rows[i].age_s < 0 ? -1 : 0);
        assert_int_equal(age_s, rows[i].age_s);
        assert_int_equal(retention_parse_size(rows[i].text, &bytes), rows[i].bytes < 0 ? -1 : 0);
        assert_int_equal((int64_t)bytes, rows[i].bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        dir_test(limits_are_kept),
        dir_test(one_young_file_keeps_its_boot),
        cmocka_unit_test(a_missing_directory_is_an_error),
        cmocka_unit_test(ages_and_sizes_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
