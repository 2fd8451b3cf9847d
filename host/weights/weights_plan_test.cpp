#include "host/weights/weights_plan.hpp"

#include <doctest/doctest.h>
#include <vissl/run.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "host/boundary.hpp"
#include "host/weights/weights_report.hpp"

using namespace vissl::host;

namespace {

using Sink = const vissl_weights_sink&;

vissl_str str(const char* text) {
  return {text, std::char_traits<char>::length(text)};
}

// A profile whose plan is a function of the test.
struct Profile {
  std::function<void(Sink)> body;
  std::vector<std::string> told;  // names of the file's tensors
  const char* refusal = nullptr;  // after all that
  static vissl_status plan(void* self, const vissl_weights_entry* source, std::uint64_t count,
                           const vissl_weights_entry*, std::uint64_t,
                           const vissl_weights_sink* sink, vissl_err* error) {
    auto& profile = *static_cast<Profile*>(self);
    for (std::uint64_t i = 0; i < count; ++i)
      profile.told.emplace_back(source[i].name.data, source[i].name.size);
    profile.body(*sink);
    if (profile.refusal == nullptr) return VISSL_OK;
    error->set(error, VISSL_E_CONFIG, str(profile.refusal));
    return VISSL_E_CONFIG;
  }
};

TensorRef zeros(std::vector<std::int64_t> shape) {
  std::int64_t elements = 1;
  for (const std::int64_t size : shape) elements *= size;
  return TensorRef::contiguous(DType::float32, std::move(shape),
                               Storage::allocate(static_cast<std::uint64_t>(4 * elements)));
}

// A file with conv (8 elements), fc (2) and a counter; the model wants conv, bn (2) and a head.
Node file() {
  Node state = Node::dict();
  state["conv.weight"] = zeros({2, 4});
  state["fc.bias"] = zeros({2});
  Node tree = Node::dict();
  tree["state_dict"] = std::move(state);
  tree["list"] = Node::list();
  tree["list"].append(zeros({1}));
  tree["epoch"] = 3;
  return tree;
}
const std::vector<WeightsTarget> kModel = {{"trunk.conv.weight", DType::float32, {2, 4}},
                                           {"trunk.bn.weight", DType::float32, {2}},
                                           {"heads.0.bias", DType::float32, {3}}};

void judge_all(const std::vector<const WeightsPlan*>& plans, const WeightsGate& gate,
               const std::vector<WeightsTarget>& model = kModel) {
  for (const WeightsPlan* plan : plans) judge_match(*plan, gate);
  judge(joined(plans, model), plans.size(), gate);
}
void judge(const WeightsPlan& plan, const WeightsGate& gate) {
  judge_all({&plan}, gate);
}

WeightsPlan planned(const Node& tree, const std::function<void(Sink)>& body,
                    const std::vector<WeightsTarget>& model = kModel) {
  Profile profile{body, {}, nullptr};
  const vissl_weights_profile_class table = {sizeof table, nullptr, nullptr, &Profile::plan,
                                             nullptr,      nullptr, nullptr};
  return plan_weights("a.pth", "torch_zip", tensors_of(tree), model, table, &profile);
}

std::string error(const std::function<void()>& body, Exit code = Exit::usage) {
  try {
    body();
  } catch (const Error& e) {
    CHECK(e.code() == code);
    return e.what();
  }
  return "no error";
}

void load_conv(Sink sink) {
  sink.load(sink.self, 0, str("trunk.conv.weight"));
}

}  // namespace

TEST_CASE("weights plan: tensors have their full dotted path, positions in lists as numbers") {
  const Node tree = file();
  const std::vector<WeightsSource> sources = tensors_of(tree);
  REQUIRE(sources.size() == 3);
  CHECK(sources[0].name == "state_dict.conv.weight");
  CHECK(sources[2].name == "list.0");
}

TEST_CASE("weights plan: names that safetensors left out for sharing come back as aliases") {
  const Node tree = file();
  std::vector<WeightsSource> sources = tensors_of(tree);
  add_aliases(sources, {{"format", "pt"},
                        {"decoder.weight", "state_dict.conv.weight"},
                        {"state_dict.fc.bias", "state_dict.conv.weight"}});
  REQUIRE(sources.size() == 4);
  CHECK(sources[3].name == "decoder.weight");
  CHECK(sources[3].tensor == sources[0].tensor);
}

