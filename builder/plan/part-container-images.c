/* Container images that lie in the disk image, for overlays' nodebake-images.service to import
 * before the kubelet starts: PATH_IMAGES/NN-FILE, and beside it NN-FILE.names with a line an image,
 * the name by which the kubelet asks for it and the one that it has in the archive. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "builder/artifact/container-image.h"
#include "builder/heap.h"
#include "builder/plan/part.h"

static const char SOURCE[] = "cluster.yaml: containerImages";

enum { NAME_MAX_BYTES = 100 };

/* A name that no tool has to quote, which no other archive has. The caller frees it. */
static char *place_of(size_t i, const char *host)
{
    const char *slash = strrchr(host, '/');
    char *place =
        heap_printf(PATH_IMAGES "/%02zu-%.*s", i, NAME_MAX_BYTES, slash ? slash + 1 : host);
    for (char *p = place + strlen(PATH_IMAGES) + 1; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
            *p = '-';
    return place;
}

/* Reads the archive's names; `all` gets the full ones. */
static int add_names(struct plan *plan, const char *place, const char *host, struct texts *all,
                     struct error *err)
{
    struct texts names AUTO_TEXTS = {0};
    struct buffer text AUTO_BUFFER = buffer_heap();
    char *path AUTO_FREE = heap_printf("%s.names", place);
    if (container_image_read(host, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        char *full AUTO_FREE = container_image_full_name(names.items[i]);
        if (texts_have(all, full))
            return error_set(err, "%s is in another archive, too", full);
        texts_add(all, full);
        buffer_printf(&text, "%s %s\n", full, names.items[i]);
    }
    return part_text(plan, path, 0644, &text, SOURCE, err);
}

/* Reading archives takes its time: not for a draft. */
static int add_archive(struct plan *plan, size_t i, struct texts *all, struct error *err)
{
    const char *host = plan->in.cluster->settings.container_images.items[i];
    char *place AUTO_FREE = place_of(i, host);
    if (part_host(plan, place, 0644, host, false, SOURCE, err) < 0 ||
        (plan->in.base && add_names(plan, place, host, all, err) < 0))
        return error_context(err, "%s", host);
    return 0;
}

/* Every pod has a container of the sandbox image. */
static void look_for_sandbox(struct plan *plan, const struct texts *all)
{
    char *full AUTO_FREE = container_image_full_name(plan->in.release->sandbox_image);
    if (texts_have(all, full))
        return;
    char *remark AUTO_FREE =
        heap_printf("no archive of containerImages holds %s, which every pod needs: nodes pull it "
                    "from its registry",
                    full);
    texts_add(&plan->remarks, remark);
}

int part_container_images(struct plan *plan, struct error *err)
{
    const struct texts *archives = &plan->in.cluster->settings.container_images;
    struct texts all AUTO_TEXTS = {0};
    if (!archives->count || strcmp(plan->in.role->name, "worker") != 0)
        return 0;
    if (part_dir(plan, PATH_IMAGES, 0755, SOURCE, err) < 0)
        return -1;
    for (size_t i = 0; i < archives->count; i++)
        if (add_archive(plan, i, &all, err) < 0)
            return error_context(err, "%s: containerImages", plan->in.cluster->file);
    if (plan->in.base)
        look_for_sandbox(plan, &all);
    return 0;
}
