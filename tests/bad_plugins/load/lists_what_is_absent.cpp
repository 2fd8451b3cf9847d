// Its section lists a component that it does not have.
#include "bad.hpp"
RIGHT_SCHEDULE("lists_what_is_absent")
VISSL_META_TEXT(absent, "loss/absent_loss/Is not there.");
VISSL_PLUGIN("org.example.lists_what_is_absent", "1.0.0")
