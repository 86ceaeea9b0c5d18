/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing, at most half full, doubled when needed. */
#include "analyzers/hash_index.h"

#include <stdlib.h>

#include "harness/base/mem.h"

enum { FIRST_SLOTS = 1024, MAX_STEPS = 64 };

void hash_index_init(struct hash_index *index, uint32_t limit)
{
    *index = (struct hash_index){.limit = limit};
}

void hash_index_release(struct hash_index *index)
{
    free(index->slots);
    *index = (struct hash_index){0};
}

/* The hash's slot, or the free one where it belongs; NULL: too many steps. */
static struct hash_slot *find_slot(const struct hash_index *index, uint64_t hash)
{
    size_t mask = index->n_slots - 1;
    size_t at = (size_t)((hash ^ hash >> 29) * UINT64_C(0x9e3779b97f4a7c15) >> 20);
    for (int step = 0; step < MAX_STEPS; step++, at++) {
        struct hash_slot *slot = &index->slots[at & mask];
        if (slot->value == 0 || slot->hash == hash)
            return slot;
    }
    return NULL;
}

uint32_t hash_index_find(const struct hash_index *index, uint64_t hash)
{
    const struct hash_slot *slot = index->n_slots > 0 ? find_slot(index, hash) : NULL;
    return slot != NULL && slot->value > 0 ? slot->value - 1 : HASH_INDEX_NONE;
}

static void grow(struct hash_index *index)
{
    struct hash_index bigger = *index;
    bigger.n_slots = index->n_slots > 0 ? index->n_slots * 2 : FIRST_SLOTS;
    bigger.slots = mem_calloc(bigger.n_slots, sizeof(*bigger.slots));
    for (size_t i = 0; i < index->n_slots; i++) {
        struct hash_slot *slot =
            index->slots[i].value > 0 ? find_slot(&bigger, index->slots[i].hash) : NULL;
        if (slot != NULL)
            *slot = index->slots[i];
    }
    free(index->slots);
    *index = bigger;
}

uint32_t hash_index_add(struct hash_index *index, uint64_t hash)
{
    uint32_t known = hash_index_find(index, hash);
    if (known != HASH_INDEX_NONE || index->len >= index->limit)
        return known;
    if ((size_t)index->len * 2 >= index->n_slots)
        grow(index);
    struct hash_slot *slot = find_slot(index, hash);
    if (slot == NULL)
        return HASH_INDEX_NONE;
    *slot = (struct hash_slot){.hash = hash, .value = ++index->len};
    return index->len - 1;
}
