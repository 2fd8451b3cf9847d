// [model.weights_init] in whole runs: what is loaded, what is refused, and that nothing changes
// then.
#include <doctest/doctest.h>

#include <cstdlib>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "free_place.hpp"
#include "host/files/safetensors_writer.hpp"
#include "saved_model.hpp"

using namespace vissl::test;
using namespace vissl::host;
namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

class Weights : public SavedModel {
 public:
  // The trunk's tensors as `rename` calls them, and a linear layer "fc" when it has classes.
  fs::path file(const std::string& name, const std::function<std::string(std::string)>& rename,
                std::int64_t classes = 0) {
    Node state = trunk(rename);
    if (classes > 0) {
      state["fc.weight"] = filled({classes, kFeatures}, 0);
      state["fc.bias"] = filled({classes}, 0);
    }
    return save(name, std::move(state));
  }
  Result run(const fs::path& file, std::vector<std::string> settings,
             const std::vector<std::string>& command = {}) {
    return SavedModel::run("[model.weights_init]\nparams_file = \"" + file.string() + "\"\n",
                           std::move(settings), command);
  }
};

std::string momentum_encoder(const std::string& name) {
  return "module.encoder_q." + name;
}

struct Outcome {
  std::vector<int> exit_codes;
  std::string told;  // by both
};

// Two ranks of one run that find `first` and `second` under one path, as on nodes that share no
// disk: it leads into another folder for each. An empty name: there is no file.
Outcome on_two_nodes(const Weights& weights, const fs::path& first, const fs::path& second) {
  const fs::path nodes[] = {weights.path() / "node0", weights.path() / "node1"};
  const fs::path files[] = {first, second};
  write_file(weights.path() / "run.toml",
             small_config(weights.path() / "run") +
                 "[model.weights_init]\nparams_file = \"/proc/self/cwd/net.pth\"\n"
                 "profile = \"auto\"\n");
  const std::string place = free_place();
  const fs::path before = fs::current_path();
  std::vector<Result> results(2);
  std::vector<std::thread> ranks;
  for (std::size_t rank = 0; rank < 2; ++rank) {
    fs::remove_all(nodes[rank]);
    fs::create_directories(nodes[rank]);
    if (!files[rank].empty()) fs::copy_file(files[rank], nodes[rank] / "net.pth");
    fs::current_path(nodes[rank]);
    std::promise<void> started;
    ranks.emplace_back([&, rank] {
      results[rank] = run_host(run_arguments(weights.path() / "run.toml",
                                             {"--rank", std::to_string(rank), "--world-size", "2",
                                              "--rendezvous", place, "optimizer.num_epochs=1"}),
                               [&](pid_t) { return started.set_value(), true; });
    });
    started.get_future().wait();  // the next rank starts in another folder
  }
  for (std::thread& rank : ranks) rank.join();
  fs::current_path(before);
  CHECK(!fs::exists(weights.path() / "run" / "checkpoint.torch"));
  return {{results[0].exit_code, results[1].exit_code}, results[0].err + results[1].err};
}

}  // namespace

TEST_CASE("weights: auto finds the encoder, and the run begins with exactly its values") {
  Weights weights;
  const fs::path file = weights.file("moco.pth", momentum_encoder);
  const Result result =
      weights.run(file, {"model.weights_init.profile=auto",
                         "model.weights_init.report=" + (weights.path() / "report.json").string()});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(
      says(result, "weights: chosen 'state_dict.module.encoder_q.…' as 'trunk._feature_blocks.…'"));
  CHECK(says(result, "100 % of the trunk"));
  const auto conv = [](const fs::path& path) {
    const Node tree = read_torch_zip(path);
    return tree.at("classy_state_dict")
        .at("base_model")
        .at("model")
        .at("trunk")
        .at("_feature_blocks.layer4.1.conv2.weight")
        .as_tensor()
        .packed();
  };
  CHECK(conv(weights.path() / "run" / "checkpoint.torch") == conv(weights.checkpoint()));
  // The checkpoint says where it began, also after a resume.
  const auto origin = [&] {
    return read_torch_zip(weights.path() / "run" / "checkpoint.torch")
        .at("vissl_host")
        .at("weights_init")
        .as_text();
  };
  const std::string first = origin();
  CHECK(first.find("(100 % of the trunk) from " + file.string() + " (torch_zip)") !=
        std::string::npos);
  const Result resumed =
      weights.run(file, {"model.weights_init.profile=auto", "optimizer.num_epochs=2",
                         "model.weights_init.report=" + (weights.path() / "report.json").string()});
  INFO(resumed.err);
  CHECK(resumed.exit_code == 0);
  CHECK(!says(resumed, "weights: chosen"));
  CHECK(origin() == first);
  const Json report = Json::parse(read_file(weights.path() / "report.json"));
  CHECK(report["coverage"] == 1.0);
  CHECK(report["format"] == "torch_zip");
  CHECK(report["counts"]["missing"] == 2);
}

