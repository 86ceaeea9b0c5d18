/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/output.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "harness/base/buf.h"
#include "harness/base/say.h"

enum { NARROWEST = 40, WIDEST = 200 };

int output_check(const struct command_line *line, struct err *err)
{
    const char *colour = command_value(line, "color", "auto");
    if (strcmp(colour, "always") != 0 && strcmp(colour, "never") != 0 &&
        strcmp(colour, "auto") != 0)
        return err_set(err, "--color: expected always, never or auto, got \"%s\"", colour);
    const char *wanted = command_value(line, "format", NULL);
    size_t n;
    const struct report_format *const *formats = report_formats(&n);
    auto_buf struct buf names;
    buf_init(&names, 1024);
    for (size_t i = 0; wanted != NULL && i < n; i++) {
        if (strcmp(formats[i]->name, wanted) == 0)
            return 0;
        buf_addf(&names, "%s%s", i > 0 ? ", " : "", formats[i]->name);
    }
    return wanted == NULL ? 0
                          : err_set(err, "--format: there is no format \"%s\"; there are: %s",
                                    wanted, buf_text(&names));
}

struct report_style output_style_for(const struct command_line *line, int fd)
{
    struct report_style style = {
        .colour = say_colour(fd, command_value(line, "color", "auto")),
        .program = line->program,
    };
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return style;
    style.width = size.ws_col < NARROWEST ? NARROWEST : size.ws_col > WIDEST ? WIDEST : size.ws_col;
    return style;
}

struct report_style output_style(const struct command_line *line, const char *run_dir)
{
    struct report_style style = output_style_for(line, STDOUT_FILENO);
    style.run_dir = run_dir;
    return style;
}

int output_report(const struct command_line *line, const json_t *report, const char *run_dir,
                  struct err *err)
{
    struct report_style style = output_style(line, run_dir);
    const char *format = command_has(line, "json") ? "json" : command_value(line, "format", "text");
    return report_print(report, format, stdout, &style, err);
}