TEST_CASE("weights plan: what a profile does not mention is missing, and counts as not covered") {
  const Node tree = file();
  const WeightsPlan plan = planned(tree, load_conv);
  CHECK(plan.rows[0].fate == WeightsFate::loaded);
  CHECK(plan.rows[1].fate == WeightsFate::missing);
  CHECK(plan.coverage() == doctest::Approx(0.8));  // 8 of the trunk's 10 elements
  CHECK(summary_line(plan) ==
        "loaded 1 of 3 tensors (80 % of the trunk) from a.pth (torch_zip); as initialised: "
        "trunk.bn.weight, heads.0.bias; 2 tensors of the file unused");
}

TEST_CASE("weights plan: what stays as initialised on purpose is not asked for") {
  const Node tree = file();
  const WeightsPlan plan = planned(tree, [](Sink sink) {
    load_conv(sink);
    sink.skip_target(sink.self, str("trunk.bn.weight"), str("skip_layers has 'bn'"));
    sink.ignore(sink.self, 1, str("another shape"));
  });
  CHECK(plan.coverage() == 1.0);
  const std::string text = text_report(plan);
  CHECK(text.find("left out: 1 tensor: skip_layers has 'bn'") != std::string::npos);
  CHECK(text.find("fc") == std::string::npos);
  CHECK_NOTHROW(judge(plan, {0.5, false}));
}

TEST_CASE("weights plan: plans that cannot be carried out are refused with both names") {
  const Node tree = file();
  CHECK(error([&] {
          planned(tree, [](Sink sink) {
            load_conv(sink);
            sink.load(sink.self, 1, str("trunk.conv.weight"));
          });
        }) ==
        "a.pth: two tensors of the file, 'state_dict.conv.weight' and 'state_dict.fc.bias', map to "
        "'trunk.conv.weight'; choose one with state_dict_key_name or prefixes");
  CHECK(error([&] { planned(tree, [](Sink sink) { sink.load(sink.self, 0, str("trunk.x")); }); }) ==
        "a.pth: the profile names 'trunk.x', which the model does not have");
  CHECK(error([&] {
          planned(tree, [](Sink sink) { sink.load(sink.self, 9, str("trunk.bn.weight")); });
        }) == "a.pth: the profile names entry 9 of 3");
  CHECK(error([&] {
          planned(tree, [](Sink sink) { sink.load(sink.self, 0, str("heads.0.bias")); });
        }) ==
        "a.pth: 'state_dict.conv.weight' has shape [2, 4] but 'heads.0.bias' of the model "
        "has [3]; change the model, or list the layer in skip_layers");
}

TEST_CASE("weights plan: element types that no model has are refused, lost imaginary parts told") {
  const auto typed = [](DType dtype) {
    Node tree = Node::dict();
    tree["w"] = TensorRef::contiguous(dtype, {2}, Storage::allocate(2 * size_bytes(dtype)));
    return tree;
  };
  const std::vector<WeightsTarget> model = {{"trunk.w", DType::float32, {2}}};
  const auto load = [](Sink sink) { sink.load(sink.self, 0, str("trunk.w")); };
  const Node packed = typed(DType::float4_e2m1fn_x2);
  CHECK(error([&] { planned(packed, load, model); }) ==
        "a.pth: 'w' has the element type float4_e2m1fn_x2, which 'trunk.w' of the model cannot "
        "take; save it as float32, or list the layer in skip_layers");
  CHECK_NOTHROW(planned(
      packed, [](Sink) {}, model));
  const Node complex = typed(DType::complex64);
  const WeightsPlan plan = planned(complex, load, model);
  REQUIRE(plan.messages.size() == 1);
  CHECK(plan.messages[0].level == VISSL_LOG_WARNING);
  CHECK(plan.messages[0].line ==
        "a.pth: 1 tensor of complex numbers for real ones: their imaginary parts are lost: w");
  CHECK(planned(complex, load, {{"trunk.w", DType::complex64, {2}}}).messages.empty());
}

TEST_CASE("weights plan: what a profile refuses can be shown before it ends the load") {
  const Node tree = file();
  Profile profile{load_conv, {}, "too few keys"};
  const vissl_weights_profile_class table = {sizeof table, nullptr, nullptr, &Profile::plan,
                                             nullptr,      nullptr, nullptr};
  const WeightsPlan plan =
      plan_weights("a.pth", "torch_zip", tensors_of(tree), kModel, table, &profile);
  CHECK(plan.count(WeightsFate::loaded) == 1);
  CHECK(error([&] { judge(plan, {}); }) == "a.pth: too few keys");
}

