/* The certificate authority and the server certificate, made afresh at each start. */
#pragma once

#include <stdbool.h>

struct tls {
    char *authority;   /* PEM, for the clients */
    char *certificate; /* PEM, server certificate then authority */
    char *key;         /* PEM, of the server */
};

bool tls_make(struct tls *tls);
void tls_free(struct tls *tls);
