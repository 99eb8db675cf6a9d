#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/plan/profile.h"
#include "common/file.h"

static const char GOOD[] =
    /*  1 */ "version: 1\n"
             /*  2 */ "name: small\n"
             /*  3 */ "kubernetes: {from: '1.20', to: '1.23', tested: ['1.20']}\n"
             /*  4 */ "facts:\n"
             /*  5 */ "  - {name: NODE_NAME, type: label, from: {gce: instance/name}}\n"
             /*  6 */ "  - {name: POD_CIDR, type: cidr, from: {gce: instance/cidr}}\n"
             /*  7 */ "roles:\n"
             /*  8 */ "  - name: worker\n"
             /*  9 */ "    memory: 1GiB\n"
             /* 10 */ "    disk: 512 MiB\n"
             /* 11 */ "    overlays: [common, extra]\n"
             /* 12 */ "    packages: [socat]\n"
             /* 13 */ "    directories: [{path: /etc/cni, mode: 0700}, {path: /opt}]\n"
             /* 14 */ "    binaries: [{name: runc, path: /usr/bin/runc, optional: true}]\n"
             /* 15 */ "    pki: [{file: ca.pem, path: /var/ca.pem, mode: 0644, when: shared}]\n"
             /* 16 */ "    identity:\n"
             /* 17 */ "      - {file: '@NODE_NAME@.pem', path: '/var/@NODE_NAME@.pem', mode: "
             "0600}\n"
             /* 18 */ "    units:\n"
             /* 19 */ "      - {name: kubelet.service, wantedBy: multi-user.target}\n"
             /* 20 */ "      - {name: a@b.service, wantedBy: multi-user.target}\n";

static char folder[] = "/tmp/nodebake-profile-XXXXXX";

static int setup(void **state)
{
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    unlink("p.yaml");
    return chdir("/") < 0 || rmdir(folder) < 0 ? -1 : 0;
}

static int load(const char *text, struct profile **out, struct problems *problems,
                struct error *err)
{
    assert_int_equal(file_publish(AT_FDCWD, "p.yaml", text, strlen(text), 0644, err), 0);
    return profile_load("p.yaml", out, problems, err);
}

/* The problems, a line each, and the error's text. The caller frees them. */
static char *told(const struct problems *problems, const struct error *err)
{
    char *lines = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&lines, &len);
    assert_non_null(out);
    problems_print(problems, out);
    fprintf(out, "%s\n", err->text);
    assert_int_equal(fclose(out), 0);
    return lines;
}

