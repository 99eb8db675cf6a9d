#include "builder/plan/network-fixture.h"

#define WANTS   "/etc/systemd/system/"
#define CHRONY  WANTS "multi-user.target.wants/chrony.service"
#define NTPSEC  WANTS "multi-user.target.wants/ntpsec.service"
#define SYNCD   WANTS "sysinit.target.wants/systemd-timesyncd.service"
#define SOURCES "/etc/chrony/sources.d/nodebake.sources"
#define DROP_IN "/etc/systemd/timesyncd.conf.d/50-nodebake.conf"

static struct network *with_servers(const char *unit)
{
    struct network *n = network_create();
    texts_add(&n->cluster.settings.ntp, "time.example");
    texts_add(&n->cluster.settings.ntp, "10.0.0.1");
    if (unit)
        texts_add(&n->base.paths, unit);
    return n;
}

static void add(struct network *n)
{
    struct error err = ERROR_INIT;
    expect(part_ntp(&n->plan, &err), &err);
}

static void refuse(struct network *n, const char *message)
{
    struct error err = ERROR_INIT;
    expect_error(part_ntp(&n->plan, &err), &err, message);
    assert_memory_equal(err.text, "cluster.yaml: ntp: ", 19);
    assert_int_equal(n->plan.tree->count, 0);
}

static void nothing_is_added_without_servers(void **state)
{
    (void)state;
    struct network *n AUTO_NETWORK = network_create();
    add(n);
    assert_int_equal(n->plan.tree->count, 0);
}

static void timesyncd_gets_them(void **state)
{
    (void)state;
    struct network *n AUTO_NETWORK = with_servers(SYNCD);
    add(n);
    assert_int_equal(n->plan.tree->count, 1);
    assert_string_equal(text_at(n, DROP_IN), "[Time]\nNTP=time.example 10.0.0.1\n");
}

/* Or a build would not notice other servers. */
static void drafts_change_with_them(void **state)
{
    (void)state;
    struct network *n AUTO_NETWORK = with_servers(NULL);
    n->plan.in.base = NULL;
    add(n);
    assert_non_null(strstr(text_at(n, DROP_IN), "time.example"));
}

static void chrony_gets_them(void **state)
{
    (void)state;
    struct network *n AUTO_NETWORK = with_servers(CHRONY);
    texts_add(&n->base.paths, SYNCD); /* it does not start beside chrony */
    network_file(n, "/etc/chrony/chrony.conf",
                 "pool 2.debian.pool.ntp.org iburst\nsourcedir /etc/chrony/sources.d\n");
    add(n);
    assert_int_equal(n->plan.tree->count, 2);
    assert_string_equal(text_at(n, SOURCES),
                        "server time.example iburst\nserver 10.0.0.1 iburst\n");
    assert_string_equal(text_at(n, "/etc/chrony/chrony.conf"),
                        "#pool 2.debian.pool.ntp.org iburst\nsourcedir /etc/chrony/sources.d\n");
}

static void others_are_refused(void **state)
{
    (void)state;
    struct network *old AUTO_NETWORK = with_servers(CHRONY);
    network_file(old, "/etc/chrony/chrony.conf", "pool 2.debian.pool.ntp.org iburst\n");
    refuse(old, "chrony of the base (Debian 12) reads no servers from /etc/chrony/sources.d");
    struct network *bare AUTO_NETWORK = with_servers(CHRONY);
    refuse(bare, "chrony of the base (Debian 12) reads no servers from /etc/chrony/sources.d");
    struct network *ntpsec AUTO_NETWORK = with_servers(NTPSEC);
    texts_add(&ntpsec->base.paths, SYNCD);
    refuse(ntpsec, "the base (Debian 12) keeps its time with ntpsec");
    struct network *none AUTO_NETWORK = with_servers(NULL);
    refuse(none, "the base (Debian 12); add systemd-timesyncd or chrony to `packages`");
    struct network *masked AUTO_NETWORK = with_servers(SYNCD);
    texts_add(&masked->base.paths, WANTS "systemd-timesyncd.service");
    refuse(masked, "add systemd-timesyncd or chrony");
}

static void packages_bring_one(void **state)
{
    (void)state;
    struct network *n AUTO_NETWORK = with_servers(NULL);
    texts_add(&n->cluster.settings.packages, "chrony");
    add(n);
    assert_int_equal(n->plan.tree->count, 0);
    n->base.dpkg_status = (char *)"Package: chrony\nStatus: install ok installed\n";
    n->base.dpkg_len = strlen(n->base.dpkg_status);
    refuse(n, "add systemd-timesyncd or chrony");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_added_without_servers),
                                       cmocka_unit_test(timesyncd_gets_them),
                                       cmocka_unit_test(drafts_change_with_them),
                                       cmocka_unit_test(chrony_gets_them),
                                       cmocka_unit_test(others_are_refused),
                                       cmocka_unit_test(packages_bring_one)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
