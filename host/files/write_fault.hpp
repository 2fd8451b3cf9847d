#pragma once
// A hook on every step of writing a file, so that tests can fill the disk or kill the process at a
// chosen byte. Never set outside tests.
#include <atomic>
#include <cstdint>
#include <limits>

namespace vissl::host {

enum class WriteStep { open, write, sync, rename };

struct WriteFaultVerdict {
  // How many of the bytes of this write still reach the file; the rest meets `error` or `crash`.
  std::uint64_t allowed_bytes = std::numeric_limits<std::uint64_t>::max();
  int error = 0;       // an errno value; 0 lets the step succeed
  bool crash = false;  // end the process at once, with nothing cleaned up
};

// `offset` and `size_bytes` describe the write (both 0 for the other steps: size of the file).
using WriteFault = WriteFaultVerdict (*)(WriteStep step, std::uint64_t offset,
                                         std::uint64_t size_bytes);

inline std::atomic<WriteFault> write_fault{nullptr};

}  // namespace vissl::host
