/* PATCH of an image: which attributes may be changed, what their values look like, and the change itself. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "huawei.h"
#include "json.h"
#include "sim.h"

#define NAME_MAX_CHARACTERS 128
#define DESCRIPTION_MAX_CHARACTERS 1024
#define VALUE_MAX_CHARACTERS 255
#define ATTRIBUTE_MAX 255

/* NULL when the value is right, else the code of the error. */
typedef const char *value_fn(const char *value);

struct attribute {
    const char *name;
    value_fn *check;
    bool number; /* the value may be given as a number */
    bool fixed;  /* always there */
};

/* ---- values ---- */

/* Letters of other scripts are taken: they are all beyond ASCII. */
static const char *check_name(const char *value)
{
    size_t length = strlen(value);

    if (json_characters(value) > NAME_MAX_CHARACTERS) {
        return "IMG.0002";
    }
    for (const char *at = value; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x80 &&
            strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._ ", *at) == NULL) {
            return "IMG.0003";
        }
    }
    return length == 0 || value[0] == ' ' || value[length - 1] == ' ' ? "IMG.0003" : NULL;
}

static const char *check_description(const char *value)
{
    if (json_characters(value) > DESCRIPTION_MAX_CHARACTERS) {
        return "IMG.0004";
    }
    return strpbrk(value, "\r\n<>") != NULL ? "IMG.0054" : NULL;
}

static const char *check_true(const char *value)
{
    return strcmp(value, "true") == 0 ? NULL : "IMG.0001";
}

static const char *check_flag(const char *value)
{
    return strcmp(value, "true") == 0 || strcmp(value, "false") == 0 ? NULL : "IMG.0001";
}

static const char *check_megabytes(const char *value)
{
    return *value != '\0' && strlen(value) <= 9 && value[strspn(value, "0123456789")] == '\0' ? NULL : "IMG.0055";
}

static const char *check_firmware(const char *value)
{
    return strcmp(value, "bios") == 0 || strcmp(value, "uefi") == 0 ? NULL : "IMG.0141";
}

static const char *check_enterprise_project(const char *value)
{
    bool id = strlen(value) == 36 && value[strspn(value, "0123456789abcdefABCDEF-")] == '\0';

    return id || strcmp(value, "0") == 0 ? NULL : "IMG.0155";
}

static const char *check_text(const char *value)
{
    size_t characters = json_characters(value);

    return characters < 1 || characters > VALUE_MAX_CHARACTERS ? "IMG.0001" : NULL;
}

static const struct attribute attributes[] = {
    {"name", check_name, false, true},
    {"__description", check_description, false, false},
    {"__support_xen", check_true, false, false},
    {"__support_largememory", check_true, false, false},
    {"__support_diskintensive", check_true, false, false},
    {"__support_highperformance", check_true, false, false},
    {"__support_xen_gpu_type", check_text, false, false},
    {"__support_kvm_gpu_type", check_text, false, false},
    {"__support_xen_hana", check_true, false, false},
    {"__is_config_init", check_flag, false, false},
    {"min_ram", check_megabytes, true, true},
    {"hw_vif_multiqueue_enabled", check_flag, false, false},
    {"hw_firmware_type", check_firmware, false, false},
    {"max_ram", check_megabytes, true, false},
    {"enterprise_project_id", check_enterprise_project, false, true},
    {"__support_kvm_infiniband", check_true, false, false},
    {"__support_fc_inject", check_flag, false, false},
    {"__support_amd", check_flag, false, false},
    {"__support_kvm_hi1822_hisriov", check_true, false, false},
    {"__support_kvm_hi1822_hivirtionet", check_true, false, false},
};

/* Attributes of the model that nobody may change here, beside those that every image has. */
static const char *const read_only[] = {
    "max_disk",
    "os_shutdown_timeout",
    "__support_kvm",
    "__support_arm",
    "__root_origin",
    "__lazyloading",
    "__os_feature_list",
    "__account_code",
    "__sequence_num",
    "__system__cmkid",
    "__whole_image",
    "__is_offshelved",
    "__support_agent_list",
    "__image_displayname",
    "__image_location",
    "__system_support_market",
};

/* An attribute of one's own. */
static const struct attribute extension = {"", check_text, false, false};

