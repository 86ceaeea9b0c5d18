/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a console: line reader, normalisation and every rule. Build with
 * -fsanitize=fuzzer,address. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "analyzers/line.h"
#include "analyzers/normalize.h"
#include "analyzers/rules.h"
#include "harness/base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ruleset *rules;

static void on_match(void *ctx, const struct rule_match *match, const struct line *line)
{
    (void)ctx;
    for (size_t i = 0; i < match->n_captures; i++)
        if (match->start[i] != SIZE_MAX && match->start[i] > line->message_len)
            abort();
}

static void on_line(void *ctx, const struct line *line)
{
    const struct rule_visitor visitor = {.on_match = on_match};
    auto_buf struct buf text = {0};

    (void)ctx;
    buf_init(&text, LINE_MAX_BYTES);
    (void)normalize_hash(line, NULL);
    normalize_text(line, "vm-browser", &text);
    ruleset_match(rules, RULE_CONSOLE, line, true, &visitor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!rules) {
        auto_service struct service service;

        service_init(&service);
        rules = ruleset_new(&service, NULL);
        if (!rules)
            abort();
    }
    struct line_reader *reader = line_reader_new(on_line, NULL);
    line_reader_feed(reader, (const char *)data, size / 2);
    line_reader_flush(reader);
    line_reader_feed(reader, (const char *)data + size / 2, size - size / 2);
    line_reader_flush(reader);
    line_reader_free(reader);
    return 0;
}
