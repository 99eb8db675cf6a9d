/* Names of container images; archives are tried by tests/container-images.t. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "builder/artifact/container-image.h"
#include "builder/heap.h"

static void names_are_completed(void **state)
{
    static const struct {
        const char *name, *full;
    } rows[] = {
        {"busybox", "docker.io/library/busybox:latest"},
        {"busybox:1.36", "docker.io/library/busybox:1.36"},
        {"coredns/coredns:1.8.3", "docker.io/coredns/coredns:1.8.3"},
        {"k8s.gcr.io/pause:3.4.1", "k8s.gcr.io/pause:3.4.1"},
        {"registry:5000/a/b", "registry:5000/a/b:latest"},
        {"localhost/a", "localhost/a:latest"},
        {"docker.io/library/busybox:1", "docker.io/library/busybox:1"},
        {"a/b@sha256:0", "docker.io/a/b@sha256:0"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *full AUTO_FREE = container_image_full_name(rows[i].name);
        assert_string_equal(full, rows[i].full);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_are_completed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
