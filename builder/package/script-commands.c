/* The commands that maintainer scripts may run, and what nodebake does in their stead. */
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/package/script-run.h"
#include "builder/tree/tree.h"

typedef enum outcome handler(struct script_run *run, const struct words *words,
                             const struct shell_node *node);

enum outcome script_exists(struct script_run *run, const char *path)
{
    if (!tree_path_clean(path))
        return script_refuse(run, "'%.200s' is no plain path", path);
    for (size_t i = 0; i < run->actions->count; i++)
        if (run->actions->items[i].path && strcmp(run->actions->items[i].path, path) == 0)
            return WENT_WELL;
    int found = run->system->exists(run->system->ctx, path, run->err);
    if (found < 0)
        return BROKEN;
    return found ? WENT_WELL : FAILED;
}

static enum outcome do_nothing(struct script_run *run, const struct words *words,
                               const struct shell_node *node)
{
    (void)run, (void)words, (void)node;
    return WENT_WELL;
}

static enum outcome do_fail(struct script_run *run, const struct words *words,
                            const struct shell_node *node)
{
    (void)run, (void)words, (void)node;
    return FAILED;
}

static enum outcome do_set(struct script_run *run, const struct words *words,
                           const struct shell_node *node)
{
    (void)node;
    for (size_t i = 1; i < words->count; i++) {
        const char *option = words->items[i];
        if (strcmp(option, "-e") != 0 && strcmp(option, "-u") != 0 && strcmp(option, "-eu") != 0)
            return script_refuse(run, "set %.64s is not known", option);
        run->errexit = run->errexit || strchr(option, 'e');
    }
    return words->count > 1 ? WENT_WELL : script_refuse(run, "set without an option");
}

/* exit and return; only a good end is known. */
static enum outcome do_end(struct script_run *run, const struct words *words,
                           const struct shell_node *node)
{
    (void)node;
    if (words->count != 2 || strcmp(words->items[1], "0") != 0)
        return script_refuse(run, "an end with an error, or with an unknown status");
    return strcmp(words->items[0], "exit") == 0 || run->calls == 0 ? EXITS : RETURNS;
}

/* ---- [ ---- */

static enum outcome truth(bool holds)
{
    return holds ? WENT_WELL : FAILED;
}

/* Only what is there is asked for, not what it is. */
static enum outcome test_path(struct script_run *run, char option, const char *path)
{
    enum outcome outcome = script_exists(run, path);
    if (outcome == WENT_WELL && option != 'e')
        return script_refuse(run, "'-%c %.200s', and it is there", option, path);
    return outcome;
}

static enum outcome test_two(struct script_run *run, const char *option, const char *value)
{
    if (strcmp(option, "-z") == 0 || strcmp(option, "-n") == 0)
        return truth((*value == '\0') == (option[1] == 'z'));
    if (option[0] == '-' && option[1] && strchr("edfhLrsx", option[1]) && !option[2])
        return test_path(run, option[1], value);
    return script_refuse(run, "the test '%.64s' is not known", option);
}

static enum outcome test_three(struct script_run *run, char *const *words)
{
    bool equal = strcmp(words[0], words[2]) == 0;
    if (strcmp(words[1], "=") == 0)
        return truth(equal);
    if (strcmp(words[1], "!=") == 0)
        return truth(!equal);
    return script_refuse(run, "the test '%.64s' is not known", words[1]);
}

static enum outcome test_words(struct script_run *run, char *const *words, size_t n)
{
    if (n > 1 && strcmp(words[0], "!") == 0 && !(n == 3 && strcmp(words[1], "=") == 0)) {
        enum outcome outcome = test_words(run, words + 1, n - 1);
        return outcome == WENT_WELL ? FAILED : outcome == FAILED ? WENT_WELL : outcome;
    }
    switch (n) {
    case 0:
        return FAILED;
    case 1:
        return truth(*words[0] != '\0');
    case 2:
        return test_two(run, words[0], words[1]);
    case 3:
        return test_three(run, words);
    default:
        return script_refuse(run, "a test of more than three words");
    }
}

static enum outcome do_test(struct script_run *run, const struct words *words,
                            const struct shell_node *node)
{
    (void)node;
    size_t n = words->count - 1;
    if (strcmp(words->items[0], "[") == 0 && (n == 0 || strcmp(words->items[n--], "]") != 0))
        return script_refuse(run, "[ without its ]");
    return test_words(run, words->items + 1, n);
}

