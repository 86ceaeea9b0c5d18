/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzers/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/line.h"
#include "harness/base/mem.h"
#include "harness/base/secrets.h"
#include "harness/base/text.h"

void findings_release(struct findings *findings)
{
    for (size_t i = 0; i < findings->len; i++) {
        free(findings->items[i].summary);
        free(findings->items[i].remedy);
    }
    free(findings->items);
    *findings = (struct findings){0};
}

struct finding *findings_add(struct findings *findings, const char *id, const char *cause,
                             enum severity severity, double confidence)
{
    findings->items =
        mem_grow(findings->items, findings->len, &findings->cap, sizeof(*findings->items));
    struct finding *finding = &findings->items[findings->len++];
    *finding = (struct finding){
        .id = id,
        .cause = cause,
        .severity = severity,
        .confidence = confidence,
        .count = 1,
    };
    return finding;
}

struct finding *findings_find(struct findings *findings, const char *id)
{
    for (size_t i = 0; i < findings->len; i++)
        if (strcmp(findings->items[i].id, id) == 0)
            return &findings->items[i];
    return NULL;
}

void finding_quote(struct finding *finding, const struct quote *quote)
{
    if (finding->n_quotes < FINDING_MAX_QUOTES)
        finding->quotes[finding->n_quotes++] = *quote;
}

/* Masking comes before cutting: half a secret is no longer recognised as one. */
void quote_clean(char *ret_text, size_t size, const char *bytes, size_t len)
{
    char copy[LINE_MAX_BYTES + 1];
    size_t n = len < sizeof(copy) - 1 ? len : sizeof(copy) - 1;
    memcpy(copy, bytes, n);
    copy[n] = '\0';
    secrets_mask(copy);
    text_printable(ret_text, size, copy, strlen(copy));
}

__attribute__((format(printf, 3, 0))) static void vclean(char *ret_text, size_t size,
                                                         const char *format, va_list args)
{
    char text[LINE_MAX_BYTES];
    vsnprintf(text, sizeof(text), format, args);
    quote_clean(ret_text, size, text, strlen(text));
}

void finding_say(struct finding *finding, const char *format, ...)
{
    char text[FINDING_SUMMARY_SIZE];
    va_list args;
    va_start(args, format);
    vclean(text, sizeof(text), format, args);
    va_end(args);
    free(finding->summary);
    finding->summary = mem_strdup(text);
}

void quote_fact(struct quote *ret_quote, int64_t at_ms, const char *format, ...)
{
    va_list args;
    *ret_quote = (struct quote){.file = "boot.json", .at_ms = at_ms};
    va_start(args, format);
    vclean(ret_quote->text, sizeof(ret_quote->text), format, args);
    va_end(args);
}

void finding_fact(struct finding *finding, int64_t at_ms, const char *format, ...)
{
    struct quote quote = {.file = "boot.json", .at_ms = at_ms};
    va_list args;
    va_start(args, format);
    vclean(quote.text, sizeof(quote.text), format, args);
    va_end(args);
    finding_quote(finding, &quote);
}
