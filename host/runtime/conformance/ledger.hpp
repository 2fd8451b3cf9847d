#pragma once
// The books on the handles of a check: who owns what, and what was done wrong with it.
#include <mutex>
#include <string>
#include <unordered_map>

#include "host/runtime/abi/handle_watch.hpp"

namespace vissl::host {

// Watches from its construction to its destruction. Released handles stay in memory until then, so
// that their use is found and not undefined.
class Ledger final : public HandleWatch {
 public:
  Ledger();
  ~Ledger() override;
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  enum class State { unknown, owned, released };
  State state(const vissl_tensor* handle) const;
  std::int64_t owned() const;  // handles that were made and not released
  // The first fault so far, and forgets it; empty = none.
  std::string take_fault();
  void fault(const std::string& text);  // keeps the first one

  static Ledger* current();

 private:
  void made(vissl_tensor* handle) override;
  bool dropped(vissl_tensor* handle) override;

  mutable std::mutex mutex_;
  std::unordered_map<const vissl_tensor*, State> handles_;
  std::int64_t owned_ = 0;
  std::string fault_;
};

}  // namespace vissl::host
