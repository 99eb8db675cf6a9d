#include "builder/artifact/container-image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/artifact/image-members.h"
#include "builder/heap.h"

enum { DIGEST_MAX = 64, DEPTH_MAX = 3 };

static const char TO_NAME[] = "give it one: `docker tag`, or `skopeo copy … "
                              "docker-archive:FILE:REGISTRY/NAME:TAG`";

static void json_free_at(json_t **json)
{
    json_decref(*json);
}
#define AUTO_JSON __attribute__((cleanup(json_free_at)))

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static bool is_name(const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "._-/:@";
    size_t n = strlen(name);
    return n && n <= IMAGE_NAME_MAX && name[strspn(name, plain)] == '\0' &&
           strchr("-/:@.", name[0]) == NULL;
}

static int add_name(const char *name, struct texts *names, struct error *err)
{
    if (!is_name(name))
        return error_set(err, "'%.64s' is no name of a container image", name);
    if (!texts_have(names, name))
        texts_add(names, name);
    return 0;
}

static int check_machine(const json_t *config, struct error *err)
{
    const char *os = text_of(config, "os"), *machine = text_of(config, "architecture");
    if (strcmp(os, "linux") == 0 && strcmp(machine, "amd64") == 0)
        return 0;
    return error_set(err, "an image for %.32s on %.32s; nodes run linux on amd64",
                     *os ? os : "nothing", *machine ? machine : "nothing");
}

/* ---- Docker's form ---- */

static int read_docker_image(const struct image_members *members, const json_t *image,
                             struct texts *names, struct error *err)
{
    json_t *config AUTO_JSON = NULL;
    const json_t *item, *tags = json_object_get(image, "RepoTags");
    size_t i;
    if (image_members_json(members, text_of(image, "Config"), &config, err) < 0 ||
        check_machine(config, err) < 0)
        return -1;
    json_array_foreach(json_object_get(image, "Layers"), i, item)
    {
        const char *layer = json_string_value(item);
        if (!layer || !image_members_find(members, layer))
            return error_set(err, "incomplete: it has no layer %.128s", layer ? layer : "");
    }
    if (!json_array_size(tags))
        return error_set(err, "an image in it has no name; %s", TO_NAME);
    json_array_foreach(tags, i, item)
    {
        const char *name = json_string_value(item);
        if (add_name(name ? name : "", names, err) < 0)
            return -1;
    }
    return 0;
}

