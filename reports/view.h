/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view: reading documents that may lack members, and writing text for people: columns, paragraphs,
 * colour.
 *
 * All text is made harmless on its way out: valid UTF-8, no control bytes, whatever stands in a
 * document.
 */
#ifndef BOOTDIAG_VIEW_H
#define BOOTDIAG_VIEW_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "harness/base/buf.h"
#include "reports/report.h"

struct view {
    FILE *out;
    const struct report_style *style;
};

/* A member's text, "" if it is absent or something else; borrowed from `object`. */
const char *view_text(const json_t *object, const char *key);

/* A member's number, or `fallback`. */
int64_t view_int(const json_t *object, const char *key, int64_t fallback);
double view_real(const json_t *object, const char *key, double fallback);

/* Names for colours: nothing is said by colour alone. */
enum view_colour { VIEW_PLAIN, VIEW_BOLD, VIEW_RED, VIEW_GREEN, VIEW_YELLOW, VIEW_DIM };

/* "9.8 s", "2.95 s" with two digits; "?" if negative. */
void view_seconds(struct buf *text, int64_t ms, int digits);

/* "97": a fraction in percent; near the ends "99.6" and "0.4", for all and none are never rounded
 * to. */
void view_percent(struct buf *text, double fraction);

/* A line of its own; wrapped, with two columns of indent, where it is longer than the width. */
void view_line(const struct view *view, enum view_colour colour, const char *text);

/*
 * A paragraph: `label` at column `indent`, then `text` behind it, wrapped with a hanging indent of
 * `hang` columns. Nothing is cut, and nothing that one may want to copy is broken: neither a word,
 * which may be a path, nor a command in backquotes; where it is longer than the line, it
 * overflows.
 */
struct view_shape {
    int indent, hang;
    enum view_colour label_colour, text_colour;
};
void view_paragraph(const struct view *view, const struct view_shape *shape, const char *label,
                    const char *text);

/* A path or a command behind a label: on one line, however long, so that it can be copied. */
void view_verbatim(const struct view *view, const char *label, const char *text);

/* How many columns the text takes, a character counted as one. */
size_t view_columns(const char *text);

/* Appends the text, made harmless, cut with an ellipsis to `columns`; padded with spaces up to them
 * if `pad`. */
void view_cell(struct buf *line, const char *text, size_t columns, bool pad);

/* Appends a line of a console, made harmless; on a terminal it is cut with an ellipsis to
 * `columns`.
 */
void view_excerpt(const struct view *view, struct buf *text, const char *line, size_t columns);

/* Writes text that view_cell made, in colour. */
void view_put(const struct view *view, enum view_colour colour, const char *text);

/* Appends a word of a shell command, quoted if it must be. */
void view_shell_word(struct buf *command, const char *word);

/* Flushes; fails if anything that was written to `out` so far could not be. */
int view_written(FILE *out, struct err *err);

#endif
