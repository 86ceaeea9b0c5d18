/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever happens only decides the end (`finish`); the ending itself runs from the loop's next
 * turn, so that no callback pulls the ground from under its caller.
 */
#include "harness/boot.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/auto.h"
#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/mem.h"
#include "harness/guest_net.h"
#include "harness/host.h"
#include "harness/image.h"
#include "harness/machine.h"
#include "harness/replay.h"

enum boot_state {
    BOOT_RUNNING,  /* the VM runs, nobody has answered */
    BOOT_SETTLING, /* answered once; it is asked again after settle_ms */
    BOOT_GRACE,    /* fatal evidence; its last lines may still arrive */
    BOOT_ENDING,   /* the end is decided */
    BOOT_DONE,     /* saved */
};

struct boot {
    struct boot_plan plan;
    unsigned index;
    void (*on_done)(void *ctx, struct boot *boot);
    void *ctx;

    enum boot_state state;
    struct record record;
    struct machine machine;
    struct probe *probe;
    void *watch;
    struct console_signs signs;
    struct loop_timer deadline, step; /* step: settle, grace, end */
    bool deadline_passed;
    int64_t start_ms, first_answer_ms;
    struct host_cpu cpu_at_start;
    struct err save_failure; /* the last one; message "": none */
};

static int64_t elapsed(const struct boot *boot)
{
    return clock_ms() - boot->start_ms;
}

/* ---- the end ---- */

static void set_error(struct record *record, const struct err *err)
{
    free(record->vmm.error);
    free(record->vmm.error_cause);
    record->vmm.error = mem_strdup(err->message);
    record->vmm.error_cause = mem_strdup(err->cause);
}

static void take_console_facts(struct boot *boot)
{
    const struct err *failure = machine_failure(&boot->machine);
    const struct capture *console = &boot->machine.console;
    boot->record.console_facts.bytes = console->bytes;
    boot->record.console_facts.dropped_bytes = console->dropped_bytes;
    boot->record.console_facts.dropped_at = console->dropped_at;
    if (failure != NULL)
        set_error(&boot->record, failure);
}

static void take_host_facts(struct boot *boot)
{
    boot->record.host.load = host_load();
    boot->record.host.steal_pct = host_steal_pct(boot->cpu_at_start);
}

/* The VMM refused before the guest ran: that is a failed start, however the process ended. */
static void settle_end(struct boot *boot)
{
    if (boot->record.end == RECORD_END_VMM_EXIT && boot->record.vmm.error_cause != NULL)
        boot->record.end = RECORD_END_START_FAILED;
    if (boot->record.end == RECORD_END_READY)
        boot->record.ready_ms = boot->first_answer_ms;
    if (boot->record.end == RECORD_END_FATAL_EVIDENCE && boot->record.end_detail == NULL)
        boot->record.end_detail = mem_strdup(boot->signs.fatal);
}

/* A boot that came up by itself needs no capture. */
static void drop_pcap(const struct boot *boot)
{
    bool good = boot->record.end == RECORD_END_READY && boot->record.net.foreign_mac == NULL;
    if (!good || strcmp(boot->plan.target->pcap, "failure") != 0)
        return;
    auto_free char *path = path_join(boot->record.dir, "net.pcap");
    (void)unlink(path);
}

/* The kept record, where it was played and says how this boot ended; else NULL. */
static const struct record *replayed(const struct boot *boot)
{
    enum record_end end = boot->record.end;
    const struct vm *vm = &boot->machine.vm;
    if (vm->ops == NULL || vm->ops->replayed == NULL)
        return NULL;
    if (end == RECORD_END_INTERRUPTED || end == RECORD_END_START_FAILED)
        return NULL;
    return vm->ops->replayed(vm);
}

static void end_now(void *ctx)
{
    struct boot *boot = ctx;
    const struct record *kept = replayed(boot);
    auto_free char *kept_dir = kept != NULL ? mem_strdup(kept->dir) : NULL;
    boot->record.ended_ms = elapsed(boot);
    if (kept != NULL) {
        replay_take_end(&boot->record, kept);
        boot->first_answer_ms = kept->ready_ms;
    }
    if (boot->probe != NULL)
        probe_pause(boot->probe);
    machine_stop(&boot->machine);
    drop_pcap(boot);
    settle_end(boot);
    take_console_facts(boot);
    if (kept_dir != NULL)
        replay_copy_files(kept_dir, boot->record.dir, &boot->save_failure);
    else
        take_host_facts(boot);
    (void)record_save(&boot->record, &boot->save_failure); /* boot_failure tells */
    boot->state = BOOT_DONE;
    boot->on_done(boot->ctx, boot);
}

