/* Plans as text and as JSON: what is shown, and that no content is. */
#include "builder/plan/print.h"

#include <jansson.h>
#include <stdio.h>

#include "builder/plan/plan-fixture.h"

static char *print_text(const struct plan *plan)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    plan_print(plan, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static char *print_json(struct plan *const *plans, size_t n)
{
    struct error err = ERROR_INIT;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    if (plan_print_json(plans, n, out, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(fclose(out), 0);
    return text;
}

/* The objects of the images; json_decref(*top) ends them. */
static json_t *parse_images(const char *text, json_t **top)
{
    json_error_t cause;
    *top = json_loads(text, JSON_REJECT_DUPLICATES, &cause);
    if (!*top)
        fail_msg("%s", cause.text);
    assert_int_equal(json_integer_value(json_object_get(*top, "version")), 1);
    assert_int_equal(json_object_size(*top), 2);
    return json_object_get(*top, "images");
}

static void check_text(json_t *object, const char *key, const char *value)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (!text)
        fail_msg("%s is missing", key);
    assert_string_equal(text, value);
}

/* In no part of it either, nor as base64 or hex would begin. */
static void check_no_content(const char *text)
{
    static const char *const parts[] = {"BEGIN SECRET", "5f1c9e",   "c2VjcmV0",
                                        "LS0tLS1CRUdJ", "2d2d2d2d", "77ab02"};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (strstr(text, parts[i]))
            fail_msg("'%s' is shown", parts[i]);
}

static void contents_are_never_shown(void **state)
{
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    struct plan *plans[] = {&f->plan};
    char *text AUTO_FREE = print_text(&f->plan);
    char *json AUTO_FREE = print_json(plans, 1);
    assert_string_equal(tree_find(f->plan.tree, "/etc/key.pem")->text, SECRET_TEXT);
    assert_non_null(strstr(text, "/etc/key.pem"));
    assert_non_null(strstr(json, "/etc/key.pem"));
    check_no_content(text);
    check_no_content(json);
}

static void people_see_the_machine_and_its_files(void **state)
{
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    char *text AUTO_FREE = print_text(&f->plan);
    assert_string_equal(
        text,
        "image worker-0: node worker-0 (10.0.0.5, pods 10.9.0.0/24), role worker of small, "
        "profile small, Kubernetes 1.21.0 (untested)\n"
        "the machine wants 512 MiB of memory and 2.0 GiB of disk; the files below are 1.5 MiB\n"
        "\n"
        "TYPE MODE OWNER PATH                                                           FROM\n"
        "dir  1777  7:8  /etc/dir                                                       "
        "profile small\n"
        "file 0600  0:0  /etc/key.pem                                                   "
        "pki/key.pem\n"
        "link    -  0:0  /etc/link -> ../else                                           "
        "overlay common/etc/link\n"
        "file 0644  0:0  /etc/systemd/system/ours.service                               "
        "overlay common/ours\n"
        "file 0644  0:0  /usr/lib/nodebake/manifest.json                                "
        "nodebake: all of the above by SHA-256\n"
        "\nunits that firstboot enables:\n"
        "  ours.service, wanted by multi-user.target\n"
        "  base.service, wanted by basic.target\n"
        "\nfacts that firstboot finds out:\n"
        "  NODE_NAME (label) gce: name\n"
        "  NODE_IP (ipv4) gce: network/ip\n"
        "\npackages that the base image must have: socat conntrack\n");
}

static void hard_links_and_xattrs_are_shown(void **state)
{
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    struct plan *plans[] = {&f->plan};
    struct xattr *x = heap_array(1, sizeof *x);
    *x = (struct xattr){.name = heap_copy("user.a"), .value = heap_copy("ab"), .len = 2};
    fixture_add(f, (struct entry){.path = heap_copy("/z"),
                                  .type = ENTRY_HARDLINK,
                                  .target = heap_copy("/etc/key.pem"),
                                  .source = heap_copy("package p")});
    fixture_add(f, (struct entry){.path = heap_copy("/zz"),
                                  .type = ENTRY_DIR,
                                  .xattrs = x,
                                  .xattr_count = 1,
                                  .source = heap_copy("package p")});
    char *text AUTO_FREE = print_text(&f->plan), *json AUTO_FREE = print_json(plans, 1);
    json_t *top, *entries = json_object_get(json_array_get(parse_images(json, &top), 0), "entries");
    json_t *link = json_array_get(entries, 4), *dir = json_array_get(entries, 5);
    assert_non_null(strstr(text, "\nlink    -   -   /z <-> /etc/key.pem                        "
                                 "                    package p\n"));
    check_text(link, "type", "hardlink");
    check_text(link, "target", "/etc/key.pem");
    assert_int_equal(json_object_size(link), 4); /* mode and owner are the file's */
    check_text(json_object_get(dir, "xattrs"), "user.a", "6162");
    f->plan.tree->entries[5].secret = true;
    char *hidden AUTO_FREE = print_json(plans, 1);
    assert_null(strstr(hidden, "6162"));
    json_decref(top);
}

static void removals_are_shown(void **state)
{
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    struct plan *plans[] = {&f->plan};
    fixture_add(f, (struct entry){.path = heap_copy("/z"),
                                  .type = ENTRY_GONE,
                                  .source = heap_copy("hygiene: logs")});
    char *text AUTO_FREE = print_text(&f->plan), *json AUTO_FREE = print_json(plans, 1);
    json_t *top, *entries = json_object_get(json_array_get(parse_images(json, &top), 0), "entries");
    json_t *gone = json_array_get(entries, 4);
    assert_non_null(strstr(text, "\ngone    -   -   /z                                            "
                                 "                 hygiene: logs\n"));
    check_text(gone, "type", "gone");
    assert_int_equal(json_object_size(gone), 3); /* path, type, from */
    json_decref(top);
}

static void a_role_is_any_node(void **state)
{
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    f->plan.in.node = NULL;
    f->plan.name = f->role.name;
    f->plan.bytes = 1023;
    struct plan *plans[] = {&f->plan};
    char *text AUTO_FREE = print_text(&f->plan);
    char *json AUTO_FREE = print_json(plans, 1);
    json_t *top, *images = parse_images(json, &top);
    assert_ptr_equal(strstr(text, "image worker: any node, without an identity, role worker"),
                     text);
    assert_non_null(strstr(text, "the files below are 1023 B\n"));
    assert_true(json_is_null(json_object_get(json_array_get(images, 0), "node")));
    json_decref(top);
}

static void remarks_stand_last(void **state)
{
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    texts_add(&f->plan.remarks, "no GRUB");
    texts_add(&f->plan.remarks, "no network");
    struct plan *plans[] = {&f->plan};
    char *text AUTO_FREE = print_text(&f->plan), *json AUTO_FREE = print_json(plans, 1);
    json_t *top, *images = parse_images(json, &top);
    json_t *list = json_object_get(json_array_get(images, 0), "remarks");
    assert_non_null(strstr(text, "\nremarks:\n  no GRUB\n  no network\n"));
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(json_string_value(json_array_get(list, 1)), "no network");
    json_decref(top);
    texts_free(&f->plan.remarks);
}

static void what_is_absent_is_named(void **state)
{
    struct absent absent[] = {{"crictl", "/usr/bin/crictl", true, (char *)"not listed"},
                              {"kubelet", "/usr/bin/kubelet", false, (char *)"not in the folder"}};
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    struct plan *plans[] = {&f->plan};
    f->plan.absent = absent;
    f->plan.absent_count = 2;
    char *text AUTO_FREE = print_text(&f->plan);
    char *json AUTO_FREE = print_json(plans, 1);
    json_t *top, *images = parse_images(json, &top);
    json_t *list = json_object_get(json_array_get(images, 0), "absent");
    assert_non_null(strstr(text, "\nabsent:\n"
                                 "  crictl (/usr/bin/crictl), left out: not listed\n"
                                 "  kubelet (/usr/bin/kubelet), required: not in the folder\n"));
    assert_int_equal(json_array_size(list), 2);
    assert_true(json_is_false(json_object_get(json_array_get(list, 0), "required")));
    assert_true(json_is_true(json_object_get(json_array_get(list, 1), "required")));
    check_text(json_array_get(list, 1), "name", "kubelet");
    check_text(json_array_get(list, 1), "why", "not in the folder");
    json_decref(top);
}

static void check_entries(json_t *entries)
{
    json_t *dir = json_array_get(entries, 0), *key = json_array_get(entries, 1);
    json_t *link = json_array_get(entries, 2), *file = json_array_get(entries, 3);
    assert_int_equal(json_array_size(entries), 4);
    check_text(dir, "type", "dir");
    check_text(dir, "mode", "1777");
    assert_int_equal(json_integer_value(json_object_get(dir, "uid")), 7);
    assert_int_equal(json_integer_value(json_object_get(dir, "gid")), 8);
    check_text(key, "path", "/etc/key.pem");
    check_text(key, "mode", "0600");
    check_text(key, "from", "pki/key.pem");
    assert_true(json_is_true(json_object_get(key, "secret")));
    assert_int_equal(json_object_size(key), 7); /* and no content among them */
    check_text(link, "target", "../else");
    assert_null(json_object_get(link, "mode"));
    check_text(file, "type", "file");
    assert_null(json_object_get(file, "secret"));
    assert_null(json_object_get(file, "host"));
}

static void scripts_see_the_same(void **state)
{
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    struct plan *plans[] = {&f->plan};
    char *json AUTO_FREE = print_json(plans, 1);
    json_t *top, *images = parse_images(json, &top), *image = json_array_get(images, 0);
    json_t *facts = json_object_get(image, "facts"), *units = json_object_get(image, "units");
    assert_int_equal(json_array_size(images), 1);
    check_text(image, "name", "worker-0");
    check_text(image, "node", "worker-0");
    check_text(image, "role", "worker");
    check_text(image, "kubernetes", "1.21.0");
    assert_int_equal(json_integer_value(json_object_get(image, "memory")), 512 << 20);
    assert_int_equal(json_integer_value(json_object_get(image, "disk")), INT64_C(2) << 30);
    assert_int_equal(json_integer_value(json_object_get(image, "bytes")), 3 << 19);
    check_entries(json_object_get(image, "entries"));
    assert_int_equal(json_array_size(facts), 2);
    check_text(json_array_get(facts, 1), "name", "NODE_IP");
    check_text(json_object_get(json_array_get(facts, 1), "from"), "gce", "network/ip");
    assert_int_equal(json_array_size(units), 2);
    check_text(json_array_get(units, 1), "wantedBy", "basic.target");
    assert_int_equal(json_array_size(json_object_get(image, "packages")), 2);
    assert_int_equal(json_array_size(json_object_get(image, "absent")), 0);
    json_decref(top);
}

static void several_plans_are_one_text(void **state)
{
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    struct plan *plans[] = {&f->plan, &f->plan};
    char *two AUTO_FREE = print_json(plans, 2), *none AUTO_FREE = print_json(plans, 0);
    json_t *top;
    assert_int_equal(json_array_size(parse_images(two, &top)), 2);
    json_decref(top);
    assert_int_equal(json_array_size(parse_images(none, &top)), 0);
    json_decref(top);
}

static void a_full_disk_is_an_error(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    struct plan *plans[] = {&f->plan};
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    setbuf(full, NULL);
    assert_int_equal(plan_print_json(plans, 1, full, &err), -1);
    assert_string_equal(err.text, "write the plan: No space left on device");
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contents_are_never_shown),
        cmocka_unit_test(people_see_the_machine_and_its_files),
        cmocka_unit_test(hard_links_and_xattrs_are_shown),
        cmocka_unit_test(removals_are_shown),
        cmocka_unit_test(a_role_is_any_node),
        cmocka_unit_test(what_is_absent_is_named),
        cmocka_unit_test(remarks_stand_last),
        cmocka_unit_test(scripts_see_the_same),
        cmocka_unit_test(several_plans_are_one_text),
        cmocka_unit_test(a_full_disk_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
