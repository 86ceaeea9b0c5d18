/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support.h"

#include "harness/base/json.h"
#include "harness/target.h"

static void defaults_are_productions(void **state)
{
    (void)state;
    auto_target struct target target;
    target_init(&target);
    assert_string_equal(target.backend, "qemu");
    assert_int_equal(target.memory_mib, 512);
    assert_int_equal(target.deadline_ms, 120000);
    assert_int_equal(target.settle_ms, 500);
    assert_string_equal(target.service.unit, "vm-browser-agent.service");
    assert_int_equal(target.service.port, 8080);
    assert_null(target.rootfs);
    target_release(&target);
    target_release(&target);
}

static void the_template_loads_back_as_the_defaults(void **state)
{
    auto_free char *path = path_join(*state, "target.json");
    json_auto_t *template = target_template();
    assert_int_equal(json_write_file(template, path, NULL), 0);
    auto_target struct target defaults, loaded;
    target_init(&defaults);
    target_init(&loaded);
    struct err err = {0};
    int result = target_load(&loaded, path, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(result, 0);
    json_auto_t *want = target_json(&defaults);
    json_auto_t *got = target_json(&loaded);
    assert_true(json_equal(want, got));
    assert_true(service_equal(&defaults.service, &loaded.service));
    assert_string_equal(loaded.path, path);
    assert_non_null(json_object_get(template, "// memory_mib"));
    assert_non_null(json_object_get(json_object_get(template, "qemu"), "// machine"));
}

static void what_was_loaded_is_written_again(void **state)
{
    static const char text[] =
        "{\"schema\": \"bootdiag.target/1\", \"name\": \"n\", \"guest\": \"g\", \"backend\": "
        "\"b\", \"kernel\": "
        "\"/k\","
        " \"initrd\": \"/i\", \"rootfs\": \"/r\", \"cmdline\": \"c\", \"memory_mib\": 7, "
        "\"vcpus\": 3,"
        " \"network\": \"tap\", \"nic\": \"none\", \"bridge\": \"br0\", \"tap\": \"tap7\", "
        "\"address\": \"10.1.2.3\","
        " \"addresses\": 1, \"network_checks\": \"lenient\", \"pcap\": \"never\","
        " \"deadline_ms\": 1000, \"settle_ms\": 1, \"grace_ms\": 2,"
        " \"qemu\": {\"binary\": \"q\", \"machine\": \"microvm\", \"cpu\": \"u\","
        "  \"accelerator\": \"tcg\"}, \"replay\": {\"records\": \"/p\", \"speed\": 2.5},"
        " \"exec\": [\"vmm\", \"--id\", \"{id}\"],"
        " \"service\": {\"unit\": \"u\", \"description\": \"d\", \"supervisor\": \"s\","
        "  \"entry\": \"e\", \"ready_pattern\": \"r\", \"port\": 9, \"health_path\": \"/h\","
        "  \"expected_status\": 204}}";
    auto_free char *path = put_text(*state, "target.json", text);
    auto_target struct target target;
    target_init(&target);
    assert_int_equal(target_load(&target, path, NULL), 0);
    json_auto_t *want = json_loads(text, 0, NULL);
    json_auto_t *got = target_json(&target);
    assert_true(json_equal(want, got));
}

static void a_program_is_a_name_or_a_path_from_the_file(void **state)
{
    auto_free char *path = put_text(*state, "target.json", "{\"qemu\": {\"binary\": \"./vmm\"}}");
    auto_free char *dir = path_dir(path);
    auto_free char *vmm = path_join(dir, "vmm");
    auto_target struct target target;
    target_init(&target);
    assert_int_equal(file_write(vmm, "", 0, NULL), 0);
    assert_int_equal(target_load(&target, path, NULL), 0);
    assert_string_equal(target.qemu_binary, vmm);
    assert_int_equal(target_set(&target, "qemu.binary=vmm", NULL), 0);
    assert_string_equal(target.qemu_binary, "vmm");
}

static void a_command_begins_with_a_program(void **state)
{
    auto_free char *path = put_text(*state, "target.json", "{\"exec\": [\"./vmm\", \"./{id}\"]}");
    auto_free char *vmm = put_text(*state, "vmm", "");
    auto_target struct target target;
    target_init(&target);
    assert_null(target.exec);
    assert_int_equal(target_load(&target, path, NULL), 0);
    assert_string_equal(target.exec[0], vmm);
    assert_string_equal(target.exec[1], "./{id}");
    assert_null(target.exec[2]);
    assert_int_equal(target_set(&target, "exec=[\"vmm\"]", NULL), 0);
    assert_string_equal(target.exec[0], "vmm");
    assert_null(target.exec[1]);
}

/* Loaded from a file and, member by member, with --set: the message names where and what. */
static void refusals_name_file_and_member(void **state)
{
    static const struct {
        const char *members, *problem;
    } rows[] = {
        {"{\"memory\": 5}", "\"memory\" is not a member of a target"},
        {"{\"service\": {\"ports\": 5}}", "\"service.ports\" is not a member of a service"},
        {"{\"qemu\": {\"mashine\": \"q35\"}}", "\"qemu.mashine\" is not a member"},
        {"{\"foo\": {}}", "\"foo\" is not a member of a target"},
        {"{\"foo\": {\"bar\": 1}}", "\"foo\" is not a member of a target"},
        {"{\"\": {}}", "\"\" is not a member of a target"},
        {"{\"qemu\": {\"qemu\": {}}}", "\"qemu.qemu\" is not a member"},
        {"{\"exec\": \"vmm --boot\"}", "\"exec\": expected a list of 1-4096 strings"},
        {"{\"exec\": []}", "\"exec\": expected a list"},
        {"{\"exec\": [\"a\", \"b\", 3]}", "\"exec\": expected strings only, got something else at "
                                          "place 3"},
        {"{\"exec\": [\"\"]}", "\"exec\": expected a program"},
        {"{\"qemu\": 5}", "\"qemu\": expected an object"},
        {"{\"service\": \"x.service\"}", "\"service\": expected an object"},
        {"{\"schema\": \"bootdiag.target/2\"}", "\"schema\": expected \"bootdiag.target/1\""},
        {"{\"schema\": 5}", "\"schema\": expected a string"},
        {"{\"name\": 5}", "\"name\": expected a string, got a whole number"},
        {"{\"memory_mib\": \"512\"}", "\"memory_mib\": expected a whole number, got a string"},
        {"{\"memory_mib\": 0}", "\"memory_mib\": expected 1-1048576, got 0"},
        {"{\"memory_mib\": 0.5}", "\"memory_mib\": expected a whole number, got a fraction"},
        {"{\"memory_mib\": 4294967808}", "\"memory_mib\": expected 1-1048576, got 4294967808"},
        {"{\"memory_mib\": 99999999999999999999}", "too big integer"},
        {"{\"vcpus\": 65}", "\"vcpus\": expected 1-64, got 65"},
        {"{\"deadline_ms\": 99}", "\"deadline_ms\": expected 100-86400000, got 99"},
        {"{\"settle_ms\": -1}", "\"settle_ms\": expected 0-600000, got -1"},
        {"{\"kernel\": 5}", "\"kernel\": expected a string"},
        {"{\"kernel\": \"\"}", "\"kernel\": expected a path"},
        {"{\"kernel\": {}}", "\"kernel\": expected a string, got an object"},
        {"{\"network\": \"nat\"}", "\"network\": expected user or tap, got \"nat\""},
        {"{\"network\": \"tap\"}", "\"address\" is not set: the network \"tap\" needs"},
        {"{\"address\": \"10.0.0\"}", "\"address\": expected an IPv4 address, got \"10.0.0\""},
        {"{\"address\": \"::1\"}", "\"address\": expected an IPv4 address"},
        {"{\"address\": \"127.0.0.1\"}", "\"address\": no machine can have 127.0.0.1"},
        {"{\"address\": \"223.255.255.255\", \"addresses\": 2}", "\"address\": no machine can"},
        {"{\"addresses\": 0}", "\"addresses\": expected 1-1024, got 0"},
        {"{\"network\": \"tap\", \"address\": \"10.0.0.2\", \"tap\": \"t\", \"addresses\": 2}",
         "\"addresses\": one TAP device carries one guest, got 2"},
        {"{\"nic\": \"e1000\"}", "\"nic\": expected virtio or none, got \"e1000\""},
        {"{\"network_checks\": \"none\"}", "\"network_checks\": expected strict or lenient"},
        {"{\"pcap\": \"yes\"}", "\"pcap\": expected failure, always or never, got \"yes\""},
        {"{\"qemu\": {\"accelerator\": \"hvf\"}}",
         "\"qemu.accelerator\": expected auto, kvm or tcg"},
        {"{\"replay\": {\"speed\": -1}}", "\"replay.speed\": expected 0 or 0.001-1000000, got -1"},
        {"{\"replay\": {\"speed\": 1e-300}}", "\"replay.speed\": expected 0 or"},
        {"{\"service\": {\"port\": 0}}", "\"port\": expected 1-65535, got 0"},
        {"{\"service\": {\"port\": 65536}}", "\"port\": expected 1-65535, got 65536"},
        {"{\"service\": {\"unit\": []}}", "\"unit\": expected a string, got an array"},
        {"{\"service\": {\"health_path\": \"health\"}}",
         "\"service.health_path\": expected a path"},
        {"{\"service\": {\"health_path\": \"/a b\"}}", "\"service.health_path\": expected a path"},
        {"{\"service\": {\"health_path\": \"/a\\r\\nX: y\"}}", "\"service.health_path\""},
        {"{\"service\": {\"expected_status\": 99}}", "\"expected_status\": expected 100-599"},
        {"[]", "expected a JSON object"},
        {"{\"name\": \"a\", \"name\": \"b\"}", "duplicate object key"},
    };
    auto_target struct target target, defaults;
    target_init(&target);
    target_init(&defaults);
    json_auto_t *want = target_json(&defaults);
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        auto_free char *path = put_text(*state, "my-target.json", rows[i].members);
        struct err err = {0};
        assert_int_equal(target_load(&target, path, &err), -1);
        assert_holds(err.message, path);
        assert_holds(err.message, rows[i].problem);
        json_auto_t *got = target_json(&target);
        assert_true(json_equal(got, want));
    }
    auto_free char *missing = path_join(*state, "missing.json");
    struct err err;
    assert_int_equal(target_load(&target, missing, &err), -1);
    assert_holds(err.message, "/missing.json: No such file or directory");
}

