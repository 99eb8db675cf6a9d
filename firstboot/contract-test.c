#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>

#include "common/file.h"
#include "firstboot/contract.h"
#include "firstboot/words.h"

static struct contract c;
static struct error err;

/* Parses a copy that ends where its bytes end. */
static int parse(const char *text)
{
    static char bytes[CONTRACT_BYTES_MAX + 2];
    size_t n = strlen(text);
    assert_true(n < sizeof bytes);
    memcpy(bytes, text, n);
    err.text[0] = '\0';
    return contract_parse(bytes, n, &c, &err);
}

static void check_file(unsigned i, const char *identity, const char *dest, mode_t mode)
{
    if (identity)
        assert_string_equal(c.files[i].identity, identity);
    else
        assert_null(c.files[i].identity);
    assert_string_equal(c.files[i].dest, dest);
    assert_int_equal(c.files[i].mode, mode);
    assert_int_equal(c.files[i].uid, 0);
    assert_int_equal(c.files[i].gid, 0);
}

static void golden_parses(void **state)
{
    (void)state;
    static char bytes[CONTRACT_BYTES_MAX + 1];
    struct buffer text = BUFFER_FIXED(bytes);
    assert_int_equal(
        file_read(AT_FDCWD, "tests/golden/contract-worker-0", CONTRACT_BYTES_MAX, &text, &err), 0);
    assert_int_equal(contract_parse(text.data, text.len, &c, &err), 0);
    assert_string_equal(c.cluster, "kubernetes-the-hard-way");
    assert_string_equal(c.role, "worker");
    assert_string_equal(c.node, "worker-0");
    assert_int_equal(c.deadline_s, 60);
    assert_int_equal(c.source_count, 1);
    assert_string_equal(c.sources[0].name, "gce");
    assert_string_equal(c.sources[0].identity, "product_uuid");
    assert_int_equal(c.fact_count, 3);
    assert_int_equal(contract_fact_index(&c, "POD_CIDR"), 2);
    assert_int_equal(c.facts[2].type, VALUE_CIDR);
    assert_int_equal(contract_fact_index(&c, "POD"), -1);
    assert_int_equal(c.from_count, 3);
    assert_int_equal(c.froms[1].fact, 1);
    assert_string_equal(c.froms[1].source, "gce");
    assert_string_equal(c.froms[1].path, "instance/network-interfaces/0/ip");
    assert_int_equal(c.file_count, 8);
    check_file(0, "@NODE_NAME@.pem", "/var/lib/kubelet/@NODE_NAME@.pem", 0644);
    check_file(1, "@NODE_NAME@-key.pem", "/var/lib/kubelet/@NODE_NAME@-key.pem", 0600);
    check_file(2, "@NODE_NAME@.kubeconfig", "/var/lib/kubelet/kubeconfig", 0600);
    check_file(3, NULL, "/etc/cni/net.d/10-bridge.conf", 0644);
    check_file(7, NULL, "/etc/systemd/system-preset/00-nodebake.preset", 0644);
    assert_int_equal(c.unit_count, 4);
    assert_string_equal(c.units[3].name, "kube-proxy.service");
    assert_string_equal(c.units[3].target, "multi-user.target");
    assert_string_equal(c.units[3].path, "/etc/systemd/system/kube-proxy.service");
}

#define MAGIC "nodebake-contract 1\n"
#define HEAD  MAGIC "cluster c\nrole r\ndeadline 60\non-failure continue\n" /* five lines */
#define BASE  HEAD "fact NODE_NAME label\n"                                 /* six */

static void small_ones_parse(void **state)
{
    (void)state;
    assert_int_equal(parse(BASE), 0);
    assert_null(c.node);
    assert_int_equal(c.file_count, 0);
    assert_int_equal(parse(BASE "# a comment, with  spaces \n\n"), 0);
    assert_int_equal(parse(BASE "identity 4755 7 4294967294 a/@NODE_NAME@ /@NODE_NAME@/@@x\n"), 0);
    assert_int_equal(c.files[0].mode, 04755);
    assert_int_equal(c.files[0].uid, 7);
    assert_int_equal(c.files[0].gid, 4294967294u);
    assert_int_equal(parse(BASE "template 0644 0 0 /etc/getty@.service\n"), 0);
    assert_null(c.user);
    assert_int_equal(parse(BASE "fact KEYS sshkeys\nuser ops\n"), 0);
    assert_string_equal(c.user, "ops");
    assert_int_equal(c.facts[1].type, VALUE_SSHKEYS);
    assert_null(contract_fact_of(&c, VALUE_BUNDLE));
    assert_int_equal(parse(BASE "fact ID bundle\nfact NAME label\n"), 0);
    assert_string_equal(contract_fact_of(&c, VALUE_BUNDLE)->name, "ID");
    assert_int_equal(parse(BASE "forget /a/b\nforget /etc/ssh/ssh_host_*\n"), 0);
    assert_int_equal(c.forget_count, 2);
    assert_string_equal(c.forgets[1], "/etc/ssh/ssh_host_*");
    assert_int_equal(c.on_failure, ON_FAILURE_CONTINUE);
    assert_int_equal(parse(BASE "unit a.service x.target /a\nunit a.service y.target /a\n"), 0);
}

