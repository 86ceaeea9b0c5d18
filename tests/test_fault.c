/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults are written to a folder of this test's own and applied to a small ext4 image that mke2fs
 * makes from a tree; what became of the image is read back with debugfs, and e2fsck must find
 * nothing wrong with it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/base/auto.h"
#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/mem.h"
#include "harness/base/proc.h"
#include "harness/debugfs.h"
#include "harness/fault.h"
#include "harness/fault_initrd.h"

static char *top;    /* of everything that this test makes */
static char *faults; /* top/faults */
static char *image;  /* top/a,b c?x.ext4: a name that is hard on parsers */
static char *golden; /* the image as mke2fs made it */

static void put(const char *dir, const char *name, const char *content, unsigned mode)
{
    auto_free char *path = path_join(dir, name);
    auto_free char *parent = path_dir(path);
    struct err err = {0};
    if (path_make_dirs(parent, &err) != 0 ||
        file_write(path, content, strlen(content), &err) != 0 || chmod(path, mode) != 0)
        fail_msg("%s: %s", path, err.message);
}

static void put_fault(const char *name, const char *json)
{
    auto_free char *file = mem_printf("%s/fault.json", name);
    put(faults, file, json, 0644);
}

/* A fault with these changes and nothing else that matters. */
static void put_changes(const char *name, const char *changes)
{
    auto_free char *json =
        mem_printf("{\"schema\": \"bootdiag.fault/1\", \"summary\": \"s\", \"cause\": "
                   "\"agent.hung\", \"changes\": [%s]}",
                   changes);
    put_fault(name, json);
}

static void run(const char *const *argv)
{
    struct err err = {0};
    if (proc_run(argv, 20000, NULL, &err) != 0)
        fail_msg("%s", err.message);
}

static void make_golden(void)
{
    auto_free char *tree = path_join(top, "tree");
    auto_free char *link = path_join(tree, "bin");
    auto_free char *file_link = path_join(tree, "etc/link");
    put(tree, "etc/a.conf", "Name=eth0\nOther=1\n", 0640);
    put(tree, "etc/b c.conf", "x\n", 0644);
    put(tree, "etc/empty", "", 0600);
    put(tree, "etc/<8>", "looks like an inode's number\n", 0644);
    put(tree, "usr/bin/start.sh", "#!/bin/bash\necho one one\n", 0755);
    assert_int_equal(symlink("usr/bin", link), 0);
    assert_int_equal(symlink("a.conf", file_link), 0);
    run((const char *const[]){"/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-d", tree, golden, "4M",
                              NULL});
}

static int set_up(void **state)
{
    (void)state;
    char dir[] = "/tmp/test_fault.XXXXXX";
    assert_non_null(mkdtemp(dir));
    top = mem_strdup(dir);
    faults = path_join(top, "faults");
    golden = path_join(top, "golden.ext4");
    image = path_join(top, "a,b c?x.ext4");
    assert_int_equal(path_make_dirs(faults, NULL), 0);
    make_golden();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    int result = path_remove_tree(top, NULL);
    free(top);
    free(faults);
    free(golden);
    free(image);
    return result;
}

/* A fresh image and the fault on it; what went wrong is in `err`. */
static int apply(const char *name, struct err *err)
{
    *err = (struct err){0};
    auto_fault struct fault fault = {0};
    (void)unlink(image);
    assert_int_equal(file_copy_sparse(golden, image, NULL), 0);
    if (fault_load(&fault, faults, name, err) != 0)
        return -1;
    return fault_apply_image(&fault, image, top, err);
}

/* Mode, owner and content of a file in the image: "0640 0:0 content", "absent", "link". */
static char *look_at(const char *path)
{
    static const char *const types[] = {"absent", "file", "dir", "link", "other"};
    auto_debugfs struct debugfs_output output = {0};
    auto_buf struct buf content;
    buf_init(&content, 0);
    struct debugfs_stat stat;
    auto_free char *dir = path_join(top, "look");
    auto_free char *dumped = path_join(dir, "content");
    auto_free char *script = mem_printf("stat \"%s\"\ndump \"%s\" content\n", path, path);
    assert_int_equal(path_make_dirs(dir, NULL), 0);
    (void)unlink(dumped);
    assert_int_equal(debugfs_run(image, DEBUGFS_READ, script, dir, &output, NULL), 0);
    debugfs_stats(&output, &stat, 1);
    const char *quote = strstr(buf_text(&output.said), "Fast link dest: ");
    if (stat.type == DEBUGFS_LINK)
        return mem_printf("link %s", quote != NULL ? quote + 16 : "");
    if (stat.type != DEBUGFS_FILE)
        return mem_printf("%s %04o %u:%u", types[stat.type], stat.mode, stat.uid, stat.gid);
    assert_int_equal(file_read(dumped, 100000, &content, NULL), 0);
    return mem_printf("%04o %u:%u %s", stat.mode, stat.uid, stat.gid, buf_text(&content));
}

