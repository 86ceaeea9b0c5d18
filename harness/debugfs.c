/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output goes to files, not pipes: standard output and standard error stay apart, and a child that
 * writes much cannot block. The image is reached by a symbolic link, because libext2fs takes a '?'
 * in a name for the start of options.
 */
#include "harness/debugfs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/auto.h"
#include "harness/base/file.h"
#include "harness/base/mem.h"
#include "harness/base/proc.h"

enum { LIMIT_MS = 60000, OUTPUT_LIMIT = 4 << 20 };

void debugfs_output_release(struct debugfs_output *output)
{
    buf_release(&output->said);
    buf_release(&output->errors);
}

static int open_output(const char *dir, const char *name, struct err *err)
{
    auto_free char *path = path_join(dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return fd >= 0 ? fd : err_sys(err, errno, "cannot write %s", path);
}

/* It lives in /usr/sbin, which is not in everybody's PATH. */
static int start(struct proc *proc, struct proc_spec *spec, const char **argv, struct err *err)
{
    static const char *const places[] = {"debugfs", "/usr/sbin/debugfs", "/sbin/debugfs"};
    int exec_errno = 0;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        argv[0] = places[i];
        spec->argv = argv;
        if (proc_start(proc, spec, &exec_errno, err) == 0)
            return 0;
        if (exec_errno != ENOENT)
            return -1;
    }
    return err_set(err, "debugfs was not found: install the package e2fsprogs");
}

static int wait_for(struct proc *proc, struct err *err)
{
    struct pollfd wait = {.fd = proc->pidfd, .events = POLLIN};
    int got;
    do
        got = poll(&wait, 1, LIMIT_MS);
    while (got < 0 && errno == EINTR);
    struct proc_exit end = {0};
    proc_release(proc, &end);
    if (got <= 0)
        return err_set(err, "debugfs did not end within %d s", LIMIT_MS / 1000);
    if (end.code != 0)
        return err_set(err, "debugfs ended with status %d, signal %d", end.code, end.signal);
    return 0;
}

static int run_script(enum debugfs_access access, const char *dir, struct err *err)
{
    auto_fd int out = open_output(dir, "output", err);
    auto_fd int errors = out < 0 ? -1 : open_output(dir, "errors", err);
    if (errors < 0)
        return -1;
    const char *read_only[] = {"debugfs", "-f", "script", "image", NULL};
    const char *writable[] = {"debugfs", "-w", "-f", "script", "image", NULL};
    struct proc_spec spec = {.dir = dir, .stdin_fd = -1, .stdout_fd = out, .stderr_fd = errors};
    struct proc proc = PROC_INIT;
    if (start(&proc, &spec, access == DEBUGFS_WRITE ? writable : read_only, err) != 0)
        return -1;
    return wait_for(&proc, err);
}

/* "debugfs: Bad magic number in super-block while trying to open image" */
static int check_opened(const struct debugfs_output *output, const char *image, struct err *err)
{
    static const char mark[] = " while trying to open";
    const char *end = strstr(buf_text(&output->errors), mark);
    if (end == NULL)
        return 0;
    const char *start = end;
    while (start > output->errors.data && start[-1] != '\n')
        start--;
    if (strncmp(start, "debugfs: ", 9) == 0)
        start += 9;
    return err_set(err, "%s cannot be opened as an ext4 image: %.*s", image, (int)(end - start),
                   start);
}

static int prepare_dir(const char *image, const char *commands, const char *dir, struct err *err)
{
    auto_free char *real = realpath(image, NULL);
    if (real == NULL)
        return err_sys(err, errno, "cannot read %s", image);
    auto_free char *link = path_join(dir, "image");
    auto_free char *script = path_join(dir, "script");
    if (unlink(link) != 0 && errno != ENOENT)
        return err_sys(err, errno, "cannot replace %s", link);
    if (symlink(real, link) != 0)
        return err_sys(err, errno, "cannot make %s", link);
    return file_write(script, commands, strlen(commands), err);
}

int debugfs_run(const char *image, enum debugfs_access access, const char *commands,
                const char *dir, struct debugfs_output *ret_output, struct err *err)
{
    auto_debugfs struct debugfs_output output = {0};
    auto_free char *said = path_join(dir, "output");
    auto_free char *errors = path_join(dir, "errors");
    if (prepare_dir(image, commands, dir, err) != 0 || run_script(access, dir, err) != 0 ||
        file_read(said, OUTPUT_LIMIT, &output.said, err) != 0 ||
        file_read(errors, OUTPUT_LIMIT, &output.errors, err) != 0 ||
        check_opened(&output, image, err) != 0)
        return -1;
    *ret_output = output;
    output = (struct debugfs_output){0};
    return 0;
}

static void read_type(const char *line, struct debugfs_stat *stat)
{
    static const char *const names[] = {[DEBUGFS_FILE] = "Type: regular",
                                        [DEBUGFS_DIR] = "Type: directory",
                                        [DEBUGFS_LINK] = "Type: symlink"};
    stat->type = DEBUGFS_OTHER;
    for (int type = DEBUGFS_FILE; type <= DEBUGFS_LINK; type++)
        if (strstr(line, names[type]) != NULL)
            stat->type = type;
    const char *mode = strstr(line, "Mode:");
    if (mode != NULL)
        stat->mode = (unsigned)strtoul(mode + 5, NULL, 8) & 07777;
}

static void read_stat_line(const char *line, struct debugfs_stat *stat)
{
    if (strncmp(line, "Inode: ", 7) == 0)
        read_type(line, stat);
    const char *size = strstr(line, " Size: ");
    if (strncmp(line, "User:", 5) != 0 || size == NULL)
        return;
    const char *group = strstr(line, "Group:");
    stat->uid = (unsigned)strtoul(line + 5, NULL, 10);
    stat->gid = group != NULL ? (unsigned)strtoul(group + 6, NULL, 10) : 0;
    stat->size = strtoull(size + 7, NULL, 10);
}

void debugfs_stats(const struct debugfs_output *output, struct debugfs_stat *ret_stats, size_t n)
{
    memset(ret_stats, 0, n * sizeof(*ret_stats));
    auto_free char *copy = mem_strdup(buf_text(&output->said));
    char *rest = copy, *line;
    struct debugfs_stat *current = NULL;
    size_t next = 0;
    while ((line = strsep(&rest, "\n")) != NULL) {
        if (strncmp(line, "debugfs: stat ", 14) == 0)
            current = next < n ? &ret_stats[next++] : NULL;
        else if (strncmp(line, "debugfs: ", 9) == 0)
            current = NULL;
        else if (current != NULL)
            read_stat_line(line, current);
    }
}
