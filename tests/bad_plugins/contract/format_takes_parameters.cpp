// It declares a parameter that no config can give.
#include <vissl/plugin.hpp>
#include <vissl/weights_format.hpp>
struct Broken {
  static void params(vissl::Params& p) { p.string("key", "", "Opens the file."); }
  explicit Broken(const vissl::Config& c) { c.string("key"); }
  bool recognise(const vissl::WeightsBytes&) const { return false; }
  void open(const vissl::WeightsBytes&, const vissl::WeightsTensors&) const {}
};
VISSL_WEIGHTS_FORMAT(Broken, "format_takes_parameters", "A format with a fault.")
VISSL_PLUGIN("org.example.format_takes_parameters", "1.0.0")
