/* Which runtime containerd has, and where it cannot be had. */
#include "builder/plan/choices.h"
#include "builder/plan/part.h"
#include "builder/plan/plan-fixture.h"
#include "builder/plan/runtime.h"

static struct member members[] = {{.name = (char *)"containerd"},
                                  {.name = (char *)"containerd-shim"}};
static struct artifact artifact = {
    .component = (char *)"containerd", .members = members, .member_count = ARRAY_LEN(members)};
static struct release release = {
    .file = (char *)"release.yaml", .artifacts = &artifact, .artifact_count = 1};
static struct binary both[] = {{.name = (char *)"containerd"}, {.name = (char *)"containerd-shim"}};

/* A role with that many of the binaries, the settings, and containerd of that version. */
static struct fixture *make(size_t binaries, const char *runtime, enum cgroups cgroups,
                            const char *version)
{
    struct fixture *f = fixture_create();
    artifact.version = (char *)version;
    f->plan.in.release = &release;
    f->role.binaries = both;
    f->role.binary_count = binaries;
    f->cluster.settings.containerd_runtime = (char *)runtime;
    f->cluster.settings.cgroups = cgroups;
    return f;
}

static void is_fine(size_t binaries, const char *runtime, enum cgroups cgroups, const char *version)
{
    struct fixture *f AUTO_FIXTURE = make(binaries, runtime, cgroups, version);
    struct error err = ERROR_INIT;
    if (part_runtime(&f->plan, &err) < 0)
        fail_msg("%s", err.text);
}

static void is_refused(size_t binaries, enum cgroups cgroups, const char *version, const char *text)
{
    struct fixture *f AUTO_FIXTURE = make(binaries, RUNTIME_V1, cgroups, version);
    struct error err = ERROR_INIT;
    assert_int_equal(part_runtime(&f->plan, &err), -1);
    if (!strstr(err.text, text))
        fail_msg("'%s' lacks '%s'", err.text, text);
}

static void the_first_runtime_has_its_time(void **state)
{
    (void)state;
    is_fine(2, "io.containerd.runc.v2", CGROUPS_DEFAULT, "2.0.0");
    is_fine(2, RUNTIME_V1, CGROUPS_V1, "1.4.4");
    is_fine(2, RUNTIME_V1, CGROUPS_V1, "1.7.27");
    is_fine(0, RUNTIME_V1, CGROUPS_DEFAULT, "2.0.0"); /* a role without containers */
    is_refused(2, CGROUPS_V1, "2.0.0",
               "cluster.yaml: containerdRuntime: containerd 2.0.0 of release.yaml has no "
               "io.containerd.runtime.v1.linux");
    is_refused(2, CGROUPS_V1, "10.1", "10.1");
    is_refused(2, CGROUPS_V2, "1.4.4", "needs cgroups: v1");
    is_refused(2, CGROUPS_DEFAULT, "1.4.4", "needs cgroups: v1");
    is_refused(1, CGROUPS_V1, "1.4.4", "profile small lays out on no worker");
    artifact.member_count = 1;
    is_refused(2, CGROUPS_V1, "1.4.4", "needs containerd-shim, which release.yaml lacks");
    artifact.member_count = ARRAY_LEN(members);
}

static const struct overlay_file *config_of(const char *overlay, const char *runtime,
                                            struct overlay_list *list)
{
    struct fixture *f AUTO_FIXTURE = make(2, runtime, CGROUPS_V1, "1.4.4");
    struct error err = ERROR_INIT;
    char *name[] = {(char *)overlay};
    f->role.overlays = (struct texts){name, 1, 0};
    f->plan.in.data = ".";
    if (choices_add(&f->plan.in, list, &err) < 0)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->files[i].path, "/etc/containerd/config.toml") == 0)
            return &list->files[i];
    return NULL;
}

static void it_has_a_configuration_of_its_own(void **state)
{
    (void)state;
    struct overlay_list first AUTO_OVERLAYS = {0}, second AUTO_OVERLAYS = {0},
                              other AUTO_OVERLAYS = {0};
    assert_string_equal(config_of("containerd", RUNTIME_V1, &first)->name,
                        "containerd-v1-runtime/etc/containerd/config.toml");
    assert_string_equal(config_of("containerd", "io.containerd.runc.v2", &second)->name,
                        "containerd/etc/containerd/config.toml");
    assert_null(config_of("common", RUNTIME_V1, &other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_runtime_has_its_time),
        cmocka_unit_test(it_has_a_configuration_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