static void a_bad_member_leaves_the_good_ones_unset(void **state)
{
    auto_free char *path =
        put_text(*state, "t.json", "{\"memory_mib\": 7, \"service\": {\"port\": 9}, \"vcpus\": 0}");
    auto_target struct target target;
    target_init(&target);
    assert_int_equal(target_load(&target, path, NULL), -1);
    assert_int_equal(target.memory_mib, 512);
    assert_int_equal(target.service.port, 8080);
    assert_null(target.path);
}

static void paths_count_from_the_file(void **state)
{
    auto_free char *sub = put_dir(*state, "sub");
    free(put_text(sub, "target.json",
                  "{\"kernel\": \"vmlinux\", \"initrd\": \"/abs/initrd\","
                  " \"rootfs\": \"../images/r.ext4\", \"cmdline\": null}"));
    auto_free char *cwd = realpath(".", NULL);
    auto_free char *dir = realpath(*state, NULL);
    assert_int_equal(chdir(*state), 0);
    auto_target struct target target;
    target_init(&target);
    int result = target_load(&target, "sub/target.json", NULL);
    json_auto_t *fault = json_pack("{s:s}", "initrd", "other-initrd");
    int merged = target_merge(&target, fault, "sub/fault.json", NULL);
    int set = target_set(&target, "replay.records=runs/x", NULL);
    assert_int_equal(chdir(cwd), 0);
    assert_int_equal(result, 0);
    assert_int_equal(merged, 0);
    assert_int_equal(set, 0);
    auto_free char *kernel = mem_printf("%s/sub/vmlinux", dir);
    auto_free char *rootfs = mem_printf("%s/sub/../images/r.ext4", dir);
    auto_free char *initrd = mem_printf("%s/sub/other-initrd", dir);
    auto_free char *records = mem_printf("%s/runs/x", dir);
    assert_string_equal(target.kernel, kernel);
    assert_string_equal(target.rootfs, rootfs);
    assert_string_equal(target.initrd, initrd);
    assert_string_equal(target.replay_records, records);
    assert_string_equal(target.path, "sub/target.json");
}

