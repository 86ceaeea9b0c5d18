/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault_apply_image: two runs of debugfs(8). The first looks at every file that is touched, and at
 * the folders above new ones; then all changes are played in memory, in their order, on a list of
 * files; the second run makes each file what it has become and reads it back, and what was read is
 * compared. What fills or damages the file system comes behind all that (fault_damage.c).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/auto.h"
#include "harness/base/buf.h"
#include "harness/base/file.h"
#include "harness/base/mem.h"
#include "harness/debugfs.h"
#include "harness/fault.h"
#include "harness/fault_change.h"
#include "harness/fault_damage.h"
#include "harness/fault_node.h"

struct job {
    const struct fault *fault;
    const char *image;
    char *dir; /* private, removed at the end */
    struct fault_change *changes;
    size_t n_changes;
    struct fault_node *nodes; /* folders stand before what is in them */
    size_t n_nodes, nodes_cap;
};

static struct fault_node *find_node(const struct job *job, const char *path)
{
    for (size_t i = 0; i < job->n_nodes; i++)
        if (strcmp(job->nodes[i].path, path) == 0)
            return &job->nodes[i];
    return NULL;
}

static struct fault_node *need_node(struct job *job, const char *path)
{
    struct fault_node *node = find_node(job, path);
    if (node != NULL)
        return node;
    job->nodes = mem_grow(job->nodes, job->n_nodes, &job->nodes_cap, sizeof(*job->nodes));
    node = &job->nodes[job->n_nodes++];
    *node = (struct fault_node){.path = mem_strdup(path)};
    buf_init(&node->content, FAULT_FILE_LIMIT);
    return node;
}

static void need_folders(struct job *job, const char *path)
{
    for (const char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        auto_free char *folder = mem_strndup(path, (size_t)(slash - path));
        need_node(job, folder)->is_folder = true;
    }
}

static int parse_changes(struct job *job, struct err *err)
{
    const json_t *list = json_object_get(job->fault->document, "changes");
    auto_free char *name = path_join(job->fault->dir, "fault.json");
    job->changes = mem_calloc(json_array_size(list), sizeof(*job->changes));
    size_t index;
    const json_t *value;
    json_array_foreach (list, index, value) {
        struct fault_change *change = &job->changes[index];
        if (fault_change_parse(change, value, index, name, err) != 0)
            return -1;
        job->n_changes++;
        if (fault_change_is_last(change))
            continue;
        if (change->kind == CHANGE_WRITE || change->kind == CHANGE_SYMLINK ||
            change->kind == CHANGE_MKDIR)
            need_folders(job, change->path);
        struct fault_node *node = need_node(job, change->path);
        node->is_edited |= change->kind == CHANGE_EDIT || change->kind == CHANGE_APPEND;
    }
    return 0;
}

/* ---- looking ---- */

static char *file_of(const struct job *job, const struct fault_node *node, const char *kind)
{
    return mem_printf("%s/%s-%zu", job->dir, kind, (size_t)(node - job->nodes));
}

static void add_look(const struct job *job, struct buf *script, const struct fault_node *node)
{
    /* "/." follows a symbolic link to a folder, as the guest would: /lib is usr/lib. */
    buf_addf(script, "stat \"%s%s\"\n", node->path, node->is_folder ? "/." : "");
    if (node->is_edited)
        buf_addf(script, "dump \"%s\" was-%zu\n", node->path, (size_t)(node - job->nodes));
}

static int check_features(const struct debugfs_output *output, const char *image, struct err *err)
{
    const char *features = strstr(buf_text(&output->said), "Filesystem features:");
    if (features == NULL)
        return err_set(err, "debugfs says nothing about %s", image);
    auto_free char *line = mem_strndup(features, strcspn(features, "\n"));
    if (strstr(line, " needs_recovery") != NULL)
        return err_set(err, "%s was not unmounted cleanly: run `e2fsck -fp` on it first", image);
    return 0;
}

