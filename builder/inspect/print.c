/* The report for people. */
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/inspect/inspect.h"

enum { LABEL = 14, DATE_MAX = 20, COLUMNS = 90 };

static const char NONE[] = "none";

static void print_size(uint64_t bytes, FILE *out)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    double n = (double)bytes;
    size_t unit = 0;
    for (; n >= 1024 && unit + 1 < ARRAY_LEN(units); unit++)
        n /= 1024;
    fprintf(out, "%.*f %s", n < 10 && unit ? 1 : 0, n, units[unit]);
}

/* "  label         " */
static void print_label(const char *label, FILE *out)
{
    fprintf(out, "  %-*s", LABEL, label);
}

static void print_row(const char *label, const char *text, FILE *out)
{
    if (!text)
        return;
    print_label(label, out);
    fprintf(out, "%s\n", text);
}

static void print_image(const struct report *r, FILE *out)
{
    fprintf(out, "%s: %s, ", r->path, r->qcow2 ? "qcow2" : "raw");
    print_size(r->size, out);
    for (size_t i = 0; i < r->below.count; i++)
        fprintf(out, "%s%s", i ? ", " : ", lies on ", r->below.items[i]);
    fprintf(out, "\n");
    if (!r->baked)
        print_row("nodebake", "no: this image was not made by nodebake", out);
}

static void print_node(const struct report *r, FILE *out)
{
    char *role AUTO_FREE =
        heap_printf("%s of %s", r->role ? r->role : "?", r->cluster ? r->cluster : "?");
    print_row("node", r->node ? r->node : "none: any of its role, without an identity", out);
    print_row("role", role, out);
    print_row("profile", r->profile, out);
    print_row("Kubernetes", r->kubernetes, out);
    print_row("build", r->build, out);
    print_row("nodebake", r->nodebake, out);
    print_row("base", r->base, out);
    if (r->stamp.there) {
        char *text AUTO_FREE =
            heap_printf("as %s (%s, %s)", r->stamp.node, r->stamp.source, r->stamp.identity);
        print_row("booted", text, out);
    } else
        print_row("booted", "no: firstboot has not finished on it", out);
}

static void print_system(const struct report *r, FILE *out)
{
    char *text AUTO_FREE =
        heap_printf("%s%s%s%s", r->os_name ? r->os_name : "unknown", r->architecture ? " (" : "",
                    r->architecture ? r->architecture : "", r->architecture ? ")" : "");
    print_row("system", text, out);
}

static const char *firstboot_text(enum firstboot_state state)
{
    static const char *const texts[] = {
        [FIRSTBOOT_UNKNOWN] = "",
        [FIRSTBOOT_ABSENT] = ", without firstboot",
        [FIRSTBOOT_SAME] = ", with firstboot",
        [FIRSTBOOT_PRESENT] = ", with firstboot, made by the system itself",
        [FIRSTBOOT_OTHER] = ", with another firstboot",
    };
    return texts[state];
}

/* A label for the first row only. */
static const char *once(const char *label, size_t i)
{
    return i ? "" : label;
}

static void print_boot(const struct report *r, FILE *out)
{
    for (size_t i = 0; i < r->kernel_count; i++) {
        print_label(once("kernel", i), out);
        fprintf(out, "%s, %s%s\n", r->kernels[i].version,
                r->kernels[i].initrd ? "initrd" : "no initrd",
                firstboot_text(r->kernels[i].firstboot));
    }
    if (!r->entry_count)
        return;
    print_row("kernel line", r->entries[0].arguments, out);
}

static void print_remarks(const struct report *r, FILE *out)
{
    for (size_t i = 0; i < r->remarks.count; i++)
        print_row(once("remark", i), r->remarks.items[i], out);
}

static int widest(int width, const char *text)
{
    int n = (int)strlen(text ? text : "");
    return n > width ? n : width;
}

