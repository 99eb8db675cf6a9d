#include <string.h>

#include "builder/heap.h"
#include "builder/plan/part.h"

static const char SOURCE[] = "cluster.yaml: proxy";

/* What systemd finds in Environment= it shows to every user; not so what is in this file. */
#define ENVIRONMENT "/etc/nodebake/proxy.env"
static const char DROP_IN[] = "[Service]\nEnvironmentFile=" ENVIRONMENT "\n";

/* Those that pull images; one whose unit is absent does not mind. */
static const char *const services[] = {"containerd", "docker"};

static void add_once(struct texts *texts, const char *text)
{
    if (!texts_have(texts, text))
        texts_add(texts, text);
}

/* What no proxy must see: a node without it has to work as with it. */
static void find_direct(const struct cluster *cluster, struct texts *out)
{
    char *domain AUTO_FREE = heap_printf(".%s", cluster->domain);
    const char *const own[] = {"localhost",
                               "127.0.0.0/8",
                               "::1",
                               cluster->nodes_cidr,
                               cluster->pods_cidr,
                               cluster->services_cidr,
                               ".svc",
                               domain,
                               "169.254.169.254",
                               "metadata.google.internal",
                               cluster->public_address};
    const struct texts *no = &cluster->settings.proxy.no;
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        add_once(out, own[i]);
    for (size_t i = 0; i < no->count; i++)
        add_once(out, no->items[i]);
}

/* Programs differ in the case that they look for. Neither URLs nor the names hold a quote. */
static void add_variable(struct buffer *out, const char *prefix, const char *upper,
                         const char *lower, const char *value)
{
    if (value)
        buffer_printf(out, "%s%s='%s'\n%s%s='%s'\n", prefix, upper, value, prefix, lower, value);
}

static void add_variables(struct buffer *out, const char *prefix, const struct cluster *cluster)
{
    const struct proxy *proxy = &cluster->settings.proxy;
    struct texts direct AUTO_TEXTS = {0};
    struct buffer no AUTO_BUFFER = buffer_heap();
    find_direct(cluster, &direct);
    for (size_t i = 0; i < direct.count; i++)
        buffer_printf(&no, "%s%s", i ? "," : "", direct.items[i]);
    add_variable(out, prefix, "HTTP_PROXY", "http_proxy", proxy->http);
    add_variable(out, prefix, "HTTPS_PROXY", "https_proxy", proxy->https);
    add_variable(out, prefix, "NO_PROXY", "no_proxy", no.data);
}

/* apt takes the proxy of http for https, too, unless it is told another one. Of what goes without
 * it knows hosts only. */
static void add_apt(struct buffer *out, const struct proxy *proxy)
{
    if (proxy->http)
        buffer_printf(out, "Acquire::http::Proxy \"%s\";\n", proxy->http);
    buffer_printf(out, "Acquire::https::Proxy \"%s\";\n", proxy->https ? proxy->https : "DIRECT");
    for (size_t i = 0; i < proxy->no.count; i++) {
        const char *host = proxy->no.items[i];
        if (*host != '.' && !strchr(host, '/'))
            buffer_printf(out,
                          "Acquire::http::Proxy::%s \"DIRECT\";\n"
                          "Acquire::https::Proxy::%s \"DIRECT\";\n",
                          host, host);
    }
}

static bool has_user(const char *url)
{
    return url && strchr(url, '@');
}

static int add_drop_in(struct plan *plan, const char *service, struct error *err)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    char *path AUTO_FREE =
        heap_printf("/etc/systemd/system/%s.service.d/50-nodebake-proxy.conf", service);
    buffer_puts(&text, DROP_IN);
    return part_text(plan, path, 0644, &text, SOURCE, err);
}

int part_proxy(struct plan *plan, struct error *err)
{
    const struct cluster *cluster = plan->in.cluster;
    const struct proxy *proxy = &cluster->settings.proxy;
    /* Root's alone when there is a password in it; shells and apt pass over what they cannot
     * read. */
    mode_t mode = has_user(proxy->http) || has_user(proxy->https) ? 0600 : 0644;
    struct buffer environment AUTO_BUFFER = buffer_heap(), shell AUTO_BUFFER = buffer_heap(),
                              apt AUTO_BUFFER = buffer_heap();
    if (!proxy->http && !proxy->https)
        return 0;
    add_variables(&environment, "", cluster);
    add_variables(&shell, "export ", cluster);
    add_apt(&apt, proxy);
    for (size_t i = 0; i < ARRAY_LEN(services); i++)
        if (add_drop_in(plan, services[i], err) < 0)
            return -1;
    if (part_text(plan, ENVIRONMENT, 0600, &environment, SOURCE, err) < 0 ||
        part_text(plan, "/etc/profile.d/nodebake-proxy.sh", mode, &shell, SOURCE, err) < 0)
        return -1;
    return part_text(plan, "/etc/apt/apt.conf.d/50nodebake-proxy", mode, &apt, SOURCE, err);
}
