#include "builder/pki/passphrase.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "builder/cmd/pki-common.h"

enum { DIGITS_MAX = 4 };

static int read_fd(const char *number, struct error *err)
{
    size_t n = strlen(number);
    if (n == 0 || n > DIGITS_MAX || strspn(number, "0123456789") != n)
        return error_set(err, "'%s' is not the number of a descriptor", number);
    return passphrase_read_fd(PASSPHRASE_NOW, atoi(number), err);
}

int pki_passphrase(const struct args *args, struct error *err)
{
    const char *file = args_value(args, "passphrase-file"), *fd = args_value(args, "passphrase-fd");
    if (!file && !fd)
        return 0;
    if (file && fd)
        return error_set(err, "--passphrase-file and --passphrase-fd exclude each other");
    /* What the program holds from here on is not for core dumps. */
    (void)prctl(PR_SET_DUMPABLE, 0);
    if (file && passphrase_read_file(PASSPHRASE_NOW, file, err) < 0)
        return error_context(err, "--passphrase-file");
    if (fd && read_fd(fd, err) < 0)
        return error_context(err, "--passphrase-fd");
    return 0;
}
