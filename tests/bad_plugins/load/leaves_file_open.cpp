// Its init keeps a file open.
#include <fcntl.h>

#include "bad.hpp"
RIGHT_SCHEDULE("leaves_file_open")
INIT_THAT(if (::open("/dev/zero", O_RDONLY) < 0) return VISSL_E_FAILED)
BAD_INIT_PLUGIN("leaves_file_open")
