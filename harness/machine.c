/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/machine.h"

#include <stdlib.h>

#include "harness/base/auto.h"
#include "harness/base/file.h"
#include "harness/base/mem.h"

void machine_init(struct machine *machine,
                  void (*on_bytes)(void *ctx, const char *bytes, size_t len), void *ctx)
{
    *machine = (struct machine){
        .vm = {.console_fd = -1, .stderr_fd = -1},
        .console = {.on_bytes = on_bytes, .ctx = ctx, .dropped_at = RECORD_UNKNOWN},
    };
}

static int start_captures(struct machine *machine, int64_t start_ms, struct err *err)
{
    struct vm *vm = &machine->vm;
    auto_free char *console = path_join(vm->record->dir, "console.log");
    auto_free char *times = path_join(vm->record->dir, "console.times");
    auto_free char *log = path_join(vm->record->dir, "vmm.log");
    if (capture_start(&machine->console, vm->loop, steal_fd(&vm->console_fd), console, times,
                      CAPTURE_LIMIT, start_ms, err) != 0)
        return -1;
    if (vm->stderr_fd < 0)
        return 0;
    return capture_start(&machine->vmm_log, vm->loop, steal_fd(&vm->stderr_fd), log, NULL,
                         CAPTURE_LIMIT, start_ms, err);
}

int machine_start(struct machine *machine, const char *scratch, int64_t start_ms, struct err *err)
{
    struct vm *vm = &machine->vm;
    machine->scratch = mem_strdup(scratch);
    vm->scratch = machine->scratch;
    if (path_make_dirs(scratch, err) != 0 || vm->ops->start(vm, err) != 0)
        return -1;
    return start_captures(machine, start_ms, err);
}

static void stop_vm(struct vm *vm)
{
    if (vm->ops != NULL)
        vm->ops->stop(vm);
}

static void remove_scratch(const struct machine *machine)
{
    if (machine->scratch != NULL)
        (void)path_remove_tree(machine->scratch, NULL);
}

void machine_stop(struct machine *machine)
{
    stop_vm(&machine->vm);
    capture_drain(&machine->console);
    capture_drain(&machine->vmm_log);
    capture_finish(&machine->console);
    capture_finish(&machine->vmm_log);
    remove_scratch(machine);
}

void machine_release(struct machine *machine)
{
    stop_vm(&machine->vm);
    capture_finish(&machine->console);
    capture_finish(&machine->vmm_log);
    auto_fd_release(&machine->vm.console_fd);
    auto_fd_release(&machine->vm.stderr_fd);
    remove_scratch(machine);
    free(machine->scratch);
}

const struct err *machine_failure(const struct machine *machine)
{
    if (machine->console.failed.message[0] != '\0')
        return &machine->console.failed;
    return machine->vmm_log.failed.message[0] != '\0' ? &machine->vmm_log.failed : NULL;
}
