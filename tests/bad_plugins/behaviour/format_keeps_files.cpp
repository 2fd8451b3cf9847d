// It frees nothing of an opened file.
#include <vissl/plugin.hpp>
#include <vissl/weights_format.hpp>
struct Broken {
  struct File {
    explicit File(std::size_t size) : memory(new char[size]()) {}
    void read(std::uint64_t, void* data, std::uint64_t bytes) {
      std::memcpy(data, memory, static_cast<std::size_t>(bytes));
    }
    char* memory;
  };
  bool recognise(const vissl::WeightsBytes& file) const { return file.starts_with("BROKEN 1"); }
  File open(const vissl::WeightsBytes&, const vissl::WeightsTensors& out) const {
    out.made("weight", VISSL_F32, {64});
    return File(256);
  }
  std::string sample() const { return "BROKEN 1"; }
};
VISSL_WEIGHTS_FORMAT(Broken, "format_keeps_files", "A format with a fault.")
VISSL_PLUGIN("org.example.format_keeps_files", "1.0.0")