static int read_docker(const struct image_members *members, struct texts *names, struct error *err)
{
    json_t *images AUTO_JSON = NULL;
    const json_t *image;
    size_t i;
    if (image_members_json(members, "manifest.json", &images, err) < 0)
        return -1;
    if (!json_array_size(images))
        return error_set(err, "manifest.json lists no image");
    json_array_foreach(images, i, image)
    {
        if (read_docker_image(members, image, names, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- OCI's form ---- */

/* The name of the blob that a descriptor means, "" of an impossible one. */
static void blob_name(const json_t *descriptor, char name[static DIGEST_MAX + 16])
{
    static const char prefix[] = "sha256:";
    const char *digest = text_of(descriptor, "digest");
    size_t n = strlen(prefix);
    bool plain = strncmp(digest, prefix, n) == 0 && strlen(digest + n) == DIGEST_MAX &&
                 strspn(digest + n, "0123456789abcdef") == DIGEST_MAX;
    name[0] = '\0';
    if (plain)
        snprintf(name, DIGEST_MAX + 16, "blobs/sha256/%.*s", DIGEST_MAX, digest + n);
}

static int require_blob(const struct image_members *members, const json_t *descriptor,
                        struct error *err)
{
    char name[DIGEST_MAX + 16];
    blob_name(descriptor, name);
    if (!*name || !image_members_find(members, name))
        return error_set(err, "incomplete: it has no %.80s", *name ? name : "blob of that digest");
    return 0;
}

static int read_blob(const struct image_members *members, const json_t *descriptor, json_t **out,
                     struct error *err)
{
    char name[DIGEST_MAX + 16];
    blob_name(descriptor, name);
    return image_members_json(members, name, out, err);
}

static int read_manifest(const struct image_members *members, const json_t *manifest,
                         struct error *err)
{
    json_t *config AUTO_JSON = NULL;
    const json_t *layer;
    size_t i;
    if (read_blob(members, json_object_get(manifest, "config"), &config, err) < 0 ||
        check_machine(config, err) < 0)
        return -1;
    json_array_foreach(json_object_get(manifest, "layers"), i, layer)
    {
        if (require_blob(members, layer, err) < 0)
            return -1;
    }
    return 0;
}

/* Of an image for several machines, ours; the blobs of the others may be left out. */
static const json_t *pick(const json_t *index)
{
    const json_t *descriptor;
    size_t i;
    json_array_foreach(json_object_get(index, "manifests"), i, descriptor)
    {
        const json_t *platform = json_object_get(descriptor, "platform");
        if (strcmp(text_of(platform, "os"), "linux") == 0 &&
            strcmp(text_of(platform, "architecture"), "amd64") == 0)
            return descriptor;
    }
    return NULL;
}

/* A manifest, or an index that leads to one. */
static int read_described(const struct image_members *members, const json_t *descriptor,
                          struct error *err)
{
    json_t *held[DEPTH_MAX] = {NULL};
    const json_t *at = descriptor;
    int result = 0, depth = 0;
    for (; result == 0 && at && depth < DEPTH_MAX; depth++) {
        result = read_blob(members, at, &held[depth], err);
        if (result < 0 || !json_object_get(held[depth], "manifests"))
            break;
        at = pick(held[depth]);
    }
    if (result == 0 && !at)
        result = error_set(err, "has no image for linux on amd64");
    else if (result == 0 && depth == DEPTH_MAX)
        result = error_set(err, "its indexes lie too deep");
    else if (result == 0)
        result = read_manifest(members, held[depth], err);
    for (int i = 0; i < DEPTH_MAX; i++)
        json_decref(held[i]);
    return result;
}

/* containerd's own key has the whole name; the other one has it, or only the tag. */
static const char *name_of(const json_t *descriptor)
{
    const json_t *notes = json_object_get(descriptor, "annotations");
    const char *whole = text_of(notes, "io.containerd.image.name");
    const char *name = text_of(notes, "org.opencontainers.image.ref.name");
    return *whole ? whole : strpbrk(name, ":/@") ? name : "";
}

static int read_oci(const struct image_members *members, struct texts *names, struct error *err)
{
    json_t *index AUTO_JSON = NULL;
    const json_t *descriptor, *list;
    size_t i;
    if (image_members_json(members, "index.json", &index, err) < 0)
        return -1;
    list = json_object_get(index, "manifests");
    if (!json_array_size(list))
        return error_set(err, "index.json lists no image");
    json_array_foreach(list, i, descriptor)
    {
        if (read_described(members, descriptor, err) < 0)
            return -1;
        if (!*name_of(descriptor))
            return error_set(err, "an image in it has no name; %s", TO_NAME);
        if (add_name(name_of(descriptor), names, err) < 0)
            return -1;
    }
    return 0;
}

int container_image_read(const char *path, struct texts *names, struct error *err)
{
    struct image_members members AUTO_IMAGE_MEMBERS = {0};
    if (image_members_read(path, &members, err) < 0)
        return -1;
    /* Newer Dockers write both, for readers of either; containerd takes OCI's. */
    if (image_members_find(&members, "manifest.json"))
        return read_docker(&members, names, err);
    if (image_members_find(&members, "index.json"))
        return read_oci(&members, names, err);
    return error_set(err, "no archive of container images: it has neither manifest.json nor "
                          "index.json");
}

char *container_image_full_name(const char *name)
{
    const char *slash = strchr(name, '/'), *last = strrchr(name, '/');
    bool host = slash &&
                (memchr(name, '.', (size_t)(slash - name)) ||
                 memchr(name, ':', (size_t)(slash - name)) || strncmp(name, "localhost/", 10) == 0);
    const char *tag = strchr(last ? last : name, ':') || strchr(name, '@') ? "" : ":latest";
    if (host)
        return heap_printf("%s%s", name, tag);
    return heap_printf("docker.io/%s%s%s", slash ? "" : "library/", name, tag);
}
