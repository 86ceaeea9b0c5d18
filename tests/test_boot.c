/* SPDX-License-Identifier: Apache-2.0 */
/* A boot from start to end, with a fake VM whose console and service do what the test says. */
#include "tests/support.h"

#include "harness/base/clock.h"
#include "harness/base/json.h"
#include "harness/image.h"
#include "harness/probe_engine.h"

enum {
    PATIENCE_MS = 4000, /* what should happen has happened by then */
    SETTLE_MS = 30,
    GRACE_MS = 50,
    NEVER_MS = 60000,
};

struct lab {
    char *dir, *scratch;
    struct loop *loop;
    struct probe_engine *engine;
    struct image_set images;
    struct fake_host host;
    struct fake_vm *fake; /* the only one */
    struct boot_plan plan;
    struct boot *boot;
    unsigned n_done;
    bool in_boot_new;
};

static int setup(void **state)
{
    void *dir;
    if (dir_setup(&dir) != 0)
        return -1;
    struct lab *lab = mem_calloc(1, sizeof(*lab));
    *state = lab;
    lab->dir = dir;
    lab->scratch = put_dir(dir, "scratch");
    lab->loop = loop_new();
    lab->engine = probe_engine_new(lab->loop, NULL);
    lab->fake = &lab->host.vms[0];
    struct target *target = &lab->host.target;
    target_init(target);
    free(target->backend);
    target->backend = mem_strdup("fake");
    target->settle_ms = SETTLE_MS;
    target->grace_ms = GRACE_MS;
    target->deadline_ms = NEVER_MS;
    lab->plan = (struct boot_plan){
        .target = target,
        .ops = &fake_ops,
        .watch = &fake_eyes,
        .engine = lab->engine,
        .loop = lab->loop,
        .images = &lab->images,
        .run_dir = dir,
        .scratch = lab->scratch,
        .early_end = true,
        .parallel_boots = 1,
    };
    return lab->engine != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    struct lab *lab = *state;
    boot_free(lab->boot);
    probe_engine_free(lab->engine);
    loop_free(lab->loop);
    target_release(&lab->host.target);
    bool clean = lab->fake->vm == NULL && count_entries_of(lab->scratch) == 0;
    free(lab->scratch);
    void *dir = lab->dir;
    free(lab);
    return dir_teardown(&dir) == 0 && clean ? 0 : -1;
}

/* ---- what a test does ---- */

static void on_done(void *ctx, struct boot *boot)
{
    struct lab *lab = ctx;
    assert_false(lab->in_boot_new);
    assert_ptr_equal(boot, lab->boot);
    assert_null(lab->fake->vm);
    lab->n_done++;
}

static void start(struct lab *lab)
{
    struct err err = {0};
    lab->in_boot_new = true;
    lab->boot = boot_new(&lab->plan, 0, on_done, lab, &err);
    lab->in_boot_new = false;
    if (lab->boot == NULL)
        fail_msg("%s", err.message);
}

static void set_flag(void *ctx)
{
    *(bool *)ctx = true;
}

/* Turns the loop until it is so. */
static void until(struct lab *lab, bool (*is_so)(const struct lab *lab))
{
    bool over = false;
    struct loop_timer timer = {.on_due = set_flag, .ctx = &over};
    loop_arm(lab->loop, &timer, PATIENCE_MS);
    while (!is_so(lab) && !over)
        loop_turn(lab->loop);
    loop_disarm(lab->loop, &timer);
    assert_true(is_so(lab));
}

static bool is_done(const struct lab *lab)
{
    return lab->n_done > 0;
}

static bool is_fatal(const struct lab *lab)
{
    return boot_signs(lab->boot)->fatal != NULL;
}

static bool was_answered(const struct lab *lab)
{
    const struct record *record = boot_record(lab->boot);
    size_t n = record->probe.n_runs;
    return n > 0 && record->probe.runs[n - 1].class == PROBE_READY;
}