static bool is_read_only(const char *name)
{
    for (const struct field *field = kind_at(KIND_CLOUD_IMAGE)->fields; field->name != NULL; field++) {
        if (strcmp(field->name, name) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < sizeof(read_only) / sizeof(read_only[0]); i++) {
        if (strcmp(read_only[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* NULL when it cannot be changed. */
static const struct attribute *find_attribute(const char *name)
{
    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
        if (strcmp(attributes[i].name, name) == 0) {
            return &attributes[i];
        }
    }
    return is_read_only(name) ? NULL : &extension;
}

/* ---- one operation ---- */

enum operation { OP_ADD, OP_REPLACE, OP_REMOVE, OP_NONE };

struct step {
    enum operation op;
    const char *name; /* of the attribute */
    const struct attribute *attribute;
    const cJSON *value;
};

struct patch {
    const struct simulator *simulator;
    const struct request *request;
    struct reply *reply;
    cJSON *image;  /* a copy that the operations are done on */
    unsigned done; /* of the operations */
};

static enum operation read_op(const char *op)
{
    static const char *const names[] = {[OP_ADD] = "add", [OP_REPLACE] = "replace", [OP_REMOVE] = "remove"};

    for (int i = OP_ADD; op != NULL && i < OP_NONE; i++) {
        if (strcmp(names[i], op) == 0) {
            return (enum operation)i;
        }
    }
    return OP_NONE;
}

static bool is_good_name(const char *name)
{
    size_t length = strlen(name);

    return length > 0 && length <= ATTRIBUTE_MAX &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-.:")] == '\0';
}

/* The members, without a look at the image. */
static const char *read_step(const struct patch *patch, const cJSON *item, struct step *step)
{
    const char *path = json_string(item, "path");
    const cJSON *member;

    step->op = read_op(json_string(item, "op"));
    step->value = json_member(item, "value");
    if (!cJSON_IsObject(item)) {
        return "An operation is not an object";
    }
    cJSON_ArrayForEach(member, item)
    {
        if (strcmp(member->string, "op") != 0 && strcmp(member->string, "path") != 0 && member != step->value) {
            return "An operation has a member that is not op, path or value";
        }
    }
    if (step->op == OP_NONE) {
        return "op is not add, replace or remove";
    }
    if (path == NULL || path[0] != '/' || !is_good_name(path + 1)) {
        return "path is not '/' and the name of an attribute, without upper-case letters";
    }
    if (step->value == NULL && (step->op != OP_REMOVE || patch->simulator->config.remove_needs_value)) {
        return "value is missing";
    }
    step->name = path + 1;
    step->attribute = find_attribute(step->name);
    bool number = step->attribute != NULL && step->attribute->number && cJSON_IsNumber(step->value) &&
                  !patch->simulator->config.numbers_refused;
    return step->value == NULL || cJSON_IsString(step->value) || number ? NULL : "value is not a string";
}

static char *text_of(const cJSON *value)
{
    return cJSON_IsNumber(value) ? json_print(value) : xstrdup(value->valuestring);
}

/* May the operation be done on the image as it is by now? */
static bool check_step(const struct patch *patch, const struct step *step)
{
    bool present = json_member(patch->image, step->name) != NULL;

    if (step->attribute == NULL || (step->op == OP_REMOVE && step->attribute->fixed)) {
        ims_error(patch->request, patch->reply, "IMG.0105", "The operation is not supported on %s", step->name);
    } else if (step->op != OP_ADD && !present) {
        ims_error(patch->request, patch->reply, "IMG.0035", "The attribute %s does not exist", step->name);
    } else if (step->op == OP_ADD && present && !patch->simulator->config.add_replaces) {
        ims_error(patch->request, patch->reply, "IMG.0035", "The attribute %s exists already", step->name);
    } else {
        return true;
    }
    return false;
}

static void set_value(cJSON *image, const struct step *step, const char *text)
{
    bool number = strcmp(step->name, "min_ram") == 0;
    cJSON *value = number ? cJSON_CreateNumber(strtod(text, NULL)) : cJSON_CreateString(text);

    if (json_member(image, step->name) != NULL) {
        cJSON_ReplaceItemInObjectCaseSensitive(image, step->name, value);
    } else {
        cJSON_AddItemToObject(image, step->name, value);
    }
}

static bool do_step(struct patch *patch, const struct step *step)
{
    if (!check_step(patch, step)) {
        return false;
    }
    if (step->op == OP_REMOVE) {
        cJSON_DeleteItemFromObjectCaseSensitive(patch->image, step->name);
        return true;
    }
    char *text = text_of(step->value);
    const char *code = step->attribute->check(text);
    if (code != NULL) {
        ims_error(patch->request, patch->reply, code, "The value of %s is wrong: %s", step->name, text);
    } else if (*text == '\0' && patch->simulator->config.empty_removes) {
        cJSON_DeleteItemFromObjectCaseSensitive(patch->image, step->name);
    } else {
        set_value(patch->image, step, text);
    }
    free(text);
    return code == NULL;
}

/* ---- the whole ---- */

static bool check_together(const struct patch *patch)
{
    static const char *const enemies[][2] = {
        {"__support_xen_gpu_type", "__support_xen"},   {"__support_xen_gpu_type", "__support_kvm"},
        {"__support_kvm_gpu_type", "__support_xen"},   {"__support_kvm_gpu_type", "__support_kvm"},
        {"__support_xen_hana", "__support_xen"},       {"__support_xen_hana", "__support_kvm"},
        {"__support_kvm_infiniband", "__support_xen"},
    };

    for (size_t i = 0; i < sizeof(enemies) / sizeof(enemies[0]); i++) {
        if (json_member(patch->image, enemies[i][0]) != NULL && json_member(patch->image, enemies[i][1]) != NULL) {
            ims_error(patch->request, patch->reply, "IMG.0035", "%s cannot co-exist with %s", enemies[i][0],
                      enemies[i][1]);
            return false;
        }
    }
    return true;
}

/* The OpenStack media type is taken for the same array. */
static bool check_type(const struct request *request)
{
    size_t count;
    const char *type = request_header(request, "Content-Type", &count);

    return huawei_is_json(request) ||
           (count == 1 && strcasecmp(type, "application/openstack-images-v2.1-json-patch") == 0);
}

static cJSON *read_body(const struct request *request, struct reply *reply)
{
    const char *why = "it is not a non-empty array";
    cJSON *body = request->body.length == 0 ? NULL : json_parse(request->body.bytes, request->body.length, &why);

    if (!check_type(request)) {
        ims_error(request, reply, "IMG.0001", "The Content-Type is not application/json");
    } else if (request->body.length == 0) {
        ims_error(request, reply, "IMG.0007", "The request body is empty");
    } else if (body == NULL || !cJSON_IsArray(body) || body->child == NULL) {
        ims_error(request, reply, "IMG.0001", "The format of the message is wrong: %s", why);
    } else {
        return body;
    }
    cJSON_Delete(body);
    return NULL;
}

/* Whatever can be said of the image before its attributes. */
static bool check_image(const struct simulator *simulator, const struct request *request, const struct resource *image,
                        const cJSON *json, struct reply *reply)
{
    const char *environment = json_string(json, "virtual_env_type"), *visibility = image->now.filters[0];
    bool own = image->now.compartment != NULL && strcmp(image->now.compartment, request->project) == 0;

    if (!own && visibility != NULL && strcmp(visibility, "public") == 0) {
        ims_error(request, reply, "IMG.0083", "The image %s is a public image", image->id);
    } else if (!own) {
        ims_error(request, reply, "IMG.0047", "Only the owner of the image %s may do this", image->id);
    } else if (strcmp(image->now.state, "active") != 0) {
        ims_error(request, reply, "IMG.0046", "The image %s is unavailable: it is %s", image->id, image->now.state);
    } else if (simulator->config.data_images_refuse && environment != NULL && strcmp(environment, "DataImage") == 0) {
        ims_error(request, reply, "IMG.0168", "Data-disk images cannot be updated");
    } else {
        return true;
    }
    return false;
}

/* The form of all operations, before any of them is done. */
static bool check_steps(const struct patch *patch, const cJSON *body)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, body)
    {
        struct step step = {0};
        const char *why = read_step(patch, item, &step);
        if (why != NULL) {
            ims_error(patch->request, patch->reply, "IMG.0001", "%s", why);
            return false;
        }
    }
    return true;
}

static bool do_steps(struct patch *patch, const cJSON *body)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, body)
    {
        struct step step = {0};
        if (read_step(patch, item, &step) != NULL || !do_step(patch, &step)) {
            return false;
        }
        patch->done++;
    }
    if (!check_together(patch)) {
        patch->done = 0;
        return false;
    }
    return true;
}

/* With nothing wrong all is done; else nothing, or what came before the wrong operation. */
static void apply(struct simulator *simulator, struct resource *image, const cJSON *body, struct patch *patch)
{
    bool good = check_steps(patch, body) && do_steps(patch, body);

    if (!good && (simulator->config.patch_atomic || patch->done == 0)) {
        return;
    }
    store_replace(&simulator->store, &simulator->tags, image, patch->image, clock_now());
    image->updates++;
    patch->reply->applied = true;
    if (good) {
        ims_answer(image, patch->reply);
    }
}

void update_cloud_image(struct simulator *simulator, const struct request *request, const struct fired *fired,
                        struct reply *reply)
{
    cJSON *body = read_body(request, reply);
    struct resource *image =
        body == NULL || !ims_allowed(simulator, request, reply) ? NULL : ims_find(simulator, request, reply);
    struct patch patch = {.simulator = simulator, .request = request, .reply = reply};

    (void)fired;
    if (image != NULL) {
        patch.image = cJSON_Parse(image->now.json);
        if (check_image(simulator, request, image, patch.image, reply)) {
            apply(simulator, image, body, &patch);
        }
    }
    cJSON_Delete(patch.image);
    cJSON_Delete(body);
}
