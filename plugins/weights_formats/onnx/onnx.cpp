// ONNX models (onnx.proto): the initializers of the main graph, which are the weights. PyTorch's
// exporters give them the names and layouts that they have in the state dict, but for those that a
// transformation of the graph made anew
// ("onnx::Conv_193"). Elements stay where they are until they are used, also those in data files
// beside the model.
#include <vissl/plugin.hpp>
#include <vissl/weights_format.hpp>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "opened_model.hpp"
#include "protobuf.hpp"

namespace {

using onnx::OpenedModel;
using onnx::Source;
using protobuf::Cursor;
using protobuf::Field;
using protobuf::Range;
using vissl::WeightsBytes;
using vissl::WeightsTensors;
namespace fs = std::filesystem;

constexpr std::size_t kMostDimensions = 8;

// Fields of ModelProto, GraphProto, NodeProto, TensorProto and StringStringEntryProto.
namespace model {
constexpr std::uint64_t kIrVersion = 1, kProducerName = 2, kProducerVersion = 3, kGraph = 7,
                        kMetadata = 14;
constexpr std::uint64_t kAll[] = {1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26};
}  // namespace model
namespace graph {
constexpr std::uint64_t kNode = 1, kInitializer = 5, kSparseInitializer = 15;
constexpr std::uint64_t kAll[] = {1, 2, 5, 10, 11, 12, 13, 14, 15, 16};
}  // namespace graph
namespace node {
constexpr std::uint64_t kInput = 1, kOutput = 2, kType = 4;
}  // namespace node
namespace tensor {
constexpr std::uint64_t kDims = 1, kDataType = 2, kFloats = 4, kInt32s = 5, kInt64s = 7, kName = 8,
                        kRaw = 9, kDoubles = 10, kUint64s = 11, kExternal = 13, kLocation = 14;
}  // namespace tensor

struct ElementType {
  std::uint64_t number;  // TensorProto.DataType
  vissl_dtype dtype;
  std::uint64_t bytes;
  std::uint64_t field;  // where elements lie that are not raw
};
// The numbers that abi.h does not name are torch's.
constexpr ElementType kElementTypes[] = {
    {1, VISSL_F32, 4, tensor::kFloats},   {2, VISSL_U8, 1, tensor::kInt32s},
    {3, VISSL_I8, 1, tensor::kInt32s},    {4, 27, 2, tensor::kInt32s},
    {5, VISSL_I16, 2, tensor::kInt32s},   {6, VISSL_I32, 4, tensor::kInt32s},
    {7, VISSL_I64, 8, tensor::kInt64s},   {9, VISSL_BOOL, 1, tensor::kInt32s},
    {10, VISSL_F16, 2, tensor::kInt32s},  {11, VISSL_F64, 8, tensor::kDoubles},
    {12, 28, 4, tensor::kUint64s},        {13, 29, 8, tensor::kUint64s},
    {14, VISSL_C64, 8, tensor::kFloats},  {15, VISSL_C128, 16, tensor::kDoubles},
    {16, VISSL_BF16, 2, tensor::kInt32s}, {17, 24, 1, tensor::kInt32s},
    {18, 26, 1, tensor::kInt32s},         {19, 23, 1, tensor::kInt32s},
    {20, 25, 1, tensor::kInt32s},
};

const ElementType* element_type(std::uint64_t number) {
  for (const ElementType& type : kElementTypes)
    if (type.number == number) return &type;
  return nullptr;
}

template <std::size_t N>
bool is_one_of(std::uint64_t number, const std::uint64_t (&all)[N]) {
  return std::find(std::begin(all), std::end(all), number) != std::end(all);
}

std::string in_quotes(std::string_view name) {
  return "'" + std::string(name) + "'";
}

// One initializer.
struct Tensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::uint64_t type = 0;
  bool is_external = false;
  std::vector<Range> raw, typed;  // `typed`: of the field in `typed_field`
  std::uint64_t typed_field = 0;
  std::string location;
  std::uint64_t offset = 0, length = UINT64_MAX;  // in the data file; the length may be left out
};

class Walk {
 public:
  Walk(const WeightsBytes& file, const WeightsTensors& out)
      : file_(file), out_(out), opened_{file, {}} {}

  OpenedModel run() {
    std::string producer;
    for (Cursor model(file_, {0, file_.size()}); !model.at_end();) {
      const Field field = model.next();
      if (!field.has_content) continue;
      if (field.number == model::kProducerName) producer = text(field) + producer;
      if (field.number == model::kProducerVersion) producer += " " + text(field);
      if (field.number == model::kMetadata) metadata(field.content);
      if (field.number == model::kGraph) graph(field.content);
    }
    if (!producer.empty()) out_.metadata("producer", producer);
    return std::move(opened_);
  }

 private:
  std::string text(const Field& field) const {
    return std::string(protobuf::text(file_, field.content));
  }

