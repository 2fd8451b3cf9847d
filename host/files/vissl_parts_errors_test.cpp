// Every sentence with which a list of VISSL's shards or slices is refused.
#include <doctest/doctest.h>

#include <functional>

#include "host/files/error.hpp"
#include "host/files/torch_zip_writer.hpp"
#include "host/files/weights_file.hpp"
#include "temp_folder.hpp"

namespace {

using namespace vissl::host;
using vissl::test::TempFolder;
using vissl::test::write_file;

void save(const std::filesystem::path& path, const Node& tree) {
  MemorySink sink;
  write_torch_zip(sink, tree);
  write_file(path, {reinterpret_cast<const char*>(sink.data.data()), sink.data.size()});
}

std::string refusal(const std::filesystem::path& path) {
  try {
    read_weights_file(path);
  } catch (const Error& error) {
    CHECK(error.code() == Exit::bad_data);
    return error.what();
  }
  return "no error";
}

Node list_of(std::vector<Node> items) {
  return Node(List{std::move(items)});
}

// A shard of one module, in which the parameters "a" and "b" of two elements are flattened, and of
// one head.
Node shard() {
  const float numbers[] = {1, 2, 3, 4};
  const auto storage = Storage::copy_of(std::as_bytes(std::span(numbers)));
  Node shard = Node::dict();
  Node& base = shard["classy_state_dict"]["base_model"];
  base["model"]["trunk"]["flat"] = TensorRef::contiguous(DType::float32, {2}, storage);
  base["model"]["heads"] = list_of({Node::dict()});
  Node unit = Node::dict();
  unit["fsdp_path"] = "";
  unit["params"]["flat"]["names"] = list_of({Node("a"), Node("b")});
  unit["params"]["flat"]["shapes"] = list_of({list_of({Node(2)}), list_of({Node(2)})});
  unit["params"]["flat"]["padding"] = 0;
  unit["shared_param_info"] = list_of({});
  base["meta"]["trunk"]["param_metadata"] = list_of({unit});
  return shard;
}

using Change = std::function<void(Node& model, Node& units)>;

// What two shards say, one of them changed.
std::string refused(const Change& first, const Change& second = nullptr) {
  TempFolder folder;
  int rank = 0;
  for (const Change& change : {first, second}) {
    Node made = shard();
    Node& base = made["classy_state_dict"]["base_model"];
    if (change) change(base["model"], base["meta"]["trunk"]["param_metadata"]);
    save(folder / ("shard" + std::to_string(rank++) + ".torch"), made);
  }
  Node list = Node::dict();
  list["type"] = "shard_list";
  list["shards"] = list_of({Node("shard0.torch"), Node("shard1.torch")});
  save(folder / "list.torch", list);
  const std::string text = refusal(folder / "list.torch");
  const std::string start = (folder / "list.torch").string() + ": ";
  return text.starts_with(start) ? text.substr(start.size()) : text;
}

Node& facts(Node& units) {
  return units.as_items()[0]["params"]["flat"];
}

}  // namespace

TEST_CASE("vissl parts errors: a list must name its parts") {
  TempFolder folder;
  Node list = Node::dict();
  list["type"] = "shard_list";
  list["shards"] = list_of({});
  save(folder / "list.torch", list);
  const std::string path = (folder / "list.torch").string();
  CHECK(refusal(path) == path + ": lists no shards; use another copy");
  list["shards"] = list_of({Node(1)});
  save(path, list);
  CHECK(refusal(path) == path + ": lists a part that is no path; use another copy");
}

TEST_CASE("vissl parts errors: the shards must hold pieces of the same modules") {
  REQUIRE(refused(nullptr) == "no error");
  CHECK(refused(nullptr, [](Node& model, Node&) { model["trunk"] = Node::dict(); }) ==
        "shard 1 has no 'flat'; use another copy");
  const std::string unfit = "the shards of 'flat' do not fit each other; use another copy";
  CHECK(refused([](Node&, Node& units) { facts(units)["padding"] = 3; }) == unfit);
  CHECK(refused([](Node&, Node& units) { facts(units)["padding"] = -1; }) == unfit);
  CHECK(refused(nullptr, [](Node& model, Node&) {
          TensorRef other = model["trunk"]["flat"].as_tensor();
          other.dtype = DType::int32;
          model["trunk"]["flat"] = other;
        }) == unfit);
  const Change endless = [](Node& model, Node&) {
    TensorRef view = model["trunk"]["flat"].as_tensor();
    view.shape = {std::int64_t{1} << 62};
    view.strides = {0};
    model["trunk"]["flat"] = view;
  };
  CHECK(refused(endless, endless) == unfit);
  CHECK(refused([](Node&, Node& units) { facts(units)["shapes"] = list_of({}); }) ==
        "the facts of 'flat' are torn; use another copy");
  CHECK(refused([](Node&, Node& units) {
          facts(units)["shapes"] = list_of({list_of({Node(2)}), list_of({Node(3)})});
        }) == "'flat' holds a tensor that reaches beyond its storage; use another copy");
  CHECK(refused([](Node&, Node& units) {
          facts(units)["shapes"] = list_of({list_of({Node(2)}), list_of({Node(1)})});
        }) == "the shards of 'flat' have 4 elements, its parameters 3; use another copy");
  CHECK(refused(nullptr, [](Node&, Node& units) { units = list_of({}); }) ==
        "the shards list different modules; use another copy");
}

TEST_CASE("vissl parts errors: shared parameters and heads must be those of all shards") {
  CHECK(refused([](Node&, Node& units) {
          units.as_items()[0]["shared_param_info"] = list_of({list_of({Node("a")})});
        }) == "the list of shared parameters is torn; use another copy");
  CHECK(refused([](Node&, Node& units) {
          units.as_items()[0]["shared_param_info"] = list_of({list_of({Node("c"), Node("d")})});
        }) == "shares the unknown parameter 'c'; use another copy");
  const std::string heads = "the shards list different heads; use another copy";
  CHECK(refused(nullptr, [](Node& model, Node&) { model["heads"] = list_of({}); }) == heads);
  CHECK(refused(nullptr, [](Node& model, Node&) { model["heads"] = Node::dict(); }) == heads);
  CHECK(
      refused([](Node& model, Node&) { model = Node::dict(); }) ==
      "the part 'shard0.torch' of this list cannot be used: the file has no entry 'trunk' where it "
      "has nothing; it was not written by this program");
  CHECK(refused(nullptr, [](Node&, Node& units) {
          facts(units) = Node::dict();
        }).starts_with("a part of this list cannot be used: the file has no entry 'padding'"));
}
