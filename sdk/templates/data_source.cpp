// my_component: a data source, an immutable index of samples that all workers share, and one reader
// per worker. This one paints `length` pictures of one colour each; sample i has class i mod
// num_labels.
#include <vissl/data_source.hpp>
#include <vissl/plugin.hpp>

#include <string>
#include <vector>

namespace {

class MyComponent {
 public:
  static void params(vissl::Params& p) {
    p.integer("length", 16, vissl::at_least(1), "Number of samples.");
    p.integer("size", 32, vissl::at_least(1), "Height and width in pixels.");
    p.integer("num_labels", 2, vissl::at_least(1), "Number of classes.");
  }
  explicit MyComponent(const vissl::Config& c)
      : length_(c.integer("length")), size_(c.integer("size")), classes_(c.integer("num_labels")) {}

  // Files are looked at here, not in the constructor. Missing data: fail(VISSL_E_DATA, text with
  // the path).
  void open() {
    for (std::int64_t i = 0; i < length_; ++i) labels_.push_back(i % classes_);
  }
  // From here on all methods are called from any thread at once.
  std::int64_t length() const { return length_; }
  const std::int64_t& label(std::int64_t i) const { return labels_[static_cast<std::size_t>(i)]; }
  std::string path(std::int64_t i) const { return "picture " + std::to_string(i); }
  std::int64_t class_count() const { return classes_; }
  std::string class_name(std::int64_t k) const { return "class " + std::to_string(k); }

  class Reader {
   public:
    explicit Reader(const MyComponent& source) : source_(source) {}
    // Encoded bytes (JPEG, PNG …) with image.set_encoded, or pixels. An exception is an unreadable
    // sample.
    void read(std::int64_t i, vissl::Image& image) {
      const auto bytes = static_cast<std::size_t>(source_.size_ * source_.size_ * 3);
      pixels_.assign(bytes, static_cast<std::uint8_t>(i % 256));
      image.set_bytes(source_.size_, source_.size_, 3, pixels_.data());
    }

   private:
    const MyComponent& source_;
    std::vector<std::uint8_t> pixels_;
  };

 private:
  std::int64_t length_, size_, classes_;
  std::vector<std::int64_t> labels_;
};

}  // namespace

VISSL_DATA_SOURCE(MyComponent, "my_component", "Pictures of one colour each.")
VISSL_PLUGIN("example.my_component", "0.1.0")
