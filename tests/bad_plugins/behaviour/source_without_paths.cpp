// It cannot say where an image comes from.
#include <vissl/data_source.hpp>
#include <vissl/plugin.hpp>
struct Broken {
  std::int64_t length() const { return 2; }
  std::string path(std::int64_t) const { return ""; }
  struct Reader {
    explicit Reader(const Broken&) {}
    void read(std::int64_t, vissl::Image& image) { image.set_bytes(1, 1, 3, nullptr); }
  };
};
VISSL_DATA_SOURCE(Broken, "source_without_paths", "Two images from nowhere.")
VISSL_PLUGIN("org.example.source_without_paths", "1.0.0")
