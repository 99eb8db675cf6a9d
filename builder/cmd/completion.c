#include <stdio.h>
#include <string.h>

#include "builder/command.h"

static void print_words(const struct command *command)
{
    printf("    %s) words=\"", command->name);
    for (const struct option_spec *o = command->options; o->name; o++)
        printf("--%s ", o->name);
    printf("--help\" ;;\n");
}

static int run(const struct args *args, struct error *err)
{
    const char *shell = args->operand_count ? args->operands[0] : "bash";
    if (strcmp(shell, "bash") != 0)
        return error_set(err, "no completion for '%s'; there is one for bash", shell);
    printf("# bash completion of nodebake %s; source it, or install it as\n"
           "# PREFIX/share/bash-completion/completions/nodebake\n"
           "_nodebake()\n{\n"
           "    local cur=\"${COMP_WORDS[COMP_CWORD]}\" words=\"\"\n"
           "    case \"${COMP_WORDS[1]}\" in\n",
           NODEBAKE_VERSION);
    for (size_t i = 0; commands[i]; i++)
        print_words(commands[i]);
    printf("    esac\n    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        words=\"--help --version");
    for (size_t i = 0; commands[i]; i++)
        printf(" %s", commands[i]->name);
    printf("\"\n    elif [[ \"$cur\" != -* ]]; then\n"
           "        COMPREPLY=()\n        return\n    fi\n"
           "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n}\n"
           "complete -o default -F _nodebake nodebake\n");
    return 0;
}

const struct command cmd_completion = {
    .name = "completion",
    .operands = "[bash]",
    .summary = "Prints the completion script of a shell",
    .details = "",
    .options = {{0}},
    .operands_max = 1,
    .run = run,
};
