/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json: reading members of a fixed shape from JSON with errors that name file and member, on top of
 * jansson. Writing text that may hold any byte.
 */
#ifndef BOOTDIAG_BASE_JSON_H
#define BOOTDIAG_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "harness/base/err.h"

/* Parses a file of at most 16 MiB whose root must be an object. NULL on failure. */
json_t *json_read_object(const char *path, struct err *err);

/* The same of an array. */
json_t *json_read_array(const char *path, struct err *err);

/* Indented, with a final newline, atomically. */
int json_write_file(const json_t *value, const char *path, struct err *err);

/*
 * One member each: absent or null leaves `*ret` untouched and is fine; a wrong type or range is an
 * error that begins with `name`: `name: "port": expected 1-65535, got 0`. Text is replaced (the old
 * one freed).
 */
int json_get_text(const json_t *object, const char *key, const char *name, char **ret,
                  struct err *err);
int json_get_int(const json_t *object, const char *key, const char *name, int64_t min, int64_t max,
                 int64_t *ret, struct err *err);
int json_get_int32(const json_t *object, const char *key, const char *name, int min, int max,
                   int *ret, struct err *err);
int json_get_real(const json_t *object, const char *key, const char *name, double *ret,
                  struct err *err);
int json_get_bool(const json_t *object, const char *key, const char *name, bool *ret,
                  struct err *err);
/* An absent member leaves *ret NULL; borrowed from `object`. */
int json_get_object(const json_t *object, const char *key, const char *name, const json_t **ret,
                    struct err *err);
int json_get_array(const json_t *object, const char *key, const char *name, const json_t **ret,
                   struct err *err);

/* Text as a new JSON string, whatever its bytes: invalid UTF-8 becomes \xHH. NULL becomes null. */
json_t *json_text(const char *text);

/* A number, or null where it is negative (RECORD_UNKNOWN). */
json_t *json_number_or_null(int64_t number);

#endif
