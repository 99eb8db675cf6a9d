/* Command lines, by the options of a command's entry. */
#include <stdio.h>
#include <string.h>

#include "builder/command.h"

const char *args_nth(const struct args *args, const char *option, size_t n)
{
    for (size_t i = 0; i < args->value_count; i++)
        if (strcmp(args->values[i].option->name, option) == 0 && n-- == 0)
            return args->values[i].value;
    return NULL;
}

const char *args_value(const struct args *args, const char *option)
{
    const char *last = NULL;
    for (size_t i = 0; i < args->value_count; i++)
        if (strcmp(args->values[i].option->name, option) == 0)
            last = args->values[i].value;
    return last;
}

bool args_flag(const struct args *args, const char *option)
{
    return args_value(args, option) != NULL;
}

static const struct option_spec *find(const struct command *command, const char *name, size_t len)
{
    for (const struct option_spec *o = command->options; o->name; o++)
        if (strlen(o->name) == len && memcmp(o->name, name, len) == 0)
            return o;
    return NULL;
}

/* Reads one --option, --option=value or --option value; moves *i over what it took. */
static int parse_option(const struct command *command, int argc, char *const *argv, int *i,
                        struct args *out, struct error *err)
{
    const char *name = argv[*i] + 2;
    size_t len = strcspn(name, "=");
    const struct option_spec *option = find(command, name, len);
    if (!option)
        return error_set(err, "unknown option --%.*s; `nodebake %s --help` lists them", (int)len,
                         name, command->name);
    const char *value = name[len] ? name + len + 1 : NULL;
    if (!option->argument && value)
        return error_set(err, "--%s takes no value", option->name);
    if (option->argument && !value && *i + 1 < argc)
        value = argv[++*i];
    if (option->argument && (!value || !*value))
        return error_set(err, "--%s needs a value: %s", option->name, option->argument);
    if (out->value_count == COMMAND_VALUES_MAX)
        return error_set(err, "more than %d options", COMMAND_VALUES_MAX);
    out->values[out->value_count].option = option;
    out->values[out->value_count++].value = option->argument ? value : "";
    return 0;
}

int args_parse(const struct command *command, int argc, char *const *argv, struct args *out,
               struct error *err)
{
    /* Operands are moved to the front, over options that have been read already. */
    char **operands = (char **)argv + 1;
    bool options = true;
    for (int i = 1; i < argc; i++) {
        if (options && strcmp(argv[i], "--") == 0)
            options = false;
        else if (options && strncmp(argv[i], "--", 2) == 0) {
            if (parse_option(command, argc, argv, &i, out, err) < 0)
                return -1;
        } else if (options && argv[i][0] == '-' && argv[i][1])
            return error_set(err, "unknown option %s; `nodebake %s --help` lists them", argv[i],
                             command->name);
        else
            operands[out->operand_count++] = argv[i];
        options = options && !(command->passes_on && out->operand_count);
    }
    out->operands = operands;
    if (out->operand_count < command->operands_min)
        return error_set(err, "an argument is missing: %s", command->operands);
    if (out->operand_count > command->operands_max)
        return error_set(err, "'%s' is one argument too many", operands[command->operands_max]);
    return 0;
}

void command_help(const struct command *command)
{
    printf("usage: nodebake %s [OPTION]...%s%s\n\n%s.\n", command->name,
           *command->operands ? " " : "", command->operands, command->summary);
    if (*command->details)
        printf("\n%s", command->details);
    printf("\nOptions:\n");
    for (const struct option_spec *o = command->options; o->name; o++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", o->name, o->argument ? " " : "",
                 o->argument ? o->argument : "");
        printf("  %-20s %s\n", left, o->help);
    }
    printf("  %-20s %s\n", "--help", "show this help");
}
