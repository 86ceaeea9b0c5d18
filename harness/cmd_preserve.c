/* SPDX-License-Identifier: Apache-2.0 */
/* preserve: keeps the logs of VMs that a controller makes and removes. */
#include <stdio.h>
#include <stdlib.h>

#include "harness/base/say.h"
#include "harness/command.h"
#include "harness/preserve.h"
#include "harness/target.h"

static const char USERS[] = "/var/lib/firecracker/users";
static const char ARCHIVE[] = "/var/log/vm-debug-logs";

enum { MIN_AGE_S = 3600, KEEP_S = 30 * 86400 };

static const uint64_t MAX_BYTES = UINT64_C(20) << 30;
static const uint64_t MAX_LOG_BYTES = UINT64_C(64) << 20;

static void on_event(void *ctx, bool warning, const char *text)
{
    bool quiet = *(const bool *)ctx;
    if (warning)
        say_warning("%s", text);
    else if (!quiet)
        say("%s", text);
}

static int read_age(const struct command_line *line, const char *name, int64_t *ret_s,
                    struct err *err)
{
    const char *text = command_value(line, name, NULL);
    if (text == NULL || retention_parse_age(text, ret_s) == 0)
        return 0;
    return err_set(err, "--%s: expected an age like 90s, 15m, 1h or 30d, got \"%s\"", name, text);
}

static int read_size(const struct command_line *line, const char *name, uint64_t *ret_bytes,
                     struct err *err)
{
    const char *text = command_value(line, name, NULL);
    if (text == NULL || retention_parse_size(text, ret_bytes) == 0)
        return 0;
    return err_set(err, "--%s: expected a size like 500M or 20G, got \"%s\"", name, text);
}

static int read_limits(const struct command_line *line, struct preserve_options *options,
                       struct err *err)
{
    struct retention *retention = &options->retention;
    unsigned count = 0;
    uint64_t log_bytes = MAX_LOG_BYTES;
    *retention =
        (struct retention){.keep_s = KEEP_S, .min_age_s = MIN_AGE_S, .max_bytes = MAX_BYTES};
    if (read_age(line, "keep", &retention->keep_s, err) != 0 ||
        read_age(line, "min-age", &retention->min_age_s, err) != 0 ||
        read_size(line, "max-bytes", &retention->max_bytes, err) != 0 ||
        read_size(line, "max-log", &log_bytes, err) != 0 ||
        command_number(line, "max-count", 0, 1000000000, &count, err) != 0)
        return -1;
    if (log_bytes == 0 || log_bytes > UINT64_C(1) << 30)
        return err_set(err, "--max-log: expected 1 to 1G");
    retention->max_count = count;
    options->max_log_bytes = (int64_t)log_bytes;
    return 0;
}

static int preserve(const struct command_line *line, struct err *err)
{
    bool quiet = command_has(line, "quiet");
    auto_target struct target target;
    target_init(&target);
    const char *file = command_value(line, "target", NULL);
    if (line->n_operands > 0)
        return err_set(err, "preserve: unexpected argument \"%s\"", line->operands[0]);
    if (file != NULL && target_load(&target, file, err) != 0)
        return -1;
    struct preserve_options options = {
        .users = command_value(line, "users", USERS),
        .archive = command_value(line, "archive", ARCHIVE),
        .all = command_has(line, "all"),
        .once = command_has(line, "once"),
        .compress = !command_has(line, "plain"),
        .service = &target.service,
        .on_event = on_event,
        .ctx = &quiet,
    };
    if (read_limits(line, &options, err) != 0)
        return -1;
    return preserve_run(&options, err);
}

static int cmd_preserve_main(const struct command_line *line)
{
    struct err err = {0};
    return preserve(line, &err) == 0 ? EXIT_SUCCESS : say_error(&err);
}

static const struct command_option OPTIONS[] = {
    {0, "users", "DIR", "a directory per VM (default: /var/lib/firecracker/users)"},
    {0, "archive", "DIR", "where logs are kept (default: /var/log/vm-debug-logs)"},
    {0, "all", NULL, "also of VMs whose service answered"},
    {'t', "target", "FILE", "the service that a healthy VM answers with (default: production's)"},
    {0, "keep", "AGE", "remove what is older (default: 30d; 0: never)"},
    {0, "max-bytes", "SIZE", "remove the oldest while there is more (default: 20G; 0: no limit)"},
    {0, "max-count", "N", "the same for the number of boots (default: no limit)"},
    {0, "min-age", "AGE", "never remove what changed since (default: 1h)"},
    {0, "max-log", "SIZE", "of each log at most this much is kept (default: 64M)"},
    {0, "plain", NULL, "do not compress (default: zstd)"},
    {0, "once", NULL, "look once, archive what is gone, and end"},
    {'q', "quiet", NULL, "say only what went wrong"},
    {0},
};

const struct command cmd_preserve = {
    .name = "preserve",
    .synopsis = "[OPTION]...",
    .summary = "Keeps the logs of VMs that a controller makes and removes",
    .details =
        "Runs beside any controller until SIGTERM, and never writes in its directories. While a "
        "VM\n"
        "lives its console.log and firecracker-error.log are copied to DIR/.spool; when its\n"
        "directory goes away they become <vmId>-console-<ts>.log.zst and "
        "<vmId>-error-<ts>.log.zst\n"
        "in the archive, with the facts in <vmId>-boot-<ts>.json. A VM whose service answered at "
        "the\n"
        "address in its vm-config.json (ip=...) was healthy and is not kept without --all.\n"
        "Limits hold for all files in the archive with such names, whoever wrote them.\n"
        "Exit status: 0, or 2 if something could not be kept.",
    .options = OPTIONS,
    .run = cmd_preserve_main,
};
