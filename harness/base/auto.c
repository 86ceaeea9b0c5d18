/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/base/auto.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void auto_free_release(void *pointer_to_pointer)
{
    void *pointer;
    memcpy(&pointer, pointer_to_pointer, sizeof(pointer));
    free(pointer);
}

void auto_fd_release(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

void auto_file_release(FILE **file)
{
    if (*file != NULL)
        (void)fclose(*file);
}

void auto_dir_release(DIR **dir)
{
    if (*dir != NULL)
        (void)closedir(*dir);
}

char *steal_text(char **text)
{
    char *stolen = *text;
    *text = NULL;
    return stolen;
}

int steal_fd(int *fd)
{
    int stolen = *fd;
    *fd = -1;
    return stolen;
}
