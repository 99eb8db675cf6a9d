#include "builder/artifact/archive-fixture.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include "builder/artifact/release.h"
#include "builder/lock.h"
#include "common/cleanup.h"

enum { KUBELET = 300000 };

static char *folder, *cache, *release_file;

/* node.tar.gz with two members, the plain runc, and absent.tgz that is not there. */
static void write_release(const char *node_digest)
{
    char *runc AUTO_FREE = file_digest("artifacts/runc.amd64", "sha256");
    char *text AUTO_FREE = heap_printf(
        "version: 1\nkubernetes: 1.20.2\nsandboxImage: k8s.gcr.io/pause:3.2\nartifacts:\n"
        "  - component: kubernetes\n    version: 1.20.2\n    file: node.tar.gz\n"
        "    sha512: %s\n    take:\n"
        "      - {name: kubelet, from: bin/kubelet, mode: 0755}\n"
        "      - {name: kubectl, from: bin/kubectl, mode: 0700}\n"
        "  - component: runc\n    version: 1.1.5\n    file: runc.amd64\n    sha256: %s\n"
        "    take: [{name: runc, mode: 0755}]\n"
        "  - component: cni-plugins\n    version: 0.9.1\n    file: absent.tgz\n    sha256: "
        "9f74f2fa7ee32ad07e17211725992248470310ca1988214518806b39b1dad9f0\n"
        "    take: [{name: cni-bridge, from: bridge, mode: 0755}]\n",
        node_digest, runc);
    write_file("release.yaml", text, strlen(text));
}

static void make_node(char kubelet)
{
    const struct fixture_entry entries[] = {
        {.path = "bin/kubectl", .fill = 'c', .len = 7},
        {.path = "bin/kubelet", .fill = kubelet, .len = KUBELET},
        {.path = "bin/kubeadm", .fill = 'a', .len = 7},
    };
    make_archive("artifacts/node.tar.gz", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP, entries,
                 3);
}

static int setup(void **state)
{
    if (fixture_setup(state) < 0)
        return -1;
    folder = in_fixture("artifacts");
    cache = in_fixture("home/.cache/nodebake");
    release_file = in_fixture("release.yaml");
    if (mkdir(folder, 0755) < 0)
        return -1;
    make_node('k');
    write_file("artifacts/runc.amd64", "runc!", 5);
    char *digest AUTO_FREE = file_digest("artifacts/node.tar.gz", "sha512");
    write_release(digest);
    return 0;
}

static int teardown(void **state)
{
    free(folder);
    free(cache);
    free(release_file);
    return fixture_teardown(state);
}

static struct release *load(void)
{
    struct error err = ERROR_INIT;
    struct problems problems AUTO_PROBLEMS = {0};
    struct release *r = NULL;
    if (release_load(release_file, &r, &problems, &err) < 0)
        fail_msg("%s", err.text);
    return r;
}

static struct release *located(void)
{
    struct error err = ERROR_INIT;
    struct release *r = load();
    if (release_locate(r, folder, cache, &err) < 0)
        fail_msg("%s", err.text);
    return r;
}

/* Unpacks; *told gets what progress said: "verify FILE" only when FILE's bytes were hashed. */
static int unpack_telling(struct release *r, struct buffer *told, struct error *err)
{
    char *path AUTO_FREE = in_fixture("stderr");
    int saved AUTO_CLOSE = dup(STDERR_FILENO);
    int fd AUTO_CLOSE = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    fflush(stderr);
    dup2(fd, STDERR_FILENO);
    int result = release_unpack(r, folder, cache, err);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    *told = read_file(path);
    return result;
}

