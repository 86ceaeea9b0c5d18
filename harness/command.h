/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command: one command of the program: its options as a table, from which parsing and --help are
 * made.
 *
 * One file cmd_<name>.c per command, one line in the table in main.c. Commands print; what they
 * call does not. The answer goes to standard output, everything else to standard error
 * (base/say.h).
 */
#ifndef BOOTDIAG_COMMAND_H
#define BOOTDIAG_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/base/err.h"

enum { EXIT_ALL_READY = 0, EXIT_SOME_FAILED = 1, EXIT_NOT_DONE = 2 }; /* contract: exit statuses */

struct command_option {
    char letter;          /* 0: long form only */
    const char *name;     /* "boots"; NULL ends a table */
    const char *argument; /* "N"; NULL: a switch */
    const char *help;
};

/* One option as given, in the order given. */
struct command_value {
    const struct command_option *option;
    const char *value; /* NULL for a switch */
};

struct command_line {
    const char *program; /* how the user called it: "build/bootdiag" */
    struct command_value *values;
    size_t n_values;
    char **operands;
    size_t n_operands;
};

struct command {
    const char *name;
    const char *synopsis; /* operands, for the usage line: "[OPTION]... PATH..." */
    const char *summary;  /* one line */
    const char *details;  /* a paragraph or more for --help; may be NULL */
    const struct command_option *options;
    int (*run)(const struct command_line *line); /* the exit status */
};

/* Takes the command line apart (argv[0] is the command's name) and runs the command, or shows its
 * help. Returns the exit status. */
int command_run(const struct command *command, const char *program, int argc, char **argv);

/* The last value given for an option, or `fallback`. */
const char *command_value(const struct command_line *line, const char *name, const char *fallback);
bool command_has(const struct command_line *line, const char *name);

/* A whole number within limits; absent: *ret is untouched. */
int command_number(const struct command_line *line, const char *name, unsigned min, unsigned max,
                   unsigned *ret, struct err *err);

/* Options that several commands share: put into their tables by these macros. */
#define OPTION_COLOR                                                                               \
    {                                                                                              \
        0, "color", "WHEN", "colour: always, never or auto (default)"                              \
    }
#define OPTION_RULES                                                                               \
    {                                                                                              \
        0, "rules", "FILE", "rules of your own beside the built-in ones; may be repeated"          \
    }
#define OPTION_FAULTS                                                                              \
    {                                                                                              \
        0, "faults", "DIR", "where faults are kept (default: fixtures/faults)"                     \
    }

#endif
