/* What the firmware says of a machine, five fields of any bytes: only printable, trimmed text comes
 * in, and only such a text becomes an identity. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "firstboot/platform.h"
#include "fuzz/exact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
    if (!truth)
        abort();
}

static const struct contract *contract(void)
{
    static char text[] = "nodebake-contract 1\ncluster c\nrole r\ndeadline 60\n"
                         "on-failure continue\nsource gce product_uuid\nfact NODE_NAME label\n";
    static struct contract c;
    struct error err = ERROR_INIT;
    if (!c.cluster && contract_parse(text, sizeof text - 1, &c, &err) < 0)
        abort();
    return &c;
}

/* Takes what stands before the next NUL, or all that is left. */
static void take(char field[static DMI_FIELD_MAX], const uint8_t **at, size_t *left)
{
    const uint8_t *nul = memchr(*at, '\0', *left);
    size_t n = nul ? (size_t)(nul - *at) : *left;
    char *text = exact_copy(*at, n);
    dmi_take(field, text, n);
    free(text);
    *at += nul ? n + 1 : n;
    *left -= nul ? n + 1 : n;
    size_t len = strnlen(field, DMI_FIELD_MAX);
    require(len < DMI_FIELD_MAX);
    for (size_t i = 0; i < len; i++)
        require(field[i] >= ' ' && field[i] <= '~');
    require(len == 0 || field[0] != ' ');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dmi dmi;
    struct stamp stamp;
    struct error err = ERROR_INIT;
    take(dmi.sys_vendor, &data, &size);
    take(dmi.bios_vendor, &data, &size);
    take(dmi.product_name, &data, &size);
    take(dmi.product_uuid, &data, &size);
    take(dmi.board_asset_tag, &data, &size);
    const struct source *source = platform_choose(contract(), &dmi, &stamp, &err);
    require((source == NULL) == (err.text[0] != '\0'));
    if (source)
        require(source->backed(&dmi) && platform_is_stamped(contract(), &dmi, &stamp));
    return 0;
}
