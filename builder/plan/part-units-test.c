/* Units of cluster.yaml, in whole plans. */
#include "builder/plan/golden-fixture.h"

#define WANTS "/etc/systemd/system/multi-user.target.wants/"

/* A base with three units: ssh is on, with a second name; off is masked. */
static char *unit_paths[] = {
    (char *)"/usr/lib/systemd/system/ssh.service", (char *)"/usr/lib/systemd/system/off.service",
    (char *)"/usr/lib/systemd/system/backup@.timer", (char *)"/etc/systemd/system/local.service"};
static struct base_link links[] = {
    {(char *)WANTS "ssh.service", (char *)"/usr/lib/systemd/system/ssh.service"},
    {(char *)"/etc/systemd/system/sshd.service", (char *)"/usr/lib/systemd/system/ssh.service"},
    {(char *)"/etc/systemd/system/off.service", (char *)"/dev/null"},
    {(char *)"/etc/systemd/system/a.target.requires/ssh.service", (char *)"../ssh.service"},
    {(char *)"/etc/resolv.conf", (char *)"ssh.service"},
};
static const struct base BASE = {
    .resolved = true, .units = {unit_paths, 4, 0}, .links = links, .link_count = 5};

static void want(const char *name, enum own_unit_state state, const char *wanted_by)
{
    struct settings *s = golden_settings();
    *APPEND(s->units, s->unit_count, s->unit_cap) =
        (struct own_unit){heap_copy(name), state, heap_copy(wanted_by), 50};
}

static void add_file(const char *path, const char *content)
{
    struct settings *s = golden_settings();
    *APPEND(s->files, s->file_count, s->file_cap) = (struct own_file){
        .path = heap_copy(path), .content = heap_copy(content), .mode = 0644, .line = 40};
}

static void has(const struct plan *plan, const char *path, const char *line)
{
    if (!strstr(golden_text(plan, path), line))
        fail_msg("%s lacks '%s'", path, line);
}

static void enabled_ones_go_through_the_contract(void **state)
{
    (void)state;
    want("local.service", OWN_UNIT_ENABLED, "multi-user.target");
    want("backup@home.timer", OWN_UNIT_ENABLED, "timers.target");
    want("mine.service", OWN_UNIT_ENABLED, "multi-user.target");
    want("late.service", OWN_UNIT_ENABLED, "multi-user.target");
    want("kubelet.service", OWN_UNIT_ENABLED, "multi-user.target");
    add_file("/usr/lib/systemd/system/mine.service", "[Unit]\n");
    add_file("/etc/systemd/system/late.service", "# @NODE_NAME@\n[Unit]\n");
    struct plan *plan AUTO_PLAN = golden_plan(&BASE);
    has(plan, PATH_CONTRACT,
        "\nunit local.service multi-user.target /etc/systemd/system/local.service\n"
        "unit backup@home.timer timers.target /usr/lib/systemd/system/backup@.timer\n"
        "unit mine.service multi-user.target /usr/lib/systemd/system/mine.service\n"
        "unit late.service multi-user.target /etc/systemd/system/late.service\n");
    has(plan, PATH_PRESET_OFF, "\ndisable local.service\ndisable backup@.timer\n");
    has(plan, PATH_TEMPLATES PATH_PRESET_ON, "\nenable local.service\nenable backup@.timer home\n");
    assert_int_equal(plan->enabled_count, 8); /* kubelet not twice */
    assert_null(tree_find(plan->tree, PATH_PRESET_UNITS));
}

static void what_the_base_enabled_already_stays(void **state)
{
    (void)state;
    want("ssh.service", OWN_UNIT_ENABLED, "multi-user.target");
    struct plan *plan AUTO_PLAN = golden_plan(&BASE);
    assert_int_equal(plan->enabled_count, 4);
    struct plan *draft AUTO_PLAN = golden_plan(NULL);
    assert_int_equal(draft->enabled_count, 5);
    has(draft, PATH_CONTRACT,
        "\nunit ssh.service multi-user.target /lib/systemd/system/ssh.service\n");
}