static void unpack(struct release *r, bool node_read, bool runc_read)
{
    struct error err = ERROR_INIT;
    struct buffer told AUTO_BUFFER = {0};
    if (unpack_telling(r, &told, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(strstr(told.data, "verify node.tar.gz") != NULL, node_read);
    assert_int_equal(strstr(told.data, "verify runc.amd64") != NULL, runc_read);
}

static const struct member *member(const struct release *r, const char *name)
{
    const struct artifact *ignored;
    const struct member *m = release_member(r, name, &ignored);
    assert_non_null(m);
    return m;
}

static void assert_unpacked(const struct release *r, char kubelet)
{
    struct stat st;
    char *names AUTO_FREE = heap_printf("%s/artifacts/%s", cache, r->artifacts[0].digest);
    char *found AUTO_FREE = folder_names(names);
    assert_string_equal(found, ".members .verified kubectl kubelet ");
    assert_content(member(r, "kubelet")->host, kubelet, KUBELET);
    assert_content(member(r, "kubectl")->host, 'c', 7);
    assert_int_equal(stat(member(r, "kubectl")->host, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(stat(member(r, "runc")->host, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    assert_int_equal(st.st_size, 5);
}

static void locates_without_a_cache(void **state)
{
    (void)state;
    struct release *r AUTO_RELEASE = located();
    char *host AUTO_FREE = heap_printf("%s/artifacts/%s/kubelet", cache, r->artifacts[0].digest);
    assert_true(r->artifacts[0].present);
    assert_true(r->artifacts[1].present);
    assert_false(r->artifacts[2].present);
    assert_int_equal(member(r, "kubelet")->size, KUBELET);
    assert_int_equal(member(r, "kubectl")->size, 7);
    assert_int_equal(member(r, "runc")->size, 5);
    assert_string_equal(member(r, "kubelet")->host, host);
    assert_non_null(member(r, "cni-bridge")->host);
    assert_int_equal(access(cache, F_OK), -1); /* nothing is written */
}

static void unpacks_once(void **state)
{
    (void)state;
    struct release *r AUTO_RELEASE = located();
    unpack(r, true, true);
    assert_unpacked(r, 'k');
    unpack(r, false, false);
    struct release *again AUTO_RELEASE = located();
    assert_int_equal(member(again, "kubelet")->size, KUBELET);
    unpack(again, false, false);
    assert_unpacked(again, 'k');
}

static void locates_from_the_cache(void **state)
{
    (void)state;
    struct release *r AUTO_RELEASE = located();
    unpack(r, true, true);
    write_file("artifacts/node.tar.gz", "no archive", 10);
    struct release *again AUTO_RELEASE = located();
    assert_true(again->artifacts[0].present);
    assert_int_equal(member(again, "kubelet")->size, KUBELET);
    char *node AUTO_FREE = in_fixture("artifacts/node.tar.gz");
    unlink(node);
    struct release *gone AUTO_RELEASE = located();
    assert_false(gone->artifacts[0].present);
}

static void notices_a_changed_artifact(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer told AUTO_BUFFER = {0};
    struct release *r AUTO_RELEASE = located();
    unpack(r, true, true);
    char *wanted AUTO_FREE = heap_copy(r->artifacts[0].digest);
    make_node('K');
    char *found AUTO_FREE = file_digest("artifacts/node.tar.gz", "sha512");
    char *message AUTO_FREE = heap_printf(
        "%s:5: artifacts folder %s: node.tar.gz is not the pinned file: its sha512 is %s, wanted "
        "is %s; get the right file, or pin this one",
        release_file, folder, found, wanted);
    assert_int_equal(unpack_telling(r, &told, &err), -1);
    assert_string_equal(err.text, message);
    assert_unpacked(r, 'k');
    /* The right file again, but another inode and times: hashed once, not unpacked. */
    make_node('k');
    unpack(r, true, false);
    unpack(r, false, false);
}

static void touches_nothing_on_a_wrong_digest(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer told AUTO_BUFFER = {0};
    char wrong[129];
    memset(wrong, '0', 128);
    wrong[128] = '\0';
    write_release(wrong);
    struct release *r AUTO_RELEASE = located();
    assert_int_equal(unpack_telling(r, &told, &err), -1);
    assert_non_null(strstr(err.text, "node.tar.gz is not the pinned file: its sha512 is "));
    assert_null(strstr(told.data, "unpack"));
    char *artifacts AUTO_FREE = heap_printf("%s/artifacts", cache);
    char *names AUTO_FREE = folder_names(artifacts);
    assert_string_equal(names, ".lock ");
}

/* Any change of a cached file is seen by its ctime. */
static void repairs_the_cache(void **state)
{
    (void)state;
    struct release *r AUTO_RELEASE = located();
    unpack(r, true, true);
    int fd AUTO_CLOSE = open(member(r, "kubelet")->host, O_WRONLY);
    assert_int_equal(pwrite(fd, "X", 1, 1000), 1);
    unpack(r, true, false);
    assert_unpacked(r, 'k');
    assert_int_equal(chmod(member(r, "kubectl")->host, 0755), 0);
    unpack(r, true, false);
    assert_unpacked(r, 'k');
    assert_int_equal(unlink(member(r, "runc")->host), 0);
    unpack(r, false, true);
    assert_unpacked(r, 'k');
}

/* Another release file may take the same name from elsewhere in the same archive. */
static void notices_another_from(void **state)
{
    (void)state;
    struct release *r AUTO_RELEASE = located();
    unpack(r, true, true);
    struct buffer text AUTO_BUFFER = read_file(release_file);
    memcpy(strstr(text.data, "bin/kubectl"), "bin/kubeadm", 11);
    write_file("release.yaml", text.data, text.len);
    struct release *other AUTO_RELEASE = located();
    unpack(other, true, false);
    assert_content(member(other, "kubectl")->host, 'a', 7);
}

/* A child is killed by SIGXFSZ in the middle of kubelet. */
static void completes_after_a_kill(void **state)
{
    (void)state;
    int status;
    struct release *r AUTO_RELEASE = located();
    pid_t pid = fork();
    if (pid == 0) {
        struct error err = ERROR_INIT;
        const struct rlimit limit = {KUBELET / 2, KUBELET / 2};
        setrlimit(RLIMIT_FSIZE, &limit);
        close(STDERR_FILENO);
        _exit(release_unpack(r, folder, cache, &err) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    char *partial AUTO_FREE = heap_printf("%s/artifacts/.unpacking/kubelet", cache);
    assert_int_equal(access(partial, F_OK), 0);
    assert_int_equal(access(member(r, "kubelet")->host, F_OK), -1);
    unpack(r, true, true);
    assert_unpacked(r, 'k');
    assert_int_equal(access(partial, F_OK), -1);
}

static void two_at_once(void **state)
{
    (void)state;
    struct release *r AUTO_RELEASE = located();
    pid_t pids[3];
    for (int i = 0; i < 3; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            struct error err = ERROR_INIT;
            close(STDERR_FILENO);
            _exit(release_unpack(r, folder, cache, &err) == 0 ? 0 : 1);
        }
    }
    for (int i = 0; i < 3; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    assert_unpacked(r, 'k');
}

static void refuses_an_open_cache(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct release *r AUTO_RELEASE = located();
    unpack(r, true, true);
    char *artifacts AUTO_FREE = heap_printf("%s/artifacts", cache);
    char *message AUTO_FREE =
        heap_printf("cache folder %s has mode 0770, so that others can write there: chmod go-w %s",
                    artifacts, artifacts);
    assert_int_equal(chmod(artifacts, 0770), 0);
    assert_int_equal(release_locate(r, folder, cache, &err), -1);
    assert_string_equal(err.text, message);
    assert_int_equal(release_unpack(r, folder, cache, &err), -1);
    assert_string_equal(err.text, message);
}

static void names_what_is_missing(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct fixture_entry entry = {.path = "bin/kubelet", .len = 3};
    char *message AUTO_FREE = heap_printf("%s:5: artifacts folder %s: node.tar.gz holds no "
                                          "bin/kubectl, which is listed as 'kubectl'",
                                          release_file, folder);
    make_archive("artifacts/node.tar.gz", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE, &entry, 1);
    struct release *r AUTO_RELEASE = load();
    assert_int_equal(release_locate(r, folder, cache, &err), -1);
    assert_string_equal(err.text, message);
}

static void no_folder_means_all_absent(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    char *nowhere AUTO_FREE = in_fixture("nowhere");
    struct release *r AUTO_RELEASE = load();
    assert_int_equal(release_locate(r, nowhere, cache, &err), 0);
    for (size_t i = 0; i < r->artifact_count; i++)
        assert_false(r->artifacts[i].present);
    assert_int_equal(release_locate(r, release_file, cache, &err), -1);
    assert_non_null(strstr(err.text, "Not a directory"));
}

static void a_held_lock(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    int dir AUTO_CLOSE = open(folder, O_RDONLY | O_DIRECTORY);
    int first AUTO_CLOSE = -1, second AUTO_CLOSE = -1;
    assert_int_equal(lock_take(dir, ".lock", 0, &first, &err), 0);
    assert_int_equal(lock_take(dir, ".lock", 1, &second, &err), -1);
    assert_string_equal(err.text, "another nodebake has held the lock .lock for 1 s");
    cleanup_close(&first);
    assert_int_equal(lock_take(dir, ".lock", 0, &second, &err), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(locates_without_a_cache),
        TEST(unpacks_once),
        TEST(locates_from_the_cache),
        TEST(notices_a_changed_artifact),
        TEST(touches_nothing_on_a_wrong_digest),
        TEST(repairs_the_cache),
        TEST(notices_another_from),
        TEST(completes_after_a_kill),
        TEST(two_at_once),
        TEST(refuses_an_open_cache),
        TEST(names_what_is_missing),
        TEST(no_folder_means_all_absent),
        TEST(a_held_lock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
