#include "builder/package/soname.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "builder/heap.h"
#include "common/cleanup.h"

enum { HEADERS_MAX = 64, DYNAMIC_MAX = 512, SONAME_MAX = 256 };

static bool read_at(int fd, void *bytes, size_t n, uint64_t at)
{
    if (at > INT64_MAX - n)
        return false;
    for (size_t done = 0; done < n;) {
        ssize_t got = pread(fd, (char *)bytes + done, n - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

static bool is_library(const Elf64_Ehdr *h)
{
    return memcmp(h->e_ident, ELFMAG, SELFMAG) == 0 && h->e_ident[EI_CLASS] == ELFCLASS64 &&
           h->e_ident[EI_DATA] == ELFDATA2LSB && h->e_type == ET_DYN && h->e_machine == EM_X86_64 &&
           h->e_phentsize == sizeof(Elf64_Phdr);
}

/* Where in the file an address of the loaded library lies. */
static bool place_of(const Elf64_Phdr *headers, size_t n, uint64_t address, uint64_t *at)
{
    for (size_t i = 0; i < n; i++)
        if (headers[i].p_type == PT_LOAD && address >= headers[i].p_vaddr &&
            address - headers[i].p_vaddr < headers[i].p_filesz &&
            headers[i].p_offset < (uint64_t)INT64_MAX / 2) {
            *at = headers[i].p_offset + (address - headers[i].p_vaddr);
            return true;
        }
    return false;
}

/* Finds the name's place in the dynamic section. */
static bool find_name(int fd, const Elf64_Phdr *headers, size_t n, uint64_t *at)
{
    Elf64_Dyn table[DYNAMIC_MAX];
    uint64_t strings = 0, name = 0;
    size_t count = 0;
    for (size_t i = 0; i < n && count == 0; i++) {
        if (headers[i].p_type != PT_DYNAMIC)
            continue;
        count = headers[i].p_filesz / sizeof *table;
        count = count < DYNAMIC_MAX ? count : DYNAMIC_MAX;
        if (!read_at(fd, table, count * sizeof *table, headers[i].p_offset))
            return false;
    }
    for (size_t i = 0; i < count && table[i].d_tag != DT_NULL; i++) {
        if (table[i].d_tag == DT_STRTAB)
            strings = table[i].d_un.d_ptr;
        if (table[i].d_tag == DT_SONAME)
            name = table[i].d_un.d_val;
    }
    return strings && name && place_of(headers, n, strings, at) && name < (uint64_t)INT64_MAX / 4 &&
           (*at += name) > 0;
}

int soname_read(const char *path, char **name, struct error *err)
{
    Elf64_Ehdr header;
    Elf64_Phdr headers[HEADERS_MAX];
    char text[SONAME_MAX] = "";
    uint64_t at;
    int fd AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, "%s", path);
    if (!read_at(fd, &header, sizeof header, 0) || !is_library(&header))
        return 0;
    size_t n = header.e_phnum < HEADERS_MAX ? header.e_phnum : HEADERS_MAX;
    if (!read_at(fd, headers, n * sizeof *headers, header.e_phoff) ||
        !find_name(fd, headers, n, &at))
        return 0;
    ssize_t got = pread(fd, text, sizeof text - 1, (off_t)at);
    if (got <= 0 || !*text || strlen(text) == sizeof text - 1 || strchr(text, '/'))
        return 0;
    *name = heap_copy(text);
    return 1;
}
