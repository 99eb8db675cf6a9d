/* The forms of single values of cluster.yaml: each function tells in `err` what would be right. */
#ifndef NB_BUILDER_FORMS_H
#define NB_BUILDER_FORMS_H

#include "common/attributes.h"
#include "common/error.h"

/* Checks a text. */
typedef int form_check(const char *text, struct error *err);

/* A name of a user that may be added: as useradd(8) takes them by default, and not root. */
form_check form_user;

/* A line of authorized_keys without options: TYPE BASE64 [COMMENT]; see sshd(8). */
form_check form_ssh_key;

/* A word of the kernel's command line, none that would lead to another root or init. */
form_check form_kernel_argument;

/* A URL with http or https, a host, and perhaps user:password@, a port and a path. */
form_check form_url;

/* What is reached without a proxy: a host name, a domain with a leading dot, an address or network.
 */
form_check form_no_proxy;

/* HOST or HOST:PORT of a container registry. */
form_check form_registry;

/* A host name or IPv4 address. */
form_check form_host;

/* The name of a flag without its dashes, and what may stand behind its `=` in a unit. */
form_check form_flag, form_flag_value;

/* The name of a kernel parameter, with dots or slashes; see sysctl.d(5). */
form_check form_sysctl;

/* The name of a kernel module. */
form_check form_module;

/* The name of a Debian package; see section 5.6.1 of Debian's policy. */
form_check form_package;

/* The name of a unit with its suffix; see systemd.unit(5). */
form_check form_unit;

/* A clean absolute path for a file of an image: printable ASCII without spaces, as the contract
 * takes it. */
form_check form_path;

#endif
