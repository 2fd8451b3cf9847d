#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "host/files/sha256.hpp"
#include "remote_test.hpp"

using namespace remote_test;

namespace {

const std::string kBytes = random_bytes(100000);

std::string sha256(const std::string& text) {
  return vissl::host::sha256_hex(std::as_bytes(std::span(text)));
}

}  // namespace

TEST_CASE("http: a file is downloaded once, with its progress, and then found in the cache") {
  Remote remote;
  const HttpServer server(gives(kBytes));
  const std::string url = server.url("/models/a%20b/net.torch");
  const auto first = remote.ask(url);
  CHECK(read_file(first.place) == kBytes);
  const std::string place = (remote.cache() / ("http:127.0.0.1:" + std::to_string(server.port())) /
                             "models/a%20b/net.torch")
                                .string();
  CHECK(first.place == place);
  REQUIRE(first.infos.size() == 2);
  CHECK(first.infos[0] == "Downloading: \"" + url + "\" to " + place);
  CHECK(first.infos[1] == "URL " + url + " cached in " + place);
  CHECK(first.done_bytes == kBytes.size());
  CHECK(first.total_bytes == kBytes.size());
  const auto second = remote.ask(url);
  CHECK(second.place == place);
  CHECK(second.infos == std::vector<std::string>{"URL " + url + " cached in " + place});
  CHECK(server.requests().size() == 1);
  CHECK(server.requests()[0].header("user-agent") == "vissl-host");
}

TEST_CASE("http: addresses that differ in the server, the path or the query never share a file") {
  Remote remote;
  const HttpServer server([](const HttpRequest& request) {
    HttpReply reply;
    reply.body = weights(request.target);
    return reply;
  });
  const HttpServer other(gives(weights("of another server")));
  const std::string name = "/model_final_checkpoint_phase199.torch";
  CHECK(read_file(remote.ask(server.url("/a" + name)).place) == weights("/a" + name));
  CHECK(read_file(remote.ask(server.url("/b" + name)).place) == weights("/b" + name));
  CHECK(read_file(remote.ask(server.url("/b" + name + "?v=2")).place) ==
        weights("/b" + name + "?v=2"));
  CHECK(read_file(remote.ask(other.url("/a" + name)).place) == weights("of another server"));
  const std::string deep = "/" + std::string(400, 'x');
  CHECK(read_file(remote.ask(server.url(deep)).place) == weights(deep));
  CHECK(read_file(remote.ask(server.url("/../up")).place) == weights("/../up"));
  for (const auto& entry : fs::recursive_directory_iterator(remote.folder.path()))
    if (entry.path().filename() == "up") CHECK(entry.path().parent_path().filename() == "%..");
}

TEST_CASE("http: a dying connection is resumed from the byte where it ended") {
  Remote remote;
  std::atomic<int> calls{0};
  const HttpServer server([&](const HttpRequest& request) {
    HttpReply reply = file_reply(request, kBytes, "\"v1\"");
    if (++calls == 1) reply.dies_after = 40000;
    if (calls == 2) reply.ends_after = 20000;
    return reply;
  });
  const auto got = remote.ask(server.url("/net.torch"));
  CHECK(read_file(got.place) == kBytes);
  const auto requests = server.requests();
  REQUIRE(requests.size() == 3);
  CHECK(requests[1].header("range") == "bytes=40000-");
  CHECK(requests[1].header("if-range") == "\"v1\"");
  CHECK(requests[2].header("range") == "bytes=60000-");
  CHECK(got.warnings.size() == 2);
  CHECK(remote.files() == 1);
}

TEST_CASE("http: a later run goes on with what an earlier one left") {
  Remote remote;
  std::atomic<bool> dies{true};
  const HttpServer server([&](const HttpRequest& request) {
    HttpReply reply = file_reply(request, kBytes, "\"v1\"");
    if (dies) reply.ends_after = 30000;
    return reply;
  });
  const std::string text =
      remote.failure(server.url("/net.torch"), VISSL_E_DATA, "", "retries = 0");
  CHECK(text.find("tried 1 times. Try again later (the download goes on from there), or put the "
                  "file at " +
                  remote.cache().string()) != std::string::npos);
  dies = false;
  CHECK(read_file(remote.ask(server.url("/net.torch")).place) == kBytes);
  CHECK(server.requests().back().header("range") == "bytes=30000-");
}

