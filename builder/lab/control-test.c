#include "builder/lab/control.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/lab/folder.h"
#include "builder/lab/kubeconfig-port.h"
#include "builder/lab/lab.h"
#include "builder/lab/link.h"
#include "common/cleanup.h"
#include "common/file.h"

/* A folder whose path is longer than that of a socket may be. */
static char *deep, top[] = "/tmp/lab-XXXXXX";
static int dir = -1, listener = -1;

static int make(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    char name[121];
    if (!mkdtemp(top))
        return -1;
    memset(name, 'd', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    deep = heap_printf("%s/%s", top, name);
    if (lab_folder_open(deep, true, &dir, &err) < 0)
        return -1;
    return link_listen(dir, LAB_CONTROL, &listener, &err);
}

static int clean(void **state)
{
    (void)state;
    close(listener);
    close(dir);
    rmdir(deep);
    rmdir(top);
    free(deep);
    return 0;
}

static json_t *handle(void *ctx, const char *op, const json_t *request, struct error *err)
{
    (void)ctx;
    if (strcmp(op, "echo") == 0)
        return json_deep_copy(request);
    error_set(err, "no such op: %s", op);
    return NULL;
}

static pid_t serve_once(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        fcntl(listener, F_SETFL, 0);
        control_serve(listener, handle, NULL);
        _exit(0);
    }
    return pid;
}

static void test_answers(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    json_t *answer AUTO_JSON = NULL, *none AUTO_JSON = NULL;
    pid_t pid = serve_once();
    assert_int_equal(
        control_call(dir, json_pack("{s:s, s:i}", "op", "echo", "n", 5), 10, &answer, &err), 0);
    waitpid(pid, NULL, 0);
    assert_int_equal(json_integer_value(json_object_get(answer, "n")), 5);
    pid = serve_once();
    assert_int_equal(control_call(dir, json_pack("{s:s}", "op", "x"), 10, &none, &err), -1);
    waitpid(pid, NULL, 0);
    assert_string_equal(err.text, "no such op: x");
}

/* What is sent that is no request: an error comes back, and the supervisor lives. */
static void test_nonsense(void **state)
{
    (void)state;
    static const char *const texts[] = {"nonsense\n", "[1]\n", "{}\n", "{\"op\": 1}\n", "{"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct error err = ERROR_INIT;
        struct buffer line AUTO_BUFFER = buffer_heap();
        int fd AUTO_CLOSE = -1;
        double until = link_now() + 10;
        int status = 1;
        pid_t pid = serve_once();
        assert_int_equal(link_connect(dir, LAB_CONTROL, 0, &fd, &err), 0);
        assert_int_equal(link_write(fd, until, texts[i], strlen(texts[i]), &err), 0);
        assert_int_equal(link_read_line(fd, until, 1000, &line, &err), 0);
        assert_non_null(strstr(line.data, "\"error\""));
        waitpid(pid, &status, 0);
        assert_int_equal(status, 0);
    }
}

static void test_nobody(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    json_t *answer AUTO_JSON = NULL;
    assert_int_equal(control_call(dir, json_pack("{s:s}", "op", "echo"), 0, &answer, &err), -1);
    assert_non_null(strstr(err.text, "no answer in time"));
    int dropped AUTO_CLOSE = accept(listener, NULL, NULL);
}

static void test_folder(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    int lock AUTO_CLOSE = -1, second AUTO_CLOSE = -1;
    bool rest = true;
    assert_int_equal(lab_folder_lock(dir, &lock, &err), 1);
    assert_int_equal(lab_folder_lock(dir, &second, &err), 0);
    assert_false(lab_folder_kill(dir)); /* nobody is noted */
    assert_int_equal(file_publish(dir, LAB_PROCESS, "{\"pid\": 1, \"start\": 1}", 21, 0600, &err),
                     0);
    assert_false(lab_folder_kill(dir));
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    assert_int_equal(lab_folder_note(dir, child, &err), 0);
    assert_true(lab_folder_kill(dir));
    double begun = link_now();
    lab_folder_await_end(dir);
    assert_true(link_now() - begun < 10);
    assert_int_equal(waitpid(child, NULL, WNOHANG), child); /* it has ended */
    assert_false(lab_folder_kill(dir));                     /* not another one of that id */
    assert_int_equal(mkdirat(dir, LAB_NODES, 0700), 0);
    assert_int_equal(mkdirat(dir, LAB_NODES "/a", 0700), 0);
    assert_int_equal(file_publish(dir, LAB_NODES "/a/disk.qcow2", "x", 1, 0600, &err), 0);
    assert_int_equal(file_publish(dir, "mine", "x", 1, 0600, &err), 0);
    assert_int_equal(lab_folder_remove(dir, deep, &rest, &err), 0);
    assert_true(rest);
    assert_int_equal(unlinkat(dir, "mine", 0), 0);
    assert_int_equal(lab_folder_remove(dir, deep, &rest, &err), 0);
    assert_false(rest);
}

/* As QEMU's sockets are. */
static void test_queue(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    int narrow AUTO_CLOSE = -1, first AUTO_CLOSE = -1, second AUTO_CLOSE = -1;
    assert_int_equal(link_listen(dir, "narrow", &narrow, &err), 0);
    assert_int_equal(listen(narrow, 0), 0);
    assert_int_equal(link_connect(dir, "narrow", 0, &first, &err), 0);
    assert_int_equal(link_connect(dir, "narrow", link_now() + 0.1, &second, &err), -1);
    assert_string_equal(err.text, "connect to narrow: too many others do");
    pid_t pid = fork();
    if (pid == 0) {
        usleep(200000);
        _exit(accept(narrow, NULL, NULL) < 0);
    }
    assert_int_equal(link_connect(dir, "narrow", link_now() + 20, &second, &err), 0);
    waitpid(pid, NULL, 0);
    unlinkat(dir, "narrow", 0);
}

static void test_kubeconfig(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    assert_int_equal(
        kubeconfig_with_port("a:\n    server: https://10.0.0.1:6443\n  b: c\n", 7, &out, &err), 0);
    assert_string_equal(out.data, "a:\n    server: https://127.0.0.1:7\n  b: c\n");
    assert_int_equal(kubeconfig_with_port("a: b\n", 7, &out, &err), -1);
    assert_int_equal(kubeconfig_with_port("server: a\nserver: b\n", 7, &out, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),  cmocka_unit_test(test_queue),
        cmocka_unit_test(test_nonsense), cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_folder),   cmocka_unit_test(test_kubeconfig),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