  std::pair<std::string, std::string> entry(Range range) const {
    std::pair<std::string, std::string> found;
    for (Cursor cursor(file_, range); !cursor.at_end();) {
      const Field field = cursor.next();
      if (field.has_content && field.number == 1) found.first = text(field);
      if (field.has_content && field.number == 2) found.second = text(field);
    }
    return found;
  }

  void metadata(Range range) const {
    const auto [key, value] = entry(range);
    out_.metadata(key, value);
  }

  void graph(Range range) {
    std::map<std::string, Tensor> placed;
    std::vector<std::pair<std::string, std::string>> copies;
    Cursor cursor(file_, range);
    while (!cursor.at_end()) {
      const Field field = cursor.next();
      if (field.number == graph::kNode && field.has_content) copy(field.content, copies);
      if (field.number == graph::kSparseInitializer)
        out_.warning("has a sparse initializer, which is left out");
      if (field.number != graph::kInitializer || !field.has_content) continue;
      Tensor tensor = initializer(field.content);
      if (const ElementType* type = element_type(tensor.type)) {
        place(tensor, *type, cursor);
        placed.emplace(tensor.name, std::move(tensor));
      } else {
        out_.warning("leaves out " + in_quotes(tensor.name) + ", which has ONNX's element type " +
                     std::to_string(tensor.type) + "; torch has none such");
      }
    }
    for (const auto& [from, to] : copies) {
      const auto found = placed.find(from);
      if (found == placed.end() || placed.count(to) != 0) continue;
      Tensor tensor = found->second;
      tensor.name = to;
      place(tensor, *element_type(tensor.type), cursor);
      placed.emplace(to, std::move(tensor));
    }
  }

  // PyTorch's exporter writes equal initializers once, and the others as nodes "Identity" of it.
  void copy(Range range, std::vector<std::pair<std::string, std::string>>& copies) const {
    std::string input, output, type;
    for (Cursor cursor(file_, range); !cursor.at_end();) {
      const Field field = cursor.next();
      if (!field.has_content) continue;
      if (field.number == node::kInput) input = text(field);
      if (field.number == node::kOutput) output = text(field);
      if (field.number == node::kType) type = text(field);
    }
    if (type == "Identity" && !output.empty()) copies.emplace_back(input, output);
  }

  Tensor initializer(Range range) const {
    Tensor tensor;
    const auto size = [&](std::uint64_t value, const Cursor& at) {
      if (value > INT64_MAX) at.damaged("has a tensor with a negative size");
      if (tensor.shape.size() == kMostDimensions) at.damaged("has a tensor with more than 8 sizes");
      tensor.shape.push_back(static_cast<std::int64_t>(value));
    };
    for (Cursor cursor(file_, range); !cursor.at_end();) {
      const Field field = cursor.next();
      switch (field.number) {
        case tensor::kDims:
          if (!field.has_content) size(field.value, cursor);
          for (Cursor packed(file_, field.content); field.has_content && !packed.at_end();)
            size(packed.varint(), packed);
          break;
        case tensor::kDataType:
          tensor.type = field.value;
          break;
        case tensor::kName:
          if (field.has_content) tensor.name = text(field);
          break;
        case tensor::kRaw:
          tensor.raw = {field.content};
          break;
        case tensor::kLocation:
          tensor.is_external = field.value == 1;
          break;
        case tensor::kExternal:
          external(entry(field.content), tensor, cursor);
          break;
        case tensor::kFloats:
        case tensor::kInt32s:
        case tensor::kInt64s:
        case tensor::kDoubles:
        case tensor::kUint64s:
          // Numbers one by one, as proto2 may write them, are not what any exporter does.
          if (!field.has_content) cursor.damaged("has elements that are not packed");
          tensor.typed_field = field.number;
          tensor.typed.push_back(field.content);
          break;
        default:
          break;
      }
    }
    return tensor;
  }

  static void external(const std::pair<std::string, std::string>& entry, Tensor& tensor,
                       const Cursor& at) {
    const auto number = [&] {
      const std::string& digits = entry.second;
      if (digits.empty() || digits.size() > 18 ||
          digits.find_first_not_of("0123456789") != std::string::npos)
        at.damaged("has the " + entry.first + " " + in_quotes(digits.substr(0, 40)) +
                   " of a data file");
      return static_cast<std::uint64_t>(std::stoull(digits));
    };
    if (entry.first == "location") tensor.location = entry.second;
    if (entry.first == "offset") tensor.offset = number();
    if (entry.first == "length") tensor.length = number();
  }

