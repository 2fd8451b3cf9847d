// libFuzzer's entry for one plugin of kind weights_format, which is linked in.
#include "fuzz/format_target.hpp"

extern "C" const vissl_plugin* vissl_plugin_entry_v1(void);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  vissl::fuzz::run_format(*vissl_plugin_entry_v1(), data, size);
  return 0;
}
