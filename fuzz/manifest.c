/* Manifests, as they lie on images. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "builder/tree/manifest.h"
#include "fuzz/exact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
    if (!truth)
        abort();
}

static void check_item(const struct manifest_item *item)
{
    const struct entry *e = &item->entry;
    require(tree_path_clean(e->path) && !e->text && !e->host);
    require(!(e->mode & ~(mode_t)07777));
    require((e->type == ENTRY_LINK || e->type == ENTRY_HARDLINK) == (e->target != NULL));
    require(strlen(item->sha256) == (e->type == ENTRY_FILE ? 64 : 0));
    for (size_t i = 1; i < e->xattr_count; i++)
        require(strcmp(e->xattrs[i - 1].name, e->xattrs[i].name) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = exact_copy(data, size);
    struct manifest manifest AUTO_MANIFEST = {.count = 0};
    struct error err = ERROR_INIT;
    int result = manifest_parse(text, size, &manifest, &err);
    require((result < 0) == (err.text[0] != '\0'));
    require(result == 0 || !manifest.count);
    for (size_t i = 0; i < manifest.count; i++) {
        check_item(&manifest.items[i]);
        require(manifest_find(&manifest, manifest.items[i].entry.path) == &manifest.items[i]);
    }
    free(text);
    return 0;
}
