/* What is found in a base that has run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "builder/image/base-dirt.h"
#include "builder/image/dirt.h"
#include "builder/image/fake-disk.h"

#define ID "0123456789abcdef0123456789abcdef"

/* All of this is to go. */
static const char *const dirty[] = {
    "/etc/dhcpcd.duid",
    "/etc/ssh/ssh_host_ed25519_key",
    "/etc/ssh/ssh_host_ed25519_key.pub",
    "/home/user/.bash_history",
    "/root/.bash_history",
    "/root/.viminfo",
    "/tmp/.X11-unix",
    "/tmp/.X11-unix/X0",
    "/tmp/empty",
    "/var/cache/apt/archives/curl.deb",
    "/var/cache/apt/archives/partial/x",
    "/var/cache/apt/pkgcache.bin",
    "/var/crash/deep/dump",
    "/var/lib/NetworkManager/secret_key",
    "/var/lib/apt/lists/deb.debian.org_InRelease",
    "/var/lib/cloud/data/instance-id",
    "/var/lib/cloud/instance",
    "/var/lib/cloud/instances/i-1",
    "/var/lib/cloud/instances/i-1/sem",
    "/var/lib/cloud/instances/i-1/sem/config_ssh",
    "/var/lib/dbus/machine-id",
    "/var/lib/dhcp/dhclient.eth0.leases",
    "/var/lib/systemd/random-seed",
    "/var/log/journal/" ID,
    "/var/log/journal/" ID "/system.journal",
    "/var/log/nested/syslog",
    "/var/log/syslog",
    "/var/tmp/x",
};

/* And this stays. */
static const char *const clean[] = {
    "/etc/ssh/sshd_config",
    "/etc/ssh/ssh_host.d/conf",
    "/home/user/.ssh/authorized_keys",
    "/root/.bashrc",
    "/tmp/lost+found/x",
    "/var/cache/apparmor/profile",
    "/var/lib/apt/extended_states",
    "/var/lib/apt/lists/lock",
    "/var/lib/cloud/scripts/per-boot/x",
    "/var/lib/cloud/seed/nocloud/user-data",
    "/var/lib/dhcp/dhclient.conf",
    "/var/lib/systemd/timesync/clock",
};

static bool is_directory(size_t i)
{
    size_t len = strlen(dirty[i]);
    return i + 1 < ARRAY_LEN(dirty) && strncmp(dirty[i + 1], dirty[i], len) == 0 &&
           dirty[i + 1][len] == '/';
}

static struct disk dirty_disk(void)
{
    struct disk disk = fake_disk();
    for (size_t i = 0; i < ARRAY_LEN(dirty); i++)
        if (!is_directory(i))
            fake_text(&disk, dirty[i], strcmp(dirty[i], "/tmp/empty") == 0 ? "" : "x");
    for (size_t i = 0; i < ARRAY_LEN(clean); i++)
        fake_text(&disk, clean[i], "x");
    fake_text(&disk, "/var/log/lastlog", "");
    fake_text(&disk, "/root/.python_history", "");
    return disk;
}

static void what_is_to_go_is_found_and_nothing_else(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct disk disk AUTO_FAKE = dirty_disk();
    struct base base = {.os_id = NULL};
    assert_int_equal(base_read_dirt(&fake_writer, &disk, &base, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(dirty) || i < base.dirt.count; i++)
        assert_string_equal(i < base.dirt.count ? base.dirt.items[i] : "(none)",
                            i < ARRAY_LEN(dirty) ? dirty[i] : "(none)");
    texts_free(&base.dirt);
}

/* What is found has a kind; keys that let somebody in have one, too, and are kept. */
static void paths_have_kinds(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(dirty); i++)
        if (!dirt_kind_of(dirty[i]))
            fail_msg("%s has no kind", dirty[i]);
    assert_string_equal(dirt_kind_of("/etc/ssh/ssh_host_rsa_key")->name, "sshHostKeys");
    assert_string_equal(dirt_kind_of("/tmp/a/b/c")->label, "temporary files");
    assert_true(dirt_kind_of("/root/.ssh/authorized_keys")->kept);
    assert_null(dirt_kind_of("/tmp"));
    assert_null(dirt_kind_of("/tmpfile"));
    assert_null(dirt_kind_of("/etc/passwd"));
    assert_null(dirt_kind_of("/var/lib/cloud/seed/nocloud/user-data"));
}

/* "/tmp" may be a link to a directory: it is no temporary file. */
static void the_directory_itself_is_none(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct disk disk AUTO_FAKE = fake_disk();
    struct base base = {.os_id = NULL};
    fake_text(&disk, "/tmp", "no directory");
    assert_int_equal(base_read_dirt(&fake_writer, &disk, &base, &err), 0);
    assert_int_equal(base.dirt.count, 0);
}

static int list_fails(struct disk *disk, const char *path, struct buffer *out, struct error *err)
{
    return strcmp(path, "/etc/ssh") == 0 ? error_set(err, "damaged")
                                         : fake_list(disk, path, out, err);
}

static void what_cannot_be_read_is_an_error(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct disk disk AUTO_FAKE = dirty_disk();
    struct base base = {.os_id = NULL};
    struct disk_writer writer = fake_writer;
    writer.list = list_fails;
    assert_int_equal(base_read_dirt(&writer, &disk, &base, &err), -1);
    assert_string_equal(err.text, "look for SSH host keys of the base: damaged");
    texts_free(&base.dirt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_to_go_is_found_and_nothing_else),
        cmocka_unit_test(paths_have_kinds),
        cmocka_unit_test(the_directory_itself_is_none),
        cmocka_unit_test(what_cannot_be_read_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
