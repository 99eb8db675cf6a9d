#include "builder/lab/net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/lab/balancer.h"
#include "builder/lab/dhcp.h"
#include "builder/lab/lab-fixture.h"
#include "builder/lab/memory.h"

static void test_names(void **state)
{
    (void)state;
    char mac[NET_MAC_MAX], tap[NET_TAP_MAX], router[16];
    unsigned prefix;
    net_mac("10.240.0.20", mac);
    net_tap("255.255.255.255", tap);
    net_router(&fixture, router, &prefix);
    assert_string_equal(mac, "42:01:0a:f0:00:14");
    assert_string_equal(tap, "tap-ffffffff");
    assert_string_equal(router, "10.240.0.1");
    assert_int_equal(prefix, 24);
}

static void test_router_needs_an_address(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct node first = {.name = (char *)"n", .address = (char *)"10.240.0.1", .line = 7};
    struct cluster bad = fixture;
    assert_int_equal(net_check(&bad, &err), 0);
    bad.nodes = &first;
    bad.node_count = 1;
    assert_int_equal(net_check(&bad, &err), -1);
    assert_non_null(strstr(err.text, "cluster.yaml:7: n has the address 10.240.0.1"));
    bad.node_count = 0;
    bad.nodes_cidr = (char *)"10.240.0.0/31";
    assert_int_equal(net_check(&bad, &err), -1);
    assert_non_null(strstr(err.text, "no room"));
}

static void test_script(void **state)
{
    (void)state;
    struct buffer script AUTO_BUFFER = buffer_heap();
    net_script(&fixture, &script);
    assert_string_equal(script.data, "link set lo up\n"
                                     "link add br0 mtu 1460 type bridge\n"
                                     "address add 10.240.0.1/24 dev br0\n"
                                     "address add 169.254.169.254/32 dev br0\n"
                                     "address add 10.240.0.100/32 dev br0\n"
                                     "link set br0 up\n"
                                     "route add 10.200.0.0/24 via 10.240.0.20\n"
                                     "route add 10.200.1.0/24 via 10.240.0.21\n");
}

static void test_dhcp(void **state)
{
    (void)state;
    struct buffer text AUTO_BUFFER = buffer_heap();
    dhcp_config(&fixture, &text);
    assert_non_null(strstr(text.data, "\ndhcp-host=42:01:0a:f0:00:14,10.240.0.20,worker-0\n"));
    assert_non_null(strstr(text.data, "\ndhcp-range=10.240.0.0,static,86400\n"));
    assert_non_null(strstr(text.data, "\ndomain=c.c.internal\n"));
    assert_non_null(strstr(text.data, "static-route,10.240.0.1/32,0.0.0.0,0.0.0.0/0,10.240.0.1\n"));
}

static void test_balancer(void **state)
{
    (void)state;
    struct buffer text AUTO_BUFFER = buffer_heap();
    balancer_config(&fixture, &text);
    assert_non_null(strstr(text.data, "    bind 10.240.0.100:6443\n"));
    assert_non_null(strstr(text.data, " hdr Host kubernetes.default.svc.cluster.local\n"));
    assert_non_null(strstr(text.data, "    server controller-0 10.240.0.10:6443\n"));
    assert_null(strstr(text.data, "worker"));
}

#define STAT_ROW(server, status, check, code)                                                      \
    "controllers," server ",0,0,0,0,,0,0,0,,0,,0,0,0,0," status                                    \
    ",1,1,0,1,1,10,10,,1,3,1,,0,,2,0,,0," check "," code ",2002,,,,\n"

static void test_health(void **state)
{
    (void)state;
    static const char stat[] =
        "# pxname,svname,...\n"
        "api,FRONTEND,,,0,0\n" STAT_ROW("controller-0", "DOWN", "L4TOUT", "")
            STAT_ROW("controller-1", "UP", "L7OK", "200") STAT_ROW("controller-2", "UP", "INI", "")
                STAT_ROW("controller-3", "UP", "* L7OK", "0")
                    STAT_ROW("controller-4", "UP", "* INI", "");
    char why[128];
    assert_false(balancer_up(stat, "controller-0", why, sizeof why));
    assert_non_null(strstr(why, "L4TOUT"));
    assert_true(balancer_up(stat, "controller-1", why, sizeof why));
    assert_false(balancer_up(stat, "controller-2", why, sizeof why)); /* not asked yet */
    assert_true(balancer_up(stat, "controller-3", why, sizeof why));  /* asked again */
    assert_false(balancer_up(stat, "controller-4", why, sizeof why));
    assert_false(balancer_up(stat, "controller", why, sizeof why));
    assert_false(balancer_up("", "controller-0", why, sizeof why));
    assert_false(balancer_up("controllers,controller-0,0,0", "controller-0", why, sizeof why));
}

static void test_memory(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct memory_need need = {0};
    assert_int_equal(memory_check(&need, 0, &err), 0);
    memory_add(&need, "worker-0", 1024);
    memory_add(&need, "worker-1", 1024);
    unsigned long all = 2 * (1024 + MEMORY_BESIDE);
    assert_int_equal(memory_check(&need, all, &err), 0);
    assert_int_equal(memory_check(&need, 0, &err), 0); /* unknown */
    assert_int_equal(memory_check(&need, all - 1, &err), -1);
    assert_non_null(strstr(err.text, "worker-0, worker-1 need 2304 MiB"));
    assert_non_null(strstr(err.text, "2303 MiB are free"));
    assert_true(memory_available() > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),    cmocka_unit_test(test_router_needs_an_address),
        cmocka_unit_test(test_script),   cmocka_unit_test(test_dhcp),
        cmocka_unit_test(test_balancer), cmocka_unit_test(test_health),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
