// Its tensors are others at each read.
#include <vissl/plugin.hpp>
#include <vissl/weights_format.hpp>
struct Broken {
  struct File {
    void read(std::uint64_t, void* data, std::uint64_t bytes) {
      std::memset(data, ++reads, static_cast<std::size_t>(bytes));
    }
    int reads = 0;
  };
  bool recognise(const vissl::WeightsBytes& file) const { return file.starts_with("BROKEN 1"); }
  File open(const vissl::WeightsBytes&, const vissl::WeightsTensors& out) const {
    out.made("weight", VISSL_F32, {2});
    return {};
  }
  std::string sample() const { return "BROKEN 1"; }
};
VISSL_WEIGHTS_FORMAT(Broken, "format_reads_anew", "A format with a fault.")
VISSL_PLUGIN("org.example.format_reads_anew", "1.0.0")
