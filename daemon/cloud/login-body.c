#include "config.h"

#include "cloud/login-body.h"

#include "data/json-write.h"

/* `password`, unless it is NULL, stands beside the name. */
static void add_reference(JsonWriter *w, const char *key, const LoginReference *r, const char *password)
{
    json_begin_object(w, key);
    json_text(w, r->id ? "id" : "name", r->id ? r->id : r->name);
    if (!r->id && (r->domain_id || r->domain_name)) {
        json_begin_object(w, "domain");
        json_text(w, r->domain_id ? "id" : "name", r->domain_id ? r->domain_id : r->domain_name);
        json_end_object(w);
    }
    if (password)
        json_text(w, "password", password);
    json_end_object(w);
}

static void add_password(JsonWriter *w, const LoginBody *body)
{
    json_begin_object(w, "password");
    add_reference(w, "user", &body->user, body->password);
    json_end_object(w);
}

static void add_application_credential(JsonWriter *w, const LoginBody *body)
{
    json_begin_object(w, "application_credential");
    json_text(w, body->credential_id ? "id" : "name",
              body->credential_id ? body->credential_id : body->credential_name);
    if (!body->credential_id)
        add_reference(w, "user", &body->user, NULL);
    json_text(w, "secret", body->credential_secret);
    json_end_object(w);
}

void login_body_add(const LoginBody *body, Str *out)
{
    JsonWriter w = {.out = out};
    json_begin_object(&w, NULL);
    json_begin_object(&w, "auth");
    json_begin_object(&w, "identity");
    json_begin_array(&w, "methods");
    json_text(&w, NULL, body->password ? "password" : "application_credential");
    json_end_array(&w);
    if (body->password)
        add_password(&w, body);
    else
        add_application_credential(&w, body);
    json_end_object(&w);
    if (body->password) {
        json_begin_object(&w, "scope");
        add_reference(&w, "project", &body->project, NULL);
        json_end_object(&w);
    }
    json_end_object(&w);
    json_end_object(&w);
}
