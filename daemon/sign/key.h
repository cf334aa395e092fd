/* RSA private keys: read from PEM, sign SHA-256, tell their fingerprint; hashes, HMAC. Only sign/ knows libcrypto. */
#pragma once

#include <stddef.h>

#include "base/error.h"

typedef struct PrivateKey PrivateKey;

/* From PEM text: PKCS#1 or PKCS#8, plain or encrypted (`pass_phrase`; NULL or "": none). What stands before BEGIN and
 * after END is passed over. Never asks on a terminal. `name` is for messages: ERROR_LOCAL. Small keys are the caller's
 * to refuse. */
int private_key_parse(const char *pem, size_t size, const char *pass_phrase, const char *name, PrivateKey **ret,
                      Error **err);
void private_key_free(PrivateKey *key);
DEFINE_CLEANUP(PrivateKey, private_key_free)

int private_key_bits(const PrivateKey *key);

#define FINGERPRINT_SIZE 48
/* MD5 of the DER SubjectPublicKeyInfo, lower-case hex with colons: what OCI calls the key's fingerprint. */
int private_key_fingerprint(const PrivateKey *key, char ret[static FINGERPRINT_SIZE], Error **err);

/* Base64 of the RSASSA-PKCS1-v1_5 SHA-256 signature of `text`. *ret is the caller's to free. */
int private_key_sign(const PrivateKey *key, const char *text, size_t size, char **ret, Error **err);

/* Base64 (standard alphabet, padded) of SHA-256. The caller frees it. */
char *sha256_base64(const void *bytes, size_t size);
#define SHA256_HEX_SIZE 65
void sha256_hex(const void *bytes, size_t size, char ret[static SHA256_HEX_SIZE]);
/* HMAC-SHA-256 in lower-case hex, with the text of `key` as the key; no copy of it stays behind. */
int hmac_sha256_hex(const char *key, const void *bytes, size_t size, char ret[static SHA256_HEX_SIZE], Error **err);
