#include "host/cli/inspect.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "host/cli/options.hpp"
#include "host/files/error.hpp"
#include "host/files/printable.hpp"

namespace {

using namespace vissl::host;
using namespace std::string_literals;
using Json = nlohmann::json;

const std::string kFolder = std::string(VISSL_SOURCE_DIR) + "/tests/golden/weights_files/";

std::string text_of(const WeightsFile& file, const InspectOptions& options = {}) {
  return inspect_text("w.pth", file, Terminal({}, ColorMode::never), options);
}

// Whether `part` stands in `text`, whatever the widths of the columns.
bool has(const std::string& text, const std::string& part) {
  std::string squeezed;
  for (const char c : text) {
    if (c != ' ' || !squeezed.ends_with(' ')) squeezed += c;
  }
  return squeezed.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("inspect: the JSON of every golden file is what Python lists, hashes and all") {
  std::ifstream file(kFolder + "manifest.json");
  for (const Json& entry : Json::parse(file)) {
    const std::string name = entry["file"];
    CAPTURE(name);
    const WeightsFile weights = read_weights_file(kFolder + name);
    Json shown = Json::parse(inspect_json(weights, true)), tensors = entry["tensors"];
    if (entry["format"] == "torchscript")  // before release 1.6 in an order of its own
      for (Json* list : {&shown["tensors"], &tensors}) std::sort(list->begin(), list->end());
    CHECK(shown == Json{{"format", entry["format"]}, {"tensors", tensors}});
    const Json brief = Json::parse(inspect_json(weights, false));
    for (const Json& tensor : brief["tensors"]) {
      CHECK(!tensor.contains("sha256"));
    }
  }
}

TEST_CASE("inspect: the text names wrappers, tensors, foreign classes and warnings") {
  InspectOptions options;
  options.file_bytes = 7523;
  const std::string text = text_of(read_weights_file(kFolder + "zip_training.pth"), options);
  CHECK(text.starts_with("w.pth: torch_zip, 7.5 kB\nContents\n  dict of 12 with "));
  CHECK(has(text, "\n epoch 3\n"));
  CHECK(has(text, "\n arch 'resnet50'\n"));
  CHECK(has(text, "\n state_dict OrderedDict of 8 with 8 tensors, 150 elements\n"));
  CHECK(has(text, "state_dict.conv1.weight"));
  CHECK(has(text, "[4, 3, 3, 3]"));
  CHECK(has(text, "Objects of foreign classes\n argparse.Namespace 1\n"));
  CHECK(!has(text, "Warnings"));
  options.most = 1;
  CHECK(has(text_of(read_weights_file(kFolder + "zip_training.pth"), options),
            "\n ... and 16 more\n"));
}

TEST_CASE("inspect: a tensor without a name is quoted; only one that is the file is called so") {
  const TensorRef tensor = TensorRef::contiguous(DType::float32, {0}, Storage::allocate(0));
  WeightsFile file;
  file.format = "npy";
  file.tree = tensor;
  CHECK(has(text_of(file), "Tensors\n (the file's only tensor) float32 [0]\n"));
  file.tree = Node::dict();
  file.tree[""] = tensor;
  file.tree["w"] = tensor;
  CHECK(has(text_of(file), "Tensors\n '' float32 [0]\n w float32 [0]\n"));
}

TEST_CASE("inspect: a list of other files is shown without a size") {
  const std::string text = text_of(read_weights_file(kFolder + "vissl_shards.torch"));
  CHECK(text.starts_with("w.pth: vissl_shard_list\nContents\n"));
}

TEST_CASE("inspect: tensors without data and quantised ones are told") {
  WeightsFile file;
  file.tree["w"] = Opaque{"tensor without data", {{"args", Tuple{{Node(4), Node(3)}}}}};
  file.tree["odd"] = Opaque{"tensor without data", {}};
  file.tree["q"] = TensorRef::contiguous(DType::qint8, {0}, Storage::allocate(0));
  const std::string text = text_of(file);
  CHECK(has(text, "\n w tensor without data [4, 3]\n odd tensor without data\n"));
  CHECK(has(text,
            "Warnings\n 1 quantised tensor, shown as integers; convert applies scale and "
            "zero point\n"));
}

TEST_CASE("inspect: a view that saves more than it shows is pointed out") {
  float numbers[100] = {};
  WeightsFile file;
  TensorRef tensor = TensorRef::contiguous(DType::float32, {2},
                                           Storage::copy_of(std::as_bytes(std::span(numbers))));
  file.format = "torch_zip";
  file.metadata = {{"format", "pt"}};
  file.tree["x"] = tensor;
  const std::string text = text_of(file);
  CHECK(has(text, "Metadata\n format pt\n"));
  CHECK(has(text, "Tensors\n x float32 [2]\n"));
  CHECK(has(text, " 392 bytes of the file belong to no tensor: a view saves its whole storage\n"));
}

TEST_CASE("inspect: names in a file cannot steer the terminal") {
  CHECK(printable("a\x1b[2Jb\n\x7f\xc2\x9b\xe2\x80\xae\xff é") ==
        "a\\x1b[2Jb\\x0a\\x7f\\xc2\\x9b\\xe2\\x80\\xae\\xff é");
  WeightsFile file;
  file.tree["\x1b]0;title\x07"] = Opaque{"os\x1b[31m.system", {}};
  const std::string text = text_of(file);
  CHECK(!has(text, "\x1b"));
  CHECK(has(text, "\\x1b]0;title\\x07"));
}

TEST_CASE("inspect: the command line takes a file and its options") {
  const Options options = parse_options({"inspect", "a.pth", "--sha256", "--max", "3"});
  CHECK(options.command == Command::inspect);
  CHECK(options.subject == "a.pth");
  CHECK(options.sha256);
  CHECK(options.most == 3);
  CHECK_THROWS_WITH_AS(parse_options({"inspect"}), "'inspect' needs FILE", Error);
  CHECK_THROWS_WITH_AS(parse_options({"list", "--sha256"}),
                       "option '--sha256' has no meaning for 'list'", Error);
}
