#include "host/runtime/session.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <doctest/doctest.h>
#include <sched.h>

#include "host/runtime/abi/context.hpp"
#include "host/runtime/abi/test_call.hpp"
#include "host/runtime/automatic_precision.hpp"
#include "host/runtime/test_config.hpp"

using namespace vissl::host;
using namespace vissl::host::test;

namespace {

const void* value_service(const vissl_host*, vissl_str id) {
  return view(id) == VISSL_VALUE_ID ? &json_value_api() : nullptr;
}

// Sessions change the process; this puts the settings of other tests back.
struct Machine {
  explicit Machine(const std::string& text) : json(Json::parse(text)) {
    services.host = &host;
    services.config = value_of(json);
  }
  ~Machine() {
    at::set_num_threads(threads);
    at::globalContext().setDeterministicAlgorithms(false, false);
    context() = before;
  }

  Json json;
  vissl_host host{sizeof(vissl_host), VISSL_ABI_MAJOR, VISSL_ABI_MINOR, value_service};
  Services services{};
  int threads = at::get_num_threads();
  Context before = context();
};

}  // namespace

TEST_CASE("session: precision names become parameter types and autocast") {
  const at::Device cpu(at::kCPU);
  CHECK_FALSE(resolve_precision("fp32", cpu).autocast);
  CHECK((resolve_precision("fp64", cpu).parameters == at::kDouble));
  const Precision bf16 = resolve_precision("bf16", cpu);
  CHECK(bf16.autocast);
  CHECK((bf16.parameters == at::kFloat));
  CHECK((bf16.autocast_dtype == at::kBFloat16));
  CHECK_FALSE(bf16.loss_scaling);
  const std::string automatic = resolve_precision("auto", cpu).name;
  CHECK((automatic == "bf16" || automatic == "fp32"));
  const Precision fp16 = resolve_precision("fp16", cpu);
  CHECK((fp16.autocast_dtype == at::kHalf));
  CHECK(fp16.loss_scaling);
  CHECK(error_of([&] { resolve_precision("half", cpu); }) ==
        "machine.precision is \"half\"; use \"auto\", \"fp32\", \"bf16\", \"fp16\" or \"fp64\"");
  CHECK(resolve_precision("fp16", at::Device(at::kCUDA, 0)).loss_scaling);
}

TEST_CASE("session: auto is bf16 on GPUs and on CPUs that multiply bf16 tiles, else fp32") {
  const auto with = [](std::string_view feature) {
    return [feature](const char* asked) { return asked == feature; };
  };
  const at::Device cpu(at::kCPU);
  CHECK(automatic_precision(cpu, with("amx_bf16")) == "bf16");
  CHECK(automatic_precision(cpu, with("avx512_bf16")) == "fp32");
  CHECK(automatic_precision(cpu, with("amx_int8")) == "fp32");
  CHECK(automatic_precision(at::Device(at::kCUDA, 0), with("")) == "bf16");
}

TEST_CASE("session: threads, determinism and the process seed are set once") {
  Machine machine(R"({"seed_value": 3, "optimizer": {"num_epochs": 5},
                      "machine": {"device": "cpu", "threads": 1, "deterministic": true, "precision": "bf16"}})");
  const Session session(machine.services, {});
  CHECK(session.threads() == 1);
  CHECK(at::get_num_threads() == 1);
  CHECK(at::globalContext().deterministicAlgorithms());
  CHECK(context().autocast);
  CHECK(default_generator().current_seed() == 15);
  const at::Tensor drawn = at::rand({2});
  CHECK_FALSE(same(drawn, at::rand({2})));
  auto generator = default_generator();
  generator.set_current_seed(15);
  CHECK(same(drawn, at::rand({2})));
}

TEST_CASE("session: 0 threads stands for all cores that the process may use") {
  Machine machine(R"({"machine": {"device": "cpu", "threads": 0}})");
  cpu_set_t cores;
  CPU_ZERO(&cores);
  REQUIRE(sched_getaffinity(0, sizeof(cores), &cores) == 0);
  CHECK(Session(machine.services, {}).threads() == CPU_COUNT(&cores));
}

TEST_CASE("session: more than twice as many threads as cores are warned of once, twice are not") {
  struct Log final : Logger {
    std::vector<std::string> warnings;
    void log(LogLevel level, std::string_view text) override {
      if (level == LogLevel::warning) warnings.emplace_back(text);
    }
    void open_file(const std::string&, bool) override {}
    void progress(const Progress&) override {}
    void progress_done() override {}
  } log;
  cpu_set_t cores;
  CPU_ZERO(&cores);
  REQUIRE(sched_getaffinity(0, sizeof(cores), &cores) == 0);
  const int twice = 2 * CPU_COUNT(&cores);
  const auto with = [&](int threads, std::int64_t rank) {
    Machine machine(R"({"machine": {"device": "cpu", "precision": "fp32", "threads": )" +
                    std::to_string(threads) + "}}");
    machine.services.log = &log;
    machine.services.ranks.rank = rank;
    return Session(machine.services, {}).threads();
  };
  CHECK(with(twice, 0) == twice);
  CHECK(with(twice + 1, 1) == twice + 1);
  CHECK(log.warnings.empty());
  CHECK(with(twice + 1, 0) == twice + 1);
  REQUIRE(log.warnings.size() == 1);
  CHECK(log.warnings[0].find("machine.threads is " + std::to_string(twice + 1) +
                             ", but this process may use ") == 0);
  CHECK(log.warnings[0].find("set 0 for one per core") != std::string::npos);
}
