/* SHA-256, HMAC and Base64, on libcrypto. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define DIGEST_SIZE 32

void digest_sha256(const void *bytes, size_t length, unsigned char digest[DIGEST_SIZE]);
void digest_hmac(const unsigned char key[DIGEST_SIZE], const void *bytes, size_t length,
                 unsigned char digest[DIGEST_SIZE]);
/* SHA-256 as 64 hexadecimal digits. */
void digest_hex(const void *bytes, size_t length, char hex[2 * DIGEST_SIZE + 1]);
char *digest_base64(const void *bytes, size_t length);
/* Strict: standard alphabet, padded, canonical. NULL when the text is anything else. */
unsigned char *digest_unbase64(const char *text, size_t *length);
