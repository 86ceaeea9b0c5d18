/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzers/line.h"
#include "harness/base/buf.h"
#include "harness/base/clock.h"
#include "harness/base/mem.h"

/* What was shown, one line of text each: "number|source|status|ident|pid|ms|flags|message\n". */
static void describe(void *ctx, const struct line *line)
{
    static const char *const sources[] = {"bare", "kernel", "journal", "status"};
    static const char *const statuses[] = {"-",    "ok",   "failed", "depend", "time",
                                           "warn", "info", "skip",   "running"};
    assert_int_equal(line->text[line->len], '\0');
    assert_true(line->message >= line->text);
    assert_ptr_equal(line->message + line->message_len, line->text + line->len);
    assert_true(line->len <= LINE_MAX_BYTES);
    assert_true(line->end >= line->offset);
    buf_addf(ctx, "%u|%s|%s|%s|%d|%lld|%s%s%s%s|", line->number, sources[line->source],
             statuses[line->status], line->ident, line->pid, (long long)line->guest_ms,
             line->piece ? "p" : "", line->woven ? "w" : "", line->partial ? "u" : "",
             line->truncated ? "t" : "");
    buf_add(ctx, line->message, line->message_len);
    buf_add_char(ctx, '\n');
}

static char *read_all(const char *bytes, size_t len, size_t step)
{
    struct buf seen;
    buf_init(&seen, 1 << 20);
    struct line_reader *reader = line_reader_new(describe, &seen);
    for (size_t at = 0; at < len; at += step)
        line_reader_feed(reader, bytes + at, len - at < step ? len - at : step);
    line_reader_flush(reader);
    line_reader_free(reader);
    return buf_steal(&seen);
}

struct sample {
    const char *bytes, *expected;
};

static void check(const struct sample *samples, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t step = 1; step < 64; step += 31) {
            char *seen = read_all(samples[i].bytes, strlen(samples[i].bytes), step);
            assert_string_equal(seen, samples[i].expected);
            free(seen);
        }
    }
}

#define CHECK(samples) check(samples, sizeof(samples) / sizeof(*(samples)))

static void test_cleans(void **state)
{
    static const struct sample samples[] = {
        {"a\nb\r\nc\r\r\nd\n", "1|bare|-||0|-1||a\n2|bare|-||0|-1||b\n3|bare|-||0|-1||c\n"
                               "4|bare|-||0|-1||d\n"},
        {"\n\r\nx", "1|bare|-||0|-1||\n2|bare|-||0|-1||\n3|bare|-||0|-1|u|x\n"},
        {"10%\r55%\r100%\n", "1|bare|-||0|-1||100%\n"},
        {"text\n\rnext\n", "1|bare|-||0|-1||text\n2|bare|-||0|-1||next\n"},
        {"kept\r\x1b[K\r\n", "1|bare|-||0|-1||kept\n"},
        {"\x1b[0;1;38:5:185mgold\x1b[0m\n", "1|bare|-||0|-1||gold\n"},
        {"\x1b[!p\x1b]104\x07\x1b[?7hx\x1b[6n\x1b[32766;32766H\n", "1|bare|-||0|-1||x\n"},
        {"a\x1b]0;title\x1b\\b\x1b"
         "c\x1bMd\x1b(Be\n",
         "1|bare|-||0|-1||abde\n"},
        {"a\x1b]never ended\nb\n", "1|bare|-||0|-1||a\n2|bare|-||0|-1||b\n"},
        {"a\x1b[3\nb\n", "1|bare|-||0|-1||a\n2|bare|-||0|-1||b\n"},
        {"a\x1b[\x1b[1mb\x1b\x1b[0mc\n", "1|bare|-||0|-1||abc\n"},
        {"Start \x1b[0;1\xe2\x80\xa6;39mvm\n", "1|bare|-||0|-1||Start \xe2\x80\xa6vm\n"},
        {"Wait \xe2\x80\xa6[0m - x\n", "1|bare|-||0|-1||Wait \xe2\x80\xa6 - x\n"},
        {"Wait \xe2\x80\xa6 5min\n", "1|bare|-||0|-1||Wait \xe2\x80\xa6 5min\n"},
        {"Wait \xe2\x80\xa6"
         "5min\n",
         "1|bare|-||0|-1||Wait \xe2\x80\xa6"
         "5min\n"},
        {"t\tab\x01\x08\x7f \xff\xfe\n", "1|bare|-||0|-1||t\tab \xff\xfe\n"},
    };
    (void)state;
    CHECK(samples);
}

