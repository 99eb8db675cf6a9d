/* What the readers of cluster.yaml's values share. */
#ifndef NB_BUILDER_READ_FORMS_H
#define NB_BUILDER_READ_FORMS_H

#include "builder/cluster/forms.h"
#include "builder/cluster/spec.h"

/* Reads a scalar that passes the check (NULL: any text) into *dest, as a copy. */
int read_form(struct yaml_ref ref, form_check *check, char **dest, struct error *err)
    NONNULL(3, 4) MUST_CHECK;

/* The same, appended to a list in which nothing may stand twice. */
int append_form(struct yaml_ref ref, form_check *check, struct texts *texts, struct error *err)
    NONNULL(3, 4) MUST_CHECK;

/* Reads one of a few words (`words` ends with NULL) as its index. */
int read_choice(struct yaml_ref ref, const char *const *words, int *dest, struct error *err)
    NONNULL(2, 3, 4) MUST_CHECK;

/* Reads a path of the user's, and notes it so that it is looked for later. */
int read_path(struct yaml_ref ref, bool is_folder, const char *hint, struct spec *spec, char **dest,
              struct error *err) NONNULL(3, 4, 5, 6) MUST_CHECK;

#endif
