// Formats of weights that plugins read: golden files, and what becomes of them in the commands.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "host/files/torch_zip_reader.hpp"
#include "process.hpp"
#include "small_config.hpp"
#include "temp_folder.hpp"

using namespace vissl::test;
namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

const fs::path kAllGolden = fs::path(VISSL_SOURCE_DIR) / "tests/golden";
const fs::path kGolden = kAllGolden / "flax_msgpack";
const std::vector<std::string> kPlugins = {"--plugins", VISSL_PLUGIN_DIR};

Result host(std::vector<std::string> arguments, const std::vector<std::string>& more = kPlugins) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_host(arguments);
}

Json tensors_of(const fs::path& file) {
  const Result result = host({"inspect", "--json", "--sha256", file.string()});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(result.err == "");
  return Json::parse(result.out);
}

// A field of Protocol Buffers that holds bytes.
std::string field(int number, const std::string& content) {
  std::string out(1, static_cast<char>(number << 3 | 2));
  std::size_t size = content.size();
  for (; size >= 0x80; size >>= 7) out += static_cast<char>((size & 0x7f) | 0x80);
  return out + static_cast<char>(size) + content;
}

vissl::host::Node trunk_of(const fs::path& checkpoint) {
  return vissl::host::read_torch_zip(checkpoint)
      .at("classy_state_dict")
      .at("base_model")
      .at("model")
      .at("trunk");
}

// The tensors as the initializers of a model, under the names that torchvision has for them.
std::string onnx_model(const vissl::host::Node& trunk) {
  std::string graph;
  for (const auto& [key, value] : trunk.as_dict().entries()) {
    const vissl::host::TensorRef& tensor = value.as_tensor();
    const bool is_count = tensor.dtype == vissl::host::DType::int64;
    std::string sizes;
    for (const std::int64_t size : tensor.shape)  // below 2^14
      for (const std::int64_t byte : {(size & 0x7f) | 0x80, size >> 7})
        sizes += static_cast<char>(byte);
    const std::vector<std::byte> packed = tensor.packed();
    graph += field(
        5, field(1, sizes) + '\x10' + (is_count ? '\7' : '\1') +
               field(8, vissl::host::to_text(key).substr(std::string("_feature_blocks.").size())) +
               field(9, {reinterpret_cast<const char*>(packed.data()), packed.size()}));
  }
  return "\x08\x08" + field(7, graph);
}

}  // namespace

TEST_CASE("formats: every array of every golden file equals Python's by SHA-256") {
  for (const auto& [format, files] :
       std::map<std::string, std::size_t>{{"flax_msgpack", 5}, {"onnx", 4}}) {
    const Json manifest = Json::parse(read_file(kAllGolden / format / "manifest.json"));
    CHECK(manifest.size() == files);
    for (const Json& entry : manifest) {
      const std::string name = entry.at("file");
      CAPTURE(name);
      const Json read = tensors_of(kAllGolden / format / name);
      CHECK(read.at("format") == format);
      CHECK(read.at("tensors") == entry.at("tensors"));
    }
  }
}

TEST_CASE("flax: a file becomes a safetensors file with equal tensors") {
  const TempFolder folder;
  for (const char* name : {"network", "chunks"}) {
    CAPTURE(name);
    const fs::path in = kGolden / (std::string(name) + ".msgpack"),
                   out = folder / (std::string(name) + ".safetensors");
    const Result result = host({"convert", in.string(), out.string(), "--to", "safetensors"});
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    CHECK(result.out.starts_with(in.string() + ": flax_msgpack, "));
    const auto by_name = [](const Json& file) {
      std::map<std::string, std::string> all;
      for (const Json& tensor : file.at("tensors")) all[tensor.at("name")] = tensor.at("sha256");
      return all;
    };
    CHECK(by_name(tensors_of(out)) == by_name(tensors_of(in)));
  }
}

TEST_CASE("formats: check shows the plan of a file that a plugin reads, and errors name all") {
  const TempFolder folder;
  write_file(folder / "run.toml", small_config(folder / "run") +
                                      "[model.weights_init]\nprofile = \"mmcv\"\nparams_file = \"" +
                                      (kGolden / "network.msgpack").string() + "\"\n");
  std::vector<std::string> arguments = run_arguments(folder / "run.toml");
  arguments.insert(arguments.begin(), "check");
  const Result result = run_host(arguments);
  INFO(result.err);
  // Flax's names are not the model's: the file was read, and its plan is judged.
  CHECK(result.exit_code == 2);
  CHECK(result.err.find("params.embedder.kernel") != std::string::npos);

  write_file(folder / "unknown", "nobody knows what this may be");
  const Result unknown = host({"inspect", (folder / "unknown").string()});
  CHECK(unknown.exit_code == 4);
  CHECK(unknown.err == "error: " + (folder / "unknown").string() +
                           ": is of no format that holds weights: neither torch's zip, stream or "
                           "tar format, TorchScript, safetensors, numpy's .npy and .npz nor a "
                           "pickle of arrays, nor of a plugin's format: flax_msgpack, onnx\n");
  const Result alone = host({"inspect", (kGolden / "network.msgpack").string()},
                            {"--plugins", folder.path().string()});
  CHECK(alone.exit_code == 4);
  CHECK(alone.err.find("; no plugin reads another format\n") != std::string::npos);
}

