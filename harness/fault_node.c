/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/fault_node.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/base/auto.h"
#include "harness/base/file.h"

enum { FOLDER_MODE = 0755 }; /* of one that a change needs and the image lacks */

static const char *const TYPE_NAMES[] = {
    [DEBUGFS_ABSENT] = "does not exist",   [DEBUGFS_FILE] = "is a file",
    [DEBUGFS_DIR] = "is a folder",         [DEBUGFS_LINK] = "is a symbolic link",
    [DEBUGFS_OTHER] = "is a special file",
};

const char *fault_node_state(const struct debugfs_stat *stat)
{
    return TYPE_NAMES[stat->type];
}

static int refuse(const struct fault_node *node, const char *what, struct err *err)
{
    return err_set(err, "cannot %s %s in the image: it %s", what, node->path,
                   fault_node_state(&node->now));
}

static bool is_replaceable(const struct fault_node *node)
{
    return node->now.type != DEBUGFS_DIR && node->now.type != DEBUGFS_OTHER;
}

static int change_remove(struct fault_node *node, const struct fault_change *change,
                         const char *dir, struct err *err)
{
    (void)change, (void)dir;
    if (node->now.type != DEBUGFS_FILE && node->now.type != DEBUGFS_LINK)
        return refuse(node, "remove", err);
    node->now = (struct debugfs_stat){.type = DEBUGFS_ABSENT};
    node->has_content = false;
    return 0;
}

static int change_write(struct fault_node *node, const struct fault_change *change, const char *dir,
                        struct err *err)
{
    if (!is_replaceable(node))
        return refuse(node, "write", err);
    auto_free char *path = path_join(dir, change->file);
    if (file_read(path, FAULT_FILE_LIMIT, &node->content, err) != 0)
        return -1;
    node->now = (struct debugfs_stat){
        .type = DEBUGFS_FILE, .mode = (unsigned)change->mode, .size = node->content.len};
    node->has_content = true;
    return 0;
}

static int change_edit(struct fault_node *node, const struct fault_change *change, const char *dir,
                       struct err *err)
{
    (void)dir;
    if (node->now.type != DEBUGFS_FILE)
        return refuse(node, "edit", err);
    struct buf *content = &node->content;
    size_t len = strlen(change->replace);
    const char *text = buf_text(content);
    const char *found = memmem(text, content->len, change->replace, len);
    if (found == NULL)
        return err_set(err, "%s in the image does not hold the text to replace: \"%.100s\"",
                       node->path, change->replace);
    size_t before = (size_t)(found - text), behind = content->len - before - len;
    if (memmem(found + 1, content->len - before - 1, change->replace, len) != NULL)
        return err_set(err, "%s in the image holds the text to replace more than once: \"%.100s\"",
                       node->path, change->replace);
    struct buf edited;
    buf_init(&edited, FAULT_FILE_LIMIT);
    buf_add(&edited, text, before);
    buf_add_text(&edited, change->by);
    buf_add(&edited, found + len, behind);
    buf_release(content);
    *content = edited;
    if (content->overflow)
        return err_set(err, "%s would become larger than %d bytes", node->path, FAULT_FILE_LIMIT);
    node->now.size = content->len;
    node->has_content = true;
    return 0;
}

static int change_append(struct fault_node *node, const struct fault_change *change,
                         const char *dir, struct err *err)
{
    (void)dir;
    if (node->now.type != DEBUGFS_FILE)
        return refuse(node, "append to", err);
    buf_add_text(&node->content, change->text);
    if (node->content.overflow)
        return err_set(err, "%s would become larger than %d bytes", node->path, FAULT_FILE_LIMIT);
    node->now.size = node->content.len;
    node->has_content = true;
    return 0;
}

static int change_symlink(struct fault_node *node, const struct fault_change *change,
                          const char *dir, struct err *err)
{
    (void)dir;
    if (!is_replaceable(node))
        return refuse(node, "make", err);
    node->now = (struct debugfs_stat){
        .type = DEBUGFS_LINK, .mode = ACCESSPERMS, .size = strlen(change->to)};
    node->has_content = false;
    node->link_to = change->to;
    return 0;
}

static int change_mode(struct fault_node *node, const struct fault_change *change, const char *dir,
                       struct err *err)
{
    (void)dir;
    if (node->now.type != DEBUGFS_FILE && node->now.type != DEBUGFS_DIR)
        return refuse(node, "change the mode of", err);
    node->now.mode = (unsigned)change->mode;
    return 0;
}

static int change_owner(struct fault_node *node, const struct fault_change *change, const char *dir,
                        struct err *err)
{
    (void)dir;
    if (node->now.type != DEBUGFS_FILE && node->now.type != DEBUGFS_DIR)
        return refuse(node, "change the owner of", err);
    node->now.uid = (unsigned)change->uid;
    node->now.gid = (unsigned)change->gid;
    return 0;
}

static int change_mkdir(struct fault_node *node, const struct fault_change *change, const char *dir,
                        struct err *err)
{
    (void)dir;
    if (node->now.type != DEBUGFS_ABSENT)
        return refuse(node, "make", err);
    node->now = (struct debugfs_stat){.type = DEBUGFS_DIR, .mode = (unsigned)change->mode};
    return 0;
}

int fault_node_change(struct fault_node *node, const struct fault_change *change, const char *dir,
                      struct err *err)
{
    static int (*const kinds[])(struct fault_node *, const struct fault_change *, const char *,
                                struct err *) = {
        [CHANGE_REMOVE] = change_remove,   [CHANGE_WRITE] = change_write,
        [CHANGE_EDIT] = change_edit,       [CHANGE_APPEND] = change_append,
        [CHANGE_SYMLINK] = change_symlink, [CHANGE_CHMOD] = change_mode,
        [CHANGE_CHOWN] = change_owner,     [CHANGE_MKDIR] = change_mkdir,
    };
    return kinds[change->kind](node, change, dir, err);
}

int fault_node_need_folder(struct fault_node *node, struct err *err)
{
    if (node->now.type == DEBUGFS_ABSENT)
        node->now = (struct debugfs_stat){.type = DEBUGFS_DIR, .mode = FOLDER_MODE};
    return node->now.type == DEBUGFS_DIR ? 0 : refuse(node, "put a file below", err);
}