TEST_CASE("http: a file that changed, or a server without ranges, is loaded from its beginning") {
  Remote remote;
  const std::string changed = random_bytes(5000);
  std::atomic<int> calls{0};
  std::atomic<bool> ignores_ranges{false};
  const HttpServer server([&](const HttpRequest& request) {
    HttpReply reply;
    if (++calls == 1) {
      reply = file_reply(request, kBytes, "\"v1\"");
      reply.ends_after = 30000;
    } else if (ignores_ranges) {
      reply.body = changed;
    } else {
      reply = file_reply(request, changed, "\"v2\"");
    }
    return reply;
  });
  CHECK(read_file(remote.ask(server.url("/new.torch")).place) == changed);
  calls = 0;
  ignores_ranges = true;
  CHECK(read_file(remote.ask(server.url("/plain.torch")).place) == changed);
}

TEST_CASE("http: 416 means that all bytes are there, or that they are of no use") {
  Remote remote;
  std::atomic<int> calls{0};
  std::string now = kBytes;
  const HttpServer server([&](const HttpRequest& request) {
    ++calls;
    HttpReply reply = file_reply(request, now, "\"v1\"");
    // Without a length the client cannot tell that an answer is whole; the file has grown
    // meanwhile.
    if (calls == 1) {
      reply.body.resize(50000);
      reply.headers.emplace_back("Content-Length", "60000");
      reply.announces_length = false;
      now.resize(50000);
    }
    return reply;
  });
  CHECK(read_file(remote.ask(server.url("/cut.torch")).place) == now);
  CHECK(calls == 2);  // 416 with "bytes */50000": complete
  calls = 0;
  now = kBytes;
  const HttpServer shrinking([&](const HttpRequest& request) {
    HttpReply reply = file_reply(request, now, "\"v1\"");
    if (++calls == 1) {
      reply.ends_after = 50000;
      now.resize(1000);
    }
    return reply;
  });
  CHECK(read_file(remote.ask(shrinking.url("/small.torch")).place) == now);
  CHECK(calls == 3);
}

TEST_CASE("http: redirects are followed, and secrets stay with the first server") {
  Remote remote;
  ::setenv("REMOTE_TEST_TOKEN", "very secret", 1);
  const HttpServer target(gives(weights("content")));
  const HttpServer first([&](const HttpRequest& request) {
    HttpReply reply;
    reply.status = 302;
    reply.headers.emplace_back(
        "Location", request.target == "/net.torch" ? "/again.torch" : target.url("/other.torch"));
    return reply;
  });
  const std::string with_user =
      "http://me:pass%20word@127.0.0.1:" + std::to_string(first.port()) + "/net.torch";
  const auto got = remote.ask(with_user, "",
                              "bearer = \"env:REMOTE_TEST_TOKEN\"\nheaders = { X-Own = \"mine\" }");
  CHECK(read_file(got.place) == weights("content"));
  REQUIRE(first.requests().size() == 2);
  for (const HttpRequest& request : first.requests()) {
    CHECK(request.header("authorization") == "Bearer very secret");
    CHECK(request.header("x-own") == "mine");
  }
  REQUIRE(target.requests().size() == 1);
  CHECK(target.requests()[0].header("authorization") == "");
  CHECK(target.requests()[0].header("x-own") == "");
  for (const std::string& line : got.infos) {
    CHECK(line.find("secret") == std::string::npos);
    CHECK(line.find("pass") == std::string::npos);
  }
  CHECK(got.place.find("pass") == std::string::npos);
  const std::string again =
      "http://me:pass%20word@127.0.0.1:" + std::to_string(first.port()) + "/again.torch";
  remote.ask(again);
  CHECK(first.requests().back().header("authorization") == "Basic bWU6cGFzcyB3b3Jk");
}

TEST_CASE("http: redirects without end are given up") {
  Remote remote;
  const HttpServer server([](const HttpRequest&) {
    HttpReply reply;
    reply.status = 307;
    reply.headers.emplace_back("Location", "/circle");
    return reply;
  });
  CHECK(remote.failure(server.url("/circle")) ==
        server.url("/circle") +
            " leads from one address to the next more than 10 times; check the address");
}