static bool has_relapsed(const struct lab *lab)
{
    return boot_record(lab->boot)->probe.n_runs >= 2;
}

static bool was_refused(const struct lab *lab)
{
    const struct record *record = boot_record(lab->boot);
    return record->probe.n_runs > 0 && record->probe.runs[0].class == PROBE_REFUSED;
}

static bool has_stage(const struct lab *lab)
{
    return boot_signs(lab->boot)->stage != NULL;
}

static bool has_connection(const struct lab *lab)
{
    return lab->fake->n_connections >= 1;
}

static bool has_two_connections(const struct lab *lab)
{
    return lab->fake->n_connections >= 2;
}

static bool has_abandoned(const struct lab *lab)
{
    return lab->fake->n_abandoned >= 1;
}

static void assert_text(const char *text, const char *expected)
{
    if (expected == NULL) {
        assert_null(text);
        return;
    }
    assert_non_null(text);
    assert_string_equal(text, expected);
}

static char *read_file(const struct lab *lab, const char *name)
{
    return get_text(boot_record(lab->boot)->dir, name);
}

static void assert_saved(const struct lab *lab)
{
    auto_free char *path = path_join(lab->dir, "expected.json");
    json_auto_t *expected = record_json(boot_record(lab->boot));
    assert_int_equal(json_write_file(expected, path, NULL), 0);
    auto_free char *expected_text = get_text(lab->dir, "expected.json");
    auto_free char *text = read_file(lab, "boot.json");
    assert_string_equal(text, expected_text);
}

/* It ended like this, once, is on disk, and nothing of the VM is left. Borrowed. */
static const struct record *ended(struct lab *lab, enum record_end end)
{
    until(lab, is_done);
    const struct record *record = boot_record(lab->boot);
    assert_text(record_end_name(record->end), record_end_name(end));
    assert_int_equal(lab->n_done, 1);
    assert_null(boot_failure(lab->boot));
    assert_int_equal(count_entries_of(lab->scratch), 0);
    assert_int_equal(boot_elapsed_ms(lab->boot), record->ended_ms);
    assert_int_equal(record->ready_ms >= 0, end == RECORD_END_READY);
    assert_saved(lab);
    return record;
}

/* ---- ready ---- */

static void it_is_ready_when_it_still_answers_after_settling(void **state)
{
    struct lab *lab = *state;
    lab->fake->answers = "2";
    start(lab);
    const struct record *record = ended(lab, RECORD_END_READY);
    assert_int_equal(record->probe.n_runs, 1);
    assert_int_equal(record->probe.runs[0].count, 2);
    assert_true(record->ready_ms >= record->probe.runs[0].from_ms);
    assert_true(record->ended_ms >= record->ready_ms + SETTLE_MS);
    assert_int_equal(lab->fake->n_connections, 2);
    assert_int_equal(boot_saved_ms(lab->boot), 0);
    assert_text(record->backend, "fake");
    assert_text(record->boot_id, "0001");
}

/* A guest that was heard is asked more often. */
static void speak(struct fake_vm *fake)
{
    fake_says(fake, "hello\n");
}

static void a_relapse_does_not_stop_a_later_answer(void **state)
{
    static const struct {
        const char *answers;
        enum probe_class relapse;
    } rows[] = {{"252", PROBE_HTTP_ERROR}, {"2x2", PROBE_RESET}, {"255x55x2", PROBE_HTTP_ERROR}};
    struct lab *lab = *state;
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        *lab->fake = (struct fake_vm){.answers = rows[i].answers, .on_start = speak};
        lab->n_done = 0;
        start(lab);
        const struct record *record = ended(lab, RECORD_END_READY);
        const struct probe_run *runs = record->probe.runs;
        assert_true(record->probe.n_runs >= 3);
        assert_int_equal(runs[0].class, PROBE_READY);
        assert_int_equal(runs[1].class, rows[i].relapse);
        assert_int_equal(runs[record->probe.n_runs - 1].class, PROBE_READY);
        assert_true(record->ready_ms >= runs[record->probe.n_runs - 2].to_ms);
        assert_true(record->ended_ms >= record->ready_ms + SETTLE_MS);
        boot_free(lab->boot);
        lab->boot = NULL;
    }
}

