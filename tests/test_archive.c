/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support.h"

#include "harness/archive.h"
#include "harness/base/clock.h"

#define STAMP "2025-11-06T20-49-08-451Z"

/* What an archive of `path` (below `dir`) holds: "source[+error]" per entry, each with a newline.
 */
static char *listing(const char *dir, const char *path)
{
    auto_free char *whole = path_join(dir, path);
    struct archive archive;
    struct err err = {0};
    if (archive_find(&archive, whole, &err) != 0)
        fail_msg("%s", err.message);
    struct buf text;
    buf_init(&text, SIZE_MAX);
    for (size_t i = 0; i < archive.len; i++) {
        const struct archive_entry *entry = &archive.entries[i];
        assert_memory_equal(entry->source, dir, strlen(dir));
        buf_add_text(&text, entry->source + strlen(dir) + 1);
        if (entry->error_path != NULL)
            buf_addf(&text, "+%s", path_base(entry->error_path));
        buf_add_char(&text, '\n');
    }
    archive_release(&archive);
    archive_release(&archive);
    return buf_steal(&text);
}

static void assert_listing(const char *dir, const char *path, const char *want)
{
    auto_free char *got = listing(dir, path);
    assert_string_equal(got, want);
}

static void put_record(const char *dir, const char *name, const char *started_at)
{
    auto_free char *record = put_dir(dir, name);
    auto_free char *boot =
        mem_printf("{\"schema\": \"bootdiag.boot/1\", \"started_at\": \"%s\"}", started_at);
    free(put_text(record, "boot.json", boot));
    free(put_text(record, "console.log", "x"));
}

static void each_kind_of_path_is_known(void **state)
{
    const char *dir = *state;
    put_record(dir, "boot-0001", "2025-11-06T20:47:04.123Z");
    free(put_dir(dir, "zst-only"));
    free(put_text(dir, "zst-only/console.log.zst", ""));
    free(put_text(dir, "bare.log", "x"));
    free(put_text(dir, "vm-1-console-" STAMP ".log", "x"));
    free(put_text(dir, "vm-1-error-" STAMP ".log", "x"));
    static const struct {
        const char *path;
        enum archive_kind kind;
    } rows[] = {
        {"boot-0001", ARCHIVE_RECORD},
        {"boot-0001/", ARCHIVE_RECORD},
        {"zst-only", ARCHIVE_RECORD},
        {"boot-0001/console.log", ARCHIVE_BARE},
        {"bare.log", ARCHIVE_BARE},
        {"vm-1-console-" STAMP ".log", ARCHIVE_CONSOLE_PAIR},
        {"vm-1-error-" STAMP ".log", ARCHIVE_BARE},
    };
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        auto_free char *path = path_join(dir, rows[i].path);
        struct archive archive;
        assert_int_equal(archive_find(&archive, path, NULL), 0);
        assert_int_equal(archive.len, 1);
        assert_int_equal(archive.entries[0].kind, rows[i].kind);
        assert_string_equal(archive.entries[0].source, path);
        assert_non_null(archive.entries[0].stamp);
        archive_release(&archive);
    }
    struct archive archive;
    assert_int_equal(archive_find(&archive, "-", NULL), 0);
    assert_int_equal(archive.entries[0].kind, ARCHIVE_BARE);
    assert_string_equal(archive.entries[0].path, "-");
    archive_release(&archive);
}

static void names_of_archived_consoles(void **state)
{
    static const struct {
        const char *name;
        bool archived;
    } rows[] = {
        {"vm-1-console-" STAMP ".log", true},
        {"vm-1-console-" STAMP ".log.gz", true},
        {"vm-1-console-" STAMP ".log.zst", true},
        {"vm-console-x-console-" STAMP ".log", true},
        {"vm-1-console-console-" STAMP ".log", true},
        {"v m\n\x1b[31m\xff-console-" STAMP ".log", true},
        {"-console-" STAMP ".log", false},
        {"vm-1-console-" STAMP ".log.xz", false},
        {"vm-1-console-" STAMP ".logs", false},
        {"vm-1-console-" STAMP, false},
        {"vm-1-console-2025-11-06T20-49-08-451.log", false},
        {"vm-1-console-2025-11-06.log", false},
        {"vm-1-console-.log", false},
        {"vm-1-console-", false},
        {"vm-1-console-x" STAMP ".log", false},
        {"console.log.gz", false},
    };
    const char *dir = *state;
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        auto_free char *path = put_text(dir, rows[i].name, "x");
        struct archive archive;
        assert_int_equal(archive_find(&archive, path, NULL), 0);
        if (rows[i].archived)
            assert_string_equal(archive.entries[0].stamp, STAMP);
        else
            assert_string_equal(archive.entries[0].stamp, "");
        archive_release(&archive);
        assert_int_equal(unlink(path), 0);
    }
}

