#include "host/runtime/model/models.hpp"

#include <doctest/doctest.h>

#include "host/runtime/abi/context.hpp"
#include "host/runtime/abi/sink.hpp"
#include "host/runtime/model/test_components.hpp"

using namespace vissl::host;
using namespace vissl::host::test;

namespace {

struct Run {
  Run() : models(services(), setting(json), test_facts()) {}

  const Services& services() {
    services_.catalogue = &catalogue;
    services_.merge_config = [this](const vissl_value* base, const vissl_value* over) {
      merged.push_back(std::make_unique<Json>(json_of(base)));
      merged.back()->merge_patch(json_of(over));
      return value_of(*merged.back());
    };
    return services_;
  }
  vissl_model* create(vissl_twin_spec spec) {
    spec.size = sizeof(spec);
    vissl_model* twin = nullptr;
    ErrorSink err;
    err.check(model_api().create(&spec, &twin, err.get()), "");
    return twin;
  }
  at::Tensor& value(vissl_model* model, const char* name) {
    return model->model->store().find(name)->tensor;
  }

  Json json = Json::parse(R"({"model": {"trunk": {"name": "convolution", "channels": 4},
                                        "heads": [{"name": "linear", "in_channels": 4, "width": 2}],
                                        "input_type": "rgb"}})");
  TestCatalogue catalogue;
  Services services_{};
  std::vector<std::unique_ptr<Json>> merged;
  Models models;
};

std::vector<at::Tensor> forward(vissl_model* model, const std::vector<at::Tensor>& tensors,
                                vissl_model_input input) {
  const std::vector<vissl_tensor*> handles = borrow_all(tensors);
  input.size = sizeof(input);
  input.tensors = handles.data();
  input.count = handles.size();
  TensorSink sink;
  ErrorSink err;
  err.check(model_api().forward(model, &input, sink.get(), err.get()), "");
  return std::move(sink.tensors);
}

std::vector<at::Tensor> forward(vissl_model* model, const at::Tensor& x, bool with_grad,
                                uint32_t training, std::vector<vissl_str> features = {}) {
  vissl_model_input input{};
  input.features = features.data();
  input.feature_count = features.size();
  input.with_grad = with_grad ? 1U : 0U;
  input.training = training;
  return forward(model, {x}, input);
}

const at::Tensor kImages = at::linspace(-1, 1, 24).reshape({2, 3, 2, 2});

}  // namespace

TEST_CASE(
    "twin from a model: same values in a second store, nothing trained, no random draw used") {
  Run run;
  auto generator = default_generator();
  generator.set_current_seed(4);
  vissl_twin_spec spec{};
  spec.from = &run.models.main();
  spec.mode = VISSL_MODE_TRAIN;
  vissl_model* twin = run.create(spec);
  const at::Tensor next = at::rand({2});
  generator.set_current_seed(4);
  CHECK(same(next, at::rand({2})));
  for (const auto& entry : run.models.main().model->store().entries()) {
    CHECK(same(run.value(twin, entry->name.c_str()).detach(), entry->tensor.detach()));
    CHECK_FALSE(run.value(twin, entry->name.c_str()).is_same(entry->tensor));
    CHECK_FALSE(run.value(twin, entry->name.c_str()).requires_grad());
  }
  CHECK(same(forward(twin, kImages, false, VISSL_MODE_EVAL)[0],
             forward(&run.models.main(), kImages, false, VISSL_MODE_TRAIN)[0]));
  vissl_store* store = model_api().store(twin);
  CHECK(store_api().find(store, str("heads.0.clf.0.weight")) ==
        twin->model->store().find("heads.0.clf.0.weight")->handle());
}

TEST_CASE("twin: forward passes use its own mode, and grad only when asked") {
  Run run;
  vissl_twin_spec spec{};
  spec.from = &run.models.main();
  spec.mode = VISSL_MODE_EVAL;
  vissl_model* twin = run.create(spec);
  trunk_calls().clear();
  forward(twin, kImages, false, VISSL_MODE_TRAIN);
  CHECK_FALSE(trunk_calls().back().training);
  CHECK(forward(&run.models.main(), kImages, true, VISSL_MODE_TRAIN)[0].requires_grad());
  CHECK(trunk_calls().back().training);
  CHECK_FALSE(forward(&run.models.main(), kImages, false, VISSL_MODE_EVAL)[0].requires_grad());
  CHECK(forward(&run.models.main(), kImages, true, VISSL_MODE_EVAL, {str("pooled")})[0].dim() == 4);
}

