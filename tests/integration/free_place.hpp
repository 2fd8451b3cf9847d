#pragma once
// An address of this machine where nobody listens, for ranks to meet at.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

namespace vissl::test {

// A port of the loopback interface that nobody else has while the object lives.
class Port {
 public:
  enum class State { bound, listening };
  explicit Port(State state) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket_, generic, size) != 0 ||
        (state == State::listening && ::listen(socket_, 1) != 0) ||
        ::getsockname(socket_, generic, &size) != 0)
      throw std::runtime_error("no port of 127.0.0.1 can be had");
    place_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~Port() { ::close(socket_); }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  const std::string& place() const { return place_; }

 private:
  int socket_;
  std::string place_;
};

inline std::string free_place() {
  return Port(Port::State::bound).place();
}

}  // namespace vissl::test