TEST_CASE("formats: two plugins that claim one file are named, and one that breaks its word is") {
  const TempFolder folder;
  const fs::path bad = VISSL_BAD_PLUGIN_DIR;
  const std::string golden = (kGolden / "network.msgpack").string();
  const Result both = host({"inspect", golden}, {"--plugins", VISSL_PLUGIN_DIR, "--plugins",
                                                 (bad / "format_claims_all.so").string()});
  CHECK(both.exit_code == 3);
  CHECK(both.err ==
        "error: " + golden +
            ": plugin 'org.vissl.flax_msgpack' (weights_format 'flax_msgpack') and plugin "
            "'org.example.format_claims_all' (weights_format 'format_claims_all') both say that "
            "they read it; take one of them out of the plugin folders\n");
  // Files of our own formats are not asked about.
  const std::string ours =
      (fs::path(VISSL_SOURCE_DIR) / "tests/golden/weights_files/zip_training.pth").string();
  CHECK(host({"inspect", ours}, {"--plugins", (bad / "format_claims_all.so").string()}).exit_code ==
        0);

  write_file(folder / "a.broken", "BROKEN 1 and eight bytes");
  const std::vector<std::string> plugin = {"--plugins", (bad / "format_beyond_file.so").string()};
  const Result beyond = host({"inspect", (folder / "a.broken").string()}, plugin);
  CHECK(beyond.exit_code == 4);
  CHECK(beyond.err ==
        "error: " + (folder / "a.broken").string() +
            ": plugin 'org.example.format_beyond_file' (weights_format 'format_beyond_file') reads "
            "a damaged file: it gives the tensor 'weight' 8 bytes from byte 20 on, but the file "
            "has 24; use another copy\n");
}

TEST_CASE("onnx: two ranks begin with the weights of a model, and the log names its format") {
  const TempFolder folder;
  write_file(folder / "source.toml", small_config(folder / "source"));
  const Result source = run_host(run_arguments(folder / "source.toml", {"optimizer.num_epochs=1"}));
  INFO(source.err);
  REQUIRE(source.exit_code == 0);
  const vissl::host::Node trunk = trunk_of(folder / "source" / "checkpoint.torch");
  const fs::path model = folder / "trunk.onnx";
  write_file(model, onnx_model(trunk));
  write_file(folder / "run.toml", small_config(folder / "run") +
                                      "[model.weights_init]\nprofile = \"auto\"\nparams_file = \"" +
                                      model.string() + "\"\n");
  std::vector<std::string> arguments =
      run_arguments(folder / "run.toml",
                    {"optimizer.num_epochs=1", "optimizer.param_schedulers.lr.start_value=0.0"});
  arguments.insert(arguments.begin(), {"--nproc", "2"});
  const Result result = run_host(arguments);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(result.err.find("(100 % of the trunk) from " + model.string() + " (onnx)") !=
        std::string::npos);
  const std::string conv = "_feature_blocks.layer4.1.conv2.weight";
  CHECK(trunk_of(folder / "run" / "checkpoint.torch").at(conv).as_tensor().packed() ==
        trunk.at(conv).as_tensor().packed());
}

TEST_CASE("onnx: data files lie beside the model, and nowhere else") {
  const TempFolder folder;
  for (const char* name : {"beside.onnx", "beside.data"})
    fs::copy_file(kAllGolden / "onnx" / name, folder / name);
  const std::string model = (folder / "beside.onnx").string(),
                    data = (folder / "beside.data").string(),
                    out = (folder / "out.safetensors").string();
  const auto convert = [&] {
    return host({"convert", model, out, "--to", "safetensors", "--force"});
  };
  const Result whole = convert();
  INFO(whole.err);
  CHECK(whole.exit_code == 0);
  const std::string bytes = read_file(data);
  const auto refused = [&](const std::string& why) {
    const Result result = convert();
    CHECK(result.exit_code == 4);
    CHECK(result.err == "error: " + model +
                            ": read as onnx: the tensor 'conv1.weight' lies in the "
                            "data file " +
                            why + "\n");
  };
  write_file(data, bytes.substr(0, 800));
  refused("'beside.data', which has no 864 bytes for it from byte 0 on; use another copy");
  fs::remove(data);
  refused("'beside.data', but there is no " + data);
  write_file(data, bytes);
  std::string elsewhere = read_file(model);
  for (const char* place : {"/tmp/e.data", "../side.dat"}) {
    for (std::size_t at = 0; (at = elsewhere.find("beside.data")) != std::string::npos;)
      elsewhere.replace(at, 11, place);
    write_file(model, elsewhere);
    refused("'" + std::string(place) + "', which is no place beside the model; refused");
    elsewhere.replace(elsewhere.find(place), 11, "beside.data");
  }
}

TEST_CASE("formats: a cut Flax file is an error with the place, and gives nothing else") {
  const TempFolder folder;
  const std::string whole = read_file(kGolden / "network.msgpack");
  write_file(folder / "cut.msgpack", whole.substr(0, whole.size() / 2));
  const fs::path out = folder / "out.safetensors";
  const Result result =
      host({"convert", (folder / "cut.msgpack").string(), out.string(), "--to", "safetensors"});
  CHECK(result.exit_code == 4);
  CHECK(result.err.find(": read as flax_msgpack: ends too early (byte ") != std::string::npos);
  CHECK(!fs::exists(out));
}