TEST_CASE("weights: dry_run and check show the plan, and dry_run leaves no checkpoint") {
  Weights weights;
  const fs::path file = weights.file("moco.pth", momentum_encoder);
  const Result dry =
      weights.run(file, {"model.weights_init.profile=auto", "model.weights_init.dry_run=true"});
  INFO(dry.err);
  CHECK(dry.exit_code == 0);
  CHECK(says(dry, "would load "));
  CHECK(!says(dry, "loaded"));
  CHECK(says(dry, "not in the file, as initialised:\n  heads.0.clf.*  2 tensors, 132 elements"));
  CHECK(!fs::exists(weights.path() / "run" / "checkpoint.torch"));
  const Result check = weights.run(file, {"model.weights_init.profile=auto"}, {"check"});
  INFO(check.err);
  CHECK(check.exit_code == 0);
  CHECK(says(check, "trunk._feature_blocks.layer4.*"));
  CHECK(says(check, "check passed"));
}

TEST_CASE("weights: a file that has less than half of the trunk is refused, unless that is meant") {
  Weights weights;
  const fs::path file = weights.file("part.pth", [](const std::string& name) {
    return (name.rfind("layer4", 0) == 0 ? "\x1b[31mred\n" : "") + name;
  });
  const std::vector<std::string> settings = {"model.weights_init.profile=timm",
                                             "model.weights_init.strict=false"};
  const Result refused = weights.run(file, settings);
  INFO(refused.err);
  CHECK(refused.exit_code == 2);
  CHECK(says(refused,
             "of the trunk's elements are in it, less than min_coverage = 50 %; not there: "
             "trunk._feature_blocks.layer4.0.conv1.weight"));
  // It is shown once what there is, and not called loaded; names cannot steer the terminal.
  CHECK(says(refused, "part.pth has for this model:\nin the file:\n"));
  CHECK(says(refused, "\\x1b[31mred\\x0alayer4.0"));
  CHECK(!says(refused, "\x1b"));
  CHECK(!says(refused, "loaded "));
  CHECK(!says(refused, "\n\n"));
  CHECK(!says(refused, "of the trunk's elements come from it"));
  const std::string lost = "trunk._feature_blocks.layer4.0.conv1.weight";
  CHECK(refused.err.find(lost) == refused.err.rfind(lost));
  CHECK(!fs::exists(weights.path() / "run" / "checkpoint.torch"));
  std::vector<std::string> meant = settings;
  meant.push_back("model.weights_init.min_coverage=0.1");
  const Result loaded = weights.run(file, meant);
  INFO(loaded.err);
  CHECK(loaded.exit_code == 0);
  CHECK(says(loaded, "warning: "));
  CHECK(says(loaded, "of the trunk's elements come from it"));
}

TEST_CASE(
    "weights: a teacher that convert takes out of a checkpoint loads strictly, with its heads") {
  Weights weights;
  Node tree = read_torch_zip(weights.checkpoint());
  Node out = Node::dict(), teacher = Node::dict();
  const Node& model = tree.at("classy_state_dict").at("base_model").at("model");
  teacher["module"] = Node::dict();
  for (const char* part : {"trunk", "heads"}) teacher["module"][part] = model.at(part);
  out["classy_state_dict"] = Node::dict();
  out["classy_state_dict"]["loss"] = Node::dict();
  out["classy_state_dict"]["loss"]["momentum_teacher"] = std::move(teacher);
  const fs::path dino = weights.path() / "dino.torch", made = weights.path() / "teacher.torch";
  AtomicFile file(dino);
  write_torch_zip(file, out);
  file.commit();
  const Result converted =
      run_host({"convert", dino.string(), made.string(), "--to", "vissl", "--part",
                "momentum_teacher", "--heads", "--plugins", VISSL_PLUGIN_DIR});
  INFO(converted.err);
  REQUIRE(converted.exit_code == 0);
  const Result loaded =
      weights.run(made, {"model.weights_init.strict=true", "model.weights_init.skip_layers=[]"});
  INFO(loaded.err);
  CHECK(loaded.exit_code == 0);
  CHECK(says(loaded, "100 % of the trunk"));
  const auto head = [](const fs::path& path) {
    return read_torch_zip(path)
        .at("classy_state_dict")
        .at("base_model")
        .at("model")
        .at("heads")
        .at("0.clf.0.weight")
        .as_tensor()
        .packed();
  };
  CHECK(head(weights.path() / "run" / "checkpoint.torch") == head(weights.checkpoint()));
}

