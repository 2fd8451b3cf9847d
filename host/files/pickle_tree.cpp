#include "host/files/pickle_tree.hpp"

#include "host/files/damage.hpp"

namespace vissl::host {
namespace {

class NoStorages final : public StorageSource {
 public:
  explicit NoStorages(const std::string& file) : file_(file) {}
  std::shared_ptr<Storage> storage(const std::string& key, std::uint64_t, DType) override {
    throw_damaged(file_, "has a pickle that refers to the storage " + quoted_name(key) +
                             ", which is not in the file");
  }

 private:
  const std::string& file_;
};

}  // namespace

TorchObjectOptions object_options(const WeightsReadOptions& options, WeightsFile& out) {
  TorchObjectOptions objects;
  objects.deepest = options.deepest;
  objects.most_nodes = options.most_nodes;
  objects.dequantize = options.dequantize;
  objects.largest_dense_bytes = options.largest_dense_bytes;
  objects.refuse_suspicious = options.refuse_suspicious;
  objects.warnings = &out.warnings;
  return objects;
}

Node read_lone_pickle(const FileBytes& file, const WeightsReadOptions& options, WeightsFile& out) {
  const PickleGraph graph = read_pickle(as_text(file.bytes), file.name);
  if (graph.source.size() < file.bytes.size()) {
    out.warnings.push_back("has " + std::to_string(file.bytes.size() - graph.source.size()) +
                           " bytes after its end, which are ignored");
  }
  TorchObjectOptions objects = object_options(options, out);
  objects.keep_alive = file.keep_alive;
  NoStorages storages(file.name);
  return torch_objects(graph, storages, file.name, objects);
}

}  // namespace vissl::host
