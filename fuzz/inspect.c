/* Texts of an image that are shown: contract, stamp, grub.cfg and certificates, all four out of the
 * same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "builder/inspect/certificates.h"
#include "builder/inspect/contract-read.h"
#include "builder/inspect/grub.h"
#include "common/contract.h"
#include "fuzz/exact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
    if (!truth)
        abort();
}

/* Nothing that a terminal would take for a command. */
static void check_text(const char *text)
{
    for (; text && *text; text++)
        require((unsigned char)*text >= ' ' && *text != 0x7f);
}

static void check_contract(const struct contract_report *c)
{
    require(c->source_count <= CONTRACT_SOURCES_MAX && c->fact_count <= CONTRACT_FACTS_MAX);
    require(c->unit_count <= CONTRACT_UNITS_MAX && c->template_count <= CONTRACT_TEMPLATES_MAX);
    require(c->version || (!c->cluster && !c->unit_count));
    check_text(c->cluster);
    for (size_t i = 0; i < c->unit_count; i++)
        check_text(c->units[i].path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = exact_copy(data, size);
    struct report report AUTO_REPORT = {.path = NULL};
    contract_read(text, size, &report.contract);
    check_contract(&report.contract);
    stamp_read(text, size, &report.stamp);
    require(!report.stamp.there ||
            (report.stamp.source && report.stamp.identity && report.stamp.node));
    grub_read(text, size, &report);
    require(report.entry_count <= GRUB_ENTRIES_MAX);
    certificates_read("/x", text, size, 1600000000, &report);
    require(report.certificate_count <= CERTIFICATES_MAX);
    for (size_t i = 0; i < report.certificate_count; i++) {
        check_text(report.certificates[i].subject);
        check_text(report.certificates[i].holder);
    }
    free(text);
    return 0;
}
