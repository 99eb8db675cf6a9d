#include "firstboot/render.h"
#include "firstboot/root-fixture.h"

#define HEAD                                                                                       \
    "nodebake-contract 1\ncluster c\nrole worker\ndeadline 60\non-failure continue\n"              \
    "fact NODE_NAME label\n"
#define KEY      "identity 0600 0 0 @NODE_NAME@-key.pem /var/lib/kubelet/@NODE_NAME@-key.pem\n"
#define HOSTNAME "template 0640 0 0 /etc/hostname\n"
#define PRESET   "template 0644 0 0 /etc/preset/00-nodebake.preset\n"

#define KEY_FILE        "usr/lib/nodebake/identity/worker-0-key.pem"
#define HOSTNAME_FILE   "usr/lib/nodebake/templates/etc/hostname"
#define PRESET_FILE     "usr/lib/nodebake/templates/etc/preset/00-nodebake.preset"
#define KEY_DEST        "var/lib/kubelet/worker-0-key.pem"
#define HOSTNAME_DEST   "etc/hostname"
#define PRESET_DEST     "etc/preset/00-nodebake.preset"
#define KEY_STAGED      "var/lib/kubelet/.worker-0-key.pem.nodebake"
#define PRESET_STAGED   "etc/preset/.00-nodebake.preset.nodebake"
#define HOSTNAME_STAGED "etc/.hostname.nodebake"

static struct contract contract;
static struct facts facts;
static struct dirs dirs;
static struct error err;

/* The contract's text and NODE_NAME. */
static void load(const char *text, const char *node)
{
    static char bytes[2048];
    char line[128];
    assert_true(strlen(text) < sizeof bytes);
    memcpy(bytes, text, strlen(text) + 1);
    assert_int_equal(contract_parse(bytes, strlen(bytes), &contract, &err), 0);
    facts_init(&facts, &contract, "file");
    snprintf(line, sizeof line, "NODE_NAME=%s\n", node);
    assert_int_equal(facts_parse(&facts, line, strlen(line), &err), 0);
}

static int setup(void **state)
{
    root_setup(state);
    dirs_init(&dirs, root);
    put(KEY_FILE, "a key @NODE_NAME@");
    put(HOSTNAME_FILE, "@NODE_NAME@ @@\n");
    put(PRESET_FILE, "enable kubelet.service\n");
    put(HOSTNAME_DEST, "localhost");
    load(HEAD KEY HOSTNAME PRESET, "worker-0");
    return 0;
}

static int teardown(void **state)
{
    dirs_close(&dirs);
    return root_teardown(state);
}

static void files_are_staged_beside_their_places(void **state)
{
    (void)state;
    umask(077); /* is not to count */
    assert_int_equal(render_stage(&facts, &dirs, &err), 0);
    umask(022);
    assert_string_equal(get(KEY_STAGED), "a key @NODE_NAME@"); /* as it is */
    assert_string_equal(get(HOSTNAME_STAGED), "worker-0 @\n");
    assert_int_equal(look(KEY_STAGED).st_mode, S_IFREG | 0600);
    assert_int_equal(look(HOSTNAME_STAGED).st_mode, S_IFREG | 0640);
    assert_int_equal(look(PRESET_STAGED).st_mode, S_IFREG | 0644);
    assert_int_equal(left_over(), 3);
    assert_string_equal(get(HOSTNAME_DEST), "localhost"); /* nothing is in place */
    assert_null(get(KEY_DEST));
    assert_null(get(PRESET_DEST));

    render_discard(&facts, &dirs);
    assert_int_equal(left_over(), 0);
    assert_string_equal(get(HOSTNAME_DEST), "localhost");
}

static void published_files_are_in_place(void **state)
{
    (void)state;
    assert_int_equal(render_stage(&facts, &dirs, &err), 0);
    assert_int_equal(render_publish(&facts, &dirs, &err), 0);
    assert_string_equal(get(KEY_DEST), "a key @NODE_NAME@");
    assert_string_equal(get(HOSTNAME_DEST), "worker-0 @\n");
    assert_string_equal(get(PRESET_DEST), "enable kubelet.service\n");
    assert_int_equal(look(KEY_DEST).st_mode, S_IFREG | 0600);
    assert_int_equal(look(HOSTNAME_DEST).st_mode, S_IFREG | 0640);
    assert_int_equal(left_over(), 0);
    for (unsigned i = 0; i < dirs.count; i++)
        assert_false(dirs.list[i].dirty);
}

