/* SPDX-License-Identifier: Apache-2.0 */
/* image: what was booted: the facts of an image file, and the identity that makes boots comparable.
 */
#ifndef BOOTDIAG_IMAGE_H
#define BOOTDIAG_IMAGE_H

#include "harness/base/err.h"
#include "harness/record.h"
#include "harness/target.h"

/* Can the image be read? The error says which member of the target to set, and has `cause`. A NULL
 * path is success. */
int image_check(const char *member, const char *path, const char *cause, struct err *err);

/* Path, size, mtime and SHA-256, which is remembered in the user's cache directory (digest.h). A
 * NULL path gives empty facts and success. */
int image_describe(struct record_image *ret_image, const char *path, struct err *err);
void image_release(struct record_image *image);

/* Replaces `to`; both own their text afterwards. */
void image_copy(struct record_image *to, const struct record_image *from);

/* What a target boots from. */
struct image_set {
    struct record_image kernel, initrd, rootfs;
};

/* Reads those that are not remembered, which takes as long as hashing takes: to be done once,
 * before the first boot. Empty on failure. */
int image_set_describe(struct image_set *ret_images, const struct target *target, struct err *err);
void image_set_release(struct image_set *images);

#define auto_image_set __attribute__((cleanup(image_set_release)))

enum { IDENTITY_SIZE = 17 };

/*
 * Identity of what a baseline may be compared with (contract): base image + kernel + backend family
 * + network kind, as 16 hex digits. -1 if one of them is not known.
 */
int image_identity(const struct image_set *images, const char *backend, const char *network,
                   char ret_identity[static IDENTITY_SIZE]);

/* The same of a kept record. */
int image_record_identity(const struct record *record, char ret_identity[static IDENTITY_SIZE]);

#endif
