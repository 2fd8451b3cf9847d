#include "host/runtime/device/device.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "host/runtime/abi/test_call.hpp"
#include "host/runtime/device/open_cuda.hpp"
#include "host/runtime/test_config.hpp"

using namespace vissl::host;
using namespace vissl::host::test;

namespace {

struct Lines final : Logger {
  std::string text;
  void log(LogLevel, std::string_view line) override { text += std::string(line) + "\n"; }
  void open_file(const std::string&, bool) override {}
  void progress(const Progress&) override {}
  void progress_done() override {}
};

RunDevice choose(const char* device, Lines& lines) {
  const Json machine = {{"device", device}, {"deterministic", true}};
  return choose_device(setting(machine), 0, lines);
}

}  // namespace

TEST_CASE("device: cpu looks for no GPU, and auto takes the CPU where there is no driver") {
  Lines lines;
  CHECK(choose("cpu", lines).device.is_cpu());
  std::string problem;
  if (nvidia_driver_present(problem)) return;  // auto would take the GPU
  CHECK(problem.find("no ") != std::string::npos);
  const RunDevice chosen = choose("auto", lines);
  CHECK(chosen.device.is_cpu());
  CHECK(chosen.cuda == nullptr);
  CHECK(lines.text.empty());
}

TEST_CASE("device: cuda on a machine without a GPU is refused with its place and what is missing") {
  std::string problem;
  if (nvidia_driver_present(problem)) return;
  Lines lines;
  const std::string text = error_of([&] { choose("cuda", lines); });
  CHECK(text.starts_with("exp.toml:1:1: machine.device is \"cuda\", but "));
  const bool library = text.find("scripts/setup --cuda") != std::string::npos;
  const bool driver = text.find("no NVIDIA driver (libcuda.so.1") != std::string::npos;
  CHECK_MESSAGE((library || driver), text);
}

TEST_CASE("device: env.json keeps what it has and gets libtorch's version") {
  const auto json = nlohmann::json::parse(with_device(R"({"host": "a", "cores": 2})", {}));
  CHECK(json["host"] == "a");
  CHECK(json["cores"] == 2);
  CHECK(json["libtorch"].get<std::string>().starts_with("2."));
  CHECK_FALSE(json.contains("gpu"));
}
