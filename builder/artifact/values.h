/* Readers of the single values of a release file. The destination is a char * on the heap, of
 * release_read_mode a mode_t. */
#ifndef NB_BUILDER_ARTIFACT_VALUES_H
#define NB_BUILDER_ARTIFACT_VALUES_H

#include "builder/yaml/yaml.h"

yaml_reader release_read_kubernetes;  /* X.Y.Z */
yaml_reader release_read_token;       /* printable, without spaces and quotes */
yaml_reader release_read_image;       /* an image reference: REGISTRY/NAME:TAG */
yaml_reader release_read_file_name;   /* a name without a slash */
yaml_reader release_read_member_name; /* letters, digits, '.', '_', '-'; the first no '.' */
yaml_reader release_read_from;        /* a relative path without ".", ".." and empty parts */
yaml_reader release_read_url;         /* https://… */
yaml_reader release_read_sha256;      /* 64 lower-case hex digits */
yaml_reader release_read_sha512;      /* 128 lower-case hex digits */
yaml_reader release_read_mode;        /* permission bits, readable by the owner */

#endif
