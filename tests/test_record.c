/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support.h"

#include "harness/base/json.h"
#include "harness/record.h"

/* Every member that boot.json may have, none with its default. */
static const char FULL[] =
    "{\"schema\": \"bootdiag.boot/1\", \"boot_id\": \"0007\", \"vm_id\": \"vm-5f0c\","
    " \"backend\": \"qemu\", \"replayed\": true, \"started_at\": \"2025-11-06T20:47:04.123Z\","
    " \"deadline_ms\": 120000, \"ended_ms\": 93412, \"end\": \"fatal-evidence\","
    " \"end_detail\": \"kernel.panic\", \"ready_ms\": 1, \"fault\": \"kernel-panic\","
    " \"vmm\": {\"argv\": [\"qemu\", \"-m\", \"\"], \"by_hand\": \"qemu -m 1\", \"exit_code\": 3,"
    "  \"signal\": 9, \"cpu_ms\": 8123, \"error\": \"e\", \"error_cause\": \"vmm.crashed\","
    "  \"version\": \"7.2\"},"
    " \"guest\": {\"memory_mib\": 512, \"vcpus\": 2, \"cmdline\": \"c\", \"mac\": \"02:fc\","
    "  \"expected_address\": \"192.168.100.5\", \"seen_address\": \"192.168.100.94\"},"
    " \"images\": {\"kernel\": {\"path\": \"k\", \"size\": 1, \"mtime\": \"m\", \"sha256\": \"s\"},"
    "  \"initrd\": {}, \"rootfs\": {\"path\": null, \"size\": 0, \"mtime\": null, \"sha256\": "
    "\"t\"}},"
    " \"service\": {\"unit\": \"u\", \"description\": \"d\", \"supervisor\": \"s\", \"entry\": "
    "\"e\","
    "  \"ready_pattern\": \"r\", \"port\": 9, \"health_path\": \"/h\", \"expected_status\": 204},"
    " \"host\": {\"load\": 1.5, \"steal_pct\": 0.25, \"parallel_boots\": 2, \"kernel\": \"l\","
    "  \"accelerator\": \"tcg\"},"
    " \"console\": {\"bytes\": 48120, \"dropped_bytes\": 20, \"dropped_at\": 100},"
    " \"probe\": {\"url\": \"http://h/\", \"network\": \"tap\", \"neighbour\": \"failed\","
    "  \"merged\": true, \"classes\": [{\"class\": \"refused\", \"from_ms\": 0, \"to_ms\": 5,"
    "  \"count\": 61, \"http_status\": null, \"neighbour\": \"failed\"}, {\"class\": \"ready\","
    "  \"from_ms\": 6, \"to_ms\": 7, \"count\": 1, \"http_status\": 200, \"neighbour\": null}]},"
    " \"net\": {\"bridge\": \"fcbr0\", \"bridge_up\": false, \"bridge_addresses\": "
    "[\"192.168.100.1/24\"],"
    "  \"tap\": \"bd0\", \"vnet_hdr\": true, \"neighbour_mac\": \"02:fc\", \"foreign_mac\": "
    "\"52:54\","
    "  \"own_answered\": true, \"answered_before_start\": false, \"frames_kept\": 7,"
    "  \"frames_dropped\": 1},"
    " \"controller\": {\"session_id\": \"i\", \"status\": \"vm_created\", \"error\": \"f\"}}";

static void everything_is_loaded_and_saved_again(void **state)
{
    free(put_text(*state, "boot.json", FULL));
    auto_record struct record record = {0};
    struct err err = {0};
    assert_int_equal(record_load(&record, *state, &err), 0);
    json_auto_t *given = json_loads(FULL, 0, NULL);
    json_auto_t *written = record_json(&record);
    auto_free char *want = json_dumps(given, JSON_SORT_KEYS | JSON_INDENT(1));
    auto_free char *got = json_dumps(written, JSON_SORT_KEYS | JSON_INDENT(1));
    assert_string_equal(got, want);

    assert_int_equal(record_save(&record, &err), 0);
    auto_record struct record again = {0};
    assert_int_equal(record_load(&again, *state, &err), 0);
    json_auto_t *rewritten = record_json(&again);
    assert_true(json_equal(written, rewritten));
    assert_int_equal(again.end, RECORD_END_FATAL_EVIDENCE);
    assert_int_equal(again.probe.runs[1].class, PROBE_READY);
    assert_true(again.has_service);
}

