#include "config.h"

#include "../../tests/unit/helper.h"

#include "attr/sync.h"

static bool takes(const char *row, const char *text)
{
    CLEANUP(error_freep) Error *err = NULL;
    const Field *field = field_find(sync_fields, row);
    assert_non_null(field);
    int r = field->check(text, &err);
    assert_int_equal(r < 0, err != NULL);
    return r == 0;
}

static void repositories(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        Transport transport;
    } good[] = {
        {"https://git.example/a/b.git", TRANSPORT_HTTPS}, {"http://127.0.0.1:8080/x", TRANSPORT_HTTP},
        {"ssh://git@git.example:2222/a", TRANSPORT_SSH},  {"git@git.example:a/b.git", TRANSPORT_SSH},
        {"host:b", TRANSPORT_SSH},                        {"/srv/git/a.git", TRANSPORT_PATH},
        {"./a", TRANSPORT_PATH},                          {"~/a:b", TRANSPORT_PATH},
        {"a", TRANSPORT_PATH},
    };
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        if (!takes("repository", good[i].text))
            fail_msg("%s is refused", good[i].text);
        assert_int_equal(repository_transport(good[i].text), good[i].transport);
    }
    static const char *const bad[] = {
        "http://git.example/a",  "https://me@git.example/a",     "https://me:secret@git.example/a", "git://git.example/a",
        "file:///srv/a",         "ext::sh -c x",                 "ssh://-oProxyCommand=x/a",        "ssh://git@-x/a",
        "-x:a",                  "git@-x:a",                     "--upload-pack=x",                 "ssh://git:secret@git.example/a",
        "ssh://git.example",     "git.example:",                 "a b",                             "a\nb",
        "ssh:///a",              "https://",
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (takes("repository", bad[i]))
            fail_msg("%s is taken", bad[i]);
}

static void refs(void **state)
{
    (void)state;
    static const char *const good[] = {"main", "release/1.2", "v1.0", "refs/heads/a", "0123456789012345678901234567890123456789", "a@b", "ä"};
    static const char *const bad[] = {"-x",  "a..b", "a b",   "a~1",  "a^",  "a:b", "a?",     "a*",      "a[b",  "a\\b",
                                      "a@{", "@",    "a//b",  "/a",   "a/",  "a.",  ".a",     "a/.b",    "a.lock", "a.lock/b"};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        if (!takes("ref", good[i]))
            fail_msg("%s is refused", good[i]);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (takes("ref", bad[i]))
            fail_msg("%s is taken", bad[i]);
}

static void hosts(void **state)
{
    (void)state;
    size_t size;
    const char *host = repository_host("https://git.example:8443/a/b?c", &size);
    assert_int_equal(size, strlen("git.example:8443"));
    assert_memory_equal(host, "git.example:8443", size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repositories),
        cmocka_unit_test(refs),
        cmocka_unit_test(hosts),
    };
    return cmocka_run_group_tests_name("sync", tests, NULL, NULL);
}
