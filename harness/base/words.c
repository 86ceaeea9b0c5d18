/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/base/words.h"

#include <stddef.h>
#include <stdlib.h>

#include "harness/base/json.h"
#include "harness/base/mem.h"

enum { MOST_WORDS = 4096 };

char **words_copy(char *const *words)
{
    size_t n = 0;
    if (words == NULL)
        return NULL;
    while (words[n] != NULL)
        n++;
    char **copy = mem_calloc(n + 1, sizeof(*copy));
    for (size_t i = 0; i < n; i++)
        copy[i] = mem_strdup(words[i]);
    return copy;
}

void words_free(char **words)
{
    for (char **word = words; word != NULL && *word != NULL; word++)
        free(*word);
    free(words);
}

json_t *words_json(char *const *words)
{
    if (words == NULL)
        return json_null();
    json_t *list = json_array();
    for (; *words != NULL; words++)
        json_array_append_new(list, json_text(*words));
    return list;
}

char **words_from_json(const json_t *value, const char *key, const char *name, struct err *err)
{
    size_t n = json_array_size(value), i;
    json_t *word;
    if (n == 0 || n > MOST_WORDS) {
        err_set(err, "%s: \"%s\": expected a list of 1-%d strings", name, key, MOST_WORDS);
        return NULL;
    }
    char **words = mem_calloc(n + 1, sizeof(*words));
    json_array_foreach ((json_t *)value, i, word) {
        if (!json_is_string(word)) {
            err_set(err, "%s: \"%s\": expected strings only, got something else at place %zu", name,
                    key, i + 1);
            words_free(words);
            return NULL;
        }
        words[i] = mem_strdup(json_string_value(word));
    }
    return words;
}
