/* Which files a command line asks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "builder/build/build.h"
#include "builder/heap.h"

static struct role worker = {.name = "worker"}, controller = {.name = "controller"};
static struct node w0 = {.name = "worker-0"}, w1 = {.name = "worker-1"},
                   c0 = {.name = "controller-0"};

static struct build make_build(const struct target *targets, size_t n, bool full)
{
    struct build build = {.options = {.out = "out",
                                      .formats = {&format_raw, &format_qcow2},
                                      .format_count = 2,
                                      .full = full},
                          .out_fd = -1};
    build.inputs.targets = heap_array(n, sizeof *targets);
    memcpy(build.inputs.targets, targets, n * sizeof *targets);
    build.inputs.target_count = n;
    build_lay_out(&build);
    return build;
}

/* "NAME: FILE FILE+", a "+" behind an overlay. */
static void add_image(struct buffer *out, const struct image *image)
{
    if (!image->product_count)
        return;
    buffer_printf(out, "%s%s:", image->name, image->asked ? "" : " (below)");
    for (size_t i = 0; i < image->product_count; i++)
        buffer_printf(out, " %s%s", image->products[i].output.path,
                      image->products[i].overlay ? "+" : "");
    buffer_puts(out, "\n");
}

static void expect(const struct target *targets, size_t n, bool full, const char *wanted)
{
    struct buffer got AUTO_BUFFER = buffer_heap();
    struct build build = make_build(targets, n, full);
    for (size_t i = 0; i < build.group_count; i++) {
        const struct group *group = &build.groups[i];
        assert_ptr_equal(group->role.target->role, group->role_target.role);
        add_image(&got, &group->role);
        for (size_t k = 0; k < group->node_count; k++)
            add_image(&got, &group->nodes[k]);
    }
    assert_string_equal(got.data, wanted);
    build_free(&build);
}

static void a_role_stands_alone(void **state)
{
    (void)state;
    const struct target targets[] = {{&worker, NULL}};
    expect(targets, 1, false, "worker: out/worker.raw out/worker.qcow2\n");
}

static void nodes_lie_on_their_role(void **state)
{
    (void)state;
    const struct target targets[] = {{&worker, &w0}, {&controller, &c0}, {&worker, &w1}};
    expect(targets, 3, false,
           "worker (below): out/worker.qcow2\n"
           "worker-0: out/worker-0.raw out/worker-0.qcow2+\n"
           "worker-1: out/worker-1.raw out/worker-1.qcow2+\n"
           "controller (below): out/controller.qcow2\n"
           "controller-0: out/controller-0.raw out/controller-0.qcow2+\n");
}

static void full_nodes_need_no_file_below(void **state)
{
    (void)state;
    const struct target targets[] = {{&worker, &w0}};
    expect(targets, 1, true, "worker-0: out/worker-0.raw out/worker-0.qcow2\n");
}

static void a_role_that_is_asked_for_has_all_formats(void **state)
{
    (void)state;
    const struct target targets[] = {{&worker, &w0}, {&worker, NULL}};
    expect(targets, 2, false,
           "worker: out/worker.qcow2 out/worker.raw\n"
           "worker-0: out/worker-0.raw out/worker-0.qcow2+\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_role_stands_alone),
        cmocka_unit_test(nodes_lie_on_their_role),
        cmocka_unit_test(full_nodes_need_no_file_below),
        cmocka_unit_test(a_role_that_is_asked_for_has_all_formats),
    };
    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