TEST_CASE("weights plan: counters of batches are no loss, also for strict loads") {
  const Node tree = file();
  const std::vector<WeightsTarget> model = {{"trunk.conv.weight", DType::float32, {2, 4}},
                                            {"trunk.bn.num_batches_tracked", DType::int64, {}}};
  const WeightsPlan plan = planned(tree, load_conv, model);
  CHECK(plan.count(WeightsFate::missing) == 1);
  CHECK_NOTHROW(judge_all({&plan}, {1.0, true}, model));
}

TEST_CASE("weights plan: one element fits a scalar, as torch has it") {
  const Node tree = file();
  const std::vector<WeightsTarget> model = {{"trunk.temperature", DType::float32, {}}};
  CHECK_NOTHROW(planned(
      tree, [](Sink sink) { sink.load(sink.self, 2, str("trunk.temperature")); }, model));
}

TEST_CASE("weights plan: the gates name what is missing and what to do") {
  const Node tree = file();
  CHECK(error([&] { judge(planned(tree, [](Sink) {}), {}); }) ==
        "a.pth: nothing in it matches the model; the file has state_dict.conv.weight …, the model "
        "trunk.conv.weight …; set state_dict_key_name, remove_prefix or append_prefix of "
        "[model.weights_init], or profile = \"auto\"");
  CHECK(error([&] {
          judge(planned(tree, load_conv), {0.5, true});
        }) == "a.pth: 2 tensors of the model are not in it: trunk.bn.weight, heads.0.bias");
  CHECK(error([&] {
          judge(planned(tree, load_conv), {0.9, false});
        }) ==
        "a.pth: only 80 % of the trunk's elements are in it, less than min_coverage = 90 %; not "
        "there: trunk.bn.weight, heads.0.bias; set prefixes or profile = \"auto\" of "
        "[model.weights_init], or lower min_coverage if that is meant");
  CHECK_NOTHROW(judge(planned(tree, load_conv), {0.8, false}));
  CHECK(error([&] {
          judge(planned(tree,
                        [](Sink sink) {
                          load_conv(sink);
                          sink.skip_target(sink.self, str("trunk.bn.weight"), str("on purpose"));
                        }),
                {0.5, true});
        }) == "a.pth: 1 tensor of the model is not in it: heads.0.bias");
  const Node empty = Node::dict();
  CHECK(error([&] { planned(empty, load_conv); }, Exit::bad_data) ==
        "a.pth (torch_zip) holds no tensors; `vissl-host inspect` lists what it holds");
}

TEST_CASE("weights plan: files that follow one another are judged by what they do together") {
  const Node tree = file();
  const WeightsPlan conv = planned(tree, load_conv);
  const WeightsPlan norm =
      planned(tree, [](Sink sink) { sink.load(sink.self, 1, str("trunk.bn.weight")); },
              {{"trunk.bn.weight", DType::float32, {2}}});
  const WeightsPlan left_out = planned(tree, [](Sink sink) {
    load_conv(sink);
    for (const char* name : {"trunk.bn.weight", "heads.0.bias"})
      sink.skip_target(sink.self, str(name), str("on purpose"));
  });
  CHECK_NOTHROW(judge_all({&conv, &norm}, {1.0, false}));
  // One that leaves a tensor out on purpose does not lose what another one loads.
  CHECK_NOTHROW(judge_all({&norm, &left_out}, {1.0, true}));
  CHECK_NOTHROW(judge_all({&left_out, &norm}, {1.0, true}));
  CHECK(error([&] {
          judge_all({&left_out, &conv}, {0.5, true});
        }) ==
        "a.pth, a.pth: 2 tensors of the model are not in them: trunk.bn.weight, heads.0.bias");
  // What no file was asked for is missing too.
  CHECK(error([&] {
          judge_all({&norm}, {0.5, true});
        }) == "a.pth: 2 tensors of the model are not in it: trunk.conv.weight, heads.0.bias");
  CHECK(error([&] {
          judge_all({&norm, &norm}, {0.9, false});
        }) ==
        "a.pth, a.pth: only 20 % of the trunk's elements are in them, less than min_coverage = 90 "
        "%; not there: trunk.conv.weight, heads.0.bias; set prefixes or profile = \"auto\" of "
        "[model.weights_init], or lower min_coverage if that is meant");
  // Each must find something.
  const WeightsPlan nothing = planned(tree, [](Sink) {});
  CHECK(error([&] {
          judge_all({&conv, &nothing}, {});
        }).starts_with("a.pth: nothing in it matches the model; "));
}

