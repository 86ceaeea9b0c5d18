/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash: FNV-1a (RFC 9923), 64 bits wide: the same number for the same bytes on every host.
 *
 * For telling apart, not against an attacker: who chooses the bytes can make two of them meet.
 */
#ifndef BOOTDIAG_BASE_HASH_H
#define BOOTDIAG_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* The hash of no bytes. */
#define HASH_START UINT64_C(0xcbf29ce484222325)

/* The hash of what `hash` stands for, and these bytes behind it. */
uint64_t hash_add(uint64_t hash, const char *bytes, size_t len);

#endif
