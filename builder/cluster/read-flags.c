/* `flags` of cluster.yaml: the user's for Kubernetes' programs. */
#include <stdlib.h>
#include <string.h>

#include "builder/cluster/flag-table.h"
#include "builder/cluster/forms.h"
#include "builder/cluster/read-settings.h"
#include "builder/cluster/spec.h"
#include "builder/heap.h"
#include "common/cleanup.h"

enum { FLAGS_MAX = 100 };

struct reading {
    struct settings *settings;
    const char *program;
};

static int read_flag(const char *key, struct yaml_ref key_ref, struct yaml_ref value, void *dest,
                     struct error *err)
{
    struct reading *r = dest;
    struct settings *s = r->settings;
    struct error cause = ERROR_INIT;
    char *text AUTO_FREE = NULL;
    int result = 0;
    if (form_flag(key, &cause) < 0)
        result = yaml_error(key_ref, err, "%s", cause.text);
    else if (strcmp(r->program, "kube-proxy") == 0 && !flag_find(r->program, key))
        result = yaml_error(key_ref, err,
                            "kube-proxy has a configuration, beside which it does not look at "
                            "--%.64s; replace that file with `files`",
                            key);
    if (yaml_read_text(value, &text, err) < 0)
        return -1;
    if (form_flag_value(text, &cause) < 0)
        result = yaml_error(value, err, "%s", cause.text);
    *APPEND(s->flags, s->flag_count, s->flag_cap) = (struct flag_setting){
        heap_copy(r->program), heap_copy(key), steal(text), yaml_line(key_ref)};
    return result;
}

static int read_program(const char *key, struct yaml_ref key_ref, struct yaml_ref value, void *dest,
                        struct error *err)
{
    struct reading reading = {&((struct spec *)dest)->settings, key};
    if (!flag_component(key))
        return yaml_error(key_ref, err,
                          "'%.64s' is none of the programs whose flags are known: kube-apiserver, "
                          "kube-controller-manager, kube-scheduler, kubelet, kube-proxy",
                          key);
    return yaml_read_pairs(value, FLAGS_MAX, read_flag, &reading, err);
}

int read_flags(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_pairs(ref, FLAGS_MAX, read_program, dest, err);
}
