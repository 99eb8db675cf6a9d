/* The files of a base system that are read before it is written to: fstab, os-release and dpkg's
 * database, all three out of the same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/image/dpkg.h"
#include "builder/image/fstab.h"
#include "builder/image/osrelease.h"
#include "fuzz/exact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
    if (!truth)
        abort();
}

static void read_fstab(const char *text, size_t size)
{
    struct error err = ERROR_INIT;
    struct fstab fstab = fstab_open(text, size);
    struct fstab_entry entry;
    int more;
    unsigned line = 0;
    while ((more = fstab_next(&fstab, &entry, &err)) > 0) {
        require(*entry.spec && *entry.dir && *entry.type && entry.line > line);
        line = entry.line;
        fstab_has_option(&entry, "nofail");
    }
    require((more < 0) == (err.text[0] != '\0'));
}

static void read_dpkg(const char *text, size_t size)
{
    static const char *const packages[] = {"socat", "dpkg"};
    struct buffer words AUTO_BUFFER = buffer_heap();
    size_t missing = dpkg_missing(text, size, packages, 2, &words);
    require(missing <= 2 && (missing == 0) == (words.len == 0));
    if (dpkg_architecture(text, size, &words))
        require(dpkg_installed(text, size, "dpkg"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = exact_copy(data, size);
    read_fstab(text, size);
    read_dpkg(text, size);
    char *id AUTO_FREE = os_release_value(text, size, "ID");
    require(!id || *id);
    free(text);
    return 0;
}
