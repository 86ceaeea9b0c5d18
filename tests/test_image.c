/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support.h"

#include <fcntl.h>

#include "harness/host.h"
#include "harness/image.h"

static void facts_are_those_of_the_file(void **state)
{
    auto_free char *path = put_text(*state, "vmlinux", "abc");
    const struct timespec times[2] = {{.tv_sec = 1762462024}, {.tv_sec = 1762462024}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    struct record_image image;
    assert_int_equal(image_describe(&image, path, NULL), 0);
    assert_string_equal(image.path, path);
    assert_int_equal(image.size, 3);
    assert_string_equal(image.mtime, "2025-11-06T20:47:04Z");
    assert_string_equal(image.sha256,
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");

    struct record_image copy = {0};
    image_copy(&copy, &image);
    image_release(&image);
    image_release(&image);
    assert_string_equal(copy.path, path);
    assert_int_equal(copy.size, 3);
    assert_int_equal(image.size, RECORD_UNKNOWN);
    image_copy(&copy, &image);
    assert_null(copy.path);
    image_release(&copy);
}

static void no_path_is_no_error_and_a_bad_one_is(void **state)
{
    auto_free char *missing = path_join(*state, "missing");
    auto_free char *fifo = put_fifo(*state, "fifo");
    struct record_image image;
    struct err err;
    assert_int_equal(image_describe(&image, NULL, NULL), 0);
    assert_null(image.sha256);
    assert_int_equal(image_describe(&image, missing, &err), -1);
    assert_holds(err.message, "/missing: No such file or directory");
    assert_int_equal(image_describe(&image, fifo, &err), -1);
    assert_holds(err.message, "/fifo: not a regular file");
    assert_int_equal(image_describe(&image, *state, &err), -1);
    assert_holds(err.message, ": Is a directory");
    image_release(&image);
}

static void a_set_is_described_as_a_whole(void **state)
{
    auto_target struct target target;
    auto_image_set struct image_set images = {0};
    target_init(&target);
    target.kernel = put_text(*state, "kernel", "k");
    target.rootfs = put_text(*state, "rootfs", "r");
    assert_int_equal(image_set_describe(&images, &target, NULL), 0);
    assert_int_equal(images.kernel.size, 1);
    assert_null(images.initrd.path);
    target.initrd = path_join(*state, "missing");
    struct err err;
    auto_image_set struct image_set untouched = {0};
    assert_int_equal(image_set_describe(&untouched, &target, &err), -1);
    assert_holds(err.message, "/missing");
    assert_null(untouched.kernel.path);
}

static void identity_names_what_a_baseline_was_made_from(void **state)
{
    (void)state;
    struct image_set images = {.kernel = {.sha256 = (char *)"k"},
                               .rootfs = {.sha256 = (char *)"r"}};
    struct image_set swapped = {.kernel = {.sha256 = (char *)"r"},
                                .rootfs = {.sha256 = (char *)"k"}};
    struct image_set moved = images;
    moved.kernel.path = (char *)"elsewhere";
    moved.initrd.sha256 = (char *)"i";
    char same[IDENTITY_SIZE], other[IDENTITY_SIZE];
    assert_int_equal(image_identity(&images, "qemu", "user", same), 0);
    assert_int_equal(strspn(same, "0123456789abcdef"), IDENTITY_SIZE - 1);
    assert_int_equal(image_identity(&moved, "qemu", "user", other), 0);
    assert_string_equal(same, other);

    const struct {
        const struct image_set *images;
        const char *backend, *network;
    } others[] = {{&swapped, "qemu", "user"},
                  {&images, "firecracker", "user"},
                  {&images, "qemu", "tap"},
                  {&images, "qemuu", "ser"}};
    for (size_t i = 0; i < N_ROWS(others); i++) {
        assert_int_equal(
            image_identity(others[i].images, others[i].backend, others[i].network, other), 0);
        assert_string_not_equal(same, other);
    }
    const struct image_set unknown = {.kernel = {.sha256 = (char *)"k"}};
    assert_int_equal(image_identity(&unknown, "qemu", "user", other), -1);
    assert_int_equal(image_identity(&images, "qemu", NULL, other), -1);
}

static void a_kept_record_has_the_identity_of_its_target(void **state)
{
    (void)state;
    struct image_set images = {.kernel = {.sha256 = (char *)"k"},
                               .rootfs = {.sha256 = (char *)"r"}};
    char of_target[IDENTITY_SIZE], of_record[IDENTITY_SIZE];
    auto_record struct record record;
    record_init(&record);
    assert_int_equal(image_record_identity(&record, of_record), -1);
    image_copy(&record.kernel, &images.kernel);
    image_copy(&record.rootfs, &images.rootfs);
    record.backend = mem_strdup("qemu");
    record.probe.network = mem_strdup("user");
    assert_int_equal(image_identity(&images, "qemu", "user", of_target), 0);
    assert_int_equal(image_record_identity(&record, of_record), 0);
    assert_string_equal(of_target, of_record);
}

static void the_host_is_described_within_reason(void **state)
{
    (void)state;
    struct host_cpu now = host_cpu_now();
    assert_true(now.total > 0 && now.steal <= now.total);
    assert_true(host_load() >= 0);
    assert_true(host_available_mib() > 0);
    assert_true(host_cpus() >= 1);
    auto_free char *kernel = host_kernel();
    auto_free char *name = host_name();
    assert_memory_equal(kernel, "Linux ", 6);
    assert_true(strlen(name) > 0);
}

/* The kernel's steal counter may step back: that is no share of 10^19 percent. */
static void steal_is_a_share_or_unknown(void **state)
{
    (void)state;
    double since_boot = host_steal_pct((struct host_cpu){0, 0});
    assert_true(since_boot >= 0 && since_boot <= 100);
    assert_true(host_steal_pct((struct host_cpu){0, UINT64_MAX}) < 0);
    assert_true(host_steal_pct((struct host_cpu){UINT64_MAX, 0}) < 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        dir_test(facts_are_those_of_the_file),
        dir_test(no_path_is_no_error_and_a_bad_one_is),
        dir_test(a_set_is_described_as_a_whole),
        cmocka_unit_test(identity_names_what_a_baseline_was_made_from),
        cmocka_unit_test(a_kept_record_has_the_identity_of_its_target),
        cmocka_unit_test(the_host_is_described_within_reason),
        cmocka_unit_test(steal_is_a_share_or_unknown),
    };
    return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
