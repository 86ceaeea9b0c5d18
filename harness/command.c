/* SPDX-License-Identifier: Apache-2.0 */
/* getopt_long does the parsing; its tables and --help are made from the command's own table. */
#include "harness/command.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/auto.h"
#include "harness/base/mem.h"
#include "harness/base/say.h"

enum { MAX_OPTIONS = 48, LONG_BASE = 256 /* above every letter */ };

const char *command_value(const struct command_line *line, const char *name, const char *fallback)
{
    for (size_t i = line->n_values; i > 0; i--)
        if (strcmp(line->values[i - 1].option->name, name) == 0)
            return line->values[i - 1].value;
    return fallback;
}

bool command_has(const struct command_line *line, const char *name)
{
    for (size_t i = 0; i < line->n_values; i++)
        if (strcmp(line->values[i].option->name, name) == 0)
            return true;
    return false;
}

int command_number(const struct command_line *line, const char *name, unsigned min, unsigned max,
                   unsigned *ret, struct err *err)
{
    const char *text = command_value(line, name, NULL);
    if (text == NULL)
        return 0;
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || number < min || number > max)
        return err_set(err, "--%s: expected %u-%u, got \"%s\"", name, min, max, text);
    *ret = (unsigned)number;
    return 0;
}

static void print_option(const struct command_option *option)
{
    char letter[8] = "    ";
    if (option->letter != 0)
        (void)snprintf(letter, sizeof(letter), "-%c, ", option->letter);
    auto_free char *name = mem_printf("--%s%s%s", option->name, option->argument ? "=" : "",
                                      option->argument ? option->argument : "");
    printf("  %s%-26s %s\n", letter, name, option->help);
}

static int print_help(const struct command *command, const char *program)
{
    printf("Usage: %s %s %s\n\n%s.\n", program, command->name, command->synopsis, command->summary);
    if (command->details != NULL)
        printf("\n%s\n", command->details);
    printf("\nOptions:\n");
    for (const struct command_option *option = command->options; option->name != NULL; option++)
        print_option(option);
    print_option(&(struct command_option){'h', "help", NULL, "show this help"});
    return EXIT_SUCCESS;
}

/* The table in getopt's two forms; `val` of a long option is its index + LONG_BASE. */
static void getopt_tables(const struct command *command, char *ret_letters, struct option *ret_long)
{
    char *letter = ret_letters;
    *letter++ = ':'; /* quiet, and ':' for a missing argument */
    *letter++ = 'h';
    size_t i;
    for (i = 0; command->options[i].name != NULL; i++) {
        const struct command_option *option = &command->options[i];
        assert(i < MAX_OPTIONS);
        int wants = option->argument != NULL ? required_argument : no_argument;
        ret_long[i] = (struct option){option->name, wants, NULL, (int)i + LONG_BASE};
        if (option->letter != 0)
            *letter++ = option->letter;
        if (option->letter != 0 && option->argument != NULL)
            *letter++ = ':';
    }
    *letter = '\0';
    ret_long[i] = (struct option){"help", no_argument, NULL, 'h'};
    ret_long[i + 1] = (struct option){0};
}

static const struct command_option *option_of(const struct command *command, int found)
{
    if (found >= LONG_BASE)
        return &command->options[found - LONG_BASE];
    for (const struct command_option *option = command->options; option->name != NULL; option++)
        if (option->letter == found)
            return option;
    return NULL;
}

static int bad_option(const struct command *command, const char *program, int found, char **argv)
{
    struct err err;
    const char *given = argv[optind - 1];
    if (found == ':')
        err_set(&err, "%s: %s needs a value; `%s %s --help` shows the options", command->name,
                given, program, command->name);
    else
        err_set(&err, "%s: unknown option %s; `%s %s --help` shows the options", command->name,
                given, program, command->name);
    return say_error(&err);
}

/* An empty word is an unset variable in somebody's script, never a path or a name; and standard
 * input is empty when it is read again. */
static int check_words(const struct command *command, const struct command_line *line,
                       struct err *err)
{
    for (size_t i = 0; i < line->n_values; i++)
        if (line->values[i].value != NULL && line->values[i].value[0] == '\0')
            return err_set(err, "%s: --%s: the value is empty", command->name,
                           line->values[i].option->name);
    size_t n_stdin = 0;
    for (size_t i = 0; i < line->n_operands; i++) {
        if (line->operands[i][0] == '\0')
            return err_set(err, "%s: argument %zu is empty", command->name, i + 1);
        n_stdin += strcmp(line->operands[i], "-") == 0;
    }
    if (n_stdin > 1)
        return err_set(err,
                       "%s: `-` is given %zu times, and standard input can be read once; "
                       "keep it in a file",
                       command->name, n_stdin);
    return 0;
}

int command_run(const struct command *command, const char *program, int argc, char **argv)
{
    char letters[2 * MAX_OPTIONS + 4];
    struct option long_options[MAX_OPTIONS + 2];
    getopt_tables(command, letters, long_options);
    auto_free struct command_value *values = NULL;
    struct command_line line = {.program = program};
    size_t cap = 0;
    opterr = 0;
    int found;
    while ((found = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
        if (found == 'h')
            return print_help(command, program);
        const struct command_option *option = option_of(command, found);
        if (found == ':' || option == NULL)
            return bad_option(command, program, found, argv);
        values = mem_grow(values, line.n_values, &cap, sizeof(*values)); /* -qqq is three */
        values[line.n_values++] = (struct command_value){option, optarg};
    }
    line.values = values;
    line.operands = argv + optind;
    line.n_operands = (size_t)(argc - optind);
    struct err err = {0};
    return check_words(command, &line, &err) == 0 ? command->run(&line) : say_error(&err);
}
