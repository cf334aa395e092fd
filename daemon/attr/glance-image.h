/* The table of GlanceImage. */
#pragma once

#include "attr/kind.h"

extern const Kind glance_image;
