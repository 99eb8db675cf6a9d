#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/buffer.h"
#include "common/ssh-key-fixture.h"
#include "firstboot/facts.h"

static const char text[] = "nodebake-contract 1\n"
                           "cluster c\nrole r\ndeadline 60\non-failure continue\n"
                           "source gce product_uuid\nsource other product_uuid\n"
                           "fact NODE_NAME label\n"
                           "from NODE_NAME gce name\n"
                           "fact POD_CIDR cidr\n"
                           "from POD_CIDR gce instance/pod-cidr\n"
                           "from POD_CIDR other never-asked\n"
                           "from POD_CIDR gce project/pod-cidr\n"
                           "fact ZONE token\n"
                           "from ZONE gce zone\n";
static struct contract contract;
static struct facts facts;
static struct error err;

static int setup(void **state)
{
    (void)state;
    static char bytes[sizeof text];
    memcpy(bytes, text, sizeof text);
    return contract_parse(bytes, sizeof text - 1, &contract, &err);
}

/* What the source below answers: the value, or the lack, or the failure of a path. */
static struct answer {
    const char *path;
    const char *value; /* NULL: not set; "!": cannot be asked */
} answers[4];
static char asked[256];

static int answer(const char *path, struct source_value *value, struct deadline deadline,
                  struct error *e)
{
    (void)deadline;
    strncat(asked, path, sizeof asked - strlen(asked) - 2);
    strcat(asked, " ");
    for (size_t i = 0; i < ARRAY_LEN(answers) && answers[i].path; i++) {
        if (strcmp(answers[i].path, path) != 0 || !answers[i].value)
            continue;
        if (strcmp(answers[i].value, "!") == 0)
            return error_set(e, "gce: %s: HTTP status 503 (gave up after 9 tries)", path);
        *value = (struct source_value){answers[i].value, strlen(answers[i].value)};
        return 1;
    }
    return 0;
}

static const struct source gce = {.name = "gce", .get = answer};

static int collect(const struct answer *with, size_t n)
{
    memset(answers, 0, sizeof answers);
    memcpy(answers, with, n * sizeof *with);
    asked[0] = '\0';
    err.text[0] = '\0';
    facts_init(&facts, &contract, "gce");
    return facts_collect(&facts, &gce, deadline_in(1000), &err);
}

#define COLLECT(...)                                                                               \
    collect((const struct answer[]){__VA_ARGS__},                                                  \
            sizeof((const struct answer[]){__VA_ARGS__}) / sizeof(struct answer))

static void facts_come_from_the_first_path_that_is_set(void **state)
{
    (void)state;
    assert_int_equal(COLLECT({"name", "w0"}, {"instance/pod-cidr", "10.1.0.0/24"},
                             {"project/pod-cidr", "10.2.0.0/24"}, {"zone", "z"}),
                     0);
    assert_string_equal(asked, "name instance/pod-cidr zone ");
    assert_string_equal(facts_value(&facts, "POD_CIDR"), "10.1.0.0/24");
    assert_int_equal(COLLECT({"name", "w0"}, {"project/pod-cidr", "10.2.0.0/24"}, {"zone", "z"}),
                     0);
    assert_string_equal(asked, "name instance/pod-cidr project/pod-cidr zone ");
    assert_string_equal(facts_value(&facts, "POD_CIDR"), "10.2.0.0/24");
    assert_null(facts_value(&facts, "OTHER"));
}