TEST_CASE("weights: two ranks load one file, and say so once") {
  Weights weights;
  const fs::path file = weights.file("moco.pth", momentum_encoder);
  const Result result = weights.run(file, {"model.weights_init.profile=auto"}, {"--nproc", "2"});
  INFO(result.err);
  CHECK(result.exit_code == 0);
  const std::size_t first = result.err.find("weights: chosen");
  REQUIRE(first != std::string::npos);
  CHECK(result.err.find("weights: chosen", first + 1) == std::string::npos);
}

TEST_CASE("weights: what only evaluates refuses a file that leaves a tensor random") {
  Weights weights;
  const fs::path file = weights.file("bias.pth", [](const std::string& name) {
    return (name == "layer4.1.bn2.bias" ? "no_" : "") + name;
  });
  const Result result = weights.run(
      file, {"model.weights_init.profile=auto", "engine.name=extract_features",
             "model.feature_eval.eval_mode_on=true", "model.feature_eval.freeze_trunk_only=true",
             "model.feature_eval.extract_trunk_features_only=true",
             "model.feature_eval.features=[{name='res5avg'}]"});
  INFO(result.err);
  CHECK(result.exit_code == 2);
  CHECK(says(result,
             "bias.pth: 1 tensor of the model is not in it: "
             "trunk.base_model._feature_blocks.layer4.1.bn2.bias"));
  const Result tested =
      weights.run(file, {"model.weights_init.profile=auto", "test_only=true", "test_model=true"});
  INFO(tested.err);
  CHECK(tested.exit_code == 2);
  CHECK(says(tested, "trunk._feature_blocks.layer4.1.bn2.bias, heads.0.clf.0.weight"));
  // A classifier of other classes is as random as one that is not there.
  const fs::path classes = weights.file(
      "classes.pth", [](const std::string& name) { return name; }, 1000);
  const Result random =
      weights.run(classes, {"model.weights_init.profile=timm", "model.heads[mlp].dims=[32,7]",
                            "test_only=true", "test_model=true"});
  INFO(random.err);
  CHECK(random.exit_code == 2);
  CHECK(says(random, "not in it: heads.0.clf.0.weight, heads.0.clf.0.bias"));
}

TEST_CASE("weights: what is dropped for its shape counts as missing for every profile") {
  Weights weights;
  const Node trunk = weights.trunk([](const std::string& name) { return name; });
  Node state = Node::dict();
  for (const auto& [key, tensor] : trunk.as_dict().entries()) {
    std::vector<std::int64_t> shape = tensor.as_tensor().shape;
    if (shape.size() == 4) ++shape[1];  // batch norms alone fit
    state[to_text(key)] = shape.size() == 4 ? Weights::filled(shape, 0) : tensor;
  }
  const fs::path file = weights.save("wider.pth", std::move(state));
  for (const char* profile : {"vissl", "auto"}) {
    CAPTURE(profile);
    std::vector<std::string> settings = {std::string("model.weights_init.profile=") + profile,
                                         "model.weights_init.shape_mismatch=drop"};
    if (profile == std::string("vissl"))
      settings.insert(settings.end(), {"model.weights_init.state_dict_key_name=state_dict",
                                       "model.weights_init.append_prefix=trunk._feature_blocks."});
    const Result result = weights.run(file, settings);
    INFO(result.err);
    CHECK(result.exit_code == 2);
    CHECK(says(result, "of the trunk's elements are in it, less than min_coverage = 50 %"));
  }
}