/* ---- what is done in their stead ---- */

static struct script_action *add_action(struct script_run *run, enum script_action_kind kind)
{
    struct script_actions *actions = run->actions;
    struct script_action *action = APPEND(actions->items, actions->count, actions->cap);
    *action = (struct script_action){.kind = kind};
    return action;
}

static enum outcome do_ldconfig(struct script_run *run, const struct words *words,
                                const struct shell_node *node)
{
    (void)node;
    if (words->count > 1)
        return script_refuse(run, "ldconfig with options");
    add_action(run, SCRIPT_LDCONFIG);
    return WENT_WELL;
}

static bool alternative_name(const char *name)
{
    size_t n = strlen(name);
    return n > 0 && n < 128 && name[0] != '.' && name[0] != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._:") == n;
}

static bool number(const char *text)
{
    size_t n = strspn(text + (*text == '-'), "0123456789");
    return n > 0 && n < 9 && text[n + (*text == '-')] == '\0';
}

/* "LINK NAME PATH" at words i to i+2. */
static bool link_fits(const struct words *words, size_t i)
{
    return words->count >= i + 3 && tree_path_clean(words->items[i]) &&
           alternative_name(words->items[i + 1]) && tree_path_clean(words->items[i + 2]);
}

static bool install_fits(const struct words *words, size_t i)
{
    if (!link_fits(words, i) || words->count < i + 4 || !number(words->items[i + 3]))
        return false;
    for (i += 4; i < words->count; i += 4)
        if (strcmp(words->items[i], "--slave") != 0 || !link_fits(words, i + 1))
            return false;
    return true;
}

static enum outcome do_alternatives(struct script_run *run, const struct words *words,
                                    const struct shell_node *node)
{
    (void)node;
    size_t i = 1;
    while (i < words->count && strcmp(words->items[i], "--quiet") == 0)
        i++;
    const char *what = i < words->count ? words->items[i++] : "";
    bool install = strcmp(what, "--install") == 0 && install_fits(words, i);
    bool removal = strcmp(what, "--remove") == 0 && words->count == i + 2 &&
                   alternative_name(words->items[i]) && tree_path_clean(words->items[i + 1]);
    if (!install && !removal)
        return script_refuse(run, "update-alternatives %.64s in a form that is not known", what);
    struct script_action *action = add_action(run, SCRIPT_ALTERNATIVES);
    action->argv = heap_array(words->count - i + 3, sizeof *action->argv);
    for (size_t j = i - 1, n = 0; j < words->count; j++, n++)
        action->argv[n] = heap_copy(words->items[j]);
    return WENT_WELL;
}

/* What these do is for upgrades: in a first installation only a backup would matter. */
static enum outcome do_helper(struct script_run *run, const struct words *words,
                              const struct shell_node *node)
{
    (void)node;
    static const struct {
        const char *name;
        bool backup;
    } actions[] = {{"rm_conffile", false},
                   {"mv_conffile", false},
                   {"symlink_to_dir", true},
                   {"dir_to_symlink", true}};
    if (run->calls || (run->arg_count > 1 && *run->args[1]))
        return script_refuse(run, "dpkg-maintscript-helper in an upgrade, or in a function");
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        if (words->count < 3 || strcmp(words->items[1], actions[i].name) != 0)
            continue;
        char *backup AUTO_FREE = heap_printf("%s.dpkg-backup", words->items[2]);
        enum outcome outcome = actions[i].backup ? script_exists(run, backup) : FAILED;
        if (outcome == WENT_WELL)
            return script_refuse(run, "%s is there", backup);
        return outcome == FAILED ? WENT_WELL : outcome;
    }
    return script_refuse(run, "dpkg-maintscript-helper in a form that is not known");
}

