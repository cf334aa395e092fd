/* OpenStack's image service Glance under /image, behind the middleware that checks Keystone's tokens. */
#pragma once

#include "service.h"

struct resource;
struct view;

/* An error in the form that the web framework gives it, which goes by the Accept header: HTML, JSON or plain text. */
void glance_error(const struct request *request, struct reply *reply, int status, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void glance_answer(struct reply *reply, const char *json, size_t length);
/* The caller's standing with a project that an image is shared with, NULL for none. */
const char *glance_membership(const struct simulator *simulator, const struct request *request, const char *image);
/* Did control leave this operation to the caller's project? */
bool glance_allowed(const struct simulator *simulator, const struct request *request);
bool glance_owns(const struct request *request, const struct view *view);
/* The image, when the caller may read it. */
struct resource *glance_find(const struct simulator *simulator, const struct request *request, const char *id);

operation_fn list_glance_images, update_glance_image;
