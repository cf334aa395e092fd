#include "config.h"

#include "sign/huawei-sign.h"

#include <ctype.h>
#include <stdbool.h>

#include "base/file.h"
#include "base/str.h"
#include "base/vec.h"
#include "sign/key.h"

#define ALGORITHM "SDK-HMAC-SHA256"

/* A piece of the target. */
typedef struct Slice {
    const char *start, *end;
} Slice;

typedef struct Param {
    Slice name, value;
} Param;

void huawei_headers_done(HuaweiHeaders *headers)
{
    for (size_t i = 0; i < headers->n; i++)
        secret_free(headers->items[i].value);
    *headers = (HuaweiHeaders){0};
}

char *huawei_date(usec_t wall, char buffer[static HUAWEI_DATE_SIZE])
{
    char dashed[RFC3339_SIZE], *out = buffer;
    for (const char *p = format_rfc3339(wall, dashed); *p; p++)
        if (*p != '-' && *p != ':')
            *out++ = *p;
    *out = 0;
    return buffer;
}

/* What is before the next `separator`, or all; *in moves on behind it. */
static Slice cut(Slice *in, char separator)
{
    const char *found = memchr(in->start, separator, (size_t)(in->end - in->start));
    Slice piece = {in->start, found ? found : in->end};
    in->start = found ? found + 1 : in->end;
    return piece;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The next byte that is meant, escaped or not; -1 at the end. */
static int next_byte(Slice *in)
{
    if (in->start == in->end)
        return -1;
    char c = *in->start++;
    if (c != '%' || in->end - in->start < 2)
        return (unsigned char)c;
    int high = hex_digit(in->start[0]), low = hex_digit(in->start[1]);
    if (high < 0 || low < 0)
        return '%';
    in->start += 2;
    return high << 4 | low;
}

static void add_encoded(Str *out, int byte)
{
    const char text[] = {(char)byte, 0};
    if (byte)
        str_add_percent(out, text);
    else
        str_add(out, "%00"); /* which is the end to str_add_percent */
}

static void add_all_encoded(Str *out, Slice in)
{
    for (int byte; (byte = next_byte(&in)) >= 0;)
        add_encoded(out, byte);
}

static void add_uri(Str *out, Slice path)
{
    do {
        Slice segment = cut(&path, '/');
        add_all_encoded(out, segment);
        str_addc(out, '/'); /* behind the last one too */
    } while (path.start < path.end);
}

static int compare_slices(Slice a, Slice b)
{
    for (;;) {
        int x = next_byte(&a), y = next_byte(&b);
        if (x != y)
            return x < y ? -1 : 1;
        if (x < 0)
            return 0;
    }
}

static int compare_params(const void *a, const void *b)
{
    const Param *x = a, *y = b;
    int names = compare_slices(x->name, y->name);
    return names ? names : compare_slices(x->value, y->value);
}

static void add_query(Str *out, Slice query)
{
    VEC(Param) params = {0};
    while (query.start < query.end) {
        Slice value = cut(&query, '&');
        if (value.start == value.end)
            continue;
        Slice name = cut(&value, '=');
        *VEC_ADD(&params) = (Param){name, value};
    }
    if (params.n)
        qsort(params.items, params.n, sizeof(*params.items), compare_params);
    for (size_t i = 0; i < params.n; i++) {
        if (i)
            str_addc(out, '&');
        add_all_encoded(out, params.items[i].name);
        str_addc(out, '=');
        add_all_encoded(out, params.items[i].value);
    }
    VEC_DONE(&params);
}

/* Takes the value over. */
static void add_header(HuaweiHeaders *headers, const char *name, char *value)
{
    headers->items[headers->n].name = name;
    headers->items[headers->n].value = value;
    headers->n++;
}

static void collect_one(HuaweiHeaders *headers, const char *name, const char *value)
{
    if (!value)
        return;
    while (isspace((unsigned char)*value))
        value++;
    size_t n = strlen(value);
    while (n && isspace((unsigned char)value[n - 1]))
        n--;
    add_header(headers, name, xstrndup(value, n));
}

/* The signed headers, sorted by name as they stand here; the one place that knows them. */
static void collect(const HuaweiRequest *request, HuaweiHeaders *headers)
{
    collect_one(headers, "content-type", request->content_type);
    collect_one(headers, "host", request->host);
    collect_one(headers, "x-project-id", request->project_id);
    collect_one(headers, "x-sdk-date", request->date);
    collect_one(headers, "x-security-token", request->security_token);
}

/* "" when it is not among them. */
static const char *value_of(const HuaweiHeaders *headers, const char *name)
{
    for (size_t i = 0; i < headers->n; i++)
        if (streq(headers->items[i].name, name))
            return headers->items[i].value;
    return "";
}

static char *signed_names(const HuaweiHeaders *headers)
{
    Str names = {0};
    for (size_t i = 0; i < headers->n; i++)
        str_addf(&names, "%s%s", i ? ";" : "", headers->items[i].name);
    return str_take(&names);
}

/* Method, URI and query, with a line feed behind each. */
static char *first_lines(const HuaweiRequest *request)
{
    Str lines = {0};
    for (const char *p = request->method; *p; p++)
        str_addc(&lines, (char)toupper((unsigned char)*p));
    str_addc(&lines, '\n');
    Slice query = {request->target, request->target + strlen(request->target)};
    add_uri(&lines, cut(&query, '?'));
    str_addc(&lines, '\n');
    add_query(&lines, query);
    str_addc(&lines, '\n');
    return str_take(&lines);
}

/* Lines up the parts of a text in one piece of memory: a string that grows leaves copies behind, which nobody wipes. */
static char *concatenate(const char *const *parts, size_t n)
{
    size_t size = 1;
    for (size_t i = 0; i < n; i++)
        size += strlen(parts[i]);
    char *text = xmalloc(size), *end = text;
    *end = 0;
    for (size_t i = 0; i < n; i++)
        end = stpcpy(end, parts[i]);
    return text;
}

static char *canonical_request(const HuaweiRequest *request, const HuaweiHeaders *headers, const char *names)
{
    CLEANUP(freep) char *first = first_lines(request);
    char hash[SHA256_HEX_SIZE];
    sha256_hex(request->body, request->body ? request->body_size : 0, hash);

    const char *parts[4 * HUAWEI_HEADERS_MAX + 5];
    size_t n = 0;
    parts[n++] = first;
    for (size_t i = 0; i < headers->n; i++) {
        parts[n++] = headers->items[i].name;
        parts[n++] = ":";
        parts[n++] = headers->items[i].value;
        parts[n++] = "\n";
    }
    parts[n++] = "\n";
    parts[n++] = names;
    parts[n++] = "\n";
    parts[n++] = hash;
    return concatenate(parts, n);
}

static char *string_to_sign(const HuaweiRequest *request, const HuaweiHeaders *headers, const char *names)
{
    CLEANUP(secret_freep) char *canonical = canonical_request(request, headers, names);
    char hash[SHA256_HEX_SIZE];
    sha256_hex(canonical, strlen(canonical), hash);
    return xasprintf("%s\n%s\n%s", ALGORITHM, value_of(headers, "x-sdk-date"), hash);
}

char *huawei_canonical_request(const HuaweiRequest *request)
{
    CLEANUP(huawei_headers_done) HuaweiHeaders headers = {0};
    collect(request, &headers);
    CLEANUP(freep) char *names = signed_names(&headers);
    return canonical_request(request, &headers, names);
}

char *huawei_string_to_sign(const HuaweiRequest *request)
{
    CLEANUP(huawei_headers_done) HuaweiHeaders headers = {0};
    collect(request, &headers);
    CLEANUP(freep) char *names = signed_names(&headers);
    return string_to_sign(request, &headers, names);
}

/* A line break would begin a header that nobody declared; libcurl takes an empty value for the wish to send none. */
static int check_headers(const HuaweiHeaders *headers, Error **err)
{
    for (size_t i = 0; i < headers->n; i++) {
        const char *name = headers->items[i].name, *value = headers->items[i].value;
        if (!*value)
            return error_set(err, ERROR_SPEC, "%s is empty", name);
        for (const unsigned char *p = (const unsigned char *)value; *p; p++)
            if (*p < 0x20 || *p == 0x7f)
                return error_set(err, ERROR_SPEC, "%s has a line break or another control character in it", name);
    }
    return 0;
}

/* A key of a file with a line feed at its end would be refused by the cloud, which cannot say why. */
static int check_key(const char *key, const char *what, const char *unfit, Error **err)
{
    if (!*key)
        return error_set(err, ERROR_SPEC, "the %s is empty", what);
    for (const unsigned char *p = (const unsigned char *)key; *p; p++)
        if (*p <= 0x20 || *p >= 0x7f || strchr(unfit, *p))
            return error_set(err, ERROR_SPEC, "the %s has white space or another character in it that no key has",
                             what);
    return 0;
}

int huawei_sign(const HuaweiRequest *request, const char *access_key, const char *secret_key, HuaweiHeaders *ret,
                Error **err)
{
    CLEANUP(huawei_headers_done) HuaweiHeaders headers = {0};
    collect(request, &headers);
    if (check_key(access_key, "access key", ",", err) < 0 || check_key(secret_key, "secret key", "", err) < 0 ||
        check_headers(&headers, err) < 0)
        return -1;
    CLEANUP(freep) char *names = signed_names(&headers);
    CLEANUP(freep) char *text = string_to_sign(request, &headers, names);
    char signature[SHA256_HEX_SIZE];
    if (hmac_sha256_hex(secret_key, text, strlen(text), signature, err) < 0)
        return -1;
    HuaweiHeaders out = {0};
    for (size_t i = 0; i < headers.n; i++)
        if (!streq(headers.items[i].name, "host"))
            add_header(&out, headers.items[i].name, TAKE(headers.items[i].value));
    add_header(&out, "authorization",
               xasprintf("%s Access=%s, SignedHeaders=%s, Signature=%s", ALGORITHM, access_key, names, signature));
    *ret = out;
    return 0;
}
