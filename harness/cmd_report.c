/* SPDX-License-Identifier: Apache-2.0 */
/* report: prints a kept report again, in any format. */
#include <stdlib.h>
#include <string.h>

#include "harness/base/auto.h"
#include "harness/base/file.h"
#include "harness/base/json.h"
#include "harness/base/say.h"
#include "harness/command.h"
#include "harness/output.h"

static int print(const struct command_line *line, struct err *err)
{
    if (line->n_operands != 1)
        return err_set(err, "report: name one run's directory, or its report.json");
    const char *given = line->operands[0];
    auto_free char *dir = path_is_dir(given) ? path_join(given, "") : path_dir(given);
    auto_free char *path =
        path_is_dir(given) ? path_join(given, "report.json") : path_join("", given);
    if (!path_exists(path))
        return err_set(err,
                       "%s: there is no report here: name a run's directory (runs/latest), or "
                       "diagnose kept boots with `%s analyze`",
                       given, line->program);
    json_auto_t *report = json_read_object(path, err);
    if (report == NULL)
        return -1;
    const char *schema = json_string_value(json_object_get(report, "schema"));
    if (schema == NULL || strcmp(schema, "bootdiag.report/1") != 0)
        return err_set(err, "%s: not a report of bootdiag", path);
    return output_report(line, report, dir, err);
}

static int cmd_report_main(const struct command_line *line)
{
    struct err err = {0};
    if (output_check(line, &err) != 0 || print(line, &err) != 0)
        return say_error(&err);
    return EXIT_SUCCESS;
}

static const struct command_option OPTIONS[] = {
    {0, "format", "NAME", "text (default) or json"},
    {0, "json", NULL, "the same as --format json"},
    OPTION_COLOR,
    {0},
};

const struct command cmd_report = {
    .name = "report",
    .synopsis = "[OPTION]... RUN",
    .summary = "Prints the report of an earlier run",
    .details = "RUN is the run's directory or its report.json.",
    .options = OPTIONS,
    .run = cmd_report_main,
};