static void test_drops_nul(void **state)
{
    static const char bytes[] = "a\0b\0\r\0\n";
    (void)state;
    char *seen = read_all(bytes, sizeof(bytes) - 1, 3);
    assert_string_equal(seen, "1|bare|-||0|-1||ab\n");
    free(seen);
}

static void test_prefixes(void **state)
{
    static const struct sample samples[] = {
        {"[    2.430357] EXT4-fs (vda): mounted\n", "1|kernel|-||0|2430||EXT4-fs (vda): mounted\n"},
        {"[12345.678901] x\n", "1|kernel|-||0|12345678||x\n"},
        {"[    0.000000][    T0] Linux version 5.15\n", "1|kernel|-||0|0||Linux version 5.15\n"},
        {"[    1.5][ C0] x\n", "1|kernel|-||0|1500||x\n"},
        {"<6>[    2.430357][  T123] y\n", "1|kernel|-||0|2430||y\n"},
        {"[   47.266570] start-all.sh[724]: [SUPERVISOR] hi\n",
         "1|journal|-|start-all.sh|724|47266||[SUPERVISOR] hi\n"},
        {"[   22.444650] (t-all.sh)[126]: Failed\n", "1|journal|-|(t-all.sh)|126|22444||Failed\n"},
        {"systemd[1]: Started x.\n", "1|journal|-|systemd|1|-1||Started x.\n"},
        {"Nov  6 20:47:04 vm node[12]: up\n", "1|journal|-|node|12|-1||up\n"},
        {"2025-11-06T20:47:04.123456+00:00 vm node[12]: up\n", "1|journal|-|node|12|-1||up\n"},
        {"Nov  6 20:47:04 vm kernel: [    2.430357] z\n", "1|kernel|-||0|2430||z\n"},
        {"2023-06-16T07:45:41.767987318 [anonymous-instance:fc_api:INFO:src/x.rs:1] up\n",
         "1|bare|-||0|-1||up\n"},
        {"[  OK  ] Started x.\n", "1|status|ok||0|-1||Started x.\n"},
        {"[\x1b[0;32m  OK  \x1b[0m] Started x.\n", "1|status|ok||0|-1||Started x.\n"},
        {"[ OK ] a\n[OK] b\n", "1|status|ok||0|-1||a\n2|status|ok||0|-1||b\n"},
        {"[FAILED] a\n[DEPEND] b\n", "1|status|failed||0|-1||a\n2|status|depend||0|-1||b\n"},
        {"[ TIME ] a\n[ WARN ] b\n", "1|status|time||0|-1||a\n2|status|warn||0|-1||b\n"},
        {"[ INFO ] a\n[ SKIP ] b\n", "1|status|info||0|-1||a\n2|status|skip||0|-1||b\n"},
        {"[***   ] a\n[ ***  ] b\n", "1|status|running||0|-1||a\n2|status|running||0|-1||b\n"},
        {"[     *] a\n[*     ] b\n", "1|status|running||0|-1||a\n2|status|running||0|-1||b\n"},
        {"\x1bM\r\x1b[K[ \x1b[0;31m*\x1b[0;1;31m*\x1b[0m   ] (1 of 2) A start job\r\n",
         "1|status|running||0|-1||(1 of 2) A start job\n"},
        {"         Starting x...\n", "1|status|-||0|-1||Starting x...\n"},
        {"    at Module._load (a.js:1:2)\n", "1|bare|-||0|-1||    at Module._load (a.js:1:2)\n"},
        {"[SUPERVISOR] x\n", "1|bare|-||0|-1||[SUPERVISOR] x\n"},
        {"[OKAY] x\n", "1|bare|-||0|-1||[OKAY] x\n"},
        {"[1.5] x\n", "1|bare|-||0|-1||[1.5] x\n"},
        {"[    2.430357]x\n", "1|bare|-||0|-1||[    2.430357]x\n"},
        {"[]\n[    ] x\n[\n", "1|bare|-||0|-1||[]\n2|bare|-||0|-1||[    ] x\n3|bare|-||0|-1||[\n"},
    };
    (void)state;
    CHECK(samples);
}

