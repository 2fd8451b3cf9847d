// It draws from a generator of its own.
#include <random>

#include <vissl/transform.hpp>
using namespace vissl;
struct Broken {
  mutable std::mt19937 own{1};
  void apply(Image& image) const {
    if ((own() & 1u) != 0) image.flip_horizontal();
  }
};
VISSL_TRANSFORM(Broken, "transform_own_random", "Flips when it likes.")
VISSL_PLUGIN("org.example.transform_own_random", "1.0.0")
