#include "builder/cluster/read-forms.h"

#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"

int read_form(struct yaml_ref ref, form_check *check, char **dest, struct error *err)
{
    char *text AUTO_FREE = NULL;
    struct error cause = ERROR_INIT;
    if (yaml_read_text(ref, &text, err) < 0)
        return -1;
    if (check && check(text, &cause) < 0)
        return yaml_error(ref, err, "%s", cause.text);
    free(*dest);
    *dest = steal(text);
    return 0;
}

int append_form(struct yaml_ref ref, form_check *check, struct texts *texts, struct error *err)
{
    char *text AUTO_FREE = NULL;
    if (read_form(ref, check, &text, err) < 0 || !text)
        return -1;
    if (texts_have(texts, text))
        return yaml_error(ref, err, "'%.64s' stands here twice", text);
    texts_add(texts, text);
    return 0;
}

int read_choice(struct yaml_ref ref, const char *const *words, int *dest, struct error *err)
{
    const char *text;
    struct buffer known AUTO_BUFFER = buffer_heap();
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], text) == 0) {
            *dest = i;
            return 0;
        }
        buffer_printf(&known, "%s%s", i ? ", " : "", words[i]);
    }
    return yaml_error(ref, err, "'%.64s' is not known here; known: %s", text, known.data);
}

int read_path(struct yaml_ref ref, bool is_folder, const char *hint, struct spec *spec, char **dest,
              struct error *err)
{
    if (yaml_read_text(ref, dest, err) < 0)
        return -1;
    *APPEND(spec->paths, spec->path_count, spec->path_cap) =
        (struct spec_path){{heap_copy(*dest), ref}, is_folder, hint};
    return 0;
}