static void a_port_that_opens_late_is_found(void **state)
{
    struct lab *lab = *state;
    start(lab);
    until(lab, was_refused);
    fake_set_answers(lab->fake, "2");
    const struct record *record = ended(lab, RECORD_END_READY);
    assert_int_equal(record->probe.runs[0].class, PROBE_REFUSED);
}

static void a_port_that_closes_while_settling_is_a_relapse(void **state)
{
    struct lab *lab = *state;
    lab->fake->answers = "2";
    start(lab);
    until(lab, was_answered);
    fake_set_answers(lab->fake, NULL);
    until(lab, has_relapsed);
    fake_set_answers(lab->fake, "2");
    const struct record *record = ended(lab, RECORD_END_READY);
    assert_int_equal(record->probe.runs[1].class, PROBE_REFUSED);
}

/* ---- the deadline ---- */

static void nobody_who_answers_well_is_the_deadline(void **state)
{
    static const struct {
        const char *answers;
        enum probe_class class;
        int deadline_ms;
    } rows[] = {
        {NULL, PROBE_REFUSED, 60},
        {"x", PROBE_RESET, 60},
        {"5", PROBE_HTTP_ERROR, 60},
        {"h", PROBE_NO_ANSWER, 600}, /* an attempt takes 500 ms */
    };
    struct lab *lab = *state;
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        *lab->fake = (struct fake_vm){.answers = rows[i].answers};
        lab->host.target.deadline_ms = rows[i].deadline_ms;
        lab->n_done = 0;
        start(lab);
        const struct record *record = ended(lab, RECORD_END_DEADLINE);
        assert_true(record->ended_ms >= rows[i].deadline_ms);
        assert_int_equal(record->probe.n_runs, 1);
        assert_int_equal(record->probe.runs[0].class, rows[i].class);
        assert_int_equal(record->vmm.exit_code, -1);
        boot_free(lab->boot);
        lab->boot = NULL;
    }
}

/* An answer in time may settle beyond the deadline; what comes then decides at once. */
static void an_answer_before_the_deadline_may_still_prove_itself(void **state)
{
    static const struct {
        const char *answers;
        enum record_end end;
    } rows[] = {{"2", RECORD_END_READY}, {"252", RECORD_END_DEADLINE}};
    struct lab *lab = *state;
    lab->host.target.deadline_ms = 300;
    lab->host.target.settle_ms = 400;
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        *lab->fake = (struct fake_vm){.answers = rows[i].answers};
        lab->n_done = 0;
        start(lab);
        const struct record *record = ended(lab, rows[i].end);
        assert_true(record->ended_ms >= 400);
        boot_free(lab->boot);
        lab->boot = NULL;
    }
}

/* ---- fatal evidence ---- */

static void fatal_evidence_ends_it_after_a_grace(void **state)
{
    struct lab *lab = *state;
    start(lab);
    fake_says(lab->fake, "STAGE\nFATAL\n");
    until(lab, is_fatal);
    int64_t fatal_ms = boot_elapsed_ms(lab->boot);
    fake_says(lab->fake, "last line\n");
    const struct record *record = ended(lab, RECORD_END_FATAL_EVIDENCE);
    assert_text(record->end_detail, "fake.fatal");
    assert_text(boot_signs(lab->boot)->stage, "fake.stage");
    assert_true(record->ended_ms >= fatal_ms - 1 + GRACE_MS);
    assert_int_equal(boot_saved_ms(lab->boot), NEVER_MS - record->ended_ms);
    auto_free char *console = read_file(lab, "console.log");
    assert_string_equal(console, "STAGE\nFATAL\nlast line\n");
    assert_int_equal(record->console_facts.bytes, strlen(console));
}

