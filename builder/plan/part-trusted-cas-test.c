/* The system's own update-ca-certificates says what would be right. */
#include "builder/pki/authority-fixture.h"
#include "builder/plan/network-fixture.h"

#define BUNDLE "/etc/ssl/certs/ca-certificates.crt"
#define LOCAL  "/usr/local/share/ca-certificates/"

static void make(const char *path, const char *cn, time_t begin)
{
    struct buffer pem AUTO_BUFFER = buffer_heap();
    make_authority(cn, begin, &pem, NULL);
    put_text(path, pem.data);
}

static char *content(const char *path)
{
    struct error err = ERROR_INIT;
    struct buffer text = buffer_heap();
    expect(file_read(AT_FDCWD, path, 1 << 20, &text, &err), &err);
    return text.data;
}

/* It leaves the folder that it was started in. */
static void update_ca_certificates(void)
{
    char *here AUTO_FREE = getcwd(NULL, 0);
    char *shipped AUTO_FREE = heap_printf("%s/shipped", here);
    char *conf AUTO_FREE = heap_printf("%s/conf", here);
    char *local AUTO_FREE = heap_printf("%s/local", here);
    char *etc AUTO_FREE = heap_printf("%s/etc", here);
    RUN("update-ca-certificates", "--certsdir", shipped, "--certsconf", conf, "--localcertsdir",
        local, "--etccertsdir", etc, "--hooksdir", "/nonexistent");
}

/* A base of three authorities. */
static void make_base(void)
{
    RUN("mkdir", "shipped", "local", "etc");
    make("shipped/a.crt", "Common", time(NULL));
    make("shipped/b.crt", "Common", time(NULL));
    make("shipped/c.crt", "Other", time(NULL));
    put_text("conf", "a.crt\nb.crt\nc.crt\n");
    update_ca_certificates();
}

/* The base as our reader would find it. */
static struct network *with_base(void)
{
    struct network *n = network_create();
    struct dirent **list = NULL;
    int count = scandir("etc", &list, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char *path AUTO_FREE = heap_printf("/etc/ssl/certs/%s", list[i]->d_name);
        texts_add(&n->base.paths, path);
        free(list[i]);
    }
    free(list);
    static char *bundle;
    free(bundle);
    bundle = content("etc/ca-certificates.crt");
    network_file(n, BUNDLE, bundle);
    return n;
}

static void trust(struct network *n, const char *path)
{
    texts_add(&n->cluster.settings.trusted_cas, path);
}

static void add(struct network *n)
{
    struct error err = ERROR_INIT;
    expect(part_trusted_cas(&n->plan, &err), &err);
}

/* Puts the plan's certificates where update-ca-certificates looks for them. */
static void install(const struct network *n)
{
    for (size_t i = 0; i < n->plan.tree->count; i++) {
        const struct entry *entry = &n->plan.tree->entries[i];
        if (strncmp(entry->path, LOCAL, strlen(LOCAL)) == 0) {
            char *path AUTO_FREE = heap_printf("local/%s", entry->path + strlen(LOCAL));
            put_text(path, entry->text);
        }
    }
}

/* Every link that is new in `etc` is in the plan. Returns how many there are. */
static size_t compare_links(const struct network *n)
{
    size_t found = 0;
    struct dirent **list = NULL;
    int count = scandir("etc", &list, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char target[PATH_MAX] = "";
        char *path AUTO_FREE = heap_printf("/etc/ssl/certs/%s", list[i]->d_name);
        char *real AUTO_FREE = heap_printf("etc/%s", list[i]->d_name);
        free(list[i]);
        if (base_has(&n->base, path))
            continue;
        assert_true(readlink(real, target, sizeof target - 1) > 0);
        const char *base = strrchr(target, '/');
        const char *ours = entry_at(n, path)->target, *slash = strrchr(ours, '/');
        if (slash)
            assert_int_equal(strncmp(ours, LOCAL, strlen(LOCAL)), 0);
        assert_string_equal(slash ? slash + 1 : ours, base ? base + 1 : target);
        found++;
    }
    free(list);
    return found;
}

