#include "host/data/engine.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "host/data/fake_run.hpp"

using namespace vissl::host;
using namespace vissl::host::fake;

TEST_CASE("data: any number of workers gives the same batches in the same order") {
  const std::vector<std::string> inline_batches = Run({}).all();
  REQUIRE(inline_batches.size() == 5);
  CHECK(inline_batches[0] != inline_batches[1]);
  for (const char* workers : {"1", "4", "40", "\"auto\""}) {
    CAPTURE(workers);
    CHECK(Run({.workers = workers}).all() == inline_batches);
  }
}

TEST_CASE("data: samples that finish out of order keep their rows") {
  Settings settings{.transforms = R"({ name = "trouble", at = -1, slow = 0 }, { name = "noise" })"};
  const std::vector<std::string> expected = Run(settings).all();
  settings.workers = "4";
  CHECK(Run(settings).all() == expected);
}

TEST_CASE("data: a phase entered at batch k gives what the whole phase gives from k on") {
  Settings settings{.workers = "3", .sampler = ", batches = [[0, 1, 0], [1, 0], [0, 5], [1, 1]]"};
  const std::vector<std::string> whole = Run(settings).all();
  REQUIRE(whole.size() == 4);
  for (std::int64_t start = 0; start <= 4; ++start) {
    PhaseSpec spec;
    spec.start_batch = start;
    CHECK(Run(settings).all(spec) == std::vector<std::string>(whole.begin() + start, whole.end()));
  }
}

TEST_CASE("data: repeats of a sample, views, transforms, phases and ranks draw differently") {
  Run run({.sampler = ", batches = [[3, 3], [3]]"});
  const auto phase = run.open();
  const auto first = phase->next();
  constexpr std::size_t kImage = 4 * 3 * 3;
  std::vector<std::string> seen;
  const auto add = [&](const Batch& batch) {
    for (std::int64_t row = 0; row < batch.fields[0].elements[0].shape[0]; ++row) {
      seen.emplace_back(
          reinterpret_cast<const char*>(images(batch)) + static_cast<std::size_t>(row) * kImage,
          kImage);
    }
  };
  add(*first);          // occurrences 0 and 1 in two views
  add(*phase->next());  // occurrence 2
  PhaseSpec later;
  later.train_phase = 1;
  const auto other_phase = run.open(later);
  add(*other_phase->next());
  REQUIRE(seen.size() == 10);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) CHECK(seen[i] != seen[j]);
  }

  // With one noise transform instead of two the draws differ by more than the second's.
  Run single({.transforms = R"({ name = "noise" })"});
  Run shifted({.transforms = R"({ name = "set", value = 0 }, { name = "noise" })"});
  const auto at_zero = single.open()->next(), at_one = shifted.open()->next();
  CHECK(std::memcmp(images(*at_zero), images(*at_one), kImage) != 0);
}

TEST_CASE("data: the collator's stream depends on the batch and the rank, not on the workers") {
  const auto draws = [](std::int64_t rank, const char* workers) {
    Run run({.workers = workers});
    PhaseSpec spec;
    spec.rank = rank;
    spec.world = 2;
    const auto phase = run.open(spec);
    std::vector<double> values;
    while (const auto batch = phase->next()) {
      values.push_back(*static_cast<const double*>(batch->fields.back().elements[0].data));
    }
    return values;
  };
  const std::vector<double> rank0 = draws(0, "0"), rank1 = draws(1, "0");
  REQUIRE(rank0.size() == 5);
  CHECK(rank0[0] != rank0[1]);
  CHECK(rank0[0] != rank1[0]);
  CHECK(draws(1, "4") == rank1);
}

TEST_CASE("data: an evaluation has each sample once, in dataset order, shared out by rank") {
  for (const char* workers : {"0", "2"}) {
    Run run({.workers = workers});
    std::vector<int> seen(18);
    for (std::int64_t rank = 0; rank < 4; ++rank) {
      PhaseSpec spec;
      spec.split = "train";
      spec.each_once = true;
      spec.rank = rank;
      spec.world = 4;
      CHECK(run.engine->batch_count(spec) == (rank < 2 ? 2 : 1));  // of 5, 5, 4 and 4 samples
      const auto phase = run.open(spec);
      std::int64_t next = rank;
      while (const auto batch = phase->next()) {
        CHECK(batch->samples == static_cast<std::int64_t>(batch->indices.size()));
        for (const std::int64_t index : batch->indices) {
          CHECK(index == next);
          next += 4;
          ++seen[static_cast<std::size_t>(index)];
        }
      }
    }
    CHECK(seen == std::vector<int>(18, 1));
  }
}

