/* SPDX-License-Identifier: Apache-2.0 */
/* diagnosis: what is wrong with one boot, as text: from an analysis document. */
#ifndef BOOTDIAG_DIAGNOSIS_H
#define BOOTDIAG_DIAGNOSIS_H

#include <jansson.h>

#include "harness/base/buf.h"
#include "reports/quotes.h"
#include "reports/view.h"

/*
 * Summary, the lines that prove it, the telling one first and marked, the remedy, the difference
 * from good boots, what contributes.
 */
void diagnosis_print(const struct view *view, const json_t *analysis,
                     const struct quotes_place *place);

/* The same without summary, telling line and remedy: for above a closing that names them. */
void diagnosis_print_rest(const struct view *view, const json_t *analysis,
                          const struct quotes_place *place);

/* The six questions, one line each; what the verdict says already is not said again. */
void diagnosis_print_questions(const struct view *view, const json_t *analysis);

/* "agent.module-missing (97 % sure)"; "" without a verdict. */
void diagnosis_title(struct buf *text, const json_t *analysis);

/* The first quote, else the most novel line, as "console.log:412: text"; "" if there is neither. */
void diagnosis_telling_line(const struct view *view, struct buf *text, const json_t *analysis,
                            const struct quotes_place *place);

/* That line's number if it stands on the console, else 0. */
int64_t diagnosis_telling_number(const json_t *analysis);

#endif
