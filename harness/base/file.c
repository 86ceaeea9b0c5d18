/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "harness/base/auto.h"
#include "harness/base/mem.h"

char *path_join(const char *dir, const char *name)
{
    if (name[0] == '/' || dir == NULL || dir[0] == '\0')
        return mem_strdup(name);
    const char *slash = dir[strlen(dir) - 1] == '/' ? "" : "/";
    return mem_printf("%s%s%s", dir, slash, name);
}

char *path_dir(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return mem_strdup(".");
    return slash == path ? mem_strdup("/") : mem_strndup(path, (size_t)(slash - path));
}

const char *path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

bool path_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool path_is_file(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

bool path_is_dir(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

int path_make_dirs(const char *path, struct err *err)
{
    auto_free char *partial = mem_strdup(path);
    for (char *slash = partial; *slash != '\0'; slash++) {
        if (*slash != '/' || slash == partial)
            continue;
        *slash = '\0';
        if (mkdir(partial, 0755) != 0 && errno != EEXIST)
            return err_sys(err, errno, "cannot create the directory %s", partial);
        *slash = '/';
    }
    if (mkdir(partial, 0755) != 0 && errno != EEXIST)
        return err_sys(err, errno, "cannot create the directory %s", partial);
    if (!path_is_dir(path))
        return err_sys(err, ENOTDIR, "cannot create the directory %s", path);
    return 0;
}

static int remove_errno; /* first failure of the running walk: nftw has no context argument */

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status, (void)type, (void)ftw;
    if (remove(path) != 0 && errno != ENOENT && remove_errno == 0)
        remove_errno = errno;
    return 0;
}

int path_remove_tree(const char *path, struct err *err)
{
    remove_errno = 0;
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        remove_errno = errno;
    return remove_errno == 0 ? 0 : err_sys(err, remove_errno, "cannot remove %s", path);
}

/* Opening a FIFO must not wait for its writer, and nothing here may read one; -1 on failure. */
static int open_content(const char *path, struct err *err)
{
    auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0)
        return err_sys(err, errno, "cannot read %s", path);
    if (S_ISDIR(status.st_mode))
        return err_sys(err, EISDIR, "cannot read %s", path);
    if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
        return err_set(err, "cannot read %s: not a regular file", path);
    return steal_fd(&fd);
}

static ssize_t read_some(int fd, char *bytes, size_t size)
{
    ssize_t got;
    do
        got = read(fd, bytes, size);
    while (got < 0 && errno == EINTR);
    return got;
}

int file_read(const char *path, size_t limit, struct buf *ret_content, struct err *err)
{
    auto_fd int fd = open_content(path, err);
    if (fd < 0)
        return -1;

    auto_buf struct buf content;
    buf_init(&content, limit);
    char chunk[65536];
    ssize_t got;
    while ((got = read_some(fd, chunk, sizeof(chunk))) > 0) {
        buf_add(&content, chunk, (size_t)got);
        if (content.overflow)
            return err_set(err, "%s is larger than %zu bytes", path, limit);
    }
    if (got < 0)
        return err_sys(err, errno, "cannot read %s", path);
    buf_release(ret_content);
    *ret_content = content;
    buf_init(&content, limit);
    return 0;
}

int fd_write_all(int fd, const char *bytes, size_t len, const char *name, struct err *err)
{
    while (len > 0) {
        ssize_t put = write(fd, bytes, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0) {
            int saved = errno;
            err_sys(err, saved, "cannot write %s", name);
            return saved == ENOSPC ? err_cause(err, "host.disk-full") : -1;
        }
        bytes += put;
        len -= (size_t)put;
    }
    return 0;
}

int file_write(const char *path, const char *bytes, size_t len, struct err *err)
{
    auto_free char *temporary = mem_printf("%s.new-%d", path, (int)getpid());
    auto_fd int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return err_sys(err, errno, "cannot write %s", path);
    if (fd_write_all(fd, bytes, len, path, err) != 0) {
        (void)unlink(temporary);
        return -1;
    }
    if (rename(temporary, path) != 0) {
        int saved = errno;
        (void)unlink(temporary);
        return err_sys(err, saved, "cannot write %s", path);
    }
    return 0;
}