static void a_good_file_gives_its_values(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct problems problems AUTO_PROBLEMS = {0};
    struct profile *p AUTO_PROFILE = NULL;
    if (load(GOOD, &p, &problems, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(p->name, "small");
    assert_int_equal(p->minor_from, 20);
    assert_int_equal(p->minor_to, 23);
    assert_int_equal(profile_fact(p, "POD_CIDR")->type, VALUE_CIDR);
    assert_null(profile_fact(p, "POD"));
    assert_null(profile_role(p, "controller"));
    const struct role *worker = profile_role(p, "worker");
    assert_non_null(worker);
    assert_int_equal(worker->memory, UINT64_C(1) << 30);
    assert_int_equal(worker->disk, UINT64_C(512) << 20);
    assert_string_equal(worker->overlays.items[1], "extra");
    assert_int_equal(worker->directories[0].mode, 0700);
    assert_int_equal(worker->directories[1].mode, 0755);
    assert_true(worker->binaries[0].optional);
    assert_string_equal(worker->identity[0].path, "/var/@NODE_NAME@.pem");
    assert_int_equal(worker->unit_count, 2);
    assert_true(when_holds(worker->pki[0].when, &(struct cluster){.pki.layout = PKI_SHARED}));
    assert_false(when_holds(worker->pki[0].when, &(struct cluster){.pki.layout = PKI_SEPARATE}));
    assert_true(profile_tested(p, 20));
    assert_false(profile_tested(p, 21));
}

/* One edit of the good file, and how one of the problems must begin. */
static const struct {
    const char *find, *replace, *expected;
} bad[] = {
    {"name: small", "name: small\nsize: 3", "p.yaml:3:1: unknown key 'size'; known here: version"},
    {"from: '1.20'", "from: '1.24'", "p.yaml:3:13: from 1.24 is later than to 1.23"},
    {"from: '1.20'", "from: 1.20.1", "p.yaml:3:20: '1.20.1' is not a minor version"},
    {"type: label", "type: name", "p.yaml:5:5: the type of NODE_NAME is label, not name"},
    {"type: cidr", "type: net", "p.yaml:6:28: 'net' is not a type"},
    {"type: cidr", "type: sshkeys", "p.yaml:6:28: 'sshkeys' is not a type"},
    {"type: cidr", "type: bundle", "p.yaml:6:28: 'bundle' is not a type"},
    {"name: NODE_NAME", "name: NODE", "p.yaml: facts lack NODE_NAME"},
    {"POD_CIDR, type: cidr", "NODE_NAME, type: label",
     "p.yaml:6:5: the fact NODE_NAME stands here twice"},
    {"name: POD_CIDR", "name: pod", "p.yaml:6:12: 'pod' is not a fact's name"},
    {"1GiB", "1GB", "p.yaml:9:13: '1GB' is not a size"},
    {"[common, extra]", "[common, ../extra]", "p.yaml:11:24: '../extra' is not a plain name"},
    {"[common, extra]", "[.]", "p.yaml:11:16: '.' is not a plain name"},
    {"path: /opt", "path: opt", "p.yaml:13:56: 'opt' is not a clean absolute path"},
    {"path: /opt", "path: /opt/", "p.yaml:13:56: '/opt/' is not a clean absolute path"},
    {"path: /opt", "path: /opt/..", "p.yaml:13:56: '/opt/..' is not a clean absolute path"},
    {"path: /opt", "path: /./opt", "p.yaml:13:56: '/./opt' is not a clean absolute path"},
    {"path: /opt", "path: //opt", "p.yaml:13:56: '//opt' is not a clean absolute path"},
    {"path: /opt", "path: ''", "p.yaml:13:56: '' is not a clean absolute path"},
    {"mode: 0700", "mode: 0800", "p.yaml:13:42: '0800' is not a mode"},
    {"optional: true", "optional: yes", "p.yaml:14:60: 'yes' is neither true nor false"},
    {"when: shared", "when: each",
     "p.yaml:15:63: 'each' is no condition; known: shared, separate, one-ca, own-cas, image, "},
    {"tested: ['1.20']", "tested: 1.20", "p.yaml:3:48: expected a list"},
    {"file: ca.pem", "file: ..", "p.yaml:15:18: '..' is not a plain name"},
    {"'@NODE_NAME@.pem'", "'@POD_CIDR@.pem'",
     "p.yaml:17:9: '@POD_CIDR@.pem' may hold @NODE_NAME@ and no other fact"},
    {"'/var/@NODE_NAME@.pem'", "'/var/@NODE@.pem'",
     "p.yaml:17:9: '/var/@NODE@.pem' may hold @NODE_NAME@ and no other fact"},
    {"name: kubelet.service", "name: kubelet", "p.yaml:19:16: 'kubelet' is not a unit's name"},
    {"name: kubelet.service", "name: kubelet.", "p.yaml:19:16: 'kubelet.' is not a unit's name"},
    {"wantedBy: multi-user.target", "wantedBy: .target",
     "p.yaml:19:43: '.target' is not a unit's name"},
    {"name: a@b.service", "name: kubelet.service",
     "p.yaml:20:9: kubelet.service is wanted by multi-user.target already"},
    {"    units:\n", "", "p.yaml:18:10: unknown key 'name'; known here: file, path, mode"},
};

static void bad_files_name_place_and_cause(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct profile *p AUTO_PROFILE = NULL;
        struct error err = ERROR_INIT;
        struct problems problems AUTO_PROBLEMS = {0};
        const char *at = strstr(GOOD, bad[i].find);
        if (!at)
            fail_msg("the good file has no '%s'", bad[i].find);
        char *text AUTO_FREE = heap_printf("%.*s%s%s", (int)(at - GOOD), GOOD, bad[i].replace,
                                           at + strlen(bad[i].find));
        if (load(text, &p, &problems, &err) == 0)
            fail_msg("'%s' was accepted", bad[i].replace);
        char *lines AUTO_FREE = told(&problems, &err);
        if (!strstr(lines, bad[i].expected))
            fail_msg("got    %s\nwanted %s", lines, bad[i].expected);
        assert_null(p);
    }
}

/* Items that lack what their readers refused do not disturb those behind them. */
static void all_problems_are_found(void **state)
{
    (void)state;
    static const char text[] = "version: 1\n"
                               "name: small\n"
                               "kubernetes: {from: 1, to: '1.23'}\n"
                               "facts:\n"
                               "  - {type: label, from: {gce: instance/name}}\n"
                               "  - {name: NODE_NAME, type: label, from: {gce: a, GCE: b}}\n"
                               "roles:\n"
                               "  - units: [{}, {name: a.b}, {name: a.b, wantedBy: c.d},\n"
                               "            {name: a.b, wantedBy: c.d}]\n"
                               "  - {name: worker, units: []}\n";
    struct error err = ERROR_INIT;
    struct problems problems AUTO_PROBLEMS = {0};
    struct profile *p AUTO_PROFILE = NULL;
    assert_int_equal(load(text, &p, &problems, &err), -1);
    assert_null(p);
    char *lines AUTO_FREE = told(&problems, &err);
    static const char *const expected[] = {
        "p.yaml:3:20: '1' is not a minor version; write it like \"1.21\"\n",
        "p.yaml:5:5: the key 'name' is missing\n",
        "p.yaml:6:51: 'GCE' is not a DNS label",
        "p.yaml:8:5: the key 'name' is missing\n",
        "p.yaml:8:13: the key 'wantedBy' is missing\n",
        "p.yaml:8:17: the key 'wantedBy' is missing\n",
        "p.yaml:9:13: a.b is wanted by c.d already\n",
        "p.yaml:10:5: the key 'disk' is missing\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        if (!strstr(lines, expected[i]))
            fail_msg("got    %s\nwanted %s", lines, expected[i]);
}

static void names_come_from_somewhere(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int result;
        bool at_launch;
    } cases[] = {{"", 0, false},
                 {"names: cluster\n", 0, false},
                 {"names: launch\n", 0, true},
                 {"names: dhcp\n", -1, false}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        struct problems problems AUTO_PROBLEMS = {0};
        struct profile *p AUTO_PROFILE = NULL;
        char *text AUTO_FREE = heap_printf("%s%s", GOOD, cases[i].line);
        assert_int_equal(load(text, &p, &problems, &err), cases[i].result);
        if (p)
            assert_int_equal(p->names_at_launch, cases[i].at_launch);
        char *lines AUTO_FREE = told(&problems, &err);
        assert_int_equal(strstr(lines, "p.yaml:21:8: 'dhcp' is not where names come from: cluster "
                                       "or launch\n") != NULL,
                         !p);
    }
}

static void a_domain_has_a_default(void **state)
{
    (void)state;
    static const struct {
        const char *line, *domain; /* NULL: it is refused */
    } cases[] = {{"", "cluster.local"},
                 {"domain: cluster.nonprod\n", "cluster.nonprod"},
                 {"domain: Cluster\n", NULL},
                 {"domain: [a]\n", NULL}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        struct problems problems AUTO_PROBLEMS = {0};
        struct profile *p AUTO_PROFILE = NULL;
        char *text AUTO_FREE = heap_printf("%s%s", GOOD, cases[i].line);
        assert_int_equal(load(text, &p, &problems, &err), cases[i].domain ? 0 : -1);
        if (p)
            assert_string_equal(p->domain, cases[i].domain);
    }
}

static void a_role_stands_once(void **state)
{
    (void)state;
    struct profile *p AUTO_PROFILE = NULL;
    struct error err = ERROR_INIT;
    struct problems problems AUTO_PROBLEMS = {0};
    char *text AUTO_FREE = heap_printf("%s%s", GOOD, strstr(GOOD, "  - name: worker"));
    assert_int_equal(load(text, &p, &problems, &err), -1);
    char *lines AUTO_FREE = told(&problems, &err);
    assert_string_equal(lines, "p.yaml:21:5: the role worker stands here twice\n"
                               "p.yaml: 1 problem\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_file_gives_its_values),
        cmocka_unit_test(bad_files_name_place_and_cause),
        cmocka_unit_test(all_problems_are_found),
        cmocka_unit_test(names_come_from_somewhere),
        cmocka_unit_test(a_domain_has_a_default),
        cmocka_unit_test(a_role_stands_once),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
