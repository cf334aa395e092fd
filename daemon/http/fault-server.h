/* For tests: an HTTP server on 127.0.0.1 that answers with raw bytes, whatever they are, as a table says. */
#pragma once

#include <stddef.h>

typedef enum FaultEnd {
    FAULT_KEEP, /* the connection stays for the next request */
    FAULT_CLOSE,
    FAULT_RESET,
    FAULT_SILENT, /* nothing more, and the connection stays open */
} FaultEnd;

/* One row: what is done when that target is asked for. */
typedef struct Fault {
    const char *target; /* NULL ends the table; "TLS" is the beginning of a handshake */
    unsigned times;     /* holds for the first so many requests, then the next row of that target; 0: for all */
    const char *first;  /* sent at once */
    const char *fill;   /* then this, so many times */
    unsigned n_fill;
    unsigned delay_msec; /* then nothing for a while */
    const char *second;
    FaultEnd end;
} Fault;

typedef struct FaultServer FaultServer;

FaultServer *fault_server_new(const Fault *table);
void fault_server_free(FaultServer *server);
unsigned fault_server_port(const FaultServer *server);
/* How often the target was asked for; NULL: anything. */
unsigned fault_server_requests(FaultServer *server, const char *target);
unsigned fault_server_connections(FaultServer *server);
/* The most requests that were there at one time. */
unsigned fault_server_most_at_once(FaultServer *server);
/* The newest request, header and body. The caller frees it. */
char *fault_server_last(FaultServer *server);
