/* Other programs, run by argument vector: no shell is ever between. */
#ifndef NB_BUILDER_PROCESS_H
#define NB_BUILDER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

/* Gets the program's standard output as it comes, in pieces of any size. */
typedef void process_reader(void *ctx, const char *bytes, size_t n);

/* What to run and where its output goes; fields left zero mean what stands behind them. */
struct process {
    const char *const *argv; /* ends with NULL; argv[0] is looked for in PATH, then /usr/sbin */
    const char *const *env;  /* NAME=VALUE to add to our environment, ends with NULL; NULL: none */
    const char *input;       /* text on its standard input; NULL: empty */
    bool no_input;           /* its standard input is closed; excludes input */
    struct buffer *out;      /* standard output is appended; NULL: not kept */
    size_t out_max;          /* more bytes than this in `out` are an error; 0: 1 MiB */
    process_reader *reader;  /* called with standard output, beside `out`; NULL: nobody is */
    void *reader_ctx;
    unsigned deadline; /* seconds until it is killed with all it started; 0: waits for ever */
    bool together;     /* its errors are part of its standard output; excludes pass */
    bool pass;         /* its output and errors go where ours go; excludes out and reader */
};

/* Runs it to its end. With status NULL an exit status other than 0 is an error, otherwise *status
 * is set to it. Not being found, dying of a signal and passing
 * the deadline are always errors. Errors name the program and cite the last lines of its
 * standard error. */
int process_run(const struct process *process, int *status, struct error *err)
    NONNULL(1, 3) MUST_CHECK;

/* Is the program in PATH? */
bool process_found(const char *program) NONNULL(1);

#endif
