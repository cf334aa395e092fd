#include "config.h"

#include "attr/kind.h"

#include "attr/glance-image.h"
#include "attr/ims-image.h"
#include "attr/oci-backup.h"
#include "attr/oci-image.h"
#include "attr/oci-schedule.h"
#include "base/str.h"

const Kind *const kinds[] = {&oci_image, &oci_volume_backup, &oci_boot_volume_backup, &oci_boot_volume_backup_schedule,
                             &glance_image, &ims_image, NULL};

const Kind *kind_find(const char *name)
{
    for (const Kind *const *k = kinds; *k; k++)
        if (streq((*k)->name, name))
            return *k;
    return NULL;
}

static const Field *flagged(const Kind *kind, unsigned flag)
{
    const Field *f = kind->fields;
    while (f->name && !(f->flags & flag))
        f++;
    return f->name ? f : NULL;
}

const Field *kind_target(const Kind *kind)
{
    return flagged(kind, FIELD_TARGET);
}

const Field *kind_source(const Kind *kind)
{
    return flagged(kind, FIELD_SOURCE);
}

const Field *kind_selector(const Kind *kind)
{
    return field_find(kind->fields, "selector");
}

static const char *const modes[] = {"enforce", "observe", NULL};
static const char *const tag_rules[] = {"merge", "exact", NULL};

static const Field metadata_fields[] = {
    {"name", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 100, .doc = "unique within its kind"},
    {0},
};

static const Field suspend_fields[] = {
    {"until", .type = FIELD_TIME, .flags = FIELD_REQUIRED, .doc = "when the pause ends by itself"},
    {"reason", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 1000, .doc = "why, for whoever finds it"},
    {0},
};

static const Field reconcile_fields[] = {
    {"mode", .type = FIELD_ENUM, .values = modes, .doc = "enforce, or observe: report drift and change nothing"},
    {"tags", .type = FIELD_ENUM, .values = tag_rules,
     .doc = "merge: only the declared keys are ours; exact: no other keys may be there"},
    {"ignore", .type = FIELD_TEXT_LIST, .min = 1, .max = 300,
     .doc = "patterns of attribute paths that are neither compared nor written; * stops at dots, ** does not"},
    {"suspend", .type = FIELD_MAP, .members = suspend_fields, .doc = "no changes and no differences for a while"},
    {0},
};

const Field document_fields[] = {
    {"apiVersion", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 100, .doc = "imagekeeper/v1"},
    {"kind", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 100, .doc = "what the document declares"},
    {"metadata", .type = FIELD_MAP, .flags = FIELD_REQUIRED, .members = metadata_fields, .doc = "the document's name"},
    /* Its rows are those of the kind, which the loader puts in. */
    {"spec", .type = FIELD_MAP, .flags = FIELD_REQUIRED, .doc = "what should be"},
    {"reconcile", .type = FIELD_MAP, .members = reconcile_fields, .doc = "how it is kept"},
    {0},
};
