#include "builder/artifact/release.h"

#include <stdlib.h>
#include <string.h>

#include "builder/artifact/values.h"
#include "builder/heap.h"
#include "builder/yaml/yaml.h"

enum { ARTIFACTS_MAX = 64, MEMBERS_MAX = 256 };

/* An artifact while its map is read: its list of members waits for the rest. */
struct draft {
    struct artifact artifact;
    char *sha256, *sha512;
    struct yaml_ref take;
};

/* Where the items of the lists go. */
struct reading {
    struct release *release;
    size_t cap;
};

static int read_later(struct yaml_ref ref, void *dest, struct error *err)
{
    (void)err;
    *(struct yaml_ref *)dest = ref;
    return 0;
}

static const struct yaml_field member_fields[] = {
    {"name", release_read_member_name, offsetof(struct member, name), true},
    {"from", release_read_from, offsetof(struct member, from), false},
    {"mode", release_read_mode, offsetof(struct member, mode), true},
};

static const struct yaml_field artifact_fields[] = {
    {"component", yaml_read_label, offsetof(struct draft, artifact.component), true},
    {"version", release_read_token, offsetof(struct draft, artifact.version), true},
    {"file", release_read_file_name, offsetof(struct draft, artifact.file), true},
    {"url", release_read_url, offsetof(struct draft, artifact.url), false},
    {"sha256", release_read_sha256, offsetof(struct draft, sha256), false},
    {"sha512", release_read_sha512, offsetof(struct draft, sha512), false},
    {"take", read_later, offsetof(struct draft, take), true},
};

static void member_free(struct member *m)
{
    free(m->name);
    free(m->from);
    free(m->host);
}

static void artifact_free(struct artifact *a)
{
    for (size_t i = 0; i < a->member_count; i++)
        member_free(&a->members[i]);
    free(a->members);
    free(a->component);
    free(a->version);
    free(a->file);
    free(a->url);
    free(a->algorithm);
    free(a->digest);
}

const struct member *release_member(const struct release *release, const char *name,
                                    const struct artifact **artifact)
{
    for (size_t i = 0; i < release->artifact_count; i++) {
        const struct artifact *a = &release->artifacts[i];
        for (size_t j = 0; j < a->member_count; j++) {
            if (strcmp(a->members[j].name, name) == 0) {
                *artifact = a;
                return &a->members[j];
            }
        }
    }
    return NULL;
}

static int member_check(const struct release *release, const struct artifact *own,
                        const struct member *m, struct yaml_ref ref, struct error *err)
{
    const struct artifact *owner;
    if (release_member(release, m->name, &owner))
        return yaml_error(ref, err, "'%s' is also taken from %s, on line %u; names are unique",
                          m->name, owner->file, owner->line);
    for (size_t i = 0; i < own->member_count; i++) {
        const struct member *other = &own->members[i];
        if (strcmp(other->name, m->name) == 0)
            return yaml_error(ref, err, "'%s' is taken twice; names are unique", m->name);
        if (!m->from || !other->from)
            return yaml_error(ref, err, "without 'from' the file itself is taken, and that once");
        if (strcmp(other->from, m->from) == 0)
            return yaml_error(ref, err, "%s is taken twice, as '%s' and '%s'", m->from, other->name,
                              m->name);
    }
    return 0;
}

struct taking {
    const struct release *release;
    struct artifact *artifact;
    size_t cap;
};

static int read_member(struct yaml_ref ref, void *dest, struct error *err)
{
    struct taking *t = dest;
    struct artifact *a = t->artifact;
    struct member m = {0};
    if (yaml_read_map(ref, member_fields, ARRAY_LEN(member_fields), &m, err) < 0 ||
        member_check(t->release, a, &m, ref, err) < 0) {
        member_free(&m);
        return -1;
    }
    a->members = heap_grow(a->members, a->member_count, &t->cap, sizeof m);
    a->members[a->member_count++] = m;
    return 0;
}

