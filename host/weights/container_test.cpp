#include "host/weights/container.hpp"

#include <doctest/doctest.h>

#include <map>

#include "host/files/error.hpp"
#include "host/files/numpy_pickle_writer.hpp"
#include "host/files/tensor_list.hpp"
#include "temp_folder.hpp"

namespace {

using namespace vissl::host;

const std::string kGolden = std::string(VISSL_SOURCE_DIR) + "/tests/golden/weights_files/";

TensorRef floats(const std::vector<float>& values, std::vector<std::int64_t> shape) {
  return TensorRef::contiguous(DType::float32, std::move(shape),
                               Storage::copy_of(std::as_bytes(std::span(values))));
}

std::map<std::string, std::string> hashes(const Node& tree) {
  std::map<std::string, std::string> out;
  for_each_tensor(tree, [&out](const std::string& name, const TensorRef& tensor) {
    out[name] = std::string(facts(tensor.dtype).name) + " " + tensor_sha256(tensor);
  });
  return out;
}

std::string refused(const WeightsFile& file, const std::string& part) {
  try {
    contents_of(file, Container::torch, part, "a.pth");
  } catch (const Error& error) {
    return error.what();
  }
  return "taken";
}

}  // namespace

TEST_CASE("convert: every container gives every tensor back, and the next one too") {
  const vissl::test::TempFolder folder;
  const WeightsFile file = read_weights_file(kGolden + "zip_training.pth");
  const auto expected = hashes(file.tree);
  REQUIRE(!expected.empty());
  for (const char* name : {"a.pth", "a.safetensors", "a.pkl"}) {
    CAPTURE(name);
    const auto path = folder / name;
    const Container container = container_of(path);
    write_container(path, container, contents_of(file, container, "", name));
    const WeightsFile written = read_weights_file(path);
    CHECK(hashes(written.tree) == expected);
    const auto back = folder / "back.pth";
    write_container(back, Container::torch, contents_of(written, Container::torch, "", name));
    CHECK(hashes(read_weights_file(back).tree) == expected);
  }
}

TEST_CASE("convert: the ending of a name may not contradict what is written") {
  const auto refusal = [](const char* path, Container container) {
    try {
      check_ending(path, container);
    } catch (const Error& error) {
      CHECK(error.code() == Exit::usage);
      return std::string(error.what());
    }
    return std::string("taken");
  };
  CHECK(container_of("A.SafeTensors") == Container::safetensors);
  for (const char* path : {"a.pth", "a.torch", "a.pth.tar", "a", "a.weights", "v1.5"})
    CHECK(refusal(path, Container::torch) == "taken");
  for (const char* path : {"a.safetensors", "a.SAFETENSORS", "a", "a.weights"})
    CHECK(refusal(path, Container::safetensors) == "taken");
  CHECK(refusal("a.pkl", Container::numpy) == "taken");
  CHECK(refusal("b/a.safetensors", Container::torch) ==
        "'b/a.safetensors' would be torch's zip, which is not what its ending says; call it "
        "'b/a.pth', or choose the container with --to");
  CHECK(refusal("a.PTH", Container::safetensors) ==
        "'a.PTH' would be safetensors, which is not what its ending says; call it "
        "'a.safetensors', or choose the container with --to");
  CHECK(refusal("a.pkl", Container::torch).starts_with("'a.pkl' would be torch's zip, "));
  CHECK(refusal("a.npz", Container::torch) ==
        "'a.npz' would be torch's zip, which is not what its ending says; call it 'a.pth'");
}

TEST_CASE("convert: a view is written without the rest of its storage, shared tensors once") {
  const TensorRef big = floats(std::vector<float>(1000, 1.0f), {1000});
  TensorRef view = big;
  view.shape = {2};
  view.offset = 10;
  WeightsFile file;
  file.tree["one"] = view;
  file.tree["same"] = view;
  const Contents contents = contents_of(file, Container::torch, "", "a.pth");
  const TensorRef& one = contents.tree.at("one").as_tensor();
  CHECK(one.storage->size_bytes() == 8);
  CHECK(one.storage == contents.tree.at("same").as_tensor().storage);
  CHECK(tensor_sha256(one) == tensor_sha256(view));
}

TEST_CASE("convert: objects of foreign classes are left out and listed, all else is kept") {
  WeightsFile file;
  file.tree["epoch"] = 3;
  file.tree["args"] = Opaque{"argparse.Namespace", {}};
  file.tree["state_dict"]["w"] = floats({1, 2}, {2});
  const Contents torch = contents_of(file, Container::torch, "", "a.pth");
  REQUIRE(torch.left_out.size() == 1);
  CHECK(torch.left_out[0].name == "args");
  CHECK(torch.left_out[0].reason == "an object of the class argparse.Namespace");
  CHECK(torch.tree.at("epoch").as_int() == 3);
  const Contents flat = contents_of(file, Container::safetensors, "", "a.pth");
  CHECK(flat.tree.at("state_dict.w").as_tensor().numel() == 2);
  REQUIRE(flat.metadata.size() == 1);
  CHECK(flat.metadata[0] == std::pair<std::string, std::string>("epoch", "3"));
  CHECK(flat.left_out.size() == 1);
}

