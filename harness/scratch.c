/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/auto.h"
#include "harness/base/file.h"
#include "harness/base/mem.h"

static const char *temporary_dir(void)
{
    const char *dir = getenv("TMPDIR");
    return dir != NULL && dir[0] != '\0' ? dir : "/tmp";
}

/* Removes one left-over directory if it is ours and nobody holds its lock. */
static void reclaim(const char *path)
{
    auto_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0 || status.st_uid != getuid())
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        (void)path_remove_tree(path, NULL);
}

static void reclaim_all(const char *dir, const char *prefix)
{
    auto_dir DIR *entries = opendir(dir);
    const struct dirent *entry;
    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        auto_free char *path = path_join(dir, entry->d_name);
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
            reclaim(path);
    }
}

/* Waits for the lock of a fresh directory. -1 with ENOENT: see scratch_init. */
static int open_locked(const char *path)
{
    auto_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat there;
    if (fd < 0 || flock(fd, LOCK_EX) != 0 || stat(path, &there) != 0)
        return -1;
    return steal_fd(&fd);
}

int scratch_init(struct scratch *scratch, struct err *err)
{
    const char *dir = temporary_dir();
    auto_free char *prefix = mem_printf("bootdiag-%u-", (unsigned)getuid());
    reclaim_all(dir, prefix);

    for (;;) {
        auto_free char *path = mem_printf("%s/%sXXXXXX", dir, prefix);
        if (mkdtemp(path) == NULL)
            return err_sys(err, errno, "cannot create a temporary directory in %s", dir);
        int fd = open_locked(path);
        if (fd >= 0) {
            *scratch = (struct scratch){.dir = steal_text(&path), .fd = fd};
            return 0;
        }
        if (errno == ENOENT) /* another bootdiag that starts now took it for a left-over: again */
            continue;
        int saved = errno;
        (void)rmdir(path);
        return err_sys(err, saved, "cannot lock %s", path);
    }
}

void scratch_release(struct scratch *scratch)
{
    if (scratch->dir == NULL)
        return;
    (void)path_remove_tree(scratch->dir, NULL);
    (void)close(scratch->fd);
    free(scratch->dir);
    *scratch = (struct scratch)SCRATCH_INIT;
}