static void print_components(const struct report *r, FILE *out)
{
    int name = 0, version = 0, file = 0;
    for (size_t i = 0; i < r->component_count; i++) {
        name = widest(name, r->components[i].name);
        version = widest(version, r->components[i].version);
        file = widest(file, r->components[i].file);
    }
    fprintf(out, r->component_count ? "\ncomponents\n" : "");
    for (size_t i = 0; i < r->component_count; i++) {
        const struct component *c = &r->components[i];
        fprintf(out, "  %-*s  %-*s  %-*s  %.23s%s\n", name, c->name ? c->name : "?", version,
                c->version ? c->version : "?", file, c->file ? c->file : "?",
                c->digest ? c->digest : "", c->digest && strlen(c->digest) > 23 ? "…" : "");
    }
}

static void print_certificates(const struct report *r, FILE *out)
{
    int days = 0, path = 0;
    for (size_t i = 0; i < r->certificate_count; i++) {
        const struct certificate *c = &r->certificates[i];
        char *text AUTO_FREE = heap_printf("%ld", c->days_left);
        days = widest(days, text);
        path = widest(path, c->path);
    }
    fprintf(out, r->certificate_count ? "\ncertificates\n" : "");
    for (size_t i = 0; i < r->certificate_count; i++) {
        const struct certificate *c = &r->certificates[i];
        char date[DATE_MAX] = "";
        struct tm tm;
        if (gmtime_r(&c->ends, &tm))
            strftime(date, sizeof date, "%Y-%m-%d", &tm);
        fprintf(out, "  %*ld days  %s  %-*s  %s%s\n", days, c->days_left, date, path, c->path,
                c->holder, c->ca ? " (CA)" : "");
    }
}

static void print_credentials(const struct report *r, FILE *out)
{
    int kind = 0;
    for (size_t i = 0; i < r->credential_count; i++)
        kind = widest(kind, r->credentials[i].kind);
    fprintf(out, r->credential_count ? "\nkeys, certificates and kubeconfigs\n" : "");
    for (size_t i = 0; i < r->credential_count; i++) {
        const struct credential *c = &r->credentials[i];
        fprintf(out, "  %-*s  %04o  %u:%u  %s\n", kind, c->kind, (unsigned)c->mode, c->uid, c->gid,
                c->path);
    }
}

static const char *unit_text(const struct report *r, enum unit_state state)
{
    if (state == UNIT_ABSENT)
        return "there is no such unit";
    if (state == UNIT_ENABLED)
        return "enabled";
    return r->stamp.there ? "not enabled" : "enabled by firstboot";
}

static const char *preset_text(const char *preset)
{
    if (!preset)
        return "there is none";
    return strcmp(preset, "enables") == 0 ? "enables them"
                                          : "keeps them down until firstboot has finished";
}

static void print_units(const struct report *r, FILE *out)
{
    const struct contract_report *c = &r->contract;
    int name = 0, target = 0;
    for (size_t i = 0; i < c->unit_count; i++) {
        name = widest(name, c->units[i].name);
        target = widest(target, c->units[i].target);
    }
    fprintf(out, c->unit_count ? "\nunits\n" : "");
    for (size_t i = 0; i < c->unit_count; i++)
        fprintf(out, "  %-*s  %-*s  %s\n", name, c->units[i].name, target, c->units[i].target,
                unit_text(r, c->units[i].state));
    if (c->unit_count)
        fprintf(out, "  preset: %s\n", preset_text(r->preset));
}

/* Before the machine has come up, nobody expects them. */
static void print_files(const char *title, const struct file_line *lines, size_t n, bool booted,
                        FILE *out)
{
    fprintf(out, n ? "\n%s\n" : "", title);
    for (size_t i = 0; i < n; i++)
        fprintf(out, "  %s%s%s%s\n", lines[i].file ? lines[i].file : "",
                lines[i].file ? " -> " : "", lines[i].dest,
                booted && !lines[i].there ? " (missing)" : "");
}

