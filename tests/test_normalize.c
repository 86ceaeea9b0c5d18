/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzers/line.h"
#include "analyzers/normalize.h"
#include "harness/base/buf.h"
#include "harness/base/clock.h"
#include "harness/base/mem.h"

static const char host_name[] = "vm-browser";

struct result {
    struct buf text;
    uint64_t hash;
};

static void normalize(void *ctx, const struct line *line)
{
    struct result *result = ctx;
    normalize_text(line, host_name, &result->text);
    result->hash = normalize_hash(line, host_name);
}

/* The template is left in `result->text`. */
static uint64_t hash_of(const char *bytes, struct result *result)
{
    struct line_reader *reader = line_reader_new(normalize, result);
    buf_init(&result->text, 1 << 16);
    line_reader_feed(reader, bytes, strlen(bytes));
    line_reader_flush(reader);
    line_reader_free(reader);
    return result->hash;
}

static void test_templates(void **state)
{
    static const struct {
        const char *line, *template;
    } rows[] = {
        {"[    2.43] tsc: Detected 2596.143 MHz", "kernel: tsc: Detected <n> MHz"},
        {"[    2.43] a.sh[12]: OAuth agent PID: 142", "a.sh: OAuth agent PID: <n>"},
        {"[  OK  ] Started x.", "[OK] Started x."},
        {"id 7f3b1c52-0d6e-4b8a-9c41-2e5a6d7f8091.", "id <uuid>."},
        {"mac 02:fc:12:34:56:78 up", "mac <mac> up"},
        {"address 10.0.2.15/24 from 10.0.2.2", "address <ip>/<n> from <ip>"},
        {"on 127.0.0.1:8080", "on <ip-loopback>:8080"},
        {"on 0.0.0.0 and 169.254.3.4", "on <ip-any> and <ip-link-local>"},
        {"peer 10.0.2.2:51234 gone", "peer <ip> gone"},
        {"at fe80::5054:ff:fe12:3456/64", "at <ip6>/<n>"},
        {"[SUPERVISOR] Mon Nov 23 14:20:57 UTC 2026 up", "[SUPERVISOR] <date> up"},
        {"[SUPERVISOR] Thu Nov  6 20:47:04 CEST 2025 up", "[SUPERVISOR] <date> up"},
        {"\"timestamp\":\"2026-11-23T14:21:00.674Z\"}", "\"timestamp\":\"<date>\"}"},
        {"clock 2026-11-23 14:21:00 UTC", "clock <date> UTC"},
        {"addr 0xffffffff81000000 len 0x10", "addr <hex> len <hex>"},
        {"id 4c4c4544004d5610", "id <hex>"},
        {"finished in 1min 2.736s + 980ms.", "finished in <duration> + <duration>."},
        {"is 4.8M, max 39.0M, 8KiB", "is <size>, max <size>, <size>"},
        {"(1 of 2) A start job (5s / 1min 30s)",
         "(<n> of <n>) A start job (<duration> / <duration>)"},
        {"SHA256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg key", "SHA256:<key> key"},
        {"|       o+*=+.   E|", "<randomart>"},
        {"/tmp/tmp.Xa82kLqP1z made", "/tmp/tmp.<key> made"},
        {"vm-browser login:", "<host> login:"},
        {"vm-browser-agent.service: up", "vm-browser-agent.service: up"},
        {"a   b\t\tc", "a b c"},
        {"stable (15, -2805762)->(-15449)", "stable (<n>, <n>)->(<n>)"},
        /* Kept. */
        {"status=203/EXEC", "status=203/EXEC"},
        {"x: Main process exited, code=killed, status=9/KILL",
         "x: Main process exited, code=killed, status=9/KILL"},
        {"probe failed with error -110", "probe failed with error -110"},
        {"failed: -2", "failed: -2"},
        {"exit code 127, exitcode=0x00000100", "exit code 127, exitcode=0x00000100"},
        {"\"port\":8080,\"pid\":77", "\"port\":8080,\"pid\":<n>"},
        {"a.sh: line 34: X: unbound variable", "a.sh: line 34: X: unbound variable"},
        {"eth0 vda1 ttyS0 EXT4-fs e1000e enp0s3", "eth0 vda1 ttyS0 EXT4-fs e1000e enp0s3"},
        {"Node.js v18.20.4, Linux 6.1.0", "Node.js v18.20.4, Linux 6.1.0"},
        {"entry_SYSCALL_64_after_hwframe", "entry_SYSCALL_64_after_hwframe"},
        {"ENOENT ECONNREFUSED SIGSEGV dead beef", "ENOENT ECONNREFUSED SIGSEGV dead beef"},
        {"it May be Sat", "it May be Sat"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct result result;
        (void)hash_of(rows[i].line, &result);
        assert_string_equal(buf_text(&result.text), rows[i].template);
        buf_release(&result.text);
    }
}

static void test_same_and_different(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"[    1.00] x: pid 12 took 3s", "[   71.5] x: pid 4711 took 2min 1s", true},
        {"\x1b[1mStarted\x1b[0m a", "Started a", true},
        {"[  OK  ] Started a", "[OK] Started a", true},
        {"link is ready", "link is not ready", false},
        {"status=203/EXEC", "status=1/FAILURE", false},
        {"status=1/FAILURE", "status=2/FAILURE", false},
        {"[  OK  ] Started a", "[FAILED] Started a", false},
        {"[    1.00] up", "up", false},
        {"eth0: up", "eth1: up", false},
        {"on 127.0.0.1", "on 10.0.0.1", false},
        {"\"port\":8080", "\"port\":9090", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct result a, b;
        bool same = hash_of(rows[i].a, &a) == hash_of(rows[i].b, &b);
        assert_int_equal(same, rows[i].same);
        buf_release(&a.text);
        buf_release(&b.text);
    }
}

static void count_hash(void *ctx, const struct line *line)
{
    *(uint64_t *)ctx += normalize_hash(line, host_name);
}

/* Shapes that come close to many matchers: 4 MiB of each in full lines take no more than linear
 * time. */
static void test_hostile_lines(void **state)
{
    static const char *const shapes[] = {"aa:",  "1 ",  "1.",    "ab1", "0x",
                                         "Mon ", "1s ", "fe80:", "1min"};
    enum { BLOCK = 8000, BLOCKS = 500 };
    char *block = mem_calloc(1, BLOCK + 1);
    int64_t start_ms = clock_ms();
    (void)state;
    for (size_t shape = 0; shape < sizeof(shapes) / sizeof(shapes[0]); shape++) {
        uint64_t sum = 0;
        struct line_reader *reader = line_reader_new(count_hash, &sum);
        for (size_t i = 0; i < BLOCK; i++)
            block[i] = shapes[shape][i % strlen(shapes[shape])];
        block[BLOCK] = '\n';
        for (int i = 0; i < BLOCKS; i++)
            line_reader_feed(reader, block, BLOCK + 1);
        line_reader_free(reader);
        assert_true(sum != 0);
    }
    assert_true(clock_ms() - start_ms < 60 * 1000);
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_templates),
        cmocka_unit_test(test_same_and_different),
        cmocka_unit_test(test_hostile_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