/* Same vmId, nearest stamp, at most 60 s away. */
static void the_nearest_error_log_is_the_pair(void **state)
{
    static const struct {
        const char *others[4];
        const char *want; /* NULL: none */
    } rows[] = {
        {{"vm-1-error-2025-11-06T20-49-08-451Z.log"}, "vm-1-error-2025-11-06T20-49-08-451Z.log"},
        {{"vm-1-error-2025-11-06T20-50-08-451Z.log"}, "vm-1-error-2025-11-06T20-50-08-451Z.log"},
        {{"vm-1-error-2025-11-06T20-50-08-452Z.log"}, NULL},
        {{"vm-1-error-2025-11-06T20-48-08-450Z.log"}, NULL},
        {{"vm-1-error-2025-11-06T20-49-07-000Z.log", "vm-1-error-2025-11-06T20-49-09-000Z.log.gz",
          "vm-1-error-2025-11-06T20-48-30-000Z.log", "vm-1-error-2025-11-06T20-49-30-000Z.log"},
         "vm-1-error-2025-11-06T20-49-09-000Z.log.gz"},
        {{"vm-1-error-2025-11-06T20-49-08-450Z.log", "vm-1-error-2025-11-06T20-49-08-452Z.log"},
         "vm-1-error-2025-11-06T20-49-08-450Z.log"},
        {{"vm-2-error-2025-11-06T20-49-08-451Z.log", "vm-11-error-2025-11-06T20-49-08-451Z.log",
          "vm-error-2025-11-06T20-49-08-451Z.log", "vm-0-error-2025-11-06T20-49-08-451Z.log"},
         NULL},
        {{"vm-1-error-2025-11-06.log", "vm-1-error.log", "vm-1-console-" STAMP ".log.gz"}, NULL},
        {{NULL}, NULL},
    };
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        auto_free char *dir = mem_printf("%s/%zu", (char *)*state, i);
        assert_int_equal(path_make_dirs(dir, NULL), 0);
        auto_free char *console = put_text(dir, "vm-1-console-" STAMP ".log", "x");
        for (size_t o = 0; o < N_ROWS(rows[i].others) && rows[i].others[o] != NULL; o++)
            free(put_text(dir, rows[i].others[o], "x"));
        struct archive archive;
        assert_int_equal(archive_find(&archive, console, NULL), 0);
        const char *got = archive.entries[0].error_path;
        if (rows[i].want == NULL)
            assert_null(got);
        else
            assert_string_equal(path_base(got), rows[i].want);
        if (got != NULL)
            assert_true(path_is_file(got));
        archive_release(&archive);
    }
}

static void entries_come_by_time_then_name(void **state)
{
    const char *dir = *state;
    put_record(dir, "run/z/deep/boot-0001", "2025-11-06T20:47:04.123Z");
    put_record(dir, "run/b", "2025-11-06T20:47:04.124Z");
    put_record(dir, "run/a", "2025-11-06T20:47:04.124Z");
    put_record(dir, "run/undated", "");
    put_record(dir, "run/a/inner-record-of-a-record", "2020");
    put_record(dir, "run/.hidden", "2020");
    free(put_text(dir, "run/m-console-2025-11-06T20-47-04-125Z.log", "x"));
    free(put_text(dir, "run/m-error-2025-11-06T20-47-04-125Z.log", "x"));
    free(put_text(dir, "run/z/m-console-2024-11-06T20-47-04-125Z.log", "x"));
    free(put_text(dir, "run/notes.txt", "x"));
    assert_listing(
        dir, "run",
        "run/undated\n"
        "run/z/m-console-2024-11-06T20-47-04-125Z.log\n"
        "run/z/deep/boot-0001\n"
        "run/a\n"
        "run/b\n"
        "run/m-console-2025-11-06T20-47-04-125Z.log+m-error-2025-11-06T20-47-04-125Z.log\n");
    assert_listing(dir, "run/z/",
                   "run/z/m-console-2024-11-06T20-47-04-125Z.log\n"
                   "run/z/deep/boot-0001\n");
}

static void links_and_pipes_lead_nowhere(void **state)
{
    const char *dir = *state;
    auto_free char *run = put_dir(dir, "run");
    auto_free char *circle = path_join(run, "circle");
    auto_free char *outside = put_text(dir, "outside.log", "x");
    auto_free char *linked = path_join(run, "vm-2-console-" STAMP ".log");
    assert_int_equal(symlink(run, circle), 0);
    assert_int_equal(symlink(outside, linked), 0);
    free(put_fifo(run, "vm-3-console-" STAMP ".log"));
    free(put_dir(run, "vm-4-console-" STAMP ".log"));
    free(put_text(run, "vm-1-console-" STAMP ".log", "x"));
    assert_listing(dir, "run", "run/vm-1-console-" STAMP ".log\nrun/vm-2-console-" STAMP ".log\n");
}

static void records_are_found_at_any_depth(void **state)
{
    auto_buf struct buf path;
    buf_init(&path, SIZE_MAX);
    buf_add_text(&path, "run");
    for (int i = 0; i < 60; i++)
        buf_add_text(&path, "/d");
    put_record(*state, buf_text(&path), "2025");
    assert_listing(*state, "run", "run\n"); /* the only one: its path need not say which */
    put_record(*state, "run/z", "2026");
    auto_free char *want = mem_printf("%s\nrun/z\n", buf_text(&path));
    assert_listing(*state, "run", want);
}

