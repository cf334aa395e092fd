/* A cloud's table of functions, tried without a network: credentials of files, logins, pages and errors. */
#pragma once

#include "../../tests/unit/helper.h"

#include "cloud/provider.h"

/* A folder with secrets in it, which only their owner can read. It becomes the home, and the place of credentials. */
HELPER int secrets_set_up(void **state)
{
    static const char *const variables[] = {"OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE"};
    for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
        unsetenv(variables[i]);
    umask(0077);
    *state = folder_make();
    return setenv("HOME", *state, 1) < 0 || setenv("CREDENTIALS_DIRECTORY", *state, 1) < 0 || chdir(*state) < 0 ? -1
                                                                                                                : 0;
}

HELPER int secrets_tear_down(void **state)
{
    int r = chdir("/");
    folder_remove(*state);
    return r;
}

HELPER const Node *json_of(Arena *arena, const char *text)
{
    const Node *node = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    if (json_read(arena, text, strlen(text), &node, &err) < 0)
        fail_msg("%s\n%s", err->message, text);
    return node;
}

HELPER int provider_open(const Provider *provider, const char *settings, Credential **ret, Error **err)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    return provider->open(json_of(arena, settings), ret, err);
}

/* The credential that such settings give. */
HELPER Credential *credential_of(const Provider *provider, const char *settings)
{
    Credential *credential = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    if (provider_open(provider, settings, &credential, &err) < 0)
        fail_msg("%s\n%s", err->message, settings);
    assert_ptr_equal(credential->provider, provider);
    return credential;
}

/* `part`: of the message, in which no secret may be. */
HELPER void assert_not_opened(const Provider *provider, const char *settings, ErrorKind kind, const char *part)
{
    CLEANUP(error_freep) Error *err = NULL;
    Credential *credential = NULL;
    assert_int_equal(provider_open(provider, settings, &credential, &err), -1);
    assert_null(credential);
    assert_int_equal(err->kind, kind);
    if (!strstr(err->message, part) || strstr(err->message, "hush"))
        fail_msg("\"%s\" is not in, or a secret is in: %s", part, err->message);
}

/* `body` is JSON in any order. */
HELPER void assert_login(const Credential *credential, const char *target, const char *body)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(str_done) Str out_target = {0}, out_body = {0}, expected = {0};
    credential->provider->fill_login(credential, &out_target, &out_body);
    json_write_node(&expected, json_of(arena, body));
    assert_string_equal(str_get(&out_target), target);
    assert_json(json_of(arena, str_get(&out_body)), str_get(&expected));
}

/* Takes the token's JSON; the caller frees the error, NULL when there is none. */
HELPER Error *take_login(Credential *credential, const char *token)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    Error *err = NULL;
    int r = credential->provider->take_login(credential, json_of(arena, token), &err);
    assert_int_equal(r, err ? -1 : 0);
    return err;
}

HELPER void assert_login_taken(Credential *credential, const char *token)
{
    CLEANUP(error_freep) Error *err = take_login(credential, token);
    if (err)
        fail_msg("%s", err->message);
}

HELPER void assert_login_refused(Credential *credential, const char *token, ErrorKind kind, const char *message)
{
    CLEANUP(error_freep) Error *err = take_login(credential, token);
    assert_non_null(err);
    assert_string_equal(err->message, message);
    assert_int_equal(err->kind, kind);
}

/* The headers of a request, one a line, signed at 2026-01-05T21:31:40Z. The caller frees them. */
HELPER char *headers_of(Credential *credential, const HttpSpec *spec)
{
    CLEANUP(http_headers_done) HttpHeaders headers = {0};
    CLEANUP(error_freep) Error *err = NULL;
    Str out = {0};
    usec_t now = 1767648700 * USEC_PER_SEC;
    if (credential->provider->sign(credential, spec, "https://image.example:9292", now, &headers, &err) < 0)
        fail_msg("%s", err->message);
    for (size_t i = 0; i < headers.n; i++)
        str_addf(&out, "%s: %s\n", headers.items[i].name, headers.items[i].value);
    return str_take(&out);
}

HELPER void assert_list_target(const Kind *kind, const Provider *provider, const char *container, unsigned page_size,
                               const char *page, const char *expected)
{
    CLEANUP(str_done) Str out = {0};
    provider->add_list_target(kind, container, NULL, page_size, page, &out);
    assert_string_equal(str_get(&out), expected);
}

HELPER void assert_object_target(const Kind *kind, const Provider *provider, const char *id, const char *expected)
{
    CLEANUP(str_done) Str out = {0};
    provider->add_object_target(kind, id, &out);
    assert_string_equal(str_get(&out), expected);
}

/* What the page after `page` is, when that one's body is `text`; `expected` NULL: there is none. */
HELPER void assert_next_page(const Provider *provider, const char *text, unsigned page_size, const char *page,
                             const char *expected)
{
    CLEANUP(json_page_freep) JsonPage *json = NULL;
    const HttpAnswer answer = {.status = 200};
    assert_int_equal(json_page_parse(text, strlen(text), provider->list_member, &json, NULL), 0);
    CLEANUP(freep) char *next = NULL, *by_headers = NULL;
    assert_int_equal(provider->next_page(&answer, json, page_size, page, &next, NULL), 0);
    if (!streq_null(next, expected))
        fail_msg("%s in place of %s", next ? next : "no page", expected ? expected : "none");
    assert_int_equal(provider->next_page(&answer, NULL, page_size, page, &by_headers, NULL), 0);
    assert_null(by_headers); /* they do not tell */
}

HELPER void assert_no_page(const Provider *provider, const char *text, const char *page)
{
    CLEANUP(json_page_freep) JsonPage *json = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    char *next = NULL;
    const HttpAnswer answer = {.status = 200};
    assert_int_equal(json_page_parse(text, strlen(text), provider->list_member, &json, NULL), 0);
    assert_int_equal(provider->next_page(&answer, json, 3, page, &next, &err), -1);
    assert_int_equal(err->kind, ERROR_PROTOCOL);
}

/* What an answer with this body means. */
HELPER void assert_error_kind(Credential *credential, int status, const char *body, ErrorKind kind)
{
    HttpAnswer answer = {.status = status};
    str_add(&answer.body, body);
    CLEANUP(error_freep) Error *error = credential->provider->read_error(credential, &answer);
    str_done(&answer.body);
    if (error->kind != kind)
        fail_msg("%d %s: of kind %d, not %d", status, body, (int)error->kind, (int)kind);
}
