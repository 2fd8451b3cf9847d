#include "host/plugin/download_progress.hpp"

#include <doctest/doctest.h>

using vissl::host::DownloadProgress;

TEST_CASE("download progress: a line every ten seconds with the share and the rate") {
  DownloadProgress progress("https://a.example/b");
  const DownloadProgress::Time begin{};
  const auto at = [&](int seconds) { return begin + std::chrono::seconds(seconds); };
  CHECK_FALSE(progress.line(10'000'000, 50'000'000, at(0)).has_value());
  CHECK_FALSE(progress.line(12'000'000, 50'000'000, at(9)).has_value());
  CHECK(progress.line(30'000'000, 50'000'000, at(10)) ==
        "https://a.example/b: 30.0 MB of 50.0 MB (60 %), 2.0 MB/s");
  CHECK_FALSE(progress.line(31'000'000, 50'000'000, at(19)).has_value());
  CHECK(progress.line(40'000'000, 0, at(20)) == "https://a.example/b: 40.0 MB, 1.5 MB/s");
}

TEST_CASE("download progress: a download that starts over counts anew") {
  DownloadProgress progress("x");
  const DownloadProgress::Time begin{};
  progress.line(9'000'000, 0, begin);
  CHECK_FALSE(progress.line(1'000'000, 0, begin + std::chrono::seconds(30)).has_value());
  CHECK(progress.line(21'000'000, 0, begin + std::chrono::seconds(50)) == "x: 21.0 MB, 1.0 MB/s");
}
