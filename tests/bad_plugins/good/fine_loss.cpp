// Nothing is wrong with it.
#include "bad_loss.hpp"
FAULTY_LOSS(Squares, "fine_loss")
