// It claims one element more than it can read.
#include <vissl/data_source.hpp>
#include <vissl/plugin.hpp>
struct Broken {
  static constexpr std::int64_t kImages = 9;
  std::int64_t length() const { return kImages + 1; }
  std::string path(std::int64_t i) const { return "gray " + std::to_string(i); }
  struct Reader {
    explicit Reader(const Broken&) {}
    void read(std::int64_t i, vissl::Image& image) {
      if (i >= kImages) vissl::fail("there is no image " + std::to_string(i));
      image.set_bytes(1, 1, 3, nullptr);
    }
  };
};
VISSL_DATA_SOURCE(Broken, "source_too_long", "Nine images, or ten.")
VISSL_PLUGIN("org.example.source_too_long", "1.0.0")
