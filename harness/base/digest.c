/* SPDX-License-Identifier: Apache-2.0 */
/* An entry is one line: the digest, what it belongs to, and a checksum of both. It is valid if it
 * is, byte for byte, what would be written for the digest that it begins with. */
#include "harness/base/digest.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/auto.h"
#include "harness/base/hash.h"
#include "harness/base/mem.h"

enum {
    N_SLOTS = 4096, /* a bound for what is left on disk: two files of one slot take turns */
    LARGEST_ENTRY = 16 << 10,
    SETTLED_S = 2, /* the coarsest time stamps, those of FAT */
};

char *digest_cache_dir(void)
{
    const char *cache = getenv("XDG_CACHE_HOME");
    if (cache != NULL && cache[0] == '/')
        return path_join(cache, "bootdiag");
    const char *home = getenv("HOME");
    return home != NULL && home[0] == '/' ? path_join(home, ".cache/bootdiag") : NULL;
}

/* NULL: nothing can be remembered of it. A block device has no time stamps of its content. */
static char *key_of(const char *path, time_t now)
{
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode) ||
        status.st_ctim.tv_sec > now - SETTLED_S)
        return NULL;
    return mem_printf("%jd %jd.%09ld %jd.%09ld %ju:%ju %s", (intmax_t)status.st_size,
                      (intmax_t)status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                      (intmax_t)status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
                      (uintmax_t)status.st_dev, (uintmax_t)status.st_ino, path);
}

static char *entry_text(const char *hex, const char *key)
{
    uint64_t sum = hash_add(HASH_START, hex, strlen(hex));
    sum = hash_add(sum, key, strlen(key));
    return mem_printf("%s %s %016" PRIx64 "\n", hex, key, sum);
}

/* The slot goes by the path alone: an image that is built again takes its old one's. */
static char *entry_path(const char *cache_dir, const char *path)
{
    uint64_t hash = hash_add(HASH_START, path, strlen(path));
    return mem_printf("%s/sha256-%03x", cache_dir, (unsigned)(hash % N_SLOTS));
}

static bool is_ours(const char *dir)
{
    struct stat status;
    return stat(dir, &status) == 0 && status.st_uid == geteuid();
}

static int recall(const char *entry, const char *key, char ret_hex[static FILE_SHA256_SIZE])
{
    char hex[FILE_SHA256_SIZE] = "";
    auto_buf struct buf content;
    buf_init(&content, 0);
    if (!path_is_file(entry) || file_read(entry, LARGEST_ENTRY, &content, NULL) != 0 ||
        content.len < FILE_SHA256_SIZE)
        return -1;
    memcpy(hex, buf_text(&content), FILE_SHA256_SIZE - 1);
    auto_free char *expected = entry_text(hex, key);
    if (strlen(expected) != content.len || memcmp(expected, buf_text(&content), content.len) != 0)
        return -1;
    memcpy(ret_hex, hex, sizeof(hex));
    return 0;
}

/* Best effort: who cannot remember reads again. */
static void remember(const char *cache_dir, const char *entry, const char *key, const char *hex)
{
    auto_free char *text = entry_text(hex, key);
    if (path_make_dirs(cache_dir, NULL) == 0 && is_ours(cache_dir))
        (void)file_write(entry, text, strlen(text), NULL);
}

int digest_file(const char *path, const char *cache_dir, time_t now,
                char ret_hex[static FILE_SHA256_SIZE], struct err *err)
{
    auto_free char *whole = cache_dir != NULL ? realpath(path, NULL) : NULL;
    auto_free char *key = whole != NULL ? key_of(whole, now) : NULL;
    if (key == NULL)
        return file_sha256(path, ret_hex, err);
    auto_free char *entry = entry_path(cache_dir, whole);
    if (is_ours(cache_dir) && recall(entry, key, ret_hex) == 0)
        return 0;
    if (file_sha256(path, ret_hex, err) != 0)
        return -1;
    auto_free char *key_after = key_of(whole, now);
    if (key_after != NULL && strcmp(key, key_after) == 0) /* else it changed while it was read */
        remember(cache_dir, entry, key, ret_hex);
    return 0;
}
