/* The list of facts in a profile. */
#ifndef NB_BUILDER_PROFILE_FACTS_H
#define NB_BUILDER_PROFILE_FACTS_H

#include "builder/yaml/yaml.h"

/* Destination struct profile, whose facts they become. */
yaml_reader profile_read_facts;

#endif
