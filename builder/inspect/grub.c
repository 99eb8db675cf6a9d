#include "builder/inspect/grub.h"

#include "builder/heap.h"
#include "builder/image/grub-cfg.h"

void grub_read(const char *text, size_t len, struct report *report)
{
    struct grub_reader reader = {.rest = {text, len}, .title = {"", 0}};
    struct grub_line line;
    while (report->entry_count < GRUB_ENTRIES_MAX && grub_next(&reader, &line))
        *APPEND(report->entries, report->entry_count, report->entry_cap) =
            (struct boot_entry){.title = report_text(line.title.at, line.title.len),
                                .kernel = report_text(line.kernel.at, line.kernel.len),
                                .arguments = report_text(line.arguments.at, line.arguments.len)};
}
