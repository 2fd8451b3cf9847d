// The weights schemes "s3", "minio" and "oss": objects of stores that speak Amazon's protocol,
// signed with AWS Signature Version 4 by libcurl. s3://bucket/key; with a prefix of its own, as
// EssentialMC2's MinIO client has ("bucket/key"), the scheme may be missing.
#include <vissl/plugin.hpp>
#include <vissl/weights_scheme.hpp>

#include <fstream>

#include "digest.hpp"
#include "download.hpp"

namespace {

using remote::environment;

// Where a store is and who asks.
struct Store {
  std::string endpoint;  // "https://s3.eu-west-1.amazonaws.com"
  std::string region;
  bool bucket_in_host = false;
  std::string access_key, secret_key, session_token;
  std::string how_to_sign;  // for those without keys
};

std::string first_of(std::initializer_list<std::string> values) {
  for (const std::string& value : values)
    if (!value.empty()) return value;
  return "";
}

std::string with_protocol(const std::string& endpoint, const char* protocol) {
  return endpoint.find("://") != std::string::npos ? endpoint : protocol + endpoint;
}

void common_params(vissl::Params& p, const char* endpoint, const char* access, const char* secret,
                   const char* token) {
  remote::Settings::params(p);
  p.string("endpoint", "", endpoint);
  p.string("region", "", "Region that the signature names.");
  p.string("access_key", "",
           std::string("\"env:NAME\": the variable that holds the access key; ") + access +
               " without it.");
  p.string("secret_key", "",
           std::string("\"env:NAME\": the variable that holds the secret key; ") + secret +
               " without it.");
  p.string("session_token", "",
           std::string("\"env:NAME\": the variable that holds a session's token; ") + token +
               " without it.");
}

// Objects of one store.
class ObjectStore {
 public:
  static constexpr bool checks_content = true;

  ObjectStore(const vissl::Config& c, Store store) : settings_(c), store_(std::move(store)) {
    const bool half = store_.access_key.empty() != store_.secret_key.empty();
    if (half)
      vissl::fail(VISSL_E_CONFIG, std::string("there is an access key or a secret key, but not "
                                              "both; ") +
                                      store_.how_to_sign);
  }

  std::string resolve(const vissl::WeightsRequest& request) const {
    std::string_view object = request.locator();
    const std::size_t mark = object.find("://");
    if (mark != std::string_view::npos) object.remove_prefix(mark + 3);
    const std::size_t slash = object.find('/');
    const std::string bucket(object.substr(0, slash));
    const std::string key(slash == std::string_view::npos ? "" : object.substr(slash + 1));
    if (bucket.empty() || key.empty())
      vissl::fail(VISSL_E_DATA, "it names no object: it must have the form …://bucket/key");

    remote::Wanted wanted;
    wanted.url = remote::parse_url(store_.endpoint);
    const std::string base = wanted.url.path == "/" ? "" : wanted.url.path;
    wanted.url.path = base + (store_.bucket_in_host ? "" : "/" + remote::percent_encode(bucket)) +
                      "/" + remote::percent_encode(key);
    if (store_.bucket_in_host) wanted.url.host = bucket + "." + wanted.url.host;
    if (store_.access_key.empty()) {
      wanted.on_refusal = "no access key was found: " + store_.how_to_sign;
    } else {
      wanted.credentials.user = store_.access_key + ":" + store_.secret_key;
      wanted.credentials.sigv4 = "aws:amz:" + store_.region + ":s3";
      // Stores want it signed, and not every libcurl adds it by itself.
      wanted.credentials.headers.push_back(std::string("x-amz-content-sha256: ") +
                                           remote::sha256_of_text(""));
      if (!store_.session_token.empty())
        wanted.credentials.headers.push_back("x-amz-security-token: " + store_.session_token);
      wanted.on_refusal = "check the access key, its rights and the region '" + store_.region + "'";
    }
    return remote::fetch(settings_, wanted, request);
  }

 private:
  remote::Settings settings_;
  Store store_;
};

// "aws_access_key_id" … of a profile in ~/.aws/credentials.
std::string shared_credential(const std::string& profile, const std::string& wanted) {
  const std::string path = first_of(
      {environment("AWS_SHARED_CREDENTIALS_FILE"), environment("HOME") + "/.aws/credentials"});
  std::ifstream file(path);
  std::string line, section;
  while (std::getline(file, line)) {
    const auto trim = [](const std::string& text) {
      const std::size_t first = text.find_first_not_of(" \t\r");
      return first == std::string::npos
                 ? ""
                 : text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
    };
    line = trim(line);
    if (!line.empty() && line.front() == '[') section = trim(line.substr(1, line.find(']') - 1));
    const std::size_t equals = line.find('=');
    if (equals != std::string::npos && section == profile && trim(line.substr(0, equals)) == wanted)
      return trim(line.substr(equals + 1));
  }
  return "";
}

class S3 : public ObjectStore {
 public:
  static void params(vissl::Params& p) {
    common_params(p,
                  "Address of the store; AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL or Amazon's without "
                  "it.",
                  "AWS_ACCESS_KEY_ID or ~/.aws/credentials",
                  "AWS_SECRET_ACCESS_KEY or ~/.aws/credentials", "AWS_SESSION_TOKEN");
    p.string("profile", "", "Section of ~/.aws/credentials; AWS_PROFILE or 'default' without it.");
    p.string("addressing", "auto", vissl::one_of("auto", "path", "host"),
             "Where the bucket stands: in the path, in the server's name, or 'auto': in Amazon's "
             "server names only.");
  }
  explicit S3(const vissl::Config& c) : ObjectStore(c, store(c)) {}

