/* SPDX-License-Identifier: Apache-2.0 */
/* Many boots of fake VMs. A test acts from their start and from on_done; the loop is the
 * campaign's. */
#include "tests/support.h"

#include <signal.h>

#include "harness/base/loop.h"
#include "harness/campaign.h"
#include "harness/image.h"

enum { NEVER_MS = 60000, MOST_BOOTS = FAKE_VMS };

struct lab {
    char *dir, *runs, *tmp;
    char *old_tmpdir;
    struct image_set images;
    struct fake_host host;
    struct campaign_options options;
    struct campaign_result result;
    struct err err;

    unsigned done[MOST_BOOTS]; /* indices, in the order of on_done */
    enum record_end ends[MOST_BOOTS];
    bool incomplete[MOST_BOOTS];
    size_t n_done;
    unsigned block_after; /* the run's directory is gone after so many boots; 0: never */

    size_t n_progress, most_shown;
    bool out_of_order;
};

static void block_runs(struct lab *lab)
{
    assert_int_equal(path_remove_tree(lab->runs, NULL), 0);
    free(put_text(lab->dir, "runs", "in the way"));
}

static void on_done(void *ctx, const struct boot *boot)
{
    struct lab *lab = ctx;
    unsigned index = boot_index(boot);
    const struct fake_vm *fake = &lab->host.vms[index];
    assert_false(lab->host.in_backend);
    assert_null(fake->vm);
    lab->done[lab->n_done++] = index;
    lab->ends[index] = boot_record(boot)->end;
    lab->incomplete[index] = boot_failure(boot) != NULL;
    if (lab->n_done == lab->block_after)
        block_runs(lab);
}

static void on_progress(void *ctx, const struct boot *const *boots, size_t n)
{
    struct lab *lab = ctx;
    lab->n_progress++;
    if (n > lab->most_shown)
        lab->most_shown = n;
    for (size_t i = 1; i < n; i++)
        lab->out_of_order |= boot_index(boots[i - 1]) > boot_index(boots[i]);
}

static int setup(void **state)
{
    void *dir;
    if (dir_setup(&dir) != 0)
        return -1;
    struct lab *lab = mem_calloc(1, sizeof(*lab));
    *state = lab;
    lab->dir = dir;
    lab->runs = put_dir(dir, "runs");
    lab->tmp = put_dir(dir, "tmp");
    lab->old_tmpdir = mem_strdup(getenv("TMPDIR"));
    struct target *target = &lab->host.target;
    target_init(target);
    free(target->backend);
    target->backend = mem_strdup("fake");
    target->settle_ms = 10;
    target->deadline_ms = NEVER_MS;
    lab->options = (struct campaign_options){
        .target = target,
        .ops = &fake_ops,
        .images = &lab->images,
        .watch = &fake_eyes,
        .dir = lab->runs,
        .boots = 3,
        .jobs = 1,
        .early_end = true,
        .on_done = on_done,
        .ctx = lab,
    };
    for (size_t i = 0; i < FAKE_VMS; i++)
        lab->host.vms[i].answers = "2";
    return setenv("TMPDIR", lab->tmp, 1);
}

static int teardown(void **state)
{
    struct lab *lab = *state;
    (void)(lab->old_tmpdir != NULL ? setenv("TMPDIR", lab->old_tmpdir, 1) : unsetenv("TMPDIR"));
    target_release(&lab->host.target);
    free(lab->runs);
    free(lab->tmp);
    free(lab->old_tmpdir);
    void *dir = lab->dir;
    free(lab);
    return dir_teardown(&dir);
}

static bool signals_arrive(void)
{
    sigset_t mask;
    assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
    return !sigismember(&mask, SIGINT) && !sigismember(&mask, SIGTERM) &&
           !sigismember(&mask, SIGHUP);
}

/* Whatever becomes of it, no VM and no scratch directory is left, and signals are as before. */
static int run(struct lab *lab)
{
    bool arrived = signals_arrive();
    int result = campaign_run(&lab->options, &lab->result, &lab->err);
    assert_int_equal(signals_arrive(), arrived);
    assert_int_equal(lab->host.n_running, 0);
    assert_int_equal(count_entries_of(lab->tmp), 0);
    assert_int_equal(lab->result.done, lab->n_done);
    return result;
}

