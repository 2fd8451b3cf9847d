#pragma once
// The seam between libvissl_runtime.so and libvissl_cuda.so, the only library that knows CUDA. Both
// are built from one tree against one libtorch, so C++ types may cross; the build id is compared
// first. No header of CUDA is needed to include this.
#include <c10/util/intrusive_ptr.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "host/boundary.hpp"

namespace c10d {
class Backend;
class Store;
}  // namespace c10d

namespace vissl::host {

struct Gpu {
  std::string name;               // "NVIDIA H200"
  std::int64_t memory_bytes = 0;  // of the whole device
  int major = 0, minor = 0;       // compute capability
  int multiprocessors = 0;
};

struct CudaVersions {
  std::string runtime;  // "13.0": of the libraries that were built against
  std::string driver;   // "13.1": the newest CUDA that the driver serves
  std::string cudnn;    // "9.19.0"
  std::string nccl;     // "2.28.9"
};

// A device is its number among those that the process may use, from 0. Methods throw c10::Error
// with CUDA's text unless they say otherwise.
class Cuda {
 public:
  virtual ~Cuda() = default;

  // GPUs that this process may use; with 0, `reason` is CUDA's sentence about it. Throws nothing.
  virtual int device_count(std::string& reason) const = 0;
  virtual Gpu gpu(int device) const = 0;
  virtual CudaVersions versions() const = 0;  // "?" for what does not tell

  // Makes the device the calling thread's own, and starts libtorch's allocator. [main]
  virtual void use(int device) = 0;
  // Page-locked memory, which the device reads without a copy in between. Its functions may be
  // called on any thread; `allocate` gives NULL when there is no more.
  virtual Allocator pinned_memory(int device) const = 0;
  // The most memory that tensors had at one time since the start, in bytes. After `use`.
  virtual std::int64_t peak_bytes(int device) const = 0;

  // NCCL between `world` ranks that all make the same call with one shared `store`. Connections are
  // made by the first collective. A collective that takes longer than `timeout` ends the process.
  // Call shutdown() of it before it is dropped. After `use`. [main]
  virtual c10::intrusive_ptr<c10d::Backend> make_nccl(const c10::intrusive_ptr<c10d::Store>& store,
                                                      int rank, int world,
                                                      std::chrono::milliseconds timeout,
                                                      int device) = 0;
};

#define VISSL_CUDA_SYMBOL "vissl_cuda_entry"
// Exported by libvissl_cuda.so with C linkage. Gives the one object, which lives until the process
// ends; or NULL with a sentence in `error`. Throws nothing.
using CudaEntry = Cuda* (*)(const char* build_id, std::string* error);

}  // namespace vissl::host
