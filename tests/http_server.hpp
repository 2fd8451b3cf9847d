#pragma once
// A small HTTP/1.1 server on 127.0.0.1 for tests of downloads: it can redirect, cut, stall and lie.
// One thread per connection; every answer closes it.
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace vissl::test {

struct HttpRequest {
  std::string method;
  std::string target;  // as it was sent: "/a%20b?x=1", or absolute for a proxy
  std::map<std::string, std::string> headers;  // names in lower case
  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

struct HttpReply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::size_t dies_after = std::string::npos;    // bytes of the body, then the connection is reset
  std::size_t ends_after = std::string::npos;    // bytes of the body, then it is closed
  std::size_t stalls_after = std::string::npos;  // bytes of the body, then nothing until the end
  bool announces_length = true;
  int delay_ms = 0;  // before the answer
};

class HttpServer {
 public:
  using Handler = std::function<HttpReply(const HttpRequest& request)>;
  explicit HttpServer(Handler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  int port() const { return port_; }
  std::string url(const std::string& path) const;  // "http://127.0.0.1:PORT/path"
  std::vector<HttpRequest> requests() const;       // so far

 private:
  void accept_all();
  void serve(int connection);
  void send_reply(int connection, const HttpReply& reply);

  Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::vector<HttpRequest> requests_;
  std::vector<std::thread> connections_;
  std::thread acceptor_;
};

// The content with its ETag, as a server of files gives it: Range and If-Range are obeyed, 416 for
// what lies beyond the end, 304 for If-None-Match.
HttpReply file_reply(const HttpRequest& request, const std::string& content,
                     const std::string& etag);

// Why the request's AWS Signature Version 4 is not that of `secret_key`; empty = it is. Computed
// from the published rules with the host's SHA-256, without libcurl or OpenSSL.
std::string signature_fault(const HttpRequest& request, const std::string& access_key,
                            const std::string& secret_key, const std::string& region);

}  // namespace vissl::test
