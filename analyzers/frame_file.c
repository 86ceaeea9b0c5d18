/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzers/frame_file.h"

#include <string.h>

static const uint32_t MAGIC = 0xa1b2c3d4, MAGIC_NANOSECONDS = 0xa1b23c4d;

enum { FILE_HEADER = 24, FRAME_HEADER = 16, AT_LINK_TYPE = 20, MAX_FRAME = 256 * 1024 };

static uint32_t get32(const struct frame_file *file, size_t at)
{
    uint32_t value;
    memcpy(&value, file->data + at, sizeof(value));
    return file->swapped ? __builtin_bswap32(value) : value;
}

static bool has_magic(struct frame_file *file, bool swapped)
{
    file->swapped = swapped;
    uint32_t magic = get32(file, 0);
    file->nanoseconds = magic == MAGIC_NANOSECONDS;
    return magic == MAGIC || magic == MAGIC_NANOSECONDS;
}

bool frame_file_open(struct frame_file *ret_file, const void *data, size_t len)
{
    struct frame_file file = {.data = data, .len = len, .at = FILE_HEADER};
    if (data == NULL || len < FILE_HEADER || (!has_magic(&file, false) && !has_magic(&file, true)))
        return false;
    file.link_type = get32(&file, AT_LINK_TYPE) & 0xffff; /* above it: the length of an FCS */
    *ret_file = file;
    return true;
}

bool frame_file_next(struct frame_file *file, struct frame *ret_frame)
{
    if (file->len - file->at < FRAME_HEADER)
        return false;
    uint32_t seconds = get32(file, file->at), fraction = get32(file, file->at + 4);
    size_t len = get32(file, file->at + 8);
    if (len > MAX_FRAME || len > file->len - file->at - FRAME_HEADER)
        return false;
    ret_frame->bytes = file->data + file->at + FRAME_HEADER;
    ret_frame->len = len;
    ret_frame->at_us =
        (int64_t)seconds * 1000 * 1000 + (file->nanoseconds ? fraction / 1000 : fraction);
    file->at += FRAME_HEADER + len;
    return true;
}
