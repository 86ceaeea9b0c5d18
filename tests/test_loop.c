/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support.h"

#include <fcntl.h>
#include <sys/epoll.h>

#include "harness/base/clock.h"
#include "harness/base/loop.h"

enum { PATIENCE_MS = 10000 };

/* What happened, one letter each. */
struct trace {
    struct loop *loop;
    char text[64];
};

struct watcher {
    struct trace *trace;
    char letter;
    int ends[2];
    struct loop_watch watch;
    struct watcher *to_remove; /* removed in the callback; or NULL */
};

struct timer {
    struct trace *trace;
    char letter;
    struct loop_timer timer;
    int64_t again_ms;        /* rearms itself; negative: no */
    struct timer *to_disarm; /* or NULL */
};

static void note(struct trace *trace, char letter)
{
    size_t len = strlen(trace->text);
    assert_true(len + 1 < sizeof(trace->text));
    trace->text[len] = letter;
}

static void on_ready(void *ctx, uint32_t events)
{
    struct watcher *watcher = ctx;
    char byte;
    note(watcher->trace, watcher->letter);
    if (events & EPOLLIN)
        assert_int_equal(read(watcher->ends[0], &byte, 1), 1);
    if (watcher->to_remove != NULL)
        loop_unwatch(watcher->trace->loop, &watcher->to_remove->watch);
}

static void on_due(void *ctx)
{
    struct timer *timer = ctx;
    note(timer->trace, timer->letter);
    if (timer->to_disarm != NULL)
        loop_disarm(timer->trace->loop, &timer->to_disarm->timer);
    if (timer->again_ms >= 0)
        loop_arm(timer->trace->loop, &timer->timer, timer->again_ms);
}

static struct watcher *watcher_new(struct trace *trace, char letter)
{
    struct watcher *watcher = mem_calloc(1, sizeof(*watcher));
    watcher->trace = trace;
    watcher->letter = letter;
    assert_int_equal(pipe2(watcher->ends, O_CLOEXEC | O_NONBLOCK), 0);
    watcher->watch =
        (struct loop_watch){.fd = watcher->ends[0], .on_ready = on_ready, .ctx = watcher};
    loop_watch(trace->loop, &watcher->watch, EPOLLIN);
    return watcher;
}

static void watcher_free(struct watcher *watcher)
{
    loop_unwatch(watcher->trace->loop, &watcher->watch);
    loop_unwatch(watcher->trace->loop, &watcher->watch);
    (void)close(watcher->ends[0]);
    (void)close(watcher->ends[1]);
    free(watcher);
}

static void put_byte(struct watcher *watcher)
{
    assert_int_equal(write(watcher->ends[1], "x", 1), 1);
}

static struct timer timer_make(struct trace *trace, char letter)
{
    return (struct timer){.trace = trace, .letter = letter, .timer.on_due = on_due, .again_ms = -1};
}

static void arm(struct timer *timer, int64_t delay_ms)
{
    timer->timer.ctx = timer;
    loop_arm(timer->trace->loop, &timer->timer, delay_ms);
}

static void turn_until(struct trace *trace, const char *want)
{
    int64_t deadline = clock_ms() + PATIENCE_MS;
    while (strlen(trace->text) < strlen(want) && clock_ms() < deadline)
        loop_turn(trace->loop);
    assert_string_equal(trace->text, want);
}

static int setup(void **state)
{
    struct trace *trace = mem_calloc(1, sizeof(*trace));
    trace->loop = loop_new();
    *state = trace;
    return 0;
}

static int teardown(void **state)
{
    struct trace *trace = *state;
    loop_free(trace->loop);
    free(trace);
    return 0;
}

static void a_turn_calls_what_is_ready(void **state)
{
    struct trace *trace = *state;
    struct watcher *a = watcher_new(trace, 'a');
    struct watcher *b = watcher_new(trace, 'b');
    put_byte(b);
    loop_turn(trace->loop);
    assert_string_equal(trace->text, "b");
    put_byte(a);
    loop_turn(trace->loop);
    assert_string_equal(trace->text, "ba");
    watcher_free(a);
    watcher_free(b);
}

static void a_watch_may_remove_itself(void **state)
{
    struct trace *trace = *state;
    struct watcher *a = watcher_new(trace, 'a');
    struct timer end = timer_make(trace, '.');
    a->to_remove = a;
    put_byte(a);
    put_byte(a);
    loop_turn(trace->loop);
    arm(&end, 0);
    loop_turn(trace->loop);
    assert_string_equal(trace->text, "a.");
    assert_false(a->watch.active);
    watcher_free(a);
}

