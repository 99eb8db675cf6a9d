/* A bundle on its way: from metadata or a facts file, through the pipe, and to no template. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "firstboot/asker.h"

/* nodebake-identity 1, node w0, w0.pem with SECRET, end */
#define GOOD   "bm9kZWJha2UtaWRlbnRpdHkgMQpub2RlIHcwCmZpbGUgdzAucGVtIDYKU0VDUkVUCmVuZAo="
#define PART_1 "bm9kZWJha2UtaWRlbnRpdHkgMQpub2RlIHcw"
#define PART_2 "CmZpbGUgdzAucGVtIDYKU0VDUkVUCmVuZAo="

static const char text[] = "nodebake-contract 1\ncluster c\nrole r\ndeadline 60\n"
                           "on-failure continue\nsource gce product_uuid\n"
                           "fact NODE_NAME label\nfrom NODE_NAME gce name\n"
                           "fact ID bundle\nfrom ID gce first\nfrom ID gce second\n"
                           "identity 0600 0 0 @NODE_NAME@.pem /id.pem\n";
static struct contract contract;
static struct facts facts;
static struct answer sent;
static struct error err;

static int setup(void **state)
{
    (void)state;
    static char bytes[sizeof text];
    memcpy(bytes, text, sizeof text);
    memset(&sent, 0, sizeof sent);
    assert_int_equal(contract_parse(bytes, sizeof text - 1, &contract, &err), 0);
    facts_init(&facts, &contract, "gce");
    return 0;
}

static const char *first, *second;

static int get(const char *path, struct source_value *value, struct deadline deadline,
               struct error *e)
{
    (void)deadline;
    (void)e;
    const char *answer = strcmp(path, "first") == 0    ? first
                         : strcmp(path, "second") == 0 ? second
                                                       : "w0";
    *value = (struct source_value){answer, answer ? strlen(answer) : 0};
    return answer != NULL;
}

static int collect(const char *of_first, const char *of_second)
{
    static const struct source gce = {.name = "gce", .get = get};
    first = of_first;
    second = of_second;
    facts_init(&facts, &contract, "gce");
    return facts_collect(&facts, &gce, deadline_in(1000), &err);
}

static void metadata_has_it_in_a_line(void **state)
{
    (void)state;
    struct bundle_file file;
    assert_int_equal(collect(NULL, GOOD), 0);
    assert_true(bundle_find(&facts.bundle, "w0.pem", &file));
    assert_memory_equal(file.bytes, "SECRET", 6);
    assert_int_equal(collect(GOOD, "not asked"), 0);
    assert_int_equal(collect(NULL, NULL), -1);
    assert_string_equal(err.text, "gce: ID: first, second are not set");
    assert_int_equal(collect(GOOD "\n", NULL), -1);
    assert_string_equal(err.text, "gce: ID: first: not base64 in one line");
    assert_int_equal(collect(PART_1, GOOD), -1);
    assert_string_equal(err.text, "gce: ID: first: its second line is not 'node NAME'");
}

/* It may hold what would not stay what it is in another file. */
static void no_template_gets_it(void **state)
{
    (void)state;
    const char *value = NULL;
    assert_int_equal(collect(GOOD, NULL), 0);
    assert_null(facts_value(&facts, "ID"));
    assert_int_equal(facts_lookup(&facts, "ID", &value), TEMPLATE_UNKNOWN);
}

static int parse(const char *lines)
{
    char bytes[1024];
    snprintf(bytes, sizeof bytes, "%s", lines);
    facts_init(&facts, &contract, "file");
    return facts_parse(&facts, bytes, strlen(bytes), &err);
}

static void a_file_has_it_in_several(void **state)
{
    (void)state;
    assert_int_equal(parse("ID=" PART_1 "\nNODE_NAME=w0\nID=" PART_2 "\n"), 0);
    assert_int_equal(bundle_is_of(&facts.bundle, "w0", &err), 0);
    assert_int_equal(parse("NODE_NAME=w0\n"), -1);
    assert_string_equal(err.text, "file: ID: no line ID=VALUE");
    assert_int_equal(parse("NODE_NAME=w0\nID=" PART_1 "\n"), -1);
    assert_string_equal(err.text, "file: ID: its second line is not 'node NAME'");
    assert_int_equal(parse("NODE_NAME=w0\nID=SECRET\n"), -1);
    assert_string_equal(err.text, "file: ID: line 2: not base64 in one line");
}

static void wiping_leaves_nothing(void **state)
{
    (void)state;
    assert_int_equal(collect(GOOD, NULL), 0);
    facts_wipe(&facts);
    for (size_t i = 0; i < sizeof facts.bundle.bytes; i++)
        assert_int_equal(facts.bundle.bytes[i], 0);
}

/* The process that asked may have been taken over by what it read. */
static void what_comes_from_the_pipe_is_checked(void **state)
{
    (void)state;
    assert_int_equal(collect(GOOD, NULL), 0);
    strcpy(sent.values[0], "w0");
    sent.bundle = facts.bundle;
    facts_init(&facts, &contract, "gce");
    assert_int_equal(asker_take(&sent, &facts, &err), 0);
    assert_int_equal(bundle_is_of(&facts.bundle, "w0", &err), 0);
    sent.bundle.bytes[sent.bundle.len++] = '\n';
    assert_int_equal(asker_take(&sent, &facts, &err), -1);
    assert_string_equal(err.text, "gce: ID: bytes behind its end");
    sent.bundle.len = 0;
    assert_int_equal(asker_take(&sent, &facts, &err), -1);
    sent.bundle.len = sizeof sent.bundle.bytes + 1;
    assert_int_equal(asker_take(&sent, &facts, &err), -1);
    assert_string_equal(err.text, "gce: ID: more bytes than a bundle may have");
    sent.bundle.len = SIZE_MAX;
    assert_int_equal(asker_take(&sent, &facts, &err), -1);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(metadata_has_it_in_a_line),
        TEST(no_template_gets_it),
        TEST(a_file_has_it_in_several),
        TEST(wiping_leaves_nothing),
        TEST(what_comes_from_the_pipe_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
