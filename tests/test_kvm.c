/* SPDX-License-Identifier: Apache-2.0 */
/* What this host's own KVM is cannot be known here; that the answer is consistent and quick can. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/base/clock.h"
#include "harness/kvm.h"

static void test_nodes_that_are_not_kvm(void **state)
{
    (void)state;
    static const struct {
        const char *node;
        enum kvm_state expected;
        const char *word;
    } cases[] = {
        {"/nonexistent/kvm", KVM_ABSENT, "No such file"},
        {"/dev/null", KVM_NOT_KVM, "is not KVM"},
        {"/", KVM_REFUSED, "cannot be opened"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct kvm_verdict verdict;
        kvm_probe(cases[i].node, &verdict);
        assert_int_equal(verdict.state, cases[i].expected);
        assert_non_null(strstr(verdict.words, cases[i].word));
        assert_non_null(strstr(verdict.words, cases[i].node));
        assert_true(verdict.minsn_per_s == 0);
    }
}

static void test_a_long_name_does_not_overflow(void **state)
{
    (void)state;
    char name[3000];
    memset(name, 'x', sizeof(name) - 1);
    name[0] = '/';
    name[sizeof(name) - 1] = '\0';
    struct kvm_verdict verdict;
    kvm_probe(name, &verdict);
    assert_true(verdict.state == KVM_REFUSED || verdict.state == KVM_ABSENT);
    assert_true(strlen(verdict.words) < sizeof(verdict.words));
}

static void test_this_host(void **state)
{
    (void)state;
    int64_t start = clock_ms();
    const struct kvm_verdict *verdict = kvm_verdict();
    assert_in_range(clock_ms() - start, 0, 999);
    assert_int_equal(kvm_works(), verdict->state == KVM_WORKS);
    assert_true(verdict->words[0] != '\0');
    if (verdict->state == KVM_WORKS) /* two million instructions within the limit of 50 ms */
        assert_true(verdict->minsn_per_s >= 40);
    if (verdict->state == KVM_ABSENT)
        assert_int_not_equal(access("/dev/kvm", R_OK | W_OK), 0);
}

static void test_the_verdict_is_kept(void **state)
{
    (void)state;
    const struct kvm_verdict *first = kvm_verdict();
    int64_t start = clock_ms();
    for (int i = 0; i < 1000; i++)
        assert_ptr_equal(kvm_verdict(), first);
    assert_in_range(clock_ms() - start, 0, 100);
}

static void test_no_child_is_left(void **state)
{
    (void)state;
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nodes_that_are_not_kvm),
        cmocka_unit_test(test_a_long_name_does_not_overflow),
        cmocka_unit_test(test_this_host),
        cmocka_unit_test(test_the_verdict_is_kept),
        cmocka_unit_test(test_no_child_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