static void the_deadline_cuts_the_grace_short(void **state)
{
    struct lab *lab = *state;
    lab->host.target.grace_ms = NEVER_MS;
    lab->host.target.deadline_ms = 150;
    start(lab);
    fake_says(lab->fake, "FATAL\n");
    const struct record *record = ended(lab, RECORD_END_FATAL_EVIDENCE);
    assert_true(record->ended_ms >= 150);
    assert_int_equal(boot_saved_ms(lab->boot), 0);
}

static void without_early_end_it_waits(void **state)
{
    struct lab *lab = *state;
    lab->plan.early_end = false;
    lab->host.target.deadline_ms = 200;
    start(lab);
    fake_says(lab->fake, "FATAL\n");
    const struct record *record = ended(lab, RECORD_END_DEADLINE);
    assert_text(boot_signs(lab->boot)->fatal, "fake.fatal");
    assert_null(record->end_detail);
    assert_true(record->ended_ms >= 200);
    assert_int_equal(boot_saved_ms(lab->boot), 0);
}

static void a_good_answer_refutes_fatal_evidence(void **state)
{
    struct lab *lab = *state;
    lab->host.target.grace_ms = NEVER_MS;
    start(lab);
    fake_says(lab->fake, "FATAL\n");
    until(lab, is_fatal);
    fake_set_answers(lab->fake, "2");
    ended(lab, RECORD_END_READY);
}

static void a_relapse_after_fatal_evidence_ends_it(void **state)
{
    struct lab *lab = *state;
    lab->host.target.grace_ms = NEVER_MS;
    lab->fake->answers = "25";
    start(lab);
    until(lab, was_answered);
    fake_says(lab->fake, "FATAL\n");
    const struct record *record = ended(lab, RECORD_END_FATAL_EVIDENCE);
    assert_text(record->end_detail, "fake.fatal");
    assert_int_equal(record->probe.runs[1].class, PROBE_HTTP_ERROR);
}

/* ---- the VMM's exit ---- */

/* The words stand unread in the socket when it exits: they count. */
static void an_exit_is_fatal_evidence_if_the_console_says_so(void **state)
{
    static const struct {
        const char *words;
        bool early_end;
        enum record_end end;
        const char *detail;
    } rows[] = {
        {"READY\n", true, RECORD_END_VMM_EXIT, NULL},
        {"READY\n", false, RECORD_END_VMM_EXIT, NULL},
        {"FATAL\n", true, RECORD_END_FATAL_EVIDENCE, "fake.fatal"},
        {"FATAL\n", false, RECORD_END_FATAL_EVIDENCE, "fake.fatal"},
    };
    struct lab *lab = *state;
    lab->host.target.grace_ms = NEVER_MS;
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        *lab->fake = (struct fake_vm){0};
        lab->plan.early_end = rows[i].early_end;
        lab->n_done = 0;
        start(lab);
        fake_says(lab->fake, rows[i].words);
        fake_exits(lab->fake, 3);
        assert_int_equal(lab->n_done, 0); /* not from within the VM's own callback */
        const struct record *record = ended(lab, rows[i].end);
        assert_text(record->end_detail, rows[i].detail);
        assert_int_equal(record->vmm.exit_code, 3);
        auto_free char *console = read_file(lab, "console.log");
        assert_string_equal(console, rows[i].words);
        boot_free(lab->boot);
        lab->boot = NULL;
    }
}

static void an_exit_while_settling_is_not_ready(void **state)
{
    struct lab *lab = *state;
    lab->fake->answers = "2";
    start(lab);
    until(lab, was_answered);
    fake_exits(lab->fake, 0);
    ended(lab, RECORD_END_VMM_EXIT);
}