/* dpkg --compare-versions "$2" …, where "$2" is empty: the package is new. */
static enum outcome do_dpkg(struct script_run *run, const struct words *words,
                            const struct shell_node *node)
{
    (void)node;
    static const struct {
        const char *sign;
        bool holds;
    } signs[] = {{"lt", true},    {"le", true},   {"eq", false},    {"ne", true},
                 {"ge", false},   {"gt", false},  {"lt-nl", false}, {"le-nl", false},
                 {"ge-nl", true}, {"gt-nl", true}};
    size_t i = words->count > 2 && strcmp(words->items[2], "--") == 0 ? 3 : 2;
    if (words->count != i + 3 || strcmp(words->items[1], "--compare-versions") != 0 ||
        *words->items[i] || !*words->items[i + 2])
        return script_refuse(run, "dpkg in a form that is not known");
    for (size_t j = 0; j < ARRAY_LEN(signs); j++)
        if (strcmp(words->items[i + 1], signs[j].sign) == 0)
            return truth(signs[j].holds);
    return script_refuse(run, "dpkg --compare-versions with %.64s", words->items[i + 1]);
}

/* A file that is there would keep its mode and owner; one without a directory cannot be made. */
static enum outcome check_new(struct script_run *run, const char *path)
{
    char *dir AUTO_FREE = heap_printf("%.*s", (int)(strrchr(path, '/') - path), path);
    enum outcome there = script_exists(run, path);
    if (there == WENT_WELL)
        return script_refuse(run, "%.200s would be written anew", path);
    if (there != FAILED || !*dir)
        return there == FAILED ? WENT_WELL : there;
    there = script_exists(run, dir);
    return there == FAILED ? script_refuse(run, "there is no %.200s", dir) : there;
}

/* cat >FILE <<END */
static enum outcome do_cat(struct script_run *run, const struct words *words,
                           const struct shell_node *node)
{
    const struct shell_word *text = NULL;
    struct words to AUTO_WORDS = {0};
    for (size_t i = 0; i < node->redirect_count; i++) {
        const struct shell_redirect *r = &node->redirects[i];
        if (r->kind == REDIRECT_HERE && r->fd == 0 && !text)
            text = &r->word;
        else if (r->kind != REDIRECT_OUT || r->fd != 1 || to.count ||
                 script_expand(run, &r->word, &to) != WENT_WELL)
            return script_refuse(run, "cat with redirections that are not known");
    }
    if (words->count != 1 || !text || text->parts[0].kind != PART_TEXT || to.count != 1 ||
        !tree_path_clean(to.items[0]))
        return script_refuse(run, "cat that does not write a plain text to a plain path");
    enum outcome outcome = check_new(run, to.items[0]);
    if (outcome != WENT_WELL)
        return outcome;
    struct script_action *action = add_action(run, SCRIPT_FILE);
    action->path = heap_copy(to.items[0]);
    action->text = heap_copy(text->parts[0].text);
    return WENT_WELL;
}

static const struct {
    const char *name;
    handler *run;
    bool redirects; /* it looks at its own */
} commands[] = {
    {":", do_nothing, false},         {"true", do_nothing, false},
    {"false", do_fail, false},        {"echo", do_nothing, false},
    {"set", do_set, false},           {"exit", do_end, false},
    {"return", do_end, false},        {"[", do_test, false},
    {"test", do_test, false},         {"cat", do_cat, true},
    {"dpkg", do_dpkg, false},         {"dpkg-maintscript-helper", do_helper, false},
    {"ldconfig", do_ldconfig, false}, {"update-alternatives", do_alternatives, false},
};

/* Only what says something less: >/dev/null, 2>&1, >&2. */
static enum outcome check_redirects(struct script_run *run, const struct shell_node *node)
{
    for (size_t i = 0; i < node->redirect_count; i++) {
        const struct shell_redirect *r = &node->redirects[i];
        const char *to = shell_plain(&r->word);
        bool known =
            to && (r->fd == 1 || r->fd == 2) &&
            ((r->kind == REDIRECT_OUT && strcmp(to, "/dev/null") == 0) ||
             (r->kind == REDIRECT_OUT_TO_FD && (strcmp(to, "1") == 0 || strcmp(to, "2") == 0)));
        if (!known)
            return script_refuse(run, "a redirection that is not known");
    }
    return WENT_WELL;
}

enum outcome script_command(struct script_run *run, const struct words *words,
                            const struct shell_node *node)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(words->items[0], commands[i].name) != 0)
            continue;
        enum outcome outcome = commands[i].redirects ? WENT_WELL : check_redirects(run, node);
        return outcome == WENT_WELL ? commands[i].run(run, words, node) : outcome;
    }
    return script_refuse(run, "'%.64s' is not known to be harmless", words->items[0]);
}
