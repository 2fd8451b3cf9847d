#include "host/files/numpy_pickle_writer.hpp"

#include <bit>
#include <cstring>
#include <map>

#include "host/files/damage.hpp"
#include "host/files/error.hpp"
#include "host/files/utf8.hpp"

namespace vissl::host {
namespace {

constexpr int kDeepest = 1000;

// numpy's letter and size of an element type; NULL = it has none.
const char* numpy_name(DType dtype) {
  switch (dtype) {
    case DType::uint8:
      return "u1";
    case DType::int8:
      return "i1";
    case DType::int16:
      return "i2";
    case DType::int32:
      return "i4";
    case DType::int64:
      return "i8";
    case DType::uint16:
      return "u2";
    case DType::uint32:
      return "u4";
    case DType::uint64:
      return "u8";
    case DType::float16:
      return "f2";
    case DType::float32:
      return "f4";
    case DType::float64:
      return "f8";
    case DType::complex64:
      return "c8";
    case DType::complex128:
      return "c16";
    case DType::boolean:
      return "b1";
    default:
      return nullptr;
  }
}

class Writer {
 public:
  explicit Writer(Sink& sink) : sink_(sink) { sink_.write_text("\x80\x04"); }

  void node(const Node& node, const std::string& name, int depth = 0) {
    if (depth > kDeepest)
      throw Error(Exit::run_failed, quoted_name(name) + " lies more than " +
                                        std::to_string(kDeepest) +
                                        " levels deep; a pickle of that depth cannot be read");
    const auto below = [&](const std::string& part) {
      return name.empty() ? part : name + "." + part;
    };
    switch (node.kind()) {
      case Node::Kind::none:
        return put("N");
      case Node::Kind::boolean:
        return put(node.as_bool() ? "\x88" : "\x89");
      case Node::Kind::integer:
        return integer(node.as_int());
      case Node::Kind::real:
        return real(node.as_real());
      case Node::Kind::text:
        if (!is_utf8(node.as_text()))
          throw Error(Exit::run_failed,
                      quoted_name(name) + " is a text that is not UTF-8; write a torch file");
        return text(node.as_text());
      case Node::Kind::bytes:
        return bytes(std::as_bytes(std::span(node.as_bytes())));
      case Node::Kind::list: {
        put("](");
        std::size_t at = 0;
        for (const Node& item : node.as_items())
          this->node(item, below(std::to_string(at++)), depth + 1);
        return put("e");
      }
      case Node::Kind::tuple: {
        put("(");
        std::size_t at = 0;
        for (const Node& item : node.as_items())
          this->node(item, below(std::to_string(at++)), depth + 1);
        return put("t");
      }
      case Node::Kind::dict:
        put("}(");
        for (const auto& [key, value] : node.as_dict().entries()) {
          if (const auto* number = std::get_if<std::int64_t>(&key))
            integer(*number);
          else if (is_utf8(std::get<std::string>(key)))
            text(std::get<std::string>(key));
          else
            throw Error(Exit::run_failed, quoted_name(below(to_text(key))) +
                                              " has a name that is not UTF-8; write a torch file");
          this->node(value, below(to_text(key)), depth + 1);
        }
        return put("u");
      case Node::Kind::tensor:
        return array(node.as_tensor(), name);
      case Node::Kind::opaque:
        break;
    }
    throw Error(Exit::run_failed,
                quoted_name(name) + " is an object of the class " + node.as_opaque().class_name +
                    ", which a pickle of numpy arrays cannot hold; drop it or write a "
                    "torch file");
  }

  void finish() { put("."); }

 private:
  void put(std::string_view opcodes) { sink_.write_text(opcodes); }
  void number(std::uint64_t value, int size) {
    char little[8];
    for (int i = 0; i < size; ++i) little[i] = static_cast<char>(value >> (8 * i));
    put({little, static_cast<std::size_t>(size)});
  }
  void integer(std::int64_t value) {
    if (value == static_cast<std::int32_t>(value)) {
      put("J");
      return number(static_cast<std::uint64_t>(value), 4);
    }
    put("\x8a\x08");
    number(static_cast<std::uint64_t>(value), 8);
  }
  void real(double value) {  // big-endian, as the format has it
    const std::uint64_t bits = std::bit_cast<std::uint64_t>(value);
    put("G");
    for (int shift = 56; shift >= 0; shift -= 8) number(bits >> shift, 1);
  }
  void text(const std::string& value) {
    put("X");
    number(value.size(), 4);
    put(value);
  }
  void bytes(std::span<const std::byte> value) {
    put("\x8e");
    number(value.size(), 8);
    sink_.write(value);
  }
  // What follows the first time is fetched from the memo every other time.
  template <class Emit>
  void memo(const std::string& key, Emit&& emit) {
    const auto found = memo_.find(key);
    if (found != memo_.end()) {
      put("j");
      return number(found->second, 4);
    }
    emit();
    const auto index = static_cast<std::uint32_t>(memo_.size());
    memo_.emplace(key, index);
    put("r");
    number(index, 4);
  }
  void global(const std::string& line) {
    memo(line, [&] { put("c" + line); });
  }

  void dtype(DType dtype, const std::string& name) {
    const char* code = numpy_name(dtype);
    if (code == nullptr)
      throw Error(Exit::run_failed, "numpy has no element type for " + quoted_name(name) +
                                        ", which is " + std::string(facts(dtype).name) +
                                        "; write a torch file instead of a pickle");
    memo(code, [&] {
      global("numpy\ndtype\n");
      text(code);
      put("\x89\x88\x87R(");
      integer(3);
      text(code[1] == '1' && code[2] == '\0' ? "|" : "<");
      put("NNN");
      integer(-1);
      integer(-1);
      integer(0);
      put("tb");
    });
  }
  void array(const TensorRef& tensor, const std::string& name) {
    // numpy of both major versions finds the function under this older name without a warning.
    global("numpy.core.multiarray\n_reconstruct\n");
    global("numpy\nndarray\n");
    integer(0);
    put("\x85");
    put("C\x01"
        "b");
    put("\x87R(");
    integer(1);
    put("(");
    for (const std::int64_t size : tensor.shape) integer(size);
    put("t");
    dtype(tensor.dtype, name);
    put("\x89");
    bytes(tensor.packed());
    put("tb");
  }

  Sink& sink_;
  std::map<std::string, std::uint32_t> memo_;
};

}  // namespace

void write_numpy_pickle(Sink& sink, const Node& tree) {
  Writer writer(sink);
  writer.node(tree, "");
  writer.finish();
}

}  // namespace vissl::host
