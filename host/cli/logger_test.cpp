#include "host/cli/logger.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "host/cli/json_text.hpp"

using namespace vissl::host;

namespace {

// What `body` writes to stderr.
template <class Body>
std::string stderr_of(Body&& body) {
  std::FILE* file = std::tmpfile();
  REQUIRE(file != nullptr);
  std::fflush(stderr);
  const int before = ::dup(STDERR_FILENO);
  ::dup2(::fileno(file), STDERR_FILENO);
  body();
  std::fflush(stderr);
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  std::rewind(file);
  std::string text;
  char buffer[256];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof(buffer), file)) > 0;)
    text.append(buffer, n);
  std::fclose(file);
  return text;
}

std::string read(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

const Terminal kPlain({}, ColorMode::never);

Progress some_progress() {
  return {3, 100, 812, 2502, true, 3.9123, 0.298, 2431.4, 0.011, 18720.0};
}

}  // namespace

TEST_CASE("logger: no text steers the terminal, whatever its level, and lines stay lines") {
  const std::string path =
      std::filesystem::temp_directory_path() / ("vissl_logger_steer_" + std::to_string(::getpid()));
  const std::string text = stderr_of([&] {
    ConsoleLogger log(kPlain, {});
    log.log(LogLevel::error, "two\n\tlines \x1b]0;title\x07");
    log.open_file(path, /*append=*/false);
    log.log(LogLevel::info,
            "\xc2\x9b"
            "31m\xe2\x80\xae\xff\r");
  });
  const std::string info = "\\xc2\\x9b31m\\xe2\\x80\\xae\\xff\\x0d\n";
  CHECK(text == "error: two\n\tlines \\x1b]0;title\\x07\n" + info);
  const std::string file = read(path);
  CHECK(file.find("vissl: two\n\tlines \\x1b]0;title\\x07\n") != std::string::npos);
  CHECK(file.ends_with("vissl: " + info));
  std::filesystem::remove(path);
}

TEST_CASE("logger: neither stderr nor the file has the secrets of an address") {
  const std::string path = std::filesystem::temp_directory_path() /
                           ("vissl_logger_secret_" + std::to_string(::getpid()));
  const std::string text = stderr_of([&] {
    ConsoleLogger log(kPlain, {});
    log.log(LogLevel::info, "early http://a:EARLY@h/x");
    log.open_file(path, false);
    log.log(LogLevel::error, "http://h/x?token=LATE: gone");
  });
  CHECK(text == "early http://a:***@h/x\nerror: http://h/x?token=***: gone\n");
  const std::string file = read(path);
  std::filesystem::remove(path);
  CHECK(file.find("early http://a:***@h/x\n") != std::string::npos);
  CHECK(file.find("http://h/x?token=***: gone\n") != std::string::npos);
}

TEST_CASE("logger: people see the text, and what kind of trouble it is") {
  const std::string text = stderr_of([] {
    ConsoleLogger log(kPlain, {});
    log.log(LogLevel::info, "a fact");
    log.log(LogLevel::warning, "a doubt with {} and %s");
    log.log(LogLevel::error, "a fault");
    log.log(LogLevel::debug, "a detail");
  });
  CHECK(text == "a fact\nwarning: a doubt with {} and %s\nerror: a fault\n");
}

TEST_CASE("logger: quiet hides information, programs get one JSON object per line") {
  CHECK(stderr_of([] {
          ConsoleLogger log(kPlain, {LogLevel::warning, LogFormat::text, false});
          log.log(LogLevel::info, "a fact");
          log.progress(some_progress());
        }).empty());
  const std::string json = stderr_of([] {
    ConsoleLogger log(kPlain, {LogLevel::info, LogFormat::json, true});
    log.log(LogLevel::warning, "line \"one\"\nline two");
  });
  CHECK(std::regex_match(
      json,
      std::regex(
          R"re(\{"time": "\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "level": "warning", "text": "line \\"one\\"\\nline two"\}\n)re")));
}

TEST_CASE("logger: log.txt has VISSL's lines and is continued after a resume") {
  const std::string path =
      (std::filesystem::temp_directory_path() / "vissl_logger_test.txt").string();
  for (const bool append : {false, true}) {
    stderr_of([&] {
      ConsoleLogger log(kPlain, {LogLevel::error, LogFormat::text, true});
      log.log(LogLevel::info, "early");
      log.open_file(path, append);
      log.log(LogLevel::info, "hello");
    });
  }
  CHECK(std::regex_match(
      read(path),
      std::regex(R"((INFO \d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} vissl: (early|hello)\n){4})")));
  std::filesystem::remove(path);
  ConsoleLogger log(kPlain, {});
  CHECK_THROWS_WITH_AS(log.open_file("/dev/null/log.txt", false),
                       doctest::Contains("cannot write the log '/dev/null/log.txt': "), Error);
}

TEST_CASE("logger: progress has all figures, and unknown ones are left out") {
  CHECK(progress_text(some_progress()) ==
        "epoch 3/100  step 812/2502  loss 3.912  lr 0.298  2431 img/s  data 1%  eta 5h12m");
  Progress test = some_progress();
  test.training = false;
  test.loss = test.lr = std::nan("");
  test.eta_seconds = std::nan("");
  CHECK(progress_text(test) == "test after epoch 3/100  step 812/2502  2431 img/s  data 1%  eta ?");
}

TEST_CASE("logger: where nothing can be redrawn, progress is a plain line now and then") {
  const std::string text = stderr_of([] {
    ConsoleLogger log(kPlain, {});
    Progress p = some_progress();
    for (p.step = 1; p.step <= 5; ++p.step) log.progress(p);
    log.progress_done();
  });
  CHECK(text == "epoch 3/100  step 1/2502  loss 3.912  lr 0.298  2431 img/s  data 1%  eta 5h12m\n");
}

TEST_CASE("logger: on a terminal one line is redrawn, and messages go above it") {
  Terminal::Facts facts;
  facts.is_terminal = true;
  facts.width = 200;
  const std::string line = progress_text(some_progress());
  const std::string text = stderr_of([&] {
    ConsoleLogger log(Terminal(facts, ColorMode::never), {});
    log.progress(some_progress());
    log.log(LogLevel::info, "between");
    log.progress_done();
  });
  CHECK(text == line + "\r\x1b[Kbetween\n" + line + "\n");
}

TEST_CASE("logger: durations are short") {
  CHECK(duration_text(12.4) == "12s");
  CHECK(duration_text(185) == "3m05s");
  CHECK(duration_text(18720) == "5h12m");
  CHECK(duration_text(200000) == "2d07h");
  CHECK(duration_text(-1) == "?");
}

TEST_CASE("json: strings are escaped and bytes that are no UTF-8 replaced") {
  CHECK(json_quoted("a\"b\\c\n\x01é") == "\"a\\\"b\\\\c\\n\\u0001é\"");
  CHECK(json_quoted("\xff"
                    "a\xc0\xaf\xed\xa0\x80") ==
        "\"\xef\xbf\xbd"
        "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}