/* An empty record says nothing, and says so in the same words after a round trip. */
static void nothing_stays_nothing(void **state)
{
    free(put_text(*state, "boot.json",
                  "{\"schema\": \"bootdiag.boot/1\", \"new_member\": [1, {}],"
                  " \"vmm\": {\"nicer\": true}, \"guest\": null, \"end\": null}"));
    auto_record struct record record = {0}, fresh;
    record_init(&fresh);
    assert_int_equal(record_load(&record, *state, NULL), 0);
    json_auto_t *loaded = record_json(&record);
    json_auto_t *empty = record_json(&fresh);
    assert_true(json_equal(loaded, empty));
    assert_false(record.has_service);
    assert_string_equal(record.service.unit, "vm-browser-agent.service");
    assert_int_equal(record.deadline_ms, RECORD_UNKNOWN);
    assert_int_equal(record.vmm.exit_code, -1);
    assert_int_equal(record.console_facts.dropped_at, -1);
    assert_true(record.host.load < 0);
    assert_null(record.console.data);
    assert_false(record_came_up(&record));
    assert_null(record_end_name(record.end));
}

static void hostile_boot_json_is_refused_by_name(void **state)
{
    static const struct {
        const char *members, *problem;
    } rows[] = {
        {"\"schema\": \"bootdiag.boot/2\"", "\"schema\": expected \"bootdiag.boot/1\", got"},
        {"\"schema\": 1", "\"schema\": expected"},
        {"\"x\": 1", "\"schema\": expected"},
        {"$, \"boot_id\": 7", "\"boot_id\": expected a string, got a whole number"},
        {"$, \"end\": 7", "\"end\": expected a string"},
        {"$, \"end\": \"exploded\"", "\"end\": \"exploded\" is not an end of a boot"},
        {"$, \"replayed\": 1", "\"replayed\": expected true or false"},
        {"$, \"ended_ms\": -1", "\"ended_ms\": expected 0-9007199254740992, got -1"},
        {"$, \"ended_ms\": 9223372036854775807", "\"ended_ms\": expected 0-"},
        {"$, \"ended_ms\": 1.5", "\"ended_ms\": expected a whole number, got a fraction"},
        {"$, \"ended_ms\": 1, \"ended_ms\": 2", "duplicate object key"},
        {"$, \"fault\": \"a\\u0000b\"", "\\u0000"},
        {"$, \"vmm\": []", "\"vmm\": expected an object, got an array"},
        {"$, \"vmm\": {\"argv\": \"qemu\"}", "\"argv\": expected an array, got a string"},
        {"$, \"vmm\": {\"argv\": [\"qemu\", 5]}", "\"argv\": expected strings"},
        {"$, \"vmm\": {\"signal\": 256}", "\"signal\": expected 0-255, got 256"},
        {"$, \"vmm\": {\"exit_code\": -9}", "\"exit_code\": expected 0-"},
        {"$, \"guest\": {\"memory_mib\": 4294967808}", "\"memory_mib\": expected 0-"},
        {"$, \"host\": {\"load\": \"high\"}", "\"load\": expected a number, got a string"},
        {"$, \"images\": {\"kernel\": \"vmlinuz\"}", "\"kernel\": expected an object"},
        {"$, \"images\": {\"kernel\": {\"size\": -1}}", "\"size\": expected 0-"},
        {"$, \"console\": {\"bytes\": -1}", "\"bytes\": expected 0-"},
        {"$, \"console\": {\"dropped_at\": -7}", "\"dropped_at\": expected 0-"},
        {"$, \"console\": 5", "\"console\": expected an object"},
        {"$, \"service\": {\"port\": 0}", "\"port\": expected 1-65535, got 0"},
        {"$, \"service\": {\"health_path\": \"health\"}",
         "\"service.health_path\": expected a path"},
        {"$, \"probe\": {\"classes\": {}}", "\"classes\": expected an array, got an object"},
        {"$, \"probe\": {\"classes\": [7]}", "\"probe.classes\": \"\" is not a class"},
        {"$, \"probe\": {\"classes\": [{\"class\": \"odd\"}]}", "\"odd\" is not a class"},
        {"$, \"probe\": {\"classes\": [{\"class\": \"ready\", \"count\": -1}]}", "\"count\""},
        {"$, \"probe\": {\"classes\": [{\"class\": \"ready\", \"to_ms\": -1}]}", "\"to_ms\""},
        {"$, \"probe\": {\"classes\": [{\"class\": \"ready\"}, {}]}", "is not a class"},
    };
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        bool valid = rows[i].members[0] == '$';
        auto_free char *text = mem_printf("{%s%s}", valid ? "\"schema\": \"bootdiag.boot/1\"" : "",
                                          rows[i].members + (valid ? 1 : 0));
        auto_free char *path = put_text(*state, "boot.json", text);
        auto_record struct record record = {0};
        struct err err = {0};
        assert_int_equal(record_load(&record, *state, &err), -1);
        assert_holds(err.message, path);
        assert_holds(err.message, rows[i].problem);
        assert_null(record.source);
    }
}