static size_t count_links(const struct network *n)
{
    size_t found = 0;
    for (size_t i = 0; i < n->plan.tree->count; i++)
        found += n->plan.tree->entries[i].type == ENTRY_LINK;
    return found;
}

static void it_is_what_the_tool_makes(void **state)
{
    (void)state;
    make_base();
    struct network *n AUTO_NETWORK = with_base();
    make("corp ca (1).pem", "Corp", time(NULL));
    make("second.pem", "Corp", time(NULL));  /* the same subject as ours */
    make("third.pem", "Common", time(NULL)); /* as two of the base's */
    make("fourth.pem", "Another", time(NULL));
    RUN("sh", "-c", "cat 'corp ca (1).pem' fourth.pem >two.pem");
    static const char *const files[] = {"corp ca (1).pem", "second.pem", "third.pem", "two.pem"};
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        trust(n, files[i]);
    add(n);
    install(n);
    update_ca_certificates();
    /* A link by name and one by hash each. */
    assert_int_equal(compare_links(n), 8);
    assert_int_equal(count_links(n), 8);
    char *bundle AUTO_FREE = content("etc/ca-certificates.crt");
    assert_string_equal(text_at(n, BUNDLE), bundle);
    assert_string_equal(entry_at(n, "/etc/ssl/certs/nodebake-001-corp-ca--1-.pem")->target,
                        LOCAL "nodebake-001-corp-ca--1-.crt");
    assert_non_null(tree_find(n->plan.tree, LOCAL "nodebake-004-two.crt"));
    assert_int_equal(entry_at(n, LOCAL "nodebake-004-two.crt")->mode, 0644);
}

static void known_ones_get_no_second_hash(void **state)
{
    (void)state;
    make_base();
    struct network *n AUTO_NETWORK = with_base();
    trust(n, "shipped/c.crt");
    add(n);
    install(n);
    update_ca_certificates();
    assert_int_equal(compare_links(n), 1);
    assert_int_equal(count_links(n), 1);
    char *bundle AUTO_FREE = content("etc/ca-certificates.crt");
    assert_string_equal(text_at(n, BUNDLE), bundle);
}

static void drafts_leave_the_base_out(void **state)
{
    (void)state;
    struct network *n AUTO_NETWORK = network_create();
    make("a.pem", "Corp", time(NULL));
    trust(n, "a.pem");
    n->plan.in.base = NULL;
    add(n);
    assert_int_equal(n->plan.tree->count, 2);
    assert_non_null(tree_find(n->plan.tree, LOCAL "nodebake-001-a.crt"));
    assert_null(tree_find(n->plan.tree, BUNDLE));
}

static void refuse(struct network *n, const char *message)
{
    struct error err = ERROR_INIT;
    expect_error(part_trusted_cas(&n->plan, &err), &err, message);
}

static void wrong_ones_are_refused(void **state)
{
    (void)state;
    struct network *n AUTO_NETWORK = network_create();
    network_file(n, BUNDLE, "");
    put_text("key.pem", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n");
    trust(n, "key.pem");
    refuse(n, "cluster.yaml: trustedCAs: key.pem: holds a block 'PRIVATE KEY'");
    struct network *old AUTO_NETWORK = network_create();
    network_file(old, BUNDLE, "");
    make("old.pem", "Old", 0);
    trust(old, "old.pem");
    refuse(old, "cluster.yaml: trustedCAs: old.pem: the certificate of /O=Corp");
}

static void bases_without_the_package_are_refused(void **state)
{
    (void)state;
    struct network *n AUTO_NETWORK = network_create();
    make("a.pem", "Corp", time(NULL));
    trust(n, "a.pem");
    refuse(n, "the base (Debian 12) has no " BUNDLE "; add ca-certificates to `packages`");
    texts_add(&n->cluster.settings.packages, "ca-certificates");
    add(n);
    assert_null(tree_find(n->plan.tree, BUNDLE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(it_is_what_the_tool_makes), IN_FOLDER(known_ones_get_no_second_hash),
        IN_FOLDER(drafts_leave_the_base_out), IN_FOLDER(wrong_ones_are_refused),
        IN_FOLDER(bases_without_the_package_are_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