static void test_deinterleaves(void **state)
{
    static const struct sample samples[] = {
        {"host login: [   39.8] start-all.sh[223]: {\"msg\":\"up\"}\n",
         "1|bare|-||0|-1||host login:\n1|journal|-|start-all.sh|223|39800|p|{\"msg\":\"up\"}\n"},
        {"host login: [  OK  ] Started x.\n",
         "1|bare|-||0|-1||host login:\n1|status|ok||0|-1|p|Started x.\n"},
        {"[  OK  ] Started So[    2.430357] random: done\r\nmething.\r\nnext\n",
         "1|status|ok||0|-1|w|Started So\n1|kernel|-||0|2430|p|random: done\n"
         "2|bare|-||0|-1|w|mething.\n3|bare|-||0|-1||next\n"},
        {"ab <6>[    2.430357] x\n", "1|bare|-||0|-1|w|ab\n1|kernel|-||0|2430|p|x\n"},
        {"  [    2.430357] x\n", "1|kernel|-||0|2430||x\n"},
        {"out 2023-06-16T07:45:41.767987318 [i:t:WARN] w\n",
         "1|bare|-||0|-1|w|out\n1|bare|-||0|-1|p|w\n"},
        {"Starting sshd: [  OK  ]\n", "1|bare|-||0|-1||Starting sshd: [  OK  ]\n"},
        {"took [1.5] seconds [x]\n", "1|bare|-||0|-1||took [1.5] seconds [x]\n"},
    };
    (void)state;
    CHECK(samples);
}

struct places {
    size_t n;
    uint64_t offset[8], end[8];
    uint32_t number[8];
};

static void note_place(void *ctx, const struct line *line)
{
    struct places *places = ctx;
    assert_true(places->n < 8);
    places->offset[places->n] = line->offset;
    places->end[places->n] = line->end;
    places->number[places->n++] = line->number;
}

static void test_keeps_offsets(void **state)
{
    static const char bytes[] = "\x1b[1mone\x1b[0m\r\nlogin: [    1.000000] x\r\nlast";
    struct places places = {0};
    (void)state;
    struct line_reader *reader = line_reader_new(note_place, &places);
    line_reader_feed(reader, bytes, sizeof(bytes) - 1);
    line_reader_flush(reader);
    line_reader_feed(reader, "!\n", 2);
    line_reader_free(reader);
    assert_int_equal(places.n, 5);
    assert_int_equal(places.offset[0], 0);
    assert_int_equal(places.end[0], 13);
    assert_int_equal(places.offset[1], 13);
    assert_int_equal(places.end[1], 13 + strlen("login: "));
    assert_int_equal(places.offset[2], 13);
    assert_int_equal(places.end[2], sizeof(bytes) - 1 - strlen("last"));
    assert_int_equal(places.offset[3], places.end[2]);
    assert_int_equal(places.end[3], sizeof(bytes) - 1);
    assert_int_equal(places.offset[4], places.end[2]);
    assert_int_equal(places.end[4], sizeof(bytes) + 1);
    assert_int_equal(places.number[4], 3);
}

static void count_line(void *ctx, const struct line *line)
{
    unsigned *count = ctx;
    assert_int_equal(line->len, LINE_MAX_BYTES);
    assert_true(line->truncated);
    ++*count;
}

/* Hostile shapes without a newline: bounded memory (one block is all there is) and linear time. */
static void test_line_without_end(void **state)
{
    static const struct {
        const char *shape;
        int mib;
        bool shown;
    } rows[] = {
        {"a", 100, true}, {"[", 4, true}, {"[    1.00000", 4, true}, {"\x1b[1;1", 4, false}};
    enum { BLOCK = 1 << 20 };
    char *block = mem_calloc(1, BLOCK);
    (void)state;
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        unsigned count = 0;
        struct line_reader *reader = line_reader_new(count_line, &count);
        int64_t start_ms = clock_ms();
        for (size_t i = 0; i < BLOCK; i++)
            block[i] = i < strlen(rows[row].shape) || rows[row].shown
                           ? rows[row].shape[i % strlen(rows[row].shape)]
                           : '1';
        for (int i = 0; i < rows[row].mib; i++)
            line_reader_feed(reader, block, BLOCK);
        line_reader_flush(reader);
        assert_int_equal(count, rows[row].shown);
        assert_int_equal(line_reader_truncated(reader), 0);
        if (rows[row].shown)
            line_reader_feed(reader, "\n", 1);
        assert_int_equal(line_reader_truncated(reader), rows[row].shown);
        assert_true(clock_ms() - start_ms < 60 * 1000);
        line_reader_free(reader);
    }
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cleans),        cmocka_unit_test(test_drops_nul),
        cmocka_unit_test(test_prefixes),      cmocka_unit_test(test_deinterleaves),
        cmocka_unit_test(test_keeps_offsets), cmocka_unit_test(test_line_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
