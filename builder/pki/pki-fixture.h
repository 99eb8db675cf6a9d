/* For tests: a cluster of one controller and one worker (a second one when node_count is 3), a
 * folder that pki_issue filled once, and a copy of it for each test. */
#ifndef NB_BUILDER_PKI_FIXTURE_H
#define NB_BUILDER_PKI_FIXTURE_H

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/pki/folder.h"
#include "builder/pki/pki.h"
#include "builder/pki/x509.h"
#include "builder/progress.h"
#include "common/cleanup.h"
#include "common/file.h"

static struct node nodes[] = {
    {.name = "controller-0", .role = "controller", .address = "10.240.0.10", .line = 20},
    {.name = "worker-0", .role = "worker", .address = "10.240.0.20", .line = 21},
    {.name = "worker-1", .role = "worker", .address = "10.240.0.21", .line = 22},
};
static struct cluster cluster = {.file = "cluster.yaml",
                                 .name = "hard-way",
                                 .kubernetes = "1.21.0",
                                 .public_address = "203.0.113.10",
                                 .services_cidr = "10.32.0.0/24",
                                 .domain = "cluster.local",
                                 .nodes = nodes,
                                 .node_count = 2};

static struct pki_options options;

#define PAIR(stem) stem "-key.pem", stem ".pem"

/* In the order in which they are published. */
static const char *const files[] = {
    PAIR("ca"),
    PAIR("admin"),
    PAIR("worker-0"),
    PAIR("kube-controller-manager"),
    PAIR("kube-proxy"),
    PAIR("kube-scheduler"),
    PAIR("kubernetes"),
    PAIR("service-account"),
    "admin.kubeconfig",
    "admin-public.kubeconfig",
    "worker-0.kubeconfig",
    "kube-controller-manager.kubeconfig",
    "kube-proxy.kubeconfig",
    "kube-scheduler.kubeconfig",
    "encryption-config.yaml",
    "bootstrap-token.yaml",
    "bootstrap.kubeconfig",
};

static char top[] = "/tmp/nodebake-pki-XXXXXX";
static char *reference, *dir; /* what pki_issue made once; a copy for the test */

static inline char *in(const char *folder, const char *name)
{
    return heap_printf("%s/%s", folder, name);
}

static inline struct buffer content(const char *folder, const char *name)
{
    struct error err = ERROR_INIT;
    struct buffer b = buffer_heap();
    char *path AUTO_FREE = in(folder, name);
    if (file_read(AT_FDCWD, path, 1 << 20, &b, &err) < 0)
        fail_msg("%s", err.text);
    return b;
}

static inline void put(const char *name, const void *bytes, size_t n, mode_t mode)
{
    struct error err = ERROR_INIT;
    char *path AUTO_FREE = in(dir, name);
    if (file_publish(AT_FDCWD, path, bytes, n, mode, &err) < 0)
        fail_msg("%s", err.text);
}

static inline bool is_public(const char *name)
{
    return strstr(name, ".pem") && !strstr(name, "-key.pem");
}

static inline void copy_as(const char *from, const char *to)
{
    struct buffer b AUTO_BUFFER = content(reference, from);
    put(to, b.data, b.len, is_public(to) ? 0644 : 0600);
}

static inline void copy(const char *name)
{
    copy_as(name, name);
}

static inline void drop(const char *name)
{
    char *path AUTO_FREE = in(dir, name);
    assert_int_equal(unlink(path), 0);
}

static inline bool same_as_reference(const char *name)
{
    struct buffer a AUTO_BUFFER = content(reference, name), b AUTO_BUFFER = content(dir, name);
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static inline void empty_folder(const char *folder)
{
    struct dirent **list = NULL;
    int n = scandir(folder, &list, NULL, NULL);
    for (int i = 0; i < n; i++) {
        char *path AUTO_FREE = in(folder, list[i]->d_name);
        if (list[i]->d_type != DT_DIR)
            unlink(path);
        free(list[i]);
    }
    free(list);
}

/* A line for each file but the lock: mode, inode, time, size, name. */
static inline struct buffer snapshot(const char *folder)
{
    struct dirent **list = NULL;
    struct buffer b = buffer_heap();
    int n = scandir(folder, &list, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        struct stat st;
        char *path AUTO_FREE = in(folder, list[i]->d_name);
        assert_int_equal(lstat(path, &st), 0);
        if (list[i]->d_name[0] != '.')
            buffer_printf(&b, "%o %ju %jd.%09ld %jd %s\n", st.st_mode, (uintmax_t)st.st_ino,
                          (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (intmax_t)st.st_size,
                          list[i]->d_name);
        free(list[i]);
    }
    free(list);
    return b;
}

/* What the last issue() did: a line "ACTION FILE: WHY" for each. */
static char did[16384];

static inline unsigned issue(void)
{
    struct error err = ERROR_INIT;
    struct pki_report report AUTO_PKI_REPORT = {0};
    struct buffer text = BUFFER_FIXED(did);
    if (pki_issue(&cluster, dir, &options, &report, &err) < 0)
        fail_msg("%s", err.text);
    *did = '\0';
    for (size_t i = 0; i < report.count; i++)
        buffer_printf(&text, "%s %s: %s\n", pki_action_word(report.steps[i].action),
                      report.steps[i].file, report.steps[i].why);
    return report.written;
}

/* pki_issue refuses with "pki folder DIR: MESSAGE…", and nothing is touched. */
static inline void refused_at(const char *message, size_t n, bool whole)
{
    struct error err = ERROR_INIT;
    struct pki_report report AUTO_PKI_REPORT = {0};
    char *expected AUTO_FREE = heap_printf("pki folder %s: %.*s", dir, (int)n, message);
    struct buffer before AUTO_BUFFER = snapshot(dir);
    assert_int_equal(pki_issue(&cluster, dir, &options, &report, &err), -1);
    if (!whole)
        err.text[strnlen(expected, sizeof err.text - 1)] = '\0';
    assert_string_equal(err.text, expected);
    assert_int_equal(report.written, 0);
    struct buffer after AUTO_BUFFER = snapshot(dir);
    assert_string_equal(before.data, after.data);
}

static inline void refused(const char *message)
{
    refused_at(message, strlen(message), true);
}

static inline mode_t mode_of(const char *name)
{
    struct stat st;
    char *path AUTO_FREE = in(dir, name);
    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode;
}

static inline int setup(void **state)
{
    (void)state;
    options = (struct pki_options){0};
    empty_folder(dir);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        copy(files[i]);
    return 0;
}

static inline int group_setup(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct pki_report report AUTO_PKI_REPORT = {0};
    progress_quiet();
    if (!mkdtemp(top))
        return -1;
    reference = in(top, "reference");
    dir = in(top, "pki");
    if (pki_issue(&cluster, reference, &options, &report, &err) < 0) {
        print_error("%s\n", err.text);
        return -1;
    }
    return mkdir(dir, 0700);
}

static inline int group_teardown(void **state)
{
    (void)state;
    empty_folder(reference);
    empty_folder(dir);
    rmdir(reference);
    rmdir(dir);
    free(reference);
    free(dir);
    return rmdir(top);
}

#endif