static void what_holds_nothing_is_named(void **state)
{
    free(put_dir(*state, "empty/inside"));
    auto_free char *empty = path_join(*state, "empty");
    auto_free char *missing = path_join(*state, "missing");
    struct archive archive;
    struct err err;
    assert_int_equal(archive_find(&archive, empty, &err), -1);
    assert_holds(err.message, "/empty: holds no boot record and no archived console");
    archive_release(&archive);
    assert_int_equal(archive_find(&archive, missing, &err), -1);
    assert_holds(err.message, "/missing: No such file or directory");
    archive_release(&archive);
}

/* Root reads everything: as root this runs as nobody. */
static void an_unreadable_directory_is_not_lost(void **state)
{
    uid_t uid = geteuid();
    put_record(*state, "run/good", "2025");
    auto_free char *run = path_join(*state, "run");
    auto_free char *closed = put_dir(*state, "run/closed");
    assert_int_equal(chmod(*state, 0755), 0);
    assert_int_equal(chmod(closed, 0), 0);
    assert_int_equal(uid == 0 ? seteuid(65534) : 0, 0);
    struct archive archive, unreadable;
    struct err err = {0}, closed_err = {0};
    auto_record struct record record = {0};
    int found = archive_find(&archive, run, &err);
    int direct = archive_find(&unreadable, closed, &closed_err);
    int first = found == 0 ? archive_load(&archive, 0, &record, &err) : 0;
    int second = found == 0 ? archive_load(&archive, 1, &record, NULL) : -1;
    (void)(uid == 0 ? seteuid(0) : 0);
    assert_int_equal(chmod(closed, 0700), 0);
    assert_int_equal(found, 0);
    assert_int_equal(archive.len, 2);
    assert_int_equal(first, -1);
    assert_holds(err.message, "/run/closed: Permission denied");
    assert_int_equal(second, 0);
    assert_int_equal(direct, -1);
    assert_holds(closed_err.message, "/run/closed: Permission denied");
    archive_release(&archive);
    archive_release(&unreadable);
}

static void entries_load_under_their_source(void **state)
{
    const char *dir = *state;
    put_record(dir, "run/boot-0001", "2025-11-06T20:47:04.123Z");
    free(put_text(dir, "run/vm-1-console-2025-11-06T20-49-08-451Z.log", "console"));
    free(put_text(dir, "run/vm-1-error-2025-11-06T20-49-09-000Z.log", "error"));
    auto_free char *run = path_join(dir, "run");
    struct archive archive;
    assert_int_equal(archive_find(&archive, run, NULL), 0);
    assert_int_equal(archive.len, 2);
    auto_record struct record record = {0};
    for (size_t i = 0; i < archive.len; i++) {
        assert_int_equal(archive_load(&archive, i, &record, NULL), 0);
        assert_string_equal(record.source, archive.entries[i].source);
    }
    assert_memory_equal(record.console.data, "console", 7);
    assert_memory_equal(record.vmm_log.data, "error", 5);
    assert_int_equal(unlink(archive.entries[1].path), 0);
    struct err err;
    assert_int_equal(archive_load(&archive, 1, &record, &err), -1);
    assert_holds(err.message, "No such file");
    archive_release(&archive);
}

static void thousands_are_paired_quickly(void **state)
{
    enum { N = 1500 };
    auto_free char *run = put_dir(*state, "run");
    for (int i = 0; i < N; i++) {
        auto_free char *console = mem_printf("vm-%d-console-2025-11-06T20-49-08-451Z.log", i);
        auto_free char *error = mem_printf("vm-%d-error-2025-11-06T20-49-%02d-000Z.log", i, i % 60);
        auto_free char *console_path = path_join(run, console);
        auto_free char *error_path = path_join(run, error);
        fclose(fopen(console_path, "w"));
        fclose(fopen(error_path, "w"));
    }
    struct archive archive;
    int64_t before = clock_ms();
    assert_int_equal(archive_find(&archive, run, NULL), 0);
    assert_true(clock_ms() - before < 1000);
    assert_int_equal(archive.len, N);
    for (size_t i = 0; i < archive.len; i++) {
        const char *console = path_base(archive.entries[i].path);
        const char *error = path_base(archive.entries[i].error_path);
        assert_memory_equal(console, error, (size_t)(strchr(console + 3, '-') - console) + 1);
    }
    archive_release(&archive);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        dir_test(each_kind_of_path_is_known),        dir_test(names_of_archived_consoles),
        dir_test(the_nearest_error_log_is_the_pair), dir_test(entries_come_by_time_then_name),
        dir_test(links_and_pipes_lead_nowhere),      dir_test(records_are_found_at_any_depth),
        dir_test(what_holds_nothing_is_named),       dir_test(an_unreadable_directory_is_not_lost),
        dir_test(entries_load_under_their_source),   dir_test(thousands_are_paired_quickly),
    };
    return cmocka_run_group_tests_name("archive", tests, NULL, NULL);
}
