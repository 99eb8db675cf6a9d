#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "firstboot/platform.h"

static struct contract contract;
static struct stamp stamp;
static struct error err;

/* A contract with these lines `source`. */
static void load(const char *source_lines)
{
    static char text[512];
    text[0] = '\0';
    strcat(text, "nodebake-contract 1\ncluster c\nrole r\ndeadline 60\non-failure continue\n"
                 "fact NODE_NAME label\n");
    strcat(text, source_lines);
    assert_int_equal(contract_parse(text, strlen(text), &contract, &err), 0);
}

static const struct dmi on_gce = {.sys_vendor = "Google",
                                  .product_name = "Google Compute Engine",
                                  .product_uuid = "9b3c",
                                  .board_asset_tag = "Not Specified"};

static const struct dmi on_pc = {
    .sys_vendor = "QEMU", .product_name = "Standard PC", .product_uuid = "9b3c"};

static void the_firmware_says_who_the_machine_is(void **state)
{
    (void)state;
    load("source gce product_uuid\n");
    const struct source *s = platform_choose(&contract, &on_gce, &stamp, &err);
    assert_ptr_equal(s, &source_gce);
    assert_string_equal(stamp.source, "gce");
    assert_string_equal(stamp.identity, "product_uuid:9b3c");

    struct dmi tagged = on_gce;
    strcpy(tagged.board_asset_tag, "0AB1-2CDE");
    load("source gce board_asset_tag\n");
    assert_ptr_equal(platform_choose(&contract, &tagged, &stamp, &err), &source_gce);
    assert_string_equal(stamp.identity, "board_asset_tag:0AB1-2CDE");
}

static void the_first_source_that_is_backed_is_chosen(void **state)
{
    (void)state;
    load("source gce product_uuid\nsource moon product_uuid\n");
    assert_ptr_equal(platform_choose(&contract, &on_gce, &stamp, &err), &source_gce);
    load("source moon product_uuid\nsource gce product_uuid\n");
    assert_null(platform_choose(&contract, &on_gce, &stamp, &err));
    assert_string_equal(err.text, "moon: this firstboot has no source of that name");
}

/* Nitro's board has a tag; Xen's machines have a UUID only. */
static void the_first_field_that_is_there_is_the_identity(void **state)
{
    (void)state;
    struct dmi machine = {.sys_vendor = "Amazon EC2",
                          .product_uuid = "ec2e1916-9099",
                          .board_asset_tag = "i-0123456789abcdef0"};
    load("imds v1\nsource aws board_asset_tag,product_uuid\n");
    assert_true(contract.imds_v1);
    assert_ptr_equal(platform_choose(&contract, &machine, &stamp, &err), &source_aws);
    assert_string_equal(stamp.source, "aws");
    assert_string_equal(stamp.identity, "board_asset_tag:i-0123456789abcdef0");
    machine.board_asset_tag[0] = '\0';
    assert_ptr_equal(platform_choose(&contract, &machine, &stamp, &err), &source_aws);
    assert_string_equal(stamp.identity, "product_uuid:ec2e1916-9099");
    assert_true(platform_is_stamped(&contract, &machine, &stamp));
    machine.product_uuid[0] = '\0';
    assert_null(platform_choose(&contract, &machine, &stamp, &err));
    assert_string_equal(err.text, "aws: board_asset_tag,product_uuid: the firmware has none; "
                                  "nothing would tell this machine from a clone");
    load("source aws board_asset_tag,product_uuid\n");
    assert_false(contract.imds_v1);
}

static void what_cannot_tell_machines_apart_is_no_identity(void **state)
{
    (void)state;
    static const char *const bad[] = {"Not Specified", "a\"b", "$(reboot)", "`x`", "a\\b"};
    struct dmi machine = on_gce;
    load("source gce product_uuid\n");
    machine.product_uuid[0] = '\0';
    assert_null(platform_choose(&contract, &machine, &stamp, &err));
    assert_string_equal(err.text, "gce: product_uuid: the firmware has none; nothing would tell "
                                  "this machine from a clone");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        strcpy(machine.product_uuid, bad[i]);
        assert_null(platform_choose(&contract, &machine, &stamp, &err));
        assert_ptr_equal(strstr(err.text, "gce: product_uuid: '"), err.text);
        assert_non_null(strstr(err.text, bad[i]));
    }
    load("source gce board_asset_tag\n");
    assert_null(platform_choose(&contract, &on_gce, &stamp, &err));
    assert_non_null(strstr(err.text, "gce: board_asset_tag: 'Not Specified' is not "));
}

static void other_platforms_are_refused(void **state)
{
    (void)state;
    load("source gce product_uuid\n");
    assert_null(platform_choose(&contract, &on_pc, &stamp, &err));
    assert_string_equal(err.text,
                        "no source: the contract allows gce; this machine is 'QEMU' 'Standard PC'");
    load("");
    assert_null(platform_choose(&contract, &on_gce, &stamp, &err));
    assert_non_null(strstr(err.text, "the contract allows none;"));
}

static const struct stamp finished = {
    .source = "gce", .identity = "product_uuid:9b3c", .node = "worker-0"};

static void a_stamp_of_this_machine_is_known(void **state)
{
    (void)state;
    load("source gce product_uuid\n");
    assert_true(platform_is_stamped(&contract, &on_gce, &finished));
    load("source moon product_uuid\nsource gce product_uuid\n");
    assert_true(platform_is_stamped(&contract, &on_gce, &finished));
}

static void stamps_of_others_are_not(void **state)
{
    (void)state;
    struct dmi clone = on_gce;
    struct stamp other = finished;
    load("source gce product_uuid\n");
    strcpy(clone.product_uuid, "9b3d");
    assert_false(platform_is_stamped(&contract, &clone, &finished));
    strcpy(clone.product_uuid, "");
    assert_false(platform_is_stamped(&contract, &clone, &finished));
    assert_false(platform_is_stamped(&contract, &on_pc, &finished)); /* the same number elsewhere */
    strcpy(other.source, "file");
    assert_false(platform_is_stamped(&contract, &on_gce, &other));
    assert_false(platform_is_stamped(&contract, &on_gce, &(struct stamp){0}));

    load("source gce board_asset_tag\n"); /* the same value of another field */
    strcpy(clone.board_asset_tag, "9b3c");
    assert_false(platform_is_stamped(&contract, &clone, &finished));
    load("");
    assert_false(platform_is_stamped(&contract, &on_gce, &finished));
}

/* A value that is no identity is the stamp of no machine either, even when both say it. */
static void no_identity_is_never_the_same(void **state)
{
    (void)state;
    struct stamp unspecified = finished;
    strcpy(unspecified.identity, "board_asset_tag:Not Specified");
    load("source gce board_asset_tag\n");
    assert_false(platform_is_stamped(&contract, &on_gce, &unspecified));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_firmware_says_who_the_machine_is),
        cmocka_unit_test(the_first_source_that_is_backed_is_chosen),
        cmocka_unit_test(the_first_field_that_is_there_is_the_identity),
        cmocka_unit_test(what_cannot_tell_machines_apart_is_no_identity),
        cmocka_unit_test(other_platforms_are_refused),
        cmocka_unit_test(a_stamp_of_this_machine_is_known),
        cmocka_unit_test(stamps_of_others_are_not),
        cmocka_unit_test(no_identity_is_never_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