static int copy_by_hand(int from, int to, off_t start, off_t end)
{
    enum { CHUNK = 1 << 20 };
    auto_free char *chunk = mem_calloc(1, CHUNK);
    while (start < end) {
        size_t wanted = end - start < CHUNK ? (size_t)(end - start) : CHUNK;
        ssize_t got = pread(from, chunk, wanted, start);
        if (got == 0)
            break;
        ssize_t put = got < 0 ? got : pwrite(to, chunk, (size_t)got, start);
        if (put < 0 && errno != EINTR)
            return errno;
        start += put > 0 ? put : 0;
    }
    return 0;
}

/* Copies one extent of data to the same place; 0 or an errno value. */
static int copy_extent(int from, int to, off_t start, off_t end)
{
    off_t in = start, out = start;
    while (in < end) {
        ssize_t copied = copy_file_range(from, &in, to, &out, (size_t)(end - in), 0);
        if (copied == 0)
            break;
        if (copied > 0 || errno == EINTR)
            continue;
        /* file systems of different types, since Linux 5.19, and kernels that cannot at all */
        if (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)
            return copy_by_hand(from, to, in, end);
        return errno;
    }
    return 0;
}

static int copy_extents(int from, int to)
{
    off_t size = lseek(from, 0, SEEK_END);
    if (size < 0 || ftruncate(to, size) != 0)
        return errno;
    for (off_t at = 0; at < size;) {
        off_t start = lseek(from, at, SEEK_DATA);
        if (start < 0)
            return errno == ENXIO ? 0 : errno; /* ENXIO: only a hole is left */
        off_t end = lseek(from, start, SEEK_HOLE);
        if (end < 0)
            return errno;
        int failed = copy_extent(from, to, start, end);
        if (failed != 0)
            return failed;
        at = end;
    }
    return 0;
}

int file_copy_sparse(const char *from, const char *to, struct err *err)
{
    auto_fd int in = open_content(from, err);
    if (in < 0)
        return -1;
    auto_fd int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (out < 0)
        return err_sys(err, errno, "cannot create %s", to);

    if (ioctl(out, FICLONE, in) == 0)
        return 0;
    int failed = copy_extents(in, out);
    if (failed == 0)
        return 0;
    (void)unlink(to);
    err_sys(err, failed, "cannot copy %s to %s", from, to);
    return failed == ENOSPC ? err_cause(err, "host.disk-full") : -1;
}

static void digest_release(EVP_MD_CTX **digest)
{
    EVP_MD_CTX_free(*digest);
}

int file_sha256(const char *path, char ret_hex[static FILE_SHA256_SIZE], struct err *err)
{
    auto_fd int fd = open_content(path, err);
    if (fd < 0)
        return -1;
    EVP_MD_CTX *digest __attribute__((cleanup(digest_release))) = EVP_MD_CTX_new();
    if (digest == NULL || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1)
        return err_set(err, "libcrypto offers no SHA-256");

    enum { CHUNK = 1 << 20 };
    auto_free char *chunk = mem_calloc(1, CHUNK);
    ssize_t got;
    while ((got = read_some(fd, chunk, CHUNK)) > 0)
        (void)EVP_DigestUpdate(digest, chunk, (size_t)got);
    if (got < 0)
        return err_sys(err, errno, "cannot read %s", path);

    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    (void)EVP_DigestFinal_ex(digest, sum, &len);
    for (unsigned int i = 0; i < len && 2 * i + 2 < FILE_SHA256_SIZE; i++)
        (void)snprintf(ret_hex + (size_t)2 * i, 3, "%02x", sum[i]);
    return 0;
}

int64_t file_free_bytes(const char *path)
{
    struct statvfs status;
    if (statvfs(path, &status) != 0)
        return -1;
    return (int64_t)status.f_bavail * (int64_t)status.f_frsize;
}
