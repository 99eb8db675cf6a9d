#include "builder/cluster/read-settings.h"

#include <stdlib.h>
#include <string.h>

#include "builder/cluster/read-forms.h"
#include "builder/heap.h"

/* name_item reads one item into a struct texts, name_list a list of them. */
#define LIST_READER(name, check)                                                                   \
    static int name##_item(struct yaml_ref ref, void *dest, struct error *err)                     \
    {                                                                                              \
        return append_form(ref, check, dest, err);                                                 \
    }                                                                                              \
    static int name##_list(struct yaml_ref ref, void *dest, struct error *err)                     \
    {                                                                                              \
        return yaml_read_list(ref, 0, SETTINGS_LIST_MAX, name##_item, dest, err);                  \
    }

#define FORM_READER(name, check)                                                                   \
    static int name(struct yaml_ref ref, void *dest, struct error *err)                            \
    {                                                                                              \
        return read_form(ref, check, dest, err);                                                   \
    }

LIST_READER(key, form_ssh_key)
LIST_READER(argument, form_kernel_argument)
LIST_READER(no_proxy, form_no_proxy)
LIST_READER(host, form_host)
LIST_READER(module, form_module)
LIST_READER(package, form_package)
LIST_READER(mirror, form_url)
FORM_READER(user_name, form_user)
FORM_READER(url, form_url)

int read_cloud_init(struct yaml_ref ref, void *dest, struct error *err)
{
    static const char *const words[] = {"disable", "keep", NULL};
    struct spec *spec = dest;
    int choice = 0;
    if (read_choice(ref, words, &choice, err) < 0)
        return -1;
    spec->settings.cloud_init = choice ? CLOUD_INIT_KEEP : CLOUD_INIT_DISABLE;
    return 0;
}

int read_on_failure(struct yaml_ref ref, void *dest, struct error *err)
{
    static const char *const words[] = {"continue", "poweroff", "shell", NULL};
    struct spec *spec = dest;
    int choice = 0;
    if (read_choice(ref, words, &choice, err) < 0)
        return -1;
    spec->settings.on_failure = (enum on_failure)choice;
    return 0;
}

int read_access(struct yaml_ref ref, void *dest, struct error *err)
{
    static const struct yaml_field fields[] = {
        {"user", user_name, offsetof(struct access, user), true},
        {"keys", key_list, offsetof(struct access, keys), false},
        {"metadata", yaml_read_bool, offsetof(struct access, metadata), false},
        {"sudo", yaml_read_bool, offsetof(struct access, sudo), false},
        {"rescue", yaml_read_bool, offsetof(struct access, rescue), false},
    };
    struct access *access = &((struct spec *)dest)->settings.access;
    access->sudo = true;
    if (yaml_read_map(ref, fields, ARRAY_LEN(fields), access, err) < 0)
        return -1;
    if (!access->keys.count && !access->metadata)
        return yaml_error(ref, err, "nobody could log in; give `keys`, or `metadata: true`");
    return 0;
}

int read_kernel_args(struct yaml_ref ref, void *dest, struct error *err)
{
    return argument_list(ref, &((struct spec *)dest)->settings.kernel_args, err);
}

int read_cgroups(struct yaml_ref ref, void *dest, struct error *err)
{
    static const char *const words[] = {"v1", "v2", NULL};
    struct spec *spec = dest;
    int choice = 0;
    if (read_choice(ref, words, &choice, err) < 0)
        return -1;
    spec->settings.cgroups = choice ? CGROUPS_V2 : CGROUPS_V1;
    return 0;
}

int read_runtime(struct yaml_ref ref, void *dest, struct error *err)
{
    static const char *const words[] = {"io.containerd.runc.v2", "io.containerd.runtime.v1.linux",
                                        NULL};
    struct spec *spec = dest;
    int choice = 0;
    if (read_choice(ref, words, &choice, err) < 0)
        return -1;
    spec->runtime_ref = ref;
    return yaml_read_text(ref, &spec->settings.containerd_runtime, err);
}

int read_proxy(struct yaml_ref ref, void *dest, struct error *err)
{
    static const struct yaml_field fields[] = {
        {"http", url, offsetof(struct proxy, http), false},
        {"https", url, offsetof(struct proxy, https), false},
        {"no", no_proxy_list, offsetof(struct proxy, no), false},
    };
    struct proxy *proxy = &((struct spec *)dest)->settings.proxy;
    if (yaml_read_map(ref, fields, ARRAY_LEN(fields), proxy, err) < 0)
        return -1;
    if (!proxy->http && !proxy->https)
        return yaml_error(ref, err, "no proxy is named; give `http`, `https` or both");
    return 0;
}

/* A registry while it is read: `ca` notes its path in the spec. */
struct registry_reading {
    struct spec *spec;
    struct registry *registry;
};

static int registry_mirrors(struct yaml_ref ref, void *dest, struct error *err)
{
    struct registry_reading *r = dest;
    return mirror_list(ref, &r->registry->mirrors, err);
}

static int registry_ca(struct yaml_ref ref, void *dest, struct error *err)
{
    struct registry_reading *r = dest;
    return read_path(ref, false, "name a PEM file with certificates", r->spec, &r->registry->ca,
                     err);
}

static int read_registry(const char *key, struct yaml_ref key_ref, struct yaml_ref value,
                         void *dest, struct error *err)
{
    static const struct yaml_field fields[] = {
        {"mirrors", registry_mirrors, 0, false},
        {"ca", registry_ca, 0, false},
    };
    struct spec *spec = dest;
    struct settings *s = &spec->settings;
    struct error cause = ERROR_INIT;
    int result = 0;
    if (form_registry(key, &cause) < 0)
        result = yaml_error(key_ref, err, "%s", cause.text);
    struct registry *registry = APPEND(s->registries, s->registry_count, s->registry_cap);
    *registry = (struct registry){.host = heap_copy(key), .line = yaml_line(key_ref)};
    struct registry_reading reading = {spec, registry};
    if (yaml_read_map(value, fields, ARRAY_LEN(fields), &reading, err) < 0)
        return -1;
    if (!registry->mirrors.count && !registry->ca)
        return yaml_error(value, err, "nothing is said of it; give `mirrors`, `ca` or both");
    return result;
}

int read_registries(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_pairs(ref, SETTINGS_LIST_MAX, read_registry, dest, err);
}

int read_ntp(struct yaml_ref ref, void *dest, struct error *err)
{
    return host_list(ref, &((struct spec *)dest)->settings.ntp, err);
}

static int read_parameter(const char *key, struct yaml_ref key_ref, struct yaml_ref value,
                          void *dest, struct error *err)
{
    struct settings *s = &((struct spec *)dest)->settings;
    struct error cause = ERROR_INIT;
    char *text AUTO_FREE = NULL;
    int result = 0;
    if (form_sysctl(key, &cause) < 0)
        result = yaml_error(key_ref, err, "%s", cause.text);
    if (yaml_read_text(value, &text, err) < 0)
        return -1;
    *APPEND(s->sysctl, s->sysctl_count, s->sysctl_cap) = (struct pair){heap_copy(key), steal(text)};
    return result;
}

int read_sysctl(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_pairs(ref, SETTINGS_LIST_MAX, read_parameter, dest, err);
}

int read_modules(struct yaml_ref ref, void *dest, struct error *err)
{
    return module_list(ref, &((struct spec *)dest)->settings.modules, err);
}

static int append_path(struct yaml_ref ref, bool is_folder, const char *hint, struct spec *spec,
                       struct texts *texts, struct error *err)
{
    char *path AUTO_FREE = NULL;
    if (read_path(ref, is_folder, hint, spec, &path, err) < 0)
        return -1;
    if (texts_have(texts, path))
        return yaml_error(ref, err, "'%.64s' stands here twice", path);
    texts_add(texts, path);
    return 0;
}

static int read_trusted_ca(struct yaml_ref ref, void *dest, struct error *err)
{
    struct spec *spec = dest;
    return append_path(ref, false, "name a PEM file with certificates", spec,
                       &spec->settings.trusted_cas, err);
}

int read_trusted_cas(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_list(ref, 0, SETTINGS_LIST_MAX, read_trusted_ca, dest, err);
}

static int read_container_image(struct yaml_ref ref, void *dest, struct error *err)
{
    struct spec *spec = dest;
    return append_path(ref, false, "name an archive of `docker save` or skopeo", spec,
                       &spec->settings.container_images, err);
}

int read_container_images(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_list(ref, 0, SETTINGS_LIST_MAX, read_container_image, dest, err);
}

static int read_overlay(struct yaml_ref ref, void *dest, struct error *err)
{
    struct spec *spec = dest;
    return append_path(ref, true, "name a folder that mirrors /", spec, &spec->settings.overlays,
                       err);
}

int read_overlays(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_list(ref, 0, SETTINGS_LIST_MAX, read_overlay, dest, err);
}

int read_packages(struct yaml_ref ref, void *dest, struct error *err)
{
    return package_list(ref, &((struct spec *)dest)->settings.packages, err);
}

int read_repositories(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_bool(ref, &((struct spec *)dest)->settings.repositories, err);
}

int read_firewall(struct yaml_ref ref, void *dest, struct error *err)
{
    static const char *const words[] = {"refuse", "open", "disable", NULL};
    static const enum firewall values[] = {FIREWALL_REFUSE, FIREWALL_OPEN, FIREWALL_DISABLE};
    struct spec *spec = dest;
    int choice = 0;
    if (read_choice(ref, words, &choice, err) < 0)
        return -1;
    spec->settings.firewall = values[choice];
    return 0;
}

int read_kernel_updates(struct yaml_ref ref, void *dest, struct error *err)
{
    static const char *const words[] = {"hold", "allow", NULL};
    struct spec *spec = dest;
    int choice = 0;
    if (read_choice(ref, words, &choice, err) < 0)
        return -1;
    spec->settings.kernel_updates = choice == 1;
    return 0;
}

int read_journal_size(struct yaml_ref ref, void *dest, struct error *err)
{
    const uint64_t least = 16 << 20, most = 64ULL << 30;
    uint64_t size = 0;
    if (yaml_read_size(ref, &size, err) < 0)
        return -1;
    if (size < least || size > most)
        return yaml_error(ref, err, "the journal takes 16MiB to 64GiB");
    ((struct spec *)dest)->settings.journal_size = size;
    return 0;
}
