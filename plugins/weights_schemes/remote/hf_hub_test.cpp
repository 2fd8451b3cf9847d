#include <algorithm>
#include <map>
#include <span>

#include "host/files/sha256.hpp"
#include "remote_test.hpp"

using namespace remote_test;

namespace {

std::string sha256(const std::string& text) {
  return vissl::host::sha256_hex(std::as_bytes(std::span(text)));
}

// A cache as the Hugging Face tools leave it: refs, blobs by content, links in snapshots.
void make_hub_cache(const fs::path& hub, const std::string& commit, const std::string& file,
                    const std::string& content, const std::string& blob) {
  const fs::path root = hub / "models--timm--resnet18.a1_in1k";
  for (const char* name : {"refs", "blobs"}) fs::create_directories(root / name);
  fs::create_directories(root / "snapshots" / commit);
  write_file(root / "refs/main", commit);
  write_file(root / "blobs" / blob, content);
  fs::create_symlink(fs::path("../../blobs") / blob, root / "snapshots" / commit / file);
}

const std::string kCommit = "0123456789abcdef0123456789abcdef01234567";

}  // namespace

TEST_CASE("hf-hub: what the Hugging Face tools have cached is used without the network") {
  Remote remote;
  ::setenv("HF_ENDPOINT", "http://127.0.0.1:1", 1);
  const fs::path hub = remote.folder / "xdg/huggingface/hub";
  make_hub_cache(hub, kCommit, "pytorch_model.bin", "weights", sha256("weights"));
  const std::string path =
      (hub / "models--timm--resnet18.a1_in1k/snapshots" / kCommit / "pytorch_model.bin").string();
  for (const std::string& rest :
       std::vector<std::string>{"", "@main", "@" + kCommit, "@main/pytorch_model.bin"}) {
    const auto got = remote.ask("hf-hub:timm/resnet18.a1_in1k" + rest, "", "", "hf-hub");
    CHECK(got.place == path);
    CHECK(got.warnings.empty());
  }
  CHECK(remote.ask("hf-hub://timm/resnet18.a1_in1k", sha256("weights"), "", "hf-hub").place ==
        path);
  CHECK(remote.ask("hf_hub:timm/resnet18.a1_in1k", "", "", "hf_hub").warnings ==
        std::vector<std::string>{"hf_hub: is deprecated, use hf-hub:"});

  ::setenv("HF_HUB_OFFLINE", "1", 1);
  CHECK(remote.failure("hf-hub:timm/other", VISSL_E_DATA, "", "files = [\"a.bin\", \"b.bin\"]",
                       "hf-hub") ==
        "no cache has a.bin, b.bin of timm/other@main, and the scheme is offline (VISSL_OFFLINE=1, "
        "HF_HUB_OFFLINE=1 or offline = true)");
  write_file(path, "half a copy");
  const std::string text =
      remote.failure("hf-hub:timm/resnet18.a1_in1k", VISSL_E_DATA, "", "", "hf-hub");
  CHECK(text.find("no cache has model.safetensors, pytorch_model.bin, ") == 0);
}

TEST_CASE("hf-hub: the first usual file is fetched, checked against the hub's hash, and kept") {
  Remote remote;
  ::setenv("HF_TOKEN", "secret", 1);
  const std::string content = random_bytes(3000);
  std::string hash = sha256(content);
  const HttpServer files([&](const HttpRequest&) {
    HttpReply reply;
    reply.body = content;
    return reply;
  });
  const HttpServer hub([&](const HttpRequest& request) {
    HttpReply reply;
    reply.status = 404;
    if (request.target == "/timm/net/resolve/v1.0/pytorch_model.bin") {
      reply.status = 302;
      reply.headers.emplace_back("X-Linked-Etag", "\"" + hash + "\"");
      reply.headers.emplace_back("Location", files.url("/blob"));
    }
    return reply;
  });
  const std::string toml = "endpoint = \"" + hub.url("/") + "\"";
  const auto got = remote.ask("hf-hub:timm/net@v1.0", "", toml, "hf-hub");
  CHECK(read_file(got.place) == content);
  CHECK(got.place.find("/timm/net/resolve/v1.0/pytorch_model.bin") != std::string::npos);
  REQUIRE(hub.requests().size() == 2);
  CHECK(hub.requests()[0].target == "/timm/net/resolve/v1.0/model.safetensors");
  CHECK(hub.requests()[0].header("authorization") == "Bearer secret");
  CHECK(files.requests()[0].header("authorization") == "");
  CHECK(remote.ask("hf-hub:timm/net@v1.0", "", toml, "hf-hub").place == got.place);
  CHECK(hub.requests().size() == 2);

  fs::remove_all(remote.cache());
  hash = std::string(64, '0');
  CHECK(remote.failure("hf-hub:timm/net@v1.0", VISSL_E_DATA, "", toml, "hf-hub")
            .find("invalid hash value (expected \"" + hash + "\", which the server says, got \"") !=
        std::string::npos);
  CHECK(remote.failure("hf-hub:timm/net", VISSL_E_DATA, "", toml + "\nfiles = [\"a\", \"b\"]",
                       "hf-hub") ==
        "timm/net@main at http://127.0.0.1:" + std::to_string(hub.port()) +
            " has none of: a, b; name the file: hf-hub:timm/net@main/FILE");
}

