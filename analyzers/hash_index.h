/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash_index: numbers 64-bit hashes in the order in which they are first added.
 *
 * The hashes come from consoles and may be chosen by an attacker: a look-up takes a bounded number
 * of steps. What cannot be placed within them, or comes after `limit` others, is turned away.
 */
#ifndef BOOTDIAG_HASH_INDEX_H
#define BOOTDIAG_HASH_INDEX_H

#include <stddef.h>
#include <stdint.h>

enum { HASH_INDEX_NONE = UINT32_MAX };

struct hash_slot {
    uint64_t hash;
    uint32_t value; /* plus 1; 0: free */
};

struct hash_index {
    struct hash_slot *slots; /* owned */
    size_t n_slots;          /* a power of two, or 0 */
    uint32_t len;
    uint32_t limit;
};

void hash_index_init(struct hash_index *index, uint32_t limit);
void hash_index_release(struct hash_index *index);

/* The hash's number, or HASH_INDEX_NONE. */
uint32_t hash_index_find(const struct hash_index *index, uint64_t hash);

/* The same; a hash not yet there gets the next number (the former `len`) if there is room. */
uint32_t hash_index_add(struct hash_index *index, uint64_t hash);

#endif
