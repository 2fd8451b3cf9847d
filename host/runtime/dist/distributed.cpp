#include "host/runtime/dist/distributed.hpp"

#include <arpa/inet.h>
#include <c10/util/Logging.h>
#include <c10/util/StringUtil.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <thread>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "host/runtime/abi/guard.hpp"
#include "host/runtime/dist/collectives.hpp"
#include "host/runtime/dist/gloo.hpp"
#include "host/runtime/dist/store.hpp"
#include "host/runtime/dist/watch.hpp"

namespace vissl::host {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

bool is_loopback(const std::string& address) {
  return address == "localhost" || address == "::1" || address.starts_with("127.");
}

// The first address of this machine that other machines can reach; the loopback one if there is
// none. A host name is not asked for: it may resolve to 127.0.1.1, or not at all.
std::string outside_address() {
  const char* wanted = std::getenv("GLOO_SOCKET_IFNAME");
  std::string found = "127.0.0.1";
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return found;
  for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET) continue;
    if ((one->ifa_flags & IFF_UP) == 0 || (one->ifa_flags & IFF_LOOPBACK) != 0) continue;
    if (wanted != nullptr && std::string(wanted) != one->ifa_name) continue;
    char text[INET_ADDRSTRLEN] = {};
    const auto* address = reinterpret_cast<const sockaddr_in*>(one->ifa_addr);
    ::inet_ntop(AF_INET, &address->sin_addr, text, sizeof text);
    found = text;
    break;
  }
  ::freeifaddrs(list);
  return found;
}

std::string interface_address(const Ranks& ranks) {
  const bool one_machine = ranks.local_world == ranks.world || is_loopback(ranks.address);
  return one_machine ? "127.0.0.1" : outside_address();
}

// One line for each thing in which ranks must agree.
std::string identity(const Services& services) {
  return std::string("build ") + services.build_id + "\n" + services.config_toml;
}

// The first lines in which two texts differ, as "'x' there, 'y' here".
std::string first_difference(const std::string& there, const std::string& here) {
  std::size_t start = 0;
  for (;;) {
    const std::size_t a = there.find('\n', start), b = here.find('\n', start);
    const std::string line_a = there.substr(start, a - start),
                      line_b = here.substr(start, b - start);
    if (line_a != line_b || a == std::string::npos || b == std::string::npos)
      return "'" + line_a + "' there, '" + line_b + "' here";
    start = a + 1;
  }
}

class Distributed {
 public:
  Distributed(const Services& services, const Setting& config)
      : services_(services),
        ranks_(services.ranks),
        timeout_(static_cast<int64_t>(config.number("distributed.timeout_seconds") * 1000.0)),
        store_(open_store(ranks_, timeout_)) {
    Watch::Settings settings;
    settings.rank = ranks_.rank;
    settings.world = ranks_.world;
    settings.store_place = place_of(ranks_);
    settings.stall =
        milliseconds(static_cast<int64_t>(config.number("distributed.stall_seconds") * 1000.0));
    settings.timeout = timeout_;
    watch_.emplace(store_->clone(), settings,
                   [this](Watch& watch, const RankError& error) { end_now(watch, error); });
  }

  // Meets the others, compares builds and configs, and connects all with all.
  void join(const std::function<RunDevice()>& choose_device) {
    const RunDevice device = choose_device();
    const std::string own =
        identity(services_) + "\nmachine.device is " + c10::str(device.device.type());
    if (ranks_.rank == 0) {
      store_->set("identity", own);
      wait_for_all();
    } else {
      store_->wait({"identity"}, timeout_);
      const std::string first = store_->get_to_str("identity");
      if (first != own)
        throw MeetingError(c10::str(
            "rank ", ranks_.rank, " has another build or config than rank 0: ",
            first_difference(first, own), "; start all ranks from one build with one config"));
      store_->set(c10::str("arrived/", ranks_.rank), std::string("1"));
    }
    GlooSettings gloo;
    gloo.interface_address = interface_address(ranks_);
    gloo.timeout = timeout_;
    if (device.cuda != nullptr) {
      gloo.make_gpu_backend = [this, device](const auto& store, int rank, int world) {
        return device.cuda->make_nccl(store, rank, world, timeout_, device.device.index());
      };
      end_when_nccl_does();
    }
    set_collectives(make_gloo(store_, ranks_.rank, ranks_.world, gloo));
    watch_->follow([] { return collectives().begun(); });
    services_.log->log(LogLevel::info,
                       c10::str(ranks_.world, " ranks, which meet at ", place_of(ranks_)));
  }

