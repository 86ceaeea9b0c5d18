/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/say.h"
#include "harness/command.h"
#include "harness/version.h"

extern const struct command cmd_run, cmd_analyze, cmd_diff, cmd_report, cmd_baseline, cmd_target,
    cmd_list, cmd_rules, cmd_preserve;

static const struct command *const COMMANDS[] = {
    &cmd_run,    &cmd_analyze, &cmd_diff,  &cmd_report,   &cmd_baseline,
    &cmd_target, &cmd_list,    &cmd_rules, &cmd_preserve,
};
enum { N_COMMANDS = sizeof(COMMANDS) / sizeof(COMMANDS[0]) };

static void print_usage(FILE *out, const char *program)
{
    fprintf(out,
            "Usage: %s COMMAND [OPTION]... [ARGUMENT]...\n\n"
            "Boots fresh VMs, says which of them failed to come up and why, and shows the lines "
            "that prove it.\n\nCommands:\n",
            program);
    for (size_t i = 0; i < N_COMMANDS; i++)
        fprintf(out, "  %-10s %s\n", COMMANDS[i]->name, COMMANDS[i]->summary);
    fprintf(out,
            "\n`%s COMMAND --help` shows a command's options.\n"
            "Exit status: 0 every boot came up, 1 some did not, 2 bootdiag could not do its job.\n",
            program);
}

/*
 * A standard stream that was closed is opened in the direction in which it cannot be used: else the
 * next file that is opened would get its number, and the answer would be written there.
 */
static void open_missing_streams(void)
{
    static const int useless[] = {O_WRONLY, O_RDONLY, O_RDONLY};
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)open("/dev/null", useless[fd]);
}

static int run(int argc, char **argv)
{
    const char *program = argv[0];
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--version") == 0) {
        printf("bootdiag %s\n", BOOTDIAG_VERSION);
        return EXIT_SUCCESS;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_usage(stdout, program);
        return EXIT_SUCCESS;
    }
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(name, COMMANDS[i]->name) == 0)
            return command_run(COMMANDS[i], program, argc - 1, argv + 1);
    if (argc < 2) {
        print_usage(stderr, program);
        return EXIT_NOT_DONE;
    }
    struct err err;
    err_set(&err, "there is no command \"%s\"; `%s --help` lists them", name, program);
    return say_error(&err);
}

int main(int argc, char **argv)
{
    open_missing_streams();
    int status = run(argc, argv);
    errno = 0;
    if ((fflush(stdout) == 0 && ferror(stdout) == 0) || status == EXIT_NOT_DONE)
        return status;
    struct err err;
    err_sys(&err, errno != 0 ? errno : EIO, "cannot write to standard output");
    return say_error(&err);
}
