// Offers the same loss as its neighbour.
#include "plain.hpp"
struct Twin {};
PLAIN(loss, Twin, "twin")
VISSL_PLUGIN("org.example.second", "1.0.0")
