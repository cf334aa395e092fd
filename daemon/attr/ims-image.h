/* The table of ImsImage. */
#pragma once

#include "attr/kind.h"

extern const Kind ims_image;