static void ten_thousand_probe_runs_are_refused(void **state)
{
    json_auto_t *boot =
        json_pack("{s:s, s:{s:[]}}", "schema", "bootdiag.boot/1", "probe", "classes");
    json_t *classes = json_object_get(json_object_get(boot, "probe"), "classes");
    for (int i = 0; i < 10000; i++)
        json_array_append_new(classes, json_pack("{s:s}", "class", i % 2 ? "reset" : "refused"));
    auto_free char *text = json_dumps(boot, 0);
    free(put_text(*state, "boot.json", text));
    auto_record struct record record = {0};
    struct err err = {0};
    assert_int_equal(record_load(&record, *state, &err), -1);
    assert_holds(err.message, "\"probe.classes\": 10000 runs are more than 4096");
}

static void loading_replaces_what_was_there(void **state)
{
    auto_free char *one = put_dir(*state, "one");
    auto_free char *two = put_dir(*state, "two");
    auto_free char *none = put_dir(*state, "none");
    free(put_text(one, "boot.json", FULL));
    free(put_text(one, "console.log", "first"));
    free(put_text(two, "console.log", "second"));
    auto_record struct record record = {0};
    assert_int_equal(record_load(&record, one, NULL), 0);
    assert_int_equal(record_load(&record, none, NULL), -1);
    assert_string_equal(record.boot_id, "0007");
    assert_memory_equal(record.console.data, "first", 5);
    assert_int_equal(record_load(&record, two, NULL), 0);
    assert_null(record.boot_id);
    assert_memory_equal(record.console.data, "second", 6);
    assert_string_equal(record.backend, "preserved");
    assert_int_equal(record.console_facts.bytes, 6);
}

static void either_log_name_is_read(void **state)
{
    static const char *const names[] = {"firecracker-error.log", "vmm.log"};
    free(put_text(*state, "console.log", "c"));
    for (size_t i = 0; i < N_ROWS(names); i++) {
        free(put_text(*state, names[i], names[i]));
        auto_record struct record record = {0};
        assert_int_equal(record_load(&record, *state, NULL), 0);
        assert_int_equal(record.vmm_log.len, strlen(names[i]));
        assert_memory_equal(record.vmm_log.data, names[i], strlen(names[i]));
    }
}

static void what_is_no_record_is_named(void **state)
{
    auto_free char *empty = put_dir(*state, "empty");
    auto_free char *missing = path_join(*state, "missing");
    auto_free char *file = put_text(*state, "file", "x");
    auto_free char *fifo_boot = put_dir(*state, "fifo-boot");
    auto_free char *fifo_console = put_dir(*state, "fifo-console");
    auto_free char *fifo_log = put_dir(*state, "fifo-log");
    auto_free char *dir_console = put_dir(*state, "dir-console");
    auto_free char *dir_boot = put_dir(*state, "dir-boot");
    free(put_fifo(fifo_boot, "boot.json"));
    free(put_fifo(fifo_console, "console.log"));
    free(put_text(fifo_log, "console.log", "x"));
    free(put_fifo(fifo_log, "vmm.log"));
    free(put_dir(dir_console, "console.log"));
    free(put_dir(dir_boot, "boot.json"));
    const struct {
        const char *dir, *problem;
    } rows[] = {
        {empty, "/empty: neither boot.json nor console.log is here: not a record"},
        {missing, "/missing: No such file or directory"},
        {file, "/file: Not a directory"},
        {fifo_boot, "/boot.json: not a regular file"},
        {fifo_console, "/console.log: not a regular file"},
        {fifo_log, "/vmm.log: not a regular file"},
        {dir_console, "/console.log: not a regular file"},
        {dir_boot, "/boot.json: Is a directory"},
    };
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        auto_record struct record record = {0};
        struct err err = {0};
        assert_int_equal(record_load(&record, rows[i].dir, &err), -1);
        assert_holds(err.message, rows[i].problem);
    }
}

static void arrival_times_end_where_garbage_begins(void **state)
{
    static const struct {
        const char *text;
        size_t n;
    } rows[] = {
        {"", 0},
        {"0 1\n5 2\n", 2},
        {"0 1\n5 2", 1}, /* cut in the middle of an entry */
        {"0 1\n5 2\nrubbish\n9 9\n", 2},
        {"0 1\n5 2 \n", 1},
        {"0 1\n 5 2\n", 1},
        {"0 1\n\n5 2\n", 1},
        {"0 1\n-5 2\n", 1},
        {"0 1\n+5 2\n", 1},
        {"0 1\n5 -2\n", 1},
        {"0 1\n5\t2\n", 1},
        {"5 1\n4 2\n", 1}, /* offsets must not descend */
        {"5 2\n6 1\n", 1}, /* nor times */
        {"5 2\n5 2\n", 2},
        {"0 1\n9007199254740992 2\n", 2},
        {"0 1\n9007199254740993 2\n", 1},
        {"0 1\n99999999999999999999999999999999999999 2\n", 1},
        {"0 99999999999999999999999999999999999999\n", 0},
        {"\xff\xfe\n", 0},
    };
    free(put_text(*state, "console.log", "0123456789"));
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        free(put_text(*state, "console.times", rows[i].text));
        auto_record struct record record = {0};
        assert_int_equal(record_load(&record, *state, NULL), 0);
        assert_int_equal(record.n_times, rows[i].n);
    }
    auto_free char *times = path_join(*state, "console.times");
    assert_int_equal(unlink(times), 0);
    free(put_fifo(*state, "console.times"));
    auto_record struct record record = {0};
    assert_int_equal(record_load(&record, *state, NULL), 0);
    assert_int_equal(record_arrival_ms(&record, 0), RECORD_UNKNOWN);
}

