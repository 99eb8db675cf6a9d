/* Files and overlays of the user's, in whole plans. */
#include "builder/plan/own.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/plan/golden-fixture.h"
#include "common/file.h"

static char folder[64];

static int setup(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/nodebake-own-test-XXXXXX");
    return mkdtemp(folder) && golden_setup(state) == 0 ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) | golden_teardown(state);
}

/* The caller frees the path. */
static char *make_host(const char *name, const void *bytes, size_t n)
{
    struct error err = ERROR_INIT;
    char *path = heap_printf("%s/%s", folder, name);
    for (char *slash = strchr(path + strlen(folder) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        assert_true(mkdir(path, 0755) == 0 || access(path, X_OK) == 0);
        *slash = '/';
    }
    if (file_publish(AT_FDCWD, path, bytes, n, 0644, &err) < 0)
        fail_msg("%s", err.text);
    return path;
}

static struct own_file *add(const char *path, const char *content, const char *host)
{
    struct settings *s = golden_settings();
    struct own_file *file = APPEND(s->files, s->file_count, s->file_cap);
    *file = (struct own_file){.path = heap_copy(path),
                              .content = heap_copy(content),
                              .host = heap_copy(host),
                              .mode = 0644,
                              .line = 40};
    return file;
}

static void a_file_has_mode_and_owner(void **state)
{
    (void)state;
    struct own_file *file = add("/etc/app.conf", "of @CLUSTER_NAME@, me@@x @lower@\n", NULL);
    file->mode = 0640;
    file->uid = 1000;
    file->gid = 33;
    struct plan *plan AUTO_PLAN = golden_plan(NULL);
    const struct entry *e = golden_entry(plan, "/etc/app.conf");
    assert_string_equal(e->text, "of kubernetes-the-hard-way, me@x @lower@\n");
    assert_int_equal(e->mode, 0640);
    assert_int_equal(e->uid, 1000);
    assert_int_equal(e->gid, 33);
    assert_false(e->secret);
    assert_string_equal(e->source, "tests/golden/cluster.yaml:40");
}

static void facts_of_the_node_make_a_template(void **state)
{
    (void)state;
    struct own_file *file = add("/etc/app.key", "@NODE_NAME@ of @CLUSTER_NAME@ @@\n", NULL);
    file->mode = 0600;
    file->uid = 7;
    file->gid = 8;
    struct plan *plan AUTO_PLAN = golden_plan(NULL);
    const struct entry *e = golden_entry(plan, PATH_TEMPLATES "/etc/app.key");
    assert_string_equal(e->text, "@NODE_NAME@ of kubernetes-the-hard-way @@\n");
    assert_int_equal(e->mode, 0600);
    assert_int_equal(e->uid, 0);
    assert_true(e->secret);
    assert_null(tree_find(plan->tree, "/etc/app.key"));
    assert_non_null(strstr(golden_text(plan, PATH_CONTRACT), "\ntemplate 0600 7 8 /etc/app.key\n"));
}

static void a_fact_that_nobody_has_is_refused_with_its_place(void **state)
{
    (void)state;
    add("/etc/app.conf", "a\n@NOBODY@\n", NULL);
    golden_refused(NULL, "plan worker-0: tests/golden/cluster.yaml:40: line 2: nothing supplies "
                         "@NOBODY@");
}

/* Of what no text is, and of what is large, not a byte changes. */
static void other_content_is_taken_as_it_is(void **state)
{
    (void)state;
    enum { LARGE = OVERLAY_FILE_MAX + 1 };
    char *large AUTO_FREE = heap_array(LARGE, 1);
    memset(large, '@', LARGE);
    char *binary AUTO_FREE = make_host("binary", "\0@NOBODY@", 9);
    char *big AUTO_FREE = make_host("big", large, LARGE);
    char *empty AUTO_FREE = make_host("empty", "", 0);
    char *text AUTO_FREE = make_host("text", large, OVERLAY_FILE_MAX);
    struct plan *without AUTO_PLAN = golden_plan(NULL);
    add("/opt/binary", NULL, binary);
    add("/opt/big", NULL, big);
    add("/opt/empty", NULL, empty);
    add("/opt/text", NULL, text);
    struct plan *plan AUTO_PLAN = golden_plan(NULL);
    assert_string_equal(golden_entry(plan, "/opt/binary")->host, binary);
    assert_string_equal(golden_entry(plan, "/opt/big")->host, big);
    assert_null(golden_entry(plan, "/opt/big")->text);
    assert_int_equal(golden_entry(plan, "/opt/empty")->len, 0);
    assert_int_equal(golden_entry(plan, "/opt/text")->len, OVERLAY_FILE_MAX / 2); /* @@ is @ */
    assert_in_range(plan->bytes - without->bytes, 9 + LARGE + OVERLAY_FILE_MAX / 2,
                    9 + LARGE + OVERLAY_FILE_MAX / 2 + 100); /* the contract's size varies */
}

static void a_template_fits_into_firstboot(void **state)
{
    (void)state;
    char *text AUTO_FREE = heap_array(OVERLAY_FILE_MAX + 1, 1);
    memset(text, 'a', OVERLAY_FILE_MAX);
    memcpy(text, "@NODE_NAME@ x@y ", 16); /* the other @ is doubled */
    add("/etc/app.conf", text, NULL);
    golden_refused(NULL, "plan worker-0: tests/golden/cluster.yaml:40: more than 256 KiB, and it "
                         "holds facts of the machine");
}

static void own_files_replace_overlays(void **state)
{
    (void)state;
    char *hosts AUTO_FREE = make_host("site/etc/hosts", "site\n", 5);
    char *crictl AUTO_FREE = make_host("site/etc/crictl.yaml", "site @CLUSTER_DNS@\n", 19);
    char *site AUTO_FREE = heap_printf("%s/site", folder);
    texts_add(&golden_settings()->overlays, site);
    add("/etc/hosts", "mine\n", NULL);
    struct plan *plan AUTO_PLAN = golden_plan(NULL);
    assert_string_equal(golden_text(plan, "/etc/hosts"), "mine\n");
    assert_string_equal(golden_text(plan, "/etc/crictl.yaml"), "site 10.32.0.10\n");
    assert_null(tree_find(plan->tree, PATH_TEMPLATES "/etc/hosts"));
    assert_null(strstr(golden_text(plan, PATH_CONTRACT), " /etc/hosts\n"));
}

static void what_is_nodebakes_own_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *path, *why;
    } cases[] = {
        {"/usr/lib/nodebake/contract", "is nodebake's own"},
        {"/lib/nodebake/firstboot", "is nodebake's own"},
        {"/usr/lib/nodebake/templates/etc/x", "is nodebake's own"},
        {"/var/lib/nodebake/stamp", "is nodebake's own"},
        {"/etc/systemd/system-preset/00-nodebake.preset", "is nodebake's own"},
        {"/lib/systemd/system-preset/00-nodebake.preset", "is nodebake's own"},
        {"/etc/initramfs-tools/hooks/nodebake", "is nodebake's own"},
        {"/etc/machine-id", "is made at first boot"},
        {"/etc/hostname", "is the node's name, which firstboot writes"},
        {"/var/run/x", "is hidden once the system runs"},
        {"/proc/x", "is hidden once the system runs"},
        {"/tmp/x", "is removed at boot"},
        {"/var/lib/kubernetes/ca.pem", "comes from nodebake (pki/ca.pem)"},
        {"/var/lib/kubelet/worker-0-key.pem", "is a key or certificate of the node"},
        {"/var/lib/kubelet/worker-1.pem", "is a key or certificate of the node"},
        {"/var/lib/kubelet/kubeconfig", "is a key or certificate of the node"},
        {"/var/lib/kubelet", "is a directory of nodebake (profile hard-way)"},
        {NULL, NULL},
    };
    for (size_t i = 0; cases[i].why; i++) {
        add(cases[i].path, "x\n", NULL);
        char *message AUTO_FREE =
            heap_printf("plan worker-0: tests/golden/cluster.yaml:40: %s %s; give the file "
                        "another path",
                        cases[i].path, cases[i].why);
        golden_refused(NULL, message);
        struct settings *s = golden_settings();
        s->file_count--;
        free(s->files[0].path);
        free(s->files[0].content);
    }
}

