/* Retry tokens, remembered for 24 hours, and page tokens, sealed with an HMAC. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest.h"
#include "reply.h"
#include "table.h"

#define RETRY_TOKEN_SECONDS INT64_C(86400)

enum token_state {
    TOKEN_NEW,    /* never seen, or seen with the same request that changed nothing */
    TOKEN_REPLAY, /* this very request was carried out: give the first answer again */
    TOKEN_MISUSE, /* seen with another target or body */
    TOKEN_VOID,   /* declared invalid */
};

struct tokens {
    struct table memory; /* token → struct retry_token */
};

/* Looks a token up. */
enum token_state token_check(const struct tokens *tokens, const char *token, const char *target,
                             const struct text *body);
/* Binds a token to a request, before it is known whether that will change anything. */
void token_bind(struct tokens *tokens, const char *token, const char *target, const struct text *body);
/* Keeps the answer of the request that was carried out. */
void token_remember(struct tokens *tokens, const char *token, const struct reply *reply);
void token_replay(const struct tokens *tokens, const char *token, struct reply *reply);
/* Keeps the resource that the request created. */
void token_remember_created(struct tokens *tokens, const char *token, const char *id);
/* NULL when the token did not create one. */
const char *token_created(const struct tokens *tokens, const char *token);
void token_void(struct tokens *tokens, const char *token, const char *target, const struct text *body);
void tokens_free(struct tokens *tokens);

/* Where a list goes on. */
struct page {
    size_t offset;          /* in the list order, when the image below is gone */
    unsigned long sequence; /* of the last image handed out, 0 for none */
    unsigned long empties;  /* empty pages still to come before the next real one */
};

/* `filters` is the canonical text of all filters of the list; a token works only with the same ones. */
char *page_token_make(const struct page *page, const char *filters);
bool page_token_parse(const char *token, const char *filters, struct page *page);
/* Makes the sealing key; once at start. */
bool page_token_start(void);
