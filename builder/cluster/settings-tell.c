#include <string.h>

#include "builder/cluster/settings.h"

/* Lengths stand before texts: no two settings give the same bytes. */
static void tell_text(const char *text, struct buffer *out)
{
    buffer_printf(out, " %zu:%s", text ? strlen(text) : 0, text ? text : "-");
}

static void tell_texts(const char *name, const struct texts *texts, struct buffer *out)
{
    buffer_printf(out, "%s %zu", name, texts->count);
    for (size_t i = 0; i < texts->count; i++)
        tell_text(texts->items[i], out);
    buffer_puts(out, "\n");
}

static void tell_access(const struct access *access, struct buffer *out)
{
    buffer_printf(out, "access %d %d %d", access->metadata, access->sudo, access->rescue);
    tell_text(access->user, out);
    buffer_puts(out, "\n");
    tell_texts("keys", &access->keys, out);
}

static void tell_network(const struct settings *s, struct buffer *out)
{
    buffer_puts(out, "proxy");
    tell_text(s->proxy.http, out);
    tell_text(s->proxy.https, out);
    buffer_puts(out, "\n");
    tell_texts("no", &s->proxy.no, out);
    for (size_t i = 0; i < s->registry_count; i++) {
        buffer_puts(out, "registry");
        tell_text(s->registries[i].host, out);
        tell_text(s->registries[i].ca, out);
        tell_texts("", &s->registries[i].mirrors, out);
    }
    tell_texts("ntp", &s->ntp, out);
}

static void tell_units(const struct settings *s, struct buffer *out)
{
    for (size_t i = 0; i < s->unit_count; i++) {
        buffer_printf(out, "unit %d", (int)s->units[i].state);
        tell_text(s->units[i].name, out);
        tell_text(s->units[i].wanted_by, out);
        buffer_puts(out, "\n");
    }
}

void settings_tell(const struct settings *s, struct buffer *out)
{
    buffer_printf(out, "settings %d %d %d %d %llu", (int)s->cloud_init, (int)s->cgroups,
                  (int)s->firewall, s->kernel_updates, (unsigned long long)s->journal_size);
    tell_text(s->containerd_runtime, out);
    buffer_puts(out, "\n");
    tell_access(&s->access, out);
    tell_network(s, out);
    tell_units(s, out);
    tell_texts("kernel", &s->kernel_args, out);
    tell_texts("modules", &s->modules, out);
    tell_texts("packages", &s->packages, out);
    for (size_t i = 0; i < s->sysctl_count; i++) {
        buffer_puts(out, "sysctl");
        tell_text(s->sysctl[i].key, out);
        tell_text(s->sysctl[i].value, out);
        buffer_puts(out, "\n");
    }
}
