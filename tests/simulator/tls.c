/* The certificate authority and the server certificate, made afresh at each start. */
#include "tls.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "text.h"

struct extension {
    int nid;
    const char *value;
};

static const struct extension authority_extensions[] = {
    {NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
    {NID_key_usage, "critical,keyCertSign,cRLSign"},
    {NID_subject_key_identifier, "hash"},
    {NID_undef, NULL},
};

static const struct extension server_extensions[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature"},
    {NID_ext_key_usage, "serverAuth"},
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid"},
    {NID_subject_alt_name, "IP:127.0.0.1,IP:::1,DNS:localhost"},
    {NID_undef, NULL},
};

static bool add_extensions(X509 *certificate, X509 *issuer, const struct extension *extensions)
{
    X509V3_CTX context;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    for (; extensions->value != NULL; extensions++) {
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, extensions->nid, extensions->value);
        bool added = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
        X509_EXTENSION_free(extension);
        if (!added) {
            return false;
        }
    }
    return true;
}

static bool set_serial(X509 *certificate)
{
    unsigned char bytes[8];
    uint64_t serial = 0;

    if (RAND_bytes(bytes, sizeof(bytes)) != 1) {
        return false;
    }
    for (size_t i = 0; i < sizeof(bytes); i++) {
        serial = serial << 8 | bytes[i];
    }
    return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1 | 1) == 1;
}

/* Valid for a century, so that clients with a shifted clock can be tested. `issuer` is NULL for the authority. */
static X509 *make_certificate(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *issuer_key,
                              const struct extension *extensions)
{
    X509 *certificate = X509_new();

    if (certificate == NULL) {
        return NULL;
    }
    X509_NAME *subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    if (X509_set_version(certificate, 2) != 1 || !set_serial(certificate) ||
        ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate), "20000101000000Z") != 1 ||
        ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate), "20991231235959Z") != 1 ||
        X509_set_pubkey(certificate, key) != 1 ||
        X509_set_issuer_name(certificate, issuer == NULL ? subject : X509_get_subject_name(issuer)) != 1 ||
        !add_extensions(certificate, issuer == NULL ? certificate : issuer, extensions) ||
        X509_sign(certificate, issuer_key, EVP_sha256()) == 0) {
        X509_free(certificate);
        return NULL;
    }
    return certificate;
}

static char *take_text(BIO *bio)
{
    char *bytes = NULL;
    long length = BIO_get_mem_data(bio, &bytes);
    char *text = xstrndup(bytes == NULL ? "" : bytes, length < 0 ? 0 : (size_t)length);

    BIO_free(bio);
    return text;
}

static char *certificates_pem(X509 *first, X509 *second)
{
    BIO *bio = BIO_new(BIO_s_mem());

    PEM_write_bio_X509(bio, first);
    if (second != NULL) {
        PEM_write_bio_X509(bio, second);
    }
    return take_text(bio);
}

static char *key_pem(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());

    PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    return take_text(bio);
}

bool tls_make(struct tls *tls)
{
    EVP_PKEY *authority_key = EVP_EC_gen("P-256");
    EVP_PKEY *server_key = EVP_EC_gen("P-256");
    X509 *authority = NULL, *server = NULL;

    if (authority_key != NULL && server_key != NULL) {
        authority =
            make_certificate(authority_key, "oci-simulator authority", NULL, authority_key, authority_extensions);
    }
    if (authority != NULL) {
        server = make_certificate(server_key, "oci-simulator", authority, authority_key, server_extensions);
    }
    if (server != NULL) {
        tls->authority = certificates_pem(authority, NULL);
        tls->certificate = certificates_pem(server, authority);
        tls->key = key_pem(server_key);
    }
    X509_free(server);
    X509_free(authority);
    EVP_PKEY_free(server_key);
    EVP_PKEY_free(authority_key);
    return tls->key != NULL;
}

void tls_free(struct tls *tls)
{
    free(tls->authority);
    free(tls->certificate);
    free(tls->key);
    *tls = (struct tls){0};
}