/* Decides the end; the first decision counts. */
static void finish(struct boot *boot, enum record_end end)
{
    if (boot->state >= BOOT_ENDING)
        return;
    boot->state = BOOT_ENDING;
    boot->record.end = end;
    loop_disarm(boot->plan.loop, &boot->deadline);
    boot->step.on_due = end_now;
    loop_arm(boot->plan.loop, &boot->step, 0);
}

/* ---- what happens meanwhile ---- */

static void on_grace_over(void *ctx)
{
    finish(ctx, RECORD_END_FATAL_EVIDENCE);
}

static void arm_step(struct boot *boot, enum boot_state state, void (*on_due)(void *), int delay_ms)
{
    boot->state = state;
    boot->step.on_due = on_due;
    loop_arm(boot->plan.loop, &boot->step, delay_ms);
}

static void on_settled(void *ctx)
{
    struct boot *boot = ctx;
    probe_resume(boot->probe); /* its next result decides */
}

/* It answered, and soon after it did not: back to where it was. */
static void on_relapse(struct boot *boot)
{
    boot->state = BOOT_RUNNING;
    if (boot->deadline_passed)
        finish(boot, RECORD_END_DEADLINE);
    else if (boot->signs.fatal != NULL && boot->plan.early_end)
        finish(boot, RECORD_END_FATAL_EVIDENCE);
}

static void on_probe_result(void *ctx, enum probe_class class)
{
    struct boot *boot = ctx;
    bool good = class == PROBE_READY;
    if (boot->state == BOOT_SETTLING && good) {
        finish(boot, RECORD_END_READY);
    } else if (boot->state == BOOT_SETTLING) {
        on_relapse(boot);
    } else if (good && boot->state < BOOT_ENDING) {
        boot->first_answer_ms = elapsed(boot);
        probe_pause(boot->probe);
        arm_step(boot, BOOT_SETTLING, on_settled, boot->plan.target->settle_ms);
    }
}

static void on_console_bytes(void *ctx, const char *bytes, size_t len)
{
    struct boot *boot = ctx;
    struct console_signs before = boot->signs;
    boot->plan.watch->feed(boot->watch, bytes, len, &boot->signs);
    if (boot->probe != NULL) {
        probe_awake(boot->probe);
        if (boot->signs.ready_lines > before.ready_lines)
            probe_nudge(boot->probe);
    }
    if (boot->signs.fatal != NULL && before.fatal == NULL && boot->plan.early_end &&
        boot->state == BOOT_RUNNING)
        arm_step(boot, BOOT_GRACE, on_grace_over, boot->plan.target->grace_ms);
}

static void on_guest_sign(void *ctx)
{
    struct boot *boot = ctx;
    if (boot->probe != NULL)
        probe_awake(boot->probe);
}

static void on_vmm_exit(void *ctx)
{
    struct boot *boot = ctx;
    capture_drain(&boot->machine.console);
    finish(boot, boot->signs.fatal != NULL ? RECORD_END_FATAL_EVIDENCE : RECORD_END_VMM_EXIT);
}

static void on_deadline(void *ctx)
{
    struct boot *boot = ctx;
    boot->deadline_passed = true;
    if (boot->state != BOOT_SETTLING) /* an answer in time may still prove itself */
        finish(boot, boot->state == BOOT_GRACE ? RECORD_END_FATAL_EVIDENCE : RECORD_END_DEADLINE);
}

/* ---- the start ---- */

static void fill_record(struct boot *boot)
{
    const struct boot_plan *plan = &boot->plan;
    struct record *record = &boot->record;
    char now[CLOCK_TEXT_SIZE];
    clock_now_text(now);
    record->boot_id = mem_printf("%04u", boot->index + 1);
    record->dir = mem_printf("%s/boot-%s", plan->run_dir, record->boot_id);
    record->source = mem_strdup(record->dir);
    record->backend = mem_strdup(plan->target->backend);
    record->started_at = mem_strdup(now);
    record->deadline_ms = plan->target->deadline_ms;
    record->fault = mem_strdup(plan->fault);
    record->vmm.version = mem_strdup(plan->vmm_version);
    record->host.kernel = host_kernel();
    record->host.parallel_boots = plan->parallel_boots;
    record->guest.memory_mib = plan->target->memory_mib;
    record->guest.vcpus = plan->target->vcpus;
    image_copy(&record->kernel, &plan->images->kernel);
    image_copy(&record->initrd, &plan->images->initrd);
    image_copy(&record->rootfs, &plan->images->rootfs);
    service_release(&record->service);
    service_copy(&record->service, &plan->target->service);
    record->has_service = true;
}

