/* image.json of the small plan. */
#include "builder/plan/about.h"
#include "builder/plan/plan-fixture.h"

static const char EXPECTED[] = "{\n"
                               "  \"base\": \"base.qcow2\",\n"
                               "  \"cluster\": \"small\",\n"
                               "  \"components\": [\n"
                               "    {\n"
                               "      \"digest\": \"sha256:abc\",\n"
                               "      \"file\": \"one.tar.gz\",\n"
                               "      \"name\": \"one\",\n"
                               "      \"paths\": [\n"
                               "        \"/bin/tool\"\n"
                               "      ],\n"
                               "      \"version\": \"1.2.3\"\n"
                               "    }\n"
                               "  ],\n"
                               "  \"kubernetes\": \"1.21.0\",\n"
                               "  \"node\": \"worker-0\",\n"
                               "  \"nodebake\": \"" NODEBAKE_VERSION "\",\n"
                               "  \"profile\": \"small\",\n"
                               "  \"role\": \"worker\",\n"
                               "  \"version\": 1\n"
                               "}\n";

/* Two artifacts; of the second nothing is in the image. */
static struct member tool = {.name = (char *)"tool", .host = (char *)"/cache/one/tool"};
static struct member other = {.name = (char *)"other", .host = (char *)"/cache/two/other"};
static struct artifact artifacts[] = {
    {.component = (char *)"one",
     .version = (char *)"1.2.3",
     .file = (char *)"one.tar.gz",
     .algorithm = (char *)"sha256",
     .digest = (char *)"abc",
     .members = &tool,
     .member_count = 1},
    {.component = (char *)"two",
     .version = (char *)"2",
     .file = (char *)"two.tar.gz",
     .algorithm = (char *)"sha512",
     .digest = (char *)"def",
     .members = &other,
     .member_count = 1},
};
static struct release release = {.artifacts = artifacts, .artifact_count = 2};

static struct fixture *make_fixture(void)
{
    struct fixture *f = fixture_create();
    f->cluster.image = (char *)"/home/somebody/base.qcow2";
    f->plan.in.release = &release;
    fixture_add(f, (struct entry){.path = heap_copy("/bin/tool"),
                                  .type = ENTRY_FILE,
                                  .mode = 0755,
                                  .host = heap_copy("/cache/one/tool")});
    tree_sort(f->plan.tree);
    return f;
}

static void an_image_says_what_it_is(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct fixture *f AUTO_FIXTURE = make_fixture();
    struct buffer text AUTO_BUFFER = buffer_heap();
    assert_int_equal(about_write(&f->plan, &text, &err), 0);
    assert_string_equal(text.data, EXPECTED);
}

static void the_image_of_a_role_has_no_node(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct fixture *f AUTO_FIXTURE = make_fixture();
    struct buffer text AUTO_BUFFER = buffer_heap();
    f->plan.in.node = NULL;
    f->cluster.image = (char *)"base.raw";
    assert_int_equal(about_write(&f->plan, &text, &err), 0);
    assert_non_null(strstr(text.data, "\"node\": null"));
    assert_non_null(strstr(text.data, "\"base\": \"base.raw\""));
}

static void names_must_be_utf8(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct fixture *f AUTO_FIXTURE = make_fixture();
    struct buffer text AUTO_BUFFER = buffer_heap();
    f->cluster.image = (char *)"/tmp/b\xe4se.raw";
    assert_int_equal(about_write(&f->plan, &text, &err), -1);
    assert_string_equal(err.text, "/usr/lib/nodebake/image.json: a name is not UTF-8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_says_what_it_is),
        cmocka_unit_test(the_image_of_a_role_has_no_node),
        cmocka_unit_test(names_must_be_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