static void what_it_says_while_it_is_stopped_is_kept(void **state)
{
    struct lab *lab = *state;
    lab->fake->answers = "2";
    lab->fake->last_words = "FATAL: a panic\n";
    start(lab);
    fake_prints(lab->fake->log_fd, "a warning\n");
    const struct record *record = ended(lab, RECORD_END_READY);
    auto_free char *console = read_file(lab, "console.log");
    auto_free char *times = read_file(lab, "console.times");
    auto_free char *log = read_file(lab, "vmm.log");
    assert_string_equal(console, "FATAL: a panic\n");
    assert_int_equal(record->console_facts.bytes, strlen(console));
    assert_memory_equal(times, "0 ", 2);
    assert_string_equal(log, "a warning\n");
    assert_null(record->end_detail);
}

/* ---- starts that fail ---- */

static void a_start_that_fails_is_a_boot(void **state)
{
    struct lab *lab = *state;
    lab->fake->start_cause = "fake.cause";
    start(lab);
    const struct record *record = ended(lab, RECORD_END_START_FAILED);
    assert_text(record->vmm.error, "fake VM 0 cannot start");
    assert_text(record->vmm.error_cause, "fake.cause");
    assert_int_equal(record->console_facts.dropped_at, RECORD_UNKNOWN);
    assert_int_equal(record->probe.n_runs, 0);
}

static void a_vmm_that_refuses_after_its_start_is_a_failed_start(void **state)
{
    struct lab *lab = *state;
    lab->fake->refusal_cause = "fake.refusal";
    start(lab);
    fake_exits(lab->fake, 1);
    const struct record *record = ended(lab, RECORD_END_START_FAILED);
    assert_text(record->vmm.error, "the fake VMM refuses");
    assert_text(record->vmm.error_cause, "fake.refusal");
    assert_int_equal(record->vmm.exit_code, 1);
}

static void exit_at_once(struct fake_vm *fake)
{
    fake_exits(fake, 1);
}

static void an_exit_from_within_start_is_an_exit(void **state)
{
    struct lab *lab = *state;
    lab->fake->on_start = exit_at_once;
    start(lab);
    const struct record *record = ended(lab, RECORD_END_VMM_EXIT);
    assert_int_equal(record->vmm.exit_code, 1);
}

static void a_console_that_cannot_be_kept_fails_the_start(void **state)
{
    static const char *const files[] = {"console.log", "console.times", "vmm.log"};
    struct lab *lab = *state;
    for (size_t i = 0; i < N_ROWS(files); i++) {
        *lab->fake = (struct fake_vm){.answers = "2"};
        lab->n_done = 0;
        auto_free char *dir = put_dir(lab->dir, "boot-0001");
        auto_free char *blocked = put_dir(dir, files[i]);
        start(lab);
        const struct record *record = ended(lab, RECORD_END_START_FAILED);
        assert_holds(record->vmm.error, blocked);
        assert_int_equal(lab->fake->n_ends, 1);
        boot_free(lab->boot);
        lab->boot = NULL;
        assert_int_equal(path_remove_tree(dir, NULL), 0);
    }
}

static void a_scratch_directory_that_cannot_be_made_fails_the_start(void **state)
{
    struct lab *lab = *state;
    auto_free char *file = put_text(lab->dir, "file", "");
    lab->plan.scratch = file;
    start(lab);
    const struct record *record = ended(lab, RECORD_END_START_FAILED);
    assert_holds(record->vmm.error, file);
    assert_int_equal(lab->fake->n_starts, 0);
}

/* ---- interruption ---- */

static void interrupt_and_check(struct lab *lab)
{
    boot_interrupt(lab->boot);
    assert_int_equal(lab->n_done, 0);
    boot_interrupt(lab->boot);
    ended(lab, RECORD_END_INTERRUPTED);
    boot_interrupt(lab->boot); /* over: it changes nothing */
    ended(lab, RECORD_END_INTERRUPTED);
}

static void a_fresh_boot_can_be_interrupted(void **state)
{
    struct lab *lab = *state;
    start(lab);
    interrupt_and_check(lab);
}

static void it_can_be_interrupted_while_nobody_answers(void **state)
{
    struct lab *lab = *state;
    lab->fake->answers = "h";
    start(lab);
    until(lab, has_connection);
    interrupt_and_check(lab);
}

