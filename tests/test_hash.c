/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/base/hash.h"

/* From the test vectors of RFC 9923. */
static void test_vectors(void **state)
{
    static const struct {
        const char *text;
        uint64_t hash;
    } rows[] = {
        {"", UINT64_C(0xcbf29ce484222325)},
        {"a", UINT64_C(0xaf63dc4c8601ec8c)},
        {"b", UINT64_C(0xaf63df4c8601f1a5)},
        {"foobar", UINT64_C(0x85944171f73967e8)},
        {"chongo was here!\n", UINT64_C(0x46810940eff5f915)},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(hash_add(HASH_START, rows[i].text, strlen(rows[i].text)), rows[i].hash);
}

static void test_bytes_may_come_in_parts(void **state)
{
    static const char bytes[] = "\x80\xff\0 any";
    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        uint64_t head = hash_add(HASH_START, bytes, i);
        assert_int_equal(hash_add(head, bytes + i, sizeof(bytes) - i),
                         hash_add(HASH_START, bytes, sizeof(bytes)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_bytes_may_come_in_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
