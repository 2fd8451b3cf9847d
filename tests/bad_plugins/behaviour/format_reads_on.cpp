// It reads beyond the end of a file that is cut off.
#include <vissl/plugin.hpp>
#include <vissl/weights_format.hpp>
struct Broken {
  bool recognise(const vissl::WeightsBytes& file) const { return file.starts_with("BROKEN 1"); }
  void open(const vissl::WeightsBytes& file, const vissl::WeightsTensors& out) const {
    if (file.data()[11] == '2') out.warning("is of the second edition");
    out.in_file("weight", VISSL_U8, {2}, 0);
  }
  std::string sample() const { return "BROKEN 1, 1st edition"; }
};
VISSL_WEIGHTS_FORMAT(Broken, "format_reads_on", "A format with a fault.")
VISSL_PLUGIN("org.example.format_reads_on", "1.0.0")
