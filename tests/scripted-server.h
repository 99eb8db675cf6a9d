/* For tests: a TCP server on a loopback port that plays a script, a step a connection. */
#ifndef NB_TESTS_SCRIPTED_SERVER_H
#define NB_TESTS_SCRIPTED_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What happens on one connection, once the request has come. */
struct step {
    const char *send; /* NULL: nothing */
    size_t len;       /* 0: strlen(send) */
    int drip_ms;      /* 0: all at once; else the pause behind each byte */
    bool hang;        /* then the connection stays open until the client ends it */
    bool reset;       /* the connection is reset without an answer */
};

struct scripted_server {
    const struct step *steps; /* the last one serves all connections that follow */
    size_t count;
    uint32_t address; /* 127.0.0.1, host byte order */
    uint16_t port;
    int listen_after_ms; /* connections are refused until then */
    unsigned served;     /* connections; read it after scripted_stop */
    char request[4096];  /* the last one; read it after scripted_stop */
    int fd;
    pthread_t thread;
};

/* Begins to serve; a failure fails the test. The steps must outlive the server. */
void scripted_start(struct scripted_server *s, const struct step *steps, size_t count);

/* The same, refusing connections for so long. */
void scripted_start_late(struct scripted_server *s, const struct step *steps, size_t count, int ms);

void scripted_stop(struct scripted_server *s);

#endif
