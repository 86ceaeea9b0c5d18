/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "harness/base/auto.h"
#include "harness/base/file.h"
#include "harness/base/mem.h"

enum { CHUNK = 1 << 17 };

/* Where content is collected, and how much more may come. */
struct spool {
    int fd;
    uint64_t room;
    bool cut;
};

static int spool_open(struct spool *spool, uint64_t limit, struct err *err)
{
    const char *dir = getenv("TMPDIR");
    if (dir == NULL || dir[0] == '\0')
        dir = "/tmp";
    *spool = (struct spool){.fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), .room = limit};
    if (spool->fd >= 0)
        return 0;
    auto_free char *name = path_join(dir, "bootdiag-XXXXXX"); /* no O_TMPFILE on this file system */
    spool->fd = mkostemp(name, O_CLOEXEC);
    if (spool->fd < 0)
        return err_sys(err, errno, "cannot create a temporary file in %s", dir);
    (void)unlink(name);
    return 0;
}

/* 1: more is welcome; 0: the limit was met; -1: failed. */
static int spool_add(struct spool *spool, const char *bytes, size_t len, struct err *err)
{
    if (len > spool->room) {
        len = (size_t)spool->room;
        spool->cut = true;
    }
    if (fd_write_all(spool->fd, bytes, len, "a temporary file", err) != 0)
        return -1;
    spool->room -= len;
    return spool->cut ? 0 : 1;
}

static int add_plain(struct spool *spool, int fd, const char *path, struct err *err)
{
    auto_free char *chunk = mem_calloc(1, CHUNK);
    int more = 1;
    while (more == 1) {
        ssize_t got = read(fd, chunk, CHUNK);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_sys(err, errno, "cannot read %s", path);
        if (got == 0)
            break;
        more = spool_add(spool, chunk, (size_t)got, err);
    }
    return more < 0 ? -1 : 0;
}

/* What to do about a damaged file: its start may tell all that matters. */
#define SALVAGE "; `%s` still gives what stands before the damage"

static void inflate_release(z_stream *decoder)
{
    (void)inflateEnd(decoder);
}

/* Not gzread(3): it takes a file for complete that ends within its last few bytes. */
static int add_gzip(struct spool *spool, int fd, const char *path, struct err *err)
{
    enum { GZIP_ONLY = 16 + MAX_WBITS };
    z_stream decoder __attribute__((cleanup(inflate_release))) = {0};
    if (inflateInit2(&decoder, GZIP_ONLY) != Z_OK)
        return err_set(err, "cannot read %s: zlib cannot start", path);
    auto_free char *chunk = mem_calloc(2, CHUNK);
    char *decoded = chunk + CHUNK;
    int status = Z_STREAM_END; /* between members */
    ssize_t got;
    while ((got = read(fd, chunk, CHUNK)) > 0) {
        decoder.next_in = (Bytef *)chunk;
        decoder.avail_in = (uInt)got;
        bool full = false;
        while (decoder.avail_in > 0 || full) {
            if (status == Z_STREAM_END)
                (void)inflateReset(&decoder);
            decoder.next_out = (Bytef *)decoded;
            decoder.avail_out = CHUNK;
            status = inflate(&decoder, Z_NO_FLUSH);
            if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
                return err_set(err, "cannot read %s: damaged gzip data" SALVAGE, path, "zcat");
            int more = spool_add(spool, decoded, CHUNK - decoder.avail_out, err);
            if (more != 1)
                return more;
            full = status == Z_OK && decoder.avail_out == 0;
        }
    }
    if (got < 0)
        return err_sys(err, errno, "cannot read %s", path);
    return status == Z_STREAM_END
               ? 0
               : err_set(err, "cannot read %s: incomplete gzip data" SALVAGE, path, "zcat");
}

static void decoder_release(ZSTD_DCtx **decoder)
{
    ZSTD_freeDCtx(*decoder);
}

static int add_zstd(struct spool *spool, int fd, const char *path, struct err *err)
{
    ZSTD_DCtx *decoder __attribute__((cleanup(decoder_release))) = ZSTD_createDCtx();
    auto_free char *chunk = mem_calloc(2, CHUNK);
    char *decoded = chunk + CHUNK;
    size_t pending = 0; /* 0: between frames */
    ssize_t got;
    while ((got = read(fd, chunk, CHUNK)) > 0) {
        ZSTD_inBuffer in = {.src = chunk, .size = (size_t)got};
        while (in.pos <
               in.size) { /* at a frame's end zstd holds a byte back until all is handed out */
            ZSTD_outBuffer out = {.dst = decoded, .size = CHUNK};
            pending = ZSTD_decompressStream(decoder, &out, &in);
            if (ZSTD_isError(pending))
                return err_set(err, "cannot read %s: damaged zstd data (%s)" SALVAGE, path,
                               ZSTD_getErrorName(pending), "zstdcat");
            int more = spool_add(spool, decoded, out.pos, err);
            if (more != 1)
                return more;
        }
    }
    if (got < 0)
        return err_sys(err, errno, "cannot read %s", path);
    return pending == 0
               ? 0
               : err_set(err, "cannot read %s: incomplete zstd data" SALVAGE, path, "zstdcat");
}

static bool ends_in(const char *text, const char *suffix)
{
    size_t len = strlen(text), suffix_len = strlen(suffix);
    return len > suffix_len && strcmp(text + len - suffix_len, suffix) == 0;
}

/* What comes through a pipe has no name: its first bytes tell (RFC 1952, RFC 8878). */
static int add_stdin(struct spool *spool, struct err *err)
{
    static const char name[] = "standard input";
    struct spool raw;
    if (spool_open(&raw, spool->room, err) != 0)
        return -1;
    auto_fd int fd = raw.fd;
    unsigned char magic[4] = {0};
    if (add_plain(&raw, STDIN_FILENO, name, err) != 0)
        return -1;
    if (pread(fd, magic, sizeof(magic), 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return err_sys(err, errno, "cannot read %s", name);
    spool->cut = raw.cut;
    if (memcmp(magic, "\x1f\x8b", 2) == 0)
        return add_gzip(spool, fd, name, err);
    if (memcmp(magic, "\x28\xb5\x2f\xfd", 4) == 0)
        return add_zstd(spool, fd, name, err);
    return add_plain(spool, fd, name, err);
}

static int add_path(struct spool *spool, const char *path, struct err *err)
{
    if (strcmp(path, "-") == 0)
        return add_stdin(spool, err);
    auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, errno, "cannot read %s", path);
    if (ends_in(path, ".gz"))
        return add_gzip(spool, fd, path, err);
    if (ends_in(path, ".zst"))
        return add_zstd(spool, fd, path, err);
    return add_plain(spool, fd, path, err);
}

int bytes_load(struct bytes *ret_bytes, const char *const *paths, uint64_t limit, struct err *err)
{
    struct spool spool;
    if (spool_open(&spool, limit, err) != 0)
        return -1;
    auto_fd int fd = spool.fd;
    for (; *paths != NULL && !spool.cut; paths++)
        if (add_path(&spool, *paths, err) != 0)
            return -1;

    size_t len = (size_t)(limit - spool.room);
    struct bytes loaded = {.data = "", .len = len, .cut = spool.cut};
    if (len > 0) {
        void *map = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map == MAP_FAILED)
            return err_sys(err, errno, "cannot map %zu bytes", len);
        loaded.data = map;
    }
    *ret_bytes = loaded;
    return 0;
}

void bytes_release(struct bytes *bytes)
{
    if (bytes->len > 0)
        (void)munmap((void *)bytes->data, bytes->len);
    *bytes = (struct bytes){0};
}
