/* SPDX-License-Identifier: Apache-2.0 */
/* words: NULL-terminated lists of texts, as argument vectors are. List and texts are owned by the
 * caller; a list that is NULL is none. */
#ifndef BOOTDIAG_BASE_WORDS_H
#define BOOTDIAG_BASE_WORDS_H

#include <jansson.h>

#include "harness/base/err.h"

char **words_copy(char *const *words);
void words_free(char **words);

/* A new JSON array, or null for none. */
json_t *words_json(char *const *words);

/* From a JSON array of at least one string. NULL on failure; messages begin with `name` and quote
 * `key`. */
char **words_from_json(const json_t *value, const char *key, const char *name, struct err *err);

#endif
