/* Any bytes as a key file: libcrypto's queue is empty afterwards, and what was read can be asked and used. */
#include "config.h"

#include "sign/key.h"

#include <stdint.h>
#include <string.h>

#include <openssl/err.h>

#define BITS_TO_SIGN 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const PrivateKey *key)
{
    CLEANUP(error_freep) Error *err = NULL;
    CLEANUP(freep) char *signature = NULL;
    char fingerprint[FINGERPRINT_SIZE];
    if (private_key_fingerprint(key, fingerprint, &err) < 0)
        return;
    if (strlen(fingerprint) != FINGERPRINT_SIZE - 1)
        abort();
    if (private_key_bits(key) <= BITS_TO_SIGN)
        private_key_sign(key, "text", 4, &signature, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* The file says how many rounds make a key of the pass phrase: a fuzzer soon says four thousand million. */
    const char *pass_phrase = memmem(data, size, "ENCRYPTED PRIVATE", 17) ? NULL : "test-passphrase";
    CLEANUP(private_key_freep) PrivateKey *key = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    if (private_key_parse((const char *)data, size, pass_phrase, "fuzz", &key, &err) < 0) {
        if (key || !err || err->kind != ERROR_LOCAL)
            abort();
    } else {
        use(key);
    }
    if (ERR_peek_error() != 0)
        abort();
    return 0;
}