TEST_CASE("hf-hub: a model in parts is fetched with all of them") {
  Remote remote;
  const std::map<std::string, std::string> files = {
      {"/org/big/resolve/main/model.safetensors.index.json",
       "{\"weight_map\": {\"a\": \"part-1.safetensors\", \"b\": \"part-2.safetensors\", \"c\": "
       "\"part-1.safetensors\"}}"},
      {"/org/big/resolve/main/part-1.safetensors", weights("one")},
      {"/org/big/resolve/main/part-2.safetensors", weights("two")}};
  const HttpServer hub([&](const HttpRequest& request) {
    HttpReply reply;
    const auto found = files.find(request.target);
    if (found == files.end())
      reply.status = 404;
    else
      reply.body = found->second;
    return reply;
  });
  ::setenv("HF_ENDPOINT", hub.url("").c_str(), 1);
  const std::string index = "model.safetensors.index.json";
  const auto got =
      remote.ask("hf-hub:org/big/" + index, sha256(files.begin()->second), "", "hf-hub");
  CHECK(fs::path(got.place).filename() == index);
  CHECK(read_file(fs::path(got.place).parent_path() / "part-1.safetensors") == weights("one"));
  CHECK(read_file(fs::path(got.place).parent_path() / "part-2.safetensors") == weights("two"));
  CHECK(hub.requests().size() == 3);
  // One that was deleted because it is damaged comes again.
  fs::remove(fs::path(got.place).parent_path() / "part-2.safetensors");
  CHECK(remote.ask("hf-hub:org/big/" + index, "", "", "hf-hub").place == got.place);
  CHECK(read_file(fs::path(got.place).parent_path() / "part-2.safetensors") == weights("two"));
  CHECK(hub.requests().size() == 4);
}

TEST_CASE("hf-hub: what is private or misspelt says what to do") {
  Remote remote;
  const HttpServer hub([](const HttpRequest&) {
    HttpReply reply;
    reply.status = 401;
    return reply;
  });
  const std::string toml = "endpoint = \"" + hub.url("") + "\"";
  CHECK(remote.failure("hf-hub:org/name", VISSL_E_DATA, "", toml, "hf-hub")
            .find("(HTTP 401); the repository is private, gated or absent: set HF_TOKEN") !=
        std::string::npos);
  fs::create_directories(remote.folder / "xdg/huggingface");
  write_file(remote.folder / "xdg/huggingface/token", "kept\n");
  CHECK(remote.failure("hf-hub:org/name", VISSL_E_DATA, "", toml, "hf-hub")
            .find("the token has no right to it, or the repository is absent") !=
        std::string::npos);
  CHECK(hub.requests().back().header("authorization") == "Bearer kept");
  for (const char* bad : {"hf-hub:", "hf-hub:org/", "hf-hub:a/b@", "hf-hub:a/b@c@d"})
    CHECK(remote.failure(bad, VISSL_E_DATA, "", toml, "hf-hub") ==
          "it names no repository: it must have the form hf-hub:org/name, "
          "hf-hub:org/name@revision or hf-hub:org/name@revision/file");
}