/* What --set made of one member, as JSON text; owned by the caller. */
static char *member_text(const struct target *target, const char *name)
{
    json_auto_t *root = target_json(target);
    const char *dot = strchr(name, '.');
    auto_free char *group = dot != NULL ? mem_strndup(name, (size_t)(dot - name)) : NULL;
    const json_t *object = dot != NULL ? json_object_get(root, group) : root;
    auto_free char *text =
        json_dumps(json_object_get(object, dot != NULL ? dot + 1 : name), JSON_ENCODE_ANY);
    return mem_strdup(text);
}

static void set_changes_one_member(void **state)
{
    (void)state;
    static const struct {
        const char *assignment, *member, *want;
    } rows[] = {
        {"memory_mib=256", "memory_mib", "256"},
        {"qemu.machine=microvm,rtc=off", "qemu.machine", "\"microvm,rtc=off\""},
        {"name=2025", "name", "\"2025\""},
        {"name=true", "name", "\"true\""},
        {"name=\"quoted\"", "name", "\"quoted\""},
        {"name=a=b", "name", "\"a=b\""},
        {"cmdline=", "cmdline", "\"\""},
        {"kernel=/vmlinux", "kernel", "\"/vmlinux\""},
        {"replay.speed=2.5", "replay.speed", "2.5"},
        {"replay.speed=3", "replay.speed", "3.0"},
        {"service.port=9090", "service.port", "9090"},
        {"service.unit=x.service", "service.unit", "\"x.service\""},
        {"service.description=2025", "service.description", "\"2025\""},
        {"service.ready_pattern=[0]", "service.ready_pattern", "\"[0]\""},
        {"service.ready_pattern=^up\\.$", "service.ready_pattern", "\"^up\\\\.$\""},
    };
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        auto_target struct target target, defaults;
        target_init(&target);
        target_init(&defaults);
        struct err err = {0};
        int result = target_set(&target, rows[i].assignment, &err);
        assert_string_equal(err.message, "");
        assert_int_equal(result, 0);
        auto_free char *got = member_text(&target, rows[i].member);
        auto_free char *before = member_text(&defaults, rows[i].member);
        assert_string_equal(got, rows[i].want);
        assert_string_not_equal(got, before);
    }
}

