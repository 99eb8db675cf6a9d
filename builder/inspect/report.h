/* What `nodebake inspect` finds in an image. Texts that come out of the image are cleaned: UTF-8
 * without control characters, so that they can be printed. */
#ifndef NB_BUILDER_REPORT_H
#define NB_BUILDER_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "common/attributes.h"

/* Something that is not as it has to be. The kinds are words of the JSON output. */
struct finding {
    const char *kind; /* "content", "missing", "expired", … */
    char *path;       /* of the file that is concerned, or "" */
    char *text;       /* "has mode 0644 instead of 0600" */
};

struct list {
    char **items;
    size_t count, cap;
};

/* Where firstboot is in an initrd. */
enum firstboot_state {
    FIRSTBOOT_UNKNOWN, /* not looked for, or the initrd is unreadable */
    FIRSTBOOT_ABSENT,
    FIRSTBOOT_SAME,    /* the same program and script as in the manifest */
    FIRSTBOOT_PRESENT, /* there, but made anew by the system's own tools: not compared */
    FIRSTBOOT_OTHER    /* not those of the manifest */
};

struct kernel {
    char *version; /* 6.1.0-18-cloud-amd64 */
    char *initrd;  /* path, or NULL */
    enum firstboot_state firstboot;
};

/* A line `linux` of grub.cfg. */
struct boot_entry {
    char *title, *kernel, *arguments;
};

/* A file of the release. */
struct component {
    char *name, *version, *file, *digest;
    struct list paths; /* what of it is in the image */
};

struct source_line {
    char *name, *identity;
};

struct fact_line {
    char *name, *type;
    struct list from; /* "gce instance/name" */
};

struct file_line {
    char *file; /* of an identity: below identity/; NULL: a template */
    char *dest;
    bool there; /* at its destination */
};

enum unit_state {
    UNIT_WAITING, /* for firstboot to enable it */
    UNIT_ENABLED, /* a link enables it */
    UNIT_ABSENT   /* there is no such unit */
};

struct unit_line {
    char *name, *target, *path;
    enum unit_state state;
};

struct contract_report {
    bool there;
    unsigned version;
    unsigned deadline; /* seconds; 0: it names none */
    char *cluster, *role, *node, *user;
    struct source_line *sources;
    size_t source_count, source_cap;
    struct fact_line *facts;
    size_t fact_count, fact_cap;
    struct file_line *identities, *templates;
    size_t identity_count, identity_cap, template_count, template_cap;
    struct unit_line *units;
    size_t unit_count, unit_cap;
};

/* What firstboot left when it was done. */
struct stamp_report {
    bool there;
    char *source, *identity, *node;
};

struct certificate {
    char *path;
    char *what; /* in kubeconfigs: "certificate-authority-data", …; else NULL */
    char *subject, *issuer;
    char *holder; /* of the subject what matters: "system:node:worker-0, system:nodes" */
    bool ca;
    time_t begins, ends;
    long days_left; /* negative: it has expired */
};

/* A file that holds keys, certificates or a kubeconfig. */
struct credential {
    char *path;
    const char *kind; /* "key", "certificate", "kubeconfig", "encryption keys" */
    mode_t mode;
    uid_t uid;
    gid_t gid;
};

/* What a clean image does not have. */
struct trace {
    const char *name;  /* a word of the JSON output */
    const char *label; /* for people */
    char *state;       /* of machine-id: "uninitialized", "set", …; else NULL */
    uint64_t count, bytes;
    struct list examples; /* the first few paths */
};

struct report {
    char *path; /* of the image's file */
    bool qcow2;
    uint64_t size; /* of the disk, bytes */
    struct list below;
    const char *writer;
    struct list remarks;
    char *os_name, *os_id, *os_version, *architecture;
    struct kernel *kernels;
    size_t kernel_count, kernel_cap;
    struct boot_entry *entries;
    size_t entry_count, entry_cap;

    bool baked; /* nodebake made it; what follows is only set then */
    char *build, *nodebake, *cluster, *role, *node, *profile, *kubernetes, *base;
    struct component *components;
    size_t component_count, component_cap;
    struct contract_report contract;
    struct stamp_report stamp;
    const char *preset; /* what it does to the units: "disables", "enables"; NULL: there is none */
    struct certificate *certificates;
    size_t certificate_count, certificate_cap;
    struct credential *credentials;
    size_t credential_count, credential_cap;
    size_t file_count, same_count; /* of the manifest; those that equal it */
    uint64_t file_bytes;
    struct list booted_paths; /* that differ as every booted image's do */

    struct trace *traces;
    size_t trace_count, trace_cap;
    struct finding *problems;
    size_t problem_count, problem_cap;
};

/* A cleaned copy of n bytes; the caller frees it. */
char *report_text(const char *bytes, size_t n) NONNULL(1);

/* Appends a cleaned copy. */
void list_add(struct list *list, const char *text) NONNULL(1, 2);

/* Adds a problem; the text and the path are cleaned. */
void report_problem(struct report *report, const char *kind, const char *path, const char *fmt, ...)
    PRINTF(4, 5) NONNULL(1, 2, 3, 4);

/* Adds a remark: what people should know, and is no problem. */
void report_remark(struct report *report, const char *fmt, ...) PRINTF(2, 3) NONNULL(1, 2);

/* Frees what it holds. */
void report_free(struct report *report);
#define AUTO_REPORT __attribute__((cleanup(report_free)))

#endif
