/* What the parts of a plan add to it. A part is a file part-*.c with one function, listed in
 * part.c; it reads plan->in and adds entries. With plan->in.base NULL (a draft: the base is not
 * looked at yet) it adds what does not depend on the base. */
#ifndef NB_BUILDER_PART_H
#define NB_BUILDER_PART_H

#include "builder/plan/plan.h"
#include "common/buffer.h"

/* Runs all parts but the late ones. */
int part_add_all(struct plan *plan, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Runs the parts that look at what overlays brought. */
int part_add_late(struct plan *plan, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Adds a directory, root's. */
int part_dir(struct plan *plan, const char *path, mode_t mode, const char *source,
             struct error *err) NONNULL(1, 2, 4, 5) MUST_CHECK;

/* Adds a file, root's; takes the text over, also on -1. One that nobody else may read is secret. */
int part_text(struct plan *plan, const char *path, mode_t mode, struct buffer *text,
              const char *source, struct error *err) NONNULL(1, 2, 4, 5, 6) MUST_CHECK;

/* Adds a file with the entry's path, mode, owner and source; takes the text and the entry's strings
 * over, also on -1. */
int part_content(struct plan *plan, struct entry entry, struct buffer *text, struct error *err)
    NONNULL(1, 3, 4) MUST_CHECK;

/* Adds a file that firstboot renders, with this owner: @NAME@ in the text is replaced, and some
 * name is a fact of the node. Takes the text over, also on -1. */
int part_template(struct plan *plan, const struct plan_template *file, struct buffer *text,
                  const char *source, struct error *err) NONNULL(1, 2, 3, 4, 5) MUST_CHECK;

/* Adds a file of the host, root's. */
int part_host(struct plan *plan, const char *path, mode_t mode, const char *host, bool secret,
              const char *source, struct error *err) NONNULL(1, 2, 4, 6, 7) MUST_CHECK;

/* Adds a symbolic link. */
int part_link(struct plan *plan, const char *path, const char *target, const char *source,
              struct error *err) NONNULL(1, 2, 3, 4, 5) MUST_CHECK;

/* Switches a unit on that does not wait for firstboot: a link in the target's .wants, and a row in
 * a preset. The unit is one of the image (also of an overlay) or else the base's; its [Install]
 * section, if it has one, says WantedBy=TARGET. */
int part_unit_always(struct plan *plan, const char *unit, const char *target, struct error *err)
    NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Takes away the links that switch a unit of the base on, and those that are other names of it. The
 * base is known. */
int part_unit_off(struct plan *plan, const char *unit, const char *source, struct error *err)
    NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Takes away what the base has at the path. */
int part_gone(struct plan *plan, const char *path, const char *source, struct error *err)
    NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Adds a file of the base with another content; its mode and owner stay. Takes the text over, also
 * on -1. */
int part_edited(struct plan *plan, const struct base_file *file, struct buffer *text,
                const char *source, struct error *err) NONNULL(1, 2, 3, 4, 5) MUST_CHECK;

/* Will the package come to the base before the image is made? True when cluster.yaml names it, and
 * the base lacks it still. */
bool part_package_comes(const struct plan *plan, const char *package) NONNULL(1, 2);

/* ---- the parts, each in the file of its name ---- */

int part_modules(struct plan *plan, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* ---- late ones ---- */

int part_firewall(struct plan *plan, struct error *err) NONNULL(1, 2) MUST_CHECK;
int part_resolver(struct plan *plan, struct error *err) NONNULL(1, 2) MUST_CHECK;
int part_sysctl(struct plan *plan, struct error *err) NONNULL(1, 2) MUST_CHECK;
/* Fills plan->enabled, too. */
int part_units(struct plan *plan, struct error *err) NONNULL(1, 2) MUST_CHECK;
/* The user, sshd's settings, the rescue shell. */
int part_access(struct plan *plan, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* What cloud-init did: the network's configuration, and the units for host keys and growth. */
int part_cloud_init(struct plan *plan, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Takes away what would set another host name than the node's. */
int part_host_name(struct plan *plan, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* The servers of whatever keeps the base's time. */
int part_ntp(struct plan *plan, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* CNI plugins of the user's, and whether all are there that the network needs. */
int part_cni(struct plan *plan, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Does a plugin of the user's take the place of what the release has for that path? */
bool part_cni_replaces(const struct plan_input *in, const char *path) NONNULL(1, 2);

/* What controllers give the cluster beside nodebake's own. */
int part_manifests(struct plan *plan, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* The proxy of containerd, docker, apt and login shells. */
int part_proxy(struct plan *plan, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Mirrors of registries and their CAs, where containerd runs. */
int part_registries(struct plan *plan, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Archives of container images, where containerd runs. */
int part_container_images(struct plan *plan, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* CAs that the whole system trusts. */
int part_trusted_cas(struct plan *plan, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* The kernel's command line, in GRUB's menu and in what it is made of. */
int part_kernel(struct plan *plan, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Refuses a runtime that the release's containerd has not. */
int part_runtime(struct plan *plan, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Removes what the base's own boots left; not in the table, for it has to come when all else is in
 * the tree. */
int part_hygiene(struct plan *plan, struct error *err) NONNULL(1, 2) MUST_CHECK;

#endif