TEST_CASE("weights plan: the summary of a head says nothing of a trunk") {
  const Node tree = file();
  const WeightsPlan head =
      planned(tree, [](Sink sink) { sink.load(sink.self, 1, str("heads.0.bias")); },
              {{"heads.0.bias", DType::float32, {2}}});
  CHECK(summary_line(head) ==
        "loaded 1 of 1 tensors from a.pth (torch_zip); 2 tensors of the file unused");
}

TEST_CASE("weights plan: who uses auto already is not told to") {
  const Node tree = file();
  const std::string nothing = error([&] { judge(planned(tree, [](Sink) {}), {0.5, false, true}); });
  CHECK(nothing.ends_with("remove_prefix or append_prefix of [model.weights_init]"));
  const std::string little = error([&] { judge(planned(tree, load_conv), {0.9, false, true}); });
  CHECK(
      little.ends_with("; set prefixes of [model.weights_init], or lower min_coverage if that is "
                       "meant"));
}

TEST_CASE("weights plan: names in a file cannot steer the terminal, nor does a profile meet them") {
  Node tree = file();
  tree["\x1b[31mred\nline"] = zeros({2});
  Profile profile{[](Sink) {}, {}, nullptr};
  const vissl_weights_profile_class table = {sizeof table, nullptr, nullptr, &Profile::plan,
                                             nullptr,      nullptr, nullptr};
  const WeightsPlan plan = plan_weights("a.pth", "x", tensors_of(tree), kModel, table, &profile);
  REQUIRE(profile.told.size() == 4);
  CHECK(profile.told[3] == "\\x1b[31mred\\x0aline");
  CHECK(text_report(plan).find("\\x1b[31mred\\x0aline  1 tensor") != std::string::npos);
  CHECK(text_report(plan).find('\x1b') == std::string::npos);
  CHECK(error([&] {
          planned(tree, [](Sink sink) {
            sink.load(sink.self, 3, str("trunk.bn.weight"));
            sink.load(sink.self, 1, str("trunk.bn.weight"));
          });
        }).find("'\\x1b[31mred\\x0aline' and 'state_dict.fc.bias'") != std::string::npos);
}

TEST_CASE("weights report: what is not loaded yet, or never, is not called so") {
  const Node tree = file();
  const WeightsPlan plan = planned(tree, load_conv);
  CHECK(summary_line(plan, LoadStage::planned).starts_with("would load 1 of 3 tensors"));
  const std::string refused = text_report(plan, LoadStage::refused);
  CHECK(refused.starts_with("in the file:\n  trunk.conv.*"));
  CHECK(refused.find("\nnot in the file:\n  heads.0.*") != std::string::npos);
  CHECK(refused.find("loaded") == std::string::npos);
}

TEST_CASE("weights report: JSON has every target with its fate, and names near the missing") {
  Node tree = file();
  tree["state_dict"]["old.bn.weight"] = zeros({2});
  const WeightsPlan plan = planned(tree, [](Sink sink) {
    load_conv(sink);
    const std::uint64_t both[] = {0, 1};
    sink.compute(sink.self, both, 2, str("heads.0.bias"), 4, str("joined"));
    sink.message(sink.self, 2, str("a line"));
  });
  const auto report = nlohmann::json::parse(json_report(plan));
  CHECK(report["coverage"].get<double>() == doctest::Approx(0.8));
  CHECK(report["counts"]["adapted"] == 1);
  CHECK(report["targets"][0]["from"] == nlohmann::json{"state_dict.conv.weight"});
  CHECK(report["targets"][1]["status"] == "missing");
  CHECK(report["targets"][1]["nearest"] == nlohmann::json{"state_dict.old.bn.weight"});
  CHECK(report["targets"][2]["what"] == "joined");
  CHECK(report["messages"][0] == "a line");
  CHECK(report["unused"].size() == 2);
}

TEST_CASE("weights report: 100 % is all of it") {
  CHECK(percent(1.0) == "100 %");
  CHECK(percent(0.99999) == "99.99 %");
  CHECK(percent(0.5) == "50 %");
}