static const struct {
    const char *text;
    const char *message;
} bad[] = {
    {"", "contract:1: not a contract; the first line is 'nodebake-contract 1'"},
    {"\n", "contract:1: not a contract; the first line is 'nodebake-contract 1'"},
    {"# nodebake-contract 1\n", "contract:1: not a contract; the first line is "
                                "'nodebake-contract 1'"},
    {"nodebake-contract 1", "contract:1: no newline at its end; the file is cut off"},
    {"nodebake-contract 2\n", "contract:1: version 2 is not known; this firstboot reads version 1"},
    {"nodebake-contract 11\n",
     "contract:1: version 11 is not known; this firstboot reads version 1"},
    {"nodebake-contract 1 \n",
     "contract:1: version 1  is not known; this firstboot reads version 1"},
    {MAGIC "cluster c\r\n", "contract:2: byte 0x0d; only printable ASCII is allowed"},
    {MAGIC "# \xc3\xa9\n", "contract:2: byte 0xc3; only printable ASCII is allowed"},
    {MAGIC "cluster\tc\n", "contract:2: byte 0x09; only printable ASCII is allowed"},
    {MAGIC "cluster  c\n", "contract:2: an empty field; one space stands between two fields"},
    {MAGIC "cluster c \n", "contract:2: an empty field; one space stands between two fields"},
    {MAGIC " cluster c\n", "contract:2: an empty field; one space stands between two fields"},
    {MAGIC "cluster c d\n", "contract:2: wrong number of fields; right is 'cluster NAME'"},
    {MAGIC "identity 1 2 3 4 5 6 7 8\n",
     "contract:2: wrong number of fields; right is 'identity MODE UID GID FILE DEST'"},
    {MAGIC "klaster c\n", "contract:2: unknown word 'klaster'; version 1 has no such line"},
    {MAGIC "cluster C\n",
     "contract:2: NAME: 'C' is not a DNS label (1 to 63 of a-z, 0-9 and inner '-')"},
    {MAGIC "cluster c\ncluster c\n", "contract:3: too many 'cluster' lines; at most 1"},
    {MAGIC "deadline 0\n", "contract:2: SECONDS '0' is not a number from 1 to 600"},
    {MAGIC "deadline 601\n", "contract:2: SECONDS '601' is not a number from 1 to 600"},
    {MAGIC "deadline 060\n", "contract:2: SECONDS '060' is not a number from 1 to 600"},
    {MAGIC "on-failure halt\n",
     "contract:2: ACTION 'halt' is not 'continue', 'poweroff' or 'shell'"},
    {MAGIC "forget etc/a\n", "contract:2: PATH 'etc/a' is not an absolute path without '.', '..' "
                             "and '//', which a '*' may end"},
    {MAGIC "forget /etc/*/a\n", "contract:2: PATH '/etc/*/a' is not an absolute path without '.', "
                                "'..' and '//', which a '*' may end"},
    {MAGIC "forget /etc/../a*\n", "contract:2: PATH '/etc/../a*' is not an absolute path without "
                                  "'.', '..' and '//', which a '*' may end"},
    {MAGIC "cluster c\nrole r\n",
     "contract:3: the file ends without a 'deadline' line; right is 'deadline SECONDS'"},
    {HEAD, "contract:5: the file ends without the line 'fact NODE_NAME label'"},
    {HEAD "fact NODE_NAME token\n",
     "contract:6: the file ends without the line 'fact NODE_NAME label'"},
    {BASE "source gce serial\n",
     "contract:7: IDENTITY 'serial' is not 'product_uuid', 'board_asset_tag' or both with a comma, "
     "the tag first"},
    {BASE "source gce product_uuid,board_asset_tag\n",
     "contract:7: IDENTITY 'product_uuid,board_asset_tag' is not 'product_uuid', "
     "'board_asset_tag' or both with a comma, the tag first"},
    {BASE "imds v2\n", "contract:7: VERSION 'v2' is not 'v1'"},
    {BASE "imds\n", "contract:7: wrong number of fields; right is 'imds v1'"},
    {BASE "imds v1\nimds v1\n", "contract:8: too many 'imds' lines; at most 1"},
    {BASE "source gce product_uuid\nsource gce board_asset_tag\n",
     "contract:8: source 'gce' is there already; one line each"},
    {BASE "fact node label\n",
     "contract:7: NAME 'node' is not A-Z, 0-9, _, a letter first, at most 47 bytes"},
    {BASE "fact _A label\n",
     "contract:7: NAME '_A' is not A-Z, 0-9, _, a letter first, at most 47 bytes"},
    {BASE "fact A ipv6\n",
     "contract:7: TYPE 'ipv6' is not label, name, ipv4, cidr, token, sshkeys or bundle"},
    {BASE "user ops\nuser ops\n", "contract:8: too many 'user' lines; at most 1"},
    {BASE "user Ops\n", "contract:7: NAME 'Ops' is not a user's name such as debian"},
    {BASE "user a:b\n", "contract:7: NAME 'a:b' is not a user's name such as debian"},
    {BASE "fact K sshkeys\n",
     "contract:7: the file ends without a 'user' line, and fact K is of type sshkeys"},
    {BASE "user ops\nfact K sshkeys\nfact L sshkeys\n",
     "contract:9: fact K is of type sshkeys already; at most one is"},
    {BASE "user ops\nfact K sshkeys\nidentity 0600 0 0 @K@ /a\n",
     "contract:9: @K@ is a sshkeys; a path takes facts of type label, name or ipv4"},
    {BASE "fact B bundle\nfact C bundle\n",
     "contract:8: fact B is of type bundle already; at most one is"},
    {BASE "fact B bundle\nidentity 0600 0 0 @B@ /a\n",
     "contract:8: @B@ is a bundle; a path takes facts of type label, name or ipv4"},
    {BASE "fact NODE_NAME label\n", "contract:7: fact NODE_NAME is there already; one line each"},
    {BASE "from A gce x\n", "contract:7: no fact 'A'; its 'fact' line comes first"},
    {BASE "from NODE_NAME aws x\nsource gce product_uuid\n",
     "contract:7: source 'aws' is not allowed; it has no 'source' line"},
    {BASE "template 644 0 0 /a\n", "contract:7: MODE '644' is not four octal digits such as 0644"},
    {BASE "template 0648 0 0 /a\n",
     "contract:7: MODE '0648' is not four octal digits such as 0644"},
    {BASE "template 0644 root 0 /a\n", "contract:7: UID 'root' is not a user's number such as 0"},
    {BASE "template 0644 4294967295 0 /a\n",
     "contract:7: UID '4294967295' is not a user's number such as 0"},
    {BASE "template 0644 0 -1 /a\n", "contract:7: GID '-1' is not a group's number such as 0"},
    {BASE "template 0644 0 0 etc/x\n",
     "contract:7: DEST 'etc/x' is not an absolute path without '.', '..' and '//'"},
    {BASE "template 0644 0 0 /etc/../x\n",
     "contract:7: DEST '/etc/../x' is not an absolute path without '.', '..' and '//'"},
    {BASE "template 0644 0 0 /etc/x/\n",
     "contract:7: DEST '/etc/x/' is not an absolute path without '.', '..' and '//'"},
    {BASE "template 0644 0 0 /\n",
     "contract:7: DEST '/' is not an absolute path without '.', '..' and '//'"},
    {BASE "template 0644 0 0 /a\nidentity 0600 0 0 a /a\n",
     "contract:8: DEST /a is that of line 7 already"},
    {BASE "identity 0600 0 0 ../a /a\n",
     "contract:7: FILE '../a' is not a relative path without '.', '..' and '//'"},
    {BASE "identity 0600 0 0 /a /a\n",
     "contract:7: FILE '/a' is not a relative path without '.', '..' and '//'"},
    {BASE "identity 0600 0 0 @NODE@ /a\nfact B token\n", "contract:7: @NODE@ has no 'fact' line"},
    {BASE "fact B token\nidentity 0600 0 0 a /a/@B@\n",
     "contract:8: @B@ is a token; a path takes facts of type label, name or ipv4"},
    {BASE "fact B cidr\nidentity 0600 0 0 @B@ /a\n",
     "contract:8: @B@ is a cidr; a path takes facts of type label, name or ipv4"},
    {BASE "unit kubelet multi-user.target /a\n",
     "contract:7: NAME 'kubelet' is not a unit's name such as kubelet.service"},
    {BASE "unit ../a.service multi-user.target /a\n",
     "contract:7: NAME '../a.service' is not a unit's name such as kubelet.service"},
    {BASE "unit .service multi-user.target /a\n",
     "contract:7: NAME '.service' is not a unit's name such as kubelet.service"},
    {BASE "unit a.service ../x.target /a\n",
     "contract:7: TARGET '../x.target' is not a unit's name such as multi-user.target"},
    {BASE "unit a.service x.target a\n",
     "contract:7: PATH 'a' is not an absolute path without '.', '..' and '//'"},
    {BASE "unit a.service x.target /a\nunit a.service x.target /b\n",
     "contract:8: a.service is wanted by x.target already; one line each"},
};

