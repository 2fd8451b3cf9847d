// Its init changes the working folder.
#include <unistd.h>

#include "bad.hpp"
RIGHT_SCHEDULE("changes_folder")
INIT_THAT(if (::chdir("/") != 0) return VISSL_E_FAILED)
BAD_INIT_PLUGIN("changes_folder")
