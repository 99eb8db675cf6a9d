#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firstboot/netlink.h"

enum { HEAD = NLMSG_SPACE(sizeof(struct ifinfomsg)) };

/* A message in memory without a byte to spare, so that a sanitizer sees a read behind its end. */
static struct nlmsghdr *message_of(const void *attributes, size_t len)
{
    struct nlmsghdr *m = calloc(1, HEAD + len);
    assert_non_null(m);
    m->nlmsg_len = (uint32_t)(HEAD + len);
    memcpy((char *)m + HEAD, attributes, len);
    return m;
}

static const void *find(const struct nlmsghdr *m, uint16_t type, size_t size)
{
    return netlink_attribute(m, sizeof(struct ifinfomsg), type, size);
}

/* The last one is one byte long and has no padding behind it. */
static const struct {
    uint16_t len1, type1;
    uint32_t value1;
    uint16_t len2, type2;
    uint8_t value2;
} __attribute__((packed)) two = {8, IFLA_MTU, 1500, 5, IFLA_OPERSTATE, 6};

static void attributes_are_found(void **state)
{
    (void)state;
    struct nlmsghdr *m = message_of(&two, sizeof two);
    assert_memory_equal(find(m, IFLA_MTU, 4), &two.value1, 4);
    assert_int_equal(*(const uint8_t *)find(m, IFLA_OPERSTATE, 1), 6);
    assert_null(find(m, IFLA_MTU, 5));
    assert_null(find(m, IFLA_ADDRESS, 1));
    free(m);
}

static void what_does_not_fit_is_not_read(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof two; len++) { /* cut anywhere */
        struct nlmsghdr *m = message_of(&two, len);
        assert_null(find(m, IFLA_OPERSTATE, 1));
        assert_true((find(m, IFLA_MTU, 4) != NULL) == (len >= 8));
        free(m);
    }
    struct nlmsghdr *m = message_of("", 0);
    m->nlmsg_len = HEAD - 1;
    assert_null(find(m, IFLA_MTU, 4));
    free(m);
}

static void a_request_has_its_attributes_aligned(void **state)
{
    (void)state;
    struct netlink_request r, full;
    netlink_begin(&r, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
    netlink_put(&r, IFLA_IFNAME, "ens4", 5);
    netlink_put32(&r, IFLA_MTU, 1460);
    assert_int_equal(r.head.nlmsg_len, HEAD + 12 + 8);
    assert_int_equal(r.head.nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
    assert_string_equal(find(&r.head, IFLA_IFNAME, 5), "ens4");
    assert_int_equal(*(const uint32_t *)find(&r.head, IFLA_MTU, 4), 1460);

    full = r; /* what does not fit is left out, whole */
    static const char much[sizeof r];
    netlink_put(&full, IFLA_ADDRESS, much, sizeof much);
    assert_memory_equal(&full, &r, sizeof r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_are_found),
        cmocka_unit_test(what_does_not_fit_is_not_read),
        cmocka_unit_test(a_request_has_its_attributes_aligned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
