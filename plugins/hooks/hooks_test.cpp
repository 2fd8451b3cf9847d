#include <vissl/test.hpp>

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

using vissl::Event;
using vissl::Tensor;
using vissl::test::Host;
using vissl::test::Instance;
using vissl::test::RunParam;

namespace {

using Tags = std::map<std::string, std::pair<double, std::int64_t>>;  // value and step

Tags take_scalars(Host& host) {
  Tags tags;
  for (const auto& s : host.run.scalars) tags[s.tag] = {s.value, s.step};
  host.run.scalars.clear();
  return tags;
}

Instance tensorboard(Host& host, const std::string& toml) {
  host.load(VISSL_PLUGIN_DIR "/tensorboard.so");
  RunParam trained{"trunk.conv1.weight", Tensor::of<double>({1, 2}, {2}),
                   Tensor::of<double>({3, 4}, {2})};
  RunParam frozen{"trunk.frozen", Tensor::of<double>({5}, {1}), Tensor()};
  host.run.params = {trained, frozen};
  host.run.facts.batch_size = 32;
  host.run.counters.max_iteration = 1000;
  host.run.counters.training = 1;
  host.run.loss = Tensor::of<double>({0.1234567}, std::vector<std::int64_t>{});
  host.run.hypers["lr"] = {0.3, 0.03};
  return host.component("hook", "tensorboard").create(toml);
}

}  // namespace

TEST_CASE("tensorboard: a step writes loss, rates and speed, each tenth step or early each fifth") {
  Host host;
  const Instance hook = tensorboard(host, "log_params = false\nlog_params_gradients = false");
  const auto step = [&](std::int64_t iteration) {
    host.run.counters.iteration = iteration;
    fire(host.run, hook, Event::update);
    return take_scalars(host);
  };
  fire(host.run, hook, Event::phase_start);
  const Tags first = step(0);
  CHECK(first.at("Training/Loss") == std::make_pair(0.12346, std::int64_t{0}));
  CHECK(first.at("Training/Learning_rate") == std::make_pair(0.3, std::int64_t{0}));
  CHECK(first.at("Training/Learning_rate_1") == std::make_pair(0.03, std::int64_t{0}));
  CHECK(first.count("Speed/Batch_processing_time_ms") == 1);
  CHECK(first.at("Speed/img_per_sec_per_gpu").first > 0);
  CHECK(first.at("Speed/ETA_hours").first > 0);
  CHECK(step(3).empty());
  CHECK(step(95).at("Training/Loss").second == 95);
  CHECK(step(105).empty());
  CHECK(step(110).at("Training/Loss").second == 110);
  CHECK(host.run.histograms.empty());
}

TEST_CASE("tensorboard: a run that resumes inside a phase writes its curve and no false speed") {
  Host host;
  const Instance hook = tensorboard(host, "log_params = false\nlog_params_gradients = false");
  host.run.counters.iteration = 50;
  fire(host.run, hook, Event::update);
  const Tags tags = take_scalars(host);
  CHECK(tags.at("Training/Loss").second == 50);
  CHECK(tags.count("Speed/ETA_hours") == 0);
}

TEST_CASE(
    "tensorboard: histograms of parameters and gradients at the start, every n and at the end") {
  Host host;
  const Instance hook = tensorboard(host, "log_params_every_n_iters = 7");
  auto& histograms = host.run.histograms;
  const auto at = [&](Event event, std::int64_t iteration) {
    histograms.clear();
    host.run.counters.iteration = iteration;
    fire(host.run, hook, event);
    return histograms.size();
  };
  CHECK(at(Event::phase_start, 0) == 2);
  CHECK(histograms.at("Parameters/trunk.conv1.weight") == std::vector<double>{1, 2});
  CHECK(at(Event::update, 6) == 0);
  CHECK(at(Event::update, 7) == 3);
  CHECK(histograms.at("Gradients/trunk.conv1.weight") == std::vector<double>{3, 4});
  CHECK(at(Event::phase_end, 9) == 3);
  CHECK(at(Event::phase_start, 9) == 0);
  host.run.counters.training = 0;
  CHECK(at(Event::phase_end, 9) == 0);
}

TEST_CASE("tensorboard: meters of a phase are named by meter, metric and output") {
  Host host;
  const Instance hook = tensorboard(host, "");
  host.run.counters.train_phase_idx = 4;
  host.run.metrics = {{{"accuracy_list_meter", "top_1", "res5"}, 12.3456789},
                      {{"accuracy_list_meter", "top_1", "res4", "1"}, 3.0}};
  fire(host.run, hook, Event::phase_end);
  Tags tags = take_scalars(host);
  CHECK(tags.at("Training/accuracy_list_meter_top_1_Output_res5") ==
        std::make_pair(12.34568, std::int64_t{4}));
  CHECK(tags.at("Training/accuracy_list_meter_top_1_Output_res4_1").first == 3.0);
  host.run.counters.training = 0;
  fire(host.run, hook, Event::phase_end);
  CHECK(take_scalars(host).count("Testing/accuracy_list_meter_top_1_Output_res5") == 1);
}

TEST_CASE("grad_clip: scales all gradients to the norm that it is given, and none below it") {
  Host host;
  host.load(VISSL_PLUGIN_DIR "/grad_clip.so");
  host.run.params = {RunParam{"a", Tensor::of<double>({0}, {1}), Tensor::of<double>({3}, {1})},
                     RunParam{"b", Tensor::of<double>({0}, {1}), Tensor::of<double>({4}, {1})}};
  const Instance hook = host.component("hook", "grad_clip").create("max_norm = 2.5");
  CHECK(vissl::test::event_mask_of(hook) == vissl::event_mask(Event::backward));
  fire(host.run, hook, Event::backward);
  CHECK(host.run.params[0].grad.item<double>() == doctest::Approx(1.5).epsilon(1e-6));
  CHECK(host.run.params[1].grad.item<double>() == doctest::Approx(2.0).epsilon(1e-6));
  fire(host.run, hook, Event::backward);
  CHECK(host.run.params[1].grad.item<double>() == doctest::Approx(2.0).epsilon(1e-6));
  CHECK_THROWS_AS(host.component("hook", "grad_clip").create("norm_type = 3.0"), vissl::Failure);
}
