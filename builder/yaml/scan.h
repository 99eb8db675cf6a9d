/* A first look at a YAML text: what of it cannot be read, or is not allowed in our files. */
#ifndef NB_BUILDER_YAML_SCAN_H
#define NB_BUILDER_YAML_SCAN_H

#include <stdbool.h>
#include <yaml.h>

#include "builder/yaml/problems.h"

/* Adds every anchor, alias, tag, directive and second document, and what is not YAML, not UTF-8 or
 * too deep. True when what the text holds can be looked at, too. */
bool yaml_scan(const char *text, size_t len, struct problems *problems) NONNULL(1, 3);

/* Adds what the parser stopped at. */
void yaml_add_failure(const yaml_parser_t *parser, const char *text, size_t len,
                      struct problems *problems) NONNULL(1, 2, 4);

#endif