static const char *neighbour_now(void *ctx)
{
    struct boot *boot = ctx;
    struct guest_net *net = boot->machine.vm.guest_net;
    return net != NULL ? guest_net_neighbour(net) : NULL;
}

static void start_probe(struct boot *boot)
{
    const struct vm *vm = &boot->machine.vm;
    if (vm->ops->replayed != NULL || boot->state >= BOOT_ENDING)
        return;
    struct probe_options options = {
        .url = vm->url,
        .expected_status = boot->plan.target->service.expected_status,
        .start_ms = boot->start_ms,
        .neighbour = vm->guest_net != NULL ? neighbour_now : NULL,
        .on_result = on_probe_result,
        .ctx = boot,
    };
    boot->probe = probe_new(boot->plan.engine, &boot->record, &options);
}

static void on_guest_runs(void *ctx)
{
    start_probe(ctx);
}

static int start_vm(struct boot *boot, struct err *err)
{
    struct vm *vm = &boot->machine.vm;
    auto_free char *scratch = mem_printf("%s/boot-%s", boot->plan.scratch, boot->record.boot_id);
    vm->ops = boot->plan.ops;
    vm->target = boot->plan.target;
    vm->loop = boot->plan.loop;
    vm->record = &boot->record;
    vm->rootfs = boot->plan.rootfs;
    vm->index = boot->index;
    vm->slot = boot->plan.slot;
    vm->on_run = on_guest_runs;
    vm->on_sign = on_guest_sign;
    vm->on_exit = on_vmm_exit;
    vm->ctx = boot;
    return machine_start(&boot->machine, scratch, boot->start_ms, err);
}

static void on_start_failed(struct boot *boot, const struct err *err)
{
    set_error(&boot->record, err);
    finish(boot, RECORD_END_START_FAILED);
}

struct boot *boot_new(const struct boot_plan *plan, unsigned index,
                      void (*on_done)(void *ctx, struct boot *boot), void *ctx, struct err *err)
{
    struct boot *boot = mem_calloc(1, sizeof(*boot));
    boot->plan = *plan;
    boot->index = index;
    boot->on_done = on_done;
    boot->ctx = ctx;
    machine_init(&boot->machine, on_console_bytes, boot);
    boot->deadline = (struct loop_timer){.on_due = on_deadline, .ctx = boot};
    boot->step = (struct loop_timer){.ctx = boot};
    boot->cpu_at_start = host_cpu_now();
    record_init(&boot->record);
    fill_record(boot);
    boot->watch = plan->watch->open(plan->watch->ctx);
    if (path_make_dirs(boot->record.dir, err) != 0) {
        boot_free(boot);
        return NULL;
    }

    struct err failure = {0};
    boot->start_ms = clock_ms();
    if (start_vm(boot, &failure) != 0) {
        on_start_failed(boot, &failure);
    } else {
        boot->record.probe.url = mem_strdup(boot->machine.vm.url);
        if (!boot->machine.vm.waits)
            start_probe(boot);
        loop_arm(plan->loop, &boot->deadline, plan->target->deadline_ms);
    }
    if (record_save(&boot->record, err) != 0) { /* a killed bootdiag leaves at least this much */
        boot_free(boot);
        return NULL;
    }
    return boot;
}

void boot_interrupt(struct boot *boot)
{
    finish(boot, RECORD_END_INTERRUPTED);
}

void boot_free(struct boot *boot)
{
    if (boot == NULL)
        return;
    probe_free(boot->probe);
    machine_release(&boot->machine);
    loop_disarm(boot->plan.loop, &boot->deadline);
    loop_disarm(boot->plan.loop, &boot->step);
    if (boot->watch != NULL)
        boot->plan.watch->close(boot->watch);
    record_release(&boot->record);
    free(boot);
}

const struct record *boot_record(const struct boot *boot)
{
    return &boot->record;
}

const struct console_signs *boot_signs(const struct boot *boot)
{
    return &boot->signs;
}

const struct err *boot_failure(const struct boot *boot)
{
    if (boot->save_failure.message[0] != '\0')
        return &boot->save_failure;
    return machine_failure(&boot->machine);
}

unsigned boot_index(const struct boot *boot)
{
    return boot->index;
}

unsigned boot_slot(const struct boot *boot)
{
    return boot->plan.slot;
}

int64_t boot_elapsed_ms(const struct boot *boot)
{
    return boot->state == BOOT_DONE ? boot->record.ended_ms : elapsed(boot);
}

int64_t boot_saved_ms(const struct boot *boot)
{
    const struct record *record = &boot->record;
    if (record->end != RECORD_END_FATAL_EVIDENCE || record->replayed)
        return 0;
    return record->deadline_ms > record->ended_ms ? record->deadline_ms - record->ended_ms : 0;
}
