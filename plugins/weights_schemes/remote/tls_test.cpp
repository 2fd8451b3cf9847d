// https against a real TLS server with a certificate of the test's own authority.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "remote_test.hpp"

using namespace remote_test;
using vissl::test::read_file;
using vissl::test::write_file;
namespace fs = std::filesystem;

namespace {

// `openssl s_server`, which gives the files of a folder; with -HTTP they are whole replies.
class TlsServer {
 public:
  explicit TlsServer(const fs::path& folder, const char* files = "-WWW")
      : said_(folder / "server.txt") {
    const std::string make =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=test -days "
        "2 -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem";
    REQUIRE(std::system(("cd '" + folder.string() + "' && " + make + " 2>/dev/null").c_str()) == 0);
    process_ = ::fork();
    if (process_ == 0) {
      const int out = ::open(said_.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
      const int in = ::open("/dev/null", O_RDONLY);
      ::dup2(in, 0);
      ::dup2(out, 1);
      ::dup2(out, 2);
      if (::chdir(folder.c_str()) == 0)
        ::execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", files, "-cert",
                 "cert.pem", "-key", "key.pem", static_cast<char*>(nullptr));
      ::_exit(127);
    }
    const std::string mark = "ACCEPT 127.0.0.1:";
    for (int i = 0; i < 1000 && port_.empty(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      const std::string text = read_file(said_);
      const std::size_t at = text.find(mark), end = text.find('\n', at);
      if (at != std::string::npos && end != std::string::npos)
        port_ = text.substr(at + mark.size(), end - at - mark.size());
    }
    REQUIRE(!port_.empty());
  }
  ~TlsServer() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  std::string url(const std::string& path) const { return "https://127.0.0.1:" + port_ + path; }

 private:
  fs::path said_;
  pid_t process_ = -1;
  std::string port_;
};

void forget_authorities() {
  for (const char* name : {"SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE"}) ::unsetenv(name);
}

}  // namespace

TEST_CASE("https: a server is trusted by its authority alone, the user's own included") {
  Remote remote;
  forget_authorities();
  const fs::path folder = remote.folder / "served";
  fs::create_directories(folder);
  const std::string content = random_bytes(100000);
  write_file(folder / "net.torch", content);
  const TlsServer server(folder);
  const std::string url = server.url("/net.torch"), own = (folder / "cert.pem").string();

  const std::string text = remote.failure(url, VISSL_E_DATA, "", "", "https");
  CHECK(text.find(url + ": its certificate cannot be trusted (") == 0);
  CHECK(text.find("); when it is one of your own network, name the file with the certificate of "
                  "its authority in SSL_CERT_FILE or CURL_CA_BUNDLE") != std::string::npos);
  CHECK(remote.files() == 0);

  for (const char* name : {"SSL_CERT_FILE", "CURL_CA_BUNDLE"}) {
    fs::remove_all(remote.cache());
    ::setenv(name, own.c_str(), 1);
    CHECK(read_file(remote.ask(url, "", "", "https").place) == content);
    forget_authorities();
  }
  fs::remove_all(remote.cache());

  // Another name than the certificate's, and a file that holds no certificate.
  ::setenv("SSL_CERT_FILE", own.c_str(), 1);
  const std::string other = replaced(url, "127.0.0.1", "localhost");
  CHECK(remote.failure(other, VISSL_E_DATA, "", "", "https")
            .find(other + ": its certificate cannot be trusted (") == 0);
  ::setenv("SSL_CERT_FILE", (folder / "net.torch").c_str(), 1);
  CHECK(remote.failure(url, VISSL_E_DATA, "", "", "https")
            .find(url + ": its certificate cannot be trusted (") == 0);
  CHECK(remote.files() == 0);
  forget_authorities();
}

TEST_CASE("https: a server that leads to http is not followed") {
  Remote remote;
  forget_authorities();
  const fs::path folder = remote.folder / "served";
  fs::create_directories(folder);
  write_file(folder / "net.torch",
             "HTTP/1.0 302 Found\r\nLocation: http://127.0.0.1:1/net.torch\r\n\r\n");
  const TlsServer server(folder, "-HTTP");
  ::setenv("SSL_CERT_FILE", (folder / "cert.pem").c_str(), 1);
  CHECK(remote.failure(server.url("/net.torch"), VISSL_E_DATA, "", "", "https") ==
        server.url("/net.torch") +
            " leads from https to http://127.0.0.1:1/net.torch, which anybody on the way could "
            "change; use that address itself if you trust it");
  forget_authorities();
}
