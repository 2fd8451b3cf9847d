#pragma once
// The tensors of a model that are made when they are used.
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "protobuf.hpp"

namespace onnx {

using protobuf::Cursor;
using protobuf::Range;
using vissl::WeightsBytes;

// Where the elements of a tensor are that do not lie in the model in one piece.
struct Source {
  std::uint64_t unit = 0;     // bytes of an element
  bool is_varints = false;    // each element is a number of its own length
  std::vector<Range> pieces;  // in the model
  std::string data_file;      // else beside it
  std::uint64_t offset = 0;
};

// An opened model.
struct OpenedModel {
  WeightsBytes bytes;
  std::vector<Source> sources;  // by the tensor's number; empty for those that lie in the model

  void read(std::uint64_t number, void* data, std::uint64_t size) const {
    const Source& source = sources.at(static_cast<std::size_t>(number));
    auto* at = static_cast<char*>(data);
    if (!source.data_file.empty()) return read_beside(source, at, size);
    for (const Range& piece : source.pieces) {
      if (source.is_varints) {
        for (Cursor numbers(bytes, piece); !numbers.at_end();) {
          const std::uint64_t element = numbers.varint();
          if (size < source.unit) too_many();
          std::memcpy(at, &element, static_cast<std::size_t>(source.unit));  // little-endian
          at += source.unit;
          size -= source.unit;
        }
      } else {
        if (piece.size() > size) too_many();
        std::memcpy(at, bytes.data() + piece.begin, static_cast<std::size_t>(piece.size()));
        at += piece.size();
        size -= piece.size();
      }
    }
    if (size != 0) vissl::fail(VISSL_E_DATA, "has fewer elements than its shape; use another copy");
  }

 private:
  [[noreturn]] static void too_many() {
    vissl::fail(VISSL_E_DATA, "has more elements than its shape; use another copy");
  }
  static void read_beside(const Source& source, char* data, std::uint64_t size) {
    std::ifstream in(source.data_file, std::ios::binary);
    in.seekg(static_cast<std::streamoff>(source.offset));
    in.read(data, static_cast<std::streamsize>(size));
    if (!in)
      vissl::fail(VISSL_E_DATA, "cannot be read from the data file '" + source.data_file +
                                    "'; check the file and its permissions");
  }
};

}  // namespace onnx