TEST_CASE("http: a redirect to anything but the web is the server's fault, and is named") {
  Remote remote;
  std::string target;
  const HttpServer server([&](const HttpRequest&) {
    HttpReply reply;
    reply.status = 302;
    reply.headers.emplace_back("Location", target);
    return reply;
  });
  const std::string url = server.url("/net.torch");
  const auto refused = [&](const std::string& shown) {
    return url + " is a redirect to '" + shown +
           "', and only redirects to http:// and https:// are followed; ask who keeps that server, "
           "or give the file's own address";
  };
  target = "file:///etc/passwd";
  CHECK(remote.failure(url) == refused("file:///etc/passwd"));
  target = "ftp://me:HUNTER2@files.example/net.torch?token=SECRET";
  CHECK(remote.failure(url) == refused("ftp://***@files.example/net.torch"));
  target = "gopher://" + std::string(1000, 'x');
  CHECK(remote.failure(url).size() < url.size() + 400);
  CHECK(remote.files() == 0);
}

TEST_CASE("http: the pin and the hash in the name are checked, after a download and on hits") {
  Remote remote;
  const HttpServer server(gives(kBytes));
  const std::string right = sha256(kBytes), wrong(64, '0');
  const std::string named = server.url("/net-" + right.substr(0, 8) + ".pth");
  CHECK(read_file(remote.ask(named).place) == kBytes);
  CHECK(read_file(remote.ask(server.url("/pinned.pth"), right).place) == kBytes);

  // A wrong pin for a cached file: asked with its ETag, thrown away nothing.
  const std::string text = remote.failure(server.url("/pinned.pth"), VISSL_E_DATA, wrong);
  CHECK(text == server.url("/pinned.pth") + ": invalid hash value (expected \"" + wrong +
                    "\", which the pin #sha256= says, got \"" + right +
                    "\"); the file on the server is another one, or the expectation is wrong");
  CHECK(server.requests().back().header("if-none-match") == "\"v1\"");
  CHECK(read_file(remote.ask(server.url("/pinned.pth"), right).place) == kBytes);

  const std::size_t files = remote.files();
  const std::string bad = server.url("/net-00000000.pth");
  CHECK(remote.failure(bad) ==
        bad + ": invalid hash value (expected \"00000000\", which its name says, got \"" + right +
            "\" of 100000 bytes, which are thrown away); the file on the server is another one, or "
            "the name means something else: check_names = false");
  CHECK(remote.files() == files);
  CHECK(read_file(remote.ask(bad, "", "check_names = false").place) == kBytes);
  CHECK(read_file(remote.ask(server.url("/net-20210208.pth")).place) == kBytes);
  // Fewer than eight digits are no hash.
  CHECK(read_file(remote.ask(server.url("/vit_b-16.pth")).place) == kBytes);
}

TEST_CASE("http: a cached file that was damaged is fetched again, offline it is refused") {
  Remote remote;
  const HttpServer server(gives(kBytes));
  const std::string place = remote.ask(server.url("/net.torch")).place;
  write_file(place, "damaged");
  CHECK(remote.failure(server.url("/net.torch"), VISSL_E_DATA, "", "offline = true")
            .find("is not cached, and the scheme is offline") != std::string::npos);
  const auto again = remote.ask(server.url("/net.torch"));
  CHECK(again.warnings == std::vector<std::string>{
                              place + " is not what was downloaded any more; it is fetched again"});
  CHECK(read_file(place) == kBytes);
  CHECK(server.requests().size() == 2);
}

