/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "harness/base/auto.h"
#include "harness/base/clock.h"
#include "harness/base/digest.h"
#include "harness/base/hash.h"
#include "harness/base/mem.h"

int image_check(const char *member, const char *path, const char *cause, struct err *err)
{
    if (path == NULL)
        return 0;
    int why = access(path, R_OK) != 0 ? errno : path_is_dir(path) ? EISDIR : 0;
    if (why == 0)
        return 0;
    err_set(err, "cannot read %s: %s; make it, or set \"%s\" in the target to another file", path,
            strerror(why), member);
    return err_cause(err, cause);
}

int image_describe(struct record_image *ret_image, const char *path, struct err *err)
{
    *ret_image = (struct record_image){.size = RECORD_UNKNOWN};
    if (path == NULL)
        return 0;
    struct stat status;
    char sha256[FILE_SHA256_SIZE], mtime[CLOCK_TEXT_SIZE];
    if (stat(path, &status) != 0)
        return err_sys(err, errno, "cannot read %s", path);
    auto_free char *cache_dir = digest_cache_dir();
    if (digest_file(path, cache_dir, time(NULL), sha256, err) != 0)
        return -1;
    clock_text(status.st_mtime, mtime);
    bool has_size = S_ISREG(status.st_mode); /* a block device has the size 0 here */
    *ret_image = (struct record_image){.path = mem_strdup(path),
                                       .size = has_size ? status.st_size : RECORD_UNKNOWN,
                                       .mtime = mem_strdup(mtime),
                                       .sha256 = mem_strdup(sha256)};
    return 0;
}

void image_release(struct record_image *image)
{
    free(image->path);
    free(image->mtime);
    free(image->sha256);
    *image = (struct record_image){.size = RECORD_UNKNOWN};
}

void image_copy(struct record_image *to, const struct record_image *from)
{
    image_release(to);
    *to = (struct record_image){.path = mem_strdup(from->path),
                                .size = from->size,
                                .mtime = mem_strdup(from->mtime),
                                .sha256 = mem_strdup(from->sha256)};
}

int image_set_describe(struct image_set *ret_images, const struct target *target, struct err *err)
{
    *ret_images = (struct image_set){0};
    if (image_describe(&ret_images->kernel, target->kernel, err) == 0 &&
        image_describe(&ret_images->initrd, target->initrd, err) == 0 &&
        image_describe(&ret_images->rootfs, target->rootfs, err) == 0)
        return 0;
    image_set_release(ret_images);
    return -1;
}

void image_set_release(struct image_set *images)
{
    image_release(&images->kernel);
    image_release(&images->initrd);
    image_release(&images->rootfs);
}

static int identity_of(const char *rootfs, const char *kernel, const char *backend,
                       const char *network, char ret_identity[static IDENTITY_SIZE])
{
    const char *const parts[] = {rootfs, kernel, backend, network};
    uint64_t hash = HASH_START;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i] == NULL)
            return -1;
        hash = hash_add(hash, parts[i], strlen(parts[i]));
        hash = hash_add(hash, "\n", 1);
    }
    (void)snprintf(ret_identity, IDENTITY_SIZE, "%016llx", (unsigned long long)hash);
    return 0;
}

int image_identity(const struct image_set *images, const char *backend, const char *network,
                   char ret_identity[static IDENTITY_SIZE])
{
    return identity_of(images->rootfs.sha256, images->kernel.sha256, backend, network,
                       ret_identity);
}

int image_record_identity(const struct record *record, char ret_identity[static IDENTITY_SIZE])
{
    return identity_of(record->rootfs.sha256, record->kernel.sha256, record->backend,
                       record->probe.network, ret_identity);
}
