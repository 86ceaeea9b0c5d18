/* SPDX-License-Identifier: Apache-2.0 */
/*
 * say: what the command layer tells the user beside the answer: chatter, warnings and errors go to
 * standard error, the answer to standard output. Only main.c and cmd_*.c may include this.
 */
#ifndef BOOTDIAG_BASE_SAY_H
#define BOOTDIAG_BASE_SAY_H

#include <stdbool.h>

#include "harness/base/err.h"

/* "bootdiag: text\n" */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "bootdiag: error: text\n". Always returns 2, the exit status of a program that could not do its
 * job. */
int say_error(const struct err *err);

/* Colour for the file: --color=always|never|auto; auto: a terminal, and NO_COLOR is not set. */
bool say_colour(int fd, const char *when);

#endif