TEST_CASE("http: offline uses the cache, files put there by hand, and torch.hub's") {
  Remote remote;
  const std::string url = "http://weights.example/net.torch";
  const std::string place = (remote.cache() / "http:weights.example/net.torch").string();
  CHECK(remote.failure(url, VISSL_E_DATA, "", "offline = true") ==
        url +
            " is not cached, and the scheme is offline (VISSL_OFFLINE=1 or offline = true); put "
            "the file at " +
            place);
  ::setenv("VISSL_OFFLINE", "1", 1);
  fs::create_directories(fs::path(place).parent_path());
  write_file(place, weights("by hand"));
  CHECK(remote.ask(url).place == place);

  const std::string hash = sha256("of the hub").substr(0, 8);
  const fs::path hub = remote.folder / "xdg/torch/hub/checkpoints";
  fs::create_directories(hub);
  write_file(hub / ("net-" + hash + ".pth"), "of the hub");
  const std::string named = "http://weights.example/x/net-" + hash + ".pth";
  CHECK(remote.ask(named).place == (hub / ("net-" + hash + ".pth")).string());
  CHECK(remote.failure(named, VISSL_E_DATA, "", "torch_hub = false").find("is not cached") !=
        std::string::npos);
  ::setenv("TORCH_HOME", (remote.folder / "torch").c_str(), 1);
  CHECK(remote.failure(named).find("is not cached") != std::string::npos);
  ::unsetenv("TORCH_HOME");
  write_file(hub / ("net-" + hash + ".pth"), "poisoned by an interrupted copy");
  CHECK(remote.failure(named).find("is not cached") != std::string::npos);
  // Without a hash the name alone says nothing: zoos have many files of one name.
  write_file(hub / "model.pth", "of somebody");
  CHECK(remote.failure("http://weights.example/model.pth").find("is not cached") !=
        std::string::npos);
}

TEST_CASE("http: servers in trouble are asked again, those that refuse are not") {
  Remote remote;
  std::atomic<int> status{503}, calls{0};
  const HttpServer server([&](const HttpRequest& request) {
    HttpReply reply = file_reply(request, weights("content"), "\"v1\"");
    if (++calls <= 2) reply.status = status;
    return reply;
  });
  CHECK(read_file(remote.ask(server.url("/busy.torch")).place) == weights("content"));
  CHECK(calls == 3);
  calls = 0;
  status = 500;
  const std::string url = server.url("/broken.torch");
  const std::string place =
      (remote.cache() / ("http:127.0.0.1:" + std::to_string(server.port())) / "broken.torch")
          .string();
  CHECK(remote.failure(url, VISSL_E_DATA, "", "retries = 1") ==
        url + ": HTTP 500; tried 2 times. Try again later, or put the file at " + place);
  calls = 0;
  status = 404;
  CHECK(remote.failure(url) == url + ": the server has no such file (HTTP 404); check the address");
  CHECK(calls == 1);
  calls = 0;
  status = 403;
  CHECK(remote.failure(url) ==
        url +
            ": the server refuses it (HTTP 403); give weights_schemes = [{ name = \"http\", "
            "bearer = \"env:NAME\" }], or put the file at " +
            place);
  CHECK(remote.failure("http://127.0.0.1:1/x.torch", VISSL_E_DATA, "", "retries = 1")
            .find("tried 2 times") != std::string::npos);
}

TEST_CASE("http: a stalled connection is given up and resumed") {
  Remote remote;
  std::atomic<int> calls{0};
  const HttpServer server([&](const HttpRequest& request) {
    HttpReply reply = file_reply(request, kBytes, "\"v1\"");
    if (++calls == 1) reply.stalls_after = 1000;
    return reply;
  });
  CHECK(read_file(remote.ask(server.url("/net.torch"), "", "timeout_s = 1.0").place) == kBytes);
  CHECK(server.requests().back().header("range") == "bytes=1000-");
}

TEST_CASE("http: pages, pointers, empty files and cut archives are refused and not kept") {
  Remote remote;
  std::string body = "  <!DOCTYPE html><html><body>Please log in</body></html>";
  const HttpServer server([&](const HttpRequest&) {
    HttpReply reply;
    reply.body = body;
    return reply;
  });
  const std::string url = server.url("/net.torch");
  CHECK(remote.failure(url) ==
        url +
            " answers with a web page instead of a file (a login, or a proxy's notice?); open the "
            "address in a browser to see what it says");
  body = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n";
  CHECK(remote.failure(url) ==
        url +
            " answers with a pointer of Git LFS instead of the file; use the address of the file "
            "itself (…/resolve/… or …/media/…)");
  body = "PK\x03\x04" + kBytes;
  CHECK(remote.failure(url) ==
        url + " ends in the middle of the archive; the file on the server is damaged");
  CHECK(remote.files() == 0);
}

