#include "remote_test.hpp"

using namespace remote_test;
using vissl::test::signature_fault;

namespace {

const std::string kBytes = random_bytes(50000);

// A store that checks every signature; the first answer ends early.
HttpServer::Handler store(const std::string& region, std::string& fault) {
  return [region, &fault, calls = 0](const HttpRequest& request) mutable {
    HttpReply reply = file_reply(request, kBytes, "\"e\"");
    if (++calls == 1) reply.ends_after = 20000;
    fault = signature_fault(request, "AKIDEXAMPLE", "wJalr/secret+key", region);
    if (!fault.empty()) {
      reply = HttpReply();
      reply.status = 403;
      reply.body = "<?xml version=\"1.0\"?><Error><Code>SignatureDoesNotMatch</Code></Error>";
    }
    return reply;
  };
}

// With a store that accepts one pair of keys.
struct SignedStore : Remote {
  explicit SignedStore(const char* region) : server(store(region, fault)) {}
  void set_keys(const char* id_variable, const char* secret_variable) const {
    ::setenv(id_variable, "AKIDEXAMPLE", 1);
    ::setenv(secret_variable, "wJalr/secret+key", 1);
  }
  void check_gives(const std::string& locator, const std::string& toml, const char* scheme) {
    const auto got = ask(locator, "", toml, scheme);
    INFO(fault);
    CHECK(read_file(got.place) == kBytes);
  }

  std::string fault;
  const HttpServer server;
};

}  // namespace

TEST_CASE("s3: requests are signed, also those that go on after a cut") {
  SignedStore remote("eu-west-1");
  remote.set_keys("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
  const std::string toml =
      "endpoint = \"" + remote.server.url("") + "\"\nregion = \"eu-west-1\"\ntorch_hub = false";
  for (const char* locator : {"s3://bucket/dir/net.torch", "open-mmlab:s3://bucket/a b+c=(é)~.pth"})
    remote.check_gives(locator, toml, "s3");
  const auto requests = remote.server.requests();
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].target == "/bucket/dir/net.torch");
  CHECK(requests[1].header("range") == "bytes=20000-");
  CHECK(requests[2].target == "/bucket/a%20b%2Bc%3D%28%C3%A9%29~.pth");
}

TEST_CASE("s3: a session's token is signed along") {
  SignedStore remote("us-west-2");
  remote.set_keys("MY_KEY", "MY_SECRET");
  ::setenv("AWS_SESSION_TOKEN", "a session's/token==", 1);
  ::setenv("AWS_DEFAULT_REGION", "us-west-2", 1);
  ::setenv("AWS_ENDPOINT_URL", remote.server.url("").c_str(), 1);
  remote.check_gives("s3://bucket/net.torch",
                     "access_key = \"env:MY_KEY\"\nsecret_key = \"env:MY_SECRET\"", "s3");
  CHECK(remote.server.requests()[0].header("x-amz-security-token") == "a session's/token==");
}

TEST_CASE(
    "s3: keys come from the profile of the credentials file; Amazon's names hold the bucket") {
  SignedStore remote("us-east-1");
  fs::create_directories(remote.folder / ".aws");
  write_file(remote.folder / ".aws/credentials",
             "[default]\naws_access_key_id = no\naws_secret_access_key=no\n[work]\n"
             "aws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = wJalr/secret+key\n");
  for (const char* name : {"all_proxy", "http_proxy"})
    ::setenv(name, remote.server.url("").c_str(), 1);
  remote.check_gives("s3://bucket/net.torch",
                     "profile = \"work\"\naddressing = \"host\"\n"
                     "endpoint = \"http://s3.us-east-1.amazonaws.com\"",
                     "s3");
  CHECK(remote.server.requests()[0].target == "http://bucket.s3.us-east-1.amazonaws.com/net.torch");
  clear_environment();
  CHECK(remote.failure("s3://bucket/net.torch", VISSL_E_DATA, "", "offline = true", "s3")
            .find("https://bucket.s3.us-east-1.amazonaws.com/net.torch is not cached") == 0);
  CHECK(remote
            .failure("s3://bucket/net.torch", VISSL_E_DATA, "",
                     "offline = true\nregion = \"cn-north-1\"", "s3")
            .find("https://bucket.s3.cn-north-1.amazonaws.com.cn/net.torch is") == 0);
}

