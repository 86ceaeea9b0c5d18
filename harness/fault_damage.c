/* SPDX-License-Identifier: Apache-2.0 */
/* debugfs says where things are; the pattern is written to the image's file directly, because
 * debugfs would repair the checksums that are to be wrong. */
#include "harness/fault_damage.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/auto.h"
#include "harness/base/buf.h"
#include "harness/base/file.h"
#include "harness/base/mem.h"
#include "harness/debugfs.h"

enum {
    SUPERBLOCK_AT = 1024, /* whatever the size of a block */
    SUPERBLOCK_SIZE = 1024,
    INODE_SIZE = 128, /* the part that every inode has */
    MAX_BLOCK_SIZE = 65536,
};

/* The number behind the first `label` of the output. */
static int number_behind(const struct debugfs_output *output, const char *label, int base,
                         uint64_t *ret, struct err *err)
{
    const char *at = strstr(buf_text(&output->said), label);
    char *end = NULL;
    if (at != NULL) {
        at += strlen(label);
        at += strspn(at, " \t\n");
        *ret = strtoull(at, &end, base);
    }
    if (at == NULL || end == at)
        return err_set(err, "debugfs does not say \"%s\"", label);
    return 0;
}

static int block_size_of(const struct debugfs_output *output, uint64_t *ret, struct err *err)
{
    uint64_t size = 0;
    if (number_behind(output, "Block size:", 10, &size, err) != 0)
        return -1;
    if (size < SUPERBLOCK_SIZE || size > MAX_BLOCK_SIZE)
        return err_set(err, "a block size of %" PRIu64 " bytes is not known", size);
    *ret = size;
    return 0;
}

static int ask(const char *image, const char *dir, const char *question,
               struct debugfs_output *ret_output, struct err *err)
{
    auto_free char *script = mem_printf("stats -h\n%s", question);
    return debugfs_run(image, DEBUGFS_READ, script, dir, ret_output, err);
}

/* ---- filling ---- */

static int free_blocks(const char *image, const char *dir, uint64_t *ret_free, uint64_t *ret_size,
                       struct err *err)
{
    auto_debugfs struct debugfs_output output = {0};
    if (ask(image, dir, "", &output, err) != 0 ||
        number_behind(&output, "Free blocks:", 10, ret_free, err) != 0)
        return -1;
    return block_size_of(&output, ret_size, err);
}

/* Without the '/' at its end: "" for the root. */
static char *folder_of(const struct fault_change *change)
{
    return mem_strndup(change->path, (size_t)(path_base(change->path) - change->path) - 1);
}

static int take_blocks(const struct fault_change *change, const char *image, const char *dir,
                       uint64_t n, uint64_t block_size, struct err *err)
{
    auto_free char *parent = folder_of(change);
    auto_free char *empty = path_join(dir, "empty");
    auto_debugfs struct debugfs_output output = {0};
    const char *name = path_base(change->path);
    auto_free char *commands =
        mem_printf("cd \"%s/.\"\nwrite empty \"%s\"\nfallocate \"./%s\" 0 %" PRIu64
                   "\nsif \"./%s\" size %" PRIu64 "\n",
                   parent, name, name, n - 1, name, n * block_size);
    if (file_write(empty, "", 0, err) != 0)
        return -1;
    return debugfs_run(image, DEBUGFS_WRITE, commands, dir, &output, err);
}

/* debugfs would go on in the wrong folder, or fill a file that is there. */
static int check_place(const struct fault_change *change, const char *parent, const char *image,
                       const char *dir, struct err *err)
{
    auto_debugfs struct debugfs_output output = {0};
    struct debugfs_stat stats[2];
    auto_free char *question = mem_printf("stat \"%s\"\nstat \"%s/.\"\n", change->path, parent);
    if (ask(image, dir, question, &output, err) != 0)
        return -1;
    debugfs_stats(&output, stats, 2);
    if (stats[0].type != DEBUGFS_ABSENT)
        return err_set(err, "%s is in the image already", change->path);
    if (stats[1].type != DEBUGFS_DIR)
        return err_set(err, "%s is not a folder in the image", parent);
    return 0;
}