TEST_CASE("http: a notice in place of the file is not kept, and the repaired server is asked") {
  Remote remote;
  std::string body;
  const HttpServer server(
      [&](const HttpRequest& request) { return file_reply(request, body, "\"v1\""); });
  const std::string look =
      " instead of a file of weights; open the address in a browser to see what it says";
  const std::pair<std::string, std::string> notices[] = {
      {"", "nothing; the file on the server is damaged"},
      {" {\"error\": \"no\"}", "an error in JSON" + look},
      {"{\n  \"detail\": \"Not Found\"\n}\n", "an error in JSON" + look},
      {"[\"a\", \"b\"]" + std::string(100000, ' '), "JSON" + look},
      {"could not read it.", "text" + look},
      {"Zu viele Anfragen f\xC3\xBCr heute\r\n", "text" + look},
      {"(sorry, not\nnow.", "text" + look},
      {std::string("\xFF\xFE<\0h\0t\0m\0l\0>\0", 14), "text in UTF-16" + look},
      {std::string(5000, '\0'), "nothing but zeros; the file on the server is damaged"},
      {"<Error><Code>AccessDenied</Code></Error>",
       "a web page instead of a file (a login, or a proxy's notice?); open the address in a "
       "browser to see what it says"},
  };
  for (std::size_t i = 0; i < std::size(notices); ++i) {
    CAPTURE(i);
    body = notices[i].first;
    const std::string url = server.url("/net" + std::to_string(i) + ".pth");
    CHECK(remote.failure(url) == url + " answers with " + notices[i].second);
    CHECK(remote.files() == i);
    body = kBytes;
    const auto got = remote.ask(url);
    CHECK(got.warnings.empty());
    CHECK(read_file(got.place) == kBytes);
  }
}

TEST_CASE("http: safetensors that end inside their header are not kept") {
  Remote remote;
  std::string body = std::string("\x40\0\0\0\0\0\0\0{\"a\":", 13);
  const HttpServer server(
      [&](const HttpRequest& request) { return file_reply(request, body, "\"v1\""); });
  const std::string url = server.url("/net.safetensors");
  CHECK(remote.failure(url) ==
        url + " ends in the middle of the archive; the file on the server is damaged");
  CHECK(remote.files() == 0);
  body = std::string("\x02\0\0\0\0\0\0\0{}", 10);
  CHECK(read_file(remote.ask(url).place) == body);
}

TEST_CASE("http: a server that gives a notice is asked once more") {
  Remote remote;
  std::atomic<int> calls{0};
  const HttpServer server([&](const HttpRequest& request) {
    return file_reply(request, ++calls == 1 ? "busy, come again" : kBytes, "\"v1\"");
  });
  const std::string url = server.url("/net.pth");
  const auto got = remote.ask(url);
  CHECK(read_file(got.place) == kBytes);
  CHECK(got.warnings ==
        std::vector<std::string>{url + " answers with text instead of a file; trying again"});
  calls = 0;
  CHECK(remote.failure(server.url("/once.pth"), VISSL_E_DATA, "", "retries = 0")
            .find("/once.pth answers with text instead of a file of weights; ") !=
        std::string::npos);
  CHECK(calls == 1);
}

TEST_CASE("http: a notice that an earlier release kept, with its notes, is fetched again") {
  Remote remote;
  const std::string notice = "{\"error\": \"no\"}";
  const HttpServer server(gives(kBytes));
  const std::string url = server.url("/net.pth");
  const fs::path place =
      remote.cache() / ("http:127.0.0.1:" + std::to_string(server.port())) / "net.pth";
  fs::create_directories(place.parent_path());
  write_file(place, notice);
  write_file(place.string() + ".check", "url " + url + "\nvalidator \"v1\"\nsha256 " +
                                            sha256(notice) + "\nsize " +
                                            std::to_string(notice.size()) + "\nmtime_ns 1\n");
  CHECK(remote.failure(url, VISSL_E_DATA, "", "offline = true").find(" is not cached, ") !=
        std::string::npos);
  const auto got = remote.ask(url);
  CHECK(got.warnings ==
        std::vector<std::string>{
            place.string() + " holds an error in JSON instead of weights; it is fetched again"});
  CHECK(read_file(got.place) == kBytes);
  CHECK(server.requests().back().header("if-none-match") == "");
}

