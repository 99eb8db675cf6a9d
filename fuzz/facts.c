/* What is read from a facts file has a checked value for every fact. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "firstboot/facts.h"
#include "fuzz/exact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct contract *wanted(void)
{
    static char text[] = "nodebake-contract 1\ncluster c\nrole r\ndeadline 60\n"
                         "on-failure continue\nfact NODE_NAME label\nfact DOMAIN name\n"
                         "fact INTERNAL_IP ipv4\nfact POD_CIDR cidr\nfact ZONE token\n"
                         "user ops\nfact SSH_KEYS sshkeys\n";
    static struct contract c;
    struct error err = ERROR_INIT;
    if (!c.cluster && contract_parse(text, sizeof text - 1, &c, &err) < 0)
        abort();
    return &c;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct facts facts;
    struct error err = ERROR_INIT;
    char *text = exact_copy(data, size);
    facts_init(&facts, wanted(), "file");
    int result = facts_parse(&facts, text, size, &err);
    if ((result < 0) != (err.text[0] != '\0'))
        abort();
    for (unsigned i = 0; result == 0 && i < facts.contract->fact_count; i++)
        if (value_check(facts.contract->facts[i].type,
                        facts_value(&facts, facts.contract->facts[i].name), &err) < 0)
            abort();
    free(text);
    return 0;
}
