#include "config.h"

#include "sign/key.h"

#include "../../tests/unit/folder.h"

#include <cjson/cJSON.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

DEFINE_CLEANUP(cJSON, cJSON_Delete)

static cJSON *vectors(const char *list)
{
    CLEANUP(freep) char *text = read_vector("oci-signing.json");
    CLEANUP(cJSON_Deletep) cJSON *root = cJSON_Parse(text);
    cJSON *items = cJSON_DetachItemFromObjectCaseSensitive(root, list);
    assert_true(cJSON_GetArraySize(items) > 0);
    return items;
}

static const char *text_of(const cJSON *item, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, key));
}

static PrivateKey *parse(const char *text, const char *pass_phrase)
{
    PrivateKey *key = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    if (private_key_parse(text, strlen(text), pass_phrase, "key.pem", &key, &err) < 0)
        fail_msg("%s", err->message);
    assert_int_equal(ERR_peek_error(), 0);
    return key;
}

static PrivateKey *load(const char *name, const char *pass_phrase)
{
    CLEANUP(freep) char *text = read_vector(name);
    return parse(text, pass_phrase);
}

static void refuse(const char *text, const char *pass_phrase, const char *message)
{
    PrivateKey *key = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    assert_int_equal(private_key_parse(text, strlen(text), pass_phrase, "key.pem", &key, &err), -1);
    assert_null(key);
    assert_int_equal(err->kind, ERROR_LOCAL);
    assert_string_equal(err->message, message);
    assert_int_equal(ERR_peek_error(), 0);
}

static void refuse_file(const char *name, const char *pass_phrase, const char *message)
{
    CLEANUP(freep) char *text = read_vector(name);
    refuse(text, pass_phrase, message);
}

static void has_fingerprint(const PrivateKey *key, const char *expected)
{
    char fingerprint[FINGERPRINT_SIZE];
    assert_int_equal(private_key_fingerprint(key, fingerprint, NULL), 0);
    assert_string_equal(fingerprint, expected);
}

static void computes_the_fingerprints_of_the_vectors(void **state)
{
    (void)state;
    CLEANUP(cJSON_Deletep) cJSON *list = vectors("fingerprints");
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        CLEANUP(private_key_freep) PrivateKey *key = load(text_of(item, "public_key_of"), NULL);
        has_fingerprint(key, text_of(item, "md5_of_der_public_key"));
    }
}

static void reads_every_form_of_the_vectors(void **state)
{
    (void)state;
    CLEANUP(cJSON_Deletep) cJSON *list = vectors("private_key_forms");
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        CLEANUP(private_key_freep) PrivateKey *key = load(text_of(item, "file"), text_of(item, "pass_phrase"));
        has_fingerprint(key, "90:d2:64:b2:3a:be:26:49:80:18:89:9e:6e:39:b8:c8");
        assert_int_equal(private_key_bits(key), 2048);
    }
}

static void says_that_an_encrypted_key_lacks_its_pass_phrase(void **state)
{
    (void)state;
    const char *message = "key.pem: is encrypted: set pass_phrase in the profile (or passPhraseFile)";
    refuse_file("oci-test-key-encrypted.pem", NULL, message);
    refuse_file("oci-test-key-encrypted.pem", "", message);
    refuse_file("oci-test-key-encrypted-traditional.pem", NULL, message);
}

static void says_that_the_pass_phrase_is_wrong(void **state)
{
    (void)state;
    const char *message = "key.pem: the pass phrase is wrong, or the file is damaged";
    refuse_file("oci-test-key-encrypted.pem", "wrong", message);
    refuse_file("oci-test-key-encrypted-traditional.pem", "wrong", message);
}

static void says_that_the_pass_phrase_is_too_long(void **state)
{
    (void)state;
    char pass_phrase[PEM_BUFSIZE + 2];
    memset(pass_phrase, 'x', sizeof(pass_phrase));
    pass_phrase[sizeof(pass_phrase) - 1] = 0;
    refuse_file("oci-test-key-encrypted.pem", pass_phrase, "key.pem: the pass phrase is longer than 1024 bytes");
}

static void says_how_to_convert_a_key_with_an_old_cipher(void **state)
{
    (void)state;
    refuse_file("oci-test-key-encrypted-des.pem", "x",
                "key.pem: is encrypted with an old cipher that libcrypto no longer has: encrypt it anew with: openssl "
                "pkcs8 -provider legacy -provider default -topk8 -v2 aes-256-cbc -in key.pem");
}

static void needs_no_pass_phrase_that_it_was_given(void **state)
{
    (void)state;
    CLEANUP(private_key_freep) PrivateKey *key = load("oci-test-key.pem", "some pass phrase");
    assert_int_equal(private_key_bits(key), 2048);
}

static void passes_over_text_around_the_key(void **state)
{
    (void)state;
    CLEANUP(freep) char *pem = read_vector("oci-test-key.pem");
    CLEANUP(freep) char *text = xasprintf("Bag Attributes\n%s\nOCI_API_KEY\n", pem);
    CLEANUP(private_key_freep) PrivateKey *key = parse(text, NULL);
    assert_int_equal(private_key_bits(key), 2048);
}

static void passes_over_a_certificate_before_the_key(void **state)
{
    (void)state;
    CLEANUP(freep) char *certificate = read_vector("oci-test-leaf-certificate.pem");
    CLEANUP(freep) char *pem = read_vector("oci-test-leaf-key.pem");
    CLEANUP(freep) char *text = xasprintf("%s%s", certificate, pem);
    CLEANUP(private_key_freep) PrivateKey *key = parse(text, NULL);
    assert_int_equal(private_key_bits(key), 2048);
}