TEST_CASE("data: memory of a dropped batch is used again, that of a held one is not") {
  Run run({.workers = "2", .source = "length = 400"});
  {
    const auto phase = run.open();
    std::shared_ptr<Batch> held = phase->next();
    const std::string before = Run::text(*held);
    int batches = 1;
    while (const auto batch = phase->next()) {
      CHECK(batch->fields[0].elements[0].data != held->fields[0].elements[0].data);
      ++batches;
    }
    CHECK(batches == 100);
    CHECK(Run::text(*held) == before);
    // Each buffer grows to its size in its first two rounds; three or four buffers are in use at a
    // time.
    CHECK(run.memory.blocks() <= 5 * 5);
    const int allocations = run.memory.allocations();
    CHECK(allocations <= 5 * 6);
  }
  CHECK(run.memory.blocks() == 0);
}

TEST_CASE("data: a batch outlives its phase and its engine") {
  CountedMemory memory;
  std::shared_ptr<Batch> held;
  {
    FakeCatalogue catalogue;
    FakeLogger log;
    const Value config = parse_toml(Settings{.workers = "2"}.toml(), "exp.toml");
    const auto engine = make_data_engine(&config, catalogue, log);
    PhaseSpec spec;
    spec.split = "train";
    held = engine->open(spec, memory.allocator())->next();
  }
  CHECK(numbers(*held, "data_idx") == std::vector<std::int64_t>{0, 1, 2, 3, 0, 1, 2, 3});
  CHECK(memory.blocks() > 0);
  held.reset();
  CHECK(memory.blocks() == 0);
}

TEST_CASE("data: a phase can be left at any batch, and its readers are given back") {
  for (const char* workers : {"0", "1", "4"}) {
    for (int taken = 0; taken < 3; ++taken) {
      Run run({.workers = workers, .source = "length = 400"});
      auto phase = run.open();
      for (int i = 0; i < taken; ++i) phase->next();
      phase.reset();
      CHECK(NumberSource::readers == 0);
      CHECK(run.all().size() == 100);
    }
  }
}

TEST_CASE("data: an error of a worker reaches next() with the component, the sample and its path") {
  for (const char* workers : {"0", "4"}) {
    Run run({.workers = workers,
             .transforms = R"({ name = "copy" }, { name = "trouble", at = 6, slow = -1 })"});
    const auto phase = run.open();
    CHECK(phase->next() != nullptr);
    for (int again = 0; again < 2; ++again) {
      CHECK(error_of([&] { phase->next(); }, Exit::run_failed) ==
            "data.train.transforms[1] trouble (exp.toml:7:34): trouble [sample 6, number_6.png]");
    }
  }
}

TEST_CASE("data: when several samples of a batch fail, the first of them is reported") {
  Settings settings{
      .transforms =
          R"({ name = "trouble", at = 1, slow = 1 }, { name = "trouble", at = 3, slow = -1 })"};
  for (const char* workers : {"0", "4"}) {
    settings.workers = workers;
    Run run(settings);
    const auto phase = run.open();
    const std::string text = error_of([&] { phase->next(); }, Exit::run_failed);
    CHECK(text.find("sample 1, number_1.png") != std::string::npos);
  }
}

TEST_CASE("data: the first sample of a batch may fail while others wait for the layout") {
  Settings settings{.workers = "4", .transforms = R"({ name = "trouble", at = 0, slow = 0 })"};
  Run run(settings);
  const auto phase = run.open();
  const std::string text = error_of([&] { phase->next(); }, Exit::run_failed);
  CHECK(text.find("sample 0, number_0.png") != std::string::npos);
}

TEST_CASE("data: images of different sizes in one batch are refused with both shapes") {
  Run run({.unreadable = "[2]", .transforms = ""});
  const auto phase = run.open();
  const std::string text = error_of([&] { phase->next(); }, Exit::usage);
  CHECK(text.find(
            "an image of (3, 3, 3) does not fit the rows of field 'data', uint8 (4, 3, 4, 3)") !=
        std::string::npos);
  CHECK(text.find("[sample 2, number_2.png]") != std::string::npos);
}

TEST_CASE("data: a transform outside of the entries, or of the whole sample, cannot have indices") {
  Run run({.transforms = R"({ name = "copy" }, { name = "set", value = 5, indices = 2 })"});
  const auto phase = run.open();
  CHECK(error_of([&] { phase->next(); }, Exit::usage)
            .find("entry 2 of \"data\" does not exist; the sample has 2") != std::string::npos);
  Run whole({.transforms = R"({ name = "copy", indices = [0] })"});
  CHECK(error_of([&] { whole.open(); }, Exit::usage) ==
        "data.train.transforms[0] copy (exp.toml:7:15) works on the whole sample and cannot be "
        "restricted by 'indices'");
}