/* The binaries of the release lie in /bin, which is /usr/bin. */
static void places_are_known_by_both_their_names(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct plan *plan AUTO_PLAN = golden_plan(NULL);
    struct entry containerd = {.path = heap_copy("/bin/containerd"),
                               .type = ENTRY_FILE,
                               .mode = 0755,
                               .text = heap_copy(""),
                               .source = heap_copy("containerd 1.4.4")};
    assert_int_equal(tree_add(plan->tree, containerd, &err), 0);
    char path[] = "/usr/bin/containerd", place[] = "site/usr/bin/containerd";
    struct overlay_file file = {.path = path, .place = place};
    assert_int_equal(own_check(plan, &file, &err), -1);
    assert_string_equal(err.text,
                        "site/usr/bin/containerd: /usr/bin/containerd comes from nodebake "
                        "(containerd 1.4.4); give the file another path");
    static const struct {
        const char *path, *real;
    } cases[] = {{"/bin/x", "/usr/bin/x"},     {"/binary", "/binary"},
                 {"/var/run/x", "/run/x"},     {"/lib64/x", "/usr/lib64/x"},
                 {"/usr/bin/x", "/usr/bin/x"}, {"/bin", "/bin"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *real AUTO_FREE = own_real_path(cases[i].path);
        assert_string_equal(real, cases[i].real);
    }
}

static void overlays_of_the_user_are_held_to_the_same(void **state)
{
    (void)state;
    char *stamp AUTO_FREE = make_host("site/var/lib/nodebake/stamp", "x", 1);
    char *site AUTO_FREE = heap_printf("%s/site", folder);
    texts_add(&golden_settings()->overlays, site);
    char *message AUTO_FREE =
        heap_printf("plan worker-0: %s: /var/lib/nodebake/stamp is nodebake's own; give the file "
                    "another path",
                    stamp);
    golden_refused(NULL, message);
    texts_add(&golden_settings()->overlays, "/nonexistent/overlay");
    assert_int_equal(unlink(stamp), 0);
    golden_refused(NULL, "plan worker-0: overlay /nonexistent/overlay: /nonexistent/overlay: No "
                         "such file or directory");
}

static int is_profile(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return strstr(path, "/etc/apparmor") != NULL;
}

/* Whatever the settings: no overlay has one, and no part edits one. */
static void profiles_of_apparmor_stay(void **state)
{
    (void)state;
    struct base base = {.resolved = true, .cloud_init = true, .network = NETWORK_NETPLAN};
    texts_add(&base.paths, "/usr/sbin/sshd");
    struct plan *plan AUTO_PLAN = golden_plan(&base);
    for (size_t i = 0; i < plan->tree->count; i++)
        assert_false(is_profile(plan->tree->entries[i].path, NULL, 0, NULL));
    assert_int_equal(nftw("overlays", is_profile, 16, FTW_PHYS), 0);
    texts_free(&base.paths);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_has_mode_and_owner),
        TEST(facts_of_the_node_make_a_template),
        TEST(a_fact_that_nobody_has_is_refused_with_its_place),
        TEST(other_content_is_taken_as_it_is),
        TEST(a_template_fits_into_firstboot),
        TEST(own_files_replace_overlays),
        TEST(what_is_nodebakes_own_is_refused),
        TEST(places_are_known_by_both_their_names),
        TEST(overlays_of_the_user_are_held_to_the_same),
        TEST(profiles_of_apparmor_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
