/* Feeds every file of the folders given to the fuzz target that it is linked with. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { INPUT_MAX = 1 << 20 };

/* 1: it was fed to the target; 0: not a file; -1: it could not be read. */
static int replay(int dir, const char *name)
{
    static uint8_t bytes[INPUT_MAX];
    struct stat st;
    int fd AUTO_CLOSE = openat(dir, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -1;
    if (!S_ISREG(st.st_mode))
        return 0;
    ssize_t n = read(fd, bytes, sizeof bytes);
    if (n != st.st_size)
        return -1;
    uint8_t *exact = malloc((size_t)n + 1); /* a sanitizer sees reads behind its end */
    if (!exact)
        return -1;
    uint8_t *input = exact + 1;
    memcpy(input, bytes, (size_t)n);
    LLVMFuzzerTestOneInput(input, (size_t)n);
    free(exact);
    return 1;
}

static int replay_folder(const char *folder)
{
    int count = 0;
    DIR *dir = opendir(folder);
    if (!dir)
        return -1;
    for (const struct dirent *e; (e = readdir(dir));) {
        int got = replay(dirfd(dir), e->d_name);
        if (got < 0) {
            fprintf(stderr, "%s/%s: cannot be read\n", folder, e->d_name);
            closedir(dir);
            return -1;
        }
        count += got;
    }
    closedir(dir);
    return count;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int count = replay_folder(argv[i]);
        if (count <= 0) {
            fprintf(stderr, "%s: no corpus\n", argv[i]);
            return 1;
        }
        printf("%s: %d inputs\n", argv[i], count);
    }
    return argc < 2;
}