TEST_CASE("http: text that was asked for is no notice: an index, a pickle of text, a pinned one") {
  Remote remote;
  std::string body;
  const HttpServer server([&](const HttpRequest&) {
    HttpReply reply;
    reply.body = body;
    return reply;
  });
  const auto gives_back = [&](const std::string& text, const std::string& name,
                              const std::string& pin = "") {
    body = text;
    return read_file(remote.ask(server.url(name), pin).place) == text;
  };
  CHECK(gives_back("{\"weight_map\": {\"a\": \"b.safetensors\"}}", "/a.index.json"));
  CHECK(gives_back("layers: 3\n", "/config.yaml"));
  CHECK(gives_back("(dp0\nS'a'\np1\nI1\ns.", "/protocol0.pkl"));
  CHECK(gives_back("cnumpy\nndarray\n.", "/global.pkl"));
  // A header of '{' = 123 bytes.
  CHECK(gives_back("{" + std::string(7, '\0') + "{\"a\": 1}" + std::string(115, ' '),
                   "/a.safetensors"));
  CHECK(gives_back(std::string(70000, '7'), "/numbers"));  // perhaps a plugin's format
  CHECK(gives_back("pinned", "/a.weights", sha256("pinned")));
  body = "{ \"error\": \"gone\" }";
  CHECK(remote.failure(server.url("/b.index.json")).find("answers with an error in JSON") !=
        std::string::npos);
  body = "gone";
  CHECK(remote.failure(server.url("/b.index.json")).find("answers with text") != std::string::npos);
}

TEST_CASE("http: the disk's troubles name the file and the way out") {
  Remote remote;
  const HttpServer server(gives(kBytes));
  const fs::path folder = remote.cache() / ("http:127.0.0.1:" + std::to_string(server.port()));
  fs::create_directories(folder);
  fs::create_symlink("/dev/full", folder / "net.torch.partial");
  CHECK(
      remote.failure(server.url("/net.torch"), VISSL_E_FAILED) ==
      "cannot write " + (folder / "net.torch.partial").string() +
          ": No space left on device; make room there, or set another cache_dir for the scheme in "
          "weights_schemes");
  CHECK(remote.files() == 0);
  // What the server announces and the disk cannot hold is not begun.
  const HttpServer huge([](const HttpRequest&) {
    HttpReply reply;
    reply.announces_length = false;
    reply.headers.emplace_back("Content-Length", "4000000000000000");
    reply.body = "x";
    return reply;
  });
  CHECK(remote.failure(huge.url("/huge.torch"), VISSL_E_FAILED).find("No space left") !=
        std::string::npos);
  CHECK(remote.files() == 0);
  fs::remove_all(remote.cache());
  write_file(remote.cache(), "in the way");
  const std::string way_out =
      "; name a folder that can be written as cache_dir of the scheme in weights_schemes, or as "
      "XDG_CACHE_HOME";
  CHECK(remote.failure(server.url("/net.torch"), VISSL_E_FAILED) ==
        "cannot write " + folder.string() + ": " + remote.cache().string() +
            " is a file, not a folder" + way_out);
  fs::remove(remote.cache());
  fs::create_directories(folder / "net.torch.lock");
  CHECK(remote.failure(server.url("/net.torch"), VISSL_E_FAILED) ==
        "cannot write " + (folder / "net.torch.lock").string() + ": Is a directory" + way_out);
}

TEST_CASE("http: mirrors replace beginnings or what a regular expression finds") {
  Remote remote;
  const HttpServer mirror([](const HttpRequest& request) {
    HttpReply reply;
    reply.body = weights(request.target + request.header("authorization"));
    return reply;
  });
  const std::string rules = "bearer = \"env:HOME\"\nmirrors = { \"http://old.example/zoo/\" = \"" +
                            mirror.url("/a/") + "\", \"^http://(\\\\w+)\\\\.example/(.*)$\" = \"" +
                            mirror.url("/$1/$2") + "\" }";
  CHECK(read_file(remote.ask("http://old.example/zoo/x", "", rules).place) == weights("/a/x"));
  CHECK(read_file(remote.ask("http://new.example/y/z", "", rules).place) == weights("/new/y/z"));
  CHECK(fs::exists(remote.cache() / "http:new.example/y/z"));
  CHECK(remote.failure("http://a/b", VISSL_E_CONFIG, "", "mirrors = { \"^(\" = \"x\" }")
            .find("'mirrors': '^(' is no regular expression") == 0);
}

