#include "builder/install.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/heap.h"

static const struct {
    const char *data, *hook, *firstboot; /* from the folder of the program */
} layouts[] = {
    {"../share/nodebake", "../share/nodebake/hook", "../lib/nodebake/firstboot"},
    {"..", "../firstboot/hook", "firstboot"},
};

int install_find(struct install *out, struct error *err)
{
    char exe[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (n <= 0)
        return error_errno(err, "read /proc/self/exe");
    exe[n] = '\0';
    *strrchr(exe, '/') = '\0';
    for (size_t i = 0; i < ARRAY_LEN(layouts); i++) {
        char *profiles AUTO_FREE = heap_printf("%s/%s/profiles", exe, layouts[i].data);
        if (access(profiles, R_OK) < 0)
            continue;
        out->data = heap_printf("%s/%s", exe, layouts[i].data);
        out->hook = heap_printf("%s/%s", exe, layouts[i].hook);
        out->firstboot = heap_printf("%s/%s", exe, layouts[i].firstboot);
        return 0;
    }
    return error_set(err,
                     "nodebake's profiles are neither in %s/../share/nodebake nor in %s/..; "
                     "install it whole (make install) or run it from its build folder",
                     exe, exe);
}

char *install_profile(const struct install *install, const char *name)
{
    return heap_printf("%s/profiles/%s.yaml", install->data, name);
}

char *install_release(const struct install *install, const char *kubernetes)
{
    return heap_printf("%s/profiles/releases/%s.yaml", install->data, kubernetes);
}

void install_free(struct install *install)
{
    free(install->data);
    free(install->hook);
    free(install->firstboot);
}
