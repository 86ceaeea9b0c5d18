/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support.h"

#include <dirent.h>

#include "harness/archive.h"
#include "harness/stow.h"

#define AT "2025-11-06T20:49:08.451Z"

static struct spool ended_spool(const char *root, const char *console)
{
    struct spool spool;
    struct err err = {0};
    if (spool_init(&spool, root, "vm-1", &err) != 0 || spool_save(&spool, &err) != 0)
        fail_msg("%s", err.message);
    free(put_text(spool.dir, "console.log", console));
    free(put_text(spool.dir, "firecracker-error.log", "vmm\n"));
    spool.copies[SPOOL_CONSOLE].size = (int64_t)strlen(console);
    memcpy(spool.ended_at, AT, sizeof(AT));
    return spool;
}

static size_t count_names(const char *dir)
{
    auto_dir DIR *entries = opendir(dir);
    const struct dirent *entry;
    size_t n = 0;
    while ((entry = readdir(entries)) != NULL)
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    return n;
}

static void names_are_the_productions(void **state)
{
    (void)state;
    auto_free char *name = stow_name("vm-1-console-2", "error", AT, ".log.zst");
    assert_string_equal(name, "vm-1-console-2-error-2025-11-06T20-49-08-451Z.log.zst");
    struct archive_name parts;
    assert_true(archive_name_parse(name, "-error-", &parts));
    assert_int_equal(parts.vm_id_len, strlen("vm-1-console-2"));
    assert_int_equal(archive_stamp_ms(parts.stamp), INT64_C(1762462148451));
}

/* Twice: as after a crash between the archive and the removal of the copy. */
static void analyze_finds_what_was_stowed(void **state)
{
    auto_free char *root = put_dir(*state, "root"), *dir = put_dir(*state, "archive");
    struct spool spool = ended_spool(root, "hello\r\n");
    struct err err = {0};
    for (int compress = 0; compress <= 1; compress++) {
        for (int again = 0; again < 2; again++)
            if (stow(&spool, dir, compress, &err) != 0)
                fail_msg("%s", err.message);
        assert_int_equal(count_names(dir), compress ? 5 : 3); /* the facts have one name */
        struct archive archive;
        assert_int_equal(archive_find(&archive, dir, &err), 0);
        assert_int_equal(archive.len, compress + 1);
        auto_record struct record record;
        record_init(&record);
        assert_int_equal(archive_load(&archive, (size_t)compress, &record, &err), 0);
        assert_int_equal(record.console.len, 7);
        assert_memory_equal(record.console.data, "hello\r\n", 7);
        assert_memory_equal(record.vmm_log.data, "vmm\n", 4);
        archive_release(&archive);
    }
    auto_free char *facts = path_join(dir, "vm-1-boot-2025-11-06T20-49-08-451Z.json");
    assert_true(path_is_file(facts));
    spool_release(&spool);
}

static void what_cannot_be_written_is_not_half_there(void **state)
{
    auto_free char *root = put_dir(*state, "root");
    struct spool spool = ended_spool(root, "hello");
    struct err err = {0};
    assert_int_equal(stow(&spool, "/proc/nowhere", true, &err), -1);
    assert_non_null(strstr(err.message, "/proc/nowhere"));
    spool_release(&spool);
}

static void only_our_own_leftovers_are_removed(void **state)
{
    const char *dir = *state;
    free(put_text(dir, ".preserve-vm-1-console-x.log", "half"));
    free(put_text(dir, ".hidden", "x"));
    free(put_text(dir, "notes", "x"));
    stow_clean(dir);
    assert_int_equal(count_names(dir), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_the_productions),
        dir_test(analyze_finds_what_was_stowed),
        dir_test(what_cannot_be_written_is_not_half_there),
        dir_test(only_our_own_leftovers_are_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