TEST_CASE("http: a proxy of the environment is used, and not for the servers of no_proxy") {
  Remote remote;
  const HttpServer proxy([](const HttpRequest& request) {
    HttpReply reply;
    reply.body = weights("through the proxy: " + request.target);
    return reply;
  });
  const HttpServer server(gives(weights("direct")));
  ::setenv("http_proxy", proxy.url("").c_str(), 1);
  CHECK(read_file(remote.ask("http://far.example/net.torch").place) ==
        weights("through the proxy: http://far.example/net.torch"));
  ::setenv("no_proxy", "127.0.0.1", 1);
  CHECK(read_file(remote.ask(server.url("/net.torch")).place) == weights("direct"));
  ::unsetenv("http_proxy");
  ::setenv("HTTP_PROXY", proxy.url("").c_str(), 1);
  CHECK(read_file(remote.ask("http://far.example/capitals.torch").place) ==
        weights("through the proxy: http://far.example/capitals.torch"));
  CHECK(read_file(remote.ask(server.url("/other.torch")).place) == weights("direct"));
  ::unsetenv("HTTP_PROXY");
  ::unsetenv("no_proxy");
}

TEST_CASE("http: what is no address, and secrets in the config, are errors of the config") {
  Remote remote;
  CHECK(remote.failure("ftp://x/y", VISSL_E_CONFIG) ==
        "'ftp://x/y' is no address: it must begin with http:// or https://");
  CHECK(remote.failure("http:///y", VISSL_E_CONFIG) ==
        "'http:///y' is no address: it names no server");
  CHECK(remote.failure("http://a.example/models/") ==
        "http://a.example/models/ names no file; an address of weights ends in one");
  CHECK(remote.failure("http://a/b", VISSL_E_CONFIG, "", "bearer = \"abc\"") ==
        "'bearer' must be \"env:NAME\", the variable that holds it: a run folder keeps the config, "
        "and a secret is not to be in it");
  CHECK(remote.failure("http://a/b", VISSL_E_CONFIG, "", "bearer = \"env:NOT_THERE\"") ==
        "'bearer' names the variable 'NOT_THERE', which is not set");
  const std::string signed_url = "http://a.example/b?size=3&X-Amz-Signature=abc&token=d";
  const std::string text = remote.failure(signed_url, VISSL_E_DATA, "", "offline = true");
  CHECK(text.find("http://a.example/b?size=***&X-Amz-Signature=***&token=*** is not cached") == 0);
}

TEST_CASE(
    "http: no message and no note of the cache has what stands before the server or in a query") {
  Remote remote;
  std::atomic<int> status{200};
  const HttpServer server([&](const HttpRequest& request) {
    HttpReply reply = file_reply(request, kBytes, "\"v1\"");
    reply.status = status;
    return reply;
  });
  const std::string place = "127.0.0.1:" + std::to_string(server.port());
  const std::string url = "http://bob:HUNTER2@" + place + "/a.torch?token=SECRET&BARE";
  const auto got = remote.ask(url);
  REQUIRE(server.requests().size() == 1);
  CHECK(server.requests()[0].target == "/a.torch?token=SECRET&BARE");
  CHECK(server.requests()[0].header("authorization") == "Basic Ym9iOkhVTlRFUjI=");
  const std::string shown = "http://" + place + "/a.torch?token=***&***";
  REQUIRE(got.infos.size() == 2);
  CHECK(got.infos[0] == "Downloading: \"" + shown + "\" to " + got.place);
  CHECK(got.infos[1] == "URL " + shown + " cached in " + got.place);
  status = 403;
  const std::string other = replaced(url, "a.torch", "b.torch");
  CHECK(remote.failure(other).find(replaced(shown, "a.torch", "b.torch") +
                                   ": the server refuses") == 0);
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(remote.folder.path())) {
    if (!entry.is_regular_file()) continue;
    ++files;
    const std::string all = entry.path().string() + read_file(entry.path());
    for (const char* word : {"HUNTER2", "SECRET", "BARE"})
      CHECK(all.find(word) == std::string::npos);
  }
  CHECK(files >= 4);  // the file, its notes and two locks
}

