#include "builder/pki/pki-fixture.h"

static void refuses_open_files(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        mode_t mode, right;
        const char *message;
    } doors[] = {
        {"worker-0-key.pem", 0640, 0600,
         "worker-0-key.pem has mode 0640, so that others can read or write it: chmod 0600 "
         "worker-0-key.pem"},
        {"ca-key.pem", 0604, 0600,
         "ca-key.pem has mode 0604, so that others can read or write it: chmod 0600 ca-key.pem"},
        {"kube-proxy.kubeconfig", 0620, 0600,
         "kube-proxy.kubeconfig has mode 0620, so that others can read or write it: chmod 0600 "
         "kube-proxy.kubeconfig"},
        {"ca.pem", 0664, 0644,
         "ca.pem has mode 0664, so that others can write it: chmod 0644 ca.pem"},
    };
    for (size_t i = 0; i < ARRAY_LEN(doors); i++) {
        char *path AUTO_FREE = in(dir, doors[i].name);
        assert_int_equal(chmod(path, doors[i].mode), 0);
        refused(doors[i].message);
        assert_int_equal(chmod(path, doors[i].right), 0);
    }
    assert_int_equal(issue(), 0);
}

static void refuses_an_open_folder(void **state)
{
    (void)state;
    static const mode_t modes[] = {0701, 0750, 0777};
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        struct error err = ERROR_INIT;
        struct pki_report report AUTO_PKI_REPORT = {0};
        char *message AUTO_FREE =
            heap_printf("pki folder: %s has mode %04o, so that others can enter it: chmod 0700 %s",
                        dir, (unsigned)modes[i], dir);
        assert_int_equal(chmod(dir, modes[i]), 0);
        assert_int_equal(pki_issue(&cluster, dir, &options, &report, &err), -1);
        assert_string_equal(err.text, message);
    }
    assert_int_equal(chmod(dir, 0700), 0);
    assert_int_equal(issue(), 0);
}

static void refuses_links(void **state)
{
    (void)state;
    char *key AUTO_FREE = in(dir, "worker-0-key.pem");
    char *target AUTO_FREE = in(reference, "worker-0-key.pem");
    drop("worker-0-key.pem");
    assert_int_equal(symlink(target, key), 0);
    refused("worker-0-key.pem is not a regular file: put the file itself there");
}

/* Only root can make a stranger's file; an ordinary user meets one that root made. */
static void refuses_strangers(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    bool present = true;
    if (geteuid() == 0) {
        char *key AUTO_FREE = in(dir, "worker-0-key.pem");
        assert_int_equal(chown(key, 12345, (gid_t)-1), 0);
        refused("worker-0-key.pem belongs to uid 12345, not to you (uid 0): work as that user, or "
                "give it to this one");
        return;
    }
    assert_int_equal(folder_read(AT_FDCWD, "/etc/passwd", false, &out, &present, &err), -1);
    assert_non_null(strstr(err.text, "/etc/passwd belongs to uid 0, not to you (uid "));
    assert_false(present);
    assert_int_equal(out.len, 0);
}

static void two_at_once(void **state)
{
    (void)state;
    pid_t pids[2];
    int sum = 0;
    empty_folder(dir);
    for (int i = 0; i < 2; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            struct error err = ERROR_INIT;
            struct pki_report report AUTO_PKI_REPORT = {0};
            _exit(pki_issue(&cluster, dir, &options, &report, &err) < 0 ? 99 : (int)report.written);
        }
    }
    for (int i = 0; i < 2; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status));
        sum += WEXITSTATUS(status);
    }
    assert_int_equal(sum, ARRAY_LEN(files));
    assert_int_equal(issue(), 0);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(refuses_open_files), TEST(refuses_an_open_folder),
        TEST(refuses_links),      TEST(refuses_strangers),
        TEST(two_at_once),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
