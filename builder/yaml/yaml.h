/* YAML files read strictly into structs, by tables of fields. Over libyaml; no anchors, tags or
 * several documents; unknown, repeated and missing keys are problems. Every problem has its place
 * and says what would be right. Reading goes on behind a problem, so that all are found: a reader
 * that fails leaves its destination as it was, and its neighbours are read all the same. So the
 * items of a list may lack what their readers refused. */
#ifndef NB_BUILDER_YAML_H
#define NB_BUILDER_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "builder/yaml/problems.h"
#include "common/address.h"
#include "common/attributes.h"
#include "common/error.h"

enum { YAML_FILE_MAX = 1000000 }; /* bytes */

struct yaml_file;

/* A node of a loaded file; a value, valid as long as the file. */
struct yaml_ref {
    const struct yaml_file *file;
    int index;
};

/* Loads one file of at most YAML_FILE_MAX bytes. What is wrong in it goes to `problems`, which must
 * stay as long as the file; there may be some after a 0, too: see problems_settle. */
int yaml_load(const char *path, struct problems *problems, struct yaml_file **out,
              struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* The same from memory; `name` stands in errors. */
int yaml_parse(const char *name, const char *text, size_t len, struct problems *problems,
               struct yaml_file **out, struct error *err) NONNULL(1, 2, 4, 5, 6) MUST_CHECK;

/* The top node of the file. */
struct yaml_ref yaml_root(const struct yaml_file *file) NONNULL(1);

/* Line of the node, from 1. */
unsigned yaml_line(struct yaml_ref ref);

/* Adds a problem at the node. */
void yaml_problem(struct yaml_ref ref, const char *fmt, ...) PRINTF(2, 3) NONNULL(2);

/* The same, and sets it as the error; returns -1. */
int yaml_error(struct yaml_ref ref, struct error *err, const char *fmt, ...) PRINTF(3, 4)
    NONNULL(2, 3);

/* Reads a node into dest; what dest is, is between the reader and its table. */
typedef int yaml_reader(struct yaml_ref ref, void *dest, struct error *err);

/* A key of a map, and where its value goes. */
struct yaml_field {
    const char *key;
    yaml_reader *read;
    size_t offset; /* of the destination in the struct */
    bool required;
};

/* Reads a map into the struct at dest. */
int yaml_read_map(struct yaml_ref ref, const struct yaml_field *fields, size_t n, void *dest,
                  struct error *err) NONNULL(2, 4, 5) MUST_CHECK;

/* Calls `read` with each item, of the first max, of a list that should have min to max; the reader
 * appends to dest. */
int yaml_read_list(struct yaml_ref ref, size_t min, size_t max, yaml_reader *read, void *dest,
                   struct error *err) NONNULL(4, 5, 6) MUST_CHECK;

/* Is the node a list? */
bool yaml_is_list(struct yaml_ref ref);

/* Calls `read` with each pair, of the first max, of a map of free keys; `key` is the key's text. */
typedef int yaml_pair_reader(const char *key, struct yaml_ref key_ref, struct yaml_ref value,
                             void *dest, struct error *err);
int yaml_read_pairs(struct yaml_ref ref, size_t max, yaml_pair_reader *read, void *dest,
                    struct error *err) NONNULL(3, 4, 5) MUST_CHECK;

/* Readers whose destination is a char *: a copy on the heap, which the caller frees. The text
 * is a scalar, not empty, without control bytes. */
yaml_reader yaml_read_text;  /* any such text */
yaml_reader yaml_read_label; /* a DNS label */
yaml_reader yaml_read_name;  /* a DNS name */
yaml_reader yaml_read_ipv4;
yaml_reader yaml_read_cidr;

/* The scalar's text, valid as long as the file; an error when the node is no scalar. */
int yaml_scalar(struct yaml_ref ref, const char **text, struct error *err) NONNULL(2, 3) MUST_CHECK;

/* Is the node a single value, and no list or map? */
bool yaml_is_scalar(struct yaml_ref ref);

/* Destination bool: true or false. */
yaml_reader yaml_read_bool;

/* Destination mode_t: a quoted or plain octal number such as 0755, at most 07777. */
yaml_reader yaml_read_mode;

/* Destination uint64_t: a decimal number of bytes, with an optional KiB, MiB or GiB. */
yaml_reader yaml_read_size;

/* Destination unsigned: must be 1, the version of the format. */
yaml_reader yaml_read_version1;

/* Frees the file; NULL is allowed. */
void yaml_close(struct yaml_file *file);
void yaml_close_at(struct yaml_file **file);
#define AUTO_YAML __attribute__((cleanup(yaml_close_at)))

#endif