static void errors_name_source_fact_and_cause(void **state)
{
    (void)state;
    assert_int_equal(COLLECT({"zone", "z"}), -1);
    assert_string_equal(err.text, "gce: NODE_NAME: name is not set");
    assert_null(facts_value(&facts, "NODE_NAME"));
    assert_int_equal(COLLECT({"name", "w0"}, {"zone", "z"}), -1);
    assert_string_equal(err.text, "gce: POD_CIDR: instance/pod-cidr, project/pod-cidr are not set");
    assert_int_equal(
        COLLECT({"name", "w0"}, {"instance/pod-cidr", "!"}, {"project/pod-cidr", "10.2.0.0/24"}),
        -1);
    assert_string_equal(err.text, "gce: POD_CIDR: instance/pod-cidr: HTTP status 503 (gave up "
                                  "after 9 tries)");
    assert_string_equal(asked, "name instance/pod-cidr ");
    /* A wrong value is no lack: the next path is not asked. */
    assert_int_equal(COLLECT({"name", "w0"}, {"instance/pod-cidr", "10.1.0.1/24"},
                             {"project/pod-cidr", "10.2.0.0/24"}, {"zone", "z"}),
                     -1);
    assert_string_equal(err.text, "gce: POD_CIDR: instance/pod-cidr: '10.1.0.1/24' is not an IPv4 "
                                  "network such as 10.200.0.0/24, host bits zero");
    assert_int_equal(COLLECT({"name", ""}), -1);
    assert_non_null(strstr(err.text, "gce: NODE_NAME: name: '' is not a DNS label"));
}

static void values_are_bounded(void **state)
{
    (void)state;
    char zone[400];
    memset(zone, 'z', sizeof zone);
    zone[255] = '\0';
    assert_int_equal(COLLECT({"name", "w0"}, {"instance/pod-cidr", "10.1.0.0/24"}, {"zone", zone}),
                     0);
    assert_string_equal(facts_value(&facts, "ZONE"), zone);
    zone[255] = 'z';
    zone[256] = '\0';
    assert_int_equal(COLLECT({"name", "w0"}, {"instance/pod-cidr", "10.1.0.0/24"}, {"zone", zone}),
                     -1);
    assert_string_equal(err.text, "gce: ZONE: zone: a value of 256 bytes, at most 255 are allowed");
}

static int answer_nul(const char *path, struct source_value *value, struct deadline deadline,
                      struct error *e)
{
    (void)path;
    (void)deadline;
    (void)e;
    *value = (struct source_value){"w\0w", 3};
    return 1;
}

static void values_have_no_nul(void **state)
{
    (void)state;
    static const struct source odd = {.name = "gce", .get = answer_nul};
    err.text[0] = '\0';
    facts_init(&facts, &contract, "gce");
    assert_int_equal(facts_collect(&facts, &odd, deadline_in(1000), &err), -1);
    assert_string_equal(err.text, "gce: NODE_NAME: name: a value with a NUL byte");
}

/* A contract that asks for the keys of ops. */
static void load_keys(struct contract *with_keys)
{
    static const char with[] = "nodebake-contract 1\n"
                               "cluster c\nrole r\nuser ops\ndeadline 60\non-failure continue\n"
                               "source gce product_uuid\n"
                               "fact NODE_NAME label\nfrom NODE_NAME gce name\n"
                               "fact SSH_KEYS sshkeys\nfrom SSH_KEYS gce instance/keys\n"
                               "from SSH_KEYS gce project/keys\n";
    static char bytes[sizeof with];
    memcpy(bytes, with, sizeof with);
    if (contract_parse(bytes, sizeof with - 1, with_keys, &err) < 0)
        fail_msg("%s", err.text);
}

static int collect_keys(const struct answer *with, size_t n)
{
    static struct contract with_keys;
    load_keys(&with_keys);
    memset(answers, 0, sizeof answers);
    memcpy(answers, with, n * sizeof *with);
    asked[0] = '\0';
    err.text[0] = '\0';
    facts_init(&facts, &with_keys, "gce");
    return facts_collect(&facts, &gce, deadline_in(1000), &err);
}

#define COLLECT_KEYS(...)                                                                          \
    collect_keys((const struct answer[]){__VA_ARGS__},                                             \
                 sizeof((const struct answer[]){__VA_ARGS__}) / sizeof(struct answer))