TEST_CASE(
    "forward: one pass may have another mode, further inputs, features for the heads, some heads") {
  Run run;
  vissl_twin_spec spec{};
  spec.from = &run.models.main();
  spec.mode = VISSL_MODE_TRAIN;
  vissl_model* twin = run.create(spec);
  vissl_model_input input{};
  input.mode = VISSL_FORWARD_MODE_EVAL;
  trunk_calls().clear();
  const at::Tensor whole = forward(twin, {kImages}, input)[0];
  CHECK_FALSE(trunk_calls().back().training);
  const vissl_str name = str("mask");
  const at::Tensor mask = at::ones({2, 1});
  vissl_tensor* extra = borrow(mask);
  input.extra_names = &name;
  input.extras = &extra;
  input.extra_count = 1;
  forward(twin, {kImages}, input);
  CHECK((trunk_calls().back().inputs == std::vector<std::string>{"image", "mask"}));
  const at::Tensor feature = forward(twin, kImages, false, VISSL_MODE_EVAL, {str("flatten")})[0];
  const std::size_t calls = trunk_calls().size();
  vissl_model_input heads{};
  heads.from_features = 1;
  CHECK(same(forward(twin, {feature}, heads)[0], whole));
  CHECK(trunk_calls().size() == calls);
  heads.head_end = 2;
  CHECK_THROWS_WITH(forward(twin, {feature}, heads),
                    "there are no heads 0 to 2: model.heads has 1");
  heads.mode = 3;
  CHECK_THROWS(forward(twin, {feature}, heads));
}

TEST_CASE("forward: a struct of an older plugin ends earlier, and what it lacks counts as zero") {
  Run run;
  vissl_model_input input{};
  input.mode = 77;  // beyond the size that is told
  const std::vector<vissl_tensor*> handles = borrow_all(std::span(&kImages, 1));
  input.size = offsetof(vissl_model_input, names);
  input.tensors = handles.data();
  input.count = 1;
  TensorSink sink;
  ErrorSink err;
  err.check(model_api().forward(&run.models.main(), &input, sink.get(), err.get()), "");
  CHECK(sink.tensors.size() == 1);
}

TEST_CASE(
    "twin: a saved one asks for its state when it is made, and may share the run's statistics") {
  Run run;
  run.models.main().model->set_sync_group(4);
  std::vector<std::string> asked;
  run.models.set_state_loader([&](const vissl_model& twin) { asked.push_back(twin.state_path); });
  vissl_twin_spec spec{};
  spec.from = &run.models.main();
  spec.saved = 1;
  spec.state_path = str("loss.teacher");
  spec.sync_bn = VISSL_TWIN_SYNC_AS_RUN;
  CHECK(run.create(spec)->model->sync_group() == 4);
  CHECK(asked == std::vector<std::string>{"loss.teacher"});
  spec.saved = 0;
  spec.sync_bn = VISSL_TWIN_SYNC_NONE;
  CHECK(run.create(spec)->model->sync_group() == 0);
  CHECK(asked.size() == 1);
  spec.sync_bn = 3;
  CHECK_THROWS(run.create(spec));
}

TEST_CASE(
    "sync batch norm: group_size -1 is the ranks of one machine, 0 all, and none are too many") {
  const auto group = [](std::int64_t size, std::int64_t local_world, bool convert = true) {
    Json json = Run().json;
    json["model"]["sync_bn"] = {{"convert_bn_to_sync_bn", convert}, {"group_size", size}};
    TestCatalogue catalogue;
    Services services{};
    services.catalogue = &catalogue;
    services.ranks.world = 6;
    services.ranks.local_world = local_world;
    return Models(services, setting(json), test_facts()).main().model->sync_group();
  };
  CHECK(group(-1, 3) == 3);
  CHECK(group(-1, 0) == 6);  // unknown
  CHECK(group(-1, 8) == 6);
  CHECK(group(0, 3) == 6);
  CHECK(group(2, 3) == 2);
  CHECK(group(6, 3) == 6);
  CHECK(group(8, 3) == 6);
  CHECK(group(2, 3, false) == 0);  // every rank for itself
}

TEST_CASE("store: a scope lists its entries under their names in it") {
  Run run;
  vissl_store* root = model_api().store(&run.models.main());
  vissl_store* heads = store_api().child(root, str("heads"));
  REQUIRE(store_api().entry_count(root) == 4);
  REQUIRE(store_api().entry_count(heads) == 2);
  vissl_store_entry entry{};
  entry.size = sizeof(entry);
  CHECK(store_api().entry(heads, 0, &entry, nullptr) == VISSL_OK);
  CHECK(view(entry.name) == "0.clf.0.weight");
  CHECK(entry.tensor == store_api().find(heads, str("0.clf.0.weight")));
  CHECK(entry.parameter == 1);
  CHECK(entry.trainable == 1);
  CHECK(store_api().entry(root, 1, &entry, nullptr) == VISSL_OK);
  CHECK(view(entry.name) == "trunk.mean");
  CHECK(entry.parameter == 0);
  CHECK(store_api().entry(heads, 2, &entry, nullptr) != VISSL_OK);
}

