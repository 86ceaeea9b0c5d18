/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/staging.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/auto.h"
#include "harness/base/file.h"
#include "harness/base/mem.h"

static const char NEW[] = ".new-", OLD[] = ".old-";
enum { MARK_LEN = sizeof(NEW) - 1, RANDOM_LEN = 6 };

/* The directory's own lock; -1: another process has it, or it is gone. */
static int lock_dir(const char *dir)
{
    auto_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat locked, named;
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0)
        return -1;
    /* it may have been removed before it was locked */
    if (fstat(fd, &locked) != 0 || stat(dir, &named) != 0 || locked.st_ino != named.st_ino)
        return -1;
    return steal_fd(&fd);
}

static void remove_abandoned(const char *dir)
{
    auto_fd int lock = lock_dir(dir);
    if (lock >= 0)
        (void)path_remove_tree(dir, NULL);
}

static bool is_marked(const char *name, const char *base, const char *mark)
{
    size_t len = strlen(base);
    return strncmp(name, base, len) == 0 && strncmp(name + len, mark, MARK_LEN) == 0 &&
           strlen(name + len + MARK_LEN) == RANDOM_LEN;
}

/* What killed processes left. An old one whose new one never came is put back. */
static void clear_up(const char *final, const char *parent)
{
    auto_dir DIR *entries = opendir(parent);
    const struct dirent *entry;
    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        auto_free char *path = path_join(parent, entry->d_name);
        if (is_marked(entry->d_name, path_base(final), OLD) && !path_exists(final))
            (void)rename(path, final);
        else if (is_marked(entry->d_name, path_base(final), OLD) ||
                 is_marked(entry->d_name, path_base(final), NEW))
            remove_abandoned(path);
    }
}

int staging_init(struct staging *staging, const char *final, struct err *err)
{
    enum { ATTEMPTS = 10 };
    auto_free char *parent = path_dir(final);
    *staging = (struct staging)STAGING_INIT;
    if (path_make_dirs(parent, err) != 0)
        return -1;
    clear_up(final, parent);
    for (int i = 0; i < ATTEMPTS && staging->lock < 0; i++) {
        free(staging->dir);
        staging->dir = mem_printf("%s%sXXXXXX", final, NEW);
        if (mkdtemp(staging->dir) == NULL || chmod(staging->dir, 0755) != 0) {
            int failed = errno;
            free(staging->dir);
            staging->dir = NULL;
            return err_sys(err, failed, "cannot create a directory in %s", parent);
        }
        staging->lock = lock_dir(staging->dir);
    }
    staging->final = mem_strdup(final);
    return staging->lock >= 0 ? 0 : err_set(err, "cannot lock a directory in %s", parent);
}

static int replace_in_two_steps(const struct staging *staging, struct err *err)
{
    auto_free char *old =
        mem_printf("%s%s%s", staging->final, OLD, staging->dir + strlen(staging->dir) - RANDOM_LEN);
    if (rename(staging->final, old) != 0)
        return err_sys(err, errno, "cannot replace %s", staging->final);
    if (rename(staging->dir, staging->final) != 0) {
        int failed = errno;
        (void)rename(old, staging->final);
        return err_sys(err, failed, "cannot create %s", staging->final);
    }
    return path_remove_tree(old, err);
}

int staging_commit(struct staging *staging, struct err *err)
{
    int result = 0;
    if (rename(staging->dir, staging->final) != 0) { /* there is one already */
        if (errno != ENOTEMPTY && errno != EEXIST)
            return err_sys(err, errno, "cannot create %s", staging->final);
        if (renameat2(AT_FDCWD, staging->dir, AT_FDCWD, staging->final, RENAME_EXCHANGE) == 0)
            result = path_remove_tree(staging->dir, err);
        else
            result = replace_in_two_steps(staging, err);
    }
    if (result == 0) {
        free(staging->dir);
        staging->dir = NULL;
    }
    return result;
}

void staging_release(struct staging *staging)
{
    if (staging->dir != NULL)
        (void)path_remove_tree(staging->dir, NULL);
    if (staging->lock >= 0)
        (void)close(staging->lock);
    free(staging->dir);
    free(staging->final);
    *staging = (struct staging)STAGING_INIT;
}
