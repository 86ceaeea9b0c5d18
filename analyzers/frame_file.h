/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame_file: the frames of a capture, one after the other, in the classic file format
 * (pcap-savefile(5)): either byte order, microseconds or nanoseconds. Whoever wrote it may be
 * hostile or may have been killed while writing: no length in it is trusted, and reading ends where
 * it stops making sense.
 */
#ifndef BOOTDIAG_FRAME_FILE_H
#define BOOTDIAG_FRAME_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAME_FILE_ETHERNET = 1 };

/* A position in a capture. */
struct frame_file {
    const uint8_t *data; /* borrowed */
    size_t len, at;
    bool swapped; /* written on a machine of the other byte order */
    bool nanoseconds;
    uint32_t link_type;
};

/* One frame. Borrowed from the capture. */
struct frame {
    const uint8_t *bytes;
    size_t len;    /* as much as was kept of it */
    int64_t at_us; /* since 1970 */
};

/* False if the bytes are no capture in this format. */
bool frame_file_open(struct frame_file *ret_file, const void *data, size_t len);

/* False at the end, and where the file is cut or damaged. */
bool frame_file_next(struct frame_file *file, struct frame *ret_frame);

#endif
