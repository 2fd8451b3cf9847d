// Its length is another one at each call.
#include <vissl/data_source.hpp>
#include <vissl/plugin.hpp>
struct Broken {
  mutable std::int64_t calls = 0;
  std::int64_t length() const { return ++calls; }
  std::string path(std::int64_t i) const { return "gray " + std::to_string(i); }
  struct Reader {
    explicit Reader(const Broken&) {}
    void read(std::int64_t, vissl::Image& image) { image.set_bytes(1, 1, 3, nullptr); }
  };
};
VISSL_DATA_SOURCE(Broken, "source_grows", "Has more images each time.")
VISSL_PLUGIN("org.example.source_grows", "1.0.0")