TEST_CASE("http: several processes that want one file make one request") {
  Remote remote;
  const HttpServer server([](const HttpRequest& request) {
    HttpReply reply = file_reply(request, kBytes, "\"v1\"");
    reply.delay_ms = request.target == "/gone.torch" ? 300 : 200;
    if (request.target == "/gone.torch") reply.status = 403;
    return reply;
  });
  const auto run = [&](const std::string& path, const std::string& expected) {
    ::setenv("REMOTE_TEST_URL", server.url(path).c_str(), 1);
    ::setenv("REMOTE_TEST_CACHE", remote.cache().c_str(), 1);
    ::setenv("REMOTE_TEST_EXPECTED", expected.c_str(), 1);
    const std::string one = fs::read_symlink("/proc/self/exe").string() +
                            " -ns -tc='http: helper that asks for one file' >/dev/null & ";
    return std::system(("set -e; pids=; for i in 1 2 3 4; do " + one +
                        " pids=\"$pids $!\"; done; for p in $pids; do wait $p; done")
                           .c_str());
  };
  CHECK(run("/net.torch", "") == 0);
  CHECK(server.requests().size() == 1);
  CHECK(remote.files() == 1);
  // Those who wait hear why it failed.
  CHECK(run("/gone.torch", "HTTP 403") == 0);
  CHECK(server.requests().size() == 2);
}

TEST_CASE("http: a download whose process is killed leaves no file, and is gone on with") {
  Remote remote;
  std::atomic<bool> stalls{true};
  const HttpServer server([&](const HttpRequest& request) {
    HttpReply reply = file_reply(request, kBytes, "\"v1\"");
    if (stalls) reply.stalls_after = 60000;
    return reply;
  });
  const std::string url = server.url("/net.torch");
  ::setenv("REMOTE_TEST_URL", url.c_str(), 1);
  ::setenv("REMOTE_TEST_CACHE", remote.cache().c_str(), 1);
  ::setenv("REMOTE_TEST_EXPECTED", "killed", 1);
  const fs::path place =
      remote.cache() / ("http:127.0.0.1:" + std::to_string(server.port())) / "net.torch";
  const fs::path half = place.string() + ".partial";
  const std::string self = fs::read_symlink("/proc/self/exe").string();
  const pid_t process = ::fork();
  if (process == 0) {
    ::execl(self.c_str(), self.c_str(), "-ns", "-tc=http: helper that asks for one file",
            static_cast<char*>(nullptr));
    ::_exit(127);
  }
  std::error_code absent;
  for (int i = 0; i < 1000 && !(fs::exists(half) && fs::file_size(half, absent) == 60000); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ::kill(process, SIGKILL);
  int status = 0;
  ::waitpid(process, &status, 0);
  CHECK(WIFSIGNALED(status));
  CHECK(fs::file_size(half) == 60000);
  CHECK(!fs::exists(place));
  CHECK(remote.failure(url, VISSL_E_DATA, "", "offline = true").find("is not cached") !=
        std::string::npos);
  stalls = false;
  CHECK(read_file(remote.ask(url).place) == kBytes);
  CHECK(server.requests().back().header("range") == "bytes=60000-");
  CHECK(!fs::exists(half));
}

TEST_CASE("http: helper that asks for one file" * doctest::skip()) {
  vissl::test::Host host;
  host.load(std::string(VISSL_PLUGIN_DIR) + "/remote.so");
  const auto scheme =
      host.component("weights_scheme", "http")
          .create("cache_dir = \"" + std::string(::getenv("REMOTE_TEST_CACHE")) + "\"");
  const std::string expected = ::getenv("REMOTE_TEST_EXPECTED");
  try {
    const auto got = vissl::test::ask_for_weights(scheme, ::getenv("REMOTE_TEST_URL"));
    CHECK(expected == "");
    CHECK(read_file(got.place) == kBytes);
  } catch (const vissl::Failure& failure) {
    REQUIRE(expected != "");
    CHECK(std::string(failure.what()).find(expected) != std::string::npos);
  }
}
