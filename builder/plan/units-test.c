/* Units that do not wait for firstboot: their links and their preset. */
#include "builder/plan/part.h"
#include "builder/plan/plan-fixture.h"
#include "builder/plan/units.h"

static void always(struct fixture *f, const char *unit, const char *target)
{
    struct error err = ERROR_INIT;
    if (part_unit_always(&f->plan, unit, target, &err) < 0)
        fail_msg("%s", err.text);
}

static void add(struct fixture *f)
{
    struct error err = ERROR_INIT;
    if (units_add(&f->plan, &err) < 0)
        fail_msg("%s", err.text);
}

static const char *link_at(const struct fixture *f, const char *path)
{
    const struct entry *e = tree_find(f->plan.tree, path);
    return e && e->type == ENTRY_LINK ? e->target : "(none)";
}

static const char *preset(const struct fixture *f)
{
    const struct entry *e = tree_find(f->plan.tree, PATH_PRESET_ALWAYS);
    return e ? e->text : "(none)";
}

static void without_such_units_nothing_is_added(void **state)
{
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    size_t before = f->plan.tree->count;
    add(f);
    assert_int_equal(f->plan.tree->count, before);
}

static void a_link_names_the_file_of_its_unit(void **state)
{
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    always(f, "ours.service", "multi-user.target");
    always(f, "base.service", "basic.target");
    always(f, "grow@-.service", "local-fs.target");
    add(f);
    assert_string_equal(link_at(f, "/etc/systemd/system/multi-user.target.wants/ours.service"),
                        "/etc/systemd/system/ours.service");
    assert_string_equal(link_at(f, "/etc/systemd/system/basic.target.wants/base.service"),
                        "/usr/lib/systemd/system/base.service");
    assert_string_equal(link_at(f, "/etc/systemd/system/local-fs.target.wants/grow@-.service"),
                        "/usr/lib/systemd/system/grow@.service");
    assert_string_equal(preset(f), "enable base.service\n"
                                   "enable grow@.service -\n"
                                   "enable ours.service\n");
}

static void the_preset_tells_what_overlays_and_removals_do(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    static const char wants[] = "/etc/systemd/system/timers.target.wants/";
    char *on AUTO_FREE = heap_printf("%son.timer", wants);
    char *off AUTO_FREE = heap_printf("%soff.timer", wants);
    char *moved AUTO_FREE = heap_printf("%smoved.service", wants);
    assert_int_equal(part_link(&f->plan, on, "../on.timer", "overlay x", &err), 0);
    assert_int_equal(part_gone(&f->plan, off, "nodebake", &err), 0);
    assert_int_equal(part_gone(&f->plan, moved, "nodebake", &err), 0);
    assert_int_equal(part_link(&f->plan, "/etc/systemd/system/a.target.requires/moved.service",
                               "../moved.service", "overlay x", &err),
                     0);
    assert_int_equal(
        part_link(&f->plan, "/etc/systemd/system/masked.service", "/dev/null", "overlay x", &err),
        0);
    add(f);
    assert_string_equal(preset(f), "enable moved.service\n"
                                   "enable on.timer\n"
                                   "disable off.timer\n");
}

static void what_is_no_unit_is_refused(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    assert_int_equal(part_unit_always(&f->plan, "a/b.service", "c.target", &err), -1);
    assert_string_equal(err.text, "unit a/b.service for c.target: not names of units");
    assert_int_equal(part_unit_always(&f->plan, "b.service", "basic", &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_such_units_nothing_is_added),
        cmocka_unit_test(a_link_names_the_file_of_its_unit),
        cmocka_unit_test(the_preset_tells_what_overlays_and_removals_do),
        cmocka_unit_test(what_is_no_unit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
