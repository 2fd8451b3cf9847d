// What cannot be written or is too large to be used, told in whole sentences.
#include <doctest/doctest.h>

#include <filesystem>

#include "host/files/error.hpp"
#include "host/files/locator_text.hpp"
#include "host/files/npy.hpp"
#include "host/files/numpy_pickle_writer.hpp"
#include "host/files/safetensors_reader.hpp"
#include "host/files/torch_zip_writer.hpp"
#include "host/files/weights_file.hpp"
#include "temp_folder.hpp"

namespace {

using namespace vissl::host;
using vissl::test::TempFolder;
using vissl::test::write_file;

template <class Body>
std::string refusal(Exit code, Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    CHECK(error.code() == code);
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("writer errors: a pickle of numpy arrays names what it cannot hold") {
  const auto refused = [](const Node& tree) {
    return refusal(Exit::run_failed, [&] {
      MemorySink sink;
      write_numpy_pickle(sink, tree);
    });
  };
  Node tree = Node::dict();
  tree["model"]["x"] = Node(Opaque{"torch.device", {}});
  CHECK(refused(tree) ==
        "'model.x' is an object of the class torch.device, which a pickle of numpy arrays cannot "
        "hold; drop it or write a torch file");
  tree["model"]["x"] = "\xff";
  CHECK(refused(tree) == "'model.x' is a text that is not UTF-8; write a torch file");
  tree["model"] = Node::dict();
  tree["model"]["\xff"] = 1;
  CHECK(refused(tree) == "'model.\\xff' has a name that is not UTF-8; write a torch file");
  Node deep;
  for (int i = 0; i < 1002; ++i) deep = Node(List{{deep}});
  const std::string text = refused(deep);
  CHECK(text.starts_with("'0.0.0."));
  CHECK(text.ends_with("' lies more than 1000 levels deep; a pickle of that depth cannot be read"));
}

TEST_CASE("writer errors: a storage that is no whole number of elements is not saved") {
  Node tree = Node::dict();
  const char bytes[5] = {};
  tree["w"] =
      TensorRef::contiguous(DType::float32, {1}, Storage::copy_of(std::as_bytes(std::span(bytes))));
  CHECK(refusal(Exit::run_failed,
                [&] {
                  MemorySink sink;
                  write_torch_zip(sink, tree);
                }) ==
        "a storage of 5 bytes cannot be saved as float32, whose elements take 4; copy the "
        "tensors that lie in it");
}

TEST_CASE("files errors: a view that repeats its storage beyond any memory is not copied") {
  TensorRef view = TensorRef::contiguous(DType::float32, {1}, Storage::allocate(4));
  view.shape = {std::int64_t{1} << 31};
  view.strides = {0};
  CHECK(refusal(Exit::bad_data, [&] { view.packed(); }) ==
        "a tensor repeats the 4 bytes of its storage to more than 4294967296 bytes; save the "
        "tensor that it is expanded from");
}

TEST_CASE("files errors: a safetensors file without a header, and a branch that is not there") {
  const std::string bytes(9, '\0');
  CHECK(refusal(Exit::bad_data, [&] {
          WeightsFile out;
          read_safetensors({std::as_bytes(std::span(bytes)), nullptr, "w"}, out);
        }) == "w: has no header (byte 8); the file is damaged or incomplete, use another copy");
  CHECK(refusal(Exit::bad_data, [] { throw_no_branch("trunk.", "w.pth"); }) ==
        "w.pth: no tensor's name begins with 'trunk.', the branch that its locator asks for; "
        "'vissl-host inspect' lists the names");
}

TEST_CASE("files errors: an index of weights is small, flat and names files of tensors") {
  TempFolder folder;
  const std::string index = (folder / "model.safetensors.index.json").string();
  const auto refused = [&] {
    return refusal(Exit::bad_data, [&] { read_weights_file(folder.path()); });
  };
  write_file(index, "{");
  std::filesystem::resize_file(index, (std::uintmax_t{64} << 20) + 1);  // takes no disk
  CHECK(refused() == index +
                         ": is a JSON file of 67108865 bytes, too large for an index of "
                         "weights; name a file of weights");
  write_file(index, "{1}");
  CHECK(refused() == index +
                         ": begins like JSON but is none (byte 1); the file is damaged or "
                         "incomplete, use another copy");
  write_file(index, "{\"a\":" + std::string(5000, '['));
  CHECK(refused() == index +
                         ": has JSON that is nested too deep; the file is damaged or "
                         "incomplete, use another copy");
  const std::string needed = ", which the index " + index + " needs; use another copy";
  write_file(index, R"({"weight_map": {"a": "model.safetensors.index.json"}})");
  CHECK(refused() == index + ": is an index itself, not a file of weights" + needed);
  write_file(index, R"({"weight_map": {"a": "a.npy"}})");
  const float one = 1;
  write_npy(folder / "a.npy",
            TensorRef::contiguous(DType::float32, {1},
                                  Storage::copy_of(std::as_bytes(std::span(&one, 1)))));
  CHECK(refused() == (folder / "a.npy").string() +
                         ": is no plain file of named tensors, as the index " + index +
                         " needs; use another copy");
}
