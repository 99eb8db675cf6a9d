/* What the kernel's command line becomes in a plan. */
#include "builder/image/base.h"
#include "builder/plan/part.h"
#include "builder/plan/plan-fixture.h"

#define CFG      "/boot/grub/grub.cfg"
#define DEFAULTS "/etc/default/grub.d/90-nodebake.cfg"
#define SERIAL   "linux /vmlinuz root=a ro console=tty0 console=ttyS0,115200\n"
#define SCREEN   "linux /vmlinuz root=a ro quiet\n"

/* A base with one file, and systemd of that version. */
struct system {
    struct base base;
    struct base_file file;
    char *status;
};

static void system_make(struct system *s, const char *path, const char *text, const char *version)
{
    *s = (struct system){.file = {.path = (char *)path,
                                  .text = (char *)text,
                                  .len = text ? strlen(text) : 0,
                                  .mode = 0444,
                                  .uid = 3,
                                  .gid = 4}};
    s->status = heap_printf("Package: systemd-sysv\nStatus: install ok installed\nVersion: 999\n\n"
                            "Package: systemd\nStatus: install ok installed\nVersion: %s\n",
                            version);
    s->base = (struct base){.files = &s->file,
                            .file_count = text != NULL,
                            .dpkg_status = s->status,
                            .dpkg_len = strlen(s->status)};
}

static void system_free(struct system *s)
{
    free(s->status);
}
#define AUTO_SYSTEM __attribute__((cleanup(system_free)))

static void add(struct fixture *f, const struct base *base)
{
    struct error err = ERROR_INIT;
    f->plan.in.base = base;
    if (part_kernel(&f->plan, &err) < 0)
        fail_msg("%s", err.text);
}

static void refused(struct fixture *f, const struct base *base, const char *text)
{
    struct error err = ERROR_INIT;
    size_t count = f->plan.tree->count;
    f->plan.in.base = base;
    assert_int_equal(part_kernel(&f->plan, &err), -1);
    if (!strstr(err.text, text))
        fail_msg("'%s' lacks '%s'", err.text, text);
    assert_int_equal(f->plan.tree->count, count);
}

static void ask(struct fixture *f, const char *word)
{
    texts_add(&f->cluster.settings.kernel_args, word);
}

static void done(struct fixture *f)
{
    texts_free(&f->cluster.settings.kernel_args);
    texts_free(&f->plan.remarks);
}

static void nothing_is_done_to_a_base_that_has_it_all(void **state)
{
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    struct system s AUTO_SYSTEM;
    system_make(&s, CFG, SERIAL SERIAL, "252.39-1~deb12u2");
    size_t count = f->plan.tree->count;
    add(f, &s.base);
    ask(f, "quiet");
    add(f, NULL); /* a draft */
    assert_int_equal(f->plan.tree->count, count);
    assert_int_equal(f->plan.remarks.count, 0);
    done(f);
}

static void the_serial_console_is_ensured(void **state)
{
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    struct system s AUTO_SYSTEM;
    system_make(&s, CFG, SERIAL SCREEN, "252");
    add(f, &s.base);
    const struct entry *cfg = tree_find(f->plan.tree, CFG);
    const struct entry *defaults = tree_find(f->plan.tree, DEFAULTS);
    assert_non_null(cfg);
    assert_string_equal(cfg->text, SERIAL
                        "linux /vmlinuz root=a ro console=tty0 console=ttyS0,115200 quiet\n");
    assert_int_equal(cfg->mode, 0444);
    assert_int_equal(cfg->uid, 3);
    assert_int_equal(cfg->gid, 4);
    assert_non_null(defaults);
    assert_int_equal(defaults->mode, 0644);
}

static void expect_cgroups(enum cgroups cgroups, const char *version, const char *words)
{
    struct fixture *f AUTO_FIXTURE = fixture_create();
    struct system s AUTO_SYSTEM;
    system_make(&s, CFG, SERIAL, version);
    f->cluster.settings.cgroups = cgroups;
    ask(f, "panic=10");
    add(f, &s.base);
    char *wanted AUTO_FREE = heap_printf(
        "linux /vmlinuz root=a ro console=tty0 console=ttyS0,115200 panic=10%s\n", words);
    assert_string_equal(tree_find(f->plan.tree, CFG)->text, wanted);
    assert_non_null(strstr(tree_find(f->plan.tree, DEFAULTS)->text, words));
    done(f);
}

#define V1 " systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=1"

