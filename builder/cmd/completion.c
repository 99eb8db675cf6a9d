#include <stdio.h>
#include <string.h>

#include "builder/command.h"

static void print_words(const struct command *command)
{
    printf("    '%s') words=\"", command->name);
    for (const struct option_spec *o = command->options; o->name; o++)
        printf("--%s ", o->name);
    printf("--help\" ;;\n");
}

/* Options by the command's name, of one word (false) or two. */
static void print_cases(bool two)
{
    printf("    case \"%s\" in\n", two ? "${COMP_WORDS[1]} ${COMP_WORDS[2]}" : "${COMP_WORDS[1]}");
    for (size_t i = 0; commands[i]; i++)
        if ((strchr(commands[i]->name, ' ') != NULL) == two)
            print_words(commands[i]);
    printf("    esac\n");
}

/* What may follow the first word of names that have two. */
static void print_second_words(void)
{
    for (size_t i = 0; commands[i]; i++) {
        const char *space = strchr(commands[i]->name, ' ');
        if (space)
            printf("    [ \"${COMP_WORDS[1]}\" != %.*s ] || second=\"$second %s\"\n",
                   (int)(space - commands[i]->name), commands[i]->name, space + 1);
    }
}

static int run(const struct args *args, struct error *err)
{
    const char *shell = args->operand_count ? args->operands[0] : "bash";
    if (strcmp(shell, "bash") != 0)
        return error_set(err, "no completion for '%s'; there is one for bash", shell);
    printf("# bash completion of nodebake %s; source it, or install it as\n"
           "# PREFIX/share/bash-completion/completions/nodebake\n"
           "_nodebake()\n{\n"
           "    local cur=\"${COMP_WORDS[COMP_CWORD]}\" words=\"\" second=\"\"\n",
           NODEBAKE_VERSION);
    print_cases(false);
    print_cases(true);
    print_second_words();
    printf("    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        words=\"--help --version");
    for (size_t i = 0; commands[i]; i++)
        if (!strchr(commands[i]->name, ' '))
            printf(" %s", commands[i]->name);
    printf("\"\n    elif [[ \"$COMP_CWORD\" -eq 2 && \"$cur\" != -* && -n \"$second\" ]]; then\n"
           "        words=$second\n    elif [[ \"$cur\" != -* ]]; then\n"
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