static void arrival_is_that_of_the_entry_before(void **state)
{
    free(put_text(*state, "console.log", "0123456789"));
    free(put_text(*state, "console.times", "2 10\n5 20\n5 30\n9 40\n"));
    auto_record struct record record = {0};
    assert_int_equal(record_load(&record, *state, NULL), 0);
    static const struct {
        uint64_t offset;
        int64_t want;
    } rows[] = {{0, -1}, {1, -1}, {2, 10}, {4, 10}, {5, 30}, {8, 30}, {9, 40}, {UINT64_MAX, 40}};
    for (size_t i = 0; i < N_ROWS(rows); i++)
        assert_int_equal(record_arrival_ms(&record, rows[i].offset), rows[i].want);
}

static void many_arrival_times_take_linear_time(void **state)
{
    auto_buf struct buf text;
    buf_init(&text, SIZE_MAX);
    for (int i = 0; i < 300000; i++)
        buf_addf(&text, "%d %d\n", i, i);
    free(put_text(*state, "console.log", "x"));
    free(put_bytes(*state, "console.times", text.data, text.len));
    auto_record struct record record = {0};
    assert_int_equal(record_load(&record, *state, NULL), 0);
    assert_int_equal(record.n_times, 300000);
    assert_int_equal(record_arrival_ms(&record, 123456), 123456);
}

static void bare_and_archived_consoles_are_records(void **state)
{
    auto_free char *console = put_bytes(*state, "c.log", "a\0\xff", 3);
    auto_free char *error = put_text(*state, "e.log", "refused");
    auto_free char *missing = path_join(*state, "missing.log");
    auto_record struct record record = {0};
    assert_int_equal(record_load_console(&record, console, NULL), 0);
    assert_int_equal(record.console.len, 3);
    assert_string_equal(record.source, console);
    assert_null(record.dir);
    assert_null(record.vmm_log.data);
    assert_int_equal(record_load_archived(&record, console, error, NULL), 0);
    assert_memory_equal(record.vmm_log.data, "refused", 7);
    struct err err;
    assert_int_equal(record_load_archived(&record, console, missing, &err), -1);
    assert_holds(err.message, "/missing.log: No such file");
    assert_memory_equal(record.vmm_log.data, "refused", 7);
}

static void names_are_the_contracts(void **state)
{
    (void)state;
    static const char *const classes[PROBE_N_CLASSES] = {
        "host-unreachable", "net-unreachable", "refused",    "connect-timeout", "reset",
        "no-answer",        "not-http",        "http-error", "wrong-body",      "ready"};
    for (int i = 0; i < PROBE_N_CLASSES; i++)
        assert_string_equal(probe_class_name((enum probe_class)i), classes[i]);
    static const char *const ends[] = {"ready",          "deadline",     "vmm-exit",
                                       "fatal-evidence", "start-failed", "interrupted"};
    for (int i = 0; i < 6; i++)
        assert_string_equal(record_end_name((enum record_end)(RECORD_END_READY + i)), ends[i]);
}

static void releasing_twice_is_fine(void **state)
{
    free(put_text(*state, "boot.json", FULL));
    struct record record = {0};
    record_release(&record);
    assert_int_equal(record_load(&record, *state, NULL), 0);
    record_release(&record);
    record_release(&record);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        dir_test(everything_is_loaded_and_saved_again),
        dir_test(nothing_stays_nothing),
        dir_test(hostile_boot_json_is_refused_by_name),
        dir_test(ten_thousand_probe_runs_are_refused),
        dir_test(loading_replaces_what_was_there),
        dir_test(either_log_name_is_read),
        dir_test(what_is_no_record_is_named),
        dir_test(arrival_times_end_where_garbage_begins),
        dir_test(arrival_is_that_of_the_entry_before),
        dir_test(many_arrival_times_take_linear_time),
        dir_test(bare_and_archived_consoles_are_records),
        cmocka_unit_test(names_are_the_contracts),
        dir_test(releasing_twice_is_fine),
    };
    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
