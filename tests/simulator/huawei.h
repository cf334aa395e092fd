/* Huawei Cloud: the image service IMS, the identity service IAM and the gateway in front of both. */
#pragma once

#include "service.h"

struct resource;
struct view;

/* An error in the form of whoever tells it: codes APIG... are the gateway's, IMG... are of IMS; IAM has none of its
 * own, but the status in words. Without a code, a usual one. */
void huawei_error(const struct request *request, struct reply *reply, int status, const char *code, const char *format,
                  ...) __attribute__((format(printf, 5, 6)));
/* One of IMS, with the status that it comes with. */
void ims_error(const struct request *request, struct reply *reply, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void huawei_answer(struct reply *reply, int status, const cJSON *body);
/* Is the body application/json, in any of the ways in which clients write that? */
bool huawei_is_json(const struct request *request);
/* NULL when the request is authentic, and the project is filled in; else why not, which the caller frees. The code
 * is the gateway's. Called under the lock. */
char *huawei_check_authentic(const struct simulator *simulator, struct request *request, bool any_host,
                             const char **code);
/* May a project read the image? */
bool ims_sees(const struct view *view, const char *project);
bool ims_allowed(const struct simulator *simulator, const struct request *request, struct reply *reply);
/* The image that the path names; NULL, and an error, when the caller sees none. */
struct resource *ims_find(const struct simulator *simulator, const struct request *request, struct reply *reply);
void ims_answer(const struct resource *image, struct reply *reply);

operation_fn list_cloud_images, update_cloud_image;