static void a_mask_of_the_base_is_taken_away(void **state)
{
    (void)state;
    want("off.service", OWN_UNIT_ENABLED, "multi-user.target");
    struct plan *plan AUTO_PLAN = golden_plan(&BASE);
    assert_int_equal(golden_entry(plan, "/etc/systemd/system/off.service")->type, ENTRY_GONE);
    has(plan, PATH_CONTRACT,
        "\nunit off.service multi-user.target /usr/lib/systemd/system/off.service\n");
}

/* An overlay may have put its own unit there. */
static void a_mask_may_be_replaced(void **state)
{
    (void)state;
    want("off.service", OWN_UNIT_ENABLED, "multi-user.target");
    add_file("/etc/systemd/system/off.service", "[Unit]\n");
    struct plan *plan AUTO_PLAN = golden_plan(&BASE);
    assert_int_equal(golden_entry(plan, "/etc/systemd/system/off.service")->type, ENTRY_FILE);
    has(plan, PATH_CONTRACT,
        "\nunit off.service multi-user.target /etc/systemd/system/off.service\n");
}

static void disabled_ones_lose_their_links(void **state)
{
    (void)state;
    want("ssh.service", OWN_UNIT_DISABLED, NULL);
    want("backup@home.timer", OWN_UNIT_DISABLED, NULL);
    struct plan *plan AUTO_PLAN = golden_plan(&BASE);
    assert_int_equal(golden_entry(plan, WANTS "ssh.service")->type, ENTRY_GONE);
    assert_int_equal(golden_entry(plan, "/etc/systemd/system/sshd.service")->type, ENTRY_GONE);
    assert_int_equal(golden_entry(plan, "/etc/systemd/system/a.target.requires/ssh.service")->type,
                     ENTRY_GONE);
    assert_null(tree_find(plan->tree, "/etc/resolv.conf"));
    assert_string_equal(golden_text(plan, PATH_PRESET_UNITS),
                        "disable ssh.service\ndisable backup@.timer\n");
    assert_int_equal(plan->enabled_count, 4);
}

static void masked_ones_are_links_to_nowhere(void **state)
{
    (void)state;
    want("apt-daily.timer", OWN_UNIT_MASKED, NULL);
    want("swap.target", OWN_UNIT_MASKED, NULL); /* as an overlay has it already */
    struct plan *plan AUTO_PLAN = golden_plan(&BASE);
    assert_string_equal(golden_entry(plan, "/etc/systemd/system/apt-daily.timer")->target,
                        "/dev/null");
    assert_string_equal(golden_entry(plan, "/etc/systemd/system/swap.target")->target, "/dev/null");
}

static void refuse(const char *name, enum own_unit_state unit_state, const char *why)
{
    char *message AUTO_FREE =
        heap_printf("plan worker-0: tests/golden/cluster.yaml:50: %s %s", name, why);
    want(name, unit_state, unit_state == OWN_UNIT_ENABLED ? "multi-user.target" : NULL);
    golden_refused(&BASE, message);
    struct own_unit *unit = &golden_settings()->units[--golden_settings()->unit_count];
    free(unit->name);
    free(unit->wanted_by);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    refuse("sssh.service", OWN_UNIT_ENABLED,
           "cannot be enabled: neither the base nor `files` and `overlays` have such a unit");
    refuse("sssh.service", OWN_UNIT_DISABLED, "cannot be disabled: there is no such unit");
    refuse("kubelet.service", OWN_UNIT_DISABLED, "cannot be disabled: the node needs it");
    refuse("containerd.service", OWN_UNIT_MASKED, "cannot be masked: the node needs it");
    add_file("/etc/systemd/system/mine.service", "[Unit]\n");
    refuse("mine.service", OWN_UNIT_MASKED,
           "cannot be masked: /etc/systemd/system/mine.service comes from "
           "tests/golden/cluster.yaml:40");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, golden_setup, golden_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(enabled_ones_go_through_the_contract),
        TEST(what_the_base_enabled_already_stays),
        TEST(a_mask_of_the_base_is_taken_away),
        TEST(a_mask_may_be_replaced),
        TEST(disabled_ones_lose_their_links),
        TEST(masked_ones_are_links_to_nowhere),
        TEST(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
