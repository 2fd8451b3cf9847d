// A run whose weights lie on a server: fetched once by all ranks, found again without the server,
// and refused with one clear error.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <span>

#include "host/files/sha256.hpp"
#include "http_server.hpp"
#include "process.hpp"
#include "run_files.hpp"
#include "small_config.hpp"
#include "temp_folder.hpp"

using namespace vissl::test;
namespace fs = std::filesystem;

namespace {

// The weights that a run of one epoch wrote, on a server that has nothing else.
class Weights {
 public:
  Weights() {
    for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY", "VISSL_OFFLINE"})
      ::unsetenv(name);
    ::setenv("XDG_CACHE_HOME", (folder / "cache").c_str(), 1);
    config = folder / "exp.toml";
    write_file(config, small_config(folder / "first"));
    const Result first = run_host(run_arguments(config, {"optimizer.num_epochs=1"}));
    REQUIRE(first.exit_code == 0);
    content = read_file(final_checkpoint(folder / "first"));
  }
  // A run that begins with the weights at `locator`.
  Result run(const std::string& locator, const std::string& dir,
             std::vector<std::string> changes = {}) const {
    changes.insert(changes.begin(),
                   {"optimizer.num_epochs=1", "model.weights_init.params_file=" + locator,
                    "checkpoint.dir=" + (folder / dir).string()});
    return run_host(run_arguments(config, changes));
  }
  TempFolder folder;
  fs::path config;
  std::string content;
};

}  // namespace

TEST_CASE(
    "download: four ranks load the weights of a server with one request, and later without it") {
  const Weights weights;
  std::string locator;
  {
    const HttpServer server([&](const HttpRequest& request) {
      HttpReply reply = file_reply(request, weights.content, "\"1\"");
      reply.delay_ms = 100;
      return reply;
    });
    locator = server.url("/nets/small.torch") +
              "#sha256=" + vissl::host::sha256_hex(std::as_bytes(std::span(weights.content)));
    const Result four = weights.run(locator, "four", {"--nproc", "4"});
    INFO(four.err);
    CHECK(four.exit_code == 0);
    CHECK(server.requests().size() == 1);
    // Rank 0 tells what it does: which rank comes first is open.
    const std::string url = server.url("/nets/small.torch");
    CHECK((four.err.find("Downloading: \"" + url + "\" to ") != std::string::npos ||
           four.err.find("another process downloads " + url + "; waiting for it") !=
               std::string::npos));
  }
  const Result later = weights.run(locator, "later");
  INFO(later.err);
  CHECK(later.exit_code == 0);
  CHECK(later.err.find("URL http://127.0.0.1:") != std::string::npos);
  CHECK(later.err.find("Downloading") == std::string::npos);
}

TEST_CASE("download: a password and a query's values reach the server and the config alone") {
  const Weights weights;
  std::string refused;
  const HttpServer server([&](const HttpRequest& request) {
    HttpReply reply = file_reply(request, weights.content, "\"1\"");
    if (request.target == refused) reply.status = 403;
    return reply;
  });
  const std::string place = "127.0.0.1:" + std::to_string(server.port());
  const std::string locator = "http://bob:HUNTER2@" + place + "/small.torch?token=SECRET";
  const std::string report = weights.folder / "report.json";
  const auto run = [&](const std::string& dir) {
    return weights.run(
        locator, dir, {"model.weights_init.profile=essmc2", "model.weights_init.report=" + report});
  };
  const auto has_secret = [](const std::string& text) {
    return text.find("HUNTER2") != std::string::npos || text.find("SECRET") != std::string::npos;
  };
  const Result first = run("secret");
  INFO(first.err);
  CHECK(first.exit_code == 0);
  const auto requests = server.requests();
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].target == "/small.torch?token=SECRET");
  CHECK(requests[0].header("authorization") == "Basic Ym9iOkhVTlRFUjI=");
  CHECK(first.err.find("] from http://bob:***@" + place + "/small.torch?token=***\n") !=
        std::string::npos);
  CHECK_FALSE(has_secret(first.err + first.out));
  CHECK(read_file(report).find("http://bob:***@") != std::string::npos);
  CHECK_FALSE(has_secret(read_file(report)));
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(weights.folder / "secret")) {
    // These keep the config, as README.md of the weights schemes says.
    if (!entry.is_regular_file() || entry.path().filename() == "config.toml" ||
        entry.path().extension() == ".torch")
      continue;
    ++files;
    CAPTURE(entry.path());
    CHECK_FALSE(has_secret(read_file(entry.path())));
  }
  CHECK(files >= 5);
  CHECK(read_file(weights.folder / "secret/env.json").find("http://bob:***@") != std::string::npos);

  refused = "/small.torch?token=SECRET";
  fs::remove_all(weights.folder / "cache");
  const Result second = run("refused");
  CHECK(second.exit_code == 4);
  CHECK(second.err.find("error: http://" + place +
                        "/small.torch?token=***: the server refuses it (HTTP 403); ") !=
        std::string::npos);
  CHECK_FALSE(has_secret(second.err));
}

