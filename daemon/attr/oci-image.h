/* The table of kind OciImage. */
#pragma once

#include "attr/kind.h"

extern const Kind oci_image;
