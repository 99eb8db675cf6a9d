/* A release: the pinned files of one Kubernetes version, and what is taken out of each.
 * Format: docs/release.yaml.md. */
#ifndef NB_BUILDER_RELEASE_H
#define NB_BUILDER_RELEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "builder/yaml/problems.h"
#include "common/attributes.h"
#include "common/error.h"

/* One file that an artifact gives. */
struct member {
    char *name; /* the component's file, as profiles call it: "kubelet" */
    char *from; /* path inside the archive; NULL: the artifact itself is the file */
    mode_t mode;
    uint64_t size; /* bytes; set by release_locate, when the artifact is present */
    char *host;    /* where the unpacked file is (or will be); set by release_locate */
};

/* One downloaded file. */
struct artifact {
    char *component; /* "containerd" */
    char *version;   /* "1.4.4" */
    char *file;      /* name in the artifacts folder */
    char *url;       /* where it is published; NULL: made locally */
    char *algorithm; /* "sha256" or "sha512" */
    char *digest;    /* lower-case hex */
    struct member *members;
    size_t member_count;
    bool present; /* set by release_locate */
    unsigned line;
};

struct release {
    char *file;          /* its path */
    char *kubernetes;    /* X.Y.Z */
    char *sandbox_image; /* the pause image that kubelet and containerd use */
    struct artifact *artifacts;
    size_t artifact_count;
};

/* Reads and checks a release file; what is wrong in it goes to `problems`. */
int release_load(const char *file, struct release **out, struct problems *problems,
                 struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Looks in the folder which artifacts are present and how large their members are, and decides
 * where they will be unpacked below the cache folder. Reads archives' headers; writes nothing. */
int release_locate(struct release *release, const char *folder, const char *cache,
                   struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Verifies every present artifact against its digest and unpacks its listed members (nothing
 * else of it) to where release_locate said, unless that was done before for the same digest. */
int release_unpack(struct release *release, const char *folder, const char *cache,
                   struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* The member of that name and its artifact, or NULL when the release lists none. */
const struct member *release_member(const struct release *release, const char *name,
                                    const struct artifact **artifact) NONNULL(1, 2);

/* Frees the release; NULL is allowed. */
void release_free(struct release *release);
void release_free_at(struct release **release);
#define AUTO_RELEASE __attribute__((cleanup(release_free_at)))

#endif
