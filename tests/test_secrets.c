/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/base/auto.h"
#include "harness/base/mem.h"
#include "harness/base/secrets.h"

static void test_masking(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"password=hunter2 next", "password=*** next"},
        {"DB_PASSWORD: 'hunter2'", "DB_PASSWORD: '***'"},
        {"DB_PASS=hunter2 PGPWD=hunter2 up", "DB_PASS=*** PGPWD=*** up"},
        {"e2fsck: Pass 1: checking; 3 passed", "e2fsck: Pass 1: checking; 3 passed"},
        {"{\"accessToken\":\"abc.def\",\"port\":8080}", "{\"accessToken\":\"***\",\"port\":8080}"},
        {"{\\\"token\\\":\\\"abcdef\\\"}", "{\\\"token\\\":\\\"***\\\"}"},
        {"OPENAI_API_KEY=abc123", "OPENAI_API_KEY=***"},
        {"Authorization: Basic dXNlcjpwYXNz", "Authorization: ***"},
        {"-H \"Authorization: Bearer abcdefgh\" -v", "-H \"Authorization: ***\" -v"},
        {"sent bearer abcdefgh12345 ok", "sent bearer *** ok"},
        {"Set-Cookie: sid=1; path=/", "Set-Cookie: ***"},
        {"key sk-proj-abcdefghijklmnop.", "key sk-***"},
        {"ghp_0123456789abcdefghij", "ghp_***"},
        {"jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "jwt eyJ***"},
        {"https://user:secretpw@host/x", "https://user:***@host/x"},
        {"https://user:p@ss@host/x", "https://user:***@host/x"},
        {"https://host/a:b@c", "https://host/a:b@c"},
        {"curl -u me:hunter2 http://x", "curl -u me:*** http://x"},
        {"curl --user 'me:hunter2'", "curl --user 'me:***'"},
        {"docker run -u 1000:1000 x", "docker run -u 1000:1000 x"},
        {"mysql --password hunter2 -h x", "mysql --password *** -h x"},
        {"mysql --password -h x", "mysql --password -h x"},
        {"the password hunter2", "the password hunter2"},
        {"password is hunter2, ok", "password is ***, ok"},
        {"password is required", "password is required"},
        {"{\"password\":\"a\\\"b\",\"x\":1}", "{\"password\":\"***\",\"x\":1}"},
        {"id 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "id ***"},
        {"MIIEowIBAAKCAQEA7v3Jx9kQp2Lz8Rt5Wm1Yc4Nb6Hd0", "***"},
        {"{:password=>\"hunter2\", :port=>8080}", "{:password=>\"***\", :port=>8080}"},
        {"[api_key] token => hunter2", "[api_key] token => ***"},
        {"ENCRYPTION_KEY=hunter2", "ENCRYPTION_KEY=***"},
        /* what must stay */
        {"SESSION_ID=7f3b1c52-0d6e-4b8a-9c41-2e5a6d7f8091", NULL},
        {"vm-7f3b1c52-0d6e-4b8a-9c41-2e5a6d7f8091-console", NULL},
        {"StubPcrKernelImage-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f)", NULL},
        {"Reached target basic.target - Basic System.", NULL},
        {"syntax error near unexpected token `fi'", NULL},
        {"SyntaxError: Unexpected token '?'", NULL},
        {"token: required", NULL},
        {"SECRET_KEY=<unset>", NULL},
        {"[mem 0x0000000000100000-0x000000001ffdcfff] usable", NULL},
        {"/opt/vm-browser-agent/node_modules/session-store/index.js:9", NULL},
        {"systemd-networkd-wait-online.service: Main process exited", NULL},
        {"max_idle_ns: 7645041785100000 ns", NULL},
        {"a key board and a cookie jar", NULL},
        {"", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = mem_strdup(cases[i].text);
        secrets_mask(text);
        assert_string_equal(text, cases[i].expected != NULL ? cases[i].expected : cases[i].text);
        free(text);
    }
}

/* Every name and every prefix, in capitals as well where that is the same. */
static void test_masks_each_kind(void **state)
{
    static const char *const names[] = {
        "authorization", "cookie",     "password",    "passwd",      "passphrase",
        "secret",        "token",      "api_key",     "apikey",      "api-key",
        "access_key",    "access-key", "private_key", "private-key", "secret_key",
        "secret-key",    "secretkey",  "credential",  "credentials", "AUTHORIZATION",
        "My_PassWord",   "xAPI_KEY",   "ACCESS-KEY",  "CREDENTIAL",  "x.Private_Key",
    };
    static const char *const prefixes[] = {
        "sk-",   "sk_live_",    "pk_live_", "rk_live_", "ghp_",    "gho_", "ghu_",
        "ghs_",  "github_pat_", "xox",      "glpat-",   "AKIA",    "ASIA", "AIza",
        "ya29.", "hf_",         "npm_",     "eyJ",      "dop_v1_",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        auto_free char *text = mem_printf("a %s=hunter2", names[i]);
        auto_free char *masked = mem_printf("a %s=***", names[i]);
        secrets_mask(text);
        assert_string_equal(text, masked);
    }
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        auto_free char *text = mem_printf("a %sabcdefghijklm", prefixes[i]);
        auto_free char *masked = mem_printf("a %s***", prefixes[i]);
        secrets_mask(text);
        assert_string_equal(text, masked);
    }
}

/* Masked text stays masked, whatever was in it. */
static void test_masking_is_stable(void **state)
{
    static const char alphabet[] = "aZ9=:\"'\\ -_./@*{}%token secret sk-eyJ://";
    char text[300], again[300];
    unsigned seed = 1;
    (void)state;
    for (int round = 0; round < 5000; round++) {
        size_t n = 1 + (unsigned)round % (sizeof(text) - 1);
        for (size_t i = 0; i < n; i++) {
            seed = seed * 1103515245u + 12345u;
            text[i] = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
        }
        text[n] = '\0';
        secrets_mask(text);
        assert_true(strlen(text) <= n);
        memcpy(again, text, sizeof(again));
        secrets_mask(again);
        assert_true(strlen(again) <= strlen(text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_masking),
        cmocka_unit_test(test_masks_each_kind),
        cmocka_unit_test(test_masking_is_stable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