TEST_CASE("download: a run that goes on from its checkpoint leaves the address alone") {
  const Weights weights;
  const HttpServer server(
      [&](const HttpRequest& request) { return file_reply(request, weights.content, "\"1\""); });
  const std::string url = server.url("/small.torch");
  const Result first = weights.run(url, "resumed");
  INFO(first.err);
  REQUIRE(first.exit_code == 0);
  CHECK(first.err.find("URL " + url + " cached in ") != std::string::npos);
  CHECK(server.requests().size() == 1);
  fs::remove_all(weights.folder / "cache");
  const Result second = weights.run(url, "resumed", {"optimizer.num_epochs=2"});
  INFO(second.err);
  CHECK(second.exit_code == 0);
  CHECK(second.err.find("resuming at iteration ") != std::string::npos);
  CHECK(second.err.find(url) == std::string::npos);
  CHECK(server.requests().size() == 1);
}

TEST_CASE("download: what cannot be read says which file to delete, and that is the remedy") {
  const Weights weights;
  std::string content;
  const HttpServer server(
      [&](const HttpRequest& request) { return file_reply(request, content, "\"1\""); });
  const std::string url = server.url("/small.torch");
  const std::string place = (weights.folder / "cache/vissl-host" /
                             ("http:127.0.0.1:" + std::to_string(server.port())) / "small.torch")
                                .string();
  const std::string remedy =
      "; it came from " + url + ": delete " + place + " to download it again\n";
  content = "\x01 is of no format that holds weights, and no text";
  const std::string out = weights.folder / "out.safetensors";
  for (const Result& refused :
       {weights.run(url, "unreadable"), run_host({"inspect", url, "--plugins", VISSL_PLUGIN_DIR}),
        run_host({"convert", url, out, "--to", "safetensors", "--plugins", VISSL_PLUGIN_DIR})}) {
    INFO(refused.err);
    CHECK(refused.exit_code == 4);
    CHECK(refused.err.find(place + ": is of no format that holds weights") != std::string::npos);
    CHECK(refused.err.ends_with(remedy));
  }
  CHECK(server.requests().size() == 1);
  content = weights.content;
  fs::remove(place);
  const Result repaired = weights.run(url, "repaired");
  INFO(repaired.err);
  CHECK(repaired.exit_code == 0);
  CHECK(repaired.err.find("(100 % of the trunk) from ") != std::string::npos);
}

TEST_CASE("download: a server's notice is not kept: the repaired server's file loads at once") {
  const Weights weights;
  std::string content = "{\"error\": \"no\"}";
  const HttpServer server(
      [&](const HttpRequest& request) { return file_reply(request, content, "\"1\""); });
  const std::string url = server.url("/small.torch");
  const Result refused = weights.run(url, "notice");
  INFO(refused.err);
  CHECK(refused.exit_code == 4);
  CHECK(refused.err.find("error: " + url +
                         " answers with an error in JSON instead of a file of "
                         "weights; ") != std::string::npos);
  for (const auto& entry : fs::recursive_directory_iterator(weights.folder / "cache"))
    CHECK((entry.is_directory() || entry.path().extension() == ".lock"));
  content = weights.content;
  const Result repaired = weights.run(url, "repaired");
  INFO(repaired.err);
  CHECK(repaired.exit_code == 0);
}