static void it_can_be_interrupted_while_it_settles(void **state)
{
    struct lab *lab = *state;
    lab->host.target.settle_ms = NEVER_MS;
    lab->fake->answers = "2";
    start(lab);
    until(lab, was_answered);
    interrupt_and_check(lab);
}

static void it_can_be_interrupted_while_it_is_asked_again(void **state)
{
    struct lab *lab = *state;
    lab->fake->answers = "2h";
    start(lab);
    until(lab, has_two_connections);
    interrupt_and_check(lab);
}

static void it_can_be_interrupted_in_its_grace(void **state)
{
    struct lab *lab = *state;
    lab->host.target.grace_ms = NEVER_MS;
    start(lab);
    fake_says(lab->fake, "FATAL\n");
    until(lab, is_fatal);
    interrupt_and_check(lab);
    assert_null(boot_record(lab->boot)->end_detail);
}

static void the_first_decision_counts(void **state)
{
    struct lab *lab = *state;
    start(lab);
    fake_exits(lab->fake, 7);
    boot_interrupt(lab->boot);
    ended(lab, RECORD_END_VMM_EXIT);
}

/* teardown frees it and looks at what is left. */
static void it_can_be_freed_while_it_runs(void **state)
{
    struct lab *lab = *state;
    lab->fake->answers = "2h";
    start(lab);
    until(lab, has_two_connections);
    boot_free(lab->boot);
    lab->boot = NULL;
    assert_int_equal(lab->fake->n_ends, 1);
    assert_int_equal(count_entries_of(lab->scratch), 0);
    auto_free char *json =
        get_text(lab->dir, "boot-0001/boot.json"); /* as a killed one leaves it */
    assert_holds(json, "\"boot_id\": \"0001\"");
}

static void it_can_be_freed_when_its_end_is_decided(void **state)
{
    struct lab *lab = *state;
    start(lab);
    boot_interrupt(lab->boot);
    boot_free(lab->boot);
    lab->boot = NULL;
    bool over = false;
    struct loop_timer timer = {.on_due = set_flag, .ctx = &over};
    loop_arm(lab->loop, &timer, 0);
    loop_turn(lab->loop); /* in which it would have ended */
    assert_true(over);
    assert_int_equal(lab->n_done, 0);
}

/* ---- console and probe ---- */

/* The attempt that hangs is given up at once: it has no result yet. */
static void a_ready_line_nudges_the_probe(void **state)
{
    struct lab *lab = *state;
    lab->fake->answers = "h";
    start(lab);
    until(lab, has_connection);
    fake_says(lab->fake, "READY\n");
    until(lab, has_abandoned);
    assert_int_equal(boot_record(lab->boot)->probe.n_runs, 0);
}

static void any_other_line_does_not(void **state)
{
    struct lab *lab = *state;
    lab->fake->answers = "h";
    start(lab);
    until(lab, has_connection);
    fake_says(lab->fake, "STAGE\n");
    until(lab, has_two_connections);
    assert_non_null(boot_signs(lab->boot)->stage);
    assert_int_equal(lab->fake->n_abandoned, 0);
}

static void a_stage_is_seen_while_it_runs(void **state)
{
    struct lab *lab = *state;
    start(lab);
    assert_null(boot_signs(lab->boot)->stage);
    fake_says(lab->fake, "STAGE\n");
    until(lab, has_stage);
    assert_text(boot_signs(lab->boot)->stage, "fake.stage");
    assert_int_equal(lab->n_done, 0);
}

/* ---- records that cannot be kept ---- */

