#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/endpoint.h"
#include "base/str.h"

static void assert_allowed(const char *url)
{
    CLEANUP(error_freep) Error *err = NULL;
    if (endpoint_check(url, &err) < 0)
        fail_msg("%s: %s", url, err->message);
}

static void assert_refused(const char *url, const char *part)
{
    CLEANUP(error_freep) Error *err = NULL;
    if (endpoint_check(url, &err) == 0)
        fail_msg("%s was accepted", url);
    assert_int_equal(err->kind, ERROR_SPEC);
    assert_non_null(strstr(err->message, part));
}

static void assert_host(const char *url, const char *expected)
{
    CLEANUP(freep) char *host = endpoint_host(url);
    assert_string_equal(host, expected);
}

static void https_goes_anywhere(void **state)
{
    (void)state;
    assert_allowed("https://iaas.us-phoenix-1.oraclecloud.com");
    assert_allowed("HTTPS://iaas.example:8443/path");
    assert_allowed("https://10.0.0.1");
    assert_allowed("https://[2001:db8::1]:443/");
}

static void http_stays_on_this_machine(void **state)
{
    (void)state;
    assert_allowed("http://127.0.0.1:8080");
    assert_allowed("http://127.255.0.3");
    assert_allowed("http://[::1]:8080/x");
    assert_allowed("http://localhost");
    assert_allowed("http://LocalHost:1/");
}

static void http_to_another_machine_is_refused(void **state)
{
    (void)state;
    static const char *const urls[] = {"http://iaas.example",
                                       "http://10.0.0.1",
                                       "http://128.0.0.1",
                                       "http://[::2]",
                                       "http://[::ffff:127.0.0.1]",
                                       "http://127.1",
                                       "http://0x7f.0.0.1",
                                       "http://2130706433",
                                       "http://127.0.0.1.evil.example",
                                       "http://localhost.evil.example",
                                       "http://localhost.",
                                       "http://127.0.0.1%2eevil.example",
                                       "http://0.0.0.0"};
    for (size_t i = 0; i < ARRAY_SIZE(urls); i++)
        assert_refused(urls[i], "is for this machine alone");
}

static void the_message_gives_the_address_to_use(void **state)
{
    (void)state;
    assert_refused("http://iaas.example/x", "use https://iaas.example/x");
}

static void other_schemes_are_refused(void **state)
{
    (void)state;
    static const char *const urls[] = {"",
                                       "iaas.example",
                                       "ftp://iaas.example",
                                       "file:///etc/passwd",
                                       "https:/iaas.example",
                                       "httpss://iaas.example",
                                       " https://iaas.example",
                                       "//iaas.example"};
    for (size_t i = 0; i < ARRAY_SIZE(urls); i++)
        assert_refused(urls[i], "must begin with https://");
}

static void a_user_name_is_refused(void **state)
{
    (void)state;
    assert_refused("https://user@iaas.example", "no user name");
    assert_refused("https://user:password@iaas.example/", "no user name");
    assert_refused("http://127.0.0.1:80@evil.example", "no user name");
    assert_refused("http://localhost\\@evil.example", "no user name");
    assert_allowed("https://iaas.example/a@b");
}

static void a_url_without_a_host_is_refused(void **state)
{
    (void)state;
    assert_refused("https://", "names no host");
    assert_refused("https:///path", "names no host");
    assert_refused("https://:443", "names no host");
    assert_refused("https://two words", "names no host");
    assert_refused("https://[]/", "names no host");
}

static void an_ipv6_address_stands_in_whole_brackets(void **state)
{
    (void)state;
    assert_refused("http://[::1", "between [ and ]");
    assert_refused("http://[::1]evil.example", "between [ and ]");
    assert_refused("http://[::1].evil.example/", "between [ and ]");
}

static void the_host_header_lacks_the_default_port(void **state)
{
    (void)state;
    assert_host("https://iaas.example", "iaas.example");
    assert_host("https://iaas.example:443/path?x", "iaas.example");
    assert_host("https://iaas.example:80", "iaas.example:80");
    assert_host("http://localhost:80/", "localhost");
    assert_host("http://localhost:8080#x", "localhost:8080");
    assert_host("http://localhost:443", "localhost:443");
    assert_host("https://iaas.example:8443?x", "iaas.example:8443");
}

static void the_host_header_keeps_brackets(void **state)
{
    (void)state;
    assert_host("https://[::1]:443", "[::1]");
    assert_host("https://[::443]", "[::443]");
    assert_host("https://[2001:db8::1]:8443/", "[2001:db8::1]:8443");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(https_goes_anywhere),
        cmocka_unit_test(http_stays_on_this_machine),
        cmocka_unit_test(http_to_another_machine_is_refused),
        cmocka_unit_test(the_message_gives_the_address_to_use),
        cmocka_unit_test(other_schemes_are_refused),
        cmocka_unit_test(a_user_name_is_refused),
        cmocka_unit_test(a_url_without_a_host_is_refused),
        cmocka_unit_test(an_ipv6_address_stands_in_whole_brackets),
        cmocka_unit_test(the_host_header_lacks_the_default_port),
        cmocka_unit_test(the_host_header_keeps_brackets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
