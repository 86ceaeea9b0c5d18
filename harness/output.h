/* SPDX-License-Identifier: Apache-2.0 */
/* output: how commands print documents: format, colour and width as the command line and terminal
 * say. */
#ifndef BOOTDIAG_OUTPUT_H
#define BOOTDIAG_OUTPUT_H

#include <jansson.h>

#include "harness/base/err.h"
#include "harness/command.h"
#include "reports/report.h"

/* Refuses a --color or --format that does not exist. */
int output_check(const struct command_line *line, struct err *err);

/* For a terminal, file or pipe. */
struct report_style output_style_for(const struct command_line *line, int fd);

/* For standard output. `run_dir` may be NULL. */
struct report_style output_style(const struct command_line *line, const char *run_dir);

/* Prints a report as --json or --format say, else as text. */
int output_report(const struct command_line *line, const json_t *report, const char *run_dir,
                  struct err *err);

#endif
