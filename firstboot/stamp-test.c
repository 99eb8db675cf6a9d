#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "firstboot/platform.h"
#include "firstboot/stamp.h"

#define GOOD "nodebake-stamp 1\nsource gce\nidentity product_uuid:9b3c\nnode worker-0\n"

static struct stamp stamp;

static bool parse(const char *text)
{
    char bytes[1024];
    size_t n = strlen(text);
    memcpy(bytes, text, n);
    return stamp_parse(bytes, n, &stamp);
}

static void a_stamp_is_read(void **state)
{
    (void)state;
    assert_true(parse(GOOD));
    assert_string_equal(stamp.source, "gce");
    assert_string_equal(stamp.identity, "product_uuid:9b3c");
    assert_string_equal(stamp.node, "worker-0");
}

static void half_and_foreign_stamps_are_none(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "nodebake-stamp 1\n",
        "nodebake-stamp 2\nsource gce\nidentity product_uuid:9b3c\nnode worker-0\n",
        "nodebake-stamp 1\nsource gce\nnode worker-0\nidentity product_uuid:9b3c\n",
        "nodebake-stamp 1\nsource gce\nidentity product_uuid:9b3c\nnode \n",
        "nodebake-stamp 1\nsource gce\nidentity product_uuid:9b3c\nnode\n",
        "nodebake-stamp 1\nsource gce\nidentity product uuid:9b3c\nnode worker-0\n",
        GOOD "more\n",
        GOOD "\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(parse(bad[i]));
    char cut[sizeof GOOD];
    for (size_t n = 0; n < sizeof GOOD - 1; n++) {
        memcpy(cut, GOOD, n);
        assert_false(stamp_parse(cut, n, &stamp));
    }
}

static struct contract contract;
static struct error err;

static void load(const char *source_line)
{
    static char text[512];
    text[0] = '\0';
    strcat(text, "nodebake-contract 1\ncluster c\nrole r\ndeadline 60\non-failure continue\n"
                 "fact NODE_NAME label\n");
    strcat(text, source_line);
    assert_int_equal(contract_parse(text, strlen(text), &contract, &err), 0);
}

static const struct dmi on_gce = {.sys_vendor = "Google",
                                  .product_name = "Google Compute Engine",
                                  .product_uuid = "9b3c",
                                  .board_asset_tag = "Not Specified"};

static void the_firmware_says_who_the_machine_is(void **state)
{
    (void)state;
    load("source gce product_uuid\n");
    const struct source *s = platform_choose(&contract, &on_gce, &stamp, &err);
    assert_non_null(s);
    assert_string_equal(s->name, "gce");
    assert_string_equal(stamp.source, "gce");
    assert_string_equal(stamp.identity, "product_uuid:9b3c");

    assert_true(parse(GOOD));
    assert_true(platform_is_stamped(&contract, &on_gce, &stamp));
    struct dmi clone = on_gce;
    strcpy(clone.product_uuid, "9b3d");
    assert_false(platform_is_stamped(&contract, &clone, &stamp));
    strcpy(clone.product_uuid, "");
    assert_false(platform_is_stamped(&contract, &clone, &stamp));
    strcpy(stamp.source, "file");
    assert_false(platform_is_stamped(&contract, &on_gce, &stamp));
}

static void what_cannot_tell_machines_apart_is_no_identity(void **state)
{
    (void)state;
    struct dmi without = on_gce;
    load("source gce product_uuid\n");
    without.product_uuid[0] = '\0';
    assert_null(platform_choose(&contract, &without, &stamp, &err));
    assert_string_equal(err.text, "gce: product_uuid: the firmware has none; nothing would tell "
                                  "this machine from a clone");
    load("source gce board_asset_tag\n");
    assert_null(platform_choose(&contract, &on_gce, &stamp, &err));
    assert_non_null(strstr(err.text, "gce: board_asset_tag: 'Not Specified' is not "));
}

static void other_platforms_are_refused(void **state)
{
    (void)state;
    struct dmi other = {.sys_vendor = "QEMU", .product_name = "Standard PC", .product_uuid = "1"};
    load("source gce product_uuid\n");
    assert_null(platform_choose(&contract, &other, &stamp, &err));
    assert_string_equal(err.text,
                        "no source: the contract allows gce; this machine is 'QEMU' 'Standard PC'");
    assert_true(parse(GOOD));
    assert_false(platform_is_stamped(&contract, &other, &stamp));
    load("");
    assert_null(platform_choose(&contract, &other, &stamp, &err));
    assert_non_null(strstr(err.text, "the contract allows none;"));
    load("source moon product_uuid\n");
    assert_null(platform_choose(&contract, &on_gce, &stamp, &err));
    assert_string_equal(err.text, "moon: this firstboot has no source of that name");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stamp_is_read),
        cmocka_unit_test(half_and_foreign_stamps_are_none),
        cmocka_unit_test(the_firmware_says_who_the_machine_is),
        cmocka_unit_test(what_cannot_tell_machines_apart_is_no_identity),
        cmocka_unit_test(other_platforms_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