TEST_CASE("s3: a refusal tells the store's code, the bucket's region, and which keys are missing") {
  Remote remote;
  std::string fault;
  const HttpServer server([&](const HttpRequest& request) {
    HttpReply reply = store("us-east-1", fault)(request);
    reply.headers.emplace_back("x-amz-bucket-region", "eu-west-1");
    return reply;
  });
  const std::string toml = "endpoint = \"" + server.url("") + "\"";
  const std::string url = server.url("/bucket/net.torch");
  const std::string place =
      (remote.cache() / ("http:127.0.0.1:" + std::to_string(server.port())) / "bucket/net.torch")
          .string();
  const std::string begin = url +
                            ": the server refuses it (HTTP 403, SignatureDoesNotMatch; the "
                            "bucket is in region eu-west-1); ";
  CHECK(remote.failure("s3://bucket/net.torch", VISSL_E_DATA, "", toml, "s3") ==
        begin +
            "no access key was found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or put "
            "the file at " +
            place);
  CHECK(fault == "it is not signed");
  ::setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
  CHECK(remote.failure("s3://bucket/net.torch", VISSL_E_CONFIG, "", toml, "s3") ==
        "there is an access key or a secret key, but not both; set AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY");
  ::setenv("AWS_SECRET_ACCESS_KEY", "wrong", 1);
  const std::string text = remote.failure("s3://bucket/net.torch", VISSL_E_DATA, "", toml, "s3");
  CHECK(text == begin +
                    "check the access key, its rights and the region 'us-east-1', or put the "
                    "file at " +
                    place);
  CHECK(fault.find("the signature is wrong") == 0);
  CHECK(remote.failure("s3://bucket", VISSL_E_DATA, "", toml, "s3") ==
        "it names no object: it must have the form …://bucket/key");
  CHECK(remote.failure("s3://bucket/x", VISSL_E_CONFIG, "", "secret_key = \"abc\"", "s3")
            .find("'secret_key' must be \"env:NAME\"") == 0);
}

TEST_CASE("minio: signed, over http unless told, and by bucket/key with a prefix of its own") {
  SignedStore remote("us-east-1");
  remote.set_keys("MINIO_ACCESS_KEY", "MINIO_SECRET_KEY");
  CHECK(remote.failure("minio://bucket/x", VISSL_E_CONFIG, "", "", "minio") ==
        "'endpoint' is missing: give the address of the MinIO server, or set MINIO_ENDPOINT");
  const std::string server = "127.0.0.1:" + std::to_string(remote.server.port());
  ::setenv("MINIO_ENDPOINT", server.c_str(), 1);
  for (const char* locator : {"minio://bucket/net.torch", "bucket/other.torch"})
    remote.check_gives(locator, "", "minio");
  CHECK(remote.server.requests().back().target == "/bucket/other.torch");
}

TEST_CASE("oss: signed, at the store's own server for Amazon's protocol") {
  SignedStore remote("oss-cn-beijing");
  remote.set_keys("OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET");
  CHECK(remote.failure("oss://bucket/x", VISSL_E_CONFIG, "", "", "oss") ==
        "'endpoint' is missing: give the server of the bucket's region, such as "
        "oss-cn-beijing.aliyuncs.com, or set OSS_ENDPOINT");
  ::setenv("http_proxy", remote.server.url("").c_str(), 1);
  remote.check_gives("oss://bucket/dir/net.torch",
                     "endpoint = \"http://oss-cn-beijing-internal.aliyuncs.com\"", "oss");
  CHECK(remote.server.requests()[0].target ==
        "http://bucket.s3.oss-cn-beijing-internal.aliyuncs.com/dir/net.torch");
  clear_environment();
  CHECK(remote
            .failure("oss://bucket/x", VISSL_E_DATA, "",
                     "offline = true\nendpoint = \"oss-cn-beijing.aliyuncs.com\"", "oss")
            .find("https://bucket.s3.oss-cn-beijing.aliyuncs.com/x is not cached") == 0);
}

TEST_CASE("pavi, petrel: schemes without a public server say what to do instead") {
  Remote remote;
  const auto text = [&](const char* name) {
    try {
      vissl::test::ask_for_weights(remote.host.component("weights_scheme", name).create(""),
                                   std::string(name) + "://x");
    } catch (const vissl::Failure& failure) {
      CHECK(failure.status() == VISSL_E_DATA);
      return std::string(failure.what());
    }
    return std::string();
  };
  CHECK(
      text("pavi") ==
      "pavi:// is a model cloud of OpenMMLab's authors, whose client was never published; get the "
      "file from whoever trained it and give its path, or ship a weights scheme plugin 'pavi'");
  CHECK(text("petrel") ==
        "petrel:// needs OpenMMLab's Petrel client, which was never published; the same store "
        "answers to S3: add weights_schemes = [{ name = \"s3\", prefix = \"petrel://\", force = "
        "true, "
        "endpoint = \"http://…\" }] to the config");
}
