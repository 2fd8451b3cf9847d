#pragma once
// The containers that a conversion can write, and what each of them cannot hold.
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "host/files/weights_file.hpp"

namespace vissl::host {

enum class Container {
  torch,        // the zip of torch.save
  safetensors,  // flat: names are full dotted paths
  numpy,        // a pickle of numpy arrays
};
const char* name_of(Container container);
// By the ending of the name, in whatever case: .safetensors, .pkl for numpy, everything else torch.
Container container_of(const std::filesystem::path& path);
// Throws Error(Exit::usage) when the ending is that of another container, or of a format that is
// never written: .npz, .onnx, ...
void check_ending(const std::filesystem::path& path, Container container);

struct LeftOut {
  std::string name;    // dotted path in the file that was read
  std::string reason;  // "an object of the class argparse.Namespace"
};

// A tree that is ready to be written.
struct Contents {
  Node tree;
  std::vector<std::pair<std::string, std::string>> metadata;  // of safetensors only
  std::vector<LeftOut> left_out;
};

// Throws Error(Exit::bad_data) that names the places of the tensors of `tree` with this dotted
// path, such as ['a.b'] and ['a']['b'], of which a flat list could hold one. `name`: of the file.
[[noreturn]] void throw_same_path(const Node& tree, const std::string& path,
                                  const std::string& name);

// Throws Error(Exit::bad_data): no tensor of the file `name` can be written, and why.
[[noreturn]] void throw_no_tensor(const Node& tree, const std::string& name);

// All of a file for another container. Objects of foreign classes are left out; tensors lose what
// their storage has beside them. `part` "state_dict" keeps only the tensors below that place, as
// one flat dict without the place; "" keeps the tree. Throws what place_of_part() throws,
// Error(Exit::bad_data) for a file without tensors
// and for a flat container when two have one dotted path.
// `name`: of the file, for messages.
Contents contents_of(const WeightsFile& file, Container container, const std::string& part,
                     const std::string& name);

// The tensor's elements alone: itself when its storage has no others, else a copy that is made when
// it is written.
TensorRef compact(const TensorRef& tensor);

// Writes the file in one step (see AtomicFile); what was at `path` is replaced.
void write_container(const std::filesystem::path& path, Container container,
                     const Contents& contents);

}  // namespace vissl::host
