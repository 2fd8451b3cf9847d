#pragma once
// What every component's state has to stand, with tensors or without.
#include <vissl/state.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "host/plugin/conformance/judged.hpp"

namespace vissl::host {

// A plugin has to loop: no more bytes than these move at once.
inline constexpr std::uint64_t kStateStep = 7;

inline std::string save_state(const vissl_state_class& state, void* instance) {
  std::string bytes;
  const vissl_out out{sizeof(vissl_out), &bytes,
                      [](void* self, const void* data, std::uint64_t count) {
                        const std::uint64_t n = std::min(count, kStateStep);
                        static_cast<std::string*>(self)->append(static_cast<const char*>(data),
                                                                static_cast<std::size_t>(n));
                        return n;
                      }};
  must("save", [&](vissl_err* err) { return state.save(instance, &out, err); });
  return bytes;
}

// Whether the instance takes the state; `sink` has its text when it does not.
inline bool load_state(const vissl_state_class& state, void* instance, const std::string& bytes,
                       ErrorSink& sink) {
  struct Source {
    const std::string& bytes;
    std::size_t at;
  } source{bytes, 0};
  const vissl_in in{sizeof(vissl_in), &source, [](void* self, void* data, std::uint64_t count) {
                      auto& from = *static_cast<Source*>(self);
                      const std::uint64_t n =
                          std::min({count, kStateStep, std::uint64_t{from.bytes.size() - from.at}});
                      std::memcpy(data, from.bytes.data() + from.at, static_cast<std::size_t>(n));
                      from.at += static_cast<std::size_t>(n);
                      return n;
                    }};
  return status_of("load", sink, [&](vissl_err* err) {
           return state.load(instance, &in, state.version, err);
         }) == VISSL_OK;
}

// `used` is an instance that has worked; `with_fresh(body)` gives body(instance) for a new one.
template <class WithFresh>
Verdict judge_state(const vissl_state_class& state, void* used, WithFresh&& with_fresh) {
  const auto takes = [&](void* instance, const std::string& bytes) {
    ErrorSink sink;
    return load_state(state, instance, bytes, sink);
  };
  const auto wrong = [](const char* text) { return Verdict{Outcome::fail, text}; };
  const std::string good = save_state(state, used);
  if (save_state(state, used) != good)
    return wrong("saves other bytes the second time although nothing ran");
  const Verdict again = with_fresh([&](void* fresh) {
    if (!takes(fresh, good))
      return wrong("does not load what it saved itself when reads give 7 bytes at a time; loop");
    if (save_state(state, fresh) != good)
      return wrong("a fresh instance that loaded a state saves another one; load all of it");
    return Verdict{};
  });
  if (again.outcome != Outcome::ok) return again;
  const auto fresh_takes = [&](const std::string& bytes) {
    return with_fresh([&](void* fresh) { return takes(fresh, bytes); });
  };
  if (!good.empty() && fresh_takes(""))
    return wrong("loads an empty state without an error; refuse input that ends early");
  // What follows may be refused or taken; it must not crash.
  std::string noise;
  for (std::uint32_t x = 1; noise.size() < 4096; x = x * 1664525u + 1013904223u)
    noise += static_cast<char>(x >> 24);
  fresh_takes(noise);
  if (good.size() > 1) fresh_takes(good.substr(0, good.size() / 2));
  return {};
}

}  // namespace vissl::host
