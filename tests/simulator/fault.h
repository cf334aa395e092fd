/* Scripted faults: rules set by control that make the service misbehave for chosen requests. */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "reply.h"
#include "request.h"

struct simulator;
struct view;
struct fault_kind;
struct fault_rule;

struct faults {
    struct fault_rule *rules;
    size_t count;
};

/* How the answer travels. */
enum transport {
    SEND_NORMAL,
    SEND_NOTHING, /* the connection is closed without an answer */
    SEND_NEVER,   /* nothing comes until the client goes away */
    SEND_RESET,
    SEND_TRUNCATED,
    SEND_TRUNCATED_QUIETLY,
    SEND_SLOWLY,
    SEND_OVERSIZED,
    SEND_HUGE_HEADERS,
};

/* The one rule that fired for a request; kind is NULL when none did. */
struct fired {
    const struct fault_kind *kind;
    cJSON *rule; /* a copy */
};

/* NULL when added, else why not, which the caller frees. */
char *faults_add(struct faults *faults, const cJSON *rule);
void faults_clear(struct faults *faults);
cJSON *faults_list(const struct faults *faults);
/* The first rule that matches and has its turn; counts it. */
void faults_pick(struct faults *faults, const struct request *request, struct fired *fired);

const char *fault_name(const struct fired *fired);
enum transport fault_transport(const struct fired *fired);
long fault_delay_ms(const struct fired *fired);
/* The rule when it is shuffle-page, else NULL. */
const cJSON *fault_shuffle(const struct fired *fired);
/* The last image of the page before comes again, with other content: for models whose name is "name". */
void fault_add_shuffled(const cJSON *rule, const struct view *last, struct text *body);
/* Before the request is carried out; true when it must not be carried out at all. */
bool fault_before(const struct fired *fired, struct simulator *simulator, const struct request *request,
                  struct reply *reply);
void fault_after(const struct fired *fired, struct simulator *simulator, const struct request *request,
                 struct reply *reply);
void fault_done(struct fired *fired);
