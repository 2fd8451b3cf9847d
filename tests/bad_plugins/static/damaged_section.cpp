// Its section holds a text that is no component.
#include "bad.hpp"
RIGHT_SCHEDULE("damaged_section")
VISSL_META_TEXT(nonsense, "lr_schedule without a name");
VISSL_PLUGIN("org.example.damaged_section", "1.0.0")
