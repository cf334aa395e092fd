#include "config.h"

#include "sign/key.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/str.h"

/* Signing with a larger one takes seconds; libcrypto's own limit. */
#define BITS_MAX 16384
#define MD5_SIZE 16
#define SHA256_SIZE 32

struct PrivateKey {
    EVP_PKEY *pkey;
};

DEFINE_CLEANUP(BIO, BIO_free)
DEFINE_CLEANUP(EVP_MD_CTX, EVP_MD_CTX_free)

static void der_free(unsigned char *der)
{
    OPENSSL_free(der);
}
DEFINE_CLEANUP(unsigned char, der_free)

/* A piece of the caller's text. */
typedef struct Slice {
    const char *start;
    size_t size;
} Slice;

typedef struct PassPhrase {
    const char *text; /* NULL: none */
    bool asked;
} PassPhrase;

/* Takes the first reason off libcrypto's queue and empties it, so that nothing of it shows up later. */
static int crypto_error(Error **err, const char *name, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    ERR_clear_error();
    return error_set(err, ERROR_LOCAL, "%s%s%s (%s)", name, *name ? ": " : "", what,
                     reason ? reason : "no reason given");
}

static const char *find(Slice in, const char *what)
{
    return memmem(in.start, in.size, what, strlen(what));
}

/* The label of the next "-----BEGIN label-----" in *in, which moves on behind that line. */
static bool next_label(Slice *in, Slice *ret)
{
    const char *end = in->start + in->size;
    const char *begin = find(*in, "-----BEGIN ");
    if (!begin)
        return false;
    const char *label = begin + strlen("-----BEGIN ");
    const char *dashes = find((Slice){label, (size_t)(end - label)}, "-----");
    if (!dashes)
        return false;
    *ret = (Slice){label, (size_t)(dashes - label)};
    *in = (Slice){dashes, (size_t)(end - dashes)};
    return true;
}

static bool label_ends_with(Slice label, const char *end)
{
    size_t n = strlen(end);
    return label.size >= n && memcmp(label.start + label.size - n, end, n) == 0;
}

/* What was given in place of a private key. */
static int not_a_key(Slice text, const char *name, Error **err)
{
    Slice label;
    if (find(text, "-----BEGIN OPENSSH PRIVATE KEY-----"))
        return error_set(err, ERROR_LOCAL,
                         "%s: is a key in OpenSSH's own form: make it PEM with: ssh-keygen -p -m PEM -f %s", name,
                         name);
    if (find(text, "PUBLIC KEY-----") || (text.size > 8 && memcmp(text.start, "ssh-rsa ", 8) == 0))
        return error_set(err, ERROR_LOCAL, "%s: is a public key: name the private key it belongs to", name);
    if (find(text, "-----BEGIN CERTIFICATE-----"))
        return error_set(err, ERROR_LOCAL, "%s: is a certificate: name the private key it belongs to", name);
    if (next_label(&text, &label))
        return error_set(err, ERROR_LOCAL, "%s: has no private key, but a PEM block of another kind", name);
    return error_set(err, ERROR_LOCAL, "%s: has no private key in PEM form (-----BEGIN … PRIVATE KEY-----)", name);
}

/* From BEGIN to END of the first private key. libcrypto would skip text around it too, but it would also go on to other
 * blocks. */
static int find_block(Slice text, const char *name, Slice *ret, Error **err)
{
    Slice rest = text, label;
    while (next_label(&rest, &label)) {
        if (!label_ends_with(label, "PRIVATE KEY") || label_ends_with(label, "OPENSSH PRIVATE KEY"))
            continue;
        const char *end = find(rest, "-----END ");
        Slice tail = {end, end ? rest.size - (size_t)(end - rest.start) : 0};
        const char *last = end ? find(tail, "KEY-----") : NULL;
        if (!last)
            return error_set(err, ERROR_LOCAL, "%s: the END line of the key is missing: is the file cut off?", name);
        const char *begin = label.start - strlen("-----BEGIN ");
        *ret = (Slice){begin, (size_t)(last + strlen("KEY-----") - begin)};
        return 0;
    }
    return not_a_key(text, name, err);
}

/* Without a callback libcrypto asks on the terminal. */
static int give_pass_phrase(char *buffer, int size, int writing, void *data)
{
    PassPhrase *pass_phrase = data;
    (void)writing;
    pass_phrase->asked = true;
    size_t n = pass_phrase->text ? strlen(pass_phrase->text) : 0;
    if (n == 0 || n > (size_t)size)
        return -1;
    memcpy(buffer, pass_phrase->text, n);
    return (int)n;
}

static int read_error(const PassPhrase *pass_phrase, const char *name, Error **err)
{
    if (!pass_phrase->asked)
        return crypto_error(err, name, "the private key cannot be read");
    unsigned long last = ERR_peek_last_error();
    ERR_clear_error();
    if (!pass_phrase->text)
        return error_set(err, ERROR_LOCAL, "%s: is encrypted: set pass_phrase in the profile (or passPhraseFile)",
                         name);
    if (strlen(pass_phrase->text) > PEM_BUFSIZE)
        return error_set(err, ERROR_LOCAL, "%s: the pass phrase is longer than %d bytes", name, PEM_BUFSIZE);
    if (ERR_GET_LIB(last) == ERR_LIB_EVP && ERR_GET_REASON(last) == ERR_R_UNSUPPORTED) /* PKCS#5 v1.5: DES, RC2 */
        return error_set(err, ERROR_LOCAL,
                         "%s: is encrypted with an old cipher that libcrypto no longer has: encrypt it anew with: "
                         "openssl pkcs8 -provider legacy -provider default -topk8 -v2 aes-256-cbc -in %s",
                         name, name);
    return error_set(err, ERROR_LOCAL, "%s: the pass phrase is wrong, or the file is damaged", name);
}