/* What is on disk says the same. */
static void assert_kept(const struct lab *lab, unsigned index, enum record_end end)
{
    auto_free char *dir = mem_printf("%s/boot-%04u", lab->runs, index + 1);
    auto_record struct record record;
    record_init(&record);
    assert_int_equal(record_load(&record, dir, NULL), 0);
    assert_int_equal(record.end, end);
    assert_int_equal(lab->ends[index], end);
    assert_false(lab->incomplete[index]);
}

/* ---- boots ---- */

static void all_boots_run_one_after_the_other(void **state)
{
    struct lab *lab = *state;
    assert_int_equal(run(lab), 0);
    assert_int_equal(lab->result.done, 3);
    assert_int_equal(lab->result.jobs, 1);
    assert_false(lab->result.interrupted);
    assert_int_equal(lab->host.most_running, 1);
    assert_int_equal(count_entries_of(lab->runs), 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(lab->done[i], i);
        assert_kept(lab, i, RECORD_END_READY);
    }
}

static void as_many_at_a_time_as_was_said(void **state)
{
    static const struct {
        unsigned boots, jobs, at_a_time;
    } rows[] = {{8, 3, 3}, {2, 5, 2}, {1, 1, 1}};
    struct lab *lab = *state;
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        lab->n_done = lab->host.most_running = 0;
        lab->options.boots = rows[i].boots;
        lab->options.jobs = rows[i].jobs;
        assert_int_equal(run(lab), 0);
        assert_int_equal(lab->result.done, rows[i].boots);
        assert_int_equal(lab->result.jobs, rows[i].at_a_time);
        assert_int_equal(lab->host.most_running, rows[i].at_a_time);
    }
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(lab->host.vms[i].n_starts, 1 + (i < 2) + (i < 1));
}

static void no_other_has_its_slot(struct fake_vm *fake)
{
    for (unsigned i = 0; i < FAKE_VMS; i++) {
        const struct vm *other = fake->host->vms[i].vm;
        assert_true(other == NULL || other == fake->vm || other->slot != fake->vm->slot);
    }
    assert_true(fake->vm->slot < 3);
}

/* An address belongs to a slot: two boots that run at a time must never share one. */
static void boots_at_a_time_have_slots_of_their_own(void **state)
{
    struct lab *lab = *state;
    lab->options.boots = 8;
    lab->options.jobs = 3;
    for (size_t i = 0; i < FAKE_VMS; i++)
        lab->host.vms[i].on_start = no_other_has_its_slot;
    lab->host.vms[1].answers = "hhhh2"; /* so that they end out of order */
    assert_int_equal(run(lab), 0);
    assert_int_equal(lab->host.most_running, 3);
}

static void addresses_limit_the_boots_at_a_time(void **state)
{
    struct lab *lab = *state;
    lab->host.target.memory_mib = 1;
    free(lab->host.target.network);
    lab->host.target.network = mem_strdup("tap");
    lab->host.target.addresses = 1;
    assert_int_equal(campaign_default_jobs(&lab->host.target), 1);
}

static void let_run(void *ctx)
{
    struct fake_vm *fake = ctx;
    assert_int_equal(fake->n_connections, 0);
    fake->vm->on_run(fake->vm->ctx);
}

static void hold(struct fake_vm *fake)
{
    fake->vm->waits = true;
    fake->timer = (struct loop_timer){.on_due = let_run, .ctx = fake};
    loop_arm(fake->vm->loop, &fake->timer, 400);
}

/* Who answers before the guest is let run is not the guest: nobody asks. */
static void a_guest_that_waits_is_not_probed(void **state)
{
    struct lab *lab = *state;
    lab->options.boots = 1;
    lab->host.vms[0].on_start = hold;
    assert_int_equal(run(lab), 0);
    assert_kept(lab, 0, RECORD_END_READY);
}

static void write_pcap(struct fake_vm *fake)
{
    free(put_text(fake->vm->record->dir, "net.pcap", "frames"));
}

