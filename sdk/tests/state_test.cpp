#include <doctest/doctest.h>

#include <vissl/state.hpp>

#include <deque>

namespace {

// Moves at most three bytes at a time, as a stream may.
struct Pipe {
  std::deque<char> bytes;
  static std::uint64_t write(void* self, const void* data, std::uint64_t bytes) {
    const std::uint64_t n = std::min<std::uint64_t>(bytes, 3);
    const char* from = static_cast<const char*>(data);
    static_cast<Pipe*>(self)->bytes.insert(static_cast<Pipe*>(self)->bytes.end(), from, from + n);
    return n;
  }
  static std::uint64_t read(void* self, void* data, std::uint64_t bytes) {
    std::deque<char>& from = static_cast<Pipe*>(self)->bytes;
    std::uint64_t n = 0;
    for (; n < std::min<std::uint64_t>(bytes, 3) && !from.empty(); ++n) {
      static_cast<char*>(data)[n] = from.front();
      from.pop_front();
    }
    return n;
  }
  vissl_out out() { return {sizeof(vissl_out), this, &write}; }
  vissl_in in() { return {sizeof(vissl_in), this, &read}; }
};

struct Counter {
  double sum = 0;
  bool on = false;
  std::vector<std::string> names;
  void save(vissl::Writer& out) const {
    out.put(sum);
    out.put(on);
    out.put(names);
  }
  void load(vissl::Reader& in, std::uint64_t version) {
    CHECK(version == 3);
    in.get(sum);
    in.get(on);
    in.get(names);
  }
  static constexpr std::uint64_t state_version = 3;
};
const vissl_state_class& table() {
  const void* found = vissl::detail::extension<Counter>(vissl::str(VISSL_STATE_ID));
  REQUIRE(found != nullptr);
  return *static_cast<const vissl_state_class*>(found);
}
std::string load_error(Pipe& pipe, std::uint64_t version = 3) {
  Counter counter;
  const vissl_in in = pipe.in();
  vissl::ErrorSink sink;
  CHECK(table().load(&counter, &in, version, sink) != VISSL_OK);
  return sink.text();
}
Pipe saved() {
  Counter counter;
  counter.sum = 2.5;
  counter.on = true;
  counter.names = {"a", "", "long enough to leave the small string"};
  Pipe pipe;
  const vissl_out out = pipe.out();
  REQUIRE(table().save(&counter, &out, nullptr) == VISSL_OK);
  return pipe;
}

TEST_CASE("state: a fresh instance that loads equals the saved one") {
  Pipe pipe = saved();
  Counter counter;
  const vissl_in in = pipe.in();
  REQUIRE(table().load(&counter, &in, 3, nullptr) == VISSL_OK);
  CHECK(counter.sum == 2.5);
  CHECK(counter.on);
  CHECK(counter.names ==
        std::vector<std::string>{"a", "", "long enough to leave the small string"});
}

TEST_CASE("state: empty, cut, damaged and newer input is refused") {
  Pipe empty;
  CHECK(load_error(empty) == "the saved state ends too early");
  Pipe cut = saved();
  cut.bytes.pop_back();
  CHECK(load_error(cut) == "the saved state ends too early");
  Pipe longer = saved();
  longer.bytes.push_back(0);
  CHECK(load_error(longer) == "the saved state has more bytes than expected");
  Pipe flag = saved();
  flag.bytes[8] = 7;
  CHECK(load_error(flag) == "the saved state is damaged: a flag is neither 0 nor 1");
  Pipe huge = saved();
  for (std::size_t i = 9; i < 17; ++i) huge.bytes[i] = 0x7f;
  CHECK(load_error(huge) == "the saved state ends too early");
  Pipe newer = saved();
  CHECK(load_error(newer, 4) ==
        "the state was saved by a newer plugin (format 4); this one reads up to 3");
}

TEST_CASE("state: unknown extension ids, also longer ones, are not offered") {
  using vissl::detail::extension;
  CHECK(extension<Counter>(vissl::str("vissl.state/10")) == nullptr);
  CHECK(extension<Counter>(vissl::str("vissl.events/1")) == nullptr);
  CHECK(extension<Counter>(vissl::str("")) == nullptr);
}

}  // namespace
