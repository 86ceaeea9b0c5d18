/* SPDX-License-Identifier: Apache-2.0 */
/* diagnosis: what is wrong with one boot, as text: from an analysis document. */
#ifndef BOOTDIAG_DIAGNOSIS_H
#define BOOTDIAG_DIAGNOSIS_H

#include <jansson.h>

#include "harness/base/buf.h"
#include "reports/view.h"

/*
 * Summary, the lines that prove it, the remedy, the difference from good boots, what contributes.
 * `where` is put in front of the files' names: "boot-0002/" or "".
 */
void diagnosis_print(const struct view *view, const json_t *analysis, const char *where);

/* The six questions, one line each. */
void diagnosis_print_questions(const struct view *view, const json_t *analysis);

/* "agent.module-missing (97 % sure)"; "" without a verdict. */
void diagnosis_title(struct buf *text, const json_t *analysis);

/* The first quote, else the most novel line, as "console.log:412: text", with `where` in front; ""
 * if there is neither. */
void diagnosis_telling_line(struct buf *text, const json_t *analysis, const char *where);

#endif