static int fill(const struct fault_change *change, const char *image, const char *dir,
                struct err *err)
{
    uint64_t n_free = 0, block_size = SUPERBLOCK_SIZE, left = 0;
    auto_free char *parent = folder_of(change);
    if (check_place(change, parent, image, dir, err) != 0 ||
        free_blocks(image, dir, &n_free, &block_size, err) != 0)
        return -1;
    uint64_t n_left = (uint64_t)change->leave_kib * 1024 / block_size;
    uint64_t tree = n_free / 2048 + 2; /* extents are long where much is free */
    if (n_free <= n_left + tree)
        return err_set(err, "%s has only %" PRIu64 " free blocks of %" PRIu64 " bytes", image,
                       n_free, block_size);
    if (take_blocks(change, image, dir, n_free - n_left - tree, block_size, err) != 0 ||
        free_blocks(image, dir, &left, &block_size, err) != 0)
        return -1;
    if (left < n_left || left > n_left + tree)
        return err_set(err, "debugfs did not fill %s: %" PRIu64 " of %" PRIu64 " blocks are free",
                       image, left, n_free);
    return 0;
}

/* ---- damaging ---- */

struct range {
    uint64_t at, len;
};

static int find_content(const struct fault_change *change, const char *image, const char *dir,
                        struct range *ret, struct err *err)
{
    auto_debugfs struct debugfs_output output = {0};
    auto_free char *question = mem_printf("bmap \"%s\" %d\n", change->path, change->block);
    auto_free char *label = mem_printf("debugfs: %s", question);
    uint64_t block = 0, block_size = 0;
    if (ask(image, dir, question, &output, err) != 0 ||
        block_size_of(&output, &block_size, err) != 0)
        return -1;
    if (number_behind(&output, label, 10, &block, NULL) != 0 || block == 0)
        return err_set(err, "%s has no block %d in the image", change->path, change->block);
    *ret = (struct range){block * block_size, block_size};
    return 0;
}

static int find_inode(const struct fault_change *change, const char *image, const char *dir,
                      struct range *ret, struct err *err)
{
    auto_debugfs struct debugfs_output output = {0};
    auto_free char *question = mem_printf("imap \"%s\"\n", change->path);
    uint64_t block = 0, block_size = 0, offset = 0;
    if (ask(image, dir, question, &output, err) != 0 ||
        block_size_of(&output, &block_size, err) != 0)
        return -1;
    if (number_behind(&output, "located at block", 10, &block, NULL) != 0 ||
        number_behind(&output, ", offset", 16, &offset, NULL) != 0)
        return err_set(err, "%s is not in the image", change->path);
    *ret = (struct range){block * block_size + offset, INODE_SIZE};
    return 0;
}

static int find_superblock(const struct fault_change *change, const char *image, const char *dir,
                           struct range *ret, struct err *err)
{
    (void)change, (void)image, (void)dir, (void)err;
    *ret = (struct range){SUPERBLOCK_AT, SUPERBLOCK_SIZE};
    return 0;
}

static int find_descriptors(const struct fault_change *change, const char *image, const char *dir,
                            struct range *ret, struct err *err)
{
    (void)change;
    auto_debugfs struct debugfs_output output = {0};
    uint64_t block_size = SUPERBLOCK_SIZE;
    if (ask(image, dir, "", &output, err) != 0 || block_size_of(&output, &block_size, err) != 0)
        return -1;
    uint64_t superblock = SUPERBLOCK_AT / block_size; /* they are in the next block */
    *ret = (struct range){(superblock + 1) * block_size, block_size};
    return 0;
}

static int overwrite(const char *image, struct range range, int byte, struct err *err)
{
    char pattern[MAX_BLOCK_SIZE];
    memset(pattern, byte, sizeof(pattern));
    auto_fd int fd = open(image, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, errno, "cannot write %s", image);
    ssize_t n = pwrite(fd, pattern, range.len, (off_t)range.at);
    if (n != (ssize_t)range.len)
        return err_sys(err, n < 0 ? errno : EIO, "cannot write %s", image);
    return 0;
}

int fault_damage_apply(const struct fault_change *change, const char *image, const char *dir,
                       struct err *err)
{
    static int (*const finders[])(const struct fault_change *, const char *, const char *,
                                  struct range *, struct err *) = {
        [PART_CONTENT] = find_content,
        [PART_INODE] = find_inode,
        [PART_SUPERBLOCK] = find_superblock,
        [PART_DESCRIPTORS] = find_descriptors,
    };
    struct range range;
    if (change->kind == CHANGE_FILL)
        return fill(change, image, dir, err);
    if (finders[change->part](change, image, dir, &range, err) != 0)
        return -1;
    return overwrite(image, range, change->with, err);
}
