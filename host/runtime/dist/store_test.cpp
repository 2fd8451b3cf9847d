#include "host/runtime/dist/store.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <vector>

using namespace vissl::host;
using std::chrono::milliseconds;

namespace {

// A socket of the loopback interface that never answers: it is bound only, or its queue is full.
class Silent {
 public:
  explicit Silent(bool full_queue) {
    const int server = add();
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    REQUIRE(::bind(server, generic(), size) == 0);
    REQUIRE(::getsockname(server, generic(), &size) == 0);
    if (!full_queue) return;
    REQUIRE(::listen(server, 0) == 0);
    for (int i = 0; i < 3; ++i) ::connect(add(), generic(), size);
  }
  ~Silent() {
    for (const int socket : sockets_) ::close(socket);
  }
  Silent(const Silent&) = delete;
  Silent& operator=(const Silent&) = delete;

  Ranks second_of_two() const {
    Ranks ranks;
    ranks.rank = 1;
    ranks.world = 2;
    ranks.address = "127.0.0.1";
    ranks.port = ntohs(address_.sin_port);
    return ranks;
  }

 private:
  int add() {
    sockets_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    return sockets_.back();
  }
  sockaddr* generic() { return reinterpret_cast<sockaddr*>(&address_); }

  std::vector<int> sockets_;
  sockaddr_in address_{};
};

// The text of the failure, which comes after the limit of two seconds; libtorch alone takes twice
// that.
std::string failure_in_time(Ranks ranks) {
  const auto start = std::chrono::steady_clock::now();
  try {
    open_store(ranks, milliseconds(2000));
  } catch (const MeetingError& error) {
    const auto taken = std::chrono::steady_clock::now() - start;
    CHECK(taken >= milliseconds(2000));
    CHECK(taken < milliseconds(3900));
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("store: a rank that does not reach rank 0 says so when the limit is over") {
  const Silent refusing(false), full(true);
  const Ranks refused = refusing.second_of_two(), dropped = full.second_of_two();
  CHECK(failure_in_time(refused) ==
        "rank 0 cannot be reached at " + place_of(refused) + " within 2 s: Connection refused");
  CHECK(failure_in_time(dropped) ==
        "rank 0 cannot be reached at " + place_of(dropped) + " within 2 s: Connection timed out");
}

TEST_CASE("store: under torchrun rank 0 tells its port by the agent's store, or is waited for") {
  c10d::TCPStoreOptions options;
  options.port = 0;
  options.isServer = true;
  options.waitWorkers = false;
  const auto agent = c10::make_intrusive<c10d::TCPStore>("127.0.0.1", options);
  ::setenv("TORCHELASTIC_USE_AGENT_STORE", "True", 1);
  Ranks second;
  second.rank = 1;
  second.world = 2;
  second.address = "127.0.0.1";
  second.address_from = "MASTER_ADDR";
  second.port = agent->getPort();
  CHECK(failure_in_time(second) == "rank 0 has not told the store of torchrun at " +
                                       place_of(second) + " within 2 s where it listens");
  Ranks first = second;
  first.rank = 0;
  const auto of_first = open_store(first, milliseconds(5000));
  of_first->set("key", std::string("value"));
  CHECK(open_store(second, milliseconds(5000))->get_to_str("key") == "value");
  ::unsetenv("TORCHELASTIC_USE_AGENT_STORE");
  CHECK(first.port != agent->getPort());
  CHECK(second.port == first.port);
}

TEST_CASE("store: a rank that comes first finds the store of rank 0") {
  Ranks second = Silent(false).second_of_two(), first = second;
  first.rank = 0;
  c10::intrusive_ptr<c10d::Store> of_first;
  std::thread late([&] {
    std::this_thread::sleep_for(milliseconds(200));
    of_first = open_store(first, milliseconds(5000));
    of_first->set("key", std::string("value"));
  });
  const auto store = open_store(second, milliseconds(5000));
  late.join();
  CHECK(store->get_to_str("key") == "value");
}
