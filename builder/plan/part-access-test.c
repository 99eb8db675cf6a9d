/* Access of a plan made by hand, on a base made by hand. */
#include "builder/plan/part.h"
#include "builder/plan/plan-fixture.h"

#include "builder/image/base.h"

#define INCLUDE "Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n"
#define KEY_1   "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKtHtb3j ann@HOST@example"
#define KEY_2   "ssh-rsa AAAAB3NzaC1yc2E= bob"

static char *const keys[] = {(char *)KEY_1, (char *)KEY_2};

static struct base_file file(const char *path, mode_t mode, gid_t gid, const char *text)
{
    return (struct base_file){
        .path = (char *)path, .text = (char *)text, .len = strlen(text), .mode = mode, .gid = gid};
}

/* A plan and a base like Debian's. */
struct scene {
    struct fixture *f;
    struct release release;
    bool used[4]; /* of the fixture's facts and SSH_KEYS */
    struct base base;
    struct base_file files[8];
    char *paths[3];
};

static void set_scene(struct scene *s)
{
    s->f = fixture_create();
    const struct base_file files[] = {
        file("/etc/group", 0644, 0, "adm:x:4:\nsudo:x:27:\n"),
        file("/etc/gshadow", 0640, 42, "adm:*::\nsudo:*::\n"),
        file("/etc/passwd", 0644, 0, "root:x:0:0::/root:/bin/bash\n"),
        file("/etc/shadow", 0640, 42, "root:*:19500:0:99999:7:::\n"),
        file("/etc/ssh/sshd_config", 0644, 0, INCLUDE),
        file("/etc/skel/.bashrc", 0644, 0, "# rc\n"),
    };
    memcpy(s->files, files, sizeof files);
    s->paths[0] = (char *)"/bin/bash";
    s->paths[1] = (char *)"/usr/bin/sudo";
    s->paths[2] = (char *)"/usr/sbin/sshd";
    s->base =
        (struct base){.files = s->files, .file_count = ARRAY_LEN(files), .paths = {s->paths, 3, 0}};
    s->release = (struct release){.sandbox_image = (char *)"pause"};
    memset(s->used, 0, sizeof s->used);
    static char any[] = "any";
    struct cluster *cluster = &s->f->cluster;
    cluster->public_address = cluster->nodes_cidr = cluster->pods_cidr = cluster->services_cidr =
        any;
    cluster->dns_address = cluster->domain = any;
    s->f->plan.in.base = &s->base;
    s->f->plan.in.release = &s->release;
    s->f->plan.facts_used = s->used;
    s->f->cluster.settings.access =
        (struct access){.user = (char *)"ops", .keys = {(char **)keys, 2, 0}, .sudo = true};
}

static void free_scene(struct scene *s)
{
    for (size_t i = 0; i < s->f->plan.template_count; i++)
        free(s->f->plan.templates[i].path);
    free(s->f->plan.templates);
    fixture_free_at(&s->f);
}
#define AUTO_SCENE __attribute__((cleanup(free_scene)))

static void add(struct scene *s)
{
    struct error err = ERROR_INIT;
    if (part_access(&s->f->plan, &err) < 0)
        fail_msg("%s", err.text);
}

static void refuse(struct scene *s, const char *message)
{
    struct error err = ERROR_INIT;
    assert_int_equal(part_access(&s->f->plan, &err), -1);
    assert_string_equal(err.text, message);
}

static const struct entry *at(const struct scene *s, const char *path)
{
    const struct entry *e = tree_find(s->f->plan.tree, path);
    if (!e)
        fail_msg("the plan has no %s", path);
    return e;
}

static void check(const struct scene *s, const char *path, mode_t mode, uid_t owner,
                  const char *text)
{
    const struct entry *e = at(s, path);
    assert_int_equal(e->mode, mode);
    assert_int_equal(e->uid, owner);
    assert_int_equal(e->type, text ? ENTRY_FILE : ENTRY_DIR);
    if (text) {
        assert_string_equal(e->text, text);
        assert_int_equal(e->len, strlen(text));
    }
}

static bool has(const struct scene *s, const char *path)
{
    return tree_find(s->f->plan.tree, path) != NULL;
}

