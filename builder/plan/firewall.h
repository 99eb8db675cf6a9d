/* The firewalls that a base may have: whether their files do anything, and what they become. */
#ifndef NB_BUILDER_FIREWALL_H
#define NB_BUILDER_FIREWALL_H

#include <stdbool.h>

#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

/* Does /etc/ufw/ufw.conf say ENABLED=yes? */
bool firewall_ufw_enabled(const char *conf) NONNULL(1);

/* Appends /etc/ufw/ufw.conf with ENABLED=no. */
void firewall_ufw_disable(const char *conf, struct buffer *out) NONNULL(1, 2);

/* What is let through. */
struct firewall_open {
    const char *nodes, *pods; /* networks */
    bool api;                 /* the API server's port, too */
};

/* Appends /etc/ufw/user.rules with rules before all others, as `ufw allow` would write them; an
 * error when the file is not one of ufw's. */
int firewall_ufw_open(const char *rules, const struct firewall_open *open, struct buffer *out,
                      struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* May the rules of nft(8) drop something? Other files that they include are taken to. */
bool firewall_nft_drops(const char *rules) NONNULL(1);

/* May the rules of iptables-save(8) drop something? */
bool firewall_iptables_drops(const char *rules) NONNULL(1);

#endif