static int take_digest(struct draft *d, struct yaml_ref ref, struct error *err)
{
    if (!d->sha256 == !d->sha512)
        return yaml_error(ref, err, "%s: exactly one of sha256 and sha512 is needed",
                          d->artifact.file);
    d->artifact.algorithm = heap_copy(d->sha256 ? "sha256" : "sha512");
    d->artifact.digest = d->sha256 ? steal(d->sha256) : steal(d->sha512);
    return 0;
}

/* The cache is keyed by digest and the folder by file name: each stands once. */
static int artifact_unique(const struct release *r, const struct artifact *a, struct yaml_ref ref,
                           struct error *err)
{
    for (size_t i = 0; i < r->artifact_count; i++) {
        const struct artifact *other = &r->artifacts[i];
        if (strcmp(other->file, a->file) == 0)
            return yaml_error(ref, err,
                              "file %s stands here twice, first on line %u; list all of its "
                              "members under one artifact",
                              a->file, other->line);
        if (strcmp(other->digest, a->digest) == 0)
            return yaml_error(ref, err, "%s has the same %s as %s on line %u", a->file,
                              a->algorithm, other->file, other->line);
    }
    return 0;
}

static int fill_draft(struct draft *d, const struct release *release, struct yaml_ref ref,
                      struct error *err)
{
    struct taking t = {release, &d->artifact, 0};
    d->artifact.line = yaml_line(ref);
    int result = yaml_read_map(ref, artifact_fields, ARRAY_LEN(artifact_fields), d, err);
    if (result == 0)
        result = take_digest(d, ref, err);
    if (result == 0)
        result = artifact_unique(release, &d->artifact, ref, err);
    if (d->take.file && yaml_read_list(d->take, 1, MEMBERS_MAX, read_member, &t, err) < 0)
        result = -1;
    return result;
}

static int read_artifact(struct yaml_ref ref, void *dest, struct error *err)
{
    struct reading *reading = dest;
    struct release *r = reading->release;
    struct draft d = {0};
    int result = fill_draft(&d, r, ref, err);
    free(d.sha256);
    free(d.sha512);
    if (result < 0) {
        artifact_free(&d.artifact);
        return -1;
    }
    r->artifacts = heap_grow(r->artifacts, r->artifact_count, &reading->cap, sizeof d.artifact);
    r->artifacts[r->artifact_count++] = d.artifact;
    return 0;
}

static int read_artifacts(struct yaml_ref ref, void *dest, struct error *err)
{
    struct reading reading = {dest, 0};
    return yaml_read_list(ref, 1, ARTIFACTS_MAX, read_artifact, &reading, err);
}

/* The top map; `release` stands first, so that the list's reader gets all of it. */
struct top {
    struct release release;
    unsigned version;
};

static const struct yaml_field top_fields[] = {
    {"version", yaml_read_version1, offsetof(struct top, version), true},
    {"kubernetes", release_read_kubernetes, offsetof(struct top, release.kubernetes), true},
    {"sandboxImage", release_read_image, offsetof(struct top, release.sandbox_image), true},
    {"artifacts", read_artifacts, offsetof(struct top, release), true},
};

int release_load(const char *file, struct release **out, struct problems *problems,
                 struct error *err)
{
    struct yaml_file *yaml AUTO_YAML = NULL;
    if (yaml_load(file, problems, &yaml, err) < 0)
        return -1;
    struct top top = {0};
    struct release *release AUTO_RELEASE = NULL;
    int result = yaml_read_map(yaml_root(yaml), top_fields, ARRAY_LEN(top_fields), &top, err);
    release = heap_array(1, sizeof *release);
    *release = top.release;
    release->file = heap_copy(file);
    if (problems_settle(problems, result, err) < 0)
        return -1;
    *out = steal(release);
    return 0;
}

void release_free(struct release *release)
{
    if (!release)
        return;
    for (size_t i = 0; i < release->artifact_count; i++)
        artifact_free(&release->artifacts[i]);
    free(release->artifacts);
    free(release->file);
    free(release->kubernetes);
    free(release->sandbox_image);
    free(release);
}

void release_free_at(struct release **release)
{
    release_free(*release);
}
