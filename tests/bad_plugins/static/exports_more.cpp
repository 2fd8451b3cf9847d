// It exports a helper that other plugins may bind to.
#include "bad.hpp"
extern "C" __attribute__((visibility("default"))) int shared_helper() {
  return 1;
}
RIGHT_SCHEDULE("exports_more")
VISSL_PLUGIN("org.example.exports_more", "1.0.0")