static void bad_ones_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(parse(bad[i].text), -1);
        assert_string_equal(err.text, bad[i].message);
        assert_int_equal(c.unit_count + c.file_count + c.fact_count, 0);
    }
}

/* How many lines of a form, which takes a number, are taken; the next one's error is left. */
static unsigned lines_taken(const char *form)
{
    static char text[CONTRACT_BYTES_MAX + 1];
    struct buffer b = BUFFER_FIXED(text);
    for (unsigned n = 1; n < 1000; n++) {
        buffer_clear(&b);
        buffer_puts(&b, BASE "source gce product_uuid\n");
        for (unsigned i = 0; i < n; i++) {
            char line[200];
            snprintf(line, sizeof line, form, i);
            buffer_puts(&b, line);
        }
        assert_false(b.overflow);
        if (parse(text) < 0)
            return n - 1;
    }
    return 1000;
}

static void every_kind_has_its_bound(void **state)
{
    (void)state;
    assert_int_equal(lines_taken("source s%u product_uuid\n"), CONTRACT_SOURCES_MAX - 1);
    assert_string_equal(err.text, "contract:15: too many 'source' lines; at most 8");
    assert_int_equal(lines_taken("fact F%u token\n"), CONTRACT_FACTS_MAX - 1);
    assert_non_null(strstr(err.text, "too many 'fact' lines; at most 32"));
    assert_int_equal(lines_taken("from NODE_NAME gce p%u\n"), CONTRACT_FROMS_MAX);
    assert_non_null(strstr(err.text, "too many 'from' lines; at most 64"));
    assert_int_equal(lines_taken("identity 0600 0 0 f /d%u\n"), CONTRACT_IDENTITIES_MAX);
    assert_non_null(strstr(err.text, "too many 'identity' lines; at most 32"));
    assert_int_equal(lines_taken("template 0600 0 0 /d%u\n"), CONTRACT_TEMPLATES_MAX);
    assert_non_null(strstr(err.text, "too many 'template' lines; at most 128"));
    assert_int_equal(lines_taken("unit u%u.service x.target /u\n"), CONTRACT_UNITS_MAX);
    assert_non_null(strstr(err.text, "too many 'unit' lines; at most 64"));
}

