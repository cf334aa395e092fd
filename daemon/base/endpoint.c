#include "config.h"

#include "base/endpoint.h"

#include <arpa/inet.h>
#include <strings.h>

#include "base/str.h"

static const char *after_scheme(const char *url, const char *scheme)
{
    size_t n = strlen(scheme);
    return strncasecmp(url, scheme, n) == 0 ? url + n : NULL;
}

/* The host alone: without port, and without the brackets of an IPv6 address. */
static char *host_of(const char *authority)
{
    if (*authority == '[') {
        size_t n = strcspn(authority + 1, "]");
        return xstrndup(authority + 1, n);
    }
    return xstrndup(authority, strcspn(authority, ":/?#"));
}

static bool is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    if (inet_pton(AF_INET6, host, &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6);
    return strcasecmp(host, "localhost") == 0;
}

int endpoint_check(const char *url, Error **err)
{
    const char *secure = after_scheme(url, "https://"), *plain = after_scheme(url, "http://");
    const char *authority = secure ? secure : plain;
    if (!authority)
        return error_set(err, ERROR_SPEC, "\"%s\" must begin with https://", url);
    size_t n = strcspn(authority, "/?#");
    CLEANUP(freep) char *host = host_of(authority);
    if (memchr(authority, '@', n))
        return error_set(err, ERROR_SPEC, "an endpoint holds no user name or password");
    const char *bracket = *authority == '[' ? strchr(authority, ']') : NULL;
    if (*authority == '[' && (!bracket || (bracket[1] && !strchr(":/?#", bracket[1]))))
        return error_set(err, ERROR_SPEC, "\"%s\" must have its IPv6 address between [ and ]", url);
    if (!*host || strpbrk(host, " \t\"'<>\\^`{|}"))
        return error_set(err, ERROR_SPEC, "\"%s\" names no host", url);
    if (plain && !is_loopback(host))
        return error_set(err, ERROR_SPEC,
                         "http:// is for this machine alone (127.0.0.1, ::1, localhost): use https://%s", authority);
    return 0;
}

char *endpoint_host(const char *url)
{
    const char *secure = after_scheme(url, "https://"), *plain = after_scheme(url, "http://");
    const char *authority = secure ? secure : plain ? plain : url;
    char *host = xstrndup(authority, strcspn(authority, "/?#"));
    const char *default_port = secure ? ":443" : ":80";
    size_t n = strlen(host), m = strlen(default_port);
    if (n > m && streq(host + n - m, default_port) && (host[0] != '[' || host[n - m - 1] == ']'))
        host[n - m] = 0;
    return host;
}
