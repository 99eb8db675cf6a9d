#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/artifact/release.h"
#include "builder/heap.h"
#include "common/file.h"

#define SHA256 "9f74f2fa7ee32ad07e17211725992248470310ca1988214518806b39b1dad9f0"
#define OTHER  "681c81b7934ae2bf38b9f12d891683972d1fbbf6d7d97e50940a47b139d41b35"
#define SHA512                                                                                     \
    "3941dcc2309ac19ec185603a79f5a086d8a198f98c04efa23f15a177e5e1f349"                             \
    "46ea9392ba9f5d24d0d727839438f067fef1001fc6e88b27b8b01e35bbd962ca"

#define HEAD                                                                                       \
    "version: 1\nkubernetes: 1.20.2\nsandboxImage: k8s.gcr.io/pause:3.2\nartifacts:\n" /* 4 */
#define RUNC "  - component: runc\n    version: 1.1.5\n    file: runc.amd64\n"         /* 5 to 7 */
#define TAKE "    take:\n      - {name: runc, mode: 0755}\n"
#define SUM  "    sha256: " SHA256 "\n"

static char path[] = "/tmp/release-test-XXXXXX";

static int load_text(const char *text, struct release **out, struct problems *problems,
                     struct error *err)
{
    assert_int_equal(file_publish(AT_FDCWD, path, text, strlen(text), 0600, err), 0);
    return release_load(path, out, problems, err);
}

