/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reports/signature.h"

static void template_masks_what_differs_between_boots(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"[   47.266570] start-all.sh[724]: line 12: X: unbound variable",
         "[ #.#] start-all.sh[#]: line #: X: unbound variable"},
        {"Thu Nov  6 20:47:04 UTC 2025 agent died", "# # # #:#:# UTC # agent died"},
        {"id 5f0c9a1e-abcd-4eff-9abc-0123456789ab gone", "id #-#-#-#-# gone"},
        {"mac 02:fc:ab:cd:ef:01 vs fe80::fc:feff", "mac #:#:#:#:#:# vs #::#:#"},
        {"eth0 is not ready", "eth# is not ready"},
        {"status=203/EXEC, status=1/FAILURE", "status=#/EXEC, status=#/FAILURE"},
        {"a dead cafe: bad face", "a dead cafe: bad face"},
        {"key AbCdEfGhIjKlMnOp1 end", "key # end"},
        {"", ""},
        {"-", "-"},
        {":a", ":a"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        auto_buf struct buf text;
        buf_init(&text, 4096);
        signature_template(rows[i][0], &text);
        assert_string_equal(buf_text(&text), rows[i][1]);
    }
}

static void signature_tells_ways_to_fail_apart(void **state)
{
    (void)state;
    static const char *const rows[][4] = {
        {"a.b", "unit-started", "reset", "link is ready"},
        {"a.c", "unit-started", "reset", "link is ready"},
        {"a.b", "link-up", "reset", "link is ready"},
        {"a.b", "unit-started", "refused", "link is ready"},
        {"a.b", "unit-started", "reset", "link is not ready"},
        {"a.b", "unit-started", "reset", "link is ready (by itself)"},
        {"a.b", "unit-startedreset", "", "link is ready"},
        {"a.b", NULL, NULL, NULL},
    };
    enum { N = sizeof(rows) / sizeof(rows[0]) };
    char hex[N][SIGNATURE_SIZE], again[SIGNATURE_SIZE];
    for (int i = 0; i < N; i++) {
        signature_make(rows[i][0], rows[i][1], rows[i][2], rows[i][3], hex[i]);
        assert_int_equal(strspn(hex[i], "0123456789abcdef"), 8);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(hex[i], hex[j]);
    }
    /* Written down in tickets: it must never change. */
    signature_make("agent.module-missing", "agent-started", "reset",
                   "[ 9.1] node[224]: Error: Cannot find module 'x'", again);
    assert_string_equal(again, "9f8c5be5");
}

static void signature_does_not_count(void **state)
{
    (void)state;
    char once[SIGNATURE_SIZE], often[SIGNATURE_SIZE];
    signature_make("a.b", NULL, NULL, "The agent died of X", once);
    signature_make("a.b", NULL, NULL, "The agent died of X (3 times)", often);
    assert_string_equal(once, often);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(template_masks_what_differs_between_boots),
        cmocka_unit_test(signature_tells_ways_to_fail_apart),
        cmocka_unit_test(signature_does_not_count),
    };
    return cmocka_run_group_tests_name("signature", tests, NULL, NULL);
}