static void print_contract(const struct report *r, FILE *out)
{
    const struct contract_report *c = &r->contract;
    if (!c->there)
        return;
    fprintf(out, "\ncontract: version %u, deadline %u s\n", c->version, c->deadline);
    for (size_t i = 0; i < c->source_count; i++)
        fprintf(out, "  source  %s, told apart by %s\n", c->sources[i].name,
                c->sources[i].identity);
    if (c->user)
        fprintf(out, "  user    %s, whose SSH keys are taken\n", c->user);
    for (size_t i = 0; i < c->fact_count; i++) {
        const struct fact_line *f = &c->facts[i];
        fprintf(out, "  fact    %s (%s)", f->name, f->type);
        for (size_t k = 0; k < f->from.count; k++)
            fprintf(out, "%s %s", k ? "," : "", f->from.items[k]);
        fprintf(out, "\n");
    }
    print_files("identity, installed by firstboot", c->identities, c->identity_count,
                r->stamp.there, out);
    print_files("templates, rendered by firstboot", c->templates, c->template_count, r->stamp.there,
                out);
}

static void print_trace(const struct trace *t, int label, FILE *out)
{
    fprintf(out, "  %-*s  ", label, t->label);
    if (t->state) {
        fprintf(out, "%s\n", t->state);
        return;
    }
    fprintf(out, "%llu file%s, ", (unsigned long long)t->count, t->count == 1 ? "" : "s");
    print_size(t->bytes, out);
    for (size_t i = 0; i < t->examples.count; i++)
        fprintf(out, "%s%s", i ? " " : ": ", t->examples.items[i]);
    fprintf(out, "%s\n", t->count > t->examples.count ? " …" : "");
}

/* The rest, in lines that are not too long. */
static void print_clean(const struct report *r, int label, FILE *out)
{
    size_t clean = 0;
    int column = 0;
    for (size_t i = 0; i < r->trace_count; i++) {
        const struct trace *t = &r->traces[i];
        int n = (int)strlen(t->label);
        if (t->state || t->count)
            continue;
        bool breaks = clean && column + n > COLUMNS;
        if (!clean || breaks) {
            fprintf(out, "%s  %-*s  ", clean ? ",\n" : "", label, clean ? "" : NONE);
            column = label + 4;
        }
        fprintf(out, "%s%s", clean && !breaks ? ", " : "", t->label);
        column += n + 2;
        clean++;
    }
    fprintf(out, clean ? "\n" : "");
}

static void print_hygiene(const struct report *r, FILE *out)
{
    int label = (int)strlen(NONE);
    for (size_t i = 0; i < r->trace_count; i++)
        if (r->traces[i].state || r->traces[i].count)
            label = widest(label, r->traces[i].label);
    fprintf(out, r->trace_count ? "\nhygiene\n" : "");
    for (size_t i = 0; i < r->trace_count; i++)
        if (r->traces[i].state || r->traces[i].count)
            print_trace(&r->traces[i], label, out);
    print_clean(r, label, out);
}

static void print_verdict(const struct report *r, FILE *out)
{
    if (r->baked) {
        fprintf(out, "\nfiles: %zu of %zu as in the manifest, ", r->same_count, r->file_count);
        print_size(r->file_bytes, out);
        fprintf(out, "\n");
    }
    for (size_t i = 0; i < r->booted_paths.count; i++)
        fprintf(out, "  %s: written when the machine came up\n", r->booted_paths.items[i]);
    fprintf(out, r->problem_count ? "\nproblems\n" : "");
    for (size_t i = 0; i < r->problem_count; i++) {
        const struct finding *p = &r->problems[i];
        fprintf(out, "  %s%s%s\n", p->path, *p->path ? " " : "", p->text);
    }
}

void report_print(const struct report *r, FILE *out)
{
    print_image(r, out);
    if (r->baked)
        print_node(r, out);
    print_system(r, out);
    print_boot(r, out);
    print_remarks(r, out);
    print_components(r, out);
    print_certificates(r, out);
    print_credentials(r, out);
    print_units(r, out);
    print_contract(r, out);
    print_hygiene(r, out);
    print_verdict(r, out);
}