/* Both are ready in one batch: whichever comes first removes the other, which is never called. */
static void a_removed_watch_is_struck_from_the_batch(void **state)
{
    struct trace *trace = *state;
    struct watcher *a = watcher_new(trace, 'a');
    struct watcher *b = watcher_new(trace, 'b');
    a->to_remove = b;
    b->to_remove = a;
    put_byte(a);
    put_byte(b);
    loop_turn(trace->loop);
    assert_int_equal(strlen(trace->text), 1);
    watcher_free(a);
    watcher_free(b);
}

static void events_of_a_watch_can_change(void **state)
{
    struct trace *trace = *state;
    struct watcher *a = watcher_new(trace, 'a');
    struct timer end = timer_make(trace, '.');
    put_byte(a);
    loop_watch(trace->loop, &a->watch, 0);
    arm(&end, 0);
    loop_turn(trace->loop);
    assert_string_equal(trace->text, ".");
    loop_watch(trace->loop, &a->watch, EPOLLIN);
    loop_turn(trace->loop);
    assert_string_equal(trace->text, ".a");
    watcher_free(a);
}

static void more_watches_than_a_batch_are_all_served(void **state)
{
    struct trace *trace = *state;
    struct watcher *many[50];
    for (size_t i = 0; i < N_ROWS(many); i++) {
        many[i] = watcher_new(trace, 'm');
        put_byte(many[i]);
    }
    loop_turn(trace->loop);
    loop_turn(trace->loop);
    assert_int_equal(strlen(trace->text), N_ROWS(many));
    for (size_t i = 0; i < N_ROWS(many); i++)
        watcher_free(many[i]);
}

static void timers_come_in_the_order_of_their_times(void **state)
{
    struct trace *trace = *state;
    struct timer timers[] = {timer_make(trace, 'c'), timer_make(trace, 'a'), timer_make(trace, 'b'),
                             timer_make(trace, 'd')};
    static const int64_t delays[] = {60, 0, 30, 60};
    int64_t before = clock_ms();
    for (size_t i = 0; i < N_ROWS(timers); i++)
        arm(&timers[i], delays[i]);
    turn_until(trace, "abcd"); /* of two with one time, the first armed is the first */
    assert_true(clock_ms() - before >= 60);
}

static void arming_again_moves_a_timer(void **state)
{
    struct trace *trace = *state;
    struct timer a = timer_make(trace, 'a'), b = timer_make(trace, 'b');
    arm(&a, PATIENCE_MS);
    arm(&b, 40);
    arm(&a, 10);
    turn_until(trace, "ab");
    assert_false(a.timer.active || b.timer.active);
    arm(&a, 5);
    loop_disarm(trace->loop, &a.timer);
    loop_disarm(trace->loop, &a.timer);
    arm(&b, 20);
    turn_until(trace, "abb");
}

/* A timer that is due and that another one takes back is not called. */
static void timers_may_disarm_each_other(void **state)
{
    struct trace *trace = *state;
    struct timer a = timer_make(trace, 'a'), b = timer_make(trace, 'b'), c = timer_make(trace, 'c');
    a.to_disarm = &b;
    arm(&a, 0);
    arm(&b, 0);
    arm(&c, 1);
    turn_until(trace, "ac");
}

static void zero_means_the_next_turn(void **state)
{
    struct trace *trace = *state;
    struct timer a = timer_make(trace, 'a');
    struct watcher *ready = watcher_new(trace, 'w');
    a.again_ms = 0;
    arm(&a, 0);
    assert_string_equal(trace->text, "");
    loop_turn(trace->loop);
    assert_string_equal(trace->text, "a");
    put_byte(ready); /* a timer that is always due does not starve descriptors */
    loop_turn(trace->loop);
    assert_string_equal(trace->text, "awa");
    loop_disarm(trace->loop, &a.timer);
    watcher_free(ready);
}

static void on_due_slowly(void *ctx)
{
    int64_t until = clock_ms() + 30;
    while (clock_ms() < until)
        continue;
    on_due(ctx);
}

static void after_a_slow_timer_the_others_wait_a_turn(void **state)
{
    struct trace *trace = *state;
    struct timer slow = timer_make(trace, 's'), b = timer_make(trace, 'b');
    slow.timer.on_due = on_due_slowly;
    arm(&slow, 0);
    arm(&b, 1);
    loop_turn(trace->loop);
    assert_string_equal(trace->text, "s");
    loop_turn(trace->loop);
    assert_string_equal(trace->text, "sb");
}

#define loop_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        loop_test(a_turn_calls_what_is_ready),
        loop_test(a_watch_may_remove_itself),
        loop_test(a_removed_watch_is_struck_from_the_batch),
        loop_test(events_of_a_watch_can_change),
        loop_test(more_watches_than_a_batch_are_all_served),
        loop_test(timers_come_in_the_order_of_their_times),
        loop_test(arming_again_moves_a_timer),
        loop_test(timers_may_disarm_each_other),
        loop_test(zero_means_the_next_turn),
        loop_test(after_a_slow_timer_the_others_wait_a_turn),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