static void assert_image(const char *path, const char *expected)
{
    auto_free char *found = look_at(path);
    assert_string_equal(found, expected);
}

/* Under a plain name: e2fsck takes a '?' for the start of options. */
static void assert_sound(void)
{
    auto_free char *plain = path_join(top, "plain.ext4");
    (void)unlink(plain);
    assert_int_equal(link(image, plain), 0);
    run((const char *const[]){"/sbin/e2fsck", "-fn", plain, NULL});
}

#define EDIT(path, from, to)                                                                       \
    "{\"edit\": \"" path "\", \"replace\": \"" from "\", \"by\": \"" to "\"}"

/* Owners differ between who runs the test as root and who does not: mke2fs takes them from the
 * tree. */
static char *owned(const char *mode, const char *content)
{
    return mem_printf("%s %u:%u %s", mode, (unsigned)getuid(), (unsigned)getgid(), content);
}

static void test_every_kind_of_change(void **state)
{
    (void)state;
    put(faults, "all/new.sh", "#!/bin/sh\nexit 1\n", 0600);
    put_changes(
        "all", "{\"remove\": \"/etc/empty\"},"
               "{\"write\": \"/usr/bin/start.sh\", \"file\": \"new.sh\", \"mode\": \"0755\"},"
               "{\"write\": \"/opt/new/dir/x\", \"file\": \"new.sh\"}," EDIT(
                   "/etc/a.conf", "Name=eth0\\n",
                   "Name=ens3\\r\\n") ","
                                      "{\"symlink\": \"/etc/wants/unit\", \"to\": \"/etc/a.conf\"},"
                                      "{\"chmod\": \"/etc/b c.conf\", \"mode\": \"4600\"}");
    struct err err;
    int64_t start = clock_ms();
    if (apply("all", &err) != 0)
        fail_msg("%s", err.message);
    assert_in_range(clock_ms() - start, 0, 5000);
    assert_image("/etc/empty", "absent 0000 0:0");
    assert_image("/usr/bin/start.sh", "0755 0:0 #!/bin/sh\nexit 1\n");
    assert_image("/opt/new/dir", "dir 0755 0:0");
    assert_image("/opt/new/dir/x", "0644 0:0 #!/bin/sh\nexit 1\n");
    auto_free char *edited = owned("0640", "Name=ens3\r\nOther=1\n");
    assert_image("/etc/a.conf", edited);
    auto_free char *changed = owned("4600", "x\n");
    assert_image("/etc/b c.conf", changed);
    auto_free char *link = look_at("/etc/wants/unit");
    assert_int_equal(strncmp(link, "link \"/etc/a.conf\"", 18), 0);
    assert_sound();
}

static void test_changes_build_on_each_other(void **state)
{
    (void)state;
    put(faults, "stacked/f", "alpha beta\n", 0644);
    put_changes(
        "stacked",
        "{\"write\": \"/x/f\", \"file\": \"f\"}," EDIT("/x/f", "alpha", "gamma") "," EDIT(
            "/x/f", " beta",
            "") ",{\"chmod\": \"/x/f\", \"mode\": \"0700\"},"
                "{\"write\": \"/x/g\", \"file\": \"f\"},{\"remove\": \"/x/g\"},"
                "{\"remove\": \"/etc/empty\"},{\"symlink\": \"/etc/empty\", \"to\": \"nowhere\"}");
    struct err err;
    if (apply("stacked", &err) != 0)
        fail_msg("%s", err.message);
    assert_image("/x/f", "0700 0:0 gamma\n");
    assert_image("/x/g", "absent 0000 0:0");
    auto_free char *link = look_at("/etc/empty");
    assert_int_equal(strncmp(link, "link \"nowhere\"", 14), 0);
    assert_sound();
}

