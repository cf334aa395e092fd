/* Retry tokens, remembered for 24 hours, and page tokens, sealed with an HMAC. */
#include "token.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

struct retry_token {
    int64_t first_used;
    char *target;
    unsigned char body[DIGEST_SIZE];
    bool done, voided;
    int status;
    char *etag;
    char *answer;
    char *created; /* id of the resource that it created */
};

static void retry_token_free(void *memory)
{
    struct retry_token *token = memory;

    free(token->target);
    free(token->etag);
    free(token->answer);
    free(token->created);
    free(token);
}

void tokens_free(struct tokens *tokens)
{
    table_clear(&tokens->memory, retry_token_free);
}

static struct retry_token *renew(struct tokens *tokens, const char *name, const char *target, const unsigned char *body)
{
    struct retry_token *token = table_remove(&tokens->memory, name);

    if (token != NULL) {
        retry_token_free(token);
    }
    token = xcalloc(1, sizeof(*token));
    token->first_used = clock_now();
    token->target = xstrdup(target);
    memcpy(token->body, body, DIGEST_SIZE);
    table_put(&tokens->memory, name, token);
    return token;
}

enum token_state token_check(const struct tokens *tokens, const char *name, const char *target, const struct text *body)
{
    const struct retry_token *token = table_get(&tokens->memory, name);
    unsigned char digest[DIGEST_SIZE];

    digest_sha256(body->bytes, body->length, digest);
    if (token == NULL || clock_now() - token->first_used >= RETRY_TOKEN_SECONDS * CLOCK_SECOND) {
        return TOKEN_NEW;
    }
    if (strcmp(token->target, target) != 0 || memcmp(token->body, digest, DIGEST_SIZE) != 0) {
        return TOKEN_MISUSE;
    }
    if (token->voided) {
        return TOKEN_VOID;
    }
    return token->done ? TOKEN_REPLAY : TOKEN_NEW;
}

void token_bind(struct tokens *tokens, const char *name, const char *target, const struct text *body)
{
    unsigned char digest[DIGEST_SIZE];

    digest_sha256(body->bytes, body->length, digest);
    (void)renew(tokens, name, target, digest);
}

void token_remember(struct tokens *tokens, const char *name, const struct reply *reply)
{
    struct retry_token *token = table_get(&tokens->memory, name);

    if (token == NULL || token->done) {
        return;
    }
    token->done = true;
    token->status = reply->status;
    token->etag = xstrdup(reply->etag);
    token->answer = xstrdup(reply->body.bytes);
}

void token_replay(const struct tokens *tokens, const char *name, struct reply *reply)
{
    const struct retry_token *token = table_get(&tokens->memory, name);

    reply->status = token->status;
    reply->etag = xstrdup(token->etag);
    text_adds(&reply->body, token->answer);
}

void token_remember_created(struct tokens *tokens, const char *name, const char *id)
{
    struct retry_token *token = table_get(&tokens->memory, name);

    token->done = true;
    token->created = xstrdup(id);
}

const char *token_created(const struct tokens *tokens, const char *name)
{
    const struct retry_token *token = table_get(&tokens->memory, name);

    return token == NULL ? NULL : token->created;
}

void token_void(struct tokens *tokens, const char *name, const char *target, const struct text *body)
{
    unsigned char digest[DIGEST_SIZE];

    digest_sha256(body->bytes, body->length, digest);
    renew(tokens, name, target, digest)->voided = true;
}

/* A page token is "p+/", then Base64 of MAC and text, then "=": the client must percent-encode it. */
#define PAGE_PREFIX "p+/"
#define PAGE_SUFFIX "="
#define MAC_SIZE 16

static unsigned char seal_key[DIGEST_SIZE];

bool page_token_start(void)
{
    return RAND_bytes(seal_key, sizeof(seal_key)) == 1;
}

static void seal(const char *payload, const char *filters, unsigned char mac[DIGEST_SIZE])
{
    char *sealed = xprintf("%s\n%s", payload, filters);

    digest_hmac(seal_key, sealed, strlen(sealed), mac);
    free(sealed);
}

char *page_token_make(const struct page *page, const char *filters)
{
    unsigned char mac[DIGEST_SIZE];
    struct text bytes = {0};
    char *payload = xprintf("%zu %lu %lu", page->offset, page->sequence, page->empties);

    seal(payload, filters, mac);
    text_add(&bytes, mac, MAC_SIZE);
    text_adds(&bytes, payload);
    char *encoded = digest_base64(bytes.bytes, bytes.length);
    char *token = xprintf(PAGE_PREFIX "%s" PAGE_SUFFIX, encoded);
    free(encoded);
    free(payload);
    text_free(&bytes);
    return token;
}

static bool unseal(const unsigned char *bytes, size_t length, const char *filters, struct page *page)
{
    unsigned char mac[DIGEST_SIZE];

    if (length <= MAC_SIZE) {
        return false;
    }
    char *payload = xstrndup((const char *)bytes + MAC_SIZE, length - MAC_SIZE);
    seal(payload, filters, mac);
    bool good = CRYPTO_memcmp(mac, bytes, MAC_SIZE) == 0 &&
                sscanf(payload, "%zu %lu %lu", &page->offset, &page->sequence, &page->empties) == 3;
    free(payload);
    return good;
}

bool page_token_parse(const char *token, const char *filters, struct page *page)
{
    size_t length = strlen(token), size = 0;
    size_t frame = strlen(PAGE_PREFIX) + strlen(PAGE_SUFFIX);

    if (length <= frame || strncmp(token, PAGE_PREFIX, strlen(PAGE_PREFIX)) != 0 || token[length - 1] != '=') {
        return false;
    }
    char *encoded = xstrndup(token + strlen(PAGE_PREFIX), length - frame);
    unsigned char *bytes = digest_unbase64(encoded, &size);
    bool good = bytes != NULL && unseal(bytes, size, filters, page);
    free(bytes);
    free(encoded);
    return good;
}