  void place(const Tensor& tensor, const ElementType& type, const Cursor& at) {
    std::uint64_t bytes = type.bytes;
    const bool is_empty =
        std::find(tensor.shape.begin(), tensor.shape.end(), 0) != tensor.shape.end();
    for (const std::int64_t size : tensor.shape)
      if (!is_empty && __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(size), &bytes))
        at.damaged("the tensor " + in_quotes(tensor.name) +
                   " has more elements than can be counted");
    if (is_empty) bytes = 0;
    Source source;
    source.unit = type.bytes;
    if (tensor.is_external) {
      beside(tensor, bytes, source);
    } else if (bytes != 0) {
      if (tensor.raw.empty() && tensor.typed_field != type.field)
        at.damaged("the tensor " + in_quotes(tensor.name) + " has no elements of its type");
      source.pieces = tensor.raw.empty() ? tensor.typed : tensor.raw;
      source.is_varints =
          tensor.raw.empty() && type.field != tensor::kFloats && type.field != tensor::kDoubles;
    }
    if (!source.is_varints && source.data_file.empty()) {
      std::uint64_t held = 0;
      for (const Range& piece : source.pieces) held += piece.size();
      if (held != bytes)
        at.damaged("the tensor " + in_quotes(tensor.name) + " has " + std::to_string(held) +
                   " bytes, which do not fit its shape and type");
      if (source.pieces.size() <= 1) {
        out_.in_file(tensor.name, type.dtype, tensor.shape,
                     bytes == 0 ? 0 : source.pieces[0].begin);
        opened_.sources.emplace_back();
        return;
      }
    }
    out_.made(tensor.name, type.dtype, tensor.shape);
    opened_.sources.push_back(std::move(source));
  }

  // A data file is named relative to the model, and stands in its folder or below.
  void beside(const Tensor& tensor, std::uint64_t bytes, Source& source) const {
    const fs::path place = fs::path(tensor.location).lexically_normal();
    const std::string named = "the tensor " + in_quotes(tensor.name) + " lies in the data file " +
                              in_quotes(tensor.location);
    if (place.empty() || place.is_absolute() || *place.begin() == ".." ||
        place.filename().empty() || place == ".")
      vissl::fail(VISSL_E_DATA, named + ", which is no place beside the model; refused");
    if (file_.path().empty())
      vissl::fail(VISSL_E_DATA, named + ", but the model is part of another file; unpack it first");
    const fs::path path = fs::path(file_.path()).parent_path() / place;
    std::error_code error;
    const std::uint64_t all = fs::file_size(path, error);
    if (error) vissl::fail(VISSL_E_DATA, named + ", but there is no " + path.string());
    if (tensor.offset > all || bytes > all - tensor.offset ||
        (tensor.length != UINT64_MAX && tensor.length != bytes))
      vissl::fail(VISSL_E_DATA, named + ", which has no " + std::to_string(bytes) +
                                    " bytes for it from byte " + std::to_string(tensor.offset) +
                                    " on; use another copy");
    source.data_file = path.string();
    source.offset = tensor.offset;
  }

  const WeightsBytes& file_;
  const WeightsTensors& out_;
  OpenedModel opened_;
};

struct Onnx {
  // Nothing marks such a file: it begins with the version of its format, has the fields that a
  // model may have, and among the first of them a graph, which begins as a graph may.
  bool recognise(const WeightsBytes& file) const {
    constexpr int kMostFields = 64;
    constexpr std::uint64_t kNewestVersion = 64;
    try {
      Cursor model(file, {0, file.size()});
      const Field version = model.next();
      if (version.number != model::kIrVersion || version.has_content || version.value == 0 ||
          version.value > kNewestVersion)
        return false;
      for (int i = 0; i < kMostFields; ++i) {
        const Field field = model.next(true);
        if (!is_one_of(field.number, model::kAll)) return false;
        if (field.number != model::kGraph) continue;
        const Field first = Cursor(file, field.content).next(true);
        return field.has_content && first.has_content && is_one_of(first.number, graph::kAll);
      }
    } catch (const vissl::Failure&) {
      // No Protocol Buffers, or the end of a file without a graph.
    }
    return false;
  }

  OpenedModel open(const WeightsBytes& file, const WeightsTensors& out) const {
    return Walk(file, out).run();
  }

  // Two initializers: w, two raw floats, and i, three packed integers.
  std::string sample() const {
    using namespace std::string_literals;
    const std::string raw = "\x08\2\x10\1\x42\1w\x4a\x08\0\0\x80\x3f\0\0\0\x40"s;
    const std::string packed = "\x08\3\x10\7\x42\1i\x3a\3\1\2\3"s;
    const auto field = [](char tag, const std::string& content) {
      return std::string(1, tag) + static_cast<char>(content.size()) + content;
    };
    return "\x08\x08"s + field('\x12', "sample") +
           field('\x3a', field('\x2a', raw) + field('\x2a', packed));
  }
};

}  // namespace

VISSL_WEIGHTS_FORMAT(Onnx, "onnx", "The initializers of ONNX models.")
VISSL_PLUGIN("org.vissl.onnx", "1.0.0")
