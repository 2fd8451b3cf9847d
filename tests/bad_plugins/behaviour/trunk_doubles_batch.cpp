// It gives two rows for each image.
#include <vissl/trunk.hpp>
struct Broken {
  explicit Broken(const vissl::Config&) {}
  void build(const vissl::nn::Scope&) {}
  std::vector<std::string> features() const { return {"flat"}; }
  void forward(const vissl::TrunkCall& call, vissl::Features& out) const {
    const vissl::Tensor pooled = call.image().mean({2, 3}, false);  // (N, C)
    out.put("flat", vissl::cat({pooled, pooled}, 0));
  }
};
VISSL_TRUNK(Broken, "trunk_doubles_batch", "The mean colour of each image, twice.")
VISSL_PLUGIN("org.example.trunk_doubles_batch", "1.0.0")
