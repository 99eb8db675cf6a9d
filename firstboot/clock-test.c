#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/time.h>

#include <cmocka.h>

#include "firstboot/backoff.h"
#include "firstboot/clock.h"

static void left_counts_down_to_zero(void **state)
{
    (void)state;
    struct deadline d = deadline_in(1000);
    int left = deadline_left_ms(d);
    assert_in_range(left, 900, 1000);
    assert_int_equal(deadline_left_ms(deadline_in(0)), 0);
    assert_int_equal(deadline_left_ms(deadline_in(-5000)), 0);
    assert_int_equal(deadline_left_ms(deadline_in(INT64_C(1) << 40)), INT_MAX);
}

static void a_step_never_outlives_the_whole(void **state)
{
    (void)state;
    struct deadline whole = deadline_in(500);
    assert_in_range(deadline_left_ms(deadline_step(whole, 100)), 1, 100);
    assert_int_equal(deadline_step(whole, 60000).at_ms, whole.at_ms);
}

static void sleep_lasts_its_time(void **state)
{
    (void)state;
    int64_t start = clock_now_ms();
    assert_true(deadline_sleep(deadline_in(60000), 50));
    assert_in_range(clock_now_ms() - start, 50, 2000);
}

static void sleep_ends_with_the_deadline(void **state)
{
    (void)state;
    int64_t start = clock_now_ms();
    assert_false(deadline_sleep(deadline_in(50), 60000));
    assert_in_range(clock_now_ms() - start, 50, 2000);
    assert_false(deadline_sleep(deadline_in(-1), 10));
}

static void ignore(int signal)
{
    (void)signal;
}

static void sleep_survives_signals(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = ignore}, before;
    struct itimerval often = {{0, 5000}, {0, 5000}}, never;
    memset(&never, 0, sizeof never);
    sigaction(SIGALRM, &action, &before);
    setitimer(ITIMER_REAL, &often, NULL);
    int64_t start = clock_now_ms();
    assert_true(deadline_sleep(deadline_in(60000), 60));
    int64_t took = clock_now_ms() - start;
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &before, NULL);
    assert_in_range(took, 60, 2000);
}

static void pauses_double_up_to_the_longest(void **state)
{
    (void)state;
    static const int64_t middle[] = {100, 200, 400, 800, 1000, 1000};
    for (int round = 0; round < 50; round++) {
        struct backoff b = {100, 1000};
        for (size_t i = 0; i < 6; i++)
            assert_in_range(backoff_pause(&b), middle[i] * 3 / 4, middle[i] * 5 / 4);
    }
}

static void pauses_differ(void **state)
{
    (void)state;
    struct backoff b = {1000, 1000};
    int64_t first = backoff_pause(&b);
    for (int i = 0; i < 100; i++)
        if (backoff_pause(&b) != first)
            return;
    fail_msg("100 pauses of %d ms: there is no jitter", (int)first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(left_counts_down_to_zero),
        cmocka_unit_test(a_step_never_outlives_the_whole),
        cmocka_unit_test(sleep_lasts_its_time),
        cmocka_unit_test(sleep_ends_with_the_deadline),
        cmocka_unit_test(sleep_survives_signals),
        cmocka_unit_test(pauses_double_up_to_the_longest),
        cmocka_unit_test(pauses_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
