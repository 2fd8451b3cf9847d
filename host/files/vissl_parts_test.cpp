#include "host/files/vissl_parts.hpp"

#include <doctest/doctest.h>

#include "host/files/error.hpp"
#include "host/files/torch_zip_writer.hpp"
#include "temp_folder.hpp"

namespace {

namespace fs = std::filesystem;
using namespace vissl::host;
using vissl::test::TempFolder;
using vissl::test::write_file;

const fs::path kGolden = fs::path(VISSL_SOURCE_DIR) / "tests/golden/weights_files";

void save(const fs::path& path, const Node& tree) {
  MemorySink sink;
  write_torch_zip(sink, tree);
  write_file(path, {reinterpret_cast<const char*>(sink.data.data()), sink.data.size()});
}

std::string refusal(const fs::path& path) {
  try {
    read_weights_file(path);
  } catch (const Error& error) {
    CHECK(error.code() == Exit::bad_data);
    return error.what();
  }
  return "no error";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("vissl parts: a list says which of its parts is missing") {
  TempFolder folder;
  fs::copy_file(kGolden / "vissl_shards.torch", folder / "list.torch");
  CHECK(refusal(folder / "list.torch") ==
        (folder / "list.torch").string() +
            ": lists the part '/gone/run/vissl_shards_shard0.torch', which is neither there nor "
            "beside the list; copy the parts into " +
            folder.path().string());
  fs::copy_file(kGolden / "vissl_shards_shard0.torch", folder / "vissl_shards_shard0.torch");
  CHECK(has(refusal(folder / "list.torch"), "shard1.torch', which is neither there"));
}

TEST_CASE("vissl parts: shards that do not belong together are refused") {
  TempFolder folder;
  fs::copy_file(kGolden / "vissl_shards.torch", folder / "list.torch");
  fs::copy_file(kGolden / "vissl_shards_shard0.torch", folder / "vissl_shards_shard0.torch");
  fs::copy_file(kGolden / "vissl_shards_shard0.torch", folder / "vissl_shards_shard1.torch");
  CHECK(has(refusal(folder / "list.torch"),
            "the shards of '_fpw_module.block.flat_param_0' have 10 elements, its parameters 9"));
  Node other = Node::dict();
  other["type"] = "shard";
  save(folder / "vissl_shards_shard1.torch", other);
  CHECK(has(refusal(folder / "list.torch"), "shard1.torch' of this list cannot be used: "));
}

TEST_CASE("vissl parts: a list leads only to files of parts") {
  TempFolder folder;
  for (const char* path : {"../outside.torch", "/etc/passwd", "part.pth"}) {
    Node list = Node::dict();
    list["type"] = "slice_list";
    list["layers"]["a"] = path;
    save(folder / "list.torch", list);
    CHECK(has(refusal(folder / "list.torch"), "which is no name of a part; use another copy"));
  }
  Node slice = Node::dict();
  const float one = 1;
  slice["weight"] = TensorRef::contiguous(DType::float32, {1},
                                          Storage::copy_of(std::as_bytes(std::span(&one, 1))));
  save(folder / "part.torch", slice);
  Node list = Node::dict();
  list["type"] = "slice_list";
  list["layers"]["_fsdp_wrapped_module.a"] = "part.torch";
  save(folder / "list.torch", list);
  const WeightsFile file = read_weights_file(folder / "list.torch");
  const Node& model = file.tree.at("classy_state_dict").at("base_model").at("model");
  CHECK(same_values(model.at("trunk").at("a"), slice.at("weight")));
}