static void a_capture_is_kept_where_it_is_wanted(void **state)
{
    static const struct {
        const char *when;
        bool ready, kept;
    } rows[] = {{"failure", true, false}, {"failure", false, true}, {"always", true, true}};
    struct lab *lab = *state;
    lab->options.boots = 1;
    lab->host.target.deadline_ms = 300;
    lab->host.vms[0].on_start = write_pcap;
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        lab->n_done = 0;
        free(lab->host.target.pcap);
        lab->host.target.pcap = mem_strdup(rows[i].when);
        lab->host.vms[0].answers = rows[i].ready ? "2" : NULL;
        lab->host.target.deadline_ms = rows[i].ready ? NEVER_MS : 300;
        assert_int_equal(run(lab), 0);
        auto_free char *path = mem_printf("%s/boot-0001/net.pcap", lab->runs);
        assert_int_equal(path_exists(path), rows[i].kept);
    }
}

static void the_host_says_how_many_if_nobody_does(void **state)
{
    struct lab *lab = *state;
    lab->options.jobs = 0;
    unsigned jobs = campaign_default_jobs(&lab->host.target);
    assert_true(jobs >= 1);
    assert_int_equal(run(lab), 0);
    assert_int_equal(lab->result.jobs, jobs < 3 ? jobs : 3);
}

static void a_start_that_fails_does_not_stop_the_others(void **state)
{
    struct lab *lab = *state;
    for (unsigned jobs = 1; jobs <= 2; jobs++) {
        lab->n_done = 0;
        lab->options.jobs = jobs;
        lab->host.vms[1].start_cause = "fake.cause";
        assert_int_equal(run(lab), 0);
        assert_int_equal(lab->result.done, 3);
        assert_kept(lab, 0, RECORD_END_READY);
        assert_kept(lab, 1, RECORD_END_START_FAILED);
        assert_kept(lab, 2, RECORD_END_READY);
    }
}

static void a_campaign_without_an_audience_runs(void **state)
{
    struct lab *lab = *state;
    lab->options.on_done = NULL;
    assert_int_equal(campaign_run(&lab->options, &lab->result, &lab->err), 0);
    assert_int_equal(lab->result.done, 3);
}

/* ---- progress ---- */

static void exit_soon(void *ctx)
{
    fake_exits(ctx, 0);
}

/* The first one goes while the others stay: they are shown in their order still. */
static void exit_after_a_while(struct fake_vm *fake)
{
    fake->timer = (struct loop_timer){.on_due = exit_soon, .ctx = fake};
    loop_arm(fake->vm->loop, &fake->timer, fake->vm->index == 0 ? 50 : 700);
}

static void progress_shows_what_runs_in_order(void **state)
{
    struct lab *lab = *state;
    lab->options.jobs = 3;
    lab->options.boots = 4;
    lab->options.on_progress = on_progress;
    for (size_t i = 0; i < 4; i++) {
        lab->host.vms[i].answers = NULL;
        lab->host.vms[i].on_start = exit_after_a_while;
    }
    assert_int_equal(run(lab), 0);
    assert_true(lab->n_progress > 0);
    assert_int_equal(lab->most_shown, 3);
    assert_false(lab->out_of_order);
    assert_int_equal(lab->done[0], 0);
}

/* ---- signals ---- */

static void raise_it(void *ctx)
{
    assert_int_equal(raise(*(const int *)ctx), 0);
}

static void raise_soon(struct fake_vm *fake)
{
    fake->timer = (struct loop_timer){.on_due = raise_it, .ctx = fake->ctx};
    loop_arm(fake->vm->loop, &fake->timer, 0);
}

static void a_signal_ends_what_runs_and_is_reported(void **state)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct lab *lab = *state;
    for (size_t i = 0; i < N_ROWS(signals); i++) {
        lab->n_done = 0;
        lab->options.boots = 5;
        lab->options.jobs = 2;
        for (size_t j = 0; j < 5; j++)
            lab->host.vms[j] = (struct fake_vm){.answers = j == 0 ? "2" : NULL};
        lab->host.vms[2].on_start = raise_soon;
        lab->host.vms[2].ctx = (void *)&signals[i];
        assert_int_equal(run(lab), 0);
        assert_true(lab->result.interrupted);
        assert_int_equal(lab->result.done, 3);
        assert_kept(lab, 0, RECORD_END_READY);
        assert_kept(lab, 1, RECORD_END_INTERRUPTED);
        assert_kept(lab, 2, RECORD_END_INTERRUPTED);
        assert_int_equal(lab->host.vms[3].n_starts, 0);
    }
}

