#include "builder/image/base-selinux.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "builder/heap.h"

#define CONFIG "/etc/selinux/config"

/* The value of KEY= in the last line that begins with it, without blanks around; NULL: there is
 * none. The caller frees it. */
static char *value_of(const char *text, const char *key)
{
    char *value = NULL;
    size_t n = strlen(key);
    while (*text) {
        size_t len = strcspn(text, "\n"), indent = strspn(text, " \t");
        const char *line = text + indent;
        if (indent < len && strncasecmp(line, key, n) == 0 && line[n] == '=') {
            const char *from = line + n + 1;
            from += strspn(from, " \t");
            free(value);
            value = heap_printf("%.*s", (int)strcspn(from, " \t\r\n"), from);
        }
        text += len + (text[len] == '\n');
    }
    return value;
}

int base_refuse_selinux(const struct disk_writer *writer, struct disk *disk,
                        const struct base *base, struct error *err)
{
    const struct base_file *config = base_file(base, CONFIG);
    char *mode AUTO_FREE = config ? value_of(config->text, "SELINUX") : NULL;
    char *type AUTO_FREE = config ? value_of(config->text, "SELINUXTYPE") : NULL;
    if (!mode || (strcasecmp(mode, "enforcing") != 0 && strcasecmp(mode, "permissive") != 0))
        return 0;
    char *folder AUTO_FREE =
        heap_printf("/etc/selinux/%s/policy", type && *type ? type : "targeted");
    struct buffer names AUTO_BUFFER = buffer_heap();
    if (writer->list(disk, folder, &names, err) < 0)
        return -1;
    if (!names.len)
        return 0;
    return error_set(err,
                     "the base (%s) has SELinux switched on (SELINUX=%s in " CONFIG
                     ", a policy in %s): what firstboot writes before the policy is loaded would "
                     "have no labels; take a base that says SELINUX=disabled there",
                     base->os_name, mode, folder);
}
