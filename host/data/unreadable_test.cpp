// Images that cannot be read: a source that fails, and a file that turns out to be broken when it
// is decoded.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "host/data/fake_run.hpp"

using namespace vissl::host;
using namespace vissl::host::fake;

namespace {

using Numbers = std::vector<std::int64_t>;

// All images have the size of the gray one, so that they fit into one batch.
const std::string kSquare = R"({ name = "square" })";

struct Delivered {
  Numbers valid, label, first_byte;
};

Delivered delivered(Run& run) {
  Delivered all;
  const auto phase = run.open();
  while (const auto batch = phase->next()) {
    for (const std::int64_t v : numbers(*batch, "data_valid")) all.valid.push_back(v);
    for (const std::int64_t v : numbers(*batch, "label")) all.label.push_back(v);
    const std::vector<std::int64_t>& shape = batch->fields[0].elements[0].shape;
    for (std::int64_t row = 0; row < shape[0]; ++row) {
      all.first_byte.push_back(images(*batch)[row * shape[1] * shape[2] * shape[3]]);
    }
  }
  return all;
}

}  // namespace

TEST_CASE("data: an unreadable image becomes gray, keeps its label, and is data_valid -1") {
  for (const char* workers : {"0", "4"}) {
    for (const bool broken_file : {false, true}) {
      Settings settings{.workers = workers, .source = "length = 6", .transforms = kSquare};
      (broken_file ? settings.truncated : settings.unreadable) = "[0, 4]";
      Run run(settings);
      const Delivered all = delivered(run);
      CHECK(all.valid == Numbers{-1, 1, 1, 1, -1, 1});
      CHECK(all.label == Numbers{0, 1, 2, 3, 4, 5});
      CHECK(all.first_byte == Numbers{128, 1, 2, 3, 128, 5});
      CHECK(run.engine->invalid_samples() == 2);
      REQUIRE(run.log.lines.size() == 2);
      CHECK(run.log.lines[1] == std::string("data.train: cannot read number_4.png: ") +
                                    (broken_file ? "the PNG file is truncated" : "cannot open it") +
                                    "; a gray image takes its place");
    }
  }
}

TEST_CASE("data: the gray image draws what the image would have drawn") {
  const auto noise = [](const char* unreadable) {
    Run run({.source = "length = 2",
             .truncated = unreadable,
             .encoded = "true",
             .transforms = kSquare + R"(, { name = "noise" })"});
    return delivered(run).first_byte;
  };
  const Numbers all = noise("[]"), broken = noise("[1]");
  CHECK(broken[0] == all[0]);
  CHECK(broken[1] - 128 == all[1] - 1);
}

TEST_CASE("data: copies of an unreadable image are all invalid") {
  Run run({.source = "length = 2",
           .truncated = "[1]",
           .encoded = "true",
           .transforms = R"({ name = "copy" }, )" + kSquare});
  CHECK(delivered(run).valid == Numbers{1, -1, 1, -1});
  CHECK(run.engine->invalid_samples() == 1);
}

TEST_CASE("data: an image that no transform decodes is still found to be broken") {
  Run run({.source = "length = 1", .truncated = "[0]", .transforms = ""});
  CHECK(delivered(run).valid == Numbers{-1});
}

TEST_CASE("data: ten unreadable images are listed, the others only counted") {
  Run run({.workers = "2",
           .source = "length = 14",
           .unreadable = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]",
           .transforms = kSquare});
  delivered(run);
  CHECK(run.engine->invalid_samples() == 13);
  REQUIRE(run.log.lines.size() == 11);
  for (std::size_t i = 0; i < 10; ++i) {
    CHECK(run.log.lines[i].find("number_" + std::to_string(i) + ".png") != std::string::npos);
  }
  CHECK(run.log.lines[10] ==
        "more images could not be read; from here on they are counted, not listed");
}

TEST_CASE("data: too many unreadable images stop the phase with the exit code of bad data") {
  for (const char* workers : {"0", "3"}) {
    Run run({.workers = workers,
             .source = "length = 16",
             .unreadable = "[1, 9, 10]",
             .transforms = kSquare,
             .invalid = "0.13"});  // 2 of 16
    const auto phase = run.open();
    CHECK(phase->next() != nullptr);
    CHECK(phase->next() != nullptr);
    for (int again = 0; again < 2; ++again) {
      CHECK(error_of([&] { phase->next(); }, Exit::bad_data) ==
            "data.train: 3 images could not be read, more than data.max_invalid_fraction allows "
            "for 16 samples; the last is number_10.png: cannot open it");
    }
  }
}

TEST_CASE(
    "data: with enable_queue_dataset the last readable image takes the place, valid, under its own "
    "label") {
  for (const char* workers : {"0", "4"}) {
    Settings settings{.workers = workers,
                      .source = "length = 10",
                      .unreadable = "[0, 2, 4, 5]",
                      .truncated = "[6]",
                      .transforms = kSquare,
                      .queue = "true"};
    Run run(settings);
    const Delivered all = delivered(run);
    CHECK(all.valid == Numbers{-1, 1, 1, 1, 1, 1, 1, 1, 1, 1});  // nothing came before the first
    CHECK(all.first_byte == Numbers{128, 1, 1, 3, 3, 3, 3, 7, 8, 9});
    CHECK(all.label == Numbers{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    CHECK(run.engine->invalid_samples() == 5);

    // The replacement is the same when the phase is entered later.
    PhaseSpec spec;
    spec.start_batch = 1;
    const std::vector<std::string> whole = run.all();
    CHECK(run.all(spec) == std::vector<std::string>(whole.begin() + 1, whole.end()));
  }
}