TEST_CASE("download: the Hugging Face tools' cache and a folder of timm's load without a network") {
  const Weights weights;
  const fs::path hub = weights.folder / "hub/models--org--net", timm = weights.folder / "timm";
  const std::string commit(40, 'c');
  fs::create_directories(hub / "refs");
  fs::create_directories(hub / "blobs");
  fs::create_directories(hub / "snapshots" / commit);
  fs::create_directories(timm);
  write_file(hub / "refs/main", commit);
  const std::string hash = vissl::host::sha256_hex(std::as_bytes(std::span(weights.content)));
  write_file(hub / "blobs" / hash, weights.content);
  fs::create_symlink("../../blobs/" + hash, hub / "snapshots" / commit / "pytorch_model.bin");
  write_file(timm / "model.pth", weights.content);
  ::setenv("HF_HUB_CACHE", (weights.folder / "hub").c_str(), 1);
  ::setenv("VISSL_OFFLINE", "1", 1);
  for (const std::string& locator : {std::string("hf-hub:org/net"), "local-dir:" + timm.string()}) {
    const Result result = weights.run(locator, "offline" + std::to_string(locator.size()));
    INFO(result.err);
    CHECK(result.exit_code == 0);
    CHECK(result.err.find("(100 % of the trunk) from ") != std::string::npos);
  }
  ::unsetenv("HF_HUB_CACHE");
  ::unsetenv("VISSL_OFFLINE");
}

TEST_CASE(
    "download: what cannot be fetched ends with code 4, no scheme with 2, a full disk with 1") {
  const Weights weights;
  const HttpServer server([&](const HttpRequest& request) {
    HttpReply reply = file_reply(request, weights.content, "\"1\"");
    if (request.target != "/small.torch") reply.status = 404;
    return reply;
  });
  const std::string gone = server.url("/gone.torch");
  const Result absent = weights.run(gone, "absent");
  CHECK(absent.exit_code == 4);
  CHECK(absent.err.find("error: " + gone +
                        ": the server has no such file (HTTP 404); check the address") !=
        std::string::npos);
  const std::string pinned = server.url("/small.torch") + "#sha256=" + std::string(64, '0');
  const Result other = weights.run(pinned, "other");
  CHECK(other.exit_code == 4);
  CHECK(other.err.find("invalid hash value (expected \"000") != std::string::npos);
  const fs::path cache =
      weights.folder / "cache/vissl-host" / ("http:127.0.0.1:" + std::to_string(server.port()));
  fs::create_directories(cache);
  fs::create_symlink("/dev/full", cache / "small.torch.partial");
  const Result full = weights.run(server.url("/small.torch"), "full");
  CHECK(full.exit_code == 1);
  CHECK(full.err.find("small.torch.partial: No space left on device; make room there, or set "
                      "another cache_dir") != std::string::npos);
  CHECK(!fs::exists(fs::symlink_status(cache / "small.torch.partial")));
  const Result unknown = weights.run("htpps://a.example/b.torch", "unknown");
  CHECK(unknown.exit_code == 2);
  CHECK(unknown.err.find("no plugin offers the weights scheme 'htpps'; did you mean 'https'?") !=
        std::string::npos);
  const Result zoo = weights.run("torchvision://resnet5O", "zoo");
  CHECK(zoo.exit_code == 4);
  CHECK(zoo.err.find("torchvision has no weights 'resnet5o'; near: ") != std::string::npos);
  for (const auto& entry : fs::recursive_directory_iterator(weights.folder / "cache"))
    CHECK(entry.path().filename() != "small.torch");
}
