/* SPDX-License-Identifier: Apache-2.0 */
/* mem: allocation that cannot fail. Out of memory aborts, so callers have no such branch. */
#ifndef BOOTDIAG_BASE_MEM_H
#define BOOTDIAG_BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>

/* Zeroed room for `count` objects of `size` bytes; freed with free(). Aborts on overflow. */
void *mem_calloc(size_t count, size_t size);

/* Resizes to `count` objects of `size` bytes; new bytes are not zeroed. Aborts on overflow. */
void *mem_realloc(void *old, size_t count, size_t size);

/* Copies; the result is owned by the caller. mem_strdup(NULL) is NULL. */
char *mem_strdup(const char *text);
char *mem_strndup(const char *text, size_t len);
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *mem_vprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

/* Makes room for one more element of `size` bytes in an array that grows by doubling: returns the
 * array, moved if need be. `*cap` counts elements. */
void *mem_grow(void *array, size_t len, size_t *cap, size_t size);

#endif
