/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/base/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/auto.h"
#include "harness/base/buf.h"
#include "harness/base/file.h"
#include "harness/base/mem.h"
#include "harness/base/text.h"

enum { LARGEST_FILE = 16 << 20 };

static json_t *read_root(const char *path, struct err *err)
{
    auto_buf struct buf content;
    buf_init(&content, 0);
    if (file_read(path, LARGEST_FILE, &content, err) != 0)
        return NULL;

    json_error_t why;
    json_t *root = json_loadb(buf_text(&content), content.len, JSON_REJECT_DUPLICATES, &why);
    if (root == NULL)
        err_set(err, "%s: line %d, column %d: %s", path, why.line, why.column, why.text);
    return root;
}

json_t *json_read_object(const char *path, struct err *err)
{
    json_auto_t *root = read_root(path, err);
    if (root != NULL && !json_is_object(root))
        err_set(err, "%s: expected a JSON object", path);
    return json_is_object(root) ? json_incref(root) : NULL;
}

json_t *json_read_array(const char *path, struct err *err)
{
    json_auto_t *root = read_root(path, err);
    if (root != NULL && !json_is_array(root))
        err_set(err, "%s: expected a JSON array", path);
    return json_is_array(root) ? json_incref(root) : NULL;
}

int json_write_file(const json_t *value, const char *path, struct err *err)
{
    auto_free char *text =
        json_dumps(value, JSON_INDENT(1) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
    if (text == NULL)
        return err_set(err, "%s: the value cannot be written as JSON", path);
    auto_free char *whole = mem_printf("%s\n", text);
    return file_write(path, whole, strlen(whole), err);
}

/* The member, or NULL if it is absent or null. */
static const json_t *member(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

static const char *type_name(const json_t *value)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array",
        [JSON_STRING] = "a string",  [JSON_INTEGER] = "a whole number",
        [JSON_REAL] = "a fraction",  [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",      [JSON_NULL] = "null",
    };
    return names[json_typeof(value)];
}

static int wrong_type(const char *name, const char *key, const char *wanted, const json_t *value,
                      struct err *err)
{
    return err_set(err, "%s: \"%s\": expected %s, got %s", name, key, wanted, type_name(value));
}

int json_get_text(const json_t *object, const char *key, const char *name, char **ret,
                  struct err *err)
{
    const json_t *value = member(object, key);
    if (value == NULL)
        return 0;
    if (!json_is_string(value))
        return wrong_type(name, key, "a string", value, err);
    if (strlen(json_string_value(value)) != json_string_length(value))
        return err_set(err, "%s: \"%s\": a NUL character is not allowed", name, key);
    free(*ret);
    *ret = mem_strdup(json_string_value(value));
    return 0;
}

int json_get_int(const json_t *object, const char *key, const char *name, int64_t min, int64_t max,
                 int64_t *ret, struct err *err)
{
    const json_t *value = member(object, key);
    if (value == NULL)
        return 0;
    if (!json_is_integer(value))
        return wrong_type(name, key, "a whole number", value, err);
    int64_t number = json_integer_value(value);
    if (number < min || number > max)
        return err_set(err, "%s: \"%s\": expected %" PRId64 "-%" PRId64 ", got %" PRId64, name, key,
                       min, max, number);
    *ret = number;
    return 0;
}

int json_get_int32(const json_t *object, const char *key, const char *name, int min, int max,
                   int *ret, struct err *err)
{
    int64_t number = *ret;
    if (json_get_int(object, key, name, min, max, &number, err) != 0)
        return -1;
    *ret = (int)number;
    return 0;
}

int json_get_real(const json_t *object, const char *key, const char *name, double *ret,
                  struct err *err)
{
    const json_t *value = member(object, key);
    if (value == NULL)
        return 0;
    if (!json_is_number(value))
        return wrong_type(name, key, "a number", value, err);
    *ret = json_number_value(value);
    return 0;
}

int json_get_bool(const json_t *object, const char *key, const char *name, bool *ret,
                  struct err *err)
{
    const json_t *value = member(object, key);
    if (value == NULL)
        return 0;
    if (!json_is_boolean(value))
        return wrong_type(name, key, "true or false", value, err);
    *ret = json_is_true(value);
    return 0;
}

int json_get_object(const json_t *object, const char *key, const char *name, const json_t **ret,
                    struct err *err)
{
    const json_t *value = member(object, key);
    if (value == NULL)
        return 0;
    if (!json_is_object(value))
        return wrong_type(name, key, "an object", value, err);
    *ret = value;
    return 0;
}

int json_get_array(const json_t *object, const char *key, const char *name, const json_t **ret,
                   struct err *err)
{
    const json_t *value = member(object, key);
    if (value == NULL)
        return 0;
    if (!json_is_array(value))
        return wrong_type(name, key, "an array", value, err);
    *ret = value;
    return 0;
}

json_t *json_text(const char *text)
{
    if (text == NULL)
        return json_null();
    auto_buf struct buf valid;
    buf_init(&valid, SIZE_MAX);
    for (size_t left = strlen(text); left > 0;) {
        size_t good = text_utf8_valid(text, left);
        buf_add(&valid, text, good);
        text += good;
        left -= good;
        if (left > 0) {
            buf_addf(&valid, "\\x%02x", (unsigned char)*text++);
            left--;
        }
    }
    return json_string(buf_text(&valid));
}

json_t *json_number_or_null(int64_t number)
{
    return number >= 0 ? json_integer(number) : json_null();
}
