#include "firstboot/enable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firstboot/words.h"

#define UNIT_DIR   "/etc/systemd/system"
#define PRESET_DIR "/etc/systemd/system-preset"

/* What makes a unit start: a name in a directory. */
struct place {
    char dir[sizeof UNIT_DIR + WORD_BASE_MAX + sizeof "/.wants"];
    const char *name;
};

/* The number of places of a contract: its units, then its files (most of them are none). */
static unsigned place_count(const struct contract *c)
{
    return c->unit_count + c->file_count;
}

static bool place_of(const struct contract *c, unsigned i, struct place *p)
{
    if (i < c->unit_count) {
        snprintf(p->dir, sizeof p->dir, UNIT_DIR "/%s.wants", c->units[i].target);
        p->name = c->units[i].name;
        return true;
    }
    const char *dest = c->files[i - c->unit_count].dest;
    if (strncmp(dest, PRESET_DIR "/", sizeof PRESET_DIR) != 0)
        return false;
    snprintf(p->dir, sizeof p->dir, PRESET_DIR);
    p->name = dest + sizeof PRESET_DIR;
    return true;
}

static int link_unit(const struct dir *dir, const struct contract_unit *u)
{
    char temp[WORD_BASE_MAX + sizeof "..nodebake"];
    snprintf(temp, sizeof temp, ".%s.nodebake", u->name);
    int done = symlinkat(u->path, dir->fd, temp);
    if (done < 0 && errno == EEXIST && unlinkat(dir->fd, temp, 0) == 0)
        done = symlinkat(u->path, dir->fd, temp);
    if (done < 0 || renameat(dir->fd, temp, dir->fd, u->name) == 0)
        return done;
    int cause = errno;
    unlinkat(dir->fd, temp, 0);
    errno = cause;
    return -1;
}

int enable_units(const struct contract *c, struct dirs *dirs, struct error *err)
{
    for (unsigned i = 0; i < c->unit_count; i++) {
        struct place p;
        place_of(c, i, &p);
        struct dir *dir = dirs_make(dirs, p.dir, err);
        if (!dir)
            return error_context(err, "enable %s", p.name);
        if (link_unit(dir, &c->units[i]) < 0)
            return error_errno(err, "enable %s: link it in %s", p.name, p.dir);
        dir->dirty = true;
    }
    return dirs_sync(dirs, err);
}

bool enable_any(const struct contract *c, struct dirs *dirs)
{
    for (unsigned i = 0; i < place_count(c); i++) {
        struct place p;
        struct stat st;
        if (!place_of(c, i, &p))
            continue;
        struct dir *dir = dirs_find(dirs, p.dir);
        if (dir ? fstatat(dir->fd, p.name, &st, AT_SYMLINK_NOFOLLOW) == 0 : !dirs_is_absent())
            return true;
    }
    return false;
}

int enable_withdraw(const struct contract *c, struct dirs *dirs, struct error *err)
{
    int result = 0;
    for (unsigned i = 0; i < place_count(c); i++) {
        struct place p;
        if (!place_of(c, i, &p))
            continue;
        struct dir *dir = dirs_find(dirs, p.dir);
        if (dir && unlinkat(dir->fd, p.name, 0) == 0)
            dir->dirty = true;
        else if (!dirs_is_absent()) /* the others go all the same */
            result = error_errno(err, "take %s/%s away", p.dir, p.name);
    }
    return dirs_sync(dirs, err) < 0 ? -1 : result;
}