  void finish() {
    watch_->finish();
    if (before_nccl_ != nullptr) std::set_terminate(before_nccl_);
    watch_->follow({});
    set_collectives(nullptr);
    watch_.reset();
  }

  // Logs what ended the run and returns the exit code: that of the rank which met it, on all ranks.
  int end_with(const Error& error) {
    const std::string text = error.what();
    const RankError own{ranks_.rank, ranks_.rank, error.code(), text};
    const RankError first = watch_->judge(own, cause_of(error));
    const bool same = first.text == own.text;
    services_.log->progress_done();
    tell(*watch_, same ? own : first);
    watch_->wait_for_readers(absent_);
    return static_cast<int>(first.code);
  }

 private:
  // libtorch tells by its texts alone how an exchange ended.
  static Watch::Cause cause_of(const Error& error) {
    if (dynamic_cast<const MeetingError*>(&error) != nullptr) return Watch::Cause::own;
    const std::string text = error.what();
    const auto has = [&](const char* part) { return text.find(part) != std::string::npos; };
    if (error.code() != Exit::distributed && !has("gloo/") && !has("pair closure"))
      return Watch::Cause::own;
    return has("Timed out") || has("timeout") ? Watch::Cause::late : Watch::Cause::broken;
  }

  // NCCL watches its collectives in a thread of its own. When one fails or takes too long, that
  // thread throws what nobody can catch, while the main thread may wait for the GPU forever.
  void end_when_nccl_does() {
    static Distributed* the_run = nullptr;
    the_run = this;
    before_nccl_ = std::set_terminate([] {
      static std::atomic_flag ending = ATOMIC_FLAG_INIT;
      while (ending.test_and_set()) std::this_thread::sleep_for(milliseconds(100));
      std::string text = "an exception that nobody caught";
      if (std::current_exception()) {
        try {
          throw;
        } catch (...) {
          text = current_exception_text();
        }
      }
      const int code = the_run->end_with(Error(Exit::distributed, "NCCL: " + text));
      std::fflush(nullptr);
      std::_Exit(code);
    });
  }

  void wait_for_all() {
    const Clock::time_point until = Clock::now() + timeout_;
    for (;;) {
      std::string missing;
      absent_ = 0;
      for (int64_t rank = 1; rank < ranks_.world; ++rank) {
        if (store_->check({c10::str("arrived/", rank)})) continue;
        missing += c10::str(" ", rank);
        ++absent_;
      }
      if (missing.empty()) return;
      if (Clock::now() > until)
        throw MeetingError("these ranks did not come to " + place_of(ranks_) + within(timeout_) +
                           ":" + missing);
      std::this_thread::sleep_for(milliseconds(20));
    }
  }

  // Rank 0 speaks for all; when it cannot, the others speak for themselves.
  void tell(Watch& watch, const RankError& error) {
    if (ranks_.rank != 0 && watch.rank_0_speaks()) return;
    const bool own = error.rank == ranks_.rank || error.reporter != error.rank;
    services_.log->log(LogLevel::error,
                       own ? error.text : c10::str("rank ", error.rank, ": ", error.text));
  }

  // From a thread of the watch, while the main thread may be anywhere.
  [[noreturn]] void end_now(Watch& watch, const RankError& error) {
    tell(watch, error);
    watch.wait_for_readers(0);
    std::fflush(nullptr);
    std::_Exit(static_cast<int>(error.code));
  }

  const Services& services_;
  Ranks ranks_;
  milliseconds timeout_;
  c10::intrusive_ptr<c10d::Store> store_;
  std::optional<Watch> watch_;
  int64_t absent_ = 0;  // ranks that have not come, as rank 0 saw last
  std::terminate_handler before_nccl_ = nullptr;
};

}  // namespace

int run_with_ranks(const Services& services, const Setting& config,
                   const std::function<RunDevice()>& device, const std::function<int()>& body) {
  if (services.ranks.world <= 1) return body();
  // What goes wrong is said by this program, once; libtorch would warn of every lost connection.
  if (std::getenv("TORCH_CPP_LOG_LEVEL") == nullptr) FLAGS_caffe2_log_level = c10::GLOG_FATAL;
  Distributed run(services, config);
  int code = 0;
  try {
    run.join(device);
    code = body();
    run.finish();
    return code;
  } catch (const Error& error) {
    code = run.end_with(error);
  } catch (const std::exception& error) {  // the rendezvous failed inside libtorch
    const std::string text = error.what();
    code = run.end_with(Error(Exit::distributed, text.substr(0, text.find('\n'))));
  }
  // Collectives that never end would hold up an orderly end of the process.
  std::fflush(nullptr);
  std::_Exit(code);
}

}  // namespace vissl::host