static void lines_and_text_have_bounds(void **state)
{
    (void)state;
    static char text[CONTRACT_BYTES_MAX + 2];
    size_t head = sizeof BASE - 1;
    memcpy(text, BASE, head);
    memset(text + head, '#', 1000);
    strcpy(text + head + 1000, "\n");
    assert_int_equal(parse(text), 0);
    strcpy(text + head + 1000, "#\n");
    assert_int_equal(parse(text), -1);
    assert_string_equal(err.text, "contract:7: longer than the 1000 bytes allowed");

    memset(text + head, '\n', CONTRACT_BYTES_MAX - head);
    text[CONTRACT_BYTES_MAX] = '\0';
    assert_int_equal(parse(text), 0);
    strcpy(text + CONTRACT_BYTES_MAX, "\n");
    assert_int_equal(parse(text), -1);
    assert_string_equal(err.text, "contract: larger than the 65536 bytes allowed");
}

static void names_leave_room_for_temporary_ones(void **state)
{
    (void)state;
    char path[300] = "/";
    memset(path + 1, 'a', 245);
    assert_true(word_is_path(path, true));
    path[246] = 'a';
    assert_false(word_is_path(path, true));
    path[246] = '/';
    path[247] = 'b';
    assert_true(word_is_path(path, true));
    memset(path + 1, 'a', 256);
    path[257] = '/';
    path[258] = 'b';
    assert_false(word_is_path(path, true));

    char unit[300];
    memset(unit, 'u', 245);
    memcpy(unit + 237, ".service", 9);
    assert_true(word_is_unit(unit));
    memset(unit, 'u', 246);
    memcpy(unit + 238, ".service", 9);
    assert_false(word_is_unit(unit));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_parses),
        cmocka_unit_test(small_ones_parse),
        cmocka_unit_test(bad_ones_are_refused),
        cmocka_unit_test(every_kind_has_its_bound),
        cmocka_unit_test(lines_and_text_have_bounds),
        cmocka_unit_test(names_leave_room_for_temporary_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