static void the_owner_is_that_of_the_contract(void **state)
{
    (void)state;
    put("probe", "");
    if (fchownat(root, "probe", 7, 8, 0) < 0)
        skip(); /* a user namespace with one user */
    load(HEAD "template 4755 7 8 /etc/hostname\n", "worker-0");
    assert_int_equal(render_stage(&facts, &dirs, &err), 0);
    assert_int_equal(look(HOSTNAME_STAGED).st_uid, 7);
    assert_int_equal(look(HOSTNAME_STAGED).st_gid, 8);
    assert_int_equal(look(HOSTNAME_STAGED).st_mode, S_IFREG | 04755);
}

/* A user may have replaced its own directory; one of root's may be a link. */
static void a_users_link_is_not_followed(void **state)
{
    (void)state;
    put("probe", "");
    if (fchownat(root, "probe", 7, 8, 0) < 0)
        skip(); /* a user namespace with one user */
    put("usr/lib/nodebake/templates/home/ops/.ssh/more/keys", "@NODE_NAME@\n");
    assert_int_equal(mkdirat(root, "srv", 0755) | mkdirat(root, "srv/home", 0755), 0);
    assert_int_equal(mkdirat(root, "srv/home/ops", 0755) | symlinkat("srv/home", root, "home"), 0);
    assert_int_equal(symlinkat("/etc", root, "srv/home/ops/.ssh"), 0);
    load(HEAD "template 0600 7 8 /home/ops/.ssh/more/keys\n", "worker-0");
    assert_int_equal(render_stage(&facts, &dirs, &err), 0);
    assert_string_equal(get("etc/more/.keys.nodebake"), "worker-0\n");
    render_discard(&facts, &dirs);
    assert_int_equal(fchownat(root, "srv/home/ops/.ssh", 7, 8, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(render_stage(&facts, &dirs, &err), -1);
    assert_string_equal(err.text, "/home/ops/.ssh: a link of user 7; on the way to a file that is "
                                  "not root's there are only links of root");
    assert_null(get("etc/more/.keys.nodebake"));
    err.text[0] = '\0';
    load(HEAD "template 0600 0 0 /home/ops/.ssh/more/keys\n", "worker-0");
    assert_int_equal(render_stage(&facts, &dirs, &err), 0);
}

static void left_overs_are_replaced_not_followed(void **state)
{
    (void)state;
    put("victim", "precious");
    assert_int_equal(symlinkat("../victim", root, HOSTNAME_STAGED), 0);
    assert_int_equal(unlinkat(root, HOSTNAME_DEST, 0), 0);
    assert_int_equal(symlinkat("../victim", root, HOSTNAME_DEST), 0);
    assert_int_equal(render_stage(&facts, &dirs, &err), 0);
    assert_int_equal(render_publish(&facts, &dirs, &err), 0);
    assert_string_equal(get("victim"), "precious");
    assert_int_equal(look(HOSTNAME_DEST).st_mode, S_IFREG | 0640);
}

/* Whatever fails, no staged file is left and nothing is in place. */
static void check_refused(const char *expected)
{
    assert_int_equal(render_stage(&facts, &dirs, &err), -1);
    assert_string_equal(err.text, expected);
    assert_int_equal(left_over(), 0);
    assert_string_equal(get(HOSTNAME_DEST), "localhost");
    assert_null(get(KEY_DEST));
}

static void a_node_without_identity_is_refused(void **state)
{
    (void)state;
    load(HEAD HOSTNAME KEY PRESET, "worker-1");
    check_refused("file: NODE_NAME: this image has no identity for node worker-1 "
                  "(identity/worker-1-key.pem is missing)");
}

static void bad_templates_are_refused(void **state)
{
    (void)state;
    put(PRESET_FILE, "enable\n@POD_CIRD@\n");
    check_refused("/" PRESET_FILE ": line 2: nothing supplies @POD_CIRD@");
    assert_int_equal(unlinkat(root, PRESET_FILE, 0), 0);
    check_refused("/" PRESET_FILE " is missing");
    assert_int_equal(mkdirat(root, PRESET_FILE, 0700), 0);
    check_refused("/" PRESET_FILE ": not a regular file");
}

static void a_directory_that_cannot_be_made_is_refused(void **state)
{
    (void)state;
    put("etc/preset", "");
    check_refused("/etc/preset: Not a directory");
}

static void what_cannot_be_staged_is_refused(void **state)
{
    (void)state;
    put(PRESET_STAGED "/x", "");
    assert_int_equal(render_stage(&facts, &dirs, &err), -1);
    assert_string_equal(err.text,
                        "/etc/preset: create .00-nodebake.preset.nodebake: Is a directory");
    assert_int_equal(left_over(), 1); /* what was in the way */
}

static void files_are_bounded(void **state)
{
    (void)state;
    static char much[RENDER_BYTES_MAX + 2];
    memset(much, 'x', RENDER_BYTES_MAX);
    put(HOSTNAME_FILE, much);
    assert_int_equal(render_stage(&facts, &dirs, &err), 0);
    assert_int_equal(look(HOSTNAME_STAGED).st_size, RENDER_BYTES_MAX);
    render_discard(&facts, &dirs);
    much[RENDER_BYTES_MAX] = 'x';
    put(HOSTNAME_FILE, much);
    check_refused("/" HOSTNAME_FILE ": larger than the 262144 bytes allowed");

    memcpy(much, "@NODE_NAME@@NODE_NAME@", 22);
    much[RENDER_BYTES_MAX] = '\0';
    load(HEAD HOSTNAME, "a-name-that-is-longer-than-it-is-in-the-template");
    put(HOSTNAME_FILE, much);
    assert_int_equal(render_stage(&facts, &dirs, &err), -1);
    assert_memory_equal(err.text, "/" HOSTNAME_FILE ": ", sizeof HOSTNAME_FILE + 2);
}

static void names_that_turn_out_the_same_are_refused(void **state)
{
    (void)state;
    load(HEAD HOSTNAME KEY "template 0644 0 0 /var/lib/kubelet/worker-0-key.pem\n", "worker-0");
    check_refused("/" KEY_DEST ": lines 8 and 9 of the contract both install it");
}

static void a_name_that_turns_out_too_long_is_refused(void **state)
{
    (void)state;
    char text[1024], node[64], base[231];
    memset(base, 'x', sizeof base);
    base[sizeof base - 1] = '\0';
    memset(node, 'n', sizeof node);
    node[sizeof node - 1] = '\0';
    snprintf(text, sizeof text, HEAD HOSTNAME "identity 0600 0 0 key /etc/%s@NODE_NAME@\n", base);
    load(text, node);
    assert_int_equal(render_stage(&facts, &dirs, &err), -1);
    assert_non_null(strstr(err.text, "nnn: name too long"));
    assert_int_equal(left_over(), 0);
}

static void a_rename_that_fails_takes_the_rest_away(void **state)
{
    (void)state;
    assert_int_equal(unlinkat(root, HOSTNAME_DEST, 0), 0);
    put(HOSTNAME_DEST "/x", "");
    assert_int_equal(render_stage(&facts, &dirs, &err), 0);
    assert_int_equal(render_publish(&facts, &dirs, &err), -1);
    assert_string_equal(err.text, "put /etc/hostname in place: Is a directory");
    assert_int_equal(left_over(), 0);
    assert_null(get(PRESET_DEST));
}

/* A descriptor of O_PATH can be renamed in, but not fsynced. */
static void the_last_waits_for_the_disk(void **state)
{
    (void)state;
    assert_int_equal(render_stage(&facts, &dirs, &err), 0);
    struct dir *dir = dirs_find(&dirs, "/var/lib/kubelet");
    assert_non_null(dir);
    int path = openat(root, "var/lib/kubelet", O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(path >= 0);
    close(dir->fd);
    dir->fd = path;
    assert_int_equal(render_publish(&facts, &dirs, &err), -1);
    assert_string_equal(err.text, "sync directory /var/lib/kubelet: Bad file descriptor");
    assert_non_null(get(KEY_DEST));
    assert_null(get(PRESET_DEST));
    assert_int_equal(left_over(), 0);
}

static unsigned shown;

static void show(const struct contract_file *file, const char *dest, size_t bytes)
{
    static const struct {
        const char *dest;
        size_t bytes;
    } wanted[] = {{"/" KEY_DEST, 17}, {"/" HOSTNAME_DEST, 11}, {"/" PRESET_DEST, 23}};
    assert_true(shown < ARRAY_LEN(wanted));
    assert_string_equal(dest, wanted[shown].dest);
    assert_int_equal(bytes, wanted[shown].bytes);
    assert_ptr_equal(file, &contract.files[shown]);
    shown++;
}

static void a_preview_writes_nothing(void **state)
{
    (void)state;
    shown = 0;
    assert_int_equal(render_preview(&facts, root, show, &err), 0);
    assert_int_equal(shown, 3);
    assert_int_equal(look("var").st_mode, 0);
    assert_int_equal(left_over(), 0);
    assert_string_equal(get(HOSTNAME_DEST), "localhost");
    put(PRESET_FILE, "@POD_CIRD@");
    shown = 0;
    assert_int_equal(render_preview(&facts, root, show, &err), -1);
    assert_int_equal(shown, 2);
}

extern const char __bss_start[], _end[]; /* from the linker: all that is static and zero */

/* Is the text in static memory? Looks at redzones too, which no sanitizer should hear of. */
__attribute__((no_sanitize("address"))) static bool in_memory(const char *text)
{
    const volatile char *bytes = __bss_start;
    size_t size = (uintptr_t)_end - (uintptr_t)__bss_start;
    for (size_t at = 0; at < size; at++) {
        size_t n = 0;
        while (text[n] && at + n < size && bytes[at + n] == text[n])
            n++;
        if (!text[n])
            return true;
    }
    return false;
}

char left_behind[32];

static void no_secret_stays_in_memory(void **state)
{
    (void)state;
    char key[32], password[32], text[128]; /* made here, so that only the stack has them */
    snprintf(key, sizeof key, "-----key %d-----", 4711);
    snprintf(password, sizeof password, "password=%d\n", 1147);
    snprintf(text, sizeof text, "%064d%s", 0, key); /* what follows is shorter */
    put(KEY_FILE, text);
    snprintf(text, sizeof text, "%064d%s", 0, password);
    put(HOSTNAME_FILE, text);
    assert_int_equal(render_stage(&facts, &dirs, &err), 0);
    assert_false(in_memory(key));
    assert_false(in_memory(password));

    snprintf(text, sizeof text, "%064d%s@POD_CIRD@", 0, password);
    put(HOSTNAME_FILE, text); /* it fails behind the password */
    assert_int_equal(render_stage(&facts, &dirs, &err), -1);
    assert_false(in_memory(password));
    strcpy(left_behind, key); /* it would be found */
    assert_true(in_memory(key));
    explicit_bzero(left_behind, sizeof left_behind);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_are_staged_beside_their_places),
        TEST(published_files_are_in_place),
        TEST(the_owner_is_that_of_the_contract),
        TEST(a_users_link_is_not_followed),
        TEST(left_overs_are_replaced_not_followed),
        TEST(a_node_without_identity_is_refused),
        TEST(bad_templates_are_refused),
        TEST(a_directory_that_cannot_be_made_is_refused),
        TEST(what_cannot_be_staged_is_refused),
        TEST(files_are_bounded),
        TEST(names_that_turn_out_the_same_are_refused),
        TEST(a_name_that_turns_out_too_long_is_refused),
        TEST(a_rename_that_fails_takes_the_rest_away),
        TEST(the_last_waits_for_the_disk),
        TEST(a_preview_writes_nothing),
        TEST(no_secret_stays_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
