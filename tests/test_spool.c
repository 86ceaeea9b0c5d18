/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support.h"

#include "harness/spool.h"

enum { LIMIT = 1 << 20 };

/* A live directory and the root of a spool. */
struct scene {
    char *live, *root;
    int live_fd;
};

static struct scene scene_of(const char *dir)
{
    struct scene scene = {.live = put_dir(dir, "live"), .root = put_dir(dir, "root")};
    scene.live_fd = open(scene.live, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(scene.live_fd >= 0);
    return scene;
}

static void scene_release(struct scene *scene)
{
    close(scene->live_fd);
    free(scene->live);
    free(scene->root);
}

static void begin(struct spool *spool, const struct scene *scene)
{
    struct err err = {0};
    if (spool_init(spool, scene->root, "vm-1", &err) != 0)
        fail_msg("%s", err.message);
    spool_attach(spool, scene->live_fd);
}

static void pump(struct spool *spool)
{
    struct err err = {0};
    int moved;
    while ((moved = spool_pump(spool, LIMIT, &err)) > 0)
        ;
    if (moved < 0)
        fail_msg("%s", err.message);
}

/* In place, as a VMM that has it open writes it: the inode stays. */
static void write_live(const struct scene *scene, const char *name, const char *text, int flags)
{
    int fd = openat(scene->live_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void assert_copy(const struct spool *spool, const char *want)
{
    auto_free char *path = spool_path(spool, SPOOL_CONSOLE);
    auto_buf struct buf content;
    buf_init(&content, LIMIT);
    assert_int_equal(file_read(path, LIMIT, &content, NULL), 0);
    assert_string_equal(buf_text(&content), want);
}

static void an_unlinked_file_is_read_to_its_end(void **state)
{
    struct scene scene = scene_of(*state);
    struct spool spool;
    write_live(&scene, "console.log", "one\n", O_APPEND);
    int writer = openat(scene.live_fd, "console.log", O_WRONLY | O_APPEND | O_CLOEXEC);
    begin(&spool, &scene);
    pump(&spool);
    assert_int_equal(unlinkat(scene.live_fd, "console.log", 0), 0);
    assert_int_equal(write(writer, "two\n", 4), 4);
    close(writer);
    pump(&spool);
    assert_copy(&spool, "one\ntwo\n");
    spool_release(&spool);
    spool_release(&spool);
    scene_release(&scene);
}

static void a_truncated_file_goes_on_behind_what_was_copied(void **state)
{
    struct scene scene = scene_of(*state);
    struct spool spool;
    write_live(&scene, "console.log", "first boot\n", 0);
    begin(&spool, &scene);
    pump(&spool);
    write_live(&scene, "console.log", "again\n", O_TRUNC);
    pump(&spool);
    assert_copy(&spool, "first boot\nagain\n");
    assert_int_equal(spool.copies[SPOOL_CONSOLE].truncations, 1);
    spool_release(&spool);
    scene_release(&scene);
}

static void another_file_of_the_name_is_taken_up(void **state)
{
    struct scene scene = scene_of(*state);
    struct spool spool;
    write_live(&scene, "console.log", "old\n", 0);
    begin(&spool, &scene);
    assert_int_equal(renameat(scene.live_fd, "console.log", scene.live_fd, "console.1"), 0);
    write_live(&scene, "console.log", "new\n", 0);
    spool_attach(&spool, scene.live_fd); /* not yet: the old one was not read */
    pump(&spool);
    spool_attach(&spool, scene.live_fd);
    pump(&spool);
    assert_copy(&spool, "old\nnew\n");
    assert_int_equal(spool.copies[SPOOL_CONSOLE].replacements, 1);
    spool_release(&spool);
    scene_release(&scene);
}

/* As after kill -9: nothing was said goodbye to. */
static void the_next_process_goes_on(void **state)
{
    struct scene scene = scene_of(*state);
    struct spool spool;
    write_live(&scene, "console.log", "one\n", 0);
    begin(&spool, &scene);
    pump(&spool);
    write_live(&scene, "console.log", "", O_TRUNC);
    pump(&spool);
    write_live(&scene, "console.log", "three\n", O_APPEND);
    pump(&spool);
    auto_free char *started = mem_strdup(spool.record.started_at);
    spool_release(&spool);
    write_live(&scene, "console.log", "four\n", O_APPEND);
    begin(&spool, &scene);
    pump(&spool);
    assert_copy(&spool, "one\nthree\nfour\n");
    assert_string_equal(spool.record.started_at, started);
    assert_int_equal(spool.copies[SPOOL_CONSOLE].truncations, 1);
    spool_release(&spool);
    scene_release(&scene);
}

static void a_copy_has_a_limit(void **state)
{
    struct scene scene = scene_of(*state);
    struct spool spool;
    struct err err = {0};
    write_live(&scene, "console.log", "0123456789", 0);
    begin(&spool, &scene);
    assert_int_equal(spool_pump(&spool, 4, &err), 1);
    assert_int_equal(spool_pump(&spool, 4, &err), 0);
    assert_copy(&spool, "0123");
    assert_int_equal(spool.copies[SPOOL_CONSOLE].dropped, 6);
    spool_release(&spool);
    scene_release(&scene);
}

static void links_and_pipes_are_refused(void **state)
{
    struct scene scene = scene_of(*state);
    struct spool spool;
    assert_int_equal(symlinkat("/etc/hostname", scene.live_fd, "console.log"), 0);
    assert_int_equal(mkfifoat(scene.live_fd, "firecracker-error.log", 0600), 0);
    begin(&spool, &scene);
    pump(&spool);
    assert_false(spool_has_any(&spool));
    spool_release(&spool);
    scene_release(&scene);
}

static void the_config_gives_the_facts(void **state)
{
    struct scene scene = scene_of(*state);
    struct spool spool;
    write_live(&scene, "vm-config.json", "{\"boot-source\": {\"boot_args\": ", 0);
    begin(&spool, &scene);
    assert_null(spool.record.guest.cmdline);
    write_live(&scene, "vm-config.json",
               "{\"boot-source\": {\"boot_args\": \"skip=1 ip=192.168.100.7::192.168.100.1:x\"},"
               " \"machine-config\": {\"mem_size_mib\": 2048, \"vcpu_count\": 2},"
               " \"network-interfaces\": [{\"guest_mac\": \"02:fc:00:00:00:07\"}]}",
               O_TRUNC);
    spool_attach(&spool, scene.live_fd);
    assert_string_equal(spool.record.guest.expected_address, "192.168.100.7");
    assert_string_equal(spool.record.guest.mac, "02:fc:00:00:00:07");
    assert_int_equal(spool.record.guest.memory_mib, 2048);
    assert_int_equal(spool.record.guest.vcpus, 2);
    spool_release(&spool);
    scene_release(&scene);
}

static void a_damaged_state_is_an_error(void **state)
{
    struct scene scene = scene_of(*state);
    struct spool spool;
    struct err err = {0};
    free(put_dir(scene.root, "vm-1"));
    free(put_text(scene.root, "vm-1/state.json", "{\"boot\": 5"));
    assert_int_equal(spool_init(&spool, scene.root, "vm-1", &err), -1);
    assert_non_null(strstr(err.message, "state.json"));
    spool_release(&spool);
    scene_release(&scene);
}

static void a_removal_leaves_nothing_to_recover(void **state)
{
    struct scene scene = scene_of(*state);
    struct spool spool;
    struct err err = {0};
    write_live(&scene, "console.log", "one", 0);
    begin(&spool, &scene);
    pump(&spool);
    assert_true(path_exists(spool.dir));
    assert_int_equal(spool_remove(&spool, &err), 0);
    assert_int_equal(spool_remove(&spool, &err), 0);
    assert_false(path_exists(spool.dir));
    free(put_dir(scene.root, ".removed-vm-2"));
    free(put_text(scene.root, ".removed-vm-2/console.log", "half"));
    assert_int_equal(spool_clean(scene.root, &err), 0);
    assert_int_equal(rmdir(scene.root), 0);
    spool_release(&spool);
    scene_release(&scene);
}

static void names_of_vms(void **state)
{
    (void)state;
    static const char *const good[] = {"vm-00000000-0000-4000-8000-000000000001", "a", "7.b_c"};
    static const char *const bad[] = {"",       ".",   "..",   ".spool",   "-rf",     "a/b",
                                      "a/../b", "a b", "a\nb", "a\033[2J", "\xc3\xa4"};
    for (size_t i = 0; i < N_ROWS(good); i++)
        assert_true(spool_is_vm_id(good[i]));
    for (size_t i = 0; i < N_ROWS(bad); i++)
        assert_false(spool_is_vm_id(bad[i]));
    char longest[130];
    memset(longest, 'a', sizeof(longest));
    longest[129] = '\0';
    assert_false(spool_is_vm_id(longest));
    longest[128] = '\0';
    assert_true(spool_is_vm_id(longest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        dir_test(an_unlinked_file_is_read_to_its_end),
        dir_test(a_truncated_file_goes_on_behind_what_was_copied),
        dir_test(another_file_of_the_name_is_taken_up),
        dir_test(the_next_process_goes_on),
        dir_test(a_copy_has_a_limit),
        dir_test(links_and_pipes_are_refused),
        dir_test(the_config_gives_the_facts),
        dir_test(a_damaged_state_is_an_error),
        dir_test(a_removal_leaves_nothing_to_recover),
        cmocka_unit_test(names_of_vms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
