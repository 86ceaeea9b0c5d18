/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support.h"

#include "harness/base/words.h"
#include "harness/exec_command.h"

static const char *const VALUES[EXEC_N_PLACES] = {
    [EXEC_DIR] = "/d",          [EXEC_ID] = "i-1",        [EXEC_PORT] = "8080",
    [EXEC_TAP] = "tap7",        [EXEC_MAC] = "02:fc:1",   [EXEC_ADDRESS] = "10.0.0.5",
    [EXEC_KERNEL] = "/k",       [EXEC_INITRD] = "/i",     [EXEC_ROOTFS] = "/d/rootfs",
    [EXEC_CMDLINE] = "quiet a", [EXEC_MEMORY_MIB] = "64", [EXEC_VCPUS] = "2",
};

static void load(struct target *target, const char *path)
{
    struct err err = {0};
    target_init(target);
    if (target_load(target, path, &err) != 0)
        fail_msg("%s", err.message);
}

static void words_are_expanded(void **state)
{
    static const struct {
        const char *word, *expanded;
    } rows[] = {
        {"{dir}/api.sock", "/d/api.sock"},
        {"tap={tap},mac={mac}", "tap=tap7,mac=02:fc:1"},
        {"{id}{port}{address}", "i-1808010.0.0.5"},
        {"{kernel} {initrd} {rootfs}", "/k /i /d/rootfs"},
        {"{cmdline}", "quiet a"}, /* one word it stays */
        {"{memory_mib}M {vcpus}", "64M 2"},
        {"", ""},
        {"{{port}", "{port}"},
        {"{{{port}", "{8080"},
        {"${{HOME}", "${HOME}"},
        {"{\"a\": {\"b\": []}}", "{\"a\": {\"b\": []}}"},
        {"{} {", "{} {"},
        {"{port", "{port"},
        {"$(reboot); `x` | y > z", "$(reboot); `x` | y > z"},
    };
    (void)state;
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        auto_target struct target target;
        target_init(&target);
        target.exec = words_copy((char *const[]){(char[]){"vmm-{id}"}, (char *)rows[i].word, NULL});
        char **argv = exec_command_argv(&target, VALUES);
        assert_string_equal(argv[0], "vmm-{id}");
        assert_string_equal(argv[1], rows[i].expanded);
        assert_null(argv[2]);
        words_free(argv);
    }
}

static void refusals_name_the_placeholder(void **state)
{
    static const struct {
        const char *word, *network, *problem;
    } rows[] = {
        {"a{foo}b", "user",
         "there is no placeholder {foo}; there are {dir} {id} {port} {tap} {mac} "
         "{address} {kernel} {initrd} {rootfs} {cmdline} {memory_mib} {vcpus}"},
        {"{PORT}", "user", "no placeholder {PORT}"},
        {"{port}{ports}", "user", "no placeholder {ports}"},
        {"{memory-mib}", "user", "no placeholder {memory-mib}"},
        {"{tap}", "user", "nothing for {tap}; set \"network\" to \"tap\""},
        {"{kernel}", "user", "nothing for {kernel}; set \"kernel\""},
        {"{initrd}", "user", "nothing for {initrd}; set \"initrd\""},
        {"{rootfs}", "user", "nothing for {rootfs}; set \"rootfs\""},
        {"{dir}{id}{port}{mac}{address}{cmdline}{memory_mib}{vcpus}", "user", NULL},
        {"{tap}", "tap", NULL},
        {"{{foo}", "user", NULL},
    };
    (void)state;
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        auto_target struct target target;
        struct err err = {0};
        target_init(&target);
        free(target.network);
        target.network = mem_strdup(rows[i].network);
        target.exec = words_copy((char *const[]){(char[]){"vmm"}, (char *)rows[i].word, NULL});
        assert_int_equal(exec_command_check(&target, &err), rows[i].problem == NULL ? 0 : -1);
        if (rows[i].problem != NULL)
            assert_holds(err.message, rows[i].problem);
    }
}

static void uses_sees_placeholders_only(void **state)
{
    (void)state;
    auto_target struct target target;
    target_init(&target);
    target.exec = words_copy(
        (char *const[]){(char[]){"{dir}"}, (char[]){"{{id} port"}, (char[]){"x={mac}"}, NULL});
    assert_true(exec_command_uses(&target, EXEC_MAC));
    assert_false(exec_command_uses(&target, EXEC_DIR)); /* the program is taken as it is */
    assert_false(exec_command_uses(&target, EXEC_ID));
    assert_false(exec_command_uses(&target, EXEC_PORT));
}

static void assert_argv(const char *path, const char *const *want)
{
    auto_target struct target target;
    struct err err = {0};
    load(&target, path);
    if (exec_command_check(&target, &err) != 0)
        fail_msg("%s", err.message);
    assert_string_equal(target.backend, "exec");
    char **argv = exec_command_argv(&target, VALUES);
    size_t n = 0;
    for (; want[n] != NULL && argv[n] != NULL; n++)
        assert_string_equal(argv[n], want[n]);
    assert_true(want[n] == NULL && argv[n] == NULL);
    words_free(argv);
}

/* The documented examples; no such VMM runs here, only their argument vectors are tested. */
static void the_examples_give_these_arguments(void **state)
{
    static const char *const cloud_hypervisor[] = {
        "cloud-hypervisor",     "--kernel", "/k",     "--cmdline", "quiet a",  "--disk",
        "path=/d/rootfs",       "--cpus",   "boot=2", "--memory",  "size=64M", "--net",
        "tap=tap7,mac=02:fc:1", "--serial", "tty",    "--console", "off",      NULL};
    static const char *const kvmtool[] = {
        "lkvm",      "run",       "--name",    "i-1",
        "--kernel",  "/k",        "--params",  "quiet a",
        "--disk",    "/d/rootfs", "--cpus",    "2",
        "--mem",     "64",        "--network", "mode=tap,tapif=tap7,guest_mac=02:fc:1",
        "--console", "serial",    NULL};
    (void)state;
    assert_argv("fixtures/targets/cloud-hypervisor.json", cloud_hypervisor);
    assert_argv("fixtures/targets/kvmtool.json", kvmtool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_expanded),
        cmocka_unit_test(refusals_name_the_placeholder),
        cmocka_unit_test(uses_sees_placeholders_only),
        cmocka_unit_test(the_examples_give_these_arguments),
    };
    return cmocka_run_group_tests_name("exec_command", tests, NULL, NULL);
}