TEST_CASE("twin: a pass without grad does not leave casts behind for the pass with it") {
  Run run;
  context().autocast = true;
  {
    AutocastScope autocast;
    forward(&run.models.main(), kImages, false, VISSL_MODE_EVAL);
    forward(&run.models.main(), kImages, true, VISSL_MODE_TRAIN)[0].to(at::kFloat).sum().backward();
  }
  context().autocast = false;
  CHECK(run.value(&run.models.main(), "trunk.weight").grad().defined());
}

TEST_CASE("ema_update: parameters move by the momentum, buffers follow the twin's rule") {
  Run run;
  vissl_model* source = &run.models.main();
  vissl_twin_spec spec{};
  spec.from = source;
  spec.buffers = VISSL_TWIN_BUFFERS_COPY;
  vissl_model* copy = run.create(spec);
  spec.buffers = VISSL_TWIN_BUFFERS_EMA;
  vissl_model* ema = run.create(spec);
  spec.buffers = VISSL_TWIN_BUFFERS_OWN;
  vissl_model* own = run.create(spec);
  const at::Tensor before = run.value(source, "trunk.weight").detach().clone();
  {
    at::NoGradGuard no_grad;
    run.value(source, "trunk.weight").add_(1.0);
    run.value(source, "trunk.mean").fill_(8.0);
  }
  for (vissl_model* twin : {copy, ema, own}) {
    REQUIRE(model_api().ema_update(twin, source, 0.75, nullptr) == VISSL_OK);
    CHECK(at::allclose(run.value(twin, "trunk.weight"), before + 0.25));
  }
  CHECK(same(run.value(copy, "trunk.mean"), at::full({4}, 8.0)));
  CHECK(same(run.value(ema, "trunk.mean"), at::full({4}, 2.0)));
  CHECK(same(run.value(own, "trunk.mean"), at::zeros({4})));
}

TEST_CASE("twin from config: its own table first, [model] for the rest, overrides over both") {
  Run run;
  const Json own = Json::parse(R"({"trunk": {"name": "convolution", "channels": 6}, "heads": []})");
  vissl_twin_spec spec{};
  spec.config = value_of(own);
  vissl_model* teacher = run.create(spec);
  CHECK(run.value(teacher, "trunk.weight").size(0) == 6);
  CHECK(teacher->model->store().entries().back()->name.starts_with("trunk."));
  const Json overrides = Json::parse(R"({"trunk": {"channels": 4}})");
  spec.overrides = value_of(overrides);
  CHECK(run.value(run.create(spec), "trunk.weight").size(0) == 4);

  const Json weights = Json::parse(R"({"weights_init": {"params_file": "teacher.torch"}})");
  std::string loaded;
  run.models.set_weights_loader([&](Model& model, const Setting& init) {
    loaded = init.string("params_file") + " into " + model.store().entries().front()->name;
  });
  vissl_twin_spec with_weights{};
  with_weights.config = value_of(weights);
  vissl_model* student_like = run.create(with_weights);
  CHECK(loaded == "teacher.torch into trunk.weight");
  CHECK(student_like->model->store().entries().back()->name.starts_with("heads."));
}

TEST_CASE("twin: what cannot work is refused") {
  Run run;
  vissl_twin_spec spec{};
  CHECK(error_of([&] { run.create(spec); }) ==
        "a twin is made either from a model or from a config table");
  spec.from = &run.models.main();
  spec.mode = 99;
  CHECK(error_of([&] { run.create(spec); }) ==
        "a twin's buffers, mode or sync_bn has an unknown number");
  spec.mode = VISSL_MODE_EVAL;
  spec.saved = 1;
  spec.state_path = str("loss.teacher");
  run.create(spec);
  CHECK(error_of([&] { run.create(spec); }) == "two twins are saved under 'loss.teacher'");
  const Json wide =
      Json::parse(R"({"trunk": {"name": "convolution", "channels": 6}, "heads": []})");
  vissl_twin_spec other{};
  other.config = value_of(wide);
  vissl_model* twin = run.create(other);
  CHECK(
      error_of([&] { run.models.ema_update(*twin, run.models.main(), 0.9); }) ==
      "a twin cannot follow its source: 'trunk.weight' [6, 3, 1, 1] has no partner of this shape");
}

TEST_CASE("model service: before the run's model exists, calls fail with a sentence") {
  vissl_twin_spec spec{};
  spec.size = sizeof(spec);
  vissl_model* out = nullptr;
  ErrorSink err;
  CHECK(model_api().create(&spec, &out, err.get()) == VISSL_E_PLUGIN);
  CHECK(err.text() == "the model service was called before the run's model was built");
}
