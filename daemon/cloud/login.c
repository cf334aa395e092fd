#include "config.h"

#include "cloud/login.h"

#include "base/file.h"
#include "cloud/api-error.h"

#define RENEW_BEFORE (5 * USEC_PER_MINUTE)
#define FORGET_PAUSE USEC_PER_MINUTE
#define TOKEN_MAX ((size_t)64 * 1024)

struct Login {
    Credential *credential;
    HttpClient *client;
    HttpRequest *request;
    login_done_fn done;
    void *userdata;
    usec_t good_until; /* monotonic */
    usec_t forgotten;  /* monotonic: when a token was last refused; 0: never */
};

static const ApiErrorRule error_rules[] = {
    {400, ERROR_AUTH, NULL}, /* what IAM says to an unknown user or project */
    {401, ERROR_AUTH, NULL},
    {403, ERROR_FORBIDDEN, NULL},
    {404, ERROR_AUTH, NULL}, /* and Keystone to an unknown application credential */
    {0},
};

static Error *read_error(void *userdata, const HttpAnswer *answer)
{
    const Credential *c = userdata;
    return api_error(answer, error_rules, &(ApiSecrets){{c->provider->login_secret(c)}});
}

static int add_headers(void *userdata, const HttpSpec *spec, const char *endpoint, usec_t now, HttpHeaders *out,
                       Error **err)
{
    (void)userdata;
    (void)spec;
    (void)endpoint;
    (void)now;
    (void)err;
    http_headers_add(out, "accept", "application/json");
    http_headers_add(out, "content-type", "application/json");
    return 0;
}

/* It goes into a header as it is. */
static bool is_token(const char *text)
{
    size_t n = strlen(text);
    for (const char *p = text; *p; p++)
        if (*p <= ' ' || *p >= 0x7f)
            return false;
    return n > 0 && n <= TOKEN_MAX;
}

/* How long it is good, by the server's own clock. One that is renewed a while before its end, but not all the time. */
static usec_t lifetime(const HttpAnswer *answer, const Node *token)
{
    usec_t expires, now;
    const char *text = node_get_text(token, "expires_at"), *date = http_answer_header(answer, "date");
    if (!date || parse_http_date(date, &now) < 0)
        now = clock_wall();
    if (!text || parse_rfc3339(text, &expires) < 0 || expires <= now)
        return RENEW_BEFORE;
    usec_t life = expires - now, margin = life / 4;
    return life - (margin < RENEW_BEFORE ? margin : RENEW_BEFORE);
}

static int take(Login *login, const HttpAnswer *answer, Error **err)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    Credential *c = login->credential;
    const Node *body = NULL;
    const char *token = http_answer_header(answer, "x-subject-token");
    if (json_read(arena, str_get(&answer->body), answer->body.len, &body, err) < 0)
        return error_wrap(err, "the login's answer");
    const Node *about = node_get(body, "token");
    if (!token || !is_token(token) || !about || about->type != NODE_MAP)
        return error_set(err, ERROR_PROTOCOL, "the login's answer holds no token");
    if (c->provider->take_login(c, about, err) < 0)
        return -1;
    secret_free(c->token);
    c->token = xstrdup(token);
    login->good_until = clock_monotonic() + lifetime(answer, about);
    return 0;
}

static int check(void *userdata, const HttpAnswer *answer, Error **err)
{
    return take(userdata, answer, err);
}

static void on_done(void *userdata, HttpAnswer *answer, const Error *error)
{
    Login *login = userdata;
    const Credential *c = login->credential;
    CLEANUP(error_freep) Error *e = error_copy(error);
    (void)answer;
    http_request_free(TAKE(login->request));
    if (e)
        error_wrap(&e, "logging in at %s with %s", c->login_endpoint, c->login_with);
    login->done(login->userdata, e);
}

int login_new(Http *http, sd_event *loop, Credential *credential, const char *ca_file, login_done_fn done,
              void *userdata, Login **ret, Error **err)
{
    CLEANUP(login_freep) Login *login = xcalloc(1, sizeof(*login));
    *login = (Login){.credential = credential, .done = done, .userdata = userdata};
    HttpClientOptions options = {
        .endpoint = credential->login_endpoint,
        .ca_file = ca_file,
        .max_concurrency = 1,
        .sign = add_headers,
        .read_error = read_error,
        .request_id_header = credential->provider->request_id_header,
        .userdata = credential,
    };
    if (http_client_new(http, loop, &options, &login->client, err) < 0)
        return -1;
    *ret = TAKE(login);
    return 0;
}

void login_free(Login *login)
{
    if (!login)
        return;
    http_request_free(login->request);
    http_client_free(login->client);
    free(login);
}

bool login_is_good(const Login *login)
{
    return login->credential->token && clock_monotonic() < login->good_until;
}

void login_begin(Login *login)
{
    if (login->request)
        return;
    CLEANUP(str_done) Str target = {0};
    Str body = {0};
    login->credential->provider->fill_login(login->credential, &target, &body);
    HttpSpec spec = {
        .method = "POST",
        .target = str_get(&target),
        .body = str_get(&body),
        .body_size = body.len,
        .safe = true, /* a token too many does no harm */
    };
    HttpHandlers handlers = {.check = check, .done = on_done, .userdata = login};
    login->request = http_request_start(login->client, &spec, NULL, &handlers);
    secret_free(str_take(&body));
}

bool login_forget(Login *login)
{
    usec_t now = clock_monotonic();
    if (login->forgotten && now - login->forgotten < FORGET_PAUSE)
        return false;
    login->forgotten = now;
    secret_free(TAKE(login->credential->token));
    return true;
}

unsigned login_sent(const Login *login)
{
    return http_client_sent(login->client);
}