static void test_folders_owners_and_appended_text(void **state)
{
    (void)state;
    put_changes("more",
                "{\"mkdir\": \"/opt/new\"}, {\"mkdir\": \"/opt/other\", \"mode\": \"0700\"},"
                "{\"chown\": \"/opt/other\", \"uid\": 1000, \"gid\": 33},"
                "{\"append\": \"/etc/a.conf\", \"text\": \"More=1\\n\"},"
                "{\"chown\": \"/etc/a.conf\", \"uid\": 70000, \"gid\": 0}");
    struct err err;
    if (apply("more", &err) != 0)
        fail_msg("%s", err.message);
    assert_image("/opt/new", "dir 0755 0:0");
    assert_image("/opt/other", "dir 0700 1000:33");
    assert_image("/etc/a.conf", "0640 70000:0 Name=eth0\nOther=1\nMore=1\n");
    assert_sound();
}

/* What `stats -h` says behind a label. */
static uint64_t image_number(const char *label)
{
    auto_debugfs struct debugfs_output output = {0};
    auto_free char *dir = path_join(top, "look");
    assert_int_equal(path_make_dirs(dir, NULL), 0);
    assert_int_equal(debugfs_run(image, DEBUGFS_READ, "stats -h\n", dir, &output, NULL), 0);
    const char *at = strstr(buf_text(&output.said), label);
    assert_non_null(at);
    return strtoull(at + strlen(label), NULL, 10);
}

static void test_filling(void **state)
{
    (void)state;
    struct err err;
    put_changes("fill",
                "{\"fill\": \"/var/log/full\", \"leave_kib\": 100}, {\"mkdir\": \"/var/log\"}");
    if (apply("fill", &err) != 0)
        fail_msg("%s", err.message);
    assert_in_range(image_number("Free blocks:") * image_number("Block size:"), 100 << 10,
                    120 << 10);
    assert_sound();
    put_changes("too-full", "{\"fill\": \"/full\", \"leave_kib\": 4096}");
    assert_int_equal(apply("too-full", &err), -1);
    assert_non_null(strstr(err.message, "free blocks"));
}

/* What e2fsck says about the image without repairing it. */
static char *complaints(void)
{
    auto_free char *plain = path_join(top, "plain.ext4");
    struct buf said;
    buf_init(&said, 1 << 20);
    (void)unlink(plain);
    assert_int_equal(link(image, plain), 0);
    (void)proc_run((const char *const[]){"/sbin/e2fsck", "-fn", plain, NULL}, 20000, &said, NULL);
    return buf_steal(&said);
}