static void a_user_logs_in_by_key(void **state)
{
    (void)state;
    struct scene s AUTO_SCENE;
    set_scene(&s);
    add(&s);
    check(&s, "/home/ops", 0700, 1000, NULL);
    check(&s, "/home/ops/.ssh", 0700, 1000, NULL);
    check(&s, "/home/ops/.ssh/authorized_keys", 0600, 1000, KEY_1 "\n" KEY_2 "\n");
    check(&s, "/home/ops/.bashrc", 0644, 1000, "# rc\n");
    assert_false(has(&s, "/home/ops/.profile")); /* nor has the base */
    assert_int_equal(at(&s, "/home/ops/.ssh/authorized_keys")->gid, 1000);
    check(&s, "/etc/passwd", 0644, 0,
          "root:x:0:0::/root:/bin/bash\nops:x:1000:1000::/home/ops:/bin/bash\n");
    check(&s, "/etc/group", 0644, 0, "adm:x:4:ops\nsudo:x:27:ops\nops:x:1000:\n");
    check(&s, "/etc/sudoers.d/90-nodebake", 0440, 0,
          "# From nodebake.\nops ALL=(ALL:ALL) NOPASSWD: ALL\n");
    assert_non_null(
        strstr(at(&s, "/etc/ssh/sshd_config.d/00-nodebake.conf")->text, "\nPermitRootLogin no\n"));
    assert_false(has(&s, "/etc/ssh/sshd_config"));
    assert_false(has(&s, "/etc/systemd/system/rescue.service.d/50-nodebake-rescue.conf"));
}

/* 2020-01-01, the time of the tree; and its owner stays. */
static void passwords_stay_secret(void **state)
{
    (void)state;
    struct scene s AUTO_SCENE;
    set_scene(&s);
    add(&s);
    check(&s, "/etc/shadow", 0640, 0, "root:*:19500:0:99999:7:::\nops:*:18262:0:99999:7:::\n");
    assert_int_equal(at(&s, "/etc/shadow")->gid, 42);
    assert_true(at(&s, "/etc/shadow")->secret);
    assert_true(at(&s, "/etc/gshadow")->secret);
    assert_false(at(&s, "/etc/passwd")->secret);
}

static void sudo_is_asked_for(void **state)
{
    (void)state;
    struct scene s AUTO_SCENE;
    set_scene(&s);
    s.f->cluster.settings.access.sudo = false;
    s.paths[0] = (char *)"/usr/sbin/sshd"; /* neither bash nor sudo */
    s.base.paths.count = 1;
    add(&s);
    assert_false(has(&s, "/etc/sudoers.d/90-nodebake"));
    check(&s, "/etc/group", 0644, 0, "adm:x:4:\nsudo:x:27:\nops:x:1000:\n");
    assert_non_null(strstr(at(&s, "/etc/passwd")->text, ":/home/ops:/bin/sh\n"));
}

static void a_user_of_the_base_keeps_its_home(void **state)
{
    (void)state;
    struct scene s AUTO_SCENE;
    set_scene(&s);
    s.files[2].text = (char *)"ops:x:1005:100::/srv/ops:/bin/sh\n";
    s.files[2].len = strlen(s.files[2].text);
    s.files[3].text = (char *)"ops:*:19500:0:99999:7:::\n";
    s.files[3].len = strlen(s.files[3].text);
    add(&s);
    check(&s, "/srv/ops/.ssh/authorized_keys", 0600, 1005, KEY_1 "\n" KEY_2 "\n");
    assert_int_equal(at(&s, "/srv/ops/.ssh")->gid, 100);
    assert_false(has(&s, "/etc/passwd"));
    assert_false(has(&s, "/etc/shadow"));
    assert_false(has(&s, "/srv/ops/.bashrc"));
}

static void homes_are_paths(void **state)
{
    static const char *const bad[] = {"/", "", "home", "/srv/my home", "/srv/../root"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct scene s AUTO_SCENE;
        set_scene(&s);
        char *passwd AUTO_FREE = heap_printf("ops:x:1005:100::%s:/bin/sh\n", bad[i]);
        char *message AUTO_FREE =
            heap_printf("cluster.yaml: access: user: the home directory of 'ops' is '%s' in the "
                        "base; right is a path such as /home/ops",
                        bad[i]);
        s.files[2].text = passwd;
        s.files[2].len = strlen(passwd);
        s.files[3].text = (char *)"ops:*:19500:0:99999:7:::\n";
        s.files[3].len = strlen(s.files[3].text);
        refuse(&s, message);
    }
}

