// It fails as if the run had, when a file is damaged.
#include <vissl/plugin.hpp>
#include <vissl/weights_format.hpp>
struct Broken {
  bool recognise(const vissl::WeightsBytes& file) const { return file.starts_with("BROKEN 1"); }
  void open(const vissl::WeightsBytes& file, const vissl::WeightsTensors& out) const {
    if (file.size() != 12) vissl::fail("something is wrong");
    out.in_file("weight", VISSL_F32, {1}, 8);
  }
  std::string sample() const { return "BROKEN 1abcd"; }
};
VISSL_WEIGHTS_FORMAT(Broken, "format_blames_itself", "A format with a fault.")
VISSL_PLUGIN("org.example.format_blames_itself", "1.0.0")