TEST_CASE("convert: what a list at the top holds has its position as its name") {
  WeightsFile file;
  Node second = Node::dict();
  second["epoch"] = 3;
  second["more"] = List{{Node(std::int64_t{1})}};
  file.tree = List{{Node(floats({1}, {1})), second, Node(Opaque{"a.B", {}}), Node()}};
  const Contents flat = contents_of(file, Container::safetensors, "", "a.pth");
  CHECK(flat.tree.at("0").as_tensor().numel() == 1);
  REQUIRE(flat.metadata.size() == 1);
  CHECK(flat.metadata[0] == std::pair<std::string, std::string>("1.epoch", "3"));
  std::vector<std::string> names;
  for (const LeftOut& item : flat.left_out) names.push_back(item.name);
  CHECK(names == std::vector<std::string>{"1.more", "2", "3"});
}

TEST_CASE("convert: a part of the file becomes a flat dict; a part that is not there is refused") {
  WeightsFile file;
  file.tree["state_dict"]["a.w"] = floats({1}, {1});
  file.tree["optimizer"]["b"] = floats({2}, {1});
  const Contents part = contents_of(file, Container::torch, "state_dict", "a.pth");
  CHECK(part.tree.as_dict().size() == 1);
  CHECK(part.tree.find("a.w") != nullptr);
  CHECK(refused(file, "model") ==
        "a.pth has no tensor below 'model'; --part takes whole dotted parts of the names: "
        "'optimizer', 'state_dict', 'state_dict.a'");
  file.tree["\x1b[31mred"]["w"] = floats({3}, {1});
  CHECK(refused(file, "model").find("'\\x1b[31mred', 'optimizer'") != std::string::npos);
  WeightsFile empty;
  empty.tree["epoch"] = 1;
  CHECK(refused(empty, "") == "a.pth has no tensor; there is nothing to convert");
}

TEST_CASE("convert: tensors of one dotted path are refused where one would be lost") {
  const auto refusal = [](const WeightsFile& file, Container container, const std::string& part) {
    try {
      contents_of(file, container, part, "a.pth");
    } catch (const Error& error) {
      CHECK(error.code() == Exit::bad_data);
      return std::string(error.what());
    }
    return std::string("taken");
  };
  const std::string end =
      ", of which one would be lost; rename one, or convert the whole file --to torch, which keeps "
      "the tree";
  WeightsFile file;
  file.tree["a.b"] = floats({1}, {1});
  file.tree["a"]["b"] = floats({2}, {1});
  CHECK(refusal(file, Container::safetensors, "") ==
        "a.pth: two tensors have the name 'a.b', at ['a.b'] and ['a']['b']" + end);
  CHECK(refusal(file, Container::torch, "") == "taken");
  WeightsFile keys;
  keys.tree["state_dict"][1] = floats({1}, {1});
  keys.tree["state_dict"]["1"] = floats({2}, {1});
  keys.tree["list"] = List{{Node(floats({3}, {1}))}};
  CHECK(refusal(keys, Container::torch, "state_dict") ==
        "a.pth: two tensors have the name 'state_dict.1', at ['state_dict'][1] and "
        "['state_dict']['1']" +
            end);
  CHECK(refusal(keys, Container::torch, "list") == "taken");
}

TEST_CASE("convert: values of one dotted name are metadata once, and the other is listed") {
  WeightsFile file;
  file.tree["w"] = floats({1}, {1});
  file.tree["a.b"] = 1;
  file.tree["a"]["b"] = 2;
  const Contents flat = contents_of(file, Container::safetensors, "", "a.pth");
  REQUIRE(flat.metadata.size() == 1);
  CHECK(flat.metadata[0] == std::pair<std::string, std::string>("a.b", "1"));
  REQUIRE(flat.left_out.size() == 1);
  CHECK(flat.left_out[0].name == "a.b");
  CHECK(flat.left_out[0].reason == "another value has the same dotted name");
}

TEST_CASE("convert: a file of tensors without data is told to be one") {
  WeightsFile file;
  file.tree["w"] = Opaque{"tensor without data", {}};
  file.tree["v"] = Opaque{"tensor without data", {}};
  for (const char* part : {"", "w"})
    CHECK(refused(file, part) ==
          "a.pth has 2 tensors without data, saved from the device 'meta', and no other; save the "
          "network from the device where its weights are");
}

TEST_CASE("convert: numpy pickles of all kinds of values are read back as they were") {
  Node tree;
  tree["text"] = "\xc3\xa4";
  tree["big"] = std::int64_t{1} << 40;
  tree["small"] = -3;
  tree["real"] = 0.1;
  tree["yes"] = true;
  tree["none"] = Node();
  tree["list"] = List{{Node(1), Node("b")}};
  tree["tuple"] = Tuple{{Node(1)}};
  tree["w"] = floats({1, 2, 3, 4, 5, 6}, {2, 3});
  tree["scalar"] = floats({7}, {});
  tree["empty"] = floats({}, {0, 2});
  const vissl::test::TempFolder folder;
  Contents contents;
  contents.tree = tree;
  write_container(folder / "a.pkl", Container::numpy, contents);
  CHECK(same_values(read_weights_file(folder / "a.pkl").tree, tree));
  MemorySink sink;
  tree["half"] = TensorRef::contiguous(DType::complex32, {1}, Storage::allocate(4));
  CHECK_THROWS_WITH_AS(write_numpy_pickle(sink, tree),
                       "numpy has no element type for 'half', which is complex32; write a torch "
                       "file instead of a pickle",
                       Error);
  tree["half"] = TensorRef::contiguous(DType::bfloat16, {1}, Storage::allocate(2));
  CHECK_THROWS_WITH_AS(write_numpy_pickle(sink, tree),
                       "numpy has no element type for 'half', which is bfloat16; write a torch "
                       "file instead of a pickle",
                       Error);
}