static void reads_all_fields(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct release *r AUTO_RELEASE = NULL;
    const struct artifact *a = NULL;
    const char *text =
        HEAD "  - component: kubernetes\n    version: 1.20.2\n"
             "    file: node.tar.gz\n    url: https://example.org/node.tar.gz\n"
             "    sha512: " SHA512 "\n    take:\n"
             "      - {name: kubelet, from: kubernetes/node/bin/kubelet, mode: 0755}\n"
             "      - {name: cni-bridge, from: bridge, mode: 0700}\n" RUNC SUM TAKE;
    struct problems problems AUTO_PROBLEMS = {0};
    if (load_text(text, &r, &problems, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(r->file, path);
    assert_string_equal(r->kubernetes, "1.20.2");
    assert_string_equal(r->sandbox_image, "k8s.gcr.io/pause:3.2");
    assert_int_equal(r->artifact_count, 2);
    assert_string_equal(r->artifacts[0].component, "kubernetes");
    assert_string_equal(r->artifacts[0].url, "https://example.org/node.tar.gz");
    assert_string_equal(r->artifacts[0].algorithm, "sha512");
    assert_string_equal(r->artifacts[0].digest, SHA512);
    assert_int_equal(r->artifacts[0].line, 5);
    const struct member *m = release_member(r, "cni-bridge", &a);
    assert_non_null(m);
    assert_ptr_equal(a, &r->artifacts[0]);
    assert_string_equal(m->from, "bridge");
    assert_int_equal(m->mode, 0700);
    m = release_member(r, "runc", &a);
    assert_non_null(m);
    assert_null(m->from);
    assert_string_equal(a->version, "1.1.5");
    assert_string_equal(a->algorithm, "sha256");
    assert_string_equal(a->digest, SHA256);
    assert_null(a->url);
    assert_null(release_member(r, "kubectl", &a));
}

/* The release that nodebake ships has what the hard way's workers and controllers run. */
static void the_shipped_release(void **state)
{
    (void)state;
    static const char *const wanted[] = {"kubectl",
                                         "kubelet",
                                         "kube-proxy",
                                         "crictl",
                                         "containerd",
                                         "containerd-shim",
                                         "containerd-shim-runc-v1",
                                         "containerd-shim-runc-v2",
                                         "ctr",
                                         "runc",
                                         "cni-bridge",
                                         "cni-loopback",
                                         "cni-host-local",
                                         "cni-portmap",
                                         "kube-apiserver",
                                         "kube-controller-manager",
                                         "kube-scheduler",
                                         "etcd",
                                         "etcdctl"};
    struct error err = ERROR_INIT;
    struct release *r AUTO_RELEASE = NULL;
    const struct artifact *a;
    struct problems problems AUTO_PROBLEMS = {0};
    if (release_load("profiles/releases/1.21.0.yaml", &r, &problems, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(r->kubernetes, "1.21.0");
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        if (!release_member(r, wanted[i], &a))
            fail_msg("%s is missing", wanted[i]);
}

static const struct {
    const char *text, *message; /* one of the problems */
} bad[] = {
    {"version: 2\n", "1:10: version '2' is not known to nodebake " NODEBAKE_VERSION "; write 1"},
    {"version: 1\nkubernetes: 1.20\n", "2:13: '1.20' is not a Kubernetes version such as 1.21.0"},
    {"version: 1\nkubernetes: v1.20.2\n",
     "2:13: 'v1.20.2' is not a Kubernetes version such as 1.21.0"},
    {"version: 1\nkubernetes: 1.020.2\n",
     "2:13: '1.020.2' is not a Kubernetes version such as 1.21.0"},
    {"version: 1\nsandboxImage: pause\n",
     "2:15: 'pause' is not an image such as k8s.gcr.io/pause:3.4.1"},
    {"version: 1\nkubernetes: 1.20.2\n", "1:1: the key 'sandboxImage' is missing"},
    {"version: 1\nkubernetes: 1.20.2\nsandboxImage: a/pause:1\n",
     "1:1: the key 'artifacts' is missing"},
    {HEAD "  []\n", "5:3: 0 items; 1 to 64 are allowed"},
    {HEAD RUNC SUM "    taek: []\n", "9:5: unknown key 'taek'; did you mean 'take'?"},
    {HEAD RUNC SUM, "5:5: the key 'take' is missing"},
    {HEAD RUNC TAKE, "5:5: runc.amd64: exactly one of sha256 and sha512 is needed"},
    {HEAD RUNC SUM "    sha512: " SHA512 "\n" TAKE,
     "5:5: runc.amd64: exactly one of sha256 and sha512 is needed"},
    {HEAD RUNC "    sha256: abc\n" TAKE, "8:13: 3 characters; sha256 has 64 hex digits"},
    {HEAD RUNC "    sha512: " SHA256 "\n" TAKE, "8:13: 64 characters; sha512 has 128 hex digits"},
    {HEAD RUNC "    sha256: "
               "9F74f2fa7ee32ad07e17211725992248470310ca1988214518806b39b1dad9f0\n" TAKE,
     "8:13: '9F74f2fa7ee32ad07e17211725992248470310ca1988214518806b39b1dad9f0' holds more than "
     "lower-case hex digits"},
    {HEAD "  - {file: bin/runc}\n",
     "5:12: 'bin/runc' is not a plain file name: no '/', and no '.' at the beginning"},
    {HEAD "  - {file: ..}\n",
     "5:12: '..' is not a plain file name: no '/', and no '.' at the beginning"},
    {HEAD "  - {component: Runc}\n",
     "5:17: 'Runc' is not a DNS label (1 to 63 of a-z, 0-9 and inner '-')"},
    {HEAD "  - {url: \"http://example.org/runc\"}\n",
     "5:11: 'http://example.org/runc' is not an https:// address"},
    {HEAD "  - {url: \"https://\"}\n", "5:11: 'https://' is not an https:// address"},
    {HEAD RUNC SUM "    take: []\n", "9:11: 0 items; 1 to 256 are allowed"},
    {HEAD RUNC SUM "    take: [{name: a/b, mode: 0755}]\n",
     "9:19: 'a/b' is not a name: at most 100 letters, digits, '.', '_' and '-', the first no '.'"},
    {HEAD RUNC SUM "    take: [{name: .members, mode: 0755}]\n",
     "9:19: '.members' is not a name: at most 100 letters, digits, '.', '_' and '-', the first no "
     "'.'"},
    {HEAD RUNC SUM "    take: [{name: runc, from: /bin/runc, mode: 0755}]\n",
     "9:31: '/bin/runc' is not a path inside the archive: relative, without '.', '..' and empty "
     "parts"},
    {HEAD RUNC SUM "    take: [{name: runc, from: bin/../runc, mode: 0755}]\n",
     "9:31: 'bin/../runc' is not a path inside the archive: relative, without '.', '..' and empty "
     "parts"},
    {HEAD RUNC SUM "    take: [{name: runc, from: ./runc, mode: 0755}]\n",
     "9:31: './runc' is not a path inside the archive: relative, without '.', '..' and empty "
     "parts"},
    {HEAD RUNC SUM "    take: [{name: runc, from: bin/, mode: 0755}]\n",
     "9:31: 'bin/' is not a path inside the archive: relative, without '.', '..' and empty parts"},
    {HEAD RUNC SUM "    take: [{name: runc}]\n", "9:12: the key 'mode' is missing"},
    {HEAD RUNC SUM "    take: [{name: runc, mode: 04755}]\n",
     "9:31: '04755' is not a mode; write it in octal, such as 0755"},
    {HEAD RUNC SUM "    take: [{name: runc, mode: 4755}]\n",
     "9:31: mode 4755 has set-id or sticky bits; 0755 is usual"},
    {HEAD RUNC SUM "    take: [{name: runc, mode: 1755}]\n",
     "9:31: mode 1755 has set-id or sticky bits; 0755 is usual"},
    {HEAD RUNC SUM "    take: [{name: runc, mode: 0055}]\n",
     "9:31: mode 0055: the owner could not read it; 0755 is usual"},
    {HEAD RUNC SUM "    take: [{name: a, from: a, mode: 0755}, {name: a, from: b, mode: 0755}]\n",
     "9:44: 'a' is taken twice; names are unique"},
    {HEAD RUNC SUM "    take: [{name: a, from: a, mode: 0755}, {name: b, from: a, mode: 0755}]\n",
     "9:44: a is taken twice, as 'a' and 'b'"},
    {HEAD RUNC SUM "    take: [{name: a, mode: 0755}, {name: b, from: b, mode: 0755}]\n",
     "9:35: without 'from' the file itself is taken, and that once"},
    {HEAD RUNC SUM TAKE RUNC "    sha256: " OTHER "\n" TAKE,
     "11:5: file runc.amd64 stands here twice, first on line 5; list all of its members under one "
     "artifact"},
    {HEAD RUNC SUM TAKE "  - component: crun\n    version: 1\n    file: crun\n" SUM TAKE,
     "11:5: crun has the same sha256 as runc.amd64 on line 5"},
    {HEAD RUNC SUM TAKE "  - component: crun\n    version: 1\n    file: crun\n    sha256: " OTHER
                        "\n" TAKE,
     "16:9: 'runc' is also taken from runc.amd64, on line 5; names are unique"},
    {HEAD RUNC SUM TAKE "oops: 1\n",
     "11:1: unknown key 'oops'; known here: version, kubernetes, sandboxImage, artifacts"},
};

static bool has_problem(const struct problems *problems, const char *message)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *p = &problems->items[i];
        char text[ERROR_TEXT_MAX];
        snprintf(text, sizeof text, "%zu:%zu: %s", p->line, p->column, p->text);
        if (strcmp(text, message) == 0)
            return true;
    }
    return false;
}

static void refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct error err = ERROR_INIT;
        struct problems problems AUTO_PROBLEMS = {0};
        struct release *r = NULL;
        assert_int_equal(load_text(bad[i].text, &r, &problems, &err), -1);
        assert_null(r);
        if (!has_problem(&problems, bad[i].message)) {
            problems_print(&problems, stderr);
            fail_msg("wanted %s", bad[i].message);
        }
    }
}

