#include "http_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <stdexcept>

namespace vissl::test {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

HttpRequest parse(const std::string& head) {
  HttpRequest request;
  std::size_t at = head.find("\r\n");
  const std::string line = head.substr(0, at);
  const std::size_t first = line.find(' '), last = line.rfind(' ');
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, last - first - 1);
  while (at + 2 < head.size()) {
    const std::size_t end = head.find("\r\n", at + 2);
    const std::string field = head.substr(at + 2, end - at - 2);
    const std::size_t colon = field.find(':');
    if (colon != std::string::npos)
      request.headers[lower(field.substr(0, colon))] = trimmed(field.substr(colon + 1));
    at = end == std::string::npos ? head.size() : end;
  }
  return request;
}

void send_all(int connection, const char* data, std::size_t bytes) {
  while (bytes != 0) {
    const ssize_t sent = ::send(connection, data, bytes, MSG_NOSIGNAL);
    if (sent <= 0) return;  // the client went away, which some tests make it do
    data += sent;
    bytes -= static_cast<std::size_t>(sent);
  }
}

}  // namespace

HttpServer::HttpServer(Handler handler) : handler_(std::move(handler)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* general = reinterpret_cast<sockaddr*>(&address);
  if (listener_ < 0 || ::bind(listener_, general, size) != 0 || ::listen(listener_, 32) != 0 ||
      ::getsockname(listener_, general, &size) != 0)
    throw std::runtime_error("cannot listen on 127.0.0.1");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

HttpServer::~HttpServer() {
  stopping_ = true;
  acceptor_.join();
  for (std::thread& connection : connections_) connection.join();
  ::close(listener_);
}

std::string HttpServer::url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + path;
}

std::vector<HttpRequest> HttpServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void HttpServer::accept_all() {
  while (!stopping_) {
    pollfd ready{listener_, POLLIN, 0};
    if (::poll(&ready, 1, 20) <= 0) continue;
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection >= 0) connections_.emplace_back([this, connection] { serve(connection); });
  }
}

void HttpServer::serve(int connection) {
  std::string head;
  char block[4096];
  while (head.find("\r\n\r\n") == std::string::npos) {
    const ssize_t bytes = ::recv(connection, block, sizeof block, 0);
    if (bytes <= 0) break;
    head.append(block, static_cast<std::size_t>(bytes));
  }
  if (head.find("\r\n\r\n") != std::string::npos) {
    const HttpRequest request = parse(head);
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    send_reply(connection, handler_(request));
  }
  ::close(connection);
}

void HttpServer::send_reply(int connection, const HttpReply& reply) {
  std::this_thread::sleep_for(std::chrono::milliseconds(reply.delay_ms));
  std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " Status\r\n";
  for (const auto& [name, value] : reply.headers) head += name + ": " + value + "\r\n";
  if (reply.announces_length)
    head += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n";
  head += "Connection: close\r\n\r\n";
  send_all(connection, head.data(), head.size());
  const std::size_t bytes =
      std::min({reply.body.size(), reply.dies_after, reply.ends_after, reply.stalls_after});
  send_all(connection, reply.body.data(), bytes);
  if (reply.stalls_after != std::string::npos) {
    pollfd gone{connection, POLLRDHUP, 0};
    while (!stopping_ && ::poll(&gone, 1, 20) == 0) continue;
  }
  if (reply.dies_after != std::string::npos) {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));  // what was sent arrives first
    const linger reset{1, 0};
    ::setsockopt(connection, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
}

HttpReply file_reply(const HttpRequest& request, const std::string& content,
                     const std::string& etag) {
  HttpReply reply;
  if (!etag.empty()) reply.headers.emplace_back("ETag", etag);
  if (!etag.empty() && request.header("if-none-match") == etag) {
    reply.status = 304;
    reply.announces_length = false;
    return reply;
  }
  const std::string range = request.header("range"), if_range = request.header("if-range");
  if (range.compare(0, 6, "bytes=") != 0 || (!if_range.empty() && if_range != etag)) {
    reply.body = content;
    return reply;
  }
  const std::size_t first = std::stoull(range.substr(6));
  if (first >= content.size()) {
    reply.status = 416;
    reply.headers.emplace_back("Content-Range", "bytes */" + std::to_string(content.size()));
    return reply;
  }
  reply.status = 206;
  reply.headers.emplace_back("Content-Range", "bytes " + std::to_string(first) + "-" +
                                                  std::to_string(content.size() - 1) + "/" +
                                                  std::to_string(content.size()));
  reply.body = content.substr(first);
  return reply;
}

}  // namespace vissl::test