TEST_CASE("weights: a file without counters of batches is whole, as for torch") {
  Weights weights;
  Node state = Node::dict();
  const Node trunk = weights.trunk([](const std::string& name) { return name; });
  for (const auto& [name, tensor] : trunk.as_dict().entries())
    if (!to_text(name).ends_with("num_batches_tracked")) state[to_text(name)] = tensor;
  const Result result = weights.run(
      weights.save("old.pth", std::move(state)),
      {"model.weights_init.profile=auto", "engine.name=extract_features",
       "model.feature_eval.eval_mode_on=true", "model.feature_eval.freeze_trunk_only=true",
       "model.feature_eval.extract_trunk_features_only=true",
       "model.feature_eval.features=[{name='res5avg'}]"});
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK(says(result, "100 % of the trunk"));
}

TEST_CASE("weights: data with a wrong checksum is told, or refused where that is asked for") {
  Weights weights;
  const fs::path file = weights.file("moco.pth", momentum_encoder);
  const Node tree = read_torch_zip(file);
  const std::string name = "module.encoder_q.layer4.1.conv2.weight";
  const std::vector<std::byte> values = tree.at("state_dict").at(name).as_tensor().packed();
  std::string bytes = read_file(file);
  const std::size_t at =
      bytes.find(std::string(reinterpret_cast<const char*>(values.data()), values.size()));
  REQUIRE(at != std::string::npos);
  bytes[at] = static_cast<char>(bytes[at] ^ 1);  // the lowest bit of the first number
  write_file(file, bytes);
  const std::string text = file.string() +
                           ": the data of 1 tensor has another checksum than the file says, so it "
                           "is damaged: state_dict." +
                           name + "; use another copy of the file";
  const Result warned = weights.run(file, {"model.weights_init.profile=auto"});
  INFO(warned.err);
  CHECK(warned.exit_code == 0);
  CHECK(says(warned, "warning: " + text + " (checksums = \"error\" of [model.weights_init]"));
  fs::remove_all(weights.path() / "run");
  write_file(file.string() + ".check", "url https://a.example/moco.pth\n");  // as of a download
  const Result refused =
      weights.run(file, {"model.weights_init.profile=auto", "model.weights_init.checksums=error"});
  INFO(refused.err);
  CHECK(refused.exit_code == 4);
  CHECK(says(refused, "error: " + text + "; it came from https://a.example/moco.pth: delete " +
                          file.string() + " to download it again\n"));
  CHECK(!fs::exists(weights.path() / "run" / "checkpoint.torch"));
  const Result unseen =
      weights.run(file, {"model.weights_init.profile=auto", "model.weights_init.checksums=off"});
  CHECK(unseen.exit_code == 0);
  CHECK(!says(unseen, "checksum"));
}

TEST_CASE("weights: what a profile refuses is in the report, and shown") {
  Weights weights;
  const fs::path file =
      weights.file("mm.pth", [](const std::string& name) { return "backbone." + name; });
  const Result result =
      weights.run(file, {"model.weights_init.profile=mmcv", "model.weights_init.strict=true",
                         "model.weights_init.report=" + (weights.path() / "report.json").string()});
  INFO(result.err);
  CHECK(result.exit_code == 2);
  CHECK(says(result, "mm.pth has for this model:\nin the file:\n"));
  CHECK(says(result, "missing keys in source state_dict: heads.0.clf.0.weight"));
  const Json report = Json::parse(read_file(weights.path() / "report.json"));
  CHECK(report["coverage"] == 1.0);
  CHECK(report["counts"]["missing"] == 2);
}

TEST_CASE("weights: a strict load that lacks tensors ends all ranks with one report") {
  Weights weights;
  const fs::path file =
      weights.file("mm.pth", [](const std::string& name) { return "backbone." + name; });
  const Result result =
      weights.run(file, {"model.weights_init.profile=mmcv", "model.weights_init.strict=true"},
                  {"--nproc", "2"});
  INFO(result.err);
  CHECK(result.exit_code == 2);
  const std::string header = "The model and loaded state dict do not match exactly";
  const std::size_t first = result.err.find(header);
  REQUIRE(first != std::string::npos);
  CHECK(result.err.find(header, first + 1) == std::string::npos);
  CHECK(says(result, "missing keys in source state_dict: heads.0.clf.0.weight"));
  CHECK(!fs::exists(weights.path() / "run" / "checkpoint.torch"));
}

