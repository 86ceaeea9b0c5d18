/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support.h"

#include <signal.h>
#include <sys/wait.h>

#include "harness/base/crew.h"

/* What a task does, and what came of it. */
enum deed { DEED_ANSWER, DEED_CRASH, DEED_EXIT, DEED_HANG, DEED_SLOW, DEED_LARGE, DEED_INTERRUPT };

struct job {
    const enum deed *deeds; /* borrowed; NULL: all answer */
    pid_t parent;
    size_t n_results, n_lost, n_progress;
    size_t fail_at; /* SIZE_MAX: never */
    char last_why[200];
};

static void work(void *ctx, size_t task, struct buf *ret_result)
{
    struct job *job = ctx;
    enum deed deed = job->deeds != NULL ? job->deeds[task] : DEED_ANSWER;
    switch (deed) {
    case DEED_CRASH:
        (void)raise(SIGKILL);
        break;
    case DEED_EXIT:
        _exit(7);
    case DEED_HANG:
        for (;;)
            (void)pause();
    case DEED_SLOW:
        (void)usleep(50 * 1000);
        break;
    case DEED_INTERRUPT:
        (void)kill(job->parent, SIGINT);
        break;
    case DEED_LARGE:
        for (int i = 0; i < 1 << 20; i++)
            buf_add_text(ret_result, "x");
        return;
    case DEED_ANSWER:
        break;
    }
    buf_addf(ret_result, "answer %zu", task);
}

static int on_result(void *ctx, size_t task, const struct buf *result, struct err *err)
{
    struct job *job = ctx;
    auto_free char *want = mem_printf("answer %zu", task);
    assert_int_equal(task, job->n_results + job->n_lost);
    if (job->deeds != NULL && job->deeds[task] == DEED_LARGE)
        assert_int_equal(result->len, 1 << 20);
    else
        assert_string_equal(buf_text(result), want);
    job->n_results++;
    return task == job->fail_at ? err_set(err, "enough") : 0;
}

static int on_lost(void *ctx, size_t task, const char *why, struct err *err)
{
    struct job *job = ctx;
    (void)err;
    assert_int_equal(task, job->n_results + job->n_lost);
    job->n_lost++;
    (void)snprintf(job->last_why, sizeof(job->last_why), "%s", why);
    return 0;
}

static void on_progress(void *ctx, size_t n_finished)
{
    struct job *job = ctx;
    assert_int_equal(n_finished, job->n_progress + 1);
    job->n_progress = n_finished;
}

static int run(struct job *job, size_t n_tasks, unsigned n_workers, int64_t limit_ms,
               bool *ret_interrupted, struct err *err)
{
    struct crew_plan plan = {
        .n_tasks = n_tasks,
        .n_workers = n_workers,
        .limit_ms = limit_ms,
        .work = work,
        .on_result = on_result,
        .on_lost = on_lost,
        .on_progress = on_progress,
        .ctx = job,
    };
    job->parent = getpid();
    int result = crew_run(&plan, ret_interrupted, err);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no worker is left, not even a dead one */
    return result;
}

static void results_come_in_order(void **state)
{
    static const struct {
        size_t n_tasks;
        unsigned n_workers;
    } rows[] = {{0, 4}, {1, 4}, {5, 1}, {1000, 3}, {CREW_WINDOW + 1, 8}};
    (void)state;
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        struct job job = {.fail_at = SIZE_MAX};
        bool interrupted = true;
        assert_int_equal(run(&job, rows[i].n_tasks, rows[i].n_workers, 0, &interrupted, NULL), 0);
        assert_int_equal(job.n_results, rows[i].n_tasks);
        assert_int_equal(job.n_progress, rows[i].n_tasks);
        assert_false(interrupted);
    }
}

/* The first is slow and holds all others back, which must wait without being lost. */
static void a_slow_first_task_delays_nothing_but_the_output(void **state)
{
    static enum deed deeds[3 * CREW_WINDOW] = {DEED_SLOW};
    struct job job = {.deeds = deeds, .fail_at = SIZE_MAX};
    bool interrupted;
    (void)state;
    deeds[7] = DEED_LARGE;
    assert_int_equal(run(&job, N_ROWS(deeds), 2, 0, &interrupted, NULL), 0);
    assert_int_equal(job.n_results, N_ROWS(deeds));
}

static void a_lost_task_takes_nothing_with_it(void **state)
{
    static const struct {
        enum deed deed;
        const char *why;
    } rows[] = {
        {DEED_CRASH, "ended by signal 9"},
        {DEED_EXIT, "ended with status 7"},
        {DEED_HANG, "took longer than 1 s"},
    };
    (void)state;
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        enum deed deeds[20] = {[0] = rows[i].deed, [13] = rows[i].deed};
        struct job job = {.deeds = deeds, .fail_at = SIZE_MAX};
        bool interrupted;
        assert_int_equal(run(&job, N_ROWS(deeds), 2, 1000, &interrupted, NULL), 0);
        assert_int_equal(job.n_lost, 2);
        assert_int_equal(job.n_results, 18);
        assert_non_null(strstr(job.last_why, rows[i].why));
    }
}

static void a_failing_callback_ends_the_run(void **state)
{
    struct job job = {.fail_at = 3};
    struct err err = {0};
    bool interrupted;
    (void)state;
    assert_int_equal(run(&job, 100, 2, 0, &interrupted, &err), -1);
    assert_string_equal(err.message, "enough");
    assert_int_equal(job.n_results, 4);
}

/* Nothing behind what was in work comes; the signal is used up, and its old handling is back. */
static void a_signal_ends_the_run(void **state)
{
    enum deed deeds[50] = {[10] = DEED_INTERRUPT, [11] = DEED_HANG, [12] = DEED_HANG};
    struct job job = {.deeds = deeds, .fail_at = SIZE_MAX};
    bool interrupted = false;
    sigset_t mask;
    (void)state;
    assert_int_equal(run(&job, N_ROWS(deeds), 2, 0, &interrupted, NULL), 0);
    assert_true(interrupted);
    assert_true(job.n_results <= 11);
    assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
    assert_int_equal(sigismember(&mask, SIGINT), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_come_in_order),
        cmocka_unit_test(a_slow_first_task_delays_nothing_but_the_output),
        cmocka_unit_test(a_lost_task_takes_nothing_with_it),
        cmocka_unit_test(a_failing_callback_ends_the_run),
        cmocka_unit_test(a_signal_ends_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