static void an_older_sshd_is_told_in_its_own_file(void **state)
{
    (void)state;
    struct scene s AUTO_SCENE;
    set_scene(&s);
    s.files[4].text = (char *)"PasswordAuthentication yes\n";
    s.files[4].len = strlen(s.files[4].text);
    add(&s);
    const char *text = at(&s, "/etc/ssh/sshd_config")->text;
    const char *ours = strstr(text, "PasswordAuthentication no\n");
    assert_non_null(ours);
    assert_true(strstr(text, "# The base's:\nPasswordAuthentication yes\n") > ours);
    assert_false(has(&s, "/etc/ssh/sshd_config.d/00-nodebake.conf"));
}

/* Passwords do not fit then either; but a base may have keys of its own, also root's. */
static void without_a_user_only_passwords_go(void **state)
{
    (void)state;
    struct scene s AUTO_SCENE;
    set_scene(&s);
    s.f->cluster.settings.access = (struct access){0};
    size_t count = s.f->plan.tree->count;
    add(&s);
    const char *text = at(&s, "/etc/ssh/sshd_config.d/00-nodebake.conf")->text;
    assert_non_null(strstr(text, "\nPasswordAuthentication no\n"));
    assert_non_null(strstr(text, "\nPermitRootLogin prohibit-password\n"));
    assert_int_equal(s.f->plan.tree->count, count + 1);
    struct scene other AUTO_SCENE;
    set_scene(&other);
    other.f->cluster.settings.access = (struct access){0};
    other.base.file_count = 4; /* no sshd at all */
    add(&other);
    assert_int_equal(other.f->plan.tree->count, count);
}

static void what_the_base_lacks_is_said(void **state)
{
    (void)state;
    struct scene s AUTO_SCENE;
    set_scene(&s);
    s.base.paths.count = 2;
    refuse(&s, "cluster.yaml: access: the base has no SSH server; right is 'packages: "
               "[openssh-server]'");
    struct scene sudo AUTO_SCENE;
    set_scene(&sudo);
    sudo.paths[1] = (char *)"/usr/bin/su";
    refuse(&sudo, "cluster.yaml: access: the base has no sudo; right is 'packages: [sudo]', or "
                  "'sudo: false'");
    struct scene config AUTO_SCENE;
    set_scene(&config);
    config.base.file_count = 4;
    refuse(&config, "cluster.yaml: access: the base has no /etc/ssh/sshd_config; right is that of "
                    "its package openssh-server");
    struct scene group AUTO_SCENE;
    set_scene(&group);
    group.f->cluster.settings.access.user = (char *)"adm";
    refuse(&group, "cluster.yaml: access: user: /etc/group has 'adm', which is no user; choose "
                   "another name");
}

/* The file with the fixed keys is there all the same: firstboot may fail. */
static void keys_of_metadata_come_at_first_boot(void **state)
{
    (void)state;
    struct scene s AUTO_SCENE;
    set_scene(&s);
    s.f->cluster.settings.access.metadata = true;
    add(&s);
    check(&s, "/home/ops/.ssh/authorized_keys", 0600, 1000, KEY_1 "\n" KEY_2 "\n");
    check(&s, PATH_TEMPLATES "/home/ops/.ssh/authorized_keys", 0644, 0,
          "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKtHtb3j ann@@HOST@@example\n" KEY_2 "\n@SSH_KEYS@");
    assert_int_equal(s.f->plan.template_count, 1);
    assert_string_equal(s.f->plan.templates[0].path, "/home/ops/.ssh/authorized_keys");
    assert_int_equal(s.f->plan.templates[0].mode, 0600);
    assert_int_equal(s.f->plan.templates[0].uid, 1000);
    assert_int_equal(s.f->plan.templates[0].gid, 1000);
    assert_true(s.used[3]);
    struct scene none AUTO_SCENE;
    set_scene(&none);
    none.f->cluster.settings.access.metadata = true;
    none.f->cluster.settings.access.keys.count = 0;
    add(&none);
    assert_false(has(&none, "/home/ops/.ssh/authorized_keys"));
    check(&none, PATH_TEMPLATES "/home/ops/.ssh/authorized_keys", 0644, 0, "@SSH_KEYS@");
}