static int take_stats(struct job *job, const struct debugfs_output *output, struct err *err)
{
    auto_free struct debugfs_stat *stats = mem_calloc(job->n_nodes, sizeof(*stats));
    debugfs_stats(output, stats, job->n_nodes);
    for (size_t i = 0; i < job->n_nodes; i++) {
        struct fault_node *node = &job->nodes[i];
        node->was = node->now = stats[i];
        if (!node->is_edited || node->was.type != DEBUGFS_FILE)
            continue;
        auto_free char *path = file_of(job, node, "was");
        if (file_read(path, FAULT_FILE_LIMIT, &node->content, err) != 0)
            return err_prefix(err, "%s: %s", job->image, node->path);
    }
    return 0;
}

static int look(struct job *job, struct err *err)
{
    auto_buf struct buf script;
    auto_debugfs struct debugfs_output output = {0};
    buf_init(&script, SIZE_MAX);
    buf_add_text(&script, "features\n");
    for (size_t i = 0; i < job->n_nodes; i++)
        add_look(job, &script, &job->nodes[i]);
    if (debugfs_run(job->image, DEBUGFS_READ, buf_text(&script), job->dir, &output, err) != 0 ||
        check_features(&output, job->image, err) != 0)
        return -1;
    return take_stats(job, &output, err);
}

/* ---- changing, in memory ---- */

static int play_changes(struct job *job, struct err *err)
{
    for (size_t i = 0; i < job->n_changes; i++) {
        const struct fault_change *change = &job->changes[i];
        if (fault_change_is_last(change))
            continue;
        if (fault_node_change(find_node(job, change->path), change, job->fault->dir, err) != 0)
            return err_prefix(err, "change %zu", i + 1);
    }
    for (size_t i = 0; i < job->n_nodes; i++)
        if (job->nodes[i].is_folder && fault_node_need_folder(&job->nodes[i], err) != 0)
            return -1;
    return 0;
}

/* ---- changing, in the image ---- */

static bool is_same(const struct debugfs_stat *a, const struct debugfs_stat *b)
{
    return a->type == b->type && a->mode == b->mode && a->uid == b->uid && a->gid == b->gid;
}

static void add_attributes(struct buf *script, const char *base, const struct debugfs_stat *now)
{
    unsigned type = now->type == DEBUGFS_DIR ? S_IFDIR : S_IFREG;
    buf_addf(script, "sif \"./%s\" mode 0%o\n", base, type | now->mode);
    buf_addf(script, "sif \"./%s\" uid %u\nsif \"./%s\" gid %u\n", base, now->uid, base, now->gid);
}

/* Names stand behind "./": debugfs takes a bare <8> for an inode's number. */
static int add_change(const struct job *job, struct buf *script, const struct fault_node *node,
                      struct err *err)
{
    size_t number = (size_t)(node - job->nodes);
    const char *base = path_base(node->path);
    bool is_replaced =
        node->has_content || node->now.type != node->was.type || node->now.type == DEBUGFS_LINK;
    if (is_same(&node->was, &node->now) && !node->has_content && node->link_to == NULL)
        return 0;
    buf_addf(script, "cd \"%.*s/.\"\n", (int)(base - node->path - 1), node->path);
    if (is_replaced && node->was.type != DEBUGFS_ABSENT)
        buf_addf(script, "rm \"./%s\"\n", base);
    if (node->has_content) {
        auto_free char *path = file_of(job, node, "new");
        if (file_write(path, buf_text(&node->content), node->content.len, err) != 0)
            return -1;
        buf_addf(script, "write new-%zu \"%s\"\n", number, base);
    } else if (is_replaced && node->now.type == DEBUGFS_LINK) {
        buf_addf(script, "symlink \"%s\" \"%s\"\n", base, node->link_to);
    } else if (is_replaced && node->now.type == DEBUGFS_DIR) {
        buf_addf(script, "mkdir \"%s\"\n", base);
    }
    if (node->now.type == DEBUGFS_FILE || node->now.type == DEBUGFS_DIR)
        add_attributes(script, base, &node->now);
    return 0;
}

