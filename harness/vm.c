/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/vm.h"

#include <string.h>

extern const struct vm_ops vm_exec, vm_qemu, vm_replay;

static const struct vm_ops *const BACKENDS[] = {
    &vm_qemu,
    &vm_exec,
    &vm_replay,
};
enum { N_BACKENDS = sizeof(BACKENDS) / sizeof(BACKENDS[0]) };

const struct vm_ops *vm_find(const char *name)
{
    for (size_t i = 0; i < N_BACKENDS; i++)
        if (strcmp(BACKENDS[i]->name, name) == 0)
            return BACKENDS[i];
    return NULL;
}

const struct vm_ops *const *vm_all(size_t *ret_n)
{
    *ret_n = N_BACKENDS;
    return BACKENDS;
}
