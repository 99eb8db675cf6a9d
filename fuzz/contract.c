/* What is read as a contract holds what the rest of firstboot relies on. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "firstboot/contract.h"
#include "firstboot/words.h"
#include "fuzz/exact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
    if (!truth)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct contract c;
    struct error err = ERROR_INIT;
    char *text = exact_copy(data, size);
    int result = contract_parse(text, size, &c, &err);
    require((result < 0) == (err.text[0] != '\0'));
    require(result == 0 || c.unit_count + c.file_count + c.fact_count == 0);
    require(result < 0 || contract_fact_index(&c, CONTRACT_NODE_FACT) >= 0);
    for (unsigned i = 0; i < c.file_count; i++)
        require(word_is_path(c.files[i].dest, 1));
    for (unsigned i = 0; i < c.unit_count; i++)
        require(word_is_unit(c.units[i].name) && word_is_unit(c.units[i].target));
    for (unsigned i = 0; i < c.from_count; i++)
        require(c.froms[i].fact < c.fact_count);
    free(text);
    return 0;
}