static void add_check(const struct job *job, struct buf *script, const struct fault_node *node)
{
    buf_addf(script, "stat \"%s%s\"\n", node->path, node->is_folder ? "/." : "");
    if (node->has_content)
        buf_addf(script, "dump \"%s\" check-%zu\n", node->path, (size_t)(node - job->nodes));
}

/* debugfs names itself first; that a removed file is gone is what was wanted. */
static int check_complaints(const struct debugfs_output *output, struct err *err)
{
    auto_free char *copy = mem_strdup(buf_text(&output->errors));
    char *rest = copy, *line;
    while ((line = strsep(&rest, "\n")) != NULL)
        if (line[strspn(line, " ")] != '\0' && strncmp(line, "debugfs 1.", 10) != 0 &&
            strstr(line, ": File not found by ext2_lookup") == NULL)
            return err_set(err, "debugfs: %.300s", line);
    return 0;
}

static int check_node(const struct job *job, const struct fault_node *node,
                      const struct debugfs_stat *found, struct err *err)
{
    if (!is_same(&node->now, found) ||
        (node->now.type != DEBUGFS_DIR && node->now.size != found->size))
        return err_set(
            err, "debugfs did not make %s what it should be: it %s, mode %o, %" PRIu64 " bytes",
            node->path, fault_node_state(found), found->mode, found->size);
    if (!node->has_content)
        return 0;
    auto_free char *path = file_of(job, node, "check");
    auto_buf struct buf content;
    buf_init(&content, 0);
    if (file_read(path, FAULT_FILE_LIMIT, &content, err) != 0)
        return -1;
    if (content.len != node->content.len ||
        memcmp(buf_text(&content), buf_text(&node->content), content.len) != 0)
        return err_set(err, "debugfs did not write the content of %s", node->path);
    return 0;
}

static int change_image(struct job *job, struct err *err)
{
    auto_buf struct buf script;
    auto_debugfs struct debugfs_output output = {0};
    auto_free struct debugfs_stat *stats = mem_calloc(job->n_nodes, sizeof(*stats));
    buf_init(&script, SIZE_MAX);
    for (size_t i = 0; i < job->n_nodes; i++)
        if (add_change(job, &script, &job->nodes[i], err) != 0)
            return -1;
    for (size_t i = 0; i < job->n_nodes; i++)
        add_check(job, &script, &job->nodes[i]);
    if (debugfs_run(job->image, DEBUGFS_WRITE, buf_text(&script), job->dir, &output, err) != 0 ||
        check_complaints(&output, err) != 0)
        return -1;
    debugfs_stats(&output, stats, job->n_nodes);
    for (size_t i = 0; i < job->n_nodes; i++)
        if (check_node(job, &job->nodes[i], &stats[i], err) != 0)
            return -1;
    return 0;
}

/* ---- life ---- */

static void release_job(struct job *job)
{
    for (size_t i = 0; i < job->n_nodes; i++) {
        free(job->nodes[i].path);
        buf_release(&job->nodes[i].content);
    }
    free(job->nodes);
    free(job->changes);
    if (job->dir != NULL)
        (void)path_remove_tree(job->dir, NULL);
    free(job->dir);
}

static int run_job(struct job *job, const char *scratch, struct err *err)
{
    auto_free char *dir = path_join(scratch, "fault-XXXXXX");
    if (mkdtemp(dir) == NULL)
        return err_sys(err, errno, "cannot make a directory in %s", scratch);
    job->dir = steal_text(&dir);
    if (parse_changes(job, err) != 0 || look(job, err) != 0 || play_changes(job, err) != 0 ||
        change_image(job, err) != 0)
        return -1;
    for (size_t i = 0; i < job->n_changes; i++)
        if (fault_change_is_last(&job->changes[i]) &&
            fault_damage_apply(&job->changes[i], job->image, job->dir, err) != 0)
            return err_prefix(err, "change %zu", i + 1);
    return 0;
}

int fault_apply_image(const struct fault *fault, const char *image, const char *scratch,
                      struct err *err)
{
    struct job job = {.fault = fault, .image = image};
    int result = run_job(&job, scratch, err);
    release_job(&job);
    return result == 0 ? 0 : err_prefix(err, "fault %s", fault->name);
}
