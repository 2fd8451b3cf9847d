// It names a tensor that does not lie in the file.
#include <vissl/plugin.hpp>
#include <vissl/weights_format.hpp>
struct Broken {
  bool recognise(const vissl::WeightsBytes& file) const { return file.starts_with("BROKEN 1"); }
  void open(const vissl::WeightsBytes& file, const vissl::WeightsTensors& out) const {
    out.in_file("weight", VISSL_F32, {2}, file.size() - 4);
  }
  std::string sample() const { return "BROKEN 1 and eight bytes"; }
};
VISSL_WEIGHTS_FORMAT(Broken, "format_beyond_file", "A format with a fault.")
VISSL_PLUGIN("org.example.format_beyond_file", "1.0.0")
