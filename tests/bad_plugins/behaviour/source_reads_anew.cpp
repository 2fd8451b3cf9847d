// Each read of an element gives other pixels.
#include <vissl/data_source.hpp>
#include <vissl/plugin.hpp>
struct Broken {
  std::int64_t length() const { return 3; }
  std::string path(std::int64_t i) const { return "gray " + std::to_string(i); }
  struct Reader {
    explicit Reader(const Broken&) {}
    void read(std::int64_t, vissl::Image& image) {
      const std::uint8_t pixel[3] = {++reads, 0, 0};
      image.set_bytes(1, 1, 3, pixel);
    }
    std::uint8_t reads = 0;
  };
};
VISSL_DATA_SOURCE(Broken, "source_reads_anew", "Gets brighter with each read.")
VISSL_PLUGIN("org.example.source_reads_anew", "1.0.0")