static int check_kind(const EVP_PKEY *pkey, const char *name, Error **err)
{
    if (!EVP_PKEY_is_a(pkey, "RSA")) {
        const char *type = EVP_PKEY_get0_type_name(pkey);
        return error_set(err, ERROR_LOCAL, "%s: is a key of type %s; an RSA key is needed", name,
                         type ? type : "unknown");
    }
    if (EVP_PKEY_get_bits(pkey) > BITS_MAX)
        return error_set(err, ERROR_LOCAL, "%s: has %d bits, more than the %d that can be used", name,
                         EVP_PKEY_get_bits(pkey), BITS_MAX);
    return 0;
}

int private_key_parse(const char *pem, size_t size, const char *pass_phrase, const char *name, PrivateKey **ret,
                      Error **err)
{
    Slice block = {0};
    if (find_block((Slice){pem, size}, name, &block, err) < 0)
        return -1;
    if (block.size > INT_MAX)
        return error_set(err, ERROR_LOCAL, "%s: is too large for a key", name);
    CLEANUP(private_key_freep) PrivateKey *key = xcalloc(1, sizeof(*key));
    CLEANUP(BIO_freep) BIO *bio = BIO_new_mem_buf(block.start, (int)block.size);
    if (!bio)
        return crypto_error(err, name, "the private key cannot be read");

    PassPhrase given = {.text = pass_phrase && *pass_phrase ? pass_phrase : NULL};
    ERR_clear_error();
    key->pkey = PEM_read_bio_PrivateKey(bio, NULL, give_pass_phrase, &given);
    if (!key->pkey)
        return read_error(&given, name, err);
    ERR_clear_error(); /* decoders that were tried and did not fit */
    if (check_kind(key->pkey, name, err) < 0)
        return -1;
    *ret = TAKE(key);
    return 0;
}

void private_key_free(PrivateKey *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey);
    free(key);
}

int private_key_bits(const PrivateKey *key)
{
    return EVP_PKEY_get_bits(key->pkey);
}

static void hex(const unsigned char *bytes, size_t n, const char *between, char *ret)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && *between)
            *ret++ = *between;
        *ret++ = digits[bytes[i] >> 4];
        *ret++ = digits[bytes[i] & 15];
    }
    *ret = 0;
}

int private_key_fingerprint(const PrivateKey *key, char ret[static FINGERPRINT_SIZE], Error **err)
{
    ERR_clear_error();
    CLEANUP(der_freep) unsigned char *der = NULL;
    int size = i2d_PUBKEY(key->pkey, &der);
    if (size < 0)
        return crypto_error(err, "", "the public half of the key cannot be written");
    unsigned char md5[EVP_MAX_MD_SIZE];
    /* "-fips": here MD5 is a name, not a safeguard, and may be used where the machine is set to FIPS. */
    if (!EVP_Q_digest(NULL, "MD5", "-fips", der, (size_t)size, md5, NULL))
        return crypto_error(err, "", "the key's fingerprint cannot be computed: MD5 is missing");
    hex(md5, MD5_SIZE, ":", ret);
    return 0;
}

static char *base64(const unsigned char *bytes, size_t n)
{
    char *text = xmalloc((n + 2) / 3 * 4 + 1);
    EVP_EncodeBlock((unsigned char *)text, bytes, (int)n);
    return text;
}

int private_key_sign(const PrivateKey *key, const char *text, size_t size, char **ret, Error **err)
{
    ERR_clear_error();
    unsigned char signature[BITS_MAX / 8];
    size_t n = sizeof(signature);
    CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || EVP_DigestSignInit_ex(context, NULL, "SHA256", NULL, NULL, key->pkey, NULL) <= 0 ||
        EVP_DigestSign(context, signature, &n, (const unsigned char *)text, size) <= 0)
        return crypto_error(err, "", "the key cannot sign");
    *ret = base64(signature, n);
    return 0;
}

static void sha256(const void *bytes, size_t size, unsigned char ret[static SHA256_SIZE])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    if (!EVP_Q_digest(NULL, "SHA256", NULL, size ? bytes : "", size, digest, NULL)) {
        fputs("imagekeeper: libcrypto has no SHA-256\n", stderr);
        abort();
    }
    memcpy(ret, digest, SHA256_SIZE);
}

char *sha256_base64(const void *bytes, size_t size)
{
    unsigned char digest[SHA256_SIZE];
    sha256(bytes, size, digest);
    return base64(digest, sizeof(digest));
}

void sha256_hex(const void *bytes, size_t size, char ret[static SHA256_HEX_SIZE])
{
    unsigned char digest[SHA256_SIZE];
    sha256(bytes, size, digest);
    hex(digest, sizeof(digest), "", ret);
}

/* libcrypto wipes its own copies of the key. */
int hmac_sha256_hex(const char *key, const void *bytes, size_t size, char ret[static SHA256_HEX_SIZE], Error **err)
{
    ERR_clear_error();
    unsigned char mac[SHA256_SIZE];
    size_t n = 0;
    if (!EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, strlen(key), bytes, size, mac, sizeof(mac), &n) ||
        n != sizeof(mac))
        return crypto_error(err, "", "the HMAC cannot be computed");
    hex(mac, sizeof(mac), "", ret);
    return 0;
}
