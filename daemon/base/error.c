#include "config.h"

#include "base/error.h"

#include <string.h>

static const char *const codes[ERROR_KIND_MAX] = {
    [ERROR_CONNECT] = "ConnectFailed", [ERROR_TLS] = "TlsFailed",      [ERROR_TIMEOUT] = "TimedOut",
    [ERROR_LOST] = "BadAnswer",        [ERROR_PROTOCOL] = "BadAnswer", [ERROR_BREAKER] = "BreakerOpen",
};

void error_free(Error *e)
{
    if (!e)
        return;
    free(e->message);
    free(e->code);
    free(e->request_id);
    free(e);
}

static int set(Error **err, ErrorKind kind, char *message)
{
    if (!err) {
        free(message);
        return -1;
    }
    *err = xcalloc(1, sizeof(**err));
    (*err)->kind = kind;
    (*err)->message = message;
    (*err)->code = xstrdup(codes[kind]);
    return -1;
}

int error_set(Error **err, ErrorKind kind, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *message = xvasprintf(format, args);
    va_end(args);
    return set(err, kind, message);
}

int error_set_errno(Error **err, ErrorKind kind, int number, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    CLEANUP(freep) char *what = xvasprintf(format, args);
    va_end(args);
    return set(err, kind, xasprintf("%s: %s", what, strerror(number)));
}

int error_wrap(Error **err, const char *format, ...)
{
    if (!err || !*err)
        return -1;
    va_list args;
    va_start(args, format);
    CLEANUP(freep) char *outer = xvasprintf(format, args);
    va_end(args);
    CLEANUP(freep) char *inner = TAKE((*err)->message);
    (*err)->message = xasprintf("%s: %s", outer, inner);
    return -1;
}

Error *error_copy(const Error *e)
{
    if (!e)
        return NULL;
    Error *copy = xmalloc(sizeof(*copy));
    *copy = *e;
    copy->message = xstrdup(e->message);
    copy->code = xstrdup(e->code);
    copy->request_id = xstrdup(e->request_id);
    return copy;
}
