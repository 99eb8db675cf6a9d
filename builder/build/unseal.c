/* Secrets of an encrypted pki folder: their text goes from there into images through memory only.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/build/build.h"
#include "builder/heap.h"
#include "builder/pki/folder.h"
#include "builder/pki/passphrase.h"
#include "builder/pki/seal.h"
#include "common/cleanup.h"

/* The name of the entry's file in the pki folder; NULL: it is none of its secrets. */
static const char *secret_name(const struct build *build, const struct entry *entry)
{
    size_t n = strlen(build->inputs.pki);
    if (!entry->secret || !entry->host || strncmp(entry->host, build->inputs.pki, n) != 0 ||
        entry->host[n] != '/')
        return NULL;
    return entry->host + n + 1;
}

char *build_told_by(const struct build *build, const struct entry *entry)
{
    const char *name = secret_name(build, entry);
    char *sealed = heap_printf("%s" SEAL_SUFFIX, entry->host);
    if (name && access(sealed, F_OK) == 0)
        return sealed;
    free(sealed);
    return heap_copy(entry->host);
}

static int unseal(int folder, const char *name, struct entry *entry, struct error *err)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    bool there;
    if (folder_read(folder, name, true, &text, &there, err) < 0)
        return -1;
    if (!there)
        return error_set(err, "%s is not there", name);
    buffer_puts(&text, ""); /* an empty file has memory, too */
    entry->len = text.len;
    entry->text = text.data;
    text = (struct buffer){0};
    free(entry->host);
    entry->host = NULL;
    return 0;
}

int build_unseal(const struct build *build, struct tree *tree, struct error *err)
{
    int folder AUTO_CLOSE = -1;
    const char *name;
    if (!passphrase_given(PASSPHRASE_NOW))
        return 0;
    if (folder_open(build->inputs.pki, false, &folder, err) < 0)
        return error_context(err, "pki folder");
    for (size_t i = 0; i < tree->count; i++)
        if ((name = secret_name(build, &tree->entries[i])) != NULL &&
            unseal(folder, name, &tree->entries[i], err) < 0)
            return error_context(err, "pki folder %s", build->inputs.pki);
    return 0;
}
