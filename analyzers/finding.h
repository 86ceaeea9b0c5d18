/* SPDX-License-Identifier: Apache-2.0 */
/*
 * finding: one thing noticed about a boot, and the lines that show it.
 *
 * Rules make most of them (one per rule, with a count); the small machines of the analyzers make
 * the rest, among them findings about what is absent.
 */
#ifndef BOOTDIAG_FINDING_H
#define BOOTDIAG_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FINDING_MAX_QUOTES = 4, FINDING_SUMMARY_SIZE = 501, QUOTE_TEXT_SIZE = 501 };

/* A quoted line: the contract's evidence {file, line, offset, text}. `line` 0: no line, a fact of
 * boot.json. `text` is cleaned and masked. */
struct quote {
    const char *file; /* static: "console.log", "vmm.log", "boot.json" */
    uint32_t line;    /* from 1; counts '\n' only */
    uint64_t offset;  /* of the line's first byte */
    int64_t at_ms;    /* arrival since start, else guest time, else -1 */
    char text[QUOTE_TEXT_SIZE];
};

/* How much a finding matters. */
enum severity {
    SEVERITY_MARK,  /* a step of a healthy boot */
    SEVERITY_NOTE,  /* worth showing, also seen in good boots */
    SEVERITY_ERROR, /* an error, perhaps recovered from */
    SEVERITY_FATAL, /* no good boot ever recovered from this: ends a boot early */
};

struct finding {
    const char *id;    /* static or the ruleset's: "agent.cannot-find-module" */
    const char *cause; /* id of causes.h, or NULL */
    enum severity severity;
    double confidence; /* that `cause` is what ails this boot if nothing contradicts: 0..1 */
    char *summary;     /* owned: one plain sentence, no full stop */
    char *remedy;      /* owned: what to do about it; NULL: the cause's own */
    struct quote quotes[FINDING_MAX_QUOTES]; /* the telling line first */
    size_t n_quotes;
    uint32_t count; /* how often it was seen */
};

struct findings {
    struct finding *items; /* owned */
    size_t len, cap;
};

void findings_release(struct findings *findings);

/* Appends an empty finding and returns it, borrowed until the next append. */
struct finding *findings_add(struct findings *findings, const char *id, const char *cause,
                             enum severity severity, double confidence);

/* The first finding with that id, borrowed until the next append; NULL: there is none. */
struct finding *findings_find(struct findings *findings, const char *id);

/* Sets the summary: masked, printable, at most FINDING_SUMMARY_SIZE - 1 bytes. */
void finding_say(struct finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A line, or a fact of boot.json, that shows the finding; dropped behind FINDING_MAX_QUOTES. */
void finding_quote(struct finding *finding, const struct quote *quote);
void finding_fact(struct finding *finding, int64_t at_ms, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A fact of boot.json as a quote: line 0. */
void quote_fact(struct quote *ret_quote, int64_t at_ms, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Copies bytes of a guest to `ret_text` as they may be shown: masked, printable, cut to `size` with
 * the NUL. No more than the first LINE_MAX_BYTES are looked at.
 */
void quote_clean(char *ret_text, size_t size, const char *bytes, size_t len);

#endif
