/* What a package brings: the first byte says which reader gets the rest. A .deb goes through a
 * file without a name. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/package/choose.h"
#include "builder/package/deb.h"
#include "builder/package/group.h"
#include "builder/package/ldcache.h"
#include "builder/package/owner.h"
#include "builder/package/register.h"
#include "builder/package/scripts.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "fuzz/exact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
    if (!truth)
        abort();
}

static void unpack(struct deb *deb)
{
    char folder[] = "/tmp/nodebake-fuzz-XXXXXX";
    struct error err = ERROR_INIT;
    struct buffer stanza AUTO_BUFFER = buffer_heap();
    require(mkdtemp(folder) != NULL);
    int result = deb_unpack(deb, folder, "", &err);
    require((result < 0) == (err.text[0] != '\0'));
    if (result == 0 && register_stanza(deb, &stanza, &err) == 0)
        require(dpkg_installed(stanza.data, stanza.len, deb->name));
    for (size_t i = 0; i < deb->item_count; i++) {
        const struct entry *entry = &deb->items[i].entry;
        require(tree_path_clean(entry->path));
        if (entry->host)
            unlink(entry->host);
    }
    require(rmdir(folder) == 0);
}

static void read_deb(const char *bytes, size_t size)
{
    struct error err = ERROR_INIT;
    struct deb *deb AUTO_DEB = NULL;
    int fd AUTO_CLOSE = memfd_create("deb", MFD_CLOEXEC);
    char *path AUTO_FREE = heap_printf("/proc/self/fd/%d", fd);
    require(fd >= 0 && file_write_all(fd, bytes, size) == 0);
    int result = deb_open(path, NULL, &deb, &err);
    require((result < 0) == (err.text[0] != '\0'));
    if (result == 0)
        unpack(deb);
}

static int exists(void *ctx, const char *path, struct error *err)
{
    (void)err;
    require(tree_path_clean(path));
    return (strlen(path) + *(const size_t *)ctx) % 2 == 0;
}

static void read_script(const char *text, size_t size)
{
    static const char *const args[] = {"configure", ""};
    for (size_t odd = 0; odd < 2; odd++) {
        struct error err = ERROR_INIT;
        struct script_actions actions AUTO_ACTIONS = {0};
        const struct script_system system = {exists, &odd};
        int result = script_judge(text, size, args, 2, &system, &actions, &err);
        require(result == 1 || (result == 0 && actions.count == 0 && err.text[0] != '\0'));
    }
}

/* The text is the base's database, and the stanza of a package. */
static void read_control(const char *text, size_t size)
{
    static const char *const wanted[] = {"socat"};
    struct error err = ERROR_INIT;
    struct choices choices AUTO_CHOICES = {0};
    struct deb_control control = {.name = heap_copy("control"), .text = (char *)text, .len = size};
    struct deb deb = {.path = heap_copy("fuzz"),
                      .name = heap_copy("socat"),
                      .version = heap_copy("1"),
                      .architecture = heap_copy("amd64"),
                      .controls = &control,
                      .control_count = 1};
    struct deb *items[] = {&deb};
    struct deb_set set = {.folder = deb.path, .items = items, .count = 1};
    int result =
        choose_debs((struct dpkg_text){text, size}, "amd64", &set, wanted, 1, &choices, &err);
    require((result < 0) == (err.text[0] != '\0'));
    free(control.name);
    free(deb.path);
    free(deb.name);
    free(deb.version);
    free(deb.architecture);
}

static void read_others(const char *text, size_t size)
{
    struct group group AUTO_GROUP = {0};
    struct ldcache cache AUTO_LDCACHE = {0};
    struct buffer out AUTO_BUFFER = buffer_heap();
    if (group_read((struct dpkg_text){text, size}, "x", &group))
        require(group.link_count > 0);
    if (ldcache_parse(text, size, &cache)) {
        ldcache_add(&cache, "libx.so.1", "/lib/libx.so.1");
        ldcache_format(&cache, &out);
        struct ldcache again AUTO_LDCACHE = {0};
        require(ldcache_parse(out.data, out.len, &again) && again.count == cache.count);
    }
    owner_number((struct dpkg_text){text, size}, "root", 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *text = exact_copy(data + 1, size - 1);
    switch (data[0]) {
    case 'd':
        read_deb(text, size - 1);
        break;
    case 's':
        read_script(text, size - 1);
        break;
    case 'c':
        read_control(text, size - 1);
        break;
    default:
        read_others(text, size - 1);
    }
    free(text);
    return 0;
}
