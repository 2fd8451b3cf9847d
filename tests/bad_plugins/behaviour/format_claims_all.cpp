// It says that every file is of its format.
#include <vissl/plugin.hpp>
#include <vissl/weights_format.hpp>
struct Broken {
  bool recognise(const vissl::WeightsBytes& file) const { return file.size() != 0; }
  void open(const vissl::WeightsBytes&, const vissl::WeightsTensors&) const {}
};
VISSL_WEIGHTS_FORMAT(Broken, "format_claims_all", "A format with a fault.")
VISSL_PLUGIN("org.example.format_claims_all", "1.0.0")
