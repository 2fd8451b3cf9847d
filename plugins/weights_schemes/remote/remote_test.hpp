#pragma once
// What the tests of this plugin share: the plugin in a fake host, an environment without the user's
// caches and proxies, and a folder as cache.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <random>
#include <string>
#include <vissl/test.hpp>

#include "http_server.hpp"
#include "temp_folder.hpp"

namespace remote_test {

using vissl::test::file_reply;
using vissl::test::HttpReply;
using vissl::test::HttpRequest;
using vissl::test::HttpServer;
using vissl::test::read_file;
using vissl::test::write_file;
namespace fs = std::filesystem;

// Every variable that the plugin reads.
inline void clear_environment() {
  for (const char* name : {"http_proxy",
                           "https_proxy",
                           "HTTP_PROXY",
                           "HTTPS_PROXY",
                           "all_proxy",
                           "ALL_PROXY",
                           "VISSL_OFFLINE",
                           "TORCH_HOME",
                           "AWS_PROFILE",
                           "AWS_ACCESS_KEY_ID",
                           "AWS_SECRET_ACCESS_KEY",
                           "AWS_SESSION_TOKEN",
                           "AWS_REGION",
                           "AWS_DEFAULT_REGION",
                           "AWS_ENDPOINT_URL",
                           "AWS_ENDPOINT_URL_S3",
                           "AWS_SHARED_CREDENTIALS_FILE",
                           "MINIO_ENDPOINT",
                           "MINIO_ACCESS_KEY",
                           "MINIO_SECRET_KEY",
                           "OSS_ENDPOINT",
                           "OSS_ACCESS_KEY_ID",
                           "OSS_ACCESS_KEY_SECRET",
                           "OSS_SESSION_TOKEN",
                           "HF_HOME",
                           "HF_HUB_CACHE",
                           "HUGGINGFACE_HUB_CACHE",
                           "HF_ENDPOINT",
                           "HF_TOKEN",
                           "HF_TOKEN_PATH",
                           "HF_HUB_OFFLINE"})
    ::unsetenv(name);
}

class Remote {
 public:
  Remote() {
    clear_environment();
    ::setenv("HOME", folder.path().c_str(), 1);
    ::setenv("XDG_CACHE_HOME", (folder / "xdg").c_str(), 1);
    host.load(std::string(VISSL_PLUGIN_DIR) + "/remote.so");
  }
  ~Remote() { clear_environment(); }
  Remote(const Remote&) = delete;
  Remote& operator=(const Remote&) = delete;

  // Retries without waiting; `toml` overrides nothing of these.
  vissl::test::ResolvedWeights ask(const std::string& locator, const std::string& sha256 = "",
                                   const std::string& toml = "", const char* scheme = "http") {
    const auto instance =
        host.component("weights_scheme", scheme)
            .create("backoff_s = 0.0\ncache_dir = \"" + cache().string() + "\"\n" + toml);
    return vissl::test::ask_for_weights(instance, locator, sha256);
  }
  // The text of the failure and its status.
  std::string failure(const std::string& locator, vissl_status status = VISSL_E_DATA,
                      const std::string& sha256 = "", const std::string& toml = "",
                      const char* scheme = "http") {
    try {
      return "no failure but " + ask(locator, sha256, toml, scheme).place;
    } catch (const vissl::Failure& failure) {
      CHECK(failure.status() == status);
      return failure.what();
    }
  }
  fs::path cache() const { return folder / "cache"; }
  // Files of the cache, without locks and notes.
  std::size_t files() const {
    std::size_t count = 0;
    if (!fs::exists(cache())) return 0;
    for (const auto& entry : fs::recursive_directory_iterator(cache()))
      if (entry.is_regular_file() && entry.path().extension() != ".lock" &&
          entry.path().extension() != ".check")
        ++count;
    return count;
  }

  vissl::test::TempFolder folder;
  vissl::test::Host host;
};

inline std::string random_bytes(std::size_t count) {
  std::mt19937 random(7);
  std::string bytes(count, '\0');
  for (char& c : bytes) c = static_cast<char>(random() & 0xff);
  return bytes;
}

// Something that may be weights, as no text may.
inline std::string weights(const std::string& mark) {
  return std::string("\x02\0\0\0\0\0\0\0{}", 10) + mark;
}

// A handler that gives the same content at every address.
inline HttpServer::Handler gives(const std::string& content) {
  return [content](const HttpRequest& request) { return file_reply(request, content, "\"v1\""); };
}

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

}  // namespace remote_test
