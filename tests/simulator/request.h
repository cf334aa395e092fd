/* One API request as it came over the wire: raw target, parsed query, headers, body. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

#define REQUEST_HEADERS 100
#define REQUEST_PARAMETERS 20
#define REQUEST_BODY_MAX (1024u * 1024u)

struct pair {
    char *name;
    char *value;
};

struct route;
struct service;

struct request {
    char *target; /* path and query, the raw bytes of the request line */
    char *path;   /* raw, without the query */
    char *query;  /* raw, NULL when there is no '?' */
    char *method;
    char *id;     /* decoded last part of the path, NULL for collections and unknown paths */
    char *source; /* the source volume that the body of a create names */
    struct pair parameters[REQUEST_PARAMETERS]; /* decoded */
    size_t parameter_count;
    bool bad_query;                       /* illegal characters, bad percent-encoding, too many parameters */
    struct pair headers[REQUEST_HEADERS]; /* borrowed from the HTTP library */
    size_t header_count;
    bool too_many_headers;
    struct text body;
    bool body_too_large;
    unsigned long connection;
    const struct service *service;
    const struct route *route; /* NULL when path or method is unknown */
    bool known_path;
    char *request_id;           /* ours */
    char *project;              /* that an authentic request to Huawei Cloud or Glance is for */
    const char *by;             /* how it proved itself, "token" or "signature"; NULL when it need not */
    char *access;               /* the access key of a signature, else "" */
    bool reader, member, admin; /* the caller's roles at OpenStack, of which each has those before it */
    const char *base;           /* of the simulator's own URLs, "https://127.0.0.1:1234"; NULL before it is known */
};

struct request *request_new(const char *target);
void request_free(struct request *request);

/* Value of a header (name in any case), NULL when absent. `count` may be NULL. */
const char *request_header(const struct request *request, const char *name, size_t *count);
/* Decoded value of a query parameter, NULL when absent. */
const char *request_parameter(const struct request *request, const char *name);
/* Percent-decodes `length` bytes; NULL when malformed or with a NUL. A raw '+' means a space. */
char *request_decode(const char *text, size_t length);
