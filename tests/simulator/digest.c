/* SHA-256, HMAC and Base64, on libcrypto. */
#include "digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

void digest_sha256(const void *bytes, size_t length, unsigned char digest[DIGEST_SIZE])
{
    SHA256(length == 0 ? (const unsigned char *)"" : bytes, length, digest);
}

void digest_hmac(const unsigned char key[DIGEST_SIZE], const void *bytes, size_t length,
                 unsigned char digest[DIGEST_SIZE])
{
    unsigned int size = DIGEST_SIZE;

    HMAC(EVP_sha256(), key, DIGEST_SIZE, bytes, length, digest, &size);
}

void digest_hex(const void *bytes, size_t length, char hex[2 * DIGEST_SIZE + 1])
{
    unsigned char digest[DIGEST_SIZE];

    digest_sha256(bytes, length, digest);
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
}

char *digest_base64(const void *bytes, size_t length)
{
    char *text = xcalloc(1, (length + 2) / 3 * 4 + 1);

    EVP_EncodeBlock((unsigned char *)text, bytes, (int)length);
    return text;
}

unsigned char *digest_unbase64(const char *text, size_t *length)
{
    size_t size = strlen(text);

    if (size == 0 || size % 4 != 0) {
        return NULL;
    }
    unsigned char *bytes = xcalloc(1, size / 4 * 3 + 1);
    int decoded = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)size);
    if (decoded < 0) {
        free(bytes);
        return NULL;
    }
    *length = (size_t)decoded - (text[size - 1] == '=') - (text[size - 2] == '=');
    char *again = digest_base64(bytes, *length);
    bool same = strcmp(again, text) == 0;
    free(again);
    if (!same) {
        free(bytes);
        return NULL;
    }
    return bytes;
}