/* No write to /dev/full finds room, full(4). The boot goes on: its VMM must not block. */
static void a_full_disk_is_told(void **state)
{
    static const char *const files[] = {"console.log", "console.times", "vmm.log"};
    struct lab *lab = *state;
    for (size_t i = 0; i < N_ROWS(files); i++) {
        *lab->fake = (struct fake_vm){.answers = "2"};
        lab->n_done = 0;
        auto_free char *dir = put_dir(lab->dir, "boot-0001");
        auto_free char *full = path_join(dir, files[i]);
        assert_int_equal(symlink("/dev/full", full), 0);
        start(lab);
        assert_null(boot_failure(lab->boot));
        fake_says(lab->fake, "STAGE\n");
        fake_prints(lab->fake->log_fd, "a warning\n");
        until(lab, is_done);
        const struct record *record = boot_record(lab->boot);
        assert_int_equal(record->end, RECORD_END_READY);
        assert_non_null(boot_failure(lab->boot));
        assert_text(boot_failure(lab->boot)->cause, "host.disk-full");
        assert_text(record->vmm.error, boot_failure(lab->boot)->message);
        assert_text(record->vmm.error_cause, "host.disk-full");
        assert_saved(lab);
        boot_free(lab->boot);
        lab->boot = NULL;
        assert_int_equal(path_remove_tree(dir, NULL), 0);
    }
}

static void a_record_that_cannot_be_saved_is_told(void **state)
{
    struct lab *lab = *state;
    start(lab);
    auto_free char *path = path_join(boot_record(lab->boot)->dir, "boot.json");
    assert_int_equal(unlink(path), 0);
    free(put_dir(path, "in-the-way"));
    fake_exits(lab->fake, 0);
    until(lab, is_done);
    assert_non_null(boot_failure(lab->boot));
    assert_holds(boot_failure(lab->boot)->message, path);
}

static void no_record_is_an_error(void **state)
{
    struct lab *lab = *state;
    struct err err = {0};
    auto_free char *file = put_text(lab->dir, "file", "");
    lab->plan.run_dir = file;
    assert_null(boot_new(&lab->plan, 0, on_done, lab, &err));
    assert_holds(err.message, file);
    assert_int_equal(lab->fake->n_starts, 0);

    err.message[0] = '\0';
    lab->plan.run_dir = lab->dir;
    free(put_dir(lab->dir, "boot-0001/boot.json/in-the-way"));
    assert_null(boot_new(&lab->plan, 0, on_done, lab, &err));
    assert_holds(err.message, "boot.json");
    assert_int_equal(lab->fake->n_starts, 1);
    assert_int_equal(lab->fake->n_ends, 1);
    assert_int_equal(lab->n_done, 0);
}

/* ---- replays ---- */

static struct record kept;

static const struct record *replayed(const struct vm *vm)
{
    (void)vm;
    return &kept;
}

static const struct vm_ops replaying = {
    .name = "fake", .start = fake_start, .stop = fake_stop, .replayed = replayed};

/* Its directory is empty, or holds what a record may hold. */
static void keep(struct lab *lab, struct probe_run *runs, size_t n_runs)
{
    lab->plan.ops = &replaying;
    record_init(&kept);
    kept.dir = put_dir(lab->dir, "kept");
    kept.end = RECORD_END_READY;
    kept.ready_ms = 1000;
    kept.ended_ms = 1500;
    kept.probe.runs = runs;
    kept.probe.n_runs = n_runs;
}

static void drop_kept(void)
{
    kept.probe.runs = NULL;
    record_release(&kept);
}

static void a_replay_ends_as_the_kept_boot_did(void **state)
{
    struct lab *lab = *state;
    struct probe_run run = {.class = PROBE_READY, .from_ms = 1000, .to_ms = 1500, .count = 2};
    for (size_t n_runs = 0; n_runs <= 1; n_runs++) {
        *lab->fake = (struct fake_vm){.answers = "2"};
        lab->n_done = 0;
        keep(lab, &run, n_runs);
        free(put_text(kept.dir, "console.times", "0 20\n"));
        start(lab);
        fake_says(lab->fake, "FATAL\n");
        fake_exits(lab->fake, -1);
        const struct record *record = ended(lab, RECORD_END_READY);
        assert_int_equal(record->ready_ms, 1000);
        assert_int_equal(record->ended_ms, 1500);
        assert_int_equal(record->probe.n_runs, n_runs);
        assert_int_equal(lab->fake->n_connections, 0);
        auto_free char *times = read_file(lab, "console.times");
        assert_string_equal(times, "0 20\n");
        boot_free(lab->boot);
        lab->boot = NULL;
        drop_kept();
    }
}

