/* The contract of a plan made by hand; plan-test.c compares a whole one with the golden file. */
#include "builder/plan/contract.h"

#include "builder/plan/plan-fixture.h"

static const struct contract_template TEMPLATES[] = {{"/etc/z.conf", 0644, 0, 0},
                                                     {"/etc/a.conf", 0600, 1000, 4294967294}};

static const char TAIL[] = "identity 0600 0 0 @NODE_NAME@.pem /etc/id.pem\n"
                           "template 0644 0 0 /etc/z.conf\n"
                           "template 0600 1000 4294967294 /etc/a.conf\n"
                           "unit ours.service multi-user.target /etc/systemd/system/ours.service\n"
                           "unit base.service basic.target /lib/systemd/system/base.service\n"
                           "forget /var/lib/dbus/machine-id\n"
                           "forget /var/lib/systemd/random-seed\n"
                           "forget /var/lib/systemd/credential.secret\n"
                           "forget /var/lib/kubelet/pki/*\n";

static void check_contract(const struct fixture *f, const char *head)
{
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    char *expected AUTO_FREE = heap_printf("%s%s", head, TAIL);
    if (contract_write(&f->plan, TEMPLATES, 2, &out, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(out.data, expected);
    assert_int_equal(out.len, strlen(expected));
}

static void a_node_has_a_whole_contract(void **state)
{
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    check_contract(f, "nodebake-contract 1\ncluster small\nrole worker\nnode worker-0\n"
                      "deadline 60\non-failure continue\n"
                      "source gce product_uuid\n"
                      "fact NODE_NAME label\nfrom NODE_NAME gce name\n"
                      "fact NODE_IP ipv4\nfrom NODE_IP gce network/ip\n");
}

static void a_failure_has_its_word(void **state)
{
    static const char *const words[] = {"continue", "poweroff", "shell"};
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct fixture *f AUTO_FIXTURE = fixture_create();
        f->cluster.settings.on_failure = (enum on_failure)i;
        char *head AUTO_FREE = heap_printf("nodebake-contract 1\ncluster small\nrole worker\n"
                                           "node worker-0\ndeadline 60\non-failure %s\n"
                                           "source gce product_uuid\n"
                                           "fact NODE_NAME label\nfrom NODE_NAME gce name\n"
                                           "fact NODE_IP ipv4\nfrom NODE_IP gce network/ip\n",
                                           words[i]);
        check_contract(f, head);
    }
}

static void a_role_has_no_node_line(void **state)
{
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    f->plan.in.node = NULL;
    check_contract(f, "nodebake-contract 1\ncluster small\nrole worker\n"
                      "deadline 60\non-failure continue\n"
                      "source gce product_uuid\n"
                      "fact NODE_NAME label\nfrom NODE_NAME gce name\n"
                      "fact NODE_IP ipv4\nfrom NODE_IP gce network/ip\n");
}

static void without_a_source_facts_have_no_path(void **state)
{
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    f->cluster.source_count = 0;
    check_contract(f, "nodebake-contract 1\ncluster small\nrole worker\nnode worker-0\n"
                      "deadline 60\non-failure continue\n"
                      "fact NODE_NAME label\nfact NODE_IP ipv4\n");
}

/* The paths of sources that the cluster does not allow stay out: firstboot would refuse them. */
static void paths_of_other_sources_stay_out(void **state)
{
    static char aws[] = "aws", gce[] = "gce", one[] = "wrong", two[] = "right";
    struct fact_path paths[] = {{aws, one}, {gce, two}};
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    f->facts[0].paths = paths;
    f->facts[0].path_count = 2;
    check_contract(f, "nodebake-contract 1\ncluster small\nrole worker\nnode worker-0\n"
                      "deadline 60\non-failure continue\n"
                      "source gce product_uuid\n"
                      "fact NODE_NAME label\nfrom NODE_NAME gce right\n"
                      "fact NODE_IP ipv4\nfrom NODE_IP gce network/ip\n");
}

/* Attributes of AWS and GCE side by side, a deadline and an older version of AWS's service. */
static void one_image_may_boot_on_two_clouds(void **state)
{
    static char aws[] = "aws", gce[] = "gce", one[] = "tags", two[] = "user-data#N",
                name[] = "name";
    struct fact_path names[] = {{aws, one}, {gce, name}, {aws, two}};
    struct fact_path addresses[] = {{aws, one}, {gce, two}};
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    f->facts[0].paths = names;
    f->facts[0].path_count = 3;
    f->facts[1].paths = addresses;
    f->facts[1].path_count = 2;
    f->cluster.sources[1] = aws;
    f->cluster.source_count = 2;
    f->cluster.settings.deadline = 90;
    f->cluster.settings.imds_v1 = true;
    check_contract(f, "nodebake-contract 1\ncluster small\nrole worker\nnode worker-0\n"
                      "deadline 90\non-failure continue\nimds v1\n"
                      "source gce product_uuid\nsource aws board_asset_tag,product_uuid\n"
                      "fact NODE_NAME label\nfrom NODE_NAME gce name\n"
                      "from NODE_NAME aws tags\nfrom NODE_NAME aws user-data#N\n"
                      "fact NODE_IP ipv4\nfrom NODE_IP gce user-data#N\n"
                      "from NODE_IP aws tags\n");
}

static void what_is_there_already_stays(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    struct buffer out AUTO_BUFFER = buffer_heap();
    buffer_puts(&out, "# before\n");
    assert_int_equal(contract_write(&f->plan, TEMPLATES, 0, &out, &err), 0);
    assert_ptr_equal(strstr(out.data, "# before\nnodebake-contract 1\n"), out.data);
    assert_null(strstr(out.data, "\ntemplate "));
}

static void refuse(const struct fixture *f, const char *message)
{
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    assert_int_equal(contract_write(&f->plan, TEMPLATES, 2, &out, &err), -1);
    assert_string_equal(err.text, message);
}

static void sources_must_be_known(void **state)
{
    static char gc[] = "gc", gce[] = "gce";
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    f->cluster.sources[0] = gc;
    refuse(f, "metadata source 'gc' is not known");
    f->cluster.sources[0] = gce;
    f->cluster.sources[1] = gc; /* also behind one that is */
    f->cluster.source_count = 2;
    refuse(f, "metadata source 'gc' is not known");
}

static void facts_must_have_a_path_in_each_source(void **state)
{
    static char aws[] = "aws";
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    f->paths[2].source = aws; /* of a fact that nobody asks for */
    check_contract(f, "nodebake-contract 1\ncluster small\nrole worker\nnode worker-0\n"
                      "deadline 60\non-failure continue\n"
                      "source gce product_uuid\n"
                      "fact NODE_NAME label\nfrom NODE_NAME gce name\n"
                      "fact NODE_IP ipv4\nfrom NODE_IP gce network/ip\n");
    f->paths[1].source = aws;
    refuse(f, "small.yaml:0: fact NODE_IP: no path for the metadata source gce");
    f->facts[0].path_count = 0;
    refuse(f, "small.yaml:0: fact NODE_NAME: no path for the metadata source gce");
}

/* All paths of the one fact; whose keys they are stands before it. */
static void keys_of_metadata_are_a_fact(void **state)
{
    static bool used[] = {false, true, false, true};
    static const struct contract_template keys = {"/home/ops/.ssh/authorized_keys", 0600, 1000,
                                                  1001};
    struct error err = ERROR_INIT;
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    struct buffer out AUTO_BUFFER = buffer_heap();
    f->cluster.settings.access = (struct access){.user = (char *)"ops", .metadata = true};
    f->plan.facts_used = used;
    if (contract_write(&f->plan, &keys, 1, &out, &err) < 0)
        fail_msg("%s", err.text);
    assert_non_null(strstr(out.data,
                           "from NODE_IP gce network/ip\nuser ops\nfact SSH_KEYS sshkeys\n"
                           "from SSH_KEYS gce instance/attributes/ssh-keys\n"
                           "from SSH_KEYS gce project/attributes/ssh-keys\n"));
    assert_non_null(strstr(out.data, "\ntemplate 0600 1000 1001 /home/ops/.ssh/authorized_keys\n"));
    used[3] = false; /* no template holds them */
    buffer_clear(&out);
    assert_int_equal(contract_write(&f->plan, &keys, 1, &out, &err), 0);
    assert_null(strstr(out.data, "\nuser "));
    assert_null(strstr(out.data, "SSH_KEYS"));
}

/* Of no template, and only where the role has an identity. */
static void an_identity_of_metadata_is_a_fact(void **state)
{
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    static char aws[] = "aws";
    static bool used[] = {false, false, false, false};
    f->cluster.identity = IDENTITY_METADATA;
    f->cluster.source_count = 2;
    f->cluster.sources[1] = aws;
    f->paths[1] = (struct fact_path){aws, (char *)"name"};
    f->facts[0].path_count = 2;
    f->plan.facts_used = used;
    f->plan.in.node = NULL;
    check_contract(f, "nodebake-contract 1\ncluster small\nrole worker\n"
                      "deadline 60\non-failure continue\n"
                      "source gce product_uuid\nsource aws board_asset_tag,product_uuid\n"
                      "fact NODE_NAME label\nfrom NODE_NAME gce name\nfrom NODE_NAME aws name\n"
                      "fact NODE_IDENTITY bundle\n"
                      "from NODE_IDENTITY gce instance/attributes/node-identity\n"
                      "from NODE_IDENTITY aws user-data#NODE_IDENTITY\n");
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    f->role.identity_count = 0;
    assert_int_equal(contract_write(&f->plan, TEMPLATES, 2, &out, &err), 0);
    assert_null(strstr(out.data, "bundle"));
}

/* The bounds of docs/contract.md: so many are taken, and one more is not. */
static void lists_are_bounded(void **state)
{
    static struct pki_file files[33];
    static struct enabled_unit units[65];
    static struct contract_template templates[129];
    struct error err = ERROR_INIT;
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    struct buffer out AUTO_BUFFER = buffer_heap();
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        files[i] = f->identity[0];
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        units[i] = f->enabled[0];
    for (size_t i = 0; i < ARRAY_LEN(templates); i++)
        templates[i] = TEMPLATES[0];
    f->role.identity = files;
    f->plan.enabled = units;
    f->role.identity_count = 32;
    f->plan.enabled_count = 64;
    if (contract_write(&f->plan, templates, 128, &out, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(contract_write(&f->plan, templates, 129, &out, &err), -1);
    assert_string_equal(err.text, "the contract would have 129 templates; firstboot takes 128");
    f->plan.enabled_count = 65;
    refuse(f, "the contract would have 65 units; firstboot takes 64");
    f->role.identity_count = 33;
    refuse(f, "the contract would have 33 identity files; firstboot takes 32");
}

static void facts_are_bounded(void **state)
{
    static struct node_fact facts[33];
    static bool used[33];
    struct error err = ERROR_INIT;
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    struct buffer out AUTO_BUFFER = buffer_heap();
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        facts[i] = f->facts[1];
        used[i] = i < 32;
    }
    f->profile.facts = facts;
    f->profile.fact_count = 33;
    f->plan.facts_used = used;
    if (contract_write(&f->plan, TEMPLATES, 2, &out, &err) < 0)
        fail_msg("%s", err.text);
    used[32] = true;
    refuse(f, "the contract would have 33 facts; firstboot takes 32");
    used[32] = false;
    f->cluster.sources[1] = f->cluster.sources[2] = f->cluster.sources[0];
    f->cluster.source_count = 3;
    refuse(f, "the contract would have 96 paths of facts; firstboot takes 64");
}

static void the_text_is_bounded(void **state)
{
    static char path[65536];
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    memset(path, 'x', sizeof path - 1);
    f->paths[0].path = path;
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    assert_int_equal(contract_write(&f->plan, TEMPLATES, 2, &out, &err), -1);
    assert_non_null(strstr(err.text, " bytes; firstboot takes 65536"));
}

static void a_path_has_one_content(void **state)
{
    static char path[] = "/etc/a.conf";
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    f->identity[0].path = path;
    refuse(f, "/etc/a.conf is both a template and a file of the identity");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_has_a_whole_contract),
        cmocka_unit_test(a_failure_has_its_word),
        cmocka_unit_test(a_role_has_no_node_line),
        cmocka_unit_test(without_a_source_facts_have_no_path),
        cmocka_unit_test(paths_of_other_sources_stay_out),
        cmocka_unit_test(one_image_may_boot_on_two_clouds),
        cmocka_unit_test(what_is_there_already_stays),
        cmocka_unit_test(sources_must_be_known),
        cmocka_unit_test(facts_must_have_a_path_in_each_source),
        cmocka_unit_test(keys_of_metadata_are_a_fact),
        cmocka_unit_test(an_identity_of_metadata_is_a_fact),
        cmocka_unit_test(lists_are_bounded),
        cmocka_unit_test(facts_are_bounded),
        cmocka_unit_test(the_text_is_bounded),
        cmocka_unit_test(a_path_has_one_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