static void set_refuses_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *assignment, *problem;
    } rows[] = {
        {"memory_mib", "--set memory_mib: expected NAME=VALUE"},
        {"=5", "--set =5: expected NAME=VALUE"},
        {"", "expected NAME=VALUE"},
        {"memory_mib=", "\"memory_mib\": expected a whole number, got a string"},
        {"memory_mib=512M", "--set memory_mib: \"memory_mib\": expected a whole number"},
        {"memory_mib=-1", "--set memory_mib: \"memory_mib\": expected 1-1048576, got -1"},
        {"memory_mib=99999999999999999999", "\"memory_mib\": expected a whole number"},
        {"memory=5", "\"memory\" is not a member of a target"},
        {"service.port=0", "--set service.port: \"port\": expected 1-65535, got 0"},
        {"service.ports=1", "\"service.ports\" is not a member"},
        {"service=x", "--set service: \"service\": expected an object"},
        {"qemu=x", "--set qemu: \"qemu\": expected an object"},
        {"qemu.machine.type=x", "\"qemu.machine.type\" is not a member"},
        {"qemu.=x", "\"qemu.\" is not a member"},
        {".=x", "is not a member"},
        {"..=x", "is not a member"},
        {"schema=x", "--set schema: this is not a member"},
        {"// x=y", "--set // x: this is not a member"},
        {"\xff=1", "is not UTF-8"},
        {"name=\xff", "--set name: the name or the value is not UTF-8"},
        {"kernel=", "--set kernel: \"kernel\": expected a path"},
        {"replay.speed=nan", "\"replay.speed\": expected a number"},
    };
    auto_target struct target target, defaults;
    target_init(&target);
    target_init(&defaults);
    json_auto_t *want = target_json(&defaults);
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        struct err err = {0};
        assert_int_equal(target_set(&target, rows[i].assignment, &err), -1);
        assert_holds(err.message, rows[i].problem);
        json_auto_t *got = target_json(&target);
        assert_true(json_equal(got, want));
    }
}

static void a_service_is_all_or_nothing(void **state)
{
    (void)state;
    auto_service struct service service, before, copy = {0};
    service_init(&service);
    service_init(&before);
    json_auto_t *half_bad = json_pack("{s:s, s:i}", "unit", "other.service", "port", 0);
    json_auto_t *unknown = json_pack("{s:s, s:s}", "// unit", "a remark", "owner", "me");
    struct err err;
    assert_int_equal(service_load(&service, half_bad, "x.json", true, &err), -1);
    assert_int_equal(service_load(&service, unknown, "x.json", true, &err), -1);
    assert_string_equal(err.message, "x.json: \"service.owner\" is not a member of a service");
    assert_true(service_equal(&service, &before));
    assert_int_equal(service_load(&service, unknown, "x.json", false, &err), 0);
    assert_true(service_equal(&service, &before));

    json_auto_t *written = service_json(&service);
    json_object_set_new(written, "entry", json_string("agent.py"));
    assert_int_equal(service_load(&service, written, "x.json", true, NULL), 0);
    assert_string_equal(service.entry, "agent.py");
    assert_false(service_equal(&service, &before));
    service_copy(&copy, &service);
    assert_true(service_equal(&service, &copy));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_productions),
        dir_test(the_template_loads_back_as_the_defaults),
        dir_test(what_was_loaded_is_written_again),
        dir_test(a_program_is_a_name_or_a_path_from_the_file),
        dir_test(a_command_begins_with_a_program),
        dir_test(refusals_name_file_and_member),
        dir_test(a_bad_member_leaves_the_good_ones_unset),
        dir_test(paths_count_from_the_file),
        cmocka_unit_test(set_changes_one_member),
        cmocka_unit_test(set_refuses_by_name),
        cmocka_unit_test(a_service_is_all_or_nothing),
    };
    return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
