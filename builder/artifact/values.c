#include "builder/artifact/values.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "builder/heap.h"

static const char letters_digits[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

static int put(void *dest, const char *text)
{
    char **field = dest;
    free(*field);
    *field = heap_copy(text);
    return 0;
}

/* A scalar that passes value_check as a token: what all texts here are at least. */
static int token(struct yaml_ref ref, const char **text, struct error *err)
{
    struct error cause = ERROR_INIT;
    if (yaml_scalar(ref, text, err) < 0)
        return -1;
    if (value_check(VALUE_TOKEN, *text, &cause) < 0)
        return yaml_error(ref, err, "%s", cause.text);
    return 0;
}

int release_read_token(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    return token(ref, &text, err) < 0 ? -1 : put(dest, text);
}

/* Moves *text behind one to three digits; false if there are none. */
static bool skip_number(const char **text)
{
    size_t n = strspn(*text, "0123456789");
    bool ok = n >= 1 && n <= 3 && (n == 1 || **text != '0');
    *text += n;
    return ok;
}

static bool is_version(const char *text)
{
    for (int part = 0; part < 3; part++) {
        if (part && *text++ != '.')
            return false;
        if (!skip_number(&text))
            return false;
    }
    return *text == '\0';
}

int release_read_kubernetes(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    if (token(ref, &text, err) < 0)
        return -1;
    if (!is_version(text))
        return yaml_error(ref, err, "'%s' is not a Kubernetes version such as 1.21.0", text);
    return put(dest, text);
}

int release_read_image(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    if (token(ref, &text, err) < 0)
        return -1;
    const char *name = strrchr(text, '/');
    name = name ? name + 1 : text;
    const char *mark = strpbrk(name, ":@");
    if (strspn(text, letters_digits) == 0 || !mark || mark == name || mark[1] == '\0')
        return yaml_error(ref, err, "'%s' is not an image such as k8s.gcr.io/pause:3.4.1", text);
    return put(dest, text);
}

int release_read_file_name(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    if (token(ref, &text, err) < 0)
        return -1;
    if (strchr(text, '/') || text[0] == '.')
        return yaml_error(
            ref, err, "'%s' is not a plain file name: no '/', and no '.' at the beginning", text);
    return put(dest, text);
}

int release_read_member_name(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    if (token(ref, &text, err) < 0)
        return -1;
    size_t good = 0;
    while (text[good] && (strchr(letters_digits, text[good]) || strchr("._-", text[good])))
        good++;
    if (text[good] || text[0] == '.' || good > 100)
        return yaml_error(ref, err,
                          "'%s' is not a name: at most 100 letters, digits, '.', '_' and '-', "
                          "the first no '.'",
                          text);
    return put(dest, text);
}

static bool is_clean_path(const char *text)
{
    for (;;) {
        size_t n = strcspn(text, "/");
        if (n == 0 || (n == 1 && text[0] == '.') || (n == 2 && text[0] == '.' && text[1] == '.'))
            return false;
        if (text[n] == '\0')
            return true;
        text += n + 1;
    }
}

int release_read_from(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    if (token(ref, &text, err) < 0)
        return -1;
    if (!is_clean_path(text))
        return yaml_error(ref, err,
                          "'%s' is not a path inside the archive: relative, without '.', '..' "
                          "and empty parts",
                          text);
    return put(dest, text);
}

int release_read_url(struct yaml_ref ref, void *dest, struct error *err)
{
    static const char scheme[] = "https://";
    const char *text;
    if (token(ref, &text, err) < 0)
        return -1;
    if (strncmp(text, scheme, strlen(scheme)) != 0 || text[strlen(scheme)] == '\0')
        return yaml_error(ref, err, "'%s' is not an https:// address", text);
    return put(dest, text);
}

static int read_hex(struct yaml_ref ref, size_t digits, void *dest, struct error *err)
{
    const char *text;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    size_t len = strlen(text);
    if (len != digits)
        return yaml_error(ref, err, "%zu characters; sha%zu has %zu hex digits", len, digits * 4,
                          digits);
    if (strspn(text, "0123456789abcdef") != len)
        return yaml_error(ref, err, "'%.128s' holds more than lower-case hex digits", text);
    return put(dest, text);
}

int release_read_sha256(struct yaml_ref ref, void *dest, struct error *err)
{
    return read_hex(ref, 64, dest, err);
}

int release_read_sha512(struct yaml_ref ref, void *dest, struct error *err)
{
    return read_hex(ref, 128, dest, err);
}

int release_read_mode(struct yaml_ref ref, void *dest, struct error *err)
{
    mode_t mode;
    if (yaml_read_mode(ref, &mode, err) < 0)
        return -1;
    if (mode & ~(mode_t)0777)
        return yaml_error(ref, err, "mode %04o has set-id or sticky bits; 0755 is usual",
                          (unsigned)mode);
    if (!(mode & 0400))
        return yaml_error(ref, err, "mode %04o: the owner could not read it; 0755 is usual",
                          (unsigned)mode);
    *(mode_t *)dest = mode;
    return 0;
}