/* A fault's image may take minutes to make. */
static void a_signal_while_it_prepares_is_heeded(void **state)
{
    struct lab *lab = *state;
    sigset_t interrupt, old;
    (void)sigemptyset(&interrupt);
    (void)sigaddset(&interrupt, SIGINT);
    assert_int_equal(sigprocmask(SIG_BLOCK, &interrupt, &old), 0);
    assert_int_equal(raise(SIGINT), 0);
    assert_int_equal(run(lab), 0);
    assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
    assert_true(lab->result.interrupted);
    assert_int_equal(lab->result.done, 0);
    assert_int_equal(lab->host.vms[0].n_starts, 0);
}

/* ---- failures ---- */

static void a_failure_in_the_middle_keeps_the_earlier_boots(void **state)
{
    struct lab *lab = *state;
    lab->block_after = 2;
    assert_int_equal(run(lab), -1);
    assert_holds(lab->err.message, lab->runs);
    assert_int_equal(lab->result.done, 2);
    assert_int_equal(lab->result.jobs, 1);
    assert_false(lab->result.interrupted);
    assert_int_equal(lab->ends[0], RECORD_END_READY);
    assert_int_equal(lab->ends[1], RECORD_END_READY);
    assert_int_equal(lab->host.vms[2].n_starts, 0);
}

/* The second boot waits for an answer when the third cannot be recorded; nor can its own end. */
static void a_failure_in_the_middle_ends_what_runs(void **state)
{
    struct lab *lab = *state;
    lab->options.jobs = 2;
    lab->host.vms[1].answers = "h";
    lab->block_after = 1;
    assert_int_equal(run(lab), -1);
    assert_holds(lab->err.message, lab->runs);
    assert_int_equal(lab->result.done, 2);
    assert_false(lab->result.interrupted);
    assert_int_equal(lab->ends[0], RECORD_END_READY);
    assert_false(lab->incomplete[0]);
    assert_int_equal(lab->ends[1], RECORD_END_INTERRUPTED);
    assert_true(lab->incomplete[1]);
}

static void what_cannot_be_prepared_has_no_boots(void **state)
{
    struct lab *lab = *state;
    auto_free char *nowhere = path_join(lab->dir, "nowhere");
    assert_int_equal(setenv("TMPDIR", nowhere, 1), 0);
    lab->result.done = 99;
    assert_int_equal(run(lab), -1);
    assert_holds(lab->err.message, nowhere);
    assert_int_equal(lab->result.done, 0);
    assert_int_equal(lab->host.vms[0].n_starts, 0);
}

#define campaign_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        campaign_test(all_boots_run_one_after_the_other),
        campaign_test(as_many_at_a_time_as_was_said),
        campaign_test(boots_at_a_time_have_slots_of_their_own),
        campaign_test(addresses_limit_the_boots_at_a_time),
        campaign_test(a_guest_that_waits_is_not_probed),
        campaign_test(a_capture_is_kept_where_it_is_wanted),
        campaign_test(the_host_says_how_many_if_nobody_does),
        campaign_test(a_start_that_fails_does_not_stop_the_others),
        campaign_test(a_campaign_without_an_audience_runs),
        campaign_test(progress_shows_what_runs_in_order),
        campaign_test(a_signal_ends_what_runs_and_is_reported),
        campaign_test(a_signal_while_it_prepares_is_heeded),
        campaign_test(a_failure_in_the_middle_keeps_the_earlier_boots),
        campaign_test(a_failure_in_the_middle_ends_what_runs),
        campaign_test(what_cannot_be_prepared_has_no_boots),
    };
    return cmocka_run_group_tests_name("campaign", tests, NULL, NULL);
}