 private:
  static Store store(const vissl::Config& c) {
    Store s;
    s.region = first_of({c.string("region"), environment("AWS_REGION"),
                         environment("AWS_DEFAULT_REGION"), "us-east-1"});
    const std::string given = first_of({c.string("endpoint"), environment("AWS_ENDPOINT_URL_S3"),
                                        environment("AWS_ENDPOINT_URL")});
    const std::string suffix = s.region.compare(0, 3, "cn-") == 0 ? ".cn" : "";
    s.endpoint = with_protocol(given.empty() ? "s3." + s.region + ".amazonaws.com" + suffix : given,
                               "https://");
    const std::string addressing = c.string("addressing");
    s.bucket_in_host = addressing == "host" || (addressing == "auto" && given.empty());
    const std::string profile =
        first_of({c.string("profile"), environment("AWS_PROFILE"), "default"});
    s.access_key = remote::secret(c, "access_key", "AWS_ACCESS_KEY_ID");
    s.secret_key = remote::secret(c, "secret_key", "AWS_SECRET_ACCESS_KEY");
    s.session_token = remote::secret(c, "session_token", "AWS_SESSION_TOKEN");
    if (s.access_key.empty() && s.secret_key.empty()) {
      s.access_key = shared_credential(profile, "aws_access_key_id");
      s.secret_key = shared_credential(profile, "aws_secret_access_key");
      s.session_token =
          first_of({s.session_token, shared_credential(profile, "aws_session_token")});
    }
    s.how_to_sign = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
    return s;
  }
};

class Minio : public ObjectStore {
 public:
  static void params(vissl::Params& p) {
    common_params(p,
                  "Address of the server, http:// unless it says https://; MINIO_ENDPOINT "
                  "without it.",
                  "MINIO_ACCESS_KEY or AWS_ACCESS_KEY_ID",
                  "MINIO_SECRET_KEY or AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN");
  }
  explicit Minio(const vissl::Config& c) : ObjectStore(c, store(c)) {}

 private:
  static Store store(const vissl::Config& c) {
    Store s;
    s.endpoint =
        with_protocol(first_of({c.string("endpoint"), environment("MINIO_ENDPOINT")}), "http://");
    if (s.endpoint == "http://")
      vissl::fail(VISSL_E_CONFIG,
                  "'endpoint' is missing: give the address of the MinIO server, or "
                  "set MINIO_ENDPOINT");
    s.region = first_of({c.string("region"), environment("AWS_REGION"), "us-east-1"});
    s.access_key = first_of(
        {remote::secret(c, "access_key", "MINIO_ACCESS_KEY"), environment("AWS_ACCESS_KEY_ID")});
    s.secret_key = first_of({remote::secret(c, "secret_key", "MINIO_SECRET_KEY"),
                             environment("AWS_SECRET_ACCESS_KEY")});
    s.session_token = remote::secret(c, "session_token", "AWS_SESSION_TOKEN");
    s.how_to_sign = "set MINIO_ACCESS_KEY and MINIO_SECRET_KEY";
    return s;
  }
};

class Oss : public ObjectStore {
 public:
  static void params(vissl::Params& p) {
    common_params(p,
                  "Server of the region, such as oss-cn-beijing.aliyuncs.com; OSS_ENDPOINT without "
                  "it.",
                  "OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN");
  }
  explicit Oss(const vissl::Config& c) : ObjectStore(c, store(c)) {}

 private:
  // OSS answers to Amazon's protocol at "s3." before its own server names, with the bucket before
  // both.
  static Store store(const vissl::Config& c) {
    Store s;
    const std::string given = first_of({c.string("endpoint"), environment("OSS_ENDPOINT")});
    if (given.empty())
      vissl::fail(VISSL_E_CONFIG,
                  "'endpoint' is missing: give the server of the bucket's region, "
                  "such as oss-cn-beijing.aliyuncs.com, or set OSS_ENDPOINT");
    remote::Url url = remote::parse_url(with_protocol(given, "https://"));
    const std::string aliyun = ".aliyuncs.com";
    const bool is_aliyun =
        url.host.size() > aliyun.size() &&
        url.host.compare(url.host.size() - aliyun.size(), aliyun.size(), aliyun) == 0;
    std::string name = url.host.compare(0, 3, "s3.") == 0 ? url.host.substr(3) : url.host;
    if (is_aliyun) url.host = "s3." + name;
    name = name.substr(0, name.find('.'));
    const std::size_t internal = name.rfind("-internal");
    if (internal != std::string::npos) name.resize(internal);
    s.endpoint = url.text();
    s.bucket_in_host = true;
    s.region = first_of({c.string("region"), is_aliyun ? name : std::string(), "oss"});
    s.access_key = remote::secret(c, "access_key", "OSS_ACCESS_KEY_ID");
    s.secret_key = remote::secret(c, "secret_key", "OSS_ACCESS_KEY_SECRET");
    s.session_token = remote::secret(c, "session_token", "OSS_SESSION_TOKEN");
    s.how_to_sign = "set OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET";
    return s;
  }
};

}  // namespace

VISSL_WEIGHTS_SCHEME(S3, "s3", "Objects of Amazon S3, or of a store that speaks its protocol.")
VISSL_WEIGHTS_SCHEME(Minio, "minio", "Objects of a MinIO server.")
VISSL_WEIGHTS_SCHEME(Oss, "oss", "Objects of Alibaba's OSS.")