/* What an artifact lacks is not missed by those behind it. */
static void all_problems_are_found(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct problems problems AUTO_PROBLEMS = {0};
    struct release *r = NULL;
    const char *text = HEAD "  - {}\n" RUNC "    sha256: abc\n    take: [{}]\n" RUNC SUM
                            "    take: [{mode: 0755}, {name: runc, mode: 0}, {name: runc}]\n";
    assert_int_equal(load_text(text, &r, &problems, &err), -1);
    char *lines AUTO_FREE = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&lines, &len);
    assert_non_null(out);
    for (size_t i = 0; i < problems.count; i++)
        fprintf(out, "%zu:%zu: %s\n", problems.items[i].line, problems.items[i].column,
                problems.items[i].text);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(lines, "5:5: the key 'component' is missing\n"
                               "5:5: the key 'version' is missing\n"
                               "5:5: the key 'file' is missing\n"
                               "5:5: the key 'take' is missing\n"
                               "9:13: 3 characters; sha256 has 64 hex digits\n"
                               "10:12: the key 'name' is missing\n"
                               "10:12: the key 'mode' is missing\n"
                               "15:12: the key 'name' is missing\n"
                               "15:45: '0' is not a mode; write it in octal, such as 0755\n"
                               "15:49: the key 'mode' is missing\n");
}

static void bounds_the_artifacts(void **state)
{
    (void)state;
    char text[8192] = HEAD;
    struct error err = ERROR_INIT;
    struct problems problems AUTO_PROBLEMS = {0};
    struct release *r = NULL;
    for (int i = 0; i < 65; i++)
        strncat(text, "  - {}\n", sizeof text - strlen(text) - 1);
    assert_int_equal(load_text(text, &r, &problems, &err), -1);
    assert_string_equal(problems.items[0].text, "65 items; 1 to 64 are allowed");
}

static void names_a_missing_file(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct problems problems AUTO_PROBLEMS = {0};
    struct release *r = NULL;
    assert_int_equal(release_load("/nonexistent/1.yaml", &r, &problems, &err), -1);
    assert_string_equal(err.text, "/nonexistent/1.yaml: No such file or directory");
}

static int setup(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_all_fields),
        cmocka_unit_test(the_shipped_release),
        cmocka_unit_test(refuses),
        cmocka_unit_test(all_problems_are_found),
        cmocka_unit_test(bounds_the_artifacts),
        cmocka_unit_test(names_a_missing_file),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
