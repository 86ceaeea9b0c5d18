/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auto: locals that own. The cleanup attribute of gcc and clang releases them when they go out of
 * scope, on every path. Initialise where declared; let ownership leave by a visible steal.
 * JSON values use jansson's own json_auto_t.
 */
#ifndef BOOTDIAG_BASE_AUTO_H
#define BOOTDIAG_BASE_AUTO_H

#include <dirent.h>
#include <stdio.h>

/* Each takes the address of the variable; the variable may be NULL, or -1 for a descriptor. */
void auto_free_release(void *pointer_to_pointer);
void auto_fd_release(const int *fd);
void auto_file_release(FILE **file);
void auto_dir_release(DIR **dir);

#define auto_free __attribute__((cleanup(auto_free_release)))
#define auto_fd   __attribute__((cleanup(auto_fd_release)))
#define auto_file __attribute__((cleanup(auto_file_release)))
#define auto_dir  __attribute__((cleanup(auto_dir_release)))

/* Hands the value over to the caller and leaves nothing behind to release. */
char *steal_text(char **text);
int steal_fd(int *fd);

#endif
