/* Any bytes as clouds.yaml and, behind a form feed, secure.yaml: a whole identity, or a message that can be shown. */
#include "config.h"

#include "cloud/clouds-file.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good)
{
    if (!good)
        abort();
}

static CloudsText text_new(char *file, const uint8_t *data, size_t size)
{
    CloudsText text = {.file = file, .text = xmalloc(size), .size = size};
    memcpy(text.text, data, size);
    return text;
}

static void check_cloud(const OpenstackCloud *c)
{
    bool credential = c->credential_id || c->credential_name;
    size_t n = strlen(c->auth_url);
    require(n > 3 && streq(c->auth_url + n - 3, "/v3") && c->file && c->interface);
    require(credential == (c->credential_secret != NULL) && credential == (c->password == NULL));
    require(credential || ((c->user_id || c->user_name) && (c->project_id || c->project_name)));
    require((c->user_name != NULL) == (c->user_domain_id || c->user_domain_name));
    require((c->project_name != NULL) == (c->project_domain_id || c->project_domain_name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *feed = size ? memchr(data, '\f', size) : NULL;
    size_t n = feed ? (size_t)(feed - data) : size;
    char clouds_name[] = "fuzz/clouds.yaml", secure_name[] = "fuzz/secure.yaml";
    CloudsText clouds = text_new(clouds_name, data, n), secure = {0};
    if (feed)
        secure = text_new(secure_name, feed + 1, size - n - 1);
    CLEANUP(openstack_cloud_freep) OpenstackCloud *cloud = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    const CloudsFileRequest request = {.cloud = "c"};
    int r = openstack_cloud_parse(&request, &clouds, &secure, &cloud, &err);
    require((r == 0) == (cloud != NULL) && (r == 0) == (err == NULL));
    if (cloud)
        check_cloud(cloud);
    for (const char *p = err ? err->message : ""; *p; p++)
        require(!iscntrl((unsigned char)*p));
    openstack_text_holds_secret(&clouds);
    free(clouds.text);
    free(secure.text);
    return 0;
}
