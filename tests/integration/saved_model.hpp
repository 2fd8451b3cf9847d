#pragma once
// A model that a run of one epoch saved, whose tensors tests write into files of weights under
// other names, and runs that begin with such files.
#include <doctest/doctest.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "host/files/atomic_file.hpp"
#include "host/files/torch_zip_reader.hpp"
#include "host/files/torch_zip_writer.hpp"
#include "process.hpp"
#include "small_config.hpp"
#include "temp_folder.hpp"

namespace vissl::test {

class SavedModel {
 public:
  static constexpr std::int64_t kFeatures = 32;  // of the small network's trunk

  SavedModel() {
    write_file(folder_ / "source.toml", small_config(folder_ / "source"));
    const Result result =
        run_host(run_arguments(folder_ / "source.toml", {"optimizer.num_epochs=1"}));
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
  }
  std::filesystem::path path() const { return folder_.path(); }
  std::filesystem::path checkpoint() const { return folder_ / "source" / "checkpoint.torch"; }

  // The trunk's tensors as `rename` calls them; float tensors with `value` alone where it is given.
  host::Node trunk(const std::function<std::string(std::string)>& rename,
                   const float* value = nullptr) const {
    host::Node state = host::Node::dict();
    const host::Node tree = host::read_torch_zip(checkpoint());
    const host::Node& trunk = tree.at("classy_state_dict").at("base_model").at("model").at("trunk");
    for (const auto& [key, tensor] : trunk.as_dict().entries()) {
      const std::string name = host::to_text(key).substr(std::string("_feature_blocks.").size());
      const host::TensorRef& saved = tensor.as_tensor();
      state[rename(name)] = value != nullptr && saved.dtype == host::DType::float32
                                ? filled(saved.shape, *value)
                                : tensor;
    }
    return state;
  }

  static host::Node filled(std::vector<std::int64_t> shape, float value) {
    std::size_t elements = 1;
    for (const std::int64_t size : shape) elements *= static_cast<std::size_t>(size);
    const std::vector<float> values(elements, value);
    return host::Node(
        host::TensorRef::contiguous(host::DType::float32, std::move(shape),
                                    host::Storage::copy_of(std::as_bytes(std::span(values)))));
  }

  // Writes `state` below "state_dict".
  std::filesystem::path save(const std::string& name, host::Node state) const {
    host::Node out = host::Node::dict();
    out["state_dict"] = std::move(state);
    host::AtomicFile file(folder_ / name);
    host::write_torch_zip(file, out);
    file.commit();
    return folder_ / name;
  }

  // Runs `command` in the folder "run" with the TOML of weights_init and more settings; learning
  // rate 0 keeps what was loaded.
  Result run(const std::string& weights_init, std::vector<std::string> settings,
             std::vector<std::string> command = {}) const {
    write_file(folder_ / "run.toml", small_config(folder_ / "run") + weights_init);
    settings.insert(settings.begin(),
                    {"optimizer.num_epochs=1", "optimizer.param_schedulers.lr.start_value=0.0"});
    for (const std::string& argument : run_arguments(folder_ / "run.toml", settings))
      command.push_back(argument);
    return run_host(command);
  }

 private:
  TempFolder folder_;
};

inline bool says(const Result& result, const std::string& text) {
  return result.err.find(text) != std::string::npos;
}

}  // namespace vissl::test
