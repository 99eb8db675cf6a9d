/* Public keys of OpenSSH. */
#include <string.h>

#include "builder/cluster/forms.h"
#include "common/ssh-key.h"

int form_ssh_key(const char *text, struct error *err)
{
    struct ssh_key key;
    size_t len = strlen(text);
    if (strstr(text, "PRIVATE KEY"))
        return error_set(err, "this is a private key; write the public one, the line of its .pub");
    if (!ssh_key_parse(text, len, &key) || !ssh_key_printable(text, len))
        return error_set(err,
                         "'%.24s…' is not a public key; write a line like ssh-ed25519 AAAA… name, "
                         "without options",
                         text);
    return 0;
}