static void reads_a_key_of_windows_line_ends(void **state)
{
    (void)state;
    CLEANUP(freep) char *pem = read_vector("oci-test-key.pem");
    Str text = {0};
    for (const char *p = pem; *p; p++)
        str_addf(&text, "%s%c", *p == '\n' ? "\r" : "", *p);
    CLEANUP(freep) char *windows = str_take(&text);
    CLEANUP(private_key_freep) PrivateKey *key = parse(windows, NULL);
    assert_int_equal(private_key_bits(key), 2048);
}

static void reads_a_small_key(void **state)
{
    (void)state;
    CLEANUP(private_key_freep) PrivateKey *key = load("oci-published-test-key.pem", NULL);
    assert_int_equal(private_key_bits(key), 1024);
}

static void says_that_it_was_given_a_public_key(void **state)
{
    (void)state;
    const char *message = "key.pem: is a public key: name the private key it belongs to";
    refuse_file("oci-test-key-public.pem", NULL, message);
    refuse("ssh-rsa AAAAB3NzaC1yc2E me@host\n", NULL, message);
}

static void says_that_it_was_given_a_certificate(void **state)
{
    (void)state;
    refuse_file("oci-test-leaf-certificate.pem", NULL, "key.pem: is a certificate: name the private key it belongs to");
}

static void says_how_to_convert_a_key_of_openssh(void **state)
{
    (void)state;
    refuse("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", NULL,
           "key.pem: is a key in OpenSSH's own form: make it PEM with: ssh-keygen -p -m PEM -f key.pem");
}

static void refuses_text_without_a_key(void **state)
{
    (void)state;
    const char *message = "key.pem: has no private key in PEM form (-----BEGIN … PRIVATE KEY-----)";
    refuse("nothing", NULL, message);
    refuse("", NULL, message);
    refuse("-----BEGIN X-----\n-----END X-----\n", NULL,
           "key.pem: has no private key, but a PEM block of another kind");
}

static void refuses_a_key_that_is_cut_off(void **state)
{
    (void)state;
    CLEANUP(freep) char *pem = read_vector("oci-test-key.pem");
    pem[strlen(pem) / 2] = 0;
    refuse(pem, NULL, "key.pem: the END line of the key is missing: is the file cut off?");
}

static void refuses_a_damaged_key_without_showing_it(void **state)
{
    (void)state;
    CLEANUP(error_freep) Error *err = NULL;
    PrivateKey *key = NULL;
    const char *text = "-----BEGIN PRIVATE KEY-----\nSGVsbG8=\n-----END PRIVATE KEY-----\n";
    assert_int_equal(private_key_parse(text, strlen(text), NULL, "key.pem", &key, &err), -1);
    assert_true(starts_with(err->message, "key.pem: the private key cannot be read"));
    assert_null(strstr(err->message, "SGV"));
    assert_int_equal(ERR_peek_error(), 0);
}

static void refuses_a_key_that_is_not_rsa(void **state)
{
    (void)state;
    EVP_PKEY *ec = EVP_EC_gen("P-256");
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PrivateKey(bio, ec, NULL, NULL, 0, NULL, NULL), 1);
    char *data = NULL;
    long size = BIO_get_mem_data(bio, &data);
    CLEANUP(freep) char *pem = xstrndup(data, (size_t)size);
    BIO_free(bio);
    EVP_PKEY_free(ec);
    refuse(pem, NULL, "key.pem: is a key of type EC; an RSA key is needed");
}

static void computes_sha256_in_both_forms(void **state)
{
    (void)state;
    CLEANUP(freep) char *base64 = sha256_base64("", 0);
    assert_string_equal(base64, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    char hex[SHA256_HEX_SIZE];
    sha256_hex("abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void takes_null_for_no_bytes(void **state)
{
    (void)state;
    CLEANUP(freep) char *base64 = sha256_base64(NULL, 0);
    assert_string_equal(base64, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(computes_the_fingerprints_of_the_vectors),
        cmocka_unit_test(reads_every_form_of_the_vectors),
        cmocka_unit_test(says_that_an_encrypted_key_lacks_its_pass_phrase),
        cmocka_unit_test(says_that_the_pass_phrase_is_wrong),
        cmocka_unit_test(says_that_the_pass_phrase_is_too_long),
        cmocka_unit_test(says_how_to_convert_a_key_with_an_old_cipher),
        cmocka_unit_test(needs_no_pass_phrase_that_it_was_given),
        cmocka_unit_test(passes_over_text_around_the_key),
        cmocka_unit_test(passes_over_a_certificate_before_the_key),
        cmocka_unit_test(reads_a_key_of_windows_line_ends),
        cmocka_unit_test(reads_a_small_key),
        cmocka_unit_test(says_that_it_was_given_a_public_key),
        cmocka_unit_test(says_that_it_was_given_a_certificate),
        cmocka_unit_test(says_how_to_convert_a_key_of_openssh),
        cmocka_unit_test(refuses_text_without_a_key),
        cmocka_unit_test(refuses_a_key_that_is_cut_off),
        cmocka_unit_test(refuses_a_damaged_key_without_showing_it),
        cmocka_unit_test(refuses_a_key_that_is_not_rsa),
        cmocka_unit_test(computes_sha256_in_both_forms),
        cmocka_unit_test(takes_null_for_no_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
