#include <signal.h>

#include "builder/image/disk-fixture.h"
#include "builder/image/qemu-nbd.h"

enum { DISK_SIZE = 1 << 20 };

static int start(const char *path, struct qemu_nbd **out, struct error *err)
{
    const char *const arguments[] = {"--cache=unsafe", "-f", "qcow2", path, NULL};
    return qemu_nbd_start(path, arguments, out, err);
}

static struct qemu_nbd *started(const char *path)
{
    struct error err = ERROR_INIT;
    struct qemu_nbd *server = NULL;
    expect(start(path, &server, &err), &err);
    return server;
}

/* An absolute name, so that only our own servers are found by it. */
static char *make_image(const char *folder)
{
    char *path = heap_printf("%s/image.qcow2", folder);
    RUN("qemu-img", "create", "-q", "-f", "qcow2", path, "1M");
    return path;
}

static void bytes_come_back(void **state)
{
    struct error err = ERROR_INIT;
    char *path AUTO_FREE = make_image(*state);
    char bytes[100], *big AUTO_FREE = heap_array(DISK_SIZE, 1);
    struct qemu_nbd *server = started(path);
    assert_int_equal(qemu_nbd_size(server), DISK_SIZE);
    expect(qemu_nbd_write(server, 65530, "over the border", 15, &err), &err);
    expect(qemu_nbd_stop(server, true, &err), &err);
    assert_int_equal(find_qemu_nbd(path), 0);
    server = started(path);
    expect(qemu_nbd_read(server, 65530, bytes, 15, &err), &err);
    assert_memory_equal(bytes, "over the border", 15);
    expect(qemu_nbd_read(server, 0, big, DISK_SIZE, &err), &err);
    assert_memory_equal(big + 65530, "over the border", 15);
    assert_int_equal(big[0], 0);
    expect(qemu_nbd_stop(server, true, &err), &err);
}

static void nothing_is_left_in_the_temporary_folder(void **state)
{
    struct error err = ERROR_INIT;
    char *path AUTO_FREE = make_image(*state);
    assert_int_equal(mkdir("tmp", 0700), 0);
    setenv("TMPDIR", "tmp", 1);
    struct qemu_nbd *server = started(path);
    assert_int_equal(count_files("tmp", ""), 0);
    expect(qemu_nbd_stop(server, true, &err), &err);
    setenv("TMPDIR", "absent", 1);
    expect_error(start(path, &server, &err), &err, "make folder absent/nodebake-");
    char *deep AUTO_FREE = heap_printf("tmp/%0100d", 0);
    assert_int_equal(mkdir(deep, 0700), 0);
    setenv("TMPDIR", deep, 1);
    expect_error(start(path, &server, &err), &err, "too long for a socket; set TMPDIR");
    assert_int_equal(count_files(deep, ""), 0);
    unsetenv("TMPDIR");
}

static void its_reasons_are_told(void **state)
{
    struct error err = ERROR_INIT;
    struct qemu_nbd *server;
    char *path AUTO_FREE = make_image(*state);
    make_disk("raw", DISK_SIZE);
    expect_error(start("raw", &server, &err), &err, "open raw: qemu-nbd ended: qemu-nbd: ");
    expect_error(-1, &err, "Image is not in qcow2 format");
    assert_null(strchr(err.text, '\n'));
    expect_error(start("absent", &server, &err), &err, "No such file or directory");
    struct qemu_nbd *first = started(path);
    expect_error(start(path, &server, &err), &err, "Failed to get \"write\" lock");
    assert_int_equal(qemu_nbd_stop(first, false, &err), 0);
}

static void the_program_may_be_absent(void **state)
{
    struct error err = ERROR_INIT;
    struct qemu_nbd *server;
    char *path AUTO_FREE = make_image(*state), *old AUTO_FREE = heap_copy(getenv("PATH"));
    setenv("PATH", "/nonexistent", 1);
    expect_error(start(path, &server, &err), &err, "run qemu-nbd: No such file or directory");
    setenv("PATH", old, 1);
}

static void ranges_outside_the_disk_are_errors(void **state)
{
    struct error err = ERROR_INIT;
    char *path AUTO_FREE = make_image(*state), byte = 0;
    struct qemu_nbd *server = started(path);
    expect_error(qemu_nbd_read(server, DISK_SIZE, &byte, 1, &err), &err, "read ");
    expect_error(qemu_nbd_write(server, DISK_SIZE, &byte, 1, &err), &err, "write ");
    err = (struct error)ERROR_INIT;
    expect(qemu_nbd_stop(server, true, &err), &err);
}

static void a_lost_server_is_an_error(void **state)
{
    struct error err = ERROR_INIT;
    char *path AUTO_FREE = make_image(*state), byte = 1;
    struct qemu_nbd *server = started(path);
    assert_int_equal(kill(find_qemu_nbd(path), SIGKILL), 0);
    assert_true(qemu_nbd_gone(path));
    expect_error(qemu_nbd_write(server, 0, &byte, 1, &err), &err, "image.qcow2: qemu-nbd ended");
    expect_error(qemu_nbd_read(server, 0, &byte, 1, &err), &err, "read ");
    expect_error(qemu_nbd_stop(server, true, &err), &err, "image.qcow2");
    server = started(path);
    assert_int_equal(kill(find_qemu_nbd(path), SIGKILL), 0);
    expect_error(qemu_nbd_stop(server, true, &err), &err, "image.qcow2");
}

static void giving_up_ends_it(void **state)
{
    struct error err = ERROR_INIT;
    char *path AUTO_FREE = make_image(*state);
    struct qemu_nbd *server = started(path);
    assert_int_not_equal(find_qemu_nbd(path), 0);
    expect(qemu_nbd_stop(server, false, &err), &err);
    assert_int_equal(find_qemu_nbd(path), 0);
}

/* Whether it has a client by then or not. */
static void it_ends_when_we_are_killed(void **state)
{
    char *path AUTO_FREE = make_image(*state);
    for (int moment = 0; moment < 30; moment++) {
        const struct timespec moment_of_death = {.tv_nsec = moment * 2 * 1000 * 1000};
        pid_t child = fork();
        if (child == 0) {
            struct error err = ERROR_INIT;
            struct qemu_nbd *server;
            (void)!start(path, &server, &err);
            pause();
            _exit(1);
        }
        nanosleep(&moment_of_death, NULL);
        assert_int_equal(kill(child, moment % 3 ? SIGKILL : SIGTERM), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_true(qemu_nbd_gone(path));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(bytes_come_back),
        IN_FOLDER(nothing_is_left_in_the_temporary_folder),
        IN_FOLDER(its_reasons_are_told),
        IN_FOLDER(the_program_may_be_absent),
        IN_FOLDER(ranges_outside_the_disk_are_errors),
        IN_FOLDER(a_lost_server_is_an_error),
        IN_FOLDER(giving_up_ends_it),
        IN_FOLDER(it_ends_when_we_are_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
