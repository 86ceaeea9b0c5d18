/* SPDX-License-Identifier: Apache-2.0 */
/*
 * causes: the catalogue of causes (contract: fixtures/contract/causes.json), and which explains
 * which (fixtures/contract/precedence.md).
 */
#ifndef BOOTDIAG_CAUSES_H
#define BOOTDIAG_CAUSES_H

#include <stdbool.h>
#include <stddef.h>

struct cause {
    const char *id;    /* "agent.module-missing" */
    const char *layer; /* what stands before the dot */
    const char *title;
    const char *remedy;          /* what to do about it, in general */
    const char *const *explains; /* NULL-terminated ids, or "layer.*"; NULL: nothing */
};

/* The whole catalogue, in the contract's order, which is the order on the way from host to port. */
const struct cause *causes_all(size_t *ret_n);

/* NULL if there is no such cause. */
const struct cause *cause_find(const char *id);

/* Position in the catalogue; causes of a user's own rules ("x.") stand last, and those whose layer
 * is known ("agent.own") with the first of that layer. */
size_t cause_rank(const char *id);

/* True if the catalogue has causes of that layer. */
bool cause_is_layer(const char *layer);

/*
 * "agent.own" for "agent": stands for any cause of a user's own in that layer where causes are
 * ranked and explained. It is explained by whatever explains all of the layer, and explains what
 * any cause of the layer explains in the same layer and behind it. Static; NULL: no such layer.
 */
const char *cause_own_key(const char *layer);

/* True if what stands before the dot of `id` is `layer`. */
bool cause_in_layer(const char *id, const char *layer);

/* True if `cause`, when present, makes `other` its consequence, directly or through others. */
bool cause_explains(const char *cause, const char *other);

#endif