static void cgroups_are_words(void **state)
{
    (void)state;
    expect_cgroups(CGROUPS_DEFAULT, "252", "");
    expect_cgroups(CGROUPS_V2, "259", " systemd.unified_cgroup_hierarchy=1");
    expect_cgroups(CGROUPS_V1, "252.39-1~deb12u2", V1);
    expect_cgroups(CGROUPS_V1, "1:255", V1);
    expect_cgroups(CGROUPS_V1, "257.13-1~deb13u1", V1 " SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1");
}

static void a_systemd_without_v1_is_refused(void **state)
{
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    struct system s AUTO_SYSTEM;
    system_make(&s, CFG, SERIAL, "258~rc1-1");
    f->cluster.settings.cgroups = CGROUPS_V1;
    refused(f, &s.base, "cluster.yaml: cgroups: v1: systemd 258 of the base knows v2 only");
}

static void a_kernel_without_v1_is_refused(void **state)
{
    (void)state;
    static const char *const configs[] = {"CONFIG_A=y\n# CONFIG_MEMCG_V1 is not set\n",
                                          "# CONFIG_CPUSETS_V1 is not set\n"};
    struct base_initrd initrds[] = {{.kernel = (char *)"6.1"}, {.kernel = (char *)"6.12"}};
    for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
        struct fixture *f AUTO_FIXTURE = fixture_create();
        struct system s AUTO_SYSTEM;
        system_make(&s, "/boot/config-6.12", configs[i], "257");
        s.base.initrds = initrds;
        s.base.initrd_count = 2;
        f->cluster.settings.cgroups = CGROUPS_V1;
        refused(f, &s.base, "cgroups: v1: the base's kernel 6.12 was made without it (CONFIG_");
    }
}

static void a_kernel_with_v1_is_taken(void **state)
{
    (void)state;
    struct base_initrd initrd = {.kernel = (char *)"6.12"};
    struct fixture *f AUTO_FIXTURE = fixture_create();
    struct base_file files[] = {
        {.path = (char *)CFG, .text = (char *)SERIAL, .len = strlen(SERIAL), .mode = 0644},
        {.path = (char *)"/boot/config-6.12", .text = (char *)"CONFIG_MEMCG_V1=y\n"}};
    const struct base base = {
        .files = files, .file_count = 2, .initrds = &initrd, .initrd_count = 1};
    f->cluster.settings.cgroups = CGROUPS_V1;
    add(f, &base);
    assert_non_null(tree_find(f->plan.tree, CFG));
}

static void defaults_keep_what_is_there_already(void **state)
{
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    struct system s AUTO_SYSTEM;
    system_make(&s, CFG, "linux /vmlinuz root=a ro console=ttyS0 quiet\n", "252");
    ask(f, "quiet");
    add(f, &s.base);
    assert_null(tree_find(f->plan.tree, CFG));
    assert_non_null(tree_find(f->plan.tree, DEFAULTS));
    done(f);
}

static void without_grub_nothing_can_be_asked(void **state)
{
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    struct system none AUTO_SYSTEM, memtest AUTO_SYSTEM, bare AUTO_SYSTEM, serial AUTO_SYSTEM;
    system_make(&none, CFG, NULL, "252");
    system_make(&memtest, CFG, "linux /memtest\n", "252");
    system_make(&bare, "/etc/kernel/cmdline", "root=a quiet\nconsole=ttyS0\n", "252");
    system_make(&serial, "/etc/kernel/cmdline", "root=a console=ttyS0\n", "252");
    add(f, &serial.base);
    assert_int_equal(f->plan.remarks.count, 0);
    add(f, &none.base);
    assert_int_equal(f->plan.remarks.count, 1);
    assert_non_null(strstr(f->plan.remarks.items[0], "console=ttyS0"));
    add(f, &memtest.base);
    assert_int_equal(f->plan.remarks.count, 2);
    refused(f, &bare.base, "/etc/kernel/cmdline lacks console=ttyS0");
    f->cluster.settings.cgroups = CGROUPS_V2;
    refused(f, &none.base, "started by GRUB");
    refused(f, &serial.base, "started by GRUB");
    f->cluster.settings.cgroups = CGROUPS_DEFAULT;
    ask(f, "console=tty1");
    refused(f, &none.base, "started by GRUB");
    done(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_done_to_a_base_that_has_it_all),
        cmocka_unit_test(the_serial_console_is_ensured),
        cmocka_unit_test(cgroups_are_words),
        cmocka_unit_test(a_systemd_without_v1_is_refused),
        cmocka_unit_test(a_kernel_without_v1_is_refused),
        cmocka_unit_test(a_kernel_with_v1_is_taken),
        cmocka_unit_test(defaults_keep_what_is_there_already),
        cmocka_unit_test(without_grub_nothing_can_be_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
