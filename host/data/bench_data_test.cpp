#include "host/data/bench_data.hpp"

#include <doctest/doctest.h>

#include "host/data/fake_run.hpp"

using namespace vissl::host;
using namespace vissl::host::fake;

TEST_CASE("bench data: counts the images after the first batch and shares out the time") {
  for (const char* workers : {"0", "2"}) {
    Run run({.workers = workers,
             .source = "length = 18",
             .unreadable = "[17]",
             .encoded = "true",
             .transforms = R"({ name = "square" }, { name = "noise" })"});
    PhaseSpec spec;
    spec.split = "train";
    const DataBench bench = bench_data(*run.engine, spec, 60);
    CHECK(bench.samples == 14);  // of 18, without the first 4
    CHECK(bench.seconds > 0);
    CHECK(bench.first_samples == 4);
    CHECK(bench.first_seconds > 0);
    CHECK(bench.samples_per_second() == doctest::Approx(14 / bench.seconds));
    CHECK(bench.workers == std::stoi(workers));
    CHECK(bench.unreadable == 1);
    CHECK(bench.stages.read > 0);
    CHECK(bench.stages.decode > 0);
    CHECK(bench.stages.transform > 0);
    CHECK(bench.stages.place > 0);
  }
}

TEST_CASE("bench data: a phase of one batch cannot be measured") {
  Run run({.source = "length = 4"});
  PhaseSpec spec;
  spec.split = "train";
  CHECK(error_of([&] { bench_data(*run.engine, spec, 1); }, Exit::usage)
            .find("data.train has 1 batches") == 0);
}

TEST_CASE("bench data: the text gives the share of each stage and says what would help") {
  DataBench bench;
  bench.samples = 1000;
  bench.seconds = 2;
  bench.workers = 4;
  bench.cores = 4;
  bench.stages = {1, 6, 2, 1};
  CHECK(bench_text(bench) ==
        "500 images/s (1000 images in 2.0 s, 4 workers on 4 cores)\n"
        "  read        10.0 %\n"
        "  decode      60.0 %\n"
        "  transform   20.0 %\n"
        "  place       10.0 %\n"
        "most of the time goes into decoding; store the images at the size that the crops need\n");
  bench.workers = 1;
  CHECK(bench_advice(bench) == "1 of 4 cores work on the data; raise data.num_workers");
  bench.stages.read = 9;
  CHECK(bench_advice(bench) == "the files come slowly; copy the data to a local disk");
}