TEST_CASE("data: indices choose the entries that a transform changes") {
  Run run({.transforms = R"({ name = "copy" }, { name = "set", value = 200, indices = 1 })"});
  const auto batch = run.open()->next();
  constexpr std::size_t kImage = 4 * 3 * 3;
  for (std::size_t row = 0; row < 8; ++row) {
    CHECK(images(*batch)[row * kImage] == (row < 4 ? row : 200));
  }
}

TEST_CASE("data: each split tells its length, labels and paths, after data_limit") {
  Run run({.limit = "5"});
  CHECK(run.engine->has("train"));
  CHECK_FALSE(run.engine->has("test"));
  CHECK(run.engine->length("train") == 5);
  CHECK(run.engine->batch_size("train") == 4);
  // numpy's RandomState(0).permutation(18)[:5] = 1 6 8 10 14
  CHECK(run.engine->class_labels("train") == std::vector<std::int64_t>{1, 6, 8, 0, 4});
  CHECK(run.engine->path("train", 4) == "number_14.png");
  vissl_array label{};
  CHECK(run.engine->label("train", 4, &label, nullptr) == VISSL_OK);
  CHECK(*static_cast<const std::int64_t*>(label.data) == 4);
  const auto batch = run.open()->next();
  CHECK(numbers(*batch, "label") == std::vector<std::int64_t>{1, 6, 8, 0, 1, 6, 8, 0});
  CHECK(numbers(*batch, "data_idx") == std::vector<std::int64_t>{0, 1, 2, 3, 0, 1, 2, 3});
  CHECK(error_of([&] { run.engine->length("test"); }, Exit::usage) ==
        "the config has no split [data.test] with data_sources; it has train");
}

TEST_CASE("data: label_type gives the sample's index or zero") {
  const auto labels = [](const char* type) {
    Run run({.transforms = "", .label_type = type});
    const auto phase = run.open();
    phase->next();
    return numbers(*phase->next(), "label");
  };
  CHECK(labels("sample_index") == std::vector<std::int64_t>{4, 5, 6, 7});
  CHECK(labels("zero") == std::vector<std::int64_t>{0, 0, 0, 0});
}

TEST_CASE("data: sources that do not fit together are refused before anything starts") {
  CHECK(
      error_of([] { Run({.source = "length = 18, labels = false"}).all(); }, Exit::usage) ==
      "data.train: numbers (exp.toml:6:17) has no labels; give label_sources, or set label_type to "
      "\"sample_index\" or \"zero\"");
  Settings shorter;
  shorter.split = "label_sources = [{ name = \"numbers\", length = 17 }]\n";
  CHECK(error_of([&] { Run(shorter).all(); }, Exit::usage) ==
        "data.train: numbers (exp.toml:6:17) has 18 samples and numbers (exp.toml:16:18) has 17; "
        "sources that run in parallel need the same number");
  CHECK(error_of([] { Run({.source = "length = -1"}).all(); }, Exit::bad_data) ==
        "data.train: numbers (exp.toml:6:17): no such folder: /numbers");
  CHECK(error_of([] { Run({.sampler = ", batches = [[0, 18]]"}).all(); }, Exit::run_failed)
            .find("gave the position 18 in batch 0, and the split has 18 samples") !=
        std::string::npos);
  CHECK(error_of([] { Run({.sampler = ", batches = [[]]"}).all(); }, Exit::run_failed) ==
        "data.train.sampler list (exp.toml:9:11) gave no sample for batch 0");
  Run run({});
  CHECK(error_of([&] { run.engine->path("train", 18); }, Exit::run_failed) ==
        "data.train has 18 samples, and sample 18 was asked for");
}

TEST_CASE("data: label sources override label_type") {
  Settings settings{.label_type = "zero"};
  settings.split = "label_sources = [{ name = \"numbers\", length = 18 }]\n";
  Run run(settings);
  CHECK(run.engine->class_labels("train")[7] == 7);
}

TEST_CASE("data: the time that next() waited is measured") {
  Run run({.workers = "1", .transforms = R"({ name = "trouble", at = -1, slow = 0 })"});
  const auto phase = run.open();
  phase->next();
  CHECK(phase->wait_seconds() >= 0.01);
  CHECK(phase->wait_seconds() < 10);
}
