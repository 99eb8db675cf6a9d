#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/cmd/pki-common.h"
#include "builder/heap.h"
#include "builder/pki/list.h"

enum { COLUMNS = 6 };

static const char *const titles[COLUMNS] = {"NAME", "DAYS", "SUBJECT", "ISSUER", "FILES", "NAMES"};

static char *joined(const struct texts *texts)
{
    struct buffer out AUTO_BUFFER = buffer_heap();
    for (size_t i = 0; i < texts->count; i++)
        buffer_printf(&out, "%s%s", i ? "," : "", texts->items[i]);
    return heap_copy(texts->count ? out.data : "-");
}

/* The caller frees the cells. */
static void fill(const struct pki_row *row, char *cells[COLUMNS])
{
    const char *state = row->fault ? row->fault : "-";
    cells[0] = heap_copy(row->name);
    cells[1] = row->subject ? heap_printf("%ld", row->days_left) : heap_copy("-");
    cells[2] = heap_copy(row->subject ? row->subject : state);
    cells[3] = heap_copy(row->issuer ? row->issuer : "-");
    cells[4] = joined(&row->files);
    cells[5] = joined(&row->sans);
}

static void print_line(char *const cells[COLUMNS], const size_t widths[COLUMNS])
{
    for (size_t i = 0; i < COLUMNS; i++)
        printf("%-*s%s", i + 1 < COLUMNS ? (int)widths[i] : 0, cells[i],
               i + 1 < COLUMNS ? "  " : "\n");
}

static void print_table(const struct pki_rows *rows)
{
    char *(*cells)[COLUMNS] = heap_array(rows->count + 1, sizeof *cells);
    size_t widths[COLUMNS] = {0};
    for (size_t k = 0; k < COLUMNS; k++)
        cells[0][k] = heap_copy(titles[k]);
    for (size_t i = 0; i < rows->count; i++)
        fill(&rows->items[i], cells[i + 1]);
    for (size_t i = 0; i <= rows->count; i++)
        for (size_t k = 0; k < COLUMNS; k++)
            widths[k] = strlen(cells[i][k]) > widths[k] ? strlen(cells[i][k]) : widths[k];
    for (size_t i = 0; i <= rows->count; i++) {
        print_line(cells[i], widths);
        for (size_t k = 0; k < COLUMNS; k++)
            free(cells[i][k]);
    }
    free(cells);
    for (size_t i = 0; i < rows->others.count; i++)
        printf("%s\n", rows->others.items[i]);
}

static json_t *row_json(const struct pki_row *row)
{
    char ends[32] = "";
    struct tm tm;
    if (row->subject && gmtime_r(&row->ends, &tm))
        strftime(ends, sizeof ends, "%Y-%m-%dT%H:%M:%SZ", &tm);
    json_t *json =
        json_pack("{s:s, s:s?, s:s?, s:o, s:o, s:s?, s:o, s:s?}", "name", row->name, "subject",
                  row->subject, "issuer", row->issuer, "chain", pki_json_texts(&row->between),
                  "sans", pki_json_texts(&row->sans), "ends", *ends ? ends : NULL, "files",
                  pki_json_texts(&row->files), "fault", row->fault);
    json_object_set_new(json, "daysLeft",
                        row->subject ? json_integer(row->days_left) : json_null());
    return json;
}

static int run(const struct args *args, struct error *err)
{
    struct pki_rows rows AUTO_PKI_ROWS = {0};
    char *dir AUTO_FREE = pki_folder(args);
    if (pki_passphrase(args, err) < 0 || pki_list(args->cluster, dir, &rows, err) < 0)
        return -1;
    if (!args_flag(args, "json")) {
        print_table(&rows);
        return 0;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < rows.count; i++)
        json_array_append_new(list, row_json(&rows.items[i]));
    return pki_print_json(json_pack("{s:s, s:o, s:o}", "folder", dir, "certificates", list,
                                    "others", pki_json_texts(&rows.others)),
                          err);
}

const struct command cmd_pki_show = {
    .name = "pki show",
    .operands = "",
    .summary = "Shows certificates, their names and the days that they have left",
    .details =
        "Changes nothing. What the cluster should have and is not there is shown with '-'.\n",
    .options = {OPTION_CLUSTER, OPTION_PKI, OPTIONS_PASSPHRASE, OPTION_JSON},
    .needs = NEEDS_CLUSTER,
    .run = run,
};