static void a_replay_can_end_in_its_own_way(void **state)
{
    struct lab *lab = *state;
    keep(lab, NULL, 0);
    auto_free char *dir = put_dir(lab->dir, "boot-0001");
    free(put_dir(dir, "console.log"));
    start(lab);
    ended(lab, RECORD_END_START_FAILED);
    boot_free(lab->boot);
    lab->n_done = 0;
    assert_int_equal(path_remove_tree(dir, NULL), 0);

    start(lab);
    boot_interrupt(lab->boot);
    ended(lab, RECORD_END_INTERRUPTED);
    drop_kept();
}

static void a_replay_that_cannot_be_kept_whole_is_told(void **state)
{
    struct lab *lab = *state;
    keep(lab, NULL, 0);
    free(put_text(kept.dir, "vmm.log", "a warning\n"));
    start(lab);
    auto_free char *log = path_join(boot_record(lab->boot)->dir, "vmm.log");
    assert_int_equal(unlink(log), 0);
    free(put_dir(log, "in-the-way"));
    fake_exits(lab->fake, -1);
    until(lab, is_done);
    assert_non_null(boot_failure(lab->boot));
    assert_holds(boot_failure(lab->boot)->message, log);
    drop_kept();
}

#define boot_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        boot_test(it_is_ready_when_it_still_answers_after_settling),
        boot_test(a_relapse_does_not_stop_a_later_answer),
        boot_test(a_port_that_opens_late_is_found),
        boot_test(a_port_that_closes_while_settling_is_a_relapse),
        boot_test(nobody_who_answers_well_is_the_deadline),
        boot_test(an_answer_before_the_deadline_may_still_prove_itself),
        boot_test(fatal_evidence_ends_it_after_a_grace),
        boot_test(the_deadline_cuts_the_grace_short),
        boot_test(without_early_end_it_waits),
        boot_test(a_good_answer_refutes_fatal_evidence),
        boot_test(a_relapse_after_fatal_evidence_ends_it),
        boot_test(an_exit_is_fatal_evidence_if_the_console_says_so),
        boot_test(an_exit_while_settling_is_not_ready),
        boot_test(what_it_says_while_it_is_stopped_is_kept),
        boot_test(a_start_that_fails_is_a_boot),
        boot_test(a_vmm_that_refuses_after_its_start_is_a_failed_start),
        boot_test(an_exit_from_within_start_is_an_exit),
        boot_test(a_console_that_cannot_be_kept_fails_the_start),
        boot_test(a_scratch_directory_that_cannot_be_made_fails_the_start),
        boot_test(a_fresh_boot_can_be_interrupted),
        boot_test(it_can_be_interrupted_while_nobody_answers),
        boot_test(it_can_be_interrupted_while_it_settles),
        boot_test(it_can_be_interrupted_while_it_is_asked_again),
        boot_test(it_can_be_interrupted_in_its_grace),
        boot_test(the_first_decision_counts),
        boot_test(it_can_be_freed_while_it_runs),
        boot_test(it_can_be_freed_when_its_end_is_decided),
        boot_test(a_ready_line_nudges_the_probe),
        boot_test(any_other_line_does_not),
        boot_test(a_stage_is_seen_while_it_runs),
        boot_test(a_full_disk_is_told),
        boot_test(a_record_that_cannot_be_saved_is_told),
        boot_test(no_record_is_an_error),
        boot_test(a_replay_ends_as_the_kept_boot_did),
        boot_test(a_replay_can_end_in_its_own_way),
        boot_test(a_replay_that_cannot_be_kept_whole_is_told),
    };
    return cmocka_run_group_tests_name("boot", tests, NULL, NULL);
}
