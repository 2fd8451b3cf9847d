#include "host/runtime/dist/store.hpp"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

namespace vissl::host {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// One address of several may swallow what is sent to it.
constexpr milliseconds kOneAttempt{3'000}, kNextAttempt{100};

int until_then(Clock::time_point until) {
  const auto left = std::chrono::duration_cast<milliseconds>(until - Clock::now());
  return static_cast<int>(std::clamp(left, milliseconds(0), kOneAttempt).count());
}

// 0, or the errno of why nobody answers at `to`.
int connect_error(const addrinfo& to, Clock::time_point until) {
  const int socket = ::socket(to.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return errno;
  int error = ::connect(socket, to.ai_addr, to.ai_addrlen) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    pollfd wanted{socket, POLLOUT, 0};
    socklen_t size = sizeof error;
    if (::poll(&wanted, 1, until_then(until)) < 1)
      error = ETIMEDOUT;
    else
      ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
  }
  ::close(socket);
  return error;
}

// Empty, or why nobody answers at the place of rank 0.
std::string unreachable(const Ranks& ranks, Clock::time_point until) {
  addrinfo hints{}, *list = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  const std::string port = std::to_string(ranks.port);
  if (const int failed = ::getaddrinfo(ranks.address.c_str(), port.c_str(), &hints, &list))
    return ::gai_strerror(failed);
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(list, &::freeaddrinfo);
  int error = 0;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    error = connect_error(*one, until);
    if (error == 0) return "";
  }
  return std::strerror(error);
}

// libtorch waits too, but the whole limit once more for each family of addresses.
void await_listener(const Ranks& ranks, const char* failure, milliseconds timeout) {
  const Clock::time_point until = Clock::now() + timeout;
  for (;;) {
    const std::string reason = unreachable(ranks, until);
    if (reason.empty()) return;
    if (Clock::now() >= until)
      throw MeetingError(failure + place_of(ranks) + within(timeout) + ": " + reason);
    std::this_thread::sleep_for(std::min<Clock::duration>(kNextAttempt, until - Clock::now()));
  }
}

c10::intrusive_ptr<c10d::TCPStore> tcp_store(const Ranks& ranks, bool listen, const char* failure,
                                             milliseconds timeout) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(ranks.port);
  options.isServer = listen;
  options.waitWorkers = false;
  options.timeout = timeout;
  if (ranks.listener >= 0) options.masterListenFd = ranks.listener;
  if (!listen) await_listener(ranks, failure, timeout);
  try {
    return c10::make_intrusive<c10d::TCPStore>(ranks.address, options);
  } catch (const std::exception& error) {
    const std::string reason = error.what();
    throw MeetingError(failure + place_of(ranks) + (listen ? "" : within(timeout)) + ": " +
                       reason.substr(0, reason.find('\n')));
  }
}

// torchrun's agent has a store of its own at MASTER_ADDR:MASTER_PORT, so that rank 0 cannot listen
// there.
bool agent_listens(const Ranks& ranks) {
  const char* told = std::getenv("TORCHELASTIC_USE_AGENT_STORE");
  return told != nullptr && std::string(told) == "True" && ranks.address_from == "MASTER_ADDR" &&
         std::getenv("VISSL_RENDEZVOUS_FD") == nullptr;
}

// Rank 0 listens on a free port and tells the others by the agent's store which one.
c10::intrusive_ptr<c10d::Store> open_store_by_agent(Ranks& ranks, milliseconds timeout) {
  const c10::intrusive_ptr<c10d::Store> agent =
      tcp_store(ranks, false, "the store of torchrun cannot be reached at ", timeout);
  const char* attempt = std::getenv("TORCHELASTIC_RESTART_COUNT");
  const std::string key = std::string("vissl-host/port/") + (attempt != nullptr ? attempt : "0");
  if (ranks.rank == 0) {
    ranks.port = 0;
    const auto store = tcp_store(ranks, true, "rank 0 cannot listen on ", timeout);
    ranks.port = store->getPort();
    agent->set(key, std::to_string(ranks.port));
    return store;
  }
  try {
    agent->wait({key}, timeout);
  } catch (const std::exception&) {
    throw MeetingError("rank 0 has not told the store of torchrun at " + place_of(ranks) +
                       within(timeout) + " where it listens");
  }
  ranks.port = std::stoi(agent->get_to_str(key));
  return tcp_store(ranks, false, "rank 0 cannot be reached at ", timeout);
}

}  // namespace

std::string place_of(const Ranks& ranks) {
  return ranks.address + ":" + std::to_string(ranks.port);
}

std::string within(milliseconds timeout) {
  return " within " + std::to_string(timeout.count() / 1000) + " s";
}

c10::intrusive_ptr<c10d::Store> open_store(Ranks& ranks, milliseconds timeout) {
  if (agent_listens(ranks)) return open_store_by_agent(ranks, timeout);
  return ranks.rank == 0 ? tcp_store(ranks, true, "rank 0 cannot listen on ", timeout)
                         : tcp_store(ranks, false, "rank 0 cannot be reached at ", timeout);
}

}  // namespace vissl::host