TEST_CASE("weights: ranks that see two files under one path all end, with one error") {
  Weights weights;
  const fs::path file = weights.file("net.pth", momentum_encoder);
  const Outcome other = on_two_nodes(weights, file, weights.checkpoint());
  CHECK(other.exit_codes == std::vector<int>{4, 4});
  CHECK(other.told.find("net.pth: rank 1 sees another file than rank 0; give every node the same "
                        "file, or pin it with #sha256=…") != std::string::npos);
  CHECK(other.told.find("oaded ") == std::string::npos);

  // The same names, shapes and size, and one other value.
  const std::string name = "module.encoder_q.layer3.1.conv1.weight";
  NamedTensors tensors;
  const Node tree = read_torch_zip(file);
  for (const auto& [key, tensor] : tree.at("state_dict").as_dict().entries())
    tensors.emplace_back(to_text(key), tensor.as_tensor());
  write_safetensors(weights.path() / "net.safetensors", tensors);
  for (auto& [key, tensor] : tensors) {
    if (key != name) continue;
    std::vector<std::byte> bytes = tensor.packed();
    bytes[bytes.size() / 2] ^= std::byte{1};
    tensor = TensorRef::contiguous(tensor.dtype, tensor.shape, Storage::copy_of(bytes));
  }
  write_safetensors(weights.path() / "changed.safetensors", tensors);
  const Outcome values = on_two_nodes(weights, weights.path() / "net.safetensors",
                                      weights.path() / "changed.safetensors");
  INFO(values.told);
  CHECK(values.exit_codes == std::vector<int>{4, 4});
  CHECK(values.told.find("rank 1 sees another file than rank 0: '" + name +
                         "' has other values in it; give every node the same file") !=
        std::string::npos);
  CHECK(values.told.find("oaded ") == std::string::npos);
  CHECK(values.told.find("training 1 epoch") == std::string::npos);
}

TEST_CASE("weights: a rank without the file ends all of them, before anything is said of loading") {
  Weights weights;
  const Outcome outcome = on_two_nodes(weights, weights.file("net.pth", momentum_encoder), "");
  INFO(outcome.told);
  CHECK(outcome.exit_codes == std::vector<int>{4, 4});
  CHECK(outcome.told.find("error: rank 1: ") != std::string::npos);
  CHECK(outcome.told.find("weights: chosen") == std::string::npos);
  CHECK(outcome.told.find("training 1 epoch") == std::string::npos);
}

TEST_CASE("weights: seven classes from a file of a thousand train at once") {
  Weights weights;
  const fs::path file = weights.file(
      "timm.pth", [](const std::string& name) { return name; }, 1000);
  const Result result =
      weights.run(file, {"model.weights_init.profile=timm", "model.heads[mlp].dims=[32,7]",
                         "optimizer.param_schedulers.lr.start_value=0.05"});
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK(says(result,
             "Missing keys (fc.weight, fc.bias) discovered while loading pretrained "
             "weights. This is expected if model is being adapted."));
  CHECK(says(result, "trained epoch 1/1"));
}

TEST_CASE("weights: timm's older profile without an address warns and trains, others refuse") {
  const TempFolder folder;
  const auto run = [&](const std::string& profile) {
    write_file(folder / "run.toml", small_config(folder / profile) +
                                        "[model.weights_init]\nprofile = \"" + profile +
                                        "\"\nurl = \"\"\n");
    return run_host(run_arguments(folder / "run.toml", {"optimizer.num_epochs=1"}));
  };
  const Result classic = run("timm-classic");
  INFO(classic.err);
  CHECK(classic.exit_code == 0);
  CHECK(says(classic, "no file of weights is named: using random initialization"));
  CHECK(says(classic, "trained epoch 1/1"));
  const Result timm = run("timm");
  INFO(timm.err);
  CHECK(timm.exit_code == 2);
  CHECK(says(timm, "params_file of [model.weights_init] is missing: the file to load"));
}

TEST_CASE("weights: files that are none say what they are") {
  Weights weights;
  const auto refused = [&](const std::string& content) {
    write_file(weights.path() / "x.pth", content);
    const Result result = weights.run(weights.path() / "x.pth", {});
    CHECK(result.exit_code == 4);
    return result.err;
  };
  CHECK(refused("").find("x.pth") != std::string::npos);
  CHECK(refused("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n").find("LFS") !=
        std::string::npos);
  CHECK(refused("<!DOCTYPE html><html><body>Not Found</body></html>\n").find("web page") !=
        std::string::npos);
  const Result missing = weights.run(weights.path() / "none.pth", {});
  CHECK(missing.exit_code == 4);
  CHECK(says(missing, "none.pth"));
}