static void keys_come_from_all_paths(void **state)
{
    (void)state;
    const char *value = NULL;
    assert_int_equal(COLLECT_KEYS({"name", "w0"},
                                  {"instance/keys", "ops:" KEY_RSA "\nbob:" KEY_ECDSA},
                                  {"project/keys", "rubbish\n" KEY_ED25519 " ann"}),
                     0);
    assert_string_equal(asked, "name instance/keys project/keys ");
    assert_string_equal(facts_value(&facts, "SSH_KEYS"), KEY_RSA "\n" KEY_ED25519 " ann\n");
    assert_int_equal(facts_lookup(&facts, "SSH_KEYS", &value), TEMPLATE_VALUE);
    assert_int_equal(facts.keys.bad, 1);
    assert_int_equal(COLLECT_KEYS({"name", "w0"}, {"project/keys", KEY_RSA}), 0);
    assert_string_equal(facts_value(&facts, "SSH_KEYS"), KEY_RSA "\n");
}

/* That nobody gave keys is an answer; that nobody answers is none. */
static void there_may_be_no_keys(void **state)
{
    (void)state;
    const char *value = NULL;
    assert_int_equal(COLLECT_KEYS({"name", "w0"}), 0);
    assert_string_equal(asked, "name instance/keys project/keys ");
    assert_int_equal(facts_lookup(&facts, "SSH_KEYS", &value), TEMPLATE_VALUE);
    assert_string_equal(value, "");
    assert_int_equal(COLLECT_KEYS({"name", "w0"}, {"project/keys", "!"}), -1);
    assert_string_equal(err.text,
                        "gce: SSH_KEYS: project/keys: HTTP status 503 (gave up after 9 tries)");
    assert_int_equal(COLLECT_KEYS({"instance/keys", KEY_RSA}), -1);
    assert_string_equal(err.text, "gce: NODE_NAME: name is not set");
}

static int parse_keys(const char *with)
{
    static struct contract with_keys;
    char bytes[4096];
    size_t n = strlen(with);
    assert_true(n < sizeof bytes);
    memcpy(bytes, with, n);
    load_keys(&with_keys);
    err.text[0] = '\0';
    facts_init(&facts, &with_keys, "file");
    return facts_parse(&facts, bytes, n, &err);
}

static void files_give_a_key_a_line(void **state)
{
    (void)state;
    assert_int_equal(parse_keys("SSH_KEYS=" KEY_RSA " a=b\nNODE_NAME=w0\nSSH_KEYS=" KEY_ECDSA "\n"),
                     0);
    assert_string_equal(facts_value(&facts, "SSH_KEYS"), KEY_RSA " a=b\n" KEY_ECDSA "\n");
    assert_int_equal(parse_keys("NODE_NAME=w0\nSSH_KEYS=\n"), 0);
    assert_string_equal(facts_value(&facts, "SSH_KEYS"), "");
    assert_int_equal(parse_keys("NODE_NAME=w0\n"), 0);
    assert_string_equal(facts_value(&facts, "SSH_KEYS"), "");
    assert_int_equal(parse_keys("NODE_NAME=w0\nSSH_KEYS=ops:" KEY_RSA "\n"), -1);
    assert_string_equal(err.text, "file: SSH_KEYS: line 2: not a public key such as 'ssh-ed25519 "
                                  "AAAA... name', or more than 64 keys");
}

static int parse(const char *with)
{
    char bytes[2048];
    size_t n = strlen(with);
    assert_true(n < sizeof bytes);
    memcpy(bytes, with, n);
    err.text[0] = '\0';
    facts_init(&facts, &contract, "file");
    return facts_parse(&facts, bytes, n, &err);
}

static void files_give_facts(void **state)
{
    (void)state;
    const char *value;
    assert_int_equal(parse("# comment\nZONE=a=b\n\nNODE_NAME=w0\nPOD_CIDR=10.1.0.0/24\n"), 0);
    assert_string_equal(facts_value(&facts, "ZONE"), "a=b");
    assert_int_equal(facts_lookup(&facts, "NODE_NAME", &value), TEMPLATE_VALUE);
    assert_string_equal(value, "w0");
    assert_int_equal(facts_lookup(&facts, "NODE", &value), TEMPLATE_UNKNOWN);
}

