/* SPDX-License-Identifier: Apache-2.0 */
/* arrivals: when the bytes of a console came: console.times, read, moved over a gap, looked up. */
#ifndef BOOTDIAG_ARRIVALS_H
#define BOOTDIAG_ARRIVALS_H

#include <stddef.h>
#include <stdint.h>

/* The byte at `offset` of the console, and all up to the next entry, arrived at `at_ms`. */
struct record_time {
    uint64_t offset;
    int64_t at_ms;
};

/*
 * "<offset> <ms>\n" per entry, both ascending; what is not is where reading ends. Returns an owned
 * array of `*ret_n` entries, NULL if there are none.
 */
struct record_time *arrivals_parse(const char *text, size_t *ret_n);

/*
 * Offsets into all that was received become offsets into a file without the `dropped` bytes at
 * `gap`. Entries inside the gap go; the last of them stays for the bytes that it brought behind the
 * gap. Returns how many entries are left.
 */
size_t arrivals_close_gap(struct record_time *times, size_t n, uint64_t gap, uint64_t dropped);

/* When the byte at `offset` arrived, or -1. */
int64_t arrivals_find(const struct record_time *times, size_t n, uint64_t offset);

#endif
