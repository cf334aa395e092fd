#include "config.h"

#include "sync/failure.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"

#define SAY_AGAIN (1 * USEC_PER_HOUR)
#define SIZE_LIMIT ((size_t)64 * 1024)

static char *path_in(const char *directory)
{
    return xasprintf("%s/failure", directory);
}

/* A clock that was set back makes it news. */
static bool was_said(const char *path, const char *what, usec_t now)
{
    CLEANUP(freep) char *text = NULL;
    size_t size;
    if (file_read(path, SIZE_LIMIT, &text, &size, NULL) < 0)
        return false;
    char *rest = text;
    usec_t said = strtoumax(text, &rest, 10);
    return *rest == '\n' && streq(rest + 1, what) && said <= now && now - said < SAY_AGAIN;
}

bool failure_is_news(const char *directory, const char *message, usec_t now)
{
    CLEANUP(freep) char *path = path_in(directory), *what = str_drop_digits(xstrdup(message));
    if (was_said(path, what, now))
        return false;
    CLEANUP(freep) char *text = xasprintf("%" PRIu64 "\n%s", now, what);
    file_replace(path, 0600, text, strlen(text), NULL);
    return true;
}

void failure_is_over(const char *directory)
{
    CLEANUP(freep) char *path = path_in(directory);
    unlink(path);
}
