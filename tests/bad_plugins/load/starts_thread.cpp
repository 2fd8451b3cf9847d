// Its init leaves a thread running.
#include <unistd.h>

#include <thread>

#include "bad.hpp"
RIGHT_SCHEDULE("starts_thread")
INIT_THAT(std::thread([] { ::pause(); }).detach())
BAD_INIT_PLUGIN("starts_thread")