static void a_template_is_for_firstboot(void **state)
{
    static const struct plan_template file = {(char *)"/etc/x", 0600, 7, 8};
    (void)state;
    struct error err = ERROR_INIT;
    struct scene s AUTO_SCENE;
    set_scene(&s);
    struct buffer text AUTO_BUFFER = buffer_heap();
    buffer_puts(&text, "@CLUSTER_NAME@\n");
    assert_int_equal(part_template(&s.f->plan, &file, &text, "test", &err), -1);
    assert_string_equal(err.text, "/etc/x: nothing in it is for firstboot");
    assert_null(text.data);
    text = buffer_heap();
    buffer_puts(&text, "@SSH_KEYS@\n"); /* nobody wants them here */
    assert_int_equal(part_template(&s.f->plan, &file, &text, "test", &err), -1);
    assert_string_equal(err.text, "/etc/x: line 1: nothing supplies @SSH_KEYS@");
    text = buffer_heap();
    buffer_puts(&text, "@CLUSTER_NAME@ @NODE_IP@\n");
    assert_int_equal(part_template(&s.f->plan, &file, &text, "test", &err), 0);
    check(&s, PATH_TEMPLATES "/etc/x", 0644, 0, "small @NODE_IP@\n");
    assert_true(s.used[1] && !s.used[0]);
}

/* `nodebake plan` sees a base to which no package has come yet. */
static void packages_may_bring_the_programs(void **state)
{
    static char *const packages[] = {(char *)"sudo", (char *)"openssh-server"};
    (void)state;
    struct scene s AUTO_SCENE;
    set_scene(&s);
    s.base.file_count = 4;
    s.base.paths.count = 1;
    s.f->cluster.settings.packages = (struct texts){(char **)packages, 2, 0};
    add(&s);
    assert_true(has(&s, "/etc/sudoers.d/90-nodebake"));
    assert_true(has(&s, "/etc/ssh/sshd_config.d/00-nodebake.conf"));
    assert_true(has(&s, "/etc/passwd"));
}

/* A change of a key has to change the draft, by which a build finds out that an image is old. */
static void a_draft_shows_the_user(void **state)
{
    (void)state;
    struct scene s AUTO_SCENE;
    set_scene(&s);
    s.f->plan.in.base = NULL;
    add(&s);
    check(&s, "/home/ops/.ssh/authorized_keys", 0600, 1000, KEY_1 "\n" KEY_2 "\n");
    assert_true(has(&s, "/etc/sudoers.d/90-nodebake"));
    assert_true(has(&s, "/etc/ssh/sshd_config.d/00-nodebake.conf"));
    assert_false(has(&s, "/etc/passwd"));
    struct scene none AUTO_SCENE;
    set_scene(&none);
    none.f->plan.in.base = NULL;
    none.f->cluster.settings.access = (struct access){0};
    size_t count = none.f->plan.tree->count;
    add(&none);
    assert_int_equal(none.f->plan.tree->count, count);
}

static void a_shell_of_last_resort(void **state)
{
    (void)state;
    struct scene s AUTO_SCENE;
    set_scene(&s);
    s.f->cluster.settings.access = (struct access){.rescue = true};
    add(&s);
    check(&s, "/etc/systemd/system/serial-getty@ttyS0.service.d/50-nodebake-rescue.conf", 0644, 0,
          "# From nodebake, access.rescue: root without a password.\n[Service]\nExecStart=\n"
          "ExecStart=-/sbin/agetty --autologin root --keep-baud 115200,57600,38400,9600 %I "
          "$TERM\n");
    check(&s, "/etc/systemd/system/emergency.service.d/50-nodebake-rescue.conf", 0644, 0,
          "# From nodebake, access.rescue: root without a password.\n[Service]\n"
          "Environment=SYSTEMD_SULOGIN_FORCE=1\n");
    assert_true(has(&s, "/etc/systemd/system/rescue.service.d/50-nodebake-rescue.conf"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_logs_in_by_key),
        cmocka_unit_test(passwords_stay_secret),
        cmocka_unit_test(sudo_is_asked_for),
        cmocka_unit_test(a_user_of_the_base_keeps_its_home),
        cmocka_unit_test(homes_are_paths),
        cmocka_unit_test(an_older_sshd_is_told_in_its_own_file),
        cmocka_unit_test(without_a_user_only_passwords_go),
        cmocka_unit_test(what_the_base_lacks_is_said),
        cmocka_unit_test(keys_of_metadata_come_at_first_boot),
        cmocka_unit_test(a_template_is_for_firstboot),
        cmocka_unit_test(packages_may_bring_the_programs),
        cmocka_unit_test(a_draft_shows_the_user),
        cmocka_unit_test(a_shell_of_last_resort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
