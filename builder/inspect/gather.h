/* What the files that fill a report share. Steps stand in the table of gather.c: an error of one is
 * a remark in the report, and the others go on. */
#ifndef NB_BUILDER_GATHER_H
#define NB_BUILDER_GATHER_H

#include "builder/image/disk.h"
#include "builder/inspect/report.h"
#include "builder/tree/manifest.h"

struct inspection {
    struct disk_view view;
    struct report *report;
    struct manifest manifest; /* empty without one */
    time_t now;
};

/* Reads a file of the image: 1, 0 when nothing is at the path, or -1. */
int inspect_read(const struct inspection *in, const char *path, size_t max, struct buffer *out,
                 struct error *err) NONNULL(1, 2, 4, 5) MUST_CHECK;

/* Is there anything at the path? What cannot be told counts as no. */
bool inspect_exists(const struct inspection *in, const char *path) NONNULL(1, 2);

/* ---- the steps ---- */

typedef int gather_step(struct inspection *in, struct error *err);

gather_step gather_system;   /* os-release, architecture */
gather_step gather_boot;     /* kernels, grub.cfg */
gather_step gather_manifest; /* manifest.json */
gather_step gather_about;    /* image.json */
gather_step gather_contract; /* contract and stamp */
gather_step gather_units;    /* units and files that the contract names */
gather_step gather_files;    /* all that the manifest lists, and certificates in it */
gather_step gather_unlisted; /* what is below /usr/lib/nodebake and not in the manifest */
gather_step gather_initrds;  /* firstboot in initrds */
gather_step gather_hygiene;

#endif
