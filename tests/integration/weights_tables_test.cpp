// model.weights_init as a list: files for parts of one model, applied one after the other.
#include <doctest/doctest.h>

#include <cstring>

#include "saved_model.hpp"

using namespace vissl::test;
using namespace vissl::host;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kClasses = 4;  // of the small network

// Files in which every number is the same, so that a run tells which of them its weights are from.
class Parts : public SavedModel {
 public:
  // EssentialMC2's files: a trunk alone ("conv1.weight"), and a classifier saved from several
  // devices ("module.backbone.conv1.weight", "module.head.fc.weight").
  fs::path trunk_file(const std::string& name, float value) {
    return save(name, trunk([](const std::string& tensor) { return tensor; }, &value));
  }
  fs::path classifier_file(const std::string& name, float value, bool with_trunk = true) {
    Node state = Node::dict();
    if (with_trunk)
      state = trunk([](const std::string& tensor) { return "module.backbone." + tensor; }, &value);
    state["module.head.fc.weight"] = filled({kClasses, kFeatures}, value);
    state["module.head.fc.bias"] = filled({kClasses}, value);
    return save(name, std::move(state));
  }
  Result run(const std::string& weights_init, const std::vector<std::string>& settings = {},
             const std::vector<std::string>& command = {}) {
    fs::remove_all(path() / "run");
    return SavedModel::run(weights_init, settings, command);
  }

  float of_trunk() const { return first_value("trunk", "_feature_blocks.layer4.1.conv2.weight"); }
  float of_head() const { return first_value("heads", "0.clf.0.weight"); }

 private:
  float first_value(const std::string& part, const std::string& name) const {
    const Node tree = read_torch_zip(path() / "run" / "checkpoint.torch");
    const Node& model = tree.at("classy_state_dict").at("base_model").at("model");
    const std::vector<std::byte> bytes = model.at(part).at(name).as_tensor().packed();
    float value = 0;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
};

std::string table(const fs::path& file, const std::string& more = "") {
  return "[[model.weights_init]]\nprofile = \"essmc2\"\npath = \"" + file.string() + "\"\n" + more;
}

}  // namespace

TEST_CASE("weights tables: the inner part's file first, then the outer's, which overwrites it") {
  Parts parts;
  const fs::path inner = parts.trunk_file("trunk.pth", 0.25F);
  const fs::path outer = parts.classifier_file("classifier.pth", 0.5F);
  const std::string tables = table(inner, "part = \"trunk\"\n") + table(outer);
  // One table of settings builds any number of models: each run loads both files.
  for (int build = 0; build < 2; ++build) {
    const Result result = parts.run(tables);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    const std::size_t first =
        result.err.find("Load pretrained model [ResNet] from " + inner.string());
    const std::size_t then =
        result.err.find("Load pretrained model [Classifier] from " + outer.string());
    CHECK(first != std::string::npos);
    CHECK(then != std::string::npos);
    CHECK(first < then);
    CHECK(!says(result, "missing key"));
    CHECK(parts.of_trunk() == 0.5F);
    CHECK(parts.of_head() == 0.5F);
  }
  const Result turned = parts.run(table(outer) + table(inner, "part = \"trunk\"\n"));
  INFO(turned.err);
  REQUIRE(turned.exit_code == 0);
  CHECK(parts.of_trunk() == 0.25F);
  CHECK(parts.of_head() == 0.5F);
  // The checkpoint says where all of it is from.
  const std::string origin = read_torch_zip(parts.path() / "run" / "checkpoint.torch")
                                 .at("vissl_host")
                                 .at("weights_init")
                                 .as_text();
  CHECK(origin.find("from " + outer.string() + " (torch_zip)") != std::string::npos);
  CHECK(origin.find("; then loaded ") != std::string::npos);
  CHECK(origin.find("from " + inner.string() + " (torch_zip)") != std::string::npos);
}

TEST_CASE("weights tables: strictness is judged over all files together") {
  Parts parts;
  const fs::path trunk = parts.trunk_file("trunk.pth", 0.25F);
  const fs::path head = parts.classifier_file("head.pth", 0.5F, false);
  const std::string both = table(trunk) + table(head, "part = \"heads.0\"\n");
  const Result whole = parts.run(both, {"test_only=true", "test_model=true"});
  INFO(whole.err);
  CHECK(whole.exit_code == 0);
  CHECK(says(whole, "loaded 2 of 2 tensors from " + head.string() + " (torch_zip)\n"));
  CHECK(!says(whole, "as initialised"));  // what one file lacks is in the other
  const Result half = parts.run(table(trunk), {"test_only=true", "test_model=true"});
  INFO(half.err);
  CHECK(half.exit_code == 2);
  CHECK(says(half, "trunk.pth: 2 tensors of the model are not in it: heads.0.clf.0.weight"));
  const std::string twice = table(head, "part = \"heads.0\"\n") + table(head, "part = \"heads\"\n");
  const Result none = parts.run(twice, {"test_only=true", "test_model=true"});
  INFO(none.err);
  CHECK(none.exit_code == 2);
  CHECK(says(none, head.string() + ", " + head.string() + ": "));
  CHECK(says(none, " of the model are not in them: trunk._feature_blocks.conv1.weight"));
}

