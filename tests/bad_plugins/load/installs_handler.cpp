// Its init takes SIGTERM, with which a cluster asks to save and stop.
#include <csignal>

#include "bad.hpp"
RIGHT_SCHEDULE("installs_handler")
INIT_THAT(std::signal(SIGTERM, SIG_IGN))
BAD_INIT_PLUGIN("installs_handler")