static void bad_files_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"", "file: NODE_NAME: no line NODE_NAME=VALUE"},
        {"NODE_NAME=w0\n", "file: POD_CIDR: no line POD_CIDR=VALUE"},
        {"NODE_NAME=w0", "file: line 1: no newline at its end; the file is cut off"},
        {"NODE_NAME w0\n", "file: line 1: no '='; right is NAME=VALUE"},
        {"NODE_NAME =w0\n", "file: line 1: 'NODE_NAME ' is no fact of the contract"},
        {"\n#\nNODE=w0\n", "file: line 3: 'NODE' is no fact of the contract"},
        {"NODE_NAME=w0\nNODE_NAME=w0\n", "file: NODE_NAME: line 2 gives it a second time"},
        {"NODE_NAME=w0 \n",
         "file: NODE_NAME: line 1: 'w0 ' is not a DNS label (1 to 63 of a-z, 0-9 "
         "and inner '-')"},
        {"NODE_NAME=\n", "file: NODE_NAME: line 1: '' is not a DNS label (1 to 63 of a-z, 0-9 and "
                         "inner '-')"},
        {"ZONE=a\"b\n", "file: ZONE: line 1: a value that is not 1 to 255 printable characters but "
                        "spaces, quotes, '\\', '$' and '`'"},
        {"ZONE=a\x01\n", "file: line 1: byte 0x01; only printable ASCII is allowed"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(parse(bad[i].text), -1);
        assert_string_equal(err.text, bad[i].message);
    }
    char longest[400] = "ZONE=";
    memset(longest + 5, 'z', 256);
    strcpy(longest + 261, "\n");
    assert_int_equal(parse(longest), -1);
    assert_non_null(strstr(err.text, "file: ZONE: line 1: "));
}

/* AWS's host names come several in a value, and clouds' come with their domain. */
static void of_host_names_the_first_is_taken(void **state)
{
    static const struct {
        const char *type, *path, *value, *right;
    } cases[] = {
        {"label", "meta-data/local-hostname", "ip-10-0-0-1.ec2.internal", "ip-10-0-0-1"},
        {"label", "meta-data/local-hostname", "worker-0", "worker-0"},
        {"name", "meta-data/local-hostname", "a.ec2.internal b.example", "a.ec2.internal"},
        {"name", "instance/hostname", "w.c.p.internal", "w.c.p.internal"},
        {"label", "instance/name", "w.c.p.internal", NULL},
        {"label", "hostname/instance", "w.c", NULL},
        {"token", "meta-data/hostname", "a b", NULL},
        {"label", "hostname", ".c", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        static struct contract own;
        static struct facts found;
        char bytes[512];
        struct error e = ERROR_INIT;
        int n = snprintf(bytes, sizeof bytes,
                         "nodebake-contract 1\ncluster c\nrole r\ndeadline 60\n"
                         "on-failure continue\nsource gce product_uuid\nfact NODE_NAME label\n"
                         "from NODE_NAME gce n\nfact HOST %s\nfrom HOST gce %s\n",
                         cases[i].type, cases[i].path);
        assert_int_equal(contract_parse(bytes, (size_t)n, &own, &e), 0);
        memset(answers, 0, sizeof answers);
        answers[0] = (struct answer){"n", "worker-0"};
        answers[1] = (struct answer){cases[i].path, cases[i].value};
        facts_init(&found, &own, "gce");
        int got = facts_collect(&found, &gce, deadline_in(1000), &e);
        assert_int_equal(got, cases[i].right ? 0 : -1);
        if (cases[i].right)
            assert_string_equal(facts_value(&found, "HOST"), cases[i].right);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_host_names_the_first_is_taken),
        cmocka_unit_test(facts_come_from_the_first_path_that_is_set),
        cmocka_unit_test(values_are_bounded),
        cmocka_unit_test(values_have_no_nul),
        cmocka_unit_test(keys_come_from_all_paths),
        cmocka_unit_test(there_may_be_no_keys),
        cmocka_unit_test(files_give_a_key_a_line),
        cmocka_unit_test(errors_name_source_fact_and_cause),
        cmocka_unit_test(files_give_facts),
        cmocka_unit_test(bad_files_are_refused),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