TEST_CASE("weights tables: the least min_coverage holds for all files together") {
  Parts parts;
  const fs::path head = parts.classifier_file("head.pth", 0.5F, false);
  for (const char* profile : {"essmc2", "auto"}) {
    const std::vector<std::string> settings = {"model.weights_init[0].profile=" +
                                               std::string(profile)};
    const std::string head_alone =
        "[[model.weights_init]]\npart = \"heads.0\"\nparams_file = \"" + head.string() + "\"\n";
    const Result refused = parts.run(head_alone, settings);
    INFO(refused.err);
    CHECK(refused.exit_code == 2);
    CHECK(
        says(refused, "only 0 % of the trunk's elements are in it, less than min_coverage = 50 %"));
    CHECK(!fs::exists(parts.path() / "run" / "checkpoint.torch"));
    const Result meant =
        parts.run(head_alone, {settings[0], "model.weights_init[0].min_coverage=0"});
    INFO(meant.err);
    CHECK(meant.exit_code == 0);
    CHECK(
        says(meant, "head.pth: only 0 % of the trunk's elements come from it; not there: trunk."));
    CHECK(parts.of_head() == 0.5F);
  }
}

TEST_CASE("weights tables: dry_run of one shows the plans of all, ranks load them, [] is none") {
  Parts parts;
  const fs::path trunk = parts.trunk_file("trunk.pth", 0.25F);
  const fs::path outer = parts.classifier_file("classifier.pth", 0.5F);
  const std::string tables = table(trunk, "part = \"trunk\"\n") + table(outer);
  const Result dry = parts.run(tables, {"model.weights_init[1].dry_run=true"});
  INFO(dry.err);
  CHECK(dry.exit_code == 0);
  CHECK(says(dry, " from " + trunk.string() + " (torch_zip)"));
  CHECK(says(dry, " from " + outer.string() + " (torch_zip)"));
  CHECK(!says(dry, "loaded "));
  CHECK(!fs::exists(parts.path() / "run" / "checkpoint.torch"));
  const Result ranks = parts.run(tables, {}, {"--nproc", "2"});
  INFO(ranks.err);
  CHECK(ranks.exit_code == 0);
  CHECK(parts.of_trunk() == 0.5F);
  const Result random = parts.run(tables, {"model.weights_init=[]"});
  INFO(random.err);
  CHECK(random.exit_code == 0);
  CHECK(!says(random, "pretrained"));
  CHECK(parts.of_head() != 0.5F);
}

TEST_CASE(
    "weights tables: a part, a table or a file that is not there is told before any loading") {
  Parts parts;
  const fs::path trunk = parts.trunk_file("trunk.pth", 0.25F);
  const std::string config = (parts.path() / "run.toml").string();
  const auto error = [&](const std::string& weights_init, int code) {
    const Result result = parts.run(weights_init);
    INFO(result.err);
    CHECK(result.exit_code == code);
    CHECK(!fs::exists(parts.path() / "run" / "checkpoint.torch"));
    CHECK(!says(result, "loaded "));
    return result.err;
  };
  const std::string part = error(table(trunk, "part = \"neck\"\n"), 2);
  CHECK(part.find(": the model has no part 'neck'; it has trunk, heads.0\n") != std::string::npos);
  CHECK(part.find(config + ":") != std::string::npos);
  CHECK(error(table(trunk) + table(parts.path() / "none.pth"), 4).find("none.pth") !=
        std::string::npos);
  const fs::path json = parts.path() / "report.json";
  const std::string report = "report = \"" + json.string() + "\"\n";
  CHECK(error(table(trunk, report) + table(trunk, report), 2)
            .find("two tables of model.weights_init write '" + json.string() +
                  "'; name another file for one of them") != std::string::npos);
  CHECK(!fs::exists(json));
  const Result number = parts.run(table(trunk), {"model.weights_init=3"});
  CHECK(number.exit_code == 2);
  CHECK(says(number,
             "'weights_init' in [model] must be a weights table { name = … }, or a list of them, "
             "not the integer 3"));
  const Result element = parts.run(table(trunk), {"model.weights_init=['trunk.pth']"});
  CHECK(element.exit_code == 2);
  CHECK(says(element, "or a list of them, but element 0 is the string \"trunk.pth\""));
  const Result outside = parts.run(table(trunk), {"model.weights_init[1].part=trunk"});
  CHECK(outside.exit_code == 2);
  CHECK(says(outside, "model.weights_init has 1 elements; there is no [1]"));
}