static void test_damage(void **state)
{
    static const struct {
        const char *change, *complaint;
    } cases[] = {
        {"{\"damage\": \"/usr/bin\", \"part\": \"content\"}", "Directory inode"},
        {"{\"damage\": \"/\", \"part\": \"content\"}", "Directory inode 2"},
        {"{\"damage\": \"/etc\", \"part\": \"content\", \"with\": \"zeros\"}",
         "directory corrupted"},
        {"{\"damage\": \"/etc/a.conf\", \"part\": \"inode\"}", "checksum does not match inode"},
        {"{\"damage\": \"/\", \"part\": \"superblock\"}", "trying backup blocks"},
        {"{\"damage\": \"/\", \"part\": \"descriptors\"}", "Corrupt group descriptor"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err;
        put_changes("damage", cases[i].change);
        if (apply("damage", &err) != 0)
            fail_msg("%s", err.message);
        auto_free char *said = complaints();
        if (strstr(said, cases[i].complaint) == NULL)
            fail_msg("case %zu: %s", i, said);
    }
    struct err err;
    put_changes("damage", "{\"damage\": \"/usr/bin/start.sh\", \"part\": \"content\"}");
    assert_int_equal(apply("damage", &err), 0);
    auto_free char *content = look_at("/usr/bin/start.sh");
    assert_non_null(strstr(content, "ZZZZZZZZZZZZZZZZ"));
    assert_sound(); /* there is no checksum over content */
}

static void test_names_that_are_hard_on_debugfs(void **state)
{
    (void)state;
    put(faults, "names/f", "new\n", 0644);
    put_changes("names", EDIT("/bin/start.sh", "one one", "two") "," EDIT(
                             "/etc/<8>", "looks",
                             "looked") ",{\"write\": \"/bin/-p\", \"file\": \"f\"},{\"write\": "
                                       "\"/a b/c,d;e #f\", \"file\": \"f\"},"
                                       "{\"remove\": \"/etc/link\"}");
    struct err err;
    if (apply("names", &err) != 0)
        fail_msg("%s", err.message);
    auto_free char *edited = owned("0755", "#!/bin/bash\necho two\n");
    assert_image("/usr/bin/start.sh", edited);
    auto_free char *inode = owned("0644", "looked like an inode's number\n");
    assert_image("/etc/<8>", inode);
    assert_image("/usr/bin/-p", "0644 0:0 new\n");
    assert_image("/a b/c,d;e #f", "0644 0:0 new\n");
    assert_image("/etc/link", "absent 0000 0:0");
    auto_free char *kept = owned("0640", "Name=eth0\nOther=1\n");
    assert_image("/etc/a.conf", kept);
    assert_sound();
}

static void test_what_cannot_be_applied(void **state)
{
    static const struct {
        const char *changes, *message;
    } cases[] = {
        {"{\"remove\": \"/etc/nope\"}", "cannot remove /etc/nope in the image: it does not exist"},
        {"{\"remove\": \"/etc\"}", "it is a folder"},
        {"{\"write\": \"/etc\", \"file\": \"fault.json\"}", "it is a folder"},
        {"{\"mkdir\": \"/etc\"}", "cannot make /etc in the image: it is a folder"},
        {"{\"append\": \"/etc/link\", \"text\": \"x\"}", "it is a symbolic link"},
        {"{\"chown\": \"/nope\", \"uid\": 1, \"gid\": 1}", "does not exist"},
        {"{\"fill\": \"/etc/a.conf\", \"leave_kib\": 0}", "/etc/a.conf is in the image already"},
        {"{\"fill\": \"/nope/full\", \"leave_kib\": 0}", "/nope is not a folder"},
        {"{\"damage\": \"/nope\", \"part\": \"content\"}", "/nope has no block 0"},
        {"{\"damage\": \"/etc/empty\", \"part\": \"content\"}", "/etc/empty has no block 0"},
        {"{\"damage\": \"/etc/a.conf\", \"part\": \"content\", \"block\": 1}", "has no block 1"},
        {"{\"damage\": \"/nope\", \"part\": \"inode\"}", "/nope is not in the image"},
        {"{\"write\": \"/etc/a.conf/x\", \"file\": \"fault.json\"}",
         "already exists while creating directory"},
        {"{\"write\": \"/x\", \"file\": \"absent\"}", "absent: No such file"},
        {EDIT("/etc/nope", "a", "b"), "cannot edit /etc/nope in the image: it does not exist"},
        {EDIT("/etc/link", "a", "b"), "it is a symbolic link"},
        {EDIT("/etc/a.conf", "eth1", "b"), "does not hold the text to replace: \"eth1\""},
        {EDIT("/usr/bin/start.sh", "one", "b"), "more than once: \"one\""},
        {EDIT("/etc/empty", "x", "b"), "does not hold"},
        {"{\"chmod\": \"/etc/nope\", \"mode\": \"0644\"}", "it does not exist"},
        {"{\"symlink\": \"/etc\", \"to\": \"x\"}", "it is a folder"},
        {"{\"remove\": \"/etc/empty\"},{\"remove\": \"/etc/empty\"}", "change 2: cannot remove"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err;
        put_changes("bad", cases[i].changes);
        assert_int_equal(apply("bad", &err), -1);
        if (strstr(err.message, cases[i].message) == NULL)
            fail_msg("case %zu: %s", i, err.message);
    }
}

static void test_an_overlapping_text_is_not_unique(void **state)
{
    (void)state;
    struct err err;
    put(faults, "overlap/f", "aaa", 0644);
    put_changes("overlap", "{\"write\": \"/f\", \"file\": \"f\"}," EDIT("/f", "aa", "b"));
    assert_int_equal(apply("overlap", &err), -1);
    assert_non_null(strstr(err.message, "more than once"));
}

static void test_no_room_in_the_image(void **state)
{
    (void)state;
    struct err err;
    auto_free char *big = mem_calloc((6 << 20) + 1, 1);
    memset(big, 'x', 6 << 20);
    put(faults, "big/f", big, 0644);
    put_changes("big", "{\"write\": \"/f\", \"file\": \"f\"}");
    assert_int_equal(apply("big", &err), -1);
    assert_non_null(strstr(err.message, "debugfs"));
}

static void test_what_is_no_image(void **state)
{
    (void)state;
    struct err err = {0};
    auto_fault struct fault fault = {0};
    put(top, "text.ext4", "not an image", 0644);
    put_changes("plain", "{\"remove\": \"/etc/empty\"}");
    assert_int_equal(fault_load(&fault, faults, "plain", &err), 0);
    auto_free char *text = path_join(top, "text.ext4");
    auto_free char *absent = path_join(top, "absent.ext4");
    assert_int_equal(fault_apply_image(&fault, text, top, &err), -1);
    assert_non_null(strstr(err.message, "text.ext4 cannot be opened as an ext4 image"));
    assert_int_equal(fault_apply_image(&fault, absent, top, &err), -1);
    assert_non_null(strstr(err.message, "absent.ext4: No such file"));
    assert_int_equal(fault_apply_image(&fault, text, absent, &err), -1);
    assert_non_null(strstr(err.message, "cannot make a directory"));
}

static void test_nothing_is_left_in_scratch(void **state)
{
    (void)state;
    auto_free char *pattern = mem_printf("ls -d %s/fault-* 2>/dev/null | wc -l", top);
    const char *const argv[] = {"sh", "-c", pattern, NULL};
    auto_buf struct buf output;
    buf_init(&output, 100);
    assert_int_equal(proc_run(argv, 5000, &output, NULL), 0);
    assert_string_equal(buf_text(&output), "0\n");
}

#define HEAD "{\"schema\": \"bootdiag.fault/1\", \"summary\": \"s\", \"cause\": \"c.d\""

static void test_what_is_not_loaded(void **state)
{
    static const struct {
        const char *json, *message;
    } cases[] = {
        {"{", "fault.json: line 1"},
        {"[]", "expected a JSON object"},
        {"{\"schema\": \"bootdiag.fault/2\", \"summary\": \"s\", \"cause\": \"c\"}",
         "\"schema\": expected \"bootdiag.fault/1\", got \"bootdiag.fault/2\""},
        {"{\"schema\": \"bootdiag.fault/1\", \"cause\": \"c\"}", "\"summary\" is missing"},
        {HEAD ", \"sumary\": \"x\"}", "\"sumary\" is not a member of a fault"},
        {HEAD ", \"accept\": [1]}", "\"accept\": expected an array of strings"},
        {HEAD ", \"visible_in_console\": 1}", "\"visible_in_console\": expected true or false"},
        {HEAD ", \"target\": []}", "\"target\": expected an object"},
        {HEAD ", \"cmdline_append\": null}", "\"cmdline_append\": expected a string"},
        {HEAD ", \"changes\": {}}", "\"changes\": expected an array"},
        {HEAD ", \"changes\": [1]}", "\"changes\", number 1: expected an object"},
        {HEAD ", \"changes\": [{\"file\": \"x\"}]}", "expected an object with \"remove\""},
        {HEAD ", \"changes\": [{\"chown\": \"/a\", \"uid\": -1, \"gid\": 0}]}",
         "expected a number"},
        {HEAD ", \"changes\": [{\"fill\": \"/a\", \"leave_kib\": \"1\"}]}", "expected a number"},
        {HEAD ", \"changes\": [{\"damage\": \"/a\", \"part\": \"all\"}]}",
         "superblock or descriptors"},
        {HEAD ", \"changes\": [{\"damage\": \"/a\", \"part\": \"inode\", \"with\": \"x\"}]}",
         "garbage or zeros"},
        {HEAD ", \"changes\": [{\"damage\": \"/a\", \"part\": \"superblock\"}]}",
         "expected \"/\" with \"part\": \"superblock\""},
        {HEAD ", \"also\": [1]}", "\"also\": expected an array of strings"},
        {HEAD ", \"only\": \"debian-12\"}", "\"only\": expected an array of strings"},
        {HEAD ", \"initrd\": {\"keep\": 1}}", "\"keep\" is not a member of \"initrd\""},
        {HEAD ", \"initrd\": {\"changes\": [{\"remove\": \"/a\"}]}}", "takes \"write\""},
        {HEAD ", \"guests\": {\"x\": 1}}", "\"guests\": \"x\": expected an object"},
        {HEAD ", \"guests\": {\"x\": {\"summary\": \"s\"}}}", "not a member of a guest of a fault"},
        {HEAD ", \"guests\": {\"x\": {\"changes\": [{\"remove\": 1}]}}}", "expected a string"},
        {HEAD ", \"changes\": [{\"remove\": 1}]}", "\"remove\": expected a string"},
        {HEAD ", \"changes\": [{\"remove\": \"/a\", \"mode\": \"0644\"}]}",
         "\"mode\" is not a member of a \"remove\" change"},
        {HEAD ", \"changes\": [{\"remove\": \"/a\"}, {\"write\": \"/a\"}]}",
         "number 2: \"file\" is missing"},
        {HEAD ", \"changes\": [{\"write\": \"/a\", \"file\": \"../f\"}]}", "plain name of a file"},
        {HEAD ", \"changes\": [{\"write\": \"/a\", \"file\": \".f\"}]}", "plain name of a file"},
        {HEAD ", \"changes\": [{\"write\": \"/a\", \"file\": \"f\", \"mode\": \"0888\"}]}",
         "octal permission bits"},
        {HEAD ", \"changes\": [{\"chmod\": \"/a\", \"mode\": \"10000\"}]}",
         "octal permission bits"},
        {HEAD ", \"changes\": [{\"chmod\": \"/a\", \"mode\": 420}]}",
         "\"mode\": expected a string"},
        {HEAD ", \"changes\": [" EDIT("/a", "", "x") "]}", "not empty"},
        {HEAD ", \"changes\": [" EDIT("/a", "x\\u0000y", "x") "]}", "NUL"},
        {HEAD ", \"changes\": [{\"symlink\": \"/a\", \"to\": \"a\\\"b\"}]}",
         "expected a plain path"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        auto_fault struct fault fault = {0};
        struct err err = {0};
        put_fault("wrong", cases[i].json);
        assert_int_equal(fault_load(&fault, faults, "wrong", &err), -1);
        if (strstr(err.message, cases[i].message) == NULL ||
            strstr(err.message, "wrong/fault.json") == NULL)
            fail_msg("case %zu: %s", i, err.message);
    }
}

static void test_hostile_paths(void **state)
{
    static const char *const paths[] = {
        "",        "a",      "./a",     "/",          "/a/",    "//a",      "/a//b",
        "/..",     "/a/..",  "/a/../b", "/.",         "/a/./b", "/a\\\"b",  "/a'b",
        "/a\\\\b", "/a\\nb", "/a\\tb",  "/a\\u007fb", "/a\\rb", "/\\u0001",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        auto_fault struct fault fault = {0};
        struct err err = {0};
        auto_free char *change = mem_printf("{\"remove\": \"%s\"}", paths[i]);
        put_changes("path", change);
        assert_int_equal(fault_load(&fault, faults, "path", &err), -1);
        if (strstr(err.message, "expected an absolute, plain path") == NULL)
            fail_msg("path %zu: %s", i, err.message);
    }
    auto_free char *longest = mem_calloc(1100, 1);
    memset(longest, 'x', 1050);
    longest[0] = '/';
    auto_free char *change = mem_printf("{\"remove\": \"%s\"}", longest);
    put_changes("path", change);
    auto_fault struct fault fault = {0};
    assert_int_equal(fault_load(&fault, faults, "path", NULL), -1);
}

static void test_list_and_unknown_names(void **state)
{
    (void)state;
    assert_int_equal(path_remove_tree(faults, NULL), 0);
    assert_int_equal(path_make_dirs(faults, NULL), 0);
    put_fault("zeta", HEAD "}");
    put_fault("alpha", HEAD "}");
    put_fault(".hidden", HEAD "}");
    put(faults, "no-fault/README", "x", 0644);
    char **names = fault_list(faults, NULL);
    assert_string_equal(names[0], "alpha");
    assert_string_equal(names[1], "zeta");
    assert_null(names[2]);
    fault_list_free(names);

    static const char *const unknown[] = {"beta", "../faults/alpha", ".hidden", "",
                                          ".",    "no-fault"};
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        auto_fault struct fault fault = {0};
        struct err err = {0};
        assert_int_equal(fault_load(&fault, faults, unknown[i], &err), -1);
        assert_non_null(strstr(err.message, "known: alpha, zeta"));
    }
    struct err err = {0};
    assert_null(fault_list("/nonexistent", &err));
    assert_non_null(strstr(err.message, "/nonexistent"));
}

static void test_the_target_part(void **state)
{
    (void)state;
    auto_target struct target target;
    auto_fault struct fault fault = {0};
    struct err err = {0};
    target_init(&target);
    assert_int_equal(target_set(&target, "cmdline=quiet", NULL), 0);
    put_fault("mixed",
              HEAD ", \"accept\": [\"a.b\"], \"visible_in_console\": false, \"cmdline_append\": "
                   "\"init=/x\", \"target\": {\"memory_mib\": 64, \"kernel\": \"k\"}}");
    if (fault_load(&fault, faults, "mixed", &err) != 0 ||
        fault_apply_target(&fault, &target, &err) != 0)
        fail_msg("%s", err.message);
    assert_string_equal(fault.cause, "c.d");
    assert_int_equal(target.memory_mib, 64);
    assert_string_equal(target.cmdline, "quiet init=/x");
    auto_free char *kernel = mem_printf("%s/mixed/k", faults);
    assert_string_equal(target.kernel, kernel);
    assert_false(fault_changes_image(&fault));

    auto_fault struct fault wrong = {0};
    put_fault("wrong-target", HEAD ", \"target\": {\"memory\": 64}}");
    assert_int_equal(fault_load(&wrong, faults, "wrong-target", NULL), 0);
    assert_int_equal(fault_apply_target(&wrong, &target, &err), -1);
    assert_non_null(strstr(err.message, "wrong-target/fault.json"));
}

static void test_a_change_that_breaks_nothing(void **state)
{
    (void)state;
    auto_fault struct fault fault = {0};
    struct err err = {0};
    put_fault("noise", "{\"schema\": \"bootdiag.fault/1\", \"summary\": \"s\", \"cause\": null}");
    if (fault_load(&fault, faults, "noise", &err) != 0)
        fail_msg("%s", err.message);
    assert_null(fault.cause);
}

static void test_guests(void **state)
{
    (void)state;
    struct err err = {0};
    put_fault("both",
              HEAD ", \"only\": [\"one\", \"two\"], \"cmdline_append\": \"a\", \"lab\": {\"x\": 1},"
                   "\"changes\": [{\"remove\": \"/a\"}], \"guests\": {\"two\": {\"changes\": [],"
                   "\"cmdline_append\": \"b\", \"cause\": \"e.f\"}}}");
    static const struct {
        const char *guest, *cause, *cmdline;
        bool changes;
    } cases[] = {{NULL, "c.d", "a", true}, {"one", "c.d", "a", true}, {"two", "e.f", "b", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        auto_fault struct fault fault = {0};
        if (fault_load(&fault, faults, "both", &err) != 0 ||
            fault_for_guest(&fault, cases[i].guest, &err) != 0)
            fail_msg("%s", err.message);
        assert_string_equal(fault.cause, cases[i].cause);
        assert_string_equal(fault.cmdline_append, cases[i].cmdline);
        assert_int_equal(fault_changes_image(&fault), cases[i].changes);
    }
    auto_fault struct fault fault = {0};
    assert_int_equal(fault_load(&fault, faults, "both", &err), 0);
    assert_int_equal(fault_for_guest(&fault, "three", &err), -1);
    assert_non_null(strstr(err.message, "fault both is not for the guest three"));
}

/* Makes the initrd of the fault out of `size` bytes of 'x' and reads it. */
static int make_initrd(const char *name, size_t size, struct buf *ret_content, struct err *err)
{
    auto_fault struct fault fault = {0};
    auto_free char *from = path_join(top, "initrd"), *to = path_join(top, "made");
    auto_free char *bytes = mem_calloc(size + 1, 1);
    memset(bytes, 'x', size);
    assert_int_equal(file_write(from, bytes, size, NULL), 0);
    if (fault_load(&fault, faults, name, err) != 0)
        fail_msg("%s", err->message);
    assert_true(fault_changes_initrd(&fault));
    if (fault_make_initrd(&fault, from, to, err) != 0)
        return -1;
    return file_read(to, 1 << 20, ret_content, err);
}

/* cpio(1) must read what was added at the end. */
static void test_initrd(void **state)
{
    (void)state;
    struct err err = {0};
    auto_buf struct buf made, listing;
    buf_init(&made, 0);
    buf_init(&listing, 1 << 16);
    put(faults, "initrd/order", "virtio_pci\n", 0644);
    put_fault("initrd",
              HEAD ", \"initrd\": {\"keep_kib\": 8, \"garble_kib\": 1, \"changes\": ["
                   "{\"write\": \"/modules/order\", \"file\": \"order\", \"mode\": \"0700\"},"
                   "{\"symlink\": \"/init\", \"to\": \"nowhere\"}]}}");
    if (make_initrd("initrd", 9001, &made, &err) != 0)
        fail_msg("%s", err.message);
    const char *bytes = buf_text(&made);
    assert_true(bytes[1023] == 'x' && bytes[1024] == 'Z' && bytes[5119] == 'Z' &&
                bytes[5120] == 'x');
    assert_memory_equal(bytes + 8192, "070701", 6);
    auto_free char *archive = path_join(top, "archive");
    assert_int_equal(file_write(archive, bytes + 8192, made.len - 8192, NULL), 0);
    if (proc_run((const char *const[]){"/bin/sh", "-c",
                                       "cpio --quiet -itv <\"$0\"; cpio --quiet -i "
                                       "--to-stdout modules/order <\"$0\"",
                                       archive, NULL},
                 20000, &listing, &err) != 0)
        fail_msg("%s", err.message);
    const char *listed = buf_text(&listing);
    assert_non_null(strstr(listed, "drwxr-xr-x"));
    assert_non_null(strstr(listed, "-rwx------"));
    assert_non_null(strstr(listed, "init -> nowhere"));
    assert_non_null(strstr(listed, "virtio_pci\n"));

    assert_int_equal(make_initrd("initrd", 8192, &made, &err), -1);
    assert_non_null(strstr(err.message, "the initrd has only 8 KiB"));
    auto_fault struct fault fault = {0};
    assert_int_equal(fault_load(&fault, faults, "initrd", NULL), 0);
    assert_int_equal(fault_make_initrd(&fault, NULL, archive, &err), -1);
    assert_non_null(strstr(err.message, "the target has none"));
}

/* The faults that come with the program. */
static void test_bundled_faults_load(void **state)
{
    (void)state;
    struct err err = {0};
    char **names = fault_list("fixtures/faults", &err);
    if (names == NULL)
        fail_msg("%s (run the tests from the top of the repository)", err.message);
    assert_non_null(names[0]);
    for (char **name = names; *name != NULL; name++) {
        auto_fault struct fault fault = {0};
        auto_target struct target target;
        target_init(&target);
        if (fault_load(&fault, "fixtures/faults", *name, &err) != 0 ||
            fault_apply_target(&fault, &target, &err) != 0)
            fail_msg("%s", err.message);
    }
    fault_list_free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_of_change),
        cmocka_unit_test(test_changes_build_on_each_other),
        cmocka_unit_test(test_folders_owners_and_appended_text),
        cmocka_unit_test(test_filling),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_names_that_are_hard_on_debugfs),
        cmocka_unit_test(test_what_cannot_be_applied),
        cmocka_unit_test(test_an_overlapping_text_is_not_unique),
        cmocka_unit_test(test_no_room_in_the_image),
        cmocka_unit_test(test_what_is_no_image),
        cmocka_unit_test(test_nothing_is_left_in_scratch),
        cmocka_unit_test(test_what_is_not_loaded),
        cmocka_unit_test(test_hostile_paths),
        cmocka_unit_test(test_list_and_unknown_names),
        cmocka_unit_test(test_the_target_part),
        cmocka_unit_test(test_a_change_that_breaks_nothing),
        cmocka_unit_test(test_guests),
        cmocka_unit_test(test_initrd),
        cmocka_unit_test(test_bundled_faults_load),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
