#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/image/dpkg.h"
#include "builder/image/osrelease.h"
#include "builder/inspect/gather.h"

enum { OS_RELEASE_MAX = 64 * 1024, DPKG_STATUS_MAX = 64 << 20 };

/* A value of os-release, cleaned, or NULL. */
static char *value_of(const struct buffer *text, const char *key)
{
    char *value AUTO_FREE = os_release_value(text->data, text->len, key);
    return value ? report_text(value, strlen(value)) : NULL;
}

/* What is at the first path is mostly a link to the second. */
static int read_os_release(struct inspection *in, struct error *err)
{
    static const char *const paths[] = {"/etc/os-release", "/usr/lib/os-release"};
    struct report *r = in->report;
    struct buffer text AUTO_BUFFER = buffer_heap();
    int found = 0;
    for (size_t i = 0; i < ARRAY_LEN(paths) && found <= 0; i++)
        found = inspect_read(in, paths[i], OS_RELEASE_MAX, &text, err);
    if (found <= 0)
        return found < 0 ? -1 : error_set(err, "there is no %s", paths[0]);
    r->os_id = value_of(&text, "ID");
    r->os_version = value_of(&text, "VERSION_ID");
    r->os_name = value_of(&text, "PRETTY_NAME");
    if (!r->os_name && r->os_id)
        r->os_name = heap_printf("%s %s", r->os_id, r->os_version ? r->os_version : "");
    return 0;
}

static int read_architecture(struct inspection *in, struct error *err)
{
    struct buffer text AUTO_BUFFER = buffer_heap(), word AUTO_BUFFER = buffer_heap();
    if (inspect_read(in, "/var/lib/dpkg/status", DPKG_STATUS_MAX, &text, err) < 0)
        return -1;
    if (dpkg_architecture(text.data, text.len, &word))
        in->report->architecture = report_text(word.data, word.len);
    return 0;
}

int gather_system(struct inspection *in, struct error *err)
{
    if (read_os_release(in, err) < 0 || read_architecture(in, err) < 0)
        return -1;
    return 0;
}
