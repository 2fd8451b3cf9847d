// my_component: a format of weights, a type of file that the host cannot read itself. This one is a
// list of matrices: "MYFORMAT", then for each its name with one byte for the length, rows and
// columns as 32-bit integers, and the elements as 32-bit floats, all little-endian.
#include <vissl/plugin.hpp>
#include <vissl/weights_format.hpp>

#include <cstdint>
#include <string>

namespace {

constexpr std::string_view kMagic = "MYFORMAT";

struct MyComponent {
  bool recognise(const vissl::WeightsBytes& file) const { return file.starts_with(kMagic); }

  // Names the tensors; their elements are mapped by the host, and read when they are used.
  void open(const vissl::WeightsBytes& file, const vissl::WeightsTensors& out) const {
    for (std::uint64_t at = kMagic.size(); at < file.size();) {
      const std::uint64_t length = file.number<std::uint8_t>(at);
      const std::string_view name = file.text(at + 1, length);
      at += 1 + length;
      const std::int64_t rows = file.number<std::uint32_t>(at);
      const std::int64_t columns = file.number<std::uint32_t>(at + 4);
      at += 8;
      // The host refuses a tensor that does not lie in the file, so this product cannot be too big.
      out.in_file(name, VISSL_F32, {rows, columns}, at);
      at += static_cast<std::uint64_t>(rows) * static_cast<std::uint64_t>(columns) * sizeof(float);
    }
  }

  // A small file, with which check-plugin tests the format.
  std::string sample() const {
    std::string bytes(kMagic);
    bytes += '\6';
    bytes += "weight";
    for (const std::uint32_t size : {2u, 3u})
      bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
    for (const float element : {1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f})
      bytes.append(reinterpret_cast<const char*>(&element), sizeof element);
    return bytes;
  }
};

}  // namespace

VISSL_WEIGHTS_FORMAT(MyComponent, "my_component", "A list of named matrices.")
VISSL_PLUGIN("example.my_component", "0.1.0")
